//! XCLAIM and XAUTOCLAIM: pending entries change hands.

use super::super::args::{self, int, is_option};
use super::super::{Args, CommandResult};
use super::words::{entry_reply, id, id_reply, interval_start, no_key_or_group};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::StreamValue;
use crate::value::stream::{EntryLog, Group, Pending, Slot, StreamId};

/// Pending entries that XAUTOCLAIM looks at for each that it may give.
const ATTEMPTS_PER_ENTRY: usize = 10;
/// Largest COUNT of XAUTOCLAIM, as Redis has it.
const COUNT_MAX: i64 = i64::MAX / 16;
const USUAL_COUNT: usize = 100;

/// An integer, or else this refusal.
fn int_or(word: &[u8], refusal: &'static str) -> Result<i64, Status> {
    int(word).map_err(|_| Status::Text(refusal))
}

/// How a claimed entry is accounted for.
struct Terms {
    now_ms: i64,
    min_idle_ms: i64,
    delivered_at_ms: i64,
    /// `None`: one more than before, or as before if only ids are wanted.
    deliveries: Option<u64>,
    only_ids: bool,
    force: bool,
}

impl Terms {
    fn new(now_ms: i64, min_idle_ms: i64) -> Terms {
        Terms {
            now_ms,
            min_idle_ms: min_idle_ms.max(0),
            delivered_at_ms: now_ms,
            deliveries: None,
            only_ids: false,
            force: false,
        }
    }

    fn is_idle(&self, pending: Pending) -> bool {
        self.min_idle_ms == 0 || self.now_ms.saturating_sub(pending.delivered_at_ms) >= self.min_idle_ms
    }

    /// Gives a consumer an entry that is there. The reply for it.
    fn give(
        &self,
        log: &EntryLog,
        group: &mut Group,
        slot: Slot,
        id: StreamId,
        before: u64,
    ) -> Option<Reply> {
        let entry = log.get(id)?;
        let counted = if self.only_ids {
            before
        } else {
            before.saturating_add(1)
        };
        group.assign(id, slot, self.delivered_at_ms, self.deliveries.unwrap_or(counted));
        group.touch_active(slot, Some(self.now_ms));
        Some(if self.only_ids {
            id_reply(id)
        } else {
            entry_reply(entry)
        })
    }
}

/// XCLAIM's ids and options.
struct Claim {
    ids: Vec<StreamId>,
    terms: Terms,
    last_id: StreamId,
}

impl Claim {
    fn parse(words: Args<'_>, now_ms: i64) -> Result<Claim, Status> {
        let min_idle_ms = int_or(words[4], "ERR Invalid min-idle-time argument for XCLAIM")?;
        let ids: Vec<_> = words[5..].iter().map_while(|word| id(word, 0).ok()).collect();
        let mut rest = &words[5 + ids.len()..];
        let mut claim = Claim {
            ids,
            terms: Terms::new(now_ms, min_idle_ms),
            last_id: StreamId::MIN,
        };
        let mut delivered_at_ms = None;
        while let Some((option, tail)) = rest.split_first() {
            rest = tail;
            let terms = &mut claim.terms;
            if is_option(option, "FORCE") {
                terms.force = true;
                continue;
            }
            if is_option(option, "JUSTID") {
                terms.only_ids = true;
                continue;
            }
            let Some((value, tail)) = tail.split_first() else {
                return Err(unrecognized(option));
            };
            if is_option(option, "IDLE") {
                let idle_ms = int_or(value, "ERR Invalid IDLE option argument for XCLAIM")?;
                delivered_at_ms = Some(now_ms.saturating_sub(idle_ms));
            } else if is_option(option, "TIME") {
                delivered_at_ms = Some(int_or(value, "ERR Invalid TIME option argument for XCLAIM")?);
            } else if is_option(option, "RETRYCOUNT") {
                let count = int_or(value, "ERR Invalid RETRYCOUNT option argument for XCLAIM")?;
                terms.deliveries = u64::try_from(count).ok();
            } else if is_option(option, "LASTID") {
                claim.last_id = id(value, 0)?;
            } else {
                return Err(unrecognized(option));
            }
            rest = tail;
        }
        // A time that cannot be is taken for now: clients reckon it from clocks of their own.
        let sensible = delivered_at_ms.filter(|at| (0..=now_ms).contains(at));
        claim.terms.delivered_at_ms = sensible.unwrap_or(now_ms);
        Ok(claim)
    }

