//! Commands about when fields expire, as Redis has them since 7.4.
//!
//! A field that is due is gone for every command from that millisecond on, and so is a hash that has no other fields:
//! HLEN, DBSIZE and EXISTS never count them, where Redis may until it frees them.

use crate::command::args::{int, is_option};
use crate::command::expiry::Unit;
use crate::command::key::remaining_ms;
use crate::command::{Args, CommandResult, ONE, Spec, grow, read, write};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::HashValue;

/// The rows.
pub const COMMANDS: &[Spec] = &[
    grow("hexpire", -6, ONE, hexpire),
    grow("hpexpire", -6, ONE, hpexpire),
    grow("hexpireat", -6, ONE, hexpireat),
    grow("hpexpireat", -6, ONE, hpexpireat),
    read("httl", -5, ONE, httl),
    read("hpttl", -5, ONE, hpttl),
    read("hexpiretime", -5, ONE, hexpiretime),
    read("hpexpiretime", -5, ONE, hpexpiretime),
    write("hpersist", -5, ONE, hpersist),
];

/// The latest instant at which a field may expire: Redis keeps 46 bits for it.
const EXPIRE_AT_MAX_MS: i64 = (1 << 46) - 1;

/// There is no such field, or no such key.
const NO_FIELD: i64 = -2;
/// The field has no expiry.
const NO_EXPIRY: i64 = -1;
/// The condition did not hold.
const UNCHANGED: i64 = 0;
/// The expiry was set, or taken away.
const CHANGED: i64 = 1;
/// The instant has passed, and the field is gone.
const REMOVED: i64 = 2;

/// What has to hold of a field's present expiry, `None` being the end of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    /// NX
    NoExpiry,
    /// XX
    AnExpiry,
    /// GT
    Later,
    /// LT
    Earlier,
}

impl Condition {
    fn of_option(word: &[u8]) -> Option<Condition> {
        match word {
            _ if is_option(word, "NX") => Some(Condition::NoExpiry),
            _ if is_option(word, "XX") => Some(Condition::AnExpiry),
            _ if is_option(word, "GT") => Some(Condition::Later),
            _ if is_option(word, "LT") => Some(Condition::Earlier),
            _ => None,
        }
    }

    fn holds(self, old: Option<i64>, new: i64) -> bool {
        match self {
            Condition::Always => true,
            Condition::NoExpiry => old.is_none(),
            Condition::AnExpiry => old.is_some(),
            Condition::Later => old.is_some_and(|old| new > old),
            Condition::Earlier => old.is_none_or(|old| new < old),
        }
    }
}

/// The instant that `number` means, as an absolute millisecond.
fn instant(number: i64, unit: Unit, now_ms: i64, command: &'static str) -> Result<i64, Status> {
    if number < 0 {
        return Err(Status::Text("ERR invalid expire time, must be >= 0"));
    }
    let (scale, base) = match unit {
        Unit::Seconds => (1000, now_ms),
        Unit::Milliseconds => (1, now_ms),
        Unit::UnixSeconds => (1000, 0),
        Unit::UnixMilliseconds => (1, 0),
    };
    let at = number.checked_mul(scale).and_then(|ms| ms.checked_add(base));
    at.filter(|&at| at <= EXPIRE_AT_MAX_MS)
        .ok_or(Status::InvalidExpire(command))
}

/// The fields behind `FIELDS numfields`.
fn fields<'a>(words: &'a [&'a [u8]], wrong_count: &'static str) -> Result<&'a [&'a [u8]], Status> {
    let [keyword, count, fields @ ..] = words else {
        return Err(Status::Syntax);
    };
    if !is_option(keyword, "FIELDS") {
        return Err(Status::Text(
            "ERR Mandatory argument FIELDS is missing or not at the right position",
        ));
    }
    let count = int(count).ok().filter(|&count| count > 0);
    let count = count.ok_or(Status::Text(wrong_count))?;
    if usize::try_from(count) != Ok(fields.len()) {
        return Err(Status::Text(
            "ERR The `numfields` parameter must match the number of arguments",
        ));
    }
    Ok(fields)
}

