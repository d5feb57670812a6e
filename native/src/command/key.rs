//! Key commands.
//!
//! Of Redis's generic commands, SORT is in [`super::sort`], DUMP and RESTORE in [`super::rdb`]. MOVE is left out because there
//! is one database; MIGRATE, because keys stay in their shard; WAIT and WAITAOF, because an
//! acknowledged write is on a majority, and on its disks, already.

use super::args::{self, int, is_option};
use super::expiry::{self, Unit};
use super::scan::{self, ScanOptions};
use super::{Args, CommandResult, Keys, ONE, REST, Spec, TWO, glob, grow, read, write};
use crate::keyspace::{Db, EntryView, Expiry};
use crate::reply::Reply;
use crate::status::Status;
use smallvec::SmallVec;

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    write("del", -2, REST, del),
    write("unlink", -2, REST, del),
    read("exists", -2, REST, exists),
    read("touch", -2, REST, touch),
    read("type", 2, ONE, type_),
    write("expire", -3, ONE, |db, words| {
        expire(db, words, Unit::Seconds, "expire")
    }),
    write("pexpire", -3, ONE, |db, words| {
        expire(db, words, Unit::Milliseconds, "pexpire")
    }),
    write("expireat", -3, ONE, |db, words| {
        expire(db, words, Unit::UnixSeconds, "expireat")
    }),
    write("pexpireat", -3, ONE, |db, words| {
        expire(db, words, Unit::UnixMilliseconds, "pexpireat")
    }),
    read("ttl", 2, ONE, ttl),
    read("pttl", 2, ONE, pttl),
    read("expiretime", 2, ONE, expiretime),
    read("pexpiretime", 2, ONE, pexpiretime),
    write("persist", 2, ONE, persist),
    write("rename", 3, TWO, rename),
    write("renamenx", 3, TWO, renamenx),
    grow("copy", -3, TWO, copy),
    read("scan", -2, Keys::All, scan),
    read("keys", 2, Keys::All, keys),
    read("randomkey", 1, Keys::All, randomkey),
];

fn del(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::count(
        words[1..].iter().filter(|key| db.remove(key)).count(),
    ))
}

fn exists(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::count(
        words[1..].iter().filter(|key| db.exists(key)).count(),
    ))
}

fn touch(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::count(
        words[1..].iter().filter(|key| db.touch(key)).count(),
    ))
}

fn type_(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::Simple(db.type_name(words[1]).unwrap_or("none")))
}

