//! XPENDING.

use super::super::args::{int, is_option};
use super::super::{Args, CommandResult};
use super::words::{elapsed_ms, id_reply, interval_end, interval_start, no_key_or_group};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::StreamValue;
use crate::value::stream::{Group, Pending, StreamId};

/// Which pending entries to list.
struct Query<'a> {
    min_idle_ms: i64,
    from: StreamId,
    to: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Query<'a> {
    /// `None`: a summary is wanted.
    fn parse(words: Args<'a>) -> Result<Option<Query<'a>>, Status> {
        let mut rest = &words[3..];
        if rest.is_empty() {
            return Ok(None);
        }
        if !(3..=6).contains(&rest.len()) {
            return Err(Status::Syntax);
        }
        let mut min_idle_ms = 0;
        if is_option(rest[0], "IDLE") {
            min_idle_ms = int(rest[1])?;
            rest = &rest[2..];
        }
        let (from, to, count, consumer) = match rest {
            [from, to, count] => (from, to, count, None),
            // Redis does not mind words behind the consumer.
            [from, to, count, consumer, ..] => (from, to, count, Some(*consumer)),
            _ => return Err(Status::Syntax),
        };
        let count = usize::try_from(int(count)?).unwrap_or(0);
        Ok(Some(Query {
            min_idle_ms,
            from: interval_start(from)?,
            to: interval_end(to)?,
            count,
            consumer,
        }))
    }
}

pub fn xpending(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let query = Query::parse(words)?;
    let stream = db.get::<StreamValue>(words[1])?;
    let group = stream.and_then(|stream| stream.group(words[2]));
    let group = group.ok_or_else(|| no_key_or_group(words[1], words[2], ""))?;
    Ok(match query {
        Some(query) => Reply::Array(list(db, group, &query)),
        None => summary(group),
    })
}

fn summary(group: &Group) -> Reply {
    let mut ids = group.pending_between(StreamId::MIN, StreamId::MAX);
    let Some((first, _)) = ids.next() else {
        return Reply::Array(vec![Reply::Int(0), Reply::Null, Reply::Null, Reply::NullArray]);
    };
    let last = ids.next_back().map_or(first, |(id, _)| id);
    let owners = group
        .consumers()
        .filter(|(_, consumer)| consumer.pending_count() > 0);
    let owners = owners.map(|(_, consumer)| {
        let count = consumer.pending_count().to_string();
        Reply::Array(vec![
            Reply::bulk(consumer.name()),
            Reply::Bulk(count.into_bytes()),
        ])
    });
    Reply::Array(vec![
        Reply::count(group.pending_count()),
        id_reply(first),
        id_reply(last),
        Reply::Array(owners.collect()),
    ])
}

fn list(db: &Db<'_>, group: &Group, query: &Query<'_>) -> Vec<Reply> {
    let row = |(id, pending): (StreamId, Pending)| {
        let idle_ms = elapsed_ms(db, pending.delivered_at_ms);
        let owner = group.consumer(pending.consumer());
        let is_idle = query.min_idle_ms == 0 || idle_ms >= query.min_idle_ms;
        is_idle.then(|| {
            Reply::Array(vec![
                id_reply(id),
                Reply::bulk(owner.name()),
                Reply::Int(idle_ms),
                Reply::Int(pending.deliveries as i64),
            ])
        })
    };
    let Some(consumer) = query.consumer else {
        let all = group.pending_between(query.from, query.to);
        return all.filter_map(row).take(query.count).collect();
    };
    let Some(slot) = group.find_consumer(consumer) else {
        return Vec::new();
    };
    let owned = group.consumer(slot).owned(query.from, query.to);
    let owned = owned.filter_map(|id| group.pending(id).map(|pending| (id, pending)));
    owned.filter_map(row).take(query.count).collect()
}
