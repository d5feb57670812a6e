//! DUMP and RESTORE.

use super::args::{int, is_option};
use super::{Args, CommandResult, ONE, Spec, read, write};
use crate::keyspace::{Db, Expiry};
use crate::rdb::load::Built;
use crate::rdb::payload::{self, Refusal};
use crate::reply::Reply;
use crate::status::Status;

/// The family.
pub const COMMANDS: &[Spec] = &[read("dump", 2, ONE, dump), write("restore", -4, ONE, restore)];

fn dump(db: &mut Db<'_>, args: Args<'_>) -> CommandResult {
    Ok(match db.view(args[1]) {
        Some(content) => Reply::Bulk(payload::dump(content)),
        None => Reply::Null,
    })
}

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
}

fn restore(db: &mut Db<'_>, args: Args<'_>) -> CommandResult {
    let (key, ttl, payload) = (args[1], args[2], args[3]);
    let options = parse_options(&args[4..])?;
    if !options.replace && db.exists(key) {
        return Err(Status::Text("BUSYKEY Target key name already exists."));
    }
    let ttl = int(ttl)?;
    let expiry = expiry_of(ttl, options.absolute, db.now_ms())?;
    let built = payload::restore(payload).map_err(|refusal| match refusal {
        Refusal::Footer => Status::Text("ERR DUMP payload version or checksum are wrong"),
        Refusal::Value(_) => Status::Text("ERR Bad data format"),
    })?;
    if matches!(expiry, Expiry::At(ms) if ms <= db.now_ms()) {
        db.remove(key);
        return Ok(Reply::OK);
    }
    match built {
        Built::Str(text) => db.put_string(key, &text, expiry),
        Built::Value(value) => db.put(key, value, expiry),
        Built::Nothing => return Err(Status::Text("ERR Bad data format")),
    }
    Ok(Reply::OK)
}

fn expiry_of(ttl: i64, absolute: bool, now_ms: i64) -> Result<Expiry, Status> {
    match ttl {
        0 => Ok(Expiry::Never),
        ..0 => Err(Status::Text("ERR Invalid TTL value, must be >= 0")),
        ms if absolute => Ok(Expiry::At(ms)),
        ms => now_ms
            .checked_add(ms)
            .map(Expiry::At)
            .ok_or(Status::InvalidExpire("restore")),
    }
}

/// IDLETIME and FREQ are checked and have no effect: there is no such bookkeeping of keys.
fn parse_options(words: &[&[u8]]) -> Result<Options, Status> {
    let mut options = Options::default();
    let mut rest = words;
    while let [word, tail @ ..] = rest {
        rest = tail;
        if is_option(word, "REPLACE") {
            options.replace = true;
        } else if is_option(word, "ABSTTL") {
            options.absolute = true;
        } else if is_option(word, "IDLETIME") || is_option(word, "FREQ") {
            let (value, tail) = rest.split_first().ok_or(Status::Syntax)?;
            check_usage(word, int(value)?)?;
            rest = tail;
        } else {
            return Err(Status::Syntax);
        }
    }
    Ok(options)
}

fn check_usage(option: &[u8], value: i64) -> Result<(), Status> {
    if is_option(option, "IDLETIME") && value < 0 {
        return Err(Status::Text("ERR Invalid IDLETIME value, must be >= 0"));
    }
    if is_option(option, "FREQ") && !(0..=255).contains(&value) {
        return Err(Status::Text("ERR Invalid FREQ value, must be >= 0 and <= 255"));
    }
    Ok(())
}
