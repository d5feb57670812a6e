//! A snapshot shows one instant, whatever is done while it is taken: commands of every kind, keys that expire, that are
//! evicted or freed, and all of them replaced at once.
//!
//! `HOLDFAST_SECONDS=60 cargo test --test cut` runs more seeds.

mod instant;
mod requests;

use holdfast::command::{execute, execute_now, execute_transaction_now};
use holdfast::keyspace::{Budget, Keyspace, MemoryLimit, Policy, SEGMENTS};
use holdfast::random::Rng;
use holdfast::rdb::write::Step;
use holdfast::rdb::{Snapshot, WriteOptions};
use holdfast::reply::Reply;
use holdfast::value::TYPES;
use instant::{Change, loaded, repeat, run_requests};
use requests::{Requests, Scene};
use std::mem::take;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const BEGIN_MS: i64 = 1_700_000_000_000;
const SEEDS: u64 = 12;
const ROUNDS: usize = 12;

/// Chooses what happens to a keyspace.
struct World<'a> {
    now_ms: i64,
    requests: &'a Requests,
    writes: Vec<usize>,
    rng: Rng,
    /// What has happened, for the twin.
    changes: Vec<Change>,
}

impl World<'_> {
    fn command(&mut self, keyspace: &Keyspace) {
        let now_ms = self.now_ms;
        let dump = |key: &[u8]| match execute(keyspace, &[b"DUMP", key], now_ms, 0) {
            Ok(Reply::Bulk(payload)) => payload.to_vec(),
            _ => b"nothing".to_vec(),
        };
        let scene = Scene { now_ms, dump: &dump };
        let count = if self.rng.below(8) == 0 { 3 } else { 1 };
        let mut made = Vec::new();
        while made.len() < count {
            let row = self.writes[self.rng.below(self.writes.len())];
            let flushes = self.requests.rows[row].spec.name.starts_with("flush");
            if !flushes || self.rng.below(3) == 0 {
                made.push(self.requests.make(row, &mut self.rng, &scene));
            }
        }
        let seed = self.rng.next_u64();
        run_requests(keyspace, &made, now_ms, seed);
        self.changes.push(Change::Requests(made, seed));
    }

    /// One of all the ways in which a keyspace changes.
    fn change(&mut self, keyspace: &Keyspace) {
        match self.rng.below(400) {
            0 => {
                let (other, before) = (Keyspace::with_log_clock(self.now_ms), take(&mut self.changes));
                (0..60).for_each(|_| self.command(&other));
                keyspace.replace_with(other);
                let made = std::mem::replace(&mut self.changes, before);
                self.changes.push(Change::Replace(made));
            }
            1..12 => self.happen(keyspace, |rng| Some(Change::Reclaim(1 + rng.below(10)))),
            12..24 => {
                let mut keys = Vec::new();
                (0..SEGMENTS).for_each(|n| keyspace.walk(n, |key, _, _| keys.push(key.to_vec())));
                self.happen(keyspace, |rng| {
                    (!keys.is_empty()).then(|| Change::Evict(keys.swap_remove(rng.below(keys.len()))))
                });
            }
            24..40 => {
                let now_ms = self.now_ms;
                self.happen(keyspace, |rng| {
                    let leap = if rng.below(20) == 0 { 3000 } else { 60 };
                    Some(Change::Time(now_ms + rng.below(leap) as i64))
                });
            }
            _ => self.command(keyspace),
        }
    }

    fn happen(&mut self, keyspace: &Keyspace, choose: impl FnOnce(&mut Rng) -> Option<Change>) {
        if let Some(change) = choose(&mut self.rng) {
            self.now_ms = repeat(std::slice::from_ref(&change), keyspace, self.now_ms);
            self.changes.push(change);
        }
    }

    fn options(&mut self) -> WriteOptions {
        WriteOptions {
            version: 12,
            exact: self.rng.below(2) == 0,
            compress: self.rng.below(3) > 0,
            aux: Vec::new(),
            chunk_bytes: 1 << (6 + self.rng.below(8)),
        }
    }

    /// Takes a snapshot, with changes between all steps. `None`: it was given up.
    fn snapshot(&mut self, keyspace: &Keyspace) -> Option<(Vec<u8>, u64)> {
        let (options, gives_up) = (self.options(), self.rng.below(5) == 0);
        let (changes, mut buffer) = (self.rng.below(12), vec![0; 1 + self.rng.below(5000)]);
        let (snapshot, mut bytes) = (
            Snapshot::take(vec![keyspace], options).expect("one at a time"),
            Vec::new(),
        );
        loop {
            for _ in 0..self.rng.below(changes + 1) {
                self.change(keyspace);
            }
            if gives_up && self.rng.below(6) == 0 {
                return None;
            }
            if self.rng.below(2) == 0 {
                snapshot.encode();
            }
            match snapshot.read(&mut buffer) {
                Some(count) => bytes.extend_from_slice(&buffer[..count]),
                None => return Some((bytes, snapshot.keys())),
            }
        }
    }
}

