//! Stream commands.
//!
//! Reading order: `words` (ids and options), the commands about entries (here), `read` (XREAD, XREADGROUP), `group`
//! (XGROUP, XACK), `pending` (XPENDING), `claim` (XCLAIM, XAUTOCLAIM), `info` (XINFO).

mod claim;
mod group;
mod info;
mod pending;
mod read;
#[cfg(test)]
mod tests;
mod words;

use super::args::{int, is_option};
use super::{Args, CommandResult, Grows, Keys, ONE, Spec, grow, read, write};
use crate::discard::discard;
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::StreamValue;
use crate::value::stream::StreamId;
use words::{Options, entry_reply, id_reply, interval_end, interval_start};

/// The key of XGROUP's and XINFO's subcommands.
const SECOND: Keys = Keys::Range {
    first: 2,
    last: 2,
    step: 1,
};

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("xadd", -5, ONE, xadd),
    read("xlen", 2, ONE, xlen),
    read("xrange", -4, ONE, |db, words| {
        range(db, words, words[2], words[3], false)
    }),
    read("xrevrange", -4, ONE, |db, words| {
        range(db, words, words[3], words[2], true)
    }),
    write("xdel", -3, ONE, xdel),
    write("xtrim", -4, ONE, xtrim),
    grow("xsetid", -3, ONE, xsetid),
    read("xread", -4, Keys::Found(read::keys), read::xread),
    write("xreadgroup", -7, Keys::Found(read::keys), read::xreadgroup),
    Spec {
        grows: Grows::Some(group::grows),
        ..write("xgroup", -2, SECOND, group::xgroup)
    },
    write("xack", -4, ONE, group::xack),
    read("xpending", -3, ONE, pending::xpending),
    write("xclaim", -6, ONE, claim::xclaim),
    write("xautoclaim", -6, ONE, claim::xautoclaim),
    read("xinfo", -2, SECOND, info::xinfo),
];

/// Most bytes of the fields and values of an entry.
const ENTRY_BYTES_MAX: usize = 1 << 30;

fn xadd(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let options = words::options(&words[2..], true)?;
    let fields = options.fields;
    if fields.len() < 2 || !fields.len().is_multiple_of(2) {
        return Err(Status::Arity("xadd".into()));
    }
    if options.id == words::NewId::Exactly(StreamId::MIN) {
        return Err(Status::Text(
            "ERR The ID specified in XADD must be greater than 0-0",
        ));
    }
    if fields.iter().map(|text| text.len()).sum::<usize>() > ENTRY_BYTES_MAX {
        return Err(Status::Text("ERR Elements are too large to be stored"));
    }
    if options.no_mkstream && !db.exists(words[1]) {
        return Ok(Reply::Null);
    }
    op_add(db, words[1], &options)
}

/// Nothing is refused where the stream is not there yet, so that no empty one is left behind.
fn op_add(db: &mut Db<'_>, key: &[u8], options: &Options<'_>) -> CommandResult {
    let now_ms = db.now_ms();
    let pairs: Vec<_> = options
        .fields
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    let added = db.upsert(key, |stream: &mut StreamValue| {
        let id = options.id.resolve(stream.log(), now_ms)?;
        stream.log_mut().append(id, &pairs);
        let freed = options.trimming.map(|trimming| trimming.run(stream));
        Ok((id, freed))
    })?;
    let (id, freed) = added?;
    if let Some(freed) = freed {
        discard(freed.nodes, freed.bytes);
    }
    Ok(id_reply(id))
}

fn xlen(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let stream = db.get::<StreamValue>(words[1])?;
    Ok(Reply::count(stream.map_or(0, StreamValue::length)))
}

