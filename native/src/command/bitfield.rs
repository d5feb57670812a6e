//! BITFIELD and BITFIELD_RO: integers of 1 to 64 bits at any place of a string.

use super::args::{int, is_option};
use super::{Args, CommandResult, bitmap};
use crate::keyspace::{Db, STRING_BYTES_MAX};
use crate::reply::Reply;
use crate::status::Status;
use crate::structure::bits;
use std::ops::Range;

const BAD_TYPE: Status = Status::Text(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);

/// What becomes of a number that its field cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overflow {
    /// Its low bits are kept.
    Wrap,
    /// The nearest number that fits takes its place.
    Saturate,
    /// The field stays as it is.
    Fail,
}

impl Overflow {
    fn parse(word: &[u8]) -> Result<Overflow, Status> {
        match word {
            _ if is_option(word, "WRAP") => Ok(Overflow::Wrap),
            _ if is_option(word, "SAT") => Ok(Overflow::Saturate),
            _ if is_option(word, "FAIL") => Ok(Overflow::Fail),
            _ => Err(Status::Text("ERR Invalid OVERFLOW type specified")),
        }
    }
}

/// A place in a string, and how its bits are read.
#[derive(Clone, Copy, Debug)]
struct Field {
    signed: bool,
    /// 1 to 64; at most 63 if unsigned, so that every number fits 64 bits with a sign.
    width: u32,
    offset: usize,
}

impl Field {
    fn parse(kind: &[u8], offset: &[u8]) -> Result<Field, Status> {
        let (signed, digits) = match kind {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return Err(BAD_TYPE),
        };
        let width = int(digits).map_err(|_| BAD_TYPE)?;
        if !(1..=if signed { 64 } else { 63 }).contains(&width) {
            return Err(BAD_TYPE);
        }
        // Behind `#`, an offset counts fields of this width.
        let (unit, number) = match offset {
            [b'#', number @ ..] => (width, number),
            number => (1, number),
        };
        let number = int(number).map_err(|_| bitmap::BAD_OFFSET)?;
        let offset = number.checked_mul(unit).ok_or(bitmap::BAD_OFFSET)?;
        Ok(Field {
            signed,
            width: width as u32,
            offset: bitmap::offset(offset)?,
        })
    }

    /// The bytes that hold the field.
    fn bytes(self) -> Range<usize> {
        self.offset / 8..(self.offset + self.width as usize).div_ceil(8)
    }

    fn get(self, bytes: &[u8]) -> i64 {
        let raw = bits::field(bytes, self.offset, self.width);
        if self.signed { self.extend(raw) } else { raw as i64 }
    }

    /// The low bits of a number, the highest of them taken for the sign.
    fn extend(self, raw: u64) -> i64 {
        let unused = 64 - self.width;
        (raw << unused) as i64 >> unused
    }

    /// The number to store for `value + by`; `None` if there is none.
    fn settle(self, value: i64, by: i64, overflow: Overflow) -> Option<i64> {
        let beyond = if self.signed {
            self.signed_limit(value, by)
        } else {
            self.unsigned_limit(value as u64, by)
        };
        let sum = value.wrapping_add(by);
        match (beyond, overflow) {
            (None, _) => Some(sum),
            (Some(_), Overflow::Wrap) if self.signed => Some(self.extend(sum as u64)),
            (Some(_), Overflow::Wrap) => Some(sum & (i64::MAX >> (63 - self.width))),
            (Some(limit), Overflow::Saturate) => Some(limit),
            (Some(_), Overflow::Fail) => None,
        }
    }

    /// The end of the field's range that `value + by` lies beyond. `value` itself may lie beyond it; then the distances wrap
    /// around, and a number far below the range counts as one above it, as in Redis.
    fn signed_limit(self, value: i64, by: i64) -> Option<i64> {
        let max = i64::MAX >> (64 - self.width);
        let min = !max;
        let (above, below) = (max.wrapping_sub(value), min.wrapping_sub(value));
        let narrow = self.width < 64;
        if value > max || (narrow && by > above) || (value >= 0 && by > 0 && by > above) {
            Some(max)
        } else if value < min || (narrow && by < below) || (value < 0 && by < 0 && by < below) {
            Some(min)
        } else {
            None
        }
    }