/// Compares with a twin to which the same happens up to the instant of the snapshot, and no snapshot at all. The twin is rid of all
/// that is due, and the file is loaded at a time at which nothing is: what it should not hold cannot hide.
fn check(requests: &Requests, seed: u64) -> usize {
    let (keyspace, twin) = (
        Keyspace::with_log_clock(BEGIN_MS),
        Keyspace::with_log_clock(BEGIN_MS),
    );
    let mut world = World {
        now_ms: BEGIN_MS,
        requests,
        writes: requests.chosen(|spec| spec.write),
        rng: Rng::new(seed),
        changes: Vec::new(),
    };
    let (mut compared, mut twin_ms) = (0, BEGIN_MS);
    for round in 0..ROUNDS {
        (0..world.rng.below(300)).for_each(|_| world.change(&keyspace));
        // What is due by now has been named by nobody since.
        let later_ms = world.now_ms + [0, 500, 5000][world.rng.below(3)];
        world.happen(&keyspace, |_| Some(Change::Time(later_ms)));
        twin_ms = repeat(&take(&mut world.changes), &twin, twin_ms);
        if let Some((bytes, keys)) = world.snapshot(&keyspace) {
            twin.reclaim(usize::MAX);
            let copy = loaded(&bytes, 0);
            assert_eq!(copy.digest(), twin.digest(), "seed {seed}, round {round}");
            let counted = [&copy, &twin].map(|keyspace| keyspace.statistics().keys as u64);
            assert_eq!(counted, [keys; 2], "seed {seed}, round {round}");
            compared += keys as usize;
        }
        assert!(!keyspace.is_cut());
        keyspace.verify();
    }
    compared
}

#[test]
fn a_snapshot_shows_the_instant_at_which_it_was_taken() {
    let requests = Requests::new();
    let seconds = std::env::var("HOLDFAST_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let first: u64 = std::env::var("HOLDFAST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut compared = 0;
    for seed in first.. {
        match end {
            Some(end) if Instant::now() > end => break,
            None if seed >= first + SEEDS => break,
            _ => compared += check(&requests, seed),
        }
    }
    assert!(compared > 1000, "only {compared} keys were compared");
}

/// Keys that one thread writes in turn, with a number that grows.
const RING: usize = 128;
/// Numbers whose sum stays 0.
const COUNTERS: usize = 64;

fn counter(n: usize) -> Vec<u8> {
    format!("counter:{n}").into_bytes()
}

/// Writes what only a single instant shows whole, until it is told to stop.
fn hammer(keyspace: &Keyspace, thread: usize, stop: &AtomicBool) -> u64 {
    let (mut rng, mut step) = (Rng::new(thread as u64), 0);
    let run = |words: &[&[u8]]| execute_now(keyspace, words).expect("is a sound request");
    while !stop.load(Ordering::Relaxed) {
        let (key, value) = (format!("ring:{thread}:{}", step % RING as u64), step.to_string());
        run(&[
            b"SET",
            key.as_bytes(),
            format!("{value:>0$}", 1 + rng.below(60)).as_bytes(),
        ]);
        let (from, to) = (counter(rng.below(COUNTERS)), counter(rng.below(COUNTERS)));
        let requests: [&[&[u8]]; 2] = [&[b"INCR", &from], &[b"DECR", &to]];
        execute_transaction_now(keyspace, &requests).expect("both are integers");
        let (list, hash) = (
            format!("list:{thread}:{}", rng.below(50)),
            format!("hash:{thread}"),
        );
        match rng.below(6) {
            0 => run(&[b"DEL", list.as_bytes()]),
            1 => run(&[b"HSET", hash.as_bytes(), value.as_bytes(), b"v"]),
            2 => run(&[b"SET", list.as_bytes(), b"gone soon", b"PX", b"1"]),
            3 => run(&[b"RENAME", key.as_bytes(), key.as_bytes()]),
            _ => run(&[b"COPY", key.as_bytes(), list.as_bytes(), b"REPLACE"]),
        };
        step += 1;
    }
    step
}

fn number(keyspace: &Keyspace, key: &[u8]) -> Option<i64> {
    match execute_now(keyspace, &[b"GET", key]) {
        Ok(Reply::Bulk(text)) => String::from_utf8_lossy(&text).trim().parse().ok(),
        _ => None,
    }
}

/// What one instant must show: a sum of 0, and of each thread the last numbers that it wrote.
fn check_instant(copy: &Keyspace, threads: usize) {
    let sum: i64 = (0..COUNTERS).filter_map(|n| number(copy, &counter(n))).sum();
    assert_eq!(sum, 0, "a transaction was cut in two");
    for thread in 0..threads {
        let ring = (0..RING).filter_map(|n| number(copy, format!("ring:{thread}:{n}").as_bytes()));
        let ring: Vec<i64> = ring.collect();
        let newest = ring.iter().copied().max().unwrap_or(-1);
        let expected = (newest + 1).min(RING as i64);
        assert_eq!(ring.len() as i64, expected, "thread {thread} wrote {newest}");
        assert!(
            ring.iter().all(|&n| n > newest - expected),
            "thread {thread}: {ring:?}"
        );
    }
}

/// Encodes with two threads, one of which reads.
fn saved(keyspace: &Keyspace, gives_up: bool) -> Option<Vec<u8>> {
    let options = WriteOptions {
        exact: true,
        chunk_bytes: 4096,
        ..Default::default()
    };
    let snapshot = Snapshot::take(vec![keyspace], options).expect("one at a time");
    thread::scope(|scope| {
        scope.spawn(|| {
            while snapshot.encode() != Step::Over {
                snapshot.wait(Duration::from_millis(1));
            }
        });
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 10_000]);
        while let Some(count) = snapshot.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..count]);
            if gives_up && bytes.len() > 20_000 {
                snapshot.give_up();
                return None;
            }
            if count == 0 {
                snapshot.encode();
            }
        }
        Some(bytes)
    })
}