    fn run(&self, log: &EntryLog, group: &mut Group, consumer: &[u8]) -> Vec<Reply> {
        let terms = &self.terms;
        group.last_id = group.last_id.max(self.last_id);
        let (slot, _) = group.create_consumer(consumer, terms.now_ms);
        group.touch_seen(slot, terms.now_ms);
        let mut given = Vec::new();
        for &id in &self.ids {
            if !log.contains(id) {
                group.release(id);
                continue;
            }
            let before = match group.pending(id) {
                Some(pending) if terms.is_idle(pending) => pending.deliveries,
                None if terms.force => 1,
                _ => continue,
            };
            given.extend(terms.give(log, group, slot, id, before));
        }
        given
    }
}

fn unrecognized(option: &[u8]) -> Status {
    let option = args::quoted(option);
    Status::Owned(format!("ERR Unrecognized XCLAIM option '{option}'"))
}

/// # Errors
/// When key or group are not there, or the key holds another type.
fn check_group(db: &Db<'_>, words: Args<'_>) -> Result<(), Status> {
    let stream = db.get::<StreamValue>(words[1])?;
    let group = stream.and_then(|stream| stream.group(words[2]));
    group
        .map(|_| ())
        .ok_or_else(|| no_key_or_group(words[1], words[2], ""))
}

pub fn xclaim(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    check_group(db, words)?;
    let claim = Claim::parse(words, db.now_ms())?;
    let given = db.edit(words[1], |stream: &mut StreamValue| {
        stream.edit_group(words[2], |log, group| claim.run(log, group, words[3]))
    })?;
    Ok(Reply::Array(given.flatten().unwrap_or_default()))
}

/// XAUTOCLAIM's options.
struct Sweep {
    from: StreamId,
    count: usize,
    terms: Terms,
}

/// What XAUTOCLAIM has found.
#[derive(Default)]
struct Swept {
    /// Where to go on; zero at the end.
    next: StreamId,
    given: Vec<Reply>,
    deleted: Vec<Reply>,
}

impl Sweep {
    fn parse(words: Args<'_>, now_ms: i64) -> Result<Sweep, Status> {
        let min_idle_ms = int_or(words[4], "ERR Invalid min-idle-time argument for XAUTOCLAIM")?;
        let mut sweep = Sweep {
            from: interval_start(words[5])?,
            count: USUAL_COUNT,
            terms: Terms::new(now_ms, min_idle_ms),
        };
        let mut rest = &words[6..];
        while let Some((option, tail)) = rest.split_first() {
            rest = tail;
            if is_option(option, "JUSTID") {
                sweep.terms.only_ids = true;
            } else if let (true, [count, tail @ ..]) = (is_option(option, "COUNT"), tail) {
                let count = int(count).ok().filter(|count| (1..=COUNT_MAX).contains(count));
                let count = count.ok_or(Status::Text("ERR COUNT must be > 0"))?;
                sweep.count = usize::try_from(count).unwrap_or(usize::MAX);
                rest = tail;
            } else {
                return Err(Status::Syntax);
            }
        }
        Ok(sweep)
    }

    fn run(&self, log: &EntryLog, group: &mut Group, consumer: &[u8]) -> Swept {
        let terms = &self.terms;
        let (slot, _) = group.create_consumer(consumer, terms.now_ms);
        group.touch_seen(slot, terms.now_ms);
        let (mut swept, mut next) = (Swept::default(), Some(self.from));
        let mut attempts = self.count.saturating_mul(ATTEMPTS_PER_ENTRY);
        while let Some((id, pending)) = next_pending(group, next) {
            if attempts == 0 || swept.given.len() + swept.deleted.len() == self.count {
                swept.next = id;
                break;
            }
            attempts -= 1;
            next = id.next();
            if !log.contains(id) {
                group.release(id);
                swept.deleted.push(id_reply(id));
            } else if terms.is_idle(pending) {
                swept
                    .given
                    .extend(terms.give(log, group, slot, id, pending.deliveries));
            }
        }
        swept
    }
}

fn next_pending(group: &Group, from: Option<StreamId>) -> Option<(StreamId, Pending)> {
    group.pending_between(from?, StreamId::MAX).next()
}

pub fn xautoclaim(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let sweep = Sweep::parse(words, db.now_ms())?;
    check_group(db, words)?;
    let swept = db.edit(words[1], |stream: &mut StreamValue| {
        stream.edit_group(words[2], |log, group| sweep.run(log, group, words[3]))
    })?;
    let Swept { next, given, deleted } = swept.flatten().unwrap_or_default();
    Ok(Reply::Array(vec![
        id_reply(next),
        Reply::Array(given),
        Reply::Array(deleted),
    ]))
}
