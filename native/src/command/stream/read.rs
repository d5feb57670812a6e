//! XREAD and XREADGROUP. Both answer at once: who wants to wait does so above the command.

use super::super::args::{int, is_option};
use super::super::{Args, CommandResult, Wanted};
use super::words::{entry_reply, id, id_reply, no_key_or_group};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::StreamValue;
use crate::value::stream::{EntryLog, Group, Slot, StreamId};

/// How many words an option takes, itself included.
fn option_words(word: &[u8]) -> usize {
    let takes_one = is_option(word, "COUNT") || is_option(word, "BLOCK");
    match word {
        _ if takes_one => 2,
        _ if is_option(word, "GROUP") => 3,
        _ => 1,
    }
}

/// The position of the first key: behind STREAMS.
fn first_key(words: Args<'_>) -> Option<usize> {
    let mut at = 1;
    while !is_option(words.get(at)?, "STREAMS") {
        at += option_words(words[at]);
    }
    Some(at + 1)
}

/// The keys: the first half of what follows STREAMS.
pub fn keys(words: Args<'_>) -> Wanted {
    let Some(first) = first_key(words) else {
        return Wanted::Words(Default::default());
    };
    let count = words.len().saturating_sub(first) / 2;
    Wanted::Words((first..first + count).collect())
}

/// The words of a request, understood but for the ids.
struct Request<'a> {
    group: Option<(&'a [u8], &'a [u8])>,
    /// 0: all.
    count: usize,
    noack: bool,
    keys: &'a [&'a [u8]],
    ids: &'a [&'a [u8]],
}

impl<'a> Request<'a> {
    fn parse(words: Args<'a>, of_group: bool) -> Result<Request<'a>, Status> {
        let mut request = Request {
            group: None,
            count: 0,
            noack: false,
            keys: &[],
            ids: &[],
        };
        let mut at = 1;
        while let Some(&word) = words.get(at) {
            let values = &words[at + 1..];
            match values {
                [value, ..] if is_option(word, "BLOCK") => check_timeout(value)?,
                [value, ..] if is_option(word, "COUNT") => {
                    request.count = usize::try_from(int(value)?).unwrap_or(0);
                }
                [_, ..] if is_option(word, "STREAMS") => {
                    return request.with_streams(values, of_group);
                }
                [group, consumer, ..] if is_option(word, "GROUP") => {
                    only_of_group("GROUP", of_group)?;
                    request.group = Some((*group, *consumer));
                }
                _ if is_option(word, "NOACK") => {
                    only_of_group("NOACK", of_group)?;
                    request.noack = true;
                }
                _ => return Err(Status::Syntax),
            }
            at += option_words(word);
        }
        Err(Status::Syntax)
    }

    fn with_streams(mut self, streams: &'a [&'a [u8]], of_group: bool) -> Result<Self, Status> {
        if !streams.len().is_multiple_of(2) {
            let (name, symbol) = if of_group {
                ("xreadgroup", '>')
            } else {
                ("xread", '$')
            };
            return Err(Status::Owned(format!(
                "ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{symbol}' must be specified."
            )));
        }
        if of_group && self.group.is_none() {
            return Err(Status::Text("ERR Missing GROUP option for XREADGROUP"));
        }
        (self.keys, self.ids) = streams.split_at(streams.len() / 2);
        Ok(self)
    }

    fn limit(&self) -> usize {
        if self.count == 0 { usize::MAX } else { self.count }
    }
}