#[test]
fn threads_write_on_while_snapshots_are_taken_one_after_the_other() {
    const THREADS: usize = 2;
    let seconds = std::env::var("HOLDFAST_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (keyspace, stop, steps) = (Keyspace::new(), AtomicBool::new(false), AtomicUsize::new(0));
    for n in 0..20_000 {
        let key = format!("still:{n}");
        execute_now(&keyspace, &[b"SET", key.as_bytes(), key.as_bytes()]).expect("can be set");
    }
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (keyspace, stop, steps) = (&keyspace, &stop, &steps);
            scope.spawn(move || steps.fetch_add(hammer(keyspace, thread, stop) as usize, Ordering::Relaxed));
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                keyspace.reclaim(20);
                thread::sleep(Duration::from_micros(300));
            }
        });
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0.. {
                if Instant::now() > end && round > 4 {
                    break;
                }
                if let Some(bytes) = saved(&keyspace, round % 4 == 1) {
                    let copy = loaded(&bytes, 0);
                    check_instant(&copy, THREADS);
                    let still = (0..20_000).filter(|n| is_still(&copy, *n));
                    assert_eq!(still.count(), 20_000);
                }
            }
        }));
        stop.store(true, Ordering::Relaxed);
        checked.expect("every snapshot shows one instant");
    });
    keyspace.verify();
    assert!(steps.into_inner() > 1000, "the threads got on");
}

fn is_still(copy: &Keyspace, n: usize) -> bool {
    let key = format!("still:{n}");
    matches!(execute_now(copy, &[b"GET", key.as_bytes()]), Ok(Reply::Bulk(text)) if text[..] == *key.as_bytes())
}

