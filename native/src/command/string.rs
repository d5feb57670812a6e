//! String commands.

use super::args::{int, is_option};
use super::extended::{self, Parsed};
use super::{Args, CommandResult, Keys, ONE, REST, Spec, TWO, expiry, grow, lcs, read, write};
use crate::keyspace::{Db, Expiry};
use crate::reply::Reply;
use crate::status::Status;

/// Keys and values in turn.
const PAIRS: Keys = Keys::Range {
    first: 1,
    last: -1,
    step: 2,
};

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    read("get", 2, ONE, get),
    grow("set", -3, ONE, set),
    grow("setnx", 3, ONE, setnx),
    grow("setex", 4, ONE, setex),
    grow("psetex", 4, ONE, psetex),
    grow("getset", 3, ONE, getset),
    write("getdel", 2, ONE, getdel),
    write("getex", -2, ONE, getex),
    read("mget", -2, REST, mget),
    grow("mset", -3, PAIRS, mset),
    grow("msetnx", -3, PAIRS, msetnx),
    grow("append", 3, ONE, append),
    read("strlen", 2, ONE, strlen),
    read("getrange", 4, ONE, getrange),
    read("substr", 4, ONE, getrange),
    read("lcs", -3, TWO, lcs::lcs),
    grow("setrange", 4, ONE, setrange),
    grow("incr", 2, ONE, incr),
    grow("decr", 2, ONE, decr),
    grow("incrby", 3, ONE, incrby),
    grow("decrby", 3, ONE, decrby),
    grow("incrbyfloat", 3, ONE, incrbyfloat),
];

/// The string as a reply, null if there is none.
fn bulk(db: &Db<'_>, key: &[u8]) -> CommandResult {
    Ok(db.string(key)?.map_or(Reply::Null, Reply::bulk))
}

fn get(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    bulk(db, words[1])
}

/// When a key has to be there, or must not be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    IfMissing,
    IfPresent,
}

/// What SET and GETEX have in common.
struct SetOptions<'a> {
    condition: Condition,
    get: bool,
    keep: bool,
    persist: bool,
    expiry: Option<(expiry::Unit, &'a [u8])>,
}

impl<'a> SetOptions<'a> {
    /// `reading`: the options are GETEX's.
    fn parse(words: &[&'a [u8]], reading: bool) -> Result<SetOptions<'a>, Status> {
        let mut options = SetOptions {
            condition: Condition::Always,
            get: false,
            keep: false,
            persist: false,
            expiry: None,
        };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if let Some(unit) = expiry::Unit::of_option(word)
                && !(options.keep || options.persist)
                && options.expiry.is_none_or(|(other, _)| other == unit)
            {
                options.expiry = Some((unit, rest.next().ok_or(Status::Syntax)?));
            } else if reading && is_option(word, "PERSIST") && options.expiry.is_none() {
                options.persist = true;
            } else if !reading && is_option(word, "KEEPTTL") && options.expiry.is_none() {
                options.keep = true;
            } else if !reading && is_option(word, "GET") {
                options.get = true;
            } else if !reading && is_option(word, "NX") && options.condition != Condition::IfPresent {
                options.condition = Condition::IfMissing;
            } else if !reading && is_option(word, "XX") && options.condition != Condition::IfMissing {
                options.condition = Condition::IfPresent;
            } else {
                return Err(Status::Syntax);
            }
        }
        Ok(options)
    }

    fn expire_at(&self, db: &Db<'_>, command: &'static str) -> Result<Option<i64>, Status> {
        let Some((unit, word)) = self.expiry else {
            return Ok(None);
        };
        expiry::future(int(word)?, unit, db.now_ms(), command).map(Some)
    }
}

fn set(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (key, value) = (words[1], words[2]);
    if words.len() == 3 {
        db.put_string(key, value, Expiry::Never);
        return Ok(Reply::OK);
    }
    let options = SetOptions::parse(&words[3..], false)?;
    let expiry = match options.expire_at(db, "set")? {
        Some(at) => Expiry::At(at),
        None if options.keep => Expiry::Keep,
        None => Expiry::Never,
    };
    let old = if options.get { Some(bulk(db, key)?) } else { None };
    let wanted = match options.condition {
        Condition::Always => true,
        Condition::IfMissing => !db.exists(key),
        Condition::IfPresent => db.exists(key),
    };
    if wanted {
        db.put_string(key, value, expiry);
    }
    Ok(old.unwrap_or(if wanted { Reply::OK } else { Reply::Null }))
}

fn setnx(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let missing = !db.exists(words[1]);
    if missing {
        db.put_string(words[1], words[2], Expiry::Never);
    }
    Ok(Reply::flag(missing))
}

fn set_for(db: &mut Db<'_>, words: Args<'_>, unit: expiry::Unit, command: &'static str) -> CommandResult {
    let at = expiry::future(int(words[2])?, unit, db.now_ms(), command)?;
    db.put_string(words[1], words[3], Expiry::At(at));
    Ok(Reply::OK)
}

fn setex(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    set_for(db, words, expiry::Unit::Seconds, "setex")
}

fn psetex(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    set_for(db, words, expiry::Unit::Milliseconds, "psetex")
}

fn getset(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let old = bulk(db, words[1])?;
    db.put_string(words[1], words[2], Expiry::Never);
    Ok(old)
}

fn getdel(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let old = bulk(db, words[1])?;
    db.remove(words[1]);
    Ok(old)
}

fn getex(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let options = SetOptions::parse(&words[2..], true)?;
    let value = bulk(db, words[1])?;
    if value == Reply::Null {
        return Ok(value);
    }
    match options.expire_at(db, "getex")? {
        Some(at) if at <= db.now_ms() => {
            db.remove(words[1]);
        }
        Some(at) => {
            db.set_expiry(words[1], Expiry::At(at));
        }
        None if options.persist => {
            db.set_expiry(words[1], Expiry::Never);
        }
        None => {}
    }
    Ok(value)
}

fn mget(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let value = |key: &&[u8]| bulk(db, key).unwrap_or(Reply::Null);
    Ok(Reply::Array(words[1..].iter().map(value).collect()))
}

fn mset(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if words.len().is_multiple_of(2) {
        return Err(Status::Arity("mset".into()));
    }
    put_pairs(db, words);
    Ok(Reply::OK)
}

fn msetnx(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if words.len().is_multiple_of(2) {
        return Err(Status::Arity("msetnx".into()));
    }
    let missing = !words[1..].iter().step_by(2).any(|key| db.exists(key));
    if missing {
        put_pairs(db, words);
    }
    Ok(Reply::flag(missing))
}

fn put_pairs(db: &mut Db<'_>, words: Args<'_>) {
    for pair in words[1..].chunks_exact(2) {
        db.put_string(pair[0], pair[1], Expiry::Never);
    }
}

fn append(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if !db.exists(words[1]) {
        db.put_string(words[1], words[2], Expiry::Never);
        return Ok(Reply::count(words[2].len()));
    }
    db.patch_string(words[1], None, words[2]).map(Reply::count)
}

fn strlen(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::count(db.string(words[1])?.map_or(0, <[u8]>::len)))
}