/// The condition of EXPIRE and its relatives.
#[derive(Default)]
struct Condition {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Condition {
    fn parse(words: &[&[u8]]) -> Result<Condition, Status> {
        let mut condition = Condition::default();
        for word in words {
            match word {
                _ if is_option(word, "NX") => condition.nx = true,
                _ if is_option(word, "XX") => condition.xx = true,
                _ if is_option(word, "GT") => condition.gt = true,
                _ if is_option(word, "LT") => condition.lt = true,
                _ => {
                    let word = args::quoted(word);
                    return Err(Status::Owned(format!("ERR Unsupported option {word}")));
                }
            }
        }
        if condition.nx && (condition.xx || condition.gt || condition.lt) {
            let text = "ERR NX and XX, GT or LT options at the same time are not compatible";
            return Err(Status::Text(text));
        }
        if condition.gt && condition.lt {
            return Err(Status::Text(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(condition)
    }

    /// Whether an expiry may change from `current` to `new`. No expiry counts as later than any.
    fn allows(&self, current: Option<i64>, new: i64) -> bool {
        !(self.nx && current.is_some()
            || self.xx && current.is_none()
            || self.gt && current.is_none_or(|current| new <= current)
            || self.lt && current.is_some_and(|current| new >= current))
    }
}

/// Sets the expiry, or removes a key whose expiry is over. Whether the key was there and the condition met.
fn op_expire(db: &mut Db<'_>, key: &[u8], at: i64, condition: &Condition) -> bool {
    let current = match db.expire_at(key) {
        None => return false,
        Some(Expiry::At(current)) => Some(current),
        Some(_) => None,
    };
    if !condition.allows(current, at) {
        return false;
    }
    if at <= db.now_ms() {
        db.remove(key);
    } else {
        db.set_expiry(key, Expiry::At(at));
    }
    true
}

fn expire(db: &mut Db<'_>, words: Args<'_>, unit: Unit, command: &'static str) -> CommandResult {
    let condition = Condition::parse(&words[3..])?;
    let at = expiry::absolute(int(words[2])?, unit, db.now_ms(), command)?;
    Ok(Reply::flag(op_expire(db, words[1], at, &condition)))
}

/// PEXPIRE without a condition.
///
/// # Errors
/// [`Status::InvalidExpire`] if the time leaves the 64-bit range.
pub fn expire_in(db: &mut Db<'_>, key: &[u8], ms: i64) -> Result<bool, Status> {
    let at = expiry::absolute(ms, Unit::Milliseconds, db.now_ms(), "pexpire")?;
    Ok(op_expire(db, key, at, &Condition::default()))
}

/// The expiry as a number: -2 without a key, -1 without an expiry.
pub fn expiry_number(db: &Db<'_>, key: &[u8], of: impl FnOnce(i64, i64) -> i64) -> i64 {
    match db.expire_at(key) {
        None => -2,
        Some(Expiry::At(at)) => of(at, db.reading_ms()),
        Some(_) => -1,
    }
}

/// Milliseconds until the key goes, as PTTL answers.
pub fn remaining_ms(at: i64, now_ms: i64) -> i64 {
    at.saturating_sub(now_ms).max(0)
}

/// To the nearest second.
fn seconds(ms: i64) -> i64 {
    ms.saturating_add(500) / 1000
}

fn ttl(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let number = expiry_number(db, words[1], |at, now_ms| seconds(remaining_ms(at, now_ms)));
    Ok(Reply::Int(number))
}

fn pttl(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::Int(expiry_number(db, words[1], remaining_ms)))
}

fn expiretime(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::Int(expiry_number(db, words[1], |at, _| seconds(at))))
}

fn pexpiretime(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::Int(expiry_number(db, words[1], |at, _| at)))
}

fn persist(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let expires = matches!(db.expire_at(words[1]), Some(Expiry::At(_)));
    if expires {
        db.set_expiry(words[1], Expiry::Never);
    }
    Ok(Reply::flag(expires))
}

fn rename(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if !db.exists(words[1]) {
        return Err(Status::NoSuchKey);
    }
    db.rename(words[1], words[2]);
    Ok(Reply::OK)
}

fn renamenx(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if !db.exists(words[1]) {
        return Err(Status::NoSuchKey);
    }
    let free = !db.exists(words[2]);
    if free {
        db.rename(words[1], words[2]);
    }
    Ok(Reply::flag(free))
}

/// There is one database, number 0.
fn check_database(word: &[u8]) -> Result<(), Status> {
    const NO_C_INT: &str = "ERR value is out of range, value must between -2147483648 and 2147483647";
    match i32::try_from(int(word)?) {
        Ok(0) => Ok(()),
        Ok(_) => Err(Status::Text("ERR DB index is out of range")),
        Err(_) => Err(Status::Text(NO_C_INT)),
    }
}

fn copy(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let mut replace = false;
    let mut rest = words[3..].iter();
    while let Some(word) = rest.next() {
        if is_option(word, "REPLACE") {
            replace = true;
        } else if is_option(word, "DB") {
            check_database(rest.next().ok_or(Status::Syntax)?)?;
        } else {
            return Err(Status::Syntax);
        }
    }
    if words[1] == words[2] {
        return Err(Status::Text("ERR source and destination objects are the same"));
    }
    if !db.exists(words[1]) || (db.exists(words[2]) && !replace) {
        return Ok(Reply::Int(0));
    }
    db.copy(words[1], words[2]);
    Ok(Reply::Int(1))
}

fn type_of(view: EntryView<'_>) -> &'static str {
    match view {
        EntryView::Str(_) => "string",
        EntryView::Value(value) => value.type_name(),
    }
}

fn scan(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let cursor = scan::cursor(words[1])?;
    let mut type_name = None;
    let mut rest: SmallVec<[&[u8]; 4]> = SmallVec::new();
    for option in words[2..].chunks(2) {
        match option {
            [word, name] if is_option(word, "TYPE") => type_name = Some(*name),
            others => rest.extend_from_slice(others),
        }
    }
    let options = ScanOptions::parse(&rest)?;
    let mut found = Vec::new();
    let next = db.scan(cursor, options.count, |key, view| {
        let fits = type_name.is_none_or(|name| name.eq_ignore_ascii_case(type_of(view).as_bytes()));
        if fits && options.wants(key) {
            found.push(Reply::bulk(key));
        }
    });
    scan::reply(next, found)
}

fn keys(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let mut found = Vec::new();
    db.for_each(|key, _, _| {
        if glob::matches(words[1], key) {
            found.push(Reply::bulk(key));
        }
    });
    Ok(Reply::Array(found))
}

fn randomkey(db: &mut Db<'_>, _: Args<'_>) -> CommandResult {
    Ok(db.random_key().map_or(Reply::Null, Reply::Bulk))
}

#[cfg(test)]
#[path = "tests/key.rs"]
mod tests;
