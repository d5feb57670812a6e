//! XINFO.

use super::super::args::{int, is_option};
use super::super::{Args, CommandResult};
use super::group::{Subcommand, dispatch, help, misused};
use super::words::{elapsed_ms, entry_reply, id_reply, no_group};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::StreamValue;
use crate::value::stream::{Consumer, Group, StreamId};

/// Entries that FULL shows unless the request says otherwise.
const USUAL_COUNT: usize = 10;

const HELP: [&str; 9] = [
    "XINFO <subcommand> [<argument> ...]. Subcommands are:",
    "STREAM <key> [FULL [COUNT <count>]]",
    "    Tells about a stream; with FULL, also its first entries, its groups and what is pending.",
    "GROUPS <key>",
    "    Lists the groups of a stream.",
    "CONSUMERS <key> <group>",
    "    Lists the consumers of a group.",
    "HELP",
    "    Gives these lines.",
];

type Rows = Vec<(Reply, Reply)>;

fn row(name: &str, value: Reply) -> (Reply, Reply) {
    (Reply::bulk(name.as_bytes()), value)
}

fn counted(n: u64) -> Reply {
    Reply::Int(n as i64)
}

fn optional(n: Option<i64>) -> Reply {
    n.map_or(Reply::Null, Reply::Int)
}

pub fn xinfo(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let known: [Subcommand; 4] = [
        ("STREAM", -3, stream),
        ("GROUPS", 3, groups),
        ("CONSUMERS", 4, consumers),
        ("HELP", 2, |_, _| help(&HELP)),
    ];
    dispatch(db, words, "XINFO", &known)
}

fn find<'db>(db: &'db Db<'_>, key: &[u8]) -> Result<&'db StreamValue, Status> {
    db.get::<StreamValue>(key)?.ok_or(Status::NoSuchKey)
}

fn stream(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let stream = find(db, words[2])?;
    let mut rows = counters(stream);
    match words[3..] {
        [] => rows.extend(edges(stream)),
        [full] if is_option(full, "FULL") => rows.extend(everything(stream, USUAL_COUNT)),
        [full, count, n] if is_option(full, "FULL") && is_option(count, "COUNT") => {
            let count = usize::try_from(int(n)?).unwrap_or(USUAL_COUNT);
            rows.extend(everything(stream, if count == 0 { usize::MAX } else { count }));
        }
        _ => return Err(misused(words, "XINFO")),
    }
    Ok(Reply::Map(rows))
}

/// Entries are not in a radix tree here: its keys are the nodes, and its own nodes are counted as one more.
fn counters(stream: &StreamValue) -> Rows {
    let log = stream.log();
    vec![
        row("length", Reply::count(log.length())),
        row("radix-tree-keys", Reply::count(log.node_count())),
        row("radix-tree-nodes", Reply::count(log.node_count() + 1)),
        row("last-generated-id", id_reply(log.last_id())),
        row("max-deleted-entry-id", id_reply(log.max_deleted_id())),
        row("entries-added", counted(log.entries_added())),
        row("recorded-first-entry-id", id_reply(log.first_id())),
    ]
}

fn edges(stream: &StreamValue) -> Rows {
    let mut entries = stream.log().range(StreamId::MIN, StreamId::MAX);
    let last = stream.log().range(StreamId::MIN, StreamId::MAX).next_back();
    vec![
        row("groups", Reply::count(stream.groups().len())),
        row("first-entry", entries.next().map_or(Reply::Null, entry_reply)),
        row("last-entry", last.map_or(Reply::Null, entry_reply)),
    ]
}

fn everything(stream: &StreamValue, count: usize) -> Rows {
    let entries = stream.log().range(StreamId::MIN, StreamId::MAX);
    let entries = entries.take(count).map(entry_reply).collect();
    let groups = stream.groups().iter();
    let groups = groups.map(|group| full_group(stream, group, count)).collect();
    vec![
        row("entries", Reply::Array(entries)),
        row("groups", Reply::Array(groups)),
    ]
}

fn entries_read(group: &Group) -> Reply {
    optional(group.entries_read.map(|read| read as i64))
}

fn full_group(stream: &StreamValue, group: &Group, count: usize) -> Reply {
    let pending = group.pending_between(StreamId::MIN, StreamId::MAX).take(count);
    let pending = pending.map(|(id, pending)| {
        Reply::Array(vec![
            id_reply(id),
            Reply::bulk(group.consumer(pending.consumer()).name()),
            Reply::Int(pending.delivered_at_ms),
            counted(pending.deliveries),
        ])
    });
    let consumers = group.consumers();
    let consumers = consumers.map(|(_, consumer)| full_consumer(group, consumer, count));
    Reply::Map(vec![
        row("name", Reply::bulk(group.name())),
        row("last-delivered-id", id_reply(group.last_id)),
        row("entries-read", entries_read(group)),
        row("lag", optional(stream.lag(group))),
        row("pel-count", Reply::count(group.pending_count())),
        row("pending", Reply::Array(pending.collect())),
        row("consumers", Reply::Array(consumers.collect())),
    ])
}

fn full_consumer(group: &Group, consumer: &Consumer, count: usize) -> Reply {
    let owned = consumer.owned(StreamId::MIN, StreamId::MAX).take(count);
    let owned = owned.filter_map(|id| {
        let pending = group.pending(id)?;
        Some(Reply::Array(vec![
            id_reply(id),
            Reply::Int(pending.delivered_at_ms),
            counted(pending.deliveries),
        ]))
    });
    Reply::Map(vec![
        row("name", Reply::bulk(consumer.name())),
        row("seen-time", Reply::Int(consumer.seen_at_ms)),
        row("active-time", Reply::Int(consumer.active_at_ms.unwrap_or(-1))),
        row("pel-count", Reply::count(consumer.pending_count())),
        row("pending", Reply::Array(owned.collect())),
    ])
}

fn groups(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let stream = find(db, words[2])?;
    let summary = |group: &Group| {
        Reply::Map(vec![
            row("name", Reply::bulk(group.name())),
            row("consumers", Reply::count(group.consumer_count())),
            row("pending", Reply::count(group.pending_count())),
            row("last-delivered-id", id_reply(group.last_id)),
            row("entries-read", entries_read(group)),
            row("lag", optional(stream.lag(group))),
        ])
    };
    Ok(Reply::Array(stream.groups().iter().map(summary).collect()))
}

fn consumers(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let group = find(db, words[2])?.group(words[3]);
    let group = group.ok_or_else(|| no_group(words[2], words[3]))?;
    let summary = |consumer: &Consumer| {
        let inactive_ms = consumer.active_at_ms.map_or(-1, |at| elapsed_ms(db, at));
        Reply::Map(vec![
            row("name", Reply::bulk(consumer.name())),
            row("pending", Reply::count(consumer.pending_count())),
            row("idle", Reply::Int(elapsed_ms(db, consumer.seen_at_ms))),
            row("inactive", Reply::Int(inactive_ms)),
        ])
    };
    let all = group.consumers().map(|(_, consumer)| summary(consumer));
    Ok(Reply::Array(all.collect()))
}