/// One command that changes a large collection, or makes it anew.
fn change_large(keyspace: &Keyspace, rng: &mut Rng, now_ms: i64) {
    let (n, other) = (rng.below(9000), rng.below(3) == 0);
    let is_rare = rng.below(1500) == 0;
    let line = match rng.below(30) {
        0 if is_rare => "RENAME hash other".into(),
        1 if is_rare => "RENAME other hash".into(),
        2 if is_rare => "COPY zset copy REPLACE".into(),
        6 if is_rare => ["DEL set", "DEL list", "DEL stream"][rng.below(3)].into(),
        3 => format!("LTRIM list {} -1", rng.below(3)),
        4 => format!("LSET list {} another", rng.below(50)),
        5 => format!("ZREMRANGEBYRANK zset {n} {}", n + 3),
        7 if other => format!("HPERSIST hash FIELDS 1 field:{n}"),
        7..9 if other => format!("HDEL hash field:{n}"),
        9..12 if other => format!(
            "HPEXPIREAT hash {} FIELDS 1 field:{n}",
            now_ms + 1 + rng.below(4000) as i64
        ),
        7..12 => format!("HSET hash field:{n} value:{}", rng.below(1000)),
        12 if other => "RPOP list".into(),
        12..16 => format!("LPUSH list element:{n}"),
        16..20 if other => format!("SREM set member:{n}"),
        16..20 => format!("SADD set member:{n}"),
        20..25 => format!("ZADD zset {} member:{n}", rng.below(40)),
        25 => format!("XTRIM stream MAXLEN {}", 20_000 + n),
        _ => format!("XADD stream * field {n}"),
    };
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    // What is refused, because a key is not there, changes nothing.
    let _ = execute(keyspace, &words, now_ms, rng.next_u64());
}

#[test]
fn large_collections_are_saved_as_they_were() {
    let (keyspace, mut rng) = (Keyspace::with_log_clock(BEGIN_MS), Rng::new(3));
    let mut times_large = [0; TYPES];
    for round in 0..12 {
        let now_ms = BEGIN_MS + 1000 * round;
        (0..20_000).for_each(|_| change_large(&keyspace, &mut rng, now_ms));
        for (times, bytes) in times_large.iter_mut().zip(keyspace.statistics().memory_by_type) {
            *times += usize::from(bytes > 128 << 10);
        }
        // Some fields become due, and nobody has named their hash since.
        let cut_ms = now_ms + 500;
        keyspace.set_log_ms(cut_ms);
        let mut bytes = Vec::new();
        let options = WriteOptions {
            version: 12,
            exact: round % 2 == 0,
            ..Default::default()
        };
        let snapshot = Snapshot::take(vec![&keyspace], options).expect("one at a time");
        let digest = keyspace.digest();
        while let Some(chunk) = snapshot.next_chunk() {
            bytes.extend_from_slice(&chunk);
            (0..rng.below(200)).for_each(|_| change_large(&keyspace, &mut rng, cut_ms));
        }
        keyspace.verify();
        // At a time at which nothing is due: what the file should not hold cannot hide.
        assert_eq!(loaded(&bytes, 0).digest(), digest, "round {round}");
    }
    assert!(times_large[1..].iter().all(|&times| times > 2), "{times_large:?}");
}

#[test]
fn who_evicts_waits_for_the_encoders() {
    const DATA_BYTES: usize = 24 << 20;
    const VALUE_BYTES: usize = 16 << 10;
    let limit = MemoryLimit {
        bytes: DATA_BYTES,
        policy: Policy::AllKeysRandom,
        samples: 5,
    };
    let (keyspace, value) = (
        Keyspace::new().with_budget(Budget::new(limit)),
        vec![7; VALUE_BYTES],
    );
    let fill = |from: usize, count: usize| {
        for n in from..from + count {
            let key = format!("key:{n}");
            execute_now(&keyspace, &[b"SET", key.as_bytes(), &value]).expect("what is random can go");
        }
    };
    fill(0, DATA_BYTES / VALUE_BYTES);
    let snapshot = Snapshot::take(vec![&keyspace], WriteOptions::default()).expect("one at a time");
    let (_, room) = (fill(10_000, 200), 4 << 20);
    let (kept, begun) = (keyspace.preimage_bytes(), Instant::now());
    assert!((room / 2..room).contains(&kept), "{kept} bytes are kept");
    fill(20_000, 300);
    assert!(keyspace.preimage_bytes() > room);
    let waited = begun.elapsed();
    assert!(waited > Duration::from_millis(50), "{waited:?}");
    let counted = keyspace.statistics().memory();
    assert!(
        counted < DATA_BYTES + 200 * VALUE_BYTES,
        "{counted} bytes are in use"
    );
    let mut bytes = Vec::new();
    while let Some(chunk) = snapshot.next_chunk() {
        bytes.extend_from_slice(&chunk);
    }
    let copy = loaded(&bytes, 0);
    assert_eq!(copy.statistics().keys as u64, snapshot.keys());
    assert_eq!(keyspace.preimage_bytes(), 0);
}