fn only_of_group(option: &str, of_group: bool) -> Result<(), Status> {
    if of_group {
        return Ok(());
    }
    Err(Status::Owned(format!(
        "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    )))
}

fn check_timeout(word: &[u8]) -> Result<(), Status> {
    match int(word) {
        Ok(0..) => Ok(()),
        Ok(_) => Err(Status::Text("ERR timeout is negative")),
        Err(_) => Err(Status::Text("ERR timeout is not an integer or out of range")),
    }
}

fn reply(found: Vec<(Reply, Reply)>) -> Reply {
    if found.is_empty() {
        Reply::NullArray
    } else {
        Reply::ByKey(found)
    }
}

pub fn xread(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let request = Request::parse(words, false)?;
    let streams = request.keys.iter().zip(request.ids);
    let after: Result<Vec<_>, Status> = streams
        .map(|(key, word)| after(db.get::<StreamValue>(key)?, word))
        .collect();
    let mut found = Vec::new();
    for (key, after) in request.keys.iter().zip(after?) {
        let Some(stream) = db.get::<StreamValue>(key)? else {
            continue;
        };
        let Some(from) = after.next() else { continue };
        let entries = stream.log().range(from, StreamId::MAX);
        let entries: Vec<_> = entries.take(request.limit()).map(entry_reply).collect();
        if !entries.is_empty() {
            found.push((Reply::bulk(key), Reply::Array(entries)));
        }
    }
    Ok(reply(found))
}

/// The id behind which XREAD reads.
fn after(stream: Option<&StreamValue>, word: &[u8]) -> Result<StreamId, Status> {
    let log = stream.map(StreamValue::log);
    match word {
        b"$" => Ok(log.map_or(StreamId::MIN, EntryLog::last_id)),
        b"+" => {
            let before_last = |log: &EntryLog| match log.last_live_id() {
                Some(last) => last.previous().unwrap_or(StreamId::MIN),
                None => log.last_id(),
            };
            Ok(log.map_or(StreamId::MIN, before_last))
        }
        b">" => Err(Status::Text(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        _ => id(word, 0),
    }
}

/// What a consumer asks for.
#[derive(Clone, Copy)]
enum From {
    /// What nobody has been given.
    New,
    /// What it was given itself, behind this id, and has not acknowledged.
    History(StreamId),
}

impl From {
    fn parse(word: &[u8]) -> Result<From, Status> {
        let meaningless = |symbol: &str| {
            Status::Owned(format!(
                "ERR The {symbol} ID is meaningless in the context of XREADGROUP: you want to read the history of \
                 this consumer by specifying a proper ID, or use the > ID to get new messages. The {symbol} ID would \
                 just return an empty result set."
            ))
        };
        match word {
            b"$" => Err(meaningless("$")),
            b"+" => Err(meaningless("+")),
            b">" => Ok(From::New),
            _ => id(word, 0).map(From::History),
        }
    }
}

pub fn xreadgroup(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let request = Request::parse(words, true)?;
    let Some((group, consumer)) = request.group else {
        return Err(Status::Syntax);
    };
    let mut asked = Vec::with_capacity(request.keys.len());
    for (key, word) in request.keys.iter().zip(request.ids) {
        let stream = db.get::<StreamValue>(key)?;
        if stream.and_then(|stream| stream.group(group)).is_none() {
            return Err(no_key_or_group(key, group, " in XREADGROUP with GROUP option"));
        }
        asked.push(From::parse(word)?);
    }
    let now_ms = db.now_ms();
    let mut found = Vec::new();
    for (key, from) in request.keys.iter().zip(asked) {
        let served = db.edit(key, |stream: &mut StreamValue| {
            stream.edit_group(group, |log, group| {
                let (slot, _) = group.create_consumer(consumer, now_ms);
                group.touch_seen(slot, now_ms);
                match from {
                    From::New => deliver(log, group, slot, &request, now_ms),
                    From::History(after) => Some(repeat(log, group, slot, after, request.limit(), now_ms)),
                }
            })
        })?;
        if let Some(entries) = served.flatten().flatten() {
            found.push((Reply::bulk(key), Reply::Array(entries)));
        }
    }
    Ok(reply(found))
}

/// Gives a consumer what the group has not read yet. `None` if there is nothing.
fn deliver(
    log: &EntryLog,
    group: &mut Group,
    slot: Slot,
    request: &Request<'_>,
    now_ms: i64,
) -> Option<Vec<Reply>> {
    let from = group.last_id.next()?;
    let mut entries = Vec::new();
    for entry in log.range(from, StreamId::MAX).take(request.limit()) {
        let id = entry.id;
        match group.entries_read {
            Some(read) if !log.has_tombstones_from(id) => group.entries_read = Some(read + 1),
            _ if log.entries_added() > 0 => group.entries_read = log.entries_up_to(id),
            _ => {}
        }
        group.last_id = id;
        if !request.noack {
            group.assign(id, slot, now_ms, 1);
            group.touch_active(slot, Some(now_ms));
        }
        entries.push(entry_reply(entry));
    }
    Some(entries).filter(|entries| !entries.is_empty())
}

/// Gives a consumer again what is pending for it. An entry that is no longer there has no fields.
fn repeat(
    log: &EntryLog,
    group: &mut Group,
    slot: Slot,
    after: StreamId,
    limit: usize,
    now_ms: i64,
) -> Vec<Reply> {
    let Some(from) = after.next() else {
        return Vec::new();
    };
    let owned = group.consumer(slot).owned(from, StreamId::MAX);
    let ids: Vec<_> = owned.take(limit).collect();
    let again = ids.into_iter().map(|id| match log.get(id) {
        Some(entry) => {
            let deliveries = group.pending(id).map_or(0, |pending| pending.deliveries);
            group.assign(id, slot, now_ms, deliveries.saturating_add(1));
            entry_reply(entry)
        }
        None => Reply::Array(vec![id_reply(id), Reply::NullArray]),
    });
    again.collect()
}