fn getrange(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (start, end) = (int(words[2])?, int(words[3])?);
    let bytes = db.string(words[1])?.unwrap_or_default();
    let len = bytes.len() as i64;
    let from_end = |i: i64| if i < 0 { len.saturating_add(i).max(0) } else { i };
    let reversed = start < 0 && end < 0 && start > end;
    let (start, end) = (from_end(start), from_end(end).min(len - 1));
    if reversed || start > end || len == 0 {
        return Ok(Reply::Bulk(Vec::new()));
    }
    Ok(Reply::bulk(&bytes[start as usize..=end as usize]))
}

fn setrange(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let Ok(offset) = usize::try_from(int(words[2])?) else {
        return Err(Status::Text("ERR offset is out of range"));
    };
    if words[3].is_empty() {
        return strlen(db, words);
    }
    db.patch_string(words[1], Some(offset), words[3])
        .map(Reply::count)
}

/// Adds to the integer under `key`, 0 if it is missing, and keeps its expiry.
///
/// # Errors
/// [`Status::WrongType`], [`Status::NotInteger`], [`Status::Overflow`].
pub fn increment(db: &mut Db<'_>, key: &[u8], by: i64) -> Result<i64, Status> {
    let old = db.string(key)?.map_or(Ok(0), int)?;
    let new = old.checked_add(by).ok_or(Status::Overflow)?;
    db.put_string(key, itoa::Buffer::new().format(new).as_bytes(), Expiry::Keep);
    Ok(new)
}

fn incr(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    increment(db, words[1], 1).map(Reply::Int)
}

fn decr(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    increment(db, words[1], -1).map(Reply::Int)
}

fn incrby(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    increment(db, words[1], int(words[2])?).map(Reply::Int)
}

fn decrby(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let by = int(words[2])?.checked_neg();
    let by = by.ok_or(Status::Text("ERR decrement would overflow"))?;
    increment(db, words[1], by).map(Reply::Int)
}

fn incrbyfloat(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let old = db
        .string(words[1])?
        .map_or_else(|| extended::parse(b"0"), extended::parse)?;
    let sum = match (old, extended::parse(words[2])?) {
        (Parsed::Finite(old), Parsed::Finite(by)) => old.plus(by),
        _ => None,
    };
    let text = sum.ok_or(Status::NotFinite)?.format().into_bytes();
    db.put_string(words[1], &text, Expiry::Keep);
    Ok(Reply::Bulk(text))
}

#[cfg(test)]
#[path = "tests/string.rs"]
mod tests;
