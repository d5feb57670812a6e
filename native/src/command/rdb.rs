//! DUMP and RESTORE.

use super::args::{int, is_option};
use super::{Args, CommandResult, ONE, Spec, grow, read};
use crate::keyspace::{Db, Expiry, Usage};
use crate::rdb::load::Built;
use crate::rdb::payload::{self, Refusal};
use crate::reply::Reply;
use crate::status::Status;

/// The family.
pub const COMMANDS: &[Spec] = &[read("dump", 2, ONE, dump), grow("restore", -4, ONE, restore)];

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
    usage: Option<Usage>,
}

fn restore(db: &mut Db<'_>, args: Args<'_>) -> CommandResult {
    let (key, ttl, payload) = (args[1], args[2], args[3]);
    let options = parse_options(&args[4..])?;
    if !options.replace && db.exists(key) {
        return Err(Status::Text("BUSYKEY Target key name already exists."));
    }
    let ttl = int(ttl)?;
    let expiry = expiry_of(ttl, options.absolute, db.now_ms())?;
    let built = payload::restore(payload, db.limits()).map_err(|refusal| match refusal {
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
    if let Some(usage) = options.usage {
        db.set_usage(key, usage);
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

/// Of IDLETIME and FREQ the one has an effect that the policy of the keyspace goes by.
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
            options.usage = Some(usage_of(word, int(value)?)?);
            rest = tail;
        } else {
            return Err(Status::Syntax);
        }
    }
    Ok(options)
}

fn usage_of(option: &[u8], value: i64) -> Result<Usage, Status> {
    if is_option(option, "IDLETIME") {
        return match value {
            ..0 => Err(Status::Text("ERR Invalid IDLETIME value, must be >= 0")),
            seconds => Ok(Usage::IdleSeconds(u32::try_from(seconds).unwrap_or(u32::MAX))),
        };
    }
    match u8::try_from(value) {
        Ok(counter) => Ok(Usage::Frequency(u32::from(counter))),
        Err(_) => Err(Status::Text("ERR Invalid FREQ value, must be >= 0 and <= 255")),
    }
}

#[cfg(test)]
mod tests {
    use crate::command::testing::TestDb;
    use crate::reply::Reply;

    fn error(reply: Reply) -> String {
        match reply {
            Reply::Error(status) => status.text().into_owned(),
            other => panic!("{other:?} is no refusal"),
        }
    }

    fn payload(db: &TestDb, key: &str) -> Vec<u8> {
        match db.run(&["DUMP", key]) {
            Reply::Bulk(payload) => payload,
            other => panic!("{other:?} is no payload"),
        }
    }

    #[test]
    fn a_value_goes_from_key_to_key() {
        let db = TestDb::new();
        db.run(&["RPUSH", "list", "a", "1", "b"]);
        let dumped = payload(&db, "list");
        assert_eq!(db.run_bytes(&[b"RESTORE", b"copy", b"0", &dumped]), Reply::OK);
        assert_eq!(
            db.run(&["LRANGE", "copy", "0", "-1"]),
            db.run(&["LRANGE", "list", "0", "-1"])
        );
        assert_eq!(db.run(&["DUMP", "missing"]), Reply::Null);
    }

    #[test]
    fn a_key_in_the_way_stays_unless_replaced() {
        let db = TestDb::new();
        db.run(&["SET", "k", "v"]);
        let dumped = payload(&db, "k");
        let busy = db.run_bytes(&[b"RESTORE", b"k", b"0", &dumped]);
        assert_eq!(error(busy), "BUSYKEY Target key name already exists.");
        assert_eq!(
            db.run_bytes(&[b"RESTORE", b"k", b"5000", &dumped, b"replace"]),
            Reply::OK
        );
        assert_eq!(db.run(&["PTTL", "k"]), Reply::Int(5000));
    }

    #[test]
    fn an_expiry_that_has_passed_leaves_no_key() {
        let db = TestDb::new();
        db.run(&["SET", "k", "v"]);
        let dumped = payload(&db, "k");
        let restored = db.run_bytes(&[b"RESTORE", b"k", b"1000", &dumped, b"ABSTTL", b"REPLACE"]);
        assert_eq!(restored, Reply::OK);
        assert_eq!(db.run(&["EXISTS", "k"]), Reply::Int(0));
    }

    #[test]
    fn misuse_is_refused_in_the_words_of_redis() {
        let db = TestDb::new();
        db.run(&["SET", "k", "v"]);
        let dumped = payload(&db, "k");
        let refusal = |words: &[&[u8]]| error(db.run_bytes(words));
        let broken = [&dumped[..dumped.len() - 1], b"?"].concat();
        let footer = "ERR DUMP payload version or checksum are wrong";
        assert_eq!(refusal(&[b"RESTORE", b"n", b"0", &broken]), footer);
        assert_eq!(refusal(&[b"RESTORE", b"n", b"0", b"short"]), footer);
        let negative = "ERR Invalid TTL value, must be >= 0";
        assert_eq!(refusal(&[b"RESTORE", b"n", b"-1", &dumped]), negative);
        assert_eq!(
            refusal(&[b"RESTORE", b"n", b"0", &dumped, b"NEVER"]),
            "ERR syntax error"
        );
        let usage = "ERR Invalid FREQ value, must be >= 0 and <= 255";
        assert_eq!(
            refusal(&[b"RESTORE", b"n", b"0", &dumped, b"FREQ", b"256"]),
            usage
        );
        assert_eq!(
            db.run_bytes(&[b"RESTORE", b"n", b"0", &dumped, b"IDLETIME", b"5"]),
            Reply::OK
        );
    }
}
