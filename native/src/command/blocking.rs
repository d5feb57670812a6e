//! The blocking commands as far as they are commands: they do at once what they can, and answer nothing where they would
//! wait, as Redis has them do inside of MULTI. Waiting is their callers' part ([`crate::keyspace::waiting`]): it is no
//! business of the log.

#[cfg(test)]
mod tests;

use super::counted::Pop;
use super::{Args, CommandResult, Keys, Spec, TWO, args, grow, list, write, zset};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;

/// Every word but the name and the last one, which is the timeout.
const ALL_BUT_LAST: Keys = Keys::Range {
    first: 1,
    last: -2,
    step: 1,
};

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    write("blpop", -3, ALL_BUT_LAST, |db, words| pop(db, words, false)),
    write("brpop", -3, ALL_BUT_LAST, |db, words| pop(db, words, true)),
    grow("blmove", 6, TWO, blmove),
    grow("brpoplpush", 4, TWO, brpoplpush),
    write("blmpop", -5, Keys::Counted { at: 2 }, blmpop),
    write("bzpopmin", -3, ALL_BUT_LAST, |db, words| zpop(db, words, false)),
    write("bzpopmax", -3, ALL_BUT_LAST, |db, words| zpop(db, words, true)),
    write("bzmpop", -5, Keys::Counted { at: 2 }, bzmpop),
];

/// Refuses what is no timeout: seconds, with a fraction perhaps. 0 stands for ever.
fn check_timeout(word: &[u8]) -> Result<(), Status> {
    let seconds =
        args::float(word).map_err(|_| Status::Text("ERR timeout is not a float or out of range"))?;
    if seconds * 1000.0 >= i64::MAX as f64 {
        return Err(Status::Text("ERR timeout is out of range"));
    }
    if seconds < 0.0 {
        return Err(Status::Text("ERR timeout is negative"));
    }
    Ok(())
}

/// What `BLPOP` and the like take: one element, from the first key that has any.
fn one_of<'w, 'a>(words: &'w [&'a [u8]], from_second: bool) -> Result<Pop<'w, 'a>, Status> {
    let (timeout, keys) = words[1..].split_last().ok_or(Status::Syntax)?;
    check_timeout(timeout)?;
    Ok(Pop {
        keys,
        from_second,
        count: 1,
    })
}

/// A key and what was taken from it, all in one array.
fn flat(reply: Reply) -> Reply {
    fn spread(reply: Reply, out: &mut Vec<Reply>) {
        match reply {
            Reply::Array(items) => items.into_iter().for_each(|item| spread(item, out)),
            other => out.push(other),
        }
    }
    match reply {
        Reply::Array(_) => {
            let mut items = Vec::with_capacity(3);
            spread(reply, &mut items);
            Reply::Array(items)
        }
        other => other,
    }
}

fn pop(db: &mut Db<'_>, words: Args<'_>, from_tail: bool) -> CommandResult {
    list::op_pop_any(db, &one_of(words, from_tail)?).map(flat)
}

fn zpop(db: &mut Db<'_>, words: Args<'_>, from_end: bool) -> CommandResult {
    zset::op_pop_any(db, &one_of(words, from_end)?).map(flat)
}

fn blmove(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    list::ends(words)?;
    check_timeout(words[5])?;
    list::lmove(db, &words[..5])
}

fn brpoplpush(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    check_timeout(words[3])?;
    list::rpoplpush(db, &words[..3])
}

/// The timeout is looked at last, as in Redis.
fn blmpop(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let pop = Pop::parse(&words[2..], list::ENDS)?;
    check_timeout(words[1])?;
    list::op_pop_any(db, &pop)
}

fn bzmpop(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let pop = Pop::parse(&words[2..], zset::ENDS)?;
    check_timeout(words[1])?;
    zset::op_pop_any(db, &pop)
}