fn range(db: &mut Db<'_>, words: Args<'_>, from: &[u8], to: &[u8], backwards: bool) -> CommandResult {
    let (from, to) = (interval_start(from)?, interval_end(to)?);
    let mut count = None;
    let mut rest = &words[4..];
    while let Some((option, tail)) = rest.split_first() {
        let [value, tail @ ..] = tail else {
            return Err(Status::Syntax);
        };
        if !is_option(option, "COUNT") {
            return Err(Status::Syntax);
        }
        count = Some(usize::try_from(int(value)?).unwrap_or(0));
        rest = tail;
    }
    let Some(stream) = db.get::<StreamValue>(words[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    if count == Some(0) {
        return Ok(Reply::NullArray);
    }
    let (entries, limit) = (stream.log().range(from, to), count.unwrap_or(usize::MAX));
    Ok(Reply::Array(if backwards {
        entries.rev().take(limit).map(entry_reply).collect()
    } else {
        entries.take(limit).map(entry_reply).collect()
    }))
}

fn xdel(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if db.get::<StreamValue>(words[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let ids = words::ids(&words[2..])?;
    let deleted = db.edit(words[1], |stream: &mut StreamValue| {
        let log = stream.log_mut();
        ids.into_iter().filter(|&id| log.delete(id)).count()
    })?;
    Ok(Reply::count(deleted.unwrap_or(0)))
}

fn xtrim(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let Some(trimming) = words::options(&words[2..], false)?.trimming else {
        return Err(Status::Syntax);
    };
    let freed = db.edit(words[1], |stream: &mut StreamValue| trimming.run(stream))?;
    let Some(freed) = freed else {
        return Ok(Reply::Int(0));
    };
    discard(freed.nodes, freed.bytes);
    Ok(Reply::count(freed.entries))
}

/// The counters that XSETID sets.
struct Counters {
    last_id: StreamId,
    entries_added: Option<u64>,
    max_deleted_id: Option<StreamId>,
}

impl Counters {
    fn parse(words: &[&[u8]]) -> Result<Counters, Status> {
        let mut counters = Counters {
            last_id: words::id(words[0], 0)?,
            entries_added: None,
            max_deleted_id: None,
        };
        let mut rest = &words[1..];
        while let Some((option, tail)) = rest.split_first() {
            let [value, tail @ ..] = tail else {
                return Err(Status::Syntax);
            };
            if is_option(option, "ENTRIESADDED") {
                let negative = Status::Text("ERR entries_added must be positive");
                counters.entries_added = Some(u64::try_from(int(value)?).map_err(|_| negative)?);
            } else if is_option(option, "MAXDELETEDID") {
                let id = words::id(value, 0)?;
                if counters.last_id < id {
                    return Err(Status::Text(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                    ));
                }
                counters.max_deleted_id = Some(id).filter(|id| *id != StreamId::MIN);
            } else {
                return Err(Status::Syntax);
            }
            rest = tail;
        }
        Ok(counters)
    }

    fn check(&self, stream: &StreamValue) -> Result<(), Status> {
        let log = stream.log();
        if self.last_id < log.max_deleted_id() {
            return Err(Status::Text(
                "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
            ));
        }
        let Some(top) = log.last_live_id() else {
            return Ok(());
        };
        if self.last_id < top {
            return Err(Status::Text(
                "ERR The ID specified in XSETID is smaller than the target stream top item",
            ));
        }
        if self
            .entries_added
            .is_some_and(|added| added < log.length() as u64)
        {
            return Err(Status::Text(
                "ERR The entries_added specified in XSETID is smaller than the target stream length",
            ));
        }
        Ok(())
    }
}

fn xsetid(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let counters = Counters::parse(&words[2..])?;
    let Some(stream) = db.get::<StreamValue>(words[1])? else {
        return Err(Status::NoSuchKey);
    };
    counters.check(stream)?;
    db.edit(words[1], |stream: &mut StreamValue| {
        let log = stream.log_mut();
        let entries_added = counters.entries_added.unwrap_or(log.entries_added());
        let max_deleted_id = counters.max_deleted_id.unwrap_or(log.max_deleted_id());
        log.set_counters(counters.last_id, max_deleted_id, entries_added);
    })?;
    Ok(Reply::OK)
}
