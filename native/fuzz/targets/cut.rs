//! Requests of any command, and whatever else changes a keyspace, between the steps of snapshots: each of them shows what a twin
//! held to which the same had happened up to its instant.
//!
//! The input is lines, as for `commands`. The first byte of a line names a row of the table of commands, or something else
//! that happens.
#![no_main]

#[path = "../../tests/instant/mod.rs"]
mod instant;
#[path = "../../tests/requests/mod.rs"]
mod requests;

use holdfast::command::{FAMILIES, Spec};
use holdfast::keyspace::Keyspace;
use holdfast::rdb::{Snapshot, WriteOptions};
use instant::{Change, loaded, repeat};
use libfuzzer_sys::fuzz_target;
use requests::Request;
use std::mem::take;
use std::sync::LazyLock;

const BEGIN_MS: i64 = 1_700_000_000_000;
const LINES_MAX: usize = 64;
/// What may happen beside commands.
const CLOCK: u8 = 255;
const RECLAIM: u8 = 254;
const EVICT: u8 = 253;
const REPLACE: u8 = 252;
/// A collection so large that it is frozen, when a snapshot has to have it.
const LARGE: u8 = 251;
const TAKE: u8 = 250;
const ENCODE: u8 = 249;
const READ: u8 = 248;
const GIVE_UP: u8 = 247;

static ROWS: LazyLock<Vec<&'static Spec>> = LazyLock::new(|| {
    let rows: Vec<_> = FAMILIES.iter().copied().flatten().collect();
    assert!(rows.len() <= usize::from(GIVE_UP), "a byte names every row");
    rows
});

/// A request that adds to a large collection of a type, from a number on.
fn large(kind: u8, from: usize) -> Request {
    const ELEMENTS: usize = 1_500;
    const PADDING: &str = "a text that takes some room beside its number";
    let texts = (from..from + ELEMENTS).map(|n| format!("{n}:{PADDING}").into_bytes());
    let (head, fields) = match kind % 5 {
        0 => (vec!["RPUSH", "a"], None),
        1 => (vec!["SADD", "b"], None),
        2 => (vec!["HSET", "c"], Some("1")),
        3 => (vec!["ZADD", "d"], Some("2")),
        _ => (vec!["XADD", "e", "*"], Some("3")),
    };
    let mut request: Request = head.into_iter().map(Into::into).collect();
    for text in texts {
        request.extend(fields.map(Into::into));
        request.push(text);
    }
    // Fields stand before their values.
    if kind % 5 == 2 || kind % 5 == 4 {
        let from = request.len() - 2 * ELEMENTS;
        request[from..]
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .for_each(|pair| pair.swap(0, 1));
    }
    request
}

/// What a line has happen to a keyspace, if not a step of a snapshot.
fn change(head: u8, rest: &[u8], now_ms: i64, seed: u64) -> Change {
    let large = || Change::Requests(vec![large(rest.first().copied().unwrap_or(0), rest.len())], seed);
    match head {
        CLOCK => Change::Time(now_ms + 1 + rest.len() as i64 * 100),
        RECLAIM => Change::Reclaim(1 + rest.len()),
        EVICT => Change::Evict(rest.to_vec()),
        REPLACE => Change::Replace(vec![large()]),
        LARGE => large(),
        _ => {
            let spec = ROWS[usize::from(head) % ROWS.len()];
            let mut words = vec![spec.name.as_bytes().to_vec()];
            let split = rest.split(|byte| *byte == b' ').filter(|_| !rest.is_empty());
            words.extend(split.map(<[u8]>::to_vec));
            Change::Requests(vec![words], seed)
        }
    }
}

fn options(rest: &[u8]) -> WriteOptions {
    WriteOptions {
        version: 12,
        exact: rest.len().is_multiple_of(2),
        compress: !rest.len().is_multiple_of(3),
        aux: Vec::new(),
        chunk_bytes: 1 << (rest.len() % 16),
    }
}

/// A snapshot that is being taken, and what has been read of it.
struct Taken<'k> {
    snapshot: Snapshot<&'k Keyspace>,
    bytes: Vec<u8>,
}

impl Taken<'_> {
    /// Whether it is at its end.
    fn read(&mut self, bytes_max: usize) -> bool {
        let mut buffer = vec![0; bytes_max];
        let count = self.snapshot.read(&mut buffer);
        self.bytes.extend_from_slice(&buffer[..count.unwrap_or(0)]);
        count.is_none()
    }

    /// Encodes and reads the rest, and compares it with what the keyspace held.
    fn check(mut self, twin: &Keyspace) {
        while !self.read(1 << 20) {
            self.snapshot.encode();
        }
        twin.reclaim(usize::MAX);
        // At a time at which nothing is due: what the file should not hold cannot hide.
        let copy = loaded(&self.bytes, 0);
        assert_eq!(copy.digest(), twin.digest());
        assert_eq!(copy.statistics().keys as u64, self.snapshot.keys());
    }
}

fuzz_target!(|input: &[u8]| {
    let [keyspace, twin] = [BEGIN_MS; 2].map(Keyspace::with_log_clock);
    let (mut now_ms, mut twin_ms, mut changes) = (BEGIN_MS, BEGIN_MS, Vec::new());
    let mut taken: Option<Taken<'_>> = None;
    for (seed, line) in input.split(|byte| *byte == b'\n').take(LINES_MAX).enumerate() {
        let Some((&head, rest)) = line.split_first() else {
            continue;
        };
        match (head, &mut taken) {
            (TAKE, _) => {
                if let Some(taken) = taken.take() {
                    taken.check(&twin);
                }
                twin_ms = repeat(&take(&mut changes), &twin, twin_ms);
                let snapshot = Snapshot::take(vec![&keyspace], options(rest)).expect("one at a time");
                let bytes = Vec::new();
                taken = Some(Taken { snapshot, bytes });
            }
            (ENCODE, Some(taken)) => _ = taken.snapshot.encode(),
            (READ, Some(taken)) => _ = taken.read(1 + 64 * rest.len()),
            (GIVE_UP, _) => taken = None,
            (ENCODE | READ, None) => {}
            _ => {
                let change = change(head, rest, now_ms, seed as u64);
                now_ms = repeat(std::slice::from_ref(&change), &keyspace, now_ms);
                changes.push(change);
            }
        }
    }
    if let Some(taken) = taken.take() {
        taken.check(&twin);
    }
    assert!(!keyspace.is_cut());
    keyspace.verify();
});
