//! What there is to know about how a key is held: OBJECT and MEMORY USAGE.

use super::args::{self, int, is_option};
use super::{Args, CommandResult, Keys, Spec, read};
use crate::keyspace::{Db, Usage};
use crate::reply::Reply;
use crate::status::Status;

/// The key of a subcommand.
const SECOND: Keys = Keys::Range {
    first: 2,
    last: 2,
    step: 1,
};

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    read("object", -2, SECOND, object),
    read("memory", -2, SECOND, memory),
];

fn unknown_subcommand(word: &[u8], command: &str) -> Status {
    let name = args::quoted_start(word, args::QUOTED_BYTES_MAX);
    Status::Owned(format!("ERR unknown subcommand '{name}'. Try {command} HELP."))
}

const OBJECT_HELP: &[&str] = &[
    "OBJECT <subcommand> [<key>]. Subcommands are:",
    "ENCODING <key>",
    "    The name of the representation that the key's value has.",
    "FREQ <key>",
    "    How often the key is used, on a logarithmic scale.",
    "IDLETIME <key>",
    "    Seconds since the key was used.",
    "REFCOUNT <key>",
    "    Number of references to the key's value: 1.",
    "HELP",
    "    Print this text.",
];

fn object(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if words.len() == 2 && is_option(words[1], "HELP") {
        return Ok(Reply::Array(
            OBJECT_HELP.iter().copied().map(Reply::Simple).collect(),
        ));
    }
    let known = ["ENCODING", "REFCOUNT", "IDLETIME", "FREQ"];
    let Some(subcommand) = known.into_iter().find(|name| is_option(words[1], name)) else {
        return Err(unknown_subcommand(words[1], "OBJECT"));
    };
    if words.len() != 3 {
        return Err(Status::Arity(format!("object|{}", subcommand.to_lowercase())));
    }
    let Some(encoding) = db.encoding(words[2]) else {
        return Ok(Reply::Null);
    };
    match (subcommand, db.usage(words[2])) {
        ("ENCODING", _) => Ok(Reply::bulk(encoding.as_bytes())),
        ("REFCOUNT", _) => Ok(Reply::Int(1)),
        ("IDLETIME", Some(Usage::IdleSeconds(seconds))) => Ok(Reply::Int(i64::from(seconds))),
        ("IDLETIME", _) => Err(Status::Text(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        )),
        (_, Some(Usage::Frequency(counter))) => Ok(Reply::Int(i64::from(counter))),
        _ => Err(Status::Text(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        )),
    }
}

/// What is counted is counted exactly, so SAMPLES changes nothing.
fn memory(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if !is_option(words[1], "USAGE") {
        return Err(unknown_subcommand(words[1], "MEMORY"));
    }
    match words[2..] {
        [_] => {}
        [_, option, count] if is_option(option, "SAMPLES") => {
            if int(count)? < 0 {
                return Err(Status::Syntax);
            }
        }
        [] => return Err(Status::Arity("memory|usage".into())),
        _ => return Err(Status::Syntax),
    }
    Ok(db.key_memory(words[2]).map_or(Reply::Null, Reply::count))
}

#[cfg(test)]
#[path = "tests/object.rs"]
mod tests;
