//! Commands about the keyspace as a whole, and those that need none.

use super::args::is_option;
use super::{Args, CommandResult, Keys, Spec, read, write};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    read("ping", -1, Keys::None, ping),
    read("echo", 2, Keys::None, echo),
    read("dbsize", 1, Keys::All, dbsize),
    write("flushall", -1, Keys::All, flush),
    write("flushdb", -1, Keys::All, flush),
];

fn ping(_: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    match words {
        [_] => Ok(Reply::Simple("PONG")),
        [_, message] => Ok(Reply::bulk(message)),
        _ => Err(Status::Arity("ping".into())),
    }
}

fn echo(_: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(Reply::bulk(words[1]))
}

fn dbsize(db: &mut Db<'_>, _: Args<'_>) -> CommandResult {
    Ok(Reply::count(db.len()))
}

/// Both ways of flushing free a large keyspace in the background.
fn flush(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    match words {
        [_] => {}
        [_, mode] if is_option(mode, "ASYNC") || is_option(mode, "SYNC") => {}
        _ => return Err(Status::Syntax),
    }
    db.clear();
    Ok(Reply::OK)
}

#[cfg(test)]
mod tests {
    use crate::command::testing::TestDb;
    use crate::reply::Reply;

    #[test]
    fn ping_and_echo_answer() {
        let db = TestDb::new();
        assert_eq!(db.run(&["PING"]), Reply::Simple("PONG"));
        assert_eq!(db.run(&["ping", "x"]), Reply::bulk(b"x"));
        assert_eq!(
            db.error(&["ping", "x", "y"]),
            "ERR wrong number of arguments for 'ping' command"
        );
        assert_eq!(db.run(&["ECHO", "hello"]), Reply::bulk(b"hello"));
    }

    #[test]
    fn flushing_leaves_nothing() {
        let db = TestDb::new();
        for i in 0..100 {
            db.run(&["SET", &i.to_string(), "v"]);
        }
        db.run(&["PEXPIRE", "7", "10"]);
        assert_eq!(db.int(&["DBSIZE"]), 100);
        db.advance(10);
        assert_eq!(db.int(&["DBSIZE"]), 99);
        assert_eq!(db.error(&["FLUSHALL", "NOW"]), "ERR syntax error");
        assert_eq!(db.run(&["FLUSHALL", "async"]), Reply::OK);
        assert_eq!(db.int(&["DBSIZE"]), 0);
        assert_eq!(db.keyspace.statistics().keys, 0);
    }
}
