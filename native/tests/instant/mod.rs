//! What a snapshot is held against: a twin to which the same happens up to its instant.

use crate::requests::Request;
use holdfast::command::{execute, execute_transaction};
use holdfast::keyspace::Keyspace;
use holdfast::rdb::{LoadOptions, Loader, Options, Reader};

/// A keyspace from a snapshot that holds each key once.
pub fn loaded(bytes: &[u8], now_ms: i64) -> Keyspace {
    let mut loader = Loader::new(LoadOptions { db: None, now_ms });
    let mut reader = Reader::new(Options {
        refuse_duplicate_keys: true,
    });
    reader.push(bytes, &mut loader).expect("a snapshot can be read");
    reader.finish().expect("a snapshot has an end");
    let fresh = Keyspace::with_log_clock(now_ms);
    assert!(loader.commit(&fresh), "a snapshot is complete");
    fresh
}

/// What happens to a keyspace.
pub enum Change {
    /// A request or a transaction, with the seed.
    Requests(Vec<Request>, u64),
    /// All keys are replaced by those of a keyspace to which this happens.
    Replace(Vec<Change>),
    /// So many keys that are due go.
    Reclaim(usize),
    /// A key goes because room is wanted.
    Evict(Vec<u8>),
    /// The clock is set to this Unix millisecond.
    Time(i64),
}

/// Has changes happen, the first at this time. Gives the time of the last.
pub fn repeat(changes: &[Change], keyspace: &Keyspace, begin_ms: i64) -> i64 {
    let mut now_ms = begin_ms;
    for change in changes {
        match change {
            Change::Requests(requests, seed) => run_requests(keyspace, requests, now_ms, *seed),
            Change::Replace(changes) => {
                let other = Keyspace::with_log_clock(now_ms);
                repeat(changes, &other, now_ms);
                keyspace.replace_with(other);
            }
            Change::Reclaim(limit) => drop(keyspace.reclaim(*limit)),
            Change::Evict(key) => drop(keyspace.evict_named(key)),
            Change::Time(at_ms) => {
                now_ms = *at_ms;
                keyspace.set_log_ms(now_ms);
            }
        }
    }
    now_ms
}

/// Runs a request, or several as a transaction.
pub fn run_requests(keyspace: &Keyspace, requests: &[Request], now_ms: i64, seed: u64) {
    let words: Vec<Vec<&[u8]>> = requests
        .iter()
        .map(|request| request.iter().map(Vec::as_slice).collect())
        .collect();
    let lines: Vec<&[&[u8]]> = words.iter().map(Vec::as_slice).collect();
    // What is refused changes nothing, and is as good as any other command.
    let _ = match lines[..] {
        [line] => execute(keyspace, line, now_ms, seed),
        _ => execute_transaction(keyspace, &lines, now_ms, seed),
    };
}