fn expire(db: &mut Db<'_>, words: Args<'_>, unit: Unit, command: &'static str) -> CommandResult {
    db.get::<HashValue>(words[1])?;
    let now_ms = db.now_ms();
    let expire_at = instant(int(words[2])?, unit, now_ms, command)?;
    let condition = Condition::of_option(words[3]);
    let rest = &words[if condition.is_some() { 4 } else { 3 }..];
    let fields = fields(rest, "ERR Parameter `numFields` should be greater than 0")?;
    let condition = condition.unwrap_or(Condition::Always);
    let change = |hash: &mut HashValue, field: &[u8]| {
        let Some(old) = hash.expiry(field) else {
            return NO_FIELD;
        };
        if !condition.holds(old, expire_at) {
            return UNCHANGED;
        }
        if expire_at <= now_ms {
            hash.remove(field);
            return REMOVED;
        }
        hash.set_expiry(field, Some(expire_at));
        CHANGED
    };
    change_each(db, words[1], fields, change)
}

/// Runs `change` for one field after the other and answers with what it gives.
fn change_each(
    db: &mut Db<'_>,
    key: &[u8],
    fields: &[&[u8]],
    change: impl Fn(&mut HashValue, &[u8]) -> i64,
) -> CommandResult {
    let answers = db.edit(key, |hash: &mut HashValue| {
        let answers = fields.iter().map(|field| Reply::Int(change(hash, field)));
        answers.collect()
    })?;
    Ok(Reply::Array(
        answers.unwrap_or_else(|| vec![Reply::Int(NO_FIELD); fields.len()]),
    ))
}

fn hexpire(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    expire(db, words, Unit::Seconds, "hexpire")
}

fn hpexpire(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    expire(db, words, Unit::Milliseconds, "hpexpire")
}

fn hexpireat(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    expire(db, words, Unit::UnixSeconds, "hexpireat")
}

fn hpexpireat(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    expire(db, words, Unit::UnixMilliseconds, "hpexpireat")
}

const WRONG_COUNT: &str = "ERR Number of fields must be a positive integer";

fn hpersist(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    db.get::<HashValue>(words[1])?;
    let fields = fields(&words[2..], WRONG_COUNT)?;
    change_each(db, words[1], fields, |hash, field| match hash.expiry(field) {
        None => NO_FIELD,
        Some(None) => NO_EXPIRY,
        Some(Some(_)) => {
            hash.set_expiry(field, None);
            CHANGED
        }
    })
}

/// Answers for each field with what `number` makes of its expiry and of the time.
fn tell(db: &mut Db<'_>, words: Args<'_>, number: fn(i64, i64) -> i64) -> CommandResult {
    let reading_ms = db.reading_ms();
    let hash = db.get::<HashValue>(words[1])?;
    let fields = fields(&words[2..], WRONG_COUNT)?;
    let answer = |field: &&[u8]| match hash.and_then(|hash| hash.expiry(field)) {
        None => NO_FIELD,
        Some(None) => NO_EXPIRY,
        Some(Some(at)) => number(at, reading_ms),
    };
    Ok(Reply::Array(fields.iter().map(answer).map(Reply::Int).collect()))
}

/// Rounded up, where TTL of a key rounds to the nearest.
fn seconds(ms: i64) -> i64 {
    (ms + 999) / 1000
}

fn httl(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    tell(db, words, |at, now_ms| seconds(remaining_ms(at, now_ms)))
}

fn hpttl(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    tell(db, words, remaining_ms)
}

fn hexpiretime(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    tell(db, words, |at, _| seconds(at))
}

fn hpexpiretime(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    tell(db, words, |at, _| at)
}

#[cfg(test)]
mod tests;
