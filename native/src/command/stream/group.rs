//! XGROUP and XACK.

use super::super::args::{self, int, is_option};
use super::super::{Args, CommandResult};
use super::words::{id, id_or_end, ids, no_group};
use crate::discard::discard;
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::StreamValue;
use crate::value::stream::{EntryLog, Group, StreamId};

const HELP: [&str; 13] = [
    "XGROUP <subcommand> [<argument> ...]. Subcommands are:",
    "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
    "    Adds a group that begins behind an entry; with MKSTREAM, also where there is no key yet.",
    "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
    "    Moves a group to behind another entry.",
    "DESTROY <key> <group>",
    "    Removes a group.",
    "CREATECONSUMER <key> <group> <consumer>",
    "    Adds a consumer to a group.",
    "DELCONSUMER <key> <group> <consumer>",
    "    Removes a consumer with all that is pending for it.",
    "HELP",
    "    Gives these lines.",
];

/// A subcommand of XGROUP or XINFO: its name, the number of words (as an arity), and its code.
pub type Subcommand = (&'static str, i64, fn(&mut Db<'_>, Args<'_>) -> CommandResult);

/// Runs the subcommand that the second word names.
///
/// # Errors
/// Redis's text if there is none, or if the number of words does not fit; the subcommand's refusal.
pub fn dispatch(db: &mut Db<'_>, words: Args<'_>, command: &str, known: &[Subcommand]) -> CommandResult {
    let found = known.iter().find(|(name, ..)| is_option(words[1], name));
    let Some((name, arity, run)) = found else {
        let word = args::quoted_start(words[1], args::QUOTED_BYTES_MAX);
        let text = format!("ERR unknown subcommand '{word}'. Try {command} HELP.");
        return Err(Status::Owned(text));
    };
    let count = words.len() as i64;
    if (*arity >= 0 && count != *arity) || count < -arity {
        let name = format!("{}|{}", command.to_lowercase(), name.to_lowercase());
        return Err(Status::Arity(name));
    }
    run(db, words)
}

/// The refusal of a subcommand's options.
pub fn misused(words: Args<'_>, command: &str) -> Status {
    let word = args::quoted_start(words[1], args::QUOTED_BYTES_MAX);
    Status::Owned(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {command} HELP."
    ))
}

/// Lines of help.
pub fn help(lines: &[&str]) -> CommandResult {
    let lines = lines.iter().map(|line| Reply::bulk(line.as_bytes()));
    Ok(Reply::Array(lines.collect()))
}

pub fn xgroup(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let known: [Subcommand; 6] = [
        ("CREATE", -5, create),
        ("SETID", -5, set_id),
        ("DESTROY", 4, destroy),
        ("CREATECONSUMER", 5, create_consumer),
        ("DELCONSUMER", 5, delete_consumer),
        ("HELP", 2, |_, _| help(&HELP)),
    ];
    dispatch(db, words, "XGROUP", &known)
}

/// Whether XGROUP may need memory with these words. What has another number of words than its subcommand wants is refused
/// for that first.
pub fn grows(words: Args<'_>) -> bool {
    match words {
        [_, word, rest @ ..] if is_option(word, "CREATE") => rest.len() >= 3,
        [_, word, rest @ ..] if is_option(word, "CREATECONSUMER") => rest.len() == 3,
        _ => false,
    }
}

const KEY_MISSING: Status = Status::Text(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM \
     option to create an empty stream automatically.",
);

/// The options of CREATE and SETID.
#[derive(Default)]
struct Options {
    mkstream: bool,
    entries_read: Option<u64>,
}

impl Options {
    fn parse(words: Args<'_>, of_create: bool) -> Result<Options, Status> {
        let mut options = Options::default();
        let mut rest = &words[5..];
        while let Some((option, tail)) = rest.split_first() {
            rest = tail;
            if of_create && is_option(option, "MKSTREAM") {
                options.mkstream = true;
            } else if let (true, [count, tail @ ..]) = (is_option(option, "ENTRIESREAD"), tail) {
                options.entries_read = match int(count)? {
                    -1 => None,
                    count => Some(
                        u64::try_from(count)
                            .map_err(|_| Status::Text("ERR value for ENTRIESREAD must be positive or -1"))?,
                    ),
                };
                rest = tail;
            } else {
                return Err(misused(words, "XGROUP"));
            }
        }
        Ok(options)
    }
}

fn create(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    const WORDS_MAX: usize = 8;
    let (key, name) = (words[2], words[3]);
    let options = Options::parse(words, true)?;
    let stream = db.get::<StreamValue>(key)?;
    if stream.is_none() && !options.mkstream {
        return Err(KEY_MISSING);
    }
    if words.len() > WORDS_MAX {
        return Err(misused(words, "XGROUP"));
    }
    let last_id = match words[4] {
        b"$" => stream.map_or(StreamId::MIN, |stream| stream.log().last_id()),
        word => id(word, 0)?,
    };
    let group = Group::new(name, last_id, options.entries_read);
    let added = db.upsert(key, |stream: &mut StreamValue| stream.add_group(group))?;
    if added {
        Ok(Reply::OK)
    } else {
        Err(Status::Text("BUSYGROUP Consumer Group name already exists"))
    }
}

/// Changes a group that has to be there.
fn edit<R>(
    db: &mut Db<'_>,
    words: Args<'_>,
    change: impl FnOnce(&EntryLog, &mut Group) -> R,
) -> Result<R, Status> {
    let (key, name) = (words[2], words[3]);
    let edited = db.edit(key, |stream: &mut StreamValue| stream.edit_group(name, change))?;
    edited.ok_or(KEY_MISSING)?.ok_or_else(|| no_group(key, name))
}

fn set_id(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let options = Options::parse(words, false)?;
    edit(db, words, |_, _| ())?;
    if !matches!(words.len(), 5 | 7) {
        return Err(misused(words, "XGROUP"));
    }
    let given = match words[4] {
        b"$" => None,
        word => Some(id_or_end(word, 0)?),
    };
    edit(db, words, |log, group| {
        group.last_id = given.unwrap_or(log.last_id());
        group.entries_read = options.entries_read;
    })?;
    Ok(Reply::OK)
}

fn destroy(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let removed = db.edit(words[2], |stream: &mut StreamValue| stream.remove_group(words[3]))?;
    match removed.ok_or(KEY_MISSING)? {
        Some(group) => {
            let bytes = group.memory();
            discard(group, bytes);
            Ok(Reply::Int(1))
        }
        None => Ok(Reply::Int(0)),
    }
}

fn create_consumer(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let now_ms = db.now_ms();
    let (_, created) = edit(db, words, |_, group| group.create_consumer(words[4], now_ms))?;
    Ok(Reply::flag(created))
}

fn delete_consumer(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let Some(removed) = edit(db, words, |_, group| group.remove_consumer(words[4]))? else {
        return Ok(Reply::Int(0));
    };
    let (count, bytes) = (removed.pending_count(), removed.memory());
    discard(removed, bytes);
    Ok(Reply::count(count))
}

pub fn xack(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (key, name) = (words[1], words[2]);
    let stream = db.get::<StreamValue>(key)?;
    if stream.and_then(|stream| stream.group(name)).is_none() {
        return Ok(Reply::Int(0));
    }
    let ids = ids(&words[3..])?;
    let released = db.edit(key, |stream: &mut StreamValue| {
        stream.edit_group(name, |_, group| {
            ids.into_iter().filter(|&id| group.release(id)).count()
        })
    })?;
    Ok(Reply::count(released.flatten().unwrap_or(0)))
}
