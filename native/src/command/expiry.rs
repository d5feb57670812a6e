//! The times that commands name, as absolute milliseconds.

use super::args::is_option;
use crate::status::Status;

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// A Unix second.
    UnixSeconds,
    /// A Unix millisecond.
    UnixMilliseconds,
}

impl Unit {
    /// The unit of SET's and GETEX's options.
    pub fn of_option(word: &[u8]) -> Option<Unit> {
        match word {
            _ if is_option(word, "EX") => Some(Unit::Seconds),
            _ if is_option(word, "PX") => Some(Unit::Milliseconds),
            _ if is_option(word, "EXAT") => Some(Unit::UnixSeconds),
            _ if is_option(word, "PXAT") => Some(Unit::UnixMilliseconds),
            _ => None,
        }
    }
}

/// The Unix millisecond that `number` means at `now_ms`.
///
/// # Errors
/// [`Status::InvalidExpire`] with the command's name if it leaves the 64-bit range.
pub fn absolute(number: i64, unit: Unit, now_ms: i64, command: &'static str) -> Result<i64, Status> {
    let ms = match unit {
        Unit::Seconds | Unit::UnixSeconds => number.checked_mul(1000),
        Unit::Milliseconds | Unit::UnixMilliseconds => Some(number),
    };
    let at = match unit {
        Unit::Seconds | Unit::Milliseconds => ms.and_then(|ms| ms.checked_add(now_ms)),
        Unit::UnixSeconds | Unit::UnixMilliseconds => ms,
    };
    at.ok_or(Status::InvalidExpire(command))
}

/// As [`absolute`], where the number has to be positive.
///
/// # Errors
/// [`Status::InvalidExpire`] with the command's name.
pub fn future(number: i64, unit: Unit, now_ms: i64, command: &'static str) -> Result<i64, Status> {
    if number <= 0 {
        return Err(Status::InvalidExpire(command));
    }
    absolute(number, unit, now_ms, command)
}