    /// As [`Field::signed_limit`]; a negative number to set counts as one above the range.
    fn unsigned_limit(self, value: u64, by: i64) -> Option<i64> {
        let max = u64::MAX >> (64 - self.width);
        let above = max.wrapping_sub(value) as i64;
        let below = 0u64.wrapping_sub(value) as i64;
        if value > max || (by > 0 && by > above) {
            Some(max as i64)
        } else if by < 0 && by < below {
            Some(0)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Get,
    Set(i64),
    Increment(i64),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    field: Field,
    action: Action,
    overflow: Overflow,
}

impl Step {
    fn read(self, bytes: &[u8]) -> Reply {
        Reply::Int(self.field.get(bytes))
    }

    fn run(self, bytes: &mut [u8]) -> Reply {
        let Field { offset, width, .. } = self.field;
        let old = self.field.get(bytes);
        let new = match self.action {
            Action::Get => return Reply::Int(old),
            Action::Set(value) => self.field.settle(value, 0, self.overflow),
            Action::Increment(by) => self.field.settle(old, by, self.overflow),
        };
        let Some(new) = new else { return Reply::Null };
        bits::set_field(bytes, offset, width, new as u64);
        Reply::Int(if matches!(self.action, Action::Set(_)) {
            old
        } else {
            new
        })
    }
}

fn parse(mut rest: &[&[u8]]) -> Result<Vec<Step>, Status> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    while let [name, behind @ ..] = rest {
        let (action, field, left) = match behind {
            [kind, offset, left @ ..] if is_option(name, "GET") => {
                (Action::Get, Field::parse(kind, offset)?, left)
            }
            [kind, offset, value, left @ ..] if is_option(name, "SET") => {
                let field = Field::parse(kind, offset)?;
                (Action::Set(int(value)?), field, left)
            }
            [kind, offset, by, left @ ..] if is_option(name, "INCRBY") => {
                let field = Field::parse(kind, offset)?;
                (Action::Increment(int(by)?), field, left)
            }
            [mode, left @ ..] if is_option(name, "OVERFLOW") => {
                overflow = Overflow::parse(mode)?;
                rest = left;
                continue;
            }
            _ => return Err(Status::Syntax),
        };
        steps.push(Step {
            field,
            action,
            overflow,
        });
        rest = left;
    }
    Ok(steps)
}

/// The places that are written.
fn written_bytes(steps: &[Step]) -> impl Iterator<Item = Range<usize>> {
    let writing = steps.iter().filter(|step| step.action != Action::Get);
    writing.map(|step| step.field.bytes())
}

fn read_all(db: &Db<'_>, key: &[u8], steps: &[Step]) -> CommandResult {
    let bytes = db.string(key)?.unwrap_or_default();
    Ok(Reply::Array(steps.iter().map(|step| step.read(bytes)).collect()))
}

pub(super) fn bitfield(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let steps = parse(&words[2..])?;
    let places: Vec<_> = written_bytes(&steps).collect();
    let Some(len) = places.iter().map(|place| place.end).max() else {
        return read_all(db, words[1], &steps);
    };
    if len > STRING_BYTES_MAX {
        return Err(bitmap::BAD_OFFSET);
    }
    let replies = db.edit_string(words[1], len, &places, |bytes| {
        steps.iter().map(|step| step.run(bytes)).collect()
    })?;
    Ok(Reply::Array(replies))
}

pub(super) fn bitfield_ro(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let steps = parse(&words[2..])?;
    if written_bytes(&steps).next().is_some() {
        return Err(Status::Text("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    read_all(db, words[1], &steps)
}

#[cfg(test)]
#[path = "tests/bitfield.rs"]
mod tests;
