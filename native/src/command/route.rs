//! Which shard a request belongs to.
//!
//! A key's slot is a CRC16 of its hash tag, as in Redis Cluster; a shard is a contiguous range of slots. Only a store of
//! several shards computes slots.

use super::execute::{execute_now, resolve};
use super::transaction::execute_transaction_now;
use super::{Args, CommandResult, Keys, Spec, scan};
use crate::keyspace::slot::{SLOTS, slot_of};
use crate::keyspace::{Keyspace, SCAN_POSITION_STEP};
use crate::random::Rng;
use crate::reply::Reply;
use crate::status::Status;

/// Most shards of a store: their number has to fit the low bits of a SCAN cursor.
pub const SHARDS_MAX: usize = SCAN_POSITION_STEP as usize;

const CROSS_SLOT: Status = Status::Text("CROSSSLOT Keys in request don't hash to the same slot");

/// SORT with a pattern, for example: Redis Cluster refuses it, too.
const ANY_SLOT: Status = Status::Text("CROSSSLOT A pattern in request may name keys of any slot");

/// The shard of `shards` that a key belongs to.
pub fn shard_of(key: &[u8], shards: usize) -> usize {
    if shards == 1 {
        0
    } else {
        usize::from(slot_of(key)) * shards / usize::from(SLOTS)
    }
}

/// Where a request has to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// In this shard.
    One(usize),
    /// In any shard: it names no key.
    Any,
    /// In every shard.
    Every,
}

/// Where a request has to run.
///
/// # Errors
/// CROSSSLOT if its keys belong to several shards, or may be any.
pub fn route(spec: &Spec, words: Args<'_>, shards: usize) -> Result<Route, Status> {
    if matches!(spec.keys, Keys::All) {
        return Ok(Route::Every);
    }
    if shards == 1 {
        return Ok(Route::One(0));
    }
    if spec.needs_all(words) {
        return Err(ANY_SLOT);
    }
    let keys = spec.keys_of(words);
    let Some(first) = keys.first() else {
        return Ok(Route::Any);
    };
    let shard = shard_of(first, shards);
    if keys.iter().any(|key| shard_of(key, shards) != shard) {
        Err(CROSS_SLOT)
    } else {
        Ok(Route::One(shard))
    }
}

/// The one shard of a transaction.
///
/// # Errors
/// CROSSSLOT if its keys belong to several shards, or if a command needs all of several. A request that is broken counts
/// as one without a key: running the transaction refuses it.
pub fn route_transaction(requests: &[Args<'_>], shards: usize) -> Result<usize, Status> {
    let mut chosen = None;
    for words in requests {
        let Ok(spec) = resolve(words) else { continue };
        match route(spec, words, shards)? {
            Route::Any => {}
            Route::Every if shards > 1 => return Err(CROSS_SLOT),
            Route::Every => chosen = Some(0),
            Route::One(shard) if chosen.is_none_or(|chosen| chosen == shard) => chosen = Some(shard),
            Route::One(_) => return Err(CROSS_SLOT),
        }
    }
    Ok(chosen.unwrap_or(0))
}

/// Runs a request over the keyspaces of a store's shards, each at its own time.
///
/// # Errors
/// The command's refusal, or CROSSSLOT.
pub fn execute_over(shards: &[&Keyspace], words: Args<'_>) -> CommandResult {
    let spec = resolve(words)?;
    match route(spec, words, shards.len())? {
        Route::One(shard) => execute_now(shards[shard], words),
        Route::Any => execute_now(shards[0], words),
        Route::Every if shards.len() == 1 => execute_now(shards[0], words),
        Route::Every if spec.name == "scan" => scan_over(shards, words),
        Route::Every if spec.name == "randomkey" => random_over(shards, words),
        Route::Every => {
            let replies: Result<Vec<_>, _> = shards.iter().map(|shard| execute_now(shard, words)).collect();
            Ok(merge(replies?))
        }
    }
}

/// Runs a transaction over the keyspaces of a store's shards: it may touch only one of them.
///
/// # Errors
/// EXECABORT, or CROSSSLOT.
pub fn execute_transaction_over(shards: &[&Keyspace], requests: &[Args<'_>]) -> CommandResult {
    execute_transaction_now(shards[route_transaction(requests, shards.len())?], requests)
}

/// Counts are added, arrays joined; of other replies the first stands for all.
fn merge(replies: Vec<Reply>) -> Reply {
    let mut replies = replies.into_iter();
    let first = replies.next().unwrap_or(Reply::Null);
    replies.fold(first, |merged, reply| match (merged, reply) {
        (Reply::Int(a), Reply::Int(b)) => Reply::Int(a + b),
        (Reply::Array(mut a), Reply::Array(b)) => {
            a.extend(b);
            Reply::Array(a)
        }
        (first, _) => first,
    })
}

/// The shard stands in the low bits of the cursor, which are 0 in a position.
fn scan_over(shards: &[&Keyspace], words: Args<'_>) -> CommandResult {
    let cursor = scan::cursor(words[1])?;
    let (shard, position) = (
        (cursor % SCAN_POSITION_STEP) as usize,
        cursor - cursor % SCAN_POSITION_STEP,
    );
    let Some(keyspace) = shards.get(shard) else {
        return scan::reply(0, Vec::new());
    };
    let mut buffer = itoa::Buffer::new();
    let mut inner = words.to_vec();
    inner[1] = buffer.format(position).as_bytes();
    let Reply::Array(mut parts) = execute_now(keyspace, &inner)? else {
        return Ok(Reply::Null);
    };
    let next = match parts.first() {
        Some(Reply::Bulk(text)) => scan::cursor(text)?,
        _ => 0,
    };
    let next = match next {
        0 if shard + 1 == shards.len() => 0,
        0 => shard as u64 + 1,
        position => position | shard as u64,
    };
    parts[0] = Reply::bulk(itoa::Buffer::new().format(next).as_bytes());
    Ok(Reply::Array(parts))
}

/// A key of a shard drawn by its size; of another one if that has none that is visible.
fn random_over(shards: &[&Keyspace], words: Args<'_>) -> CommandResult {
    let sizes: Vec<usize> = shards.iter().map(|shard| shard.statistics().keys).collect();
    let total: usize = sizes.iter().sum();
    let mut n = if total == 0 {
        0
    } else {
        Rng::new(shards[0].draw_seed()).below(total)
    };
    let chosen = sizes.iter().position(|&size| {
        let here = n < size;
        n -= if here { 0 } else { size };
        here
    });
    let first = chosen.unwrap_or(0);
    for shard in (first..shards.len()).chain(0..first) {
        let reply = execute_now(shards[shard], words)?;
        if reply != Reply::Null {
            return Ok(reply);
        }
    }
    Ok(Reply::Null)
}

#[cfg(test)]
#[path = "tests/route.rs"]
mod tests;
