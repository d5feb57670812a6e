//! Threads that run every command on one keyspace at once, while others save it, count it and free its due keys: no deadlock,
//! no torn transaction, and every invariant holds afterwards. Under ThreadSanitizer: no data race either (`native/sanitize`).

mod requests;

use holdfast::clock;
use holdfast::command::{execute_now, execute_transaction_now};
use holdfast::keyspace::Keyspace;
use holdfast::random::Rng;
use holdfast::rdb::{Snapshot, WriteOptions};
use holdfast::reply::Reply;
use requests::{Request, Requests, Scene};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: u64 = 4;
const ACCOUNTS: usize = 8;
const BALANCE: i64 = 1000;

fn run(keyspace: &Keyspace, words: &[&[u8]]) -> Reply {
    execute_now(keyspace, words).unwrap_or_else(Reply::Error)
}

fn account(rng: &mut Rng) -> Vec<u8> {
    format!("account:{}", rng.below(ACCOUNTS)).into_bytes()
}

fn transfer(keyspace: &Keyspace, rng: &mut Rng) {
    let (from, to, amount) = (account(rng), account(rng), rng.below(20).to_string());
    let requests: [&[&[u8]]; 2] = [
        &[b"DECRBY", &from, amount.as_bytes()],
        &[b"INCRBY", &to, amount.as_bytes()],
    ];
    execute_transaction_now(keyspace, &requests).expect("both are integers");
}

fn total(keyspace: &Keyspace) -> i64 {
    let keys: Vec<Vec<u8>> = (0..ACCOUNTS)
        .map(|n| format!("account:{n}").into_bytes())
        .collect();
    let mut words: Vec<&[u8]> = vec![b"MGET"];
    words.extend(keys.iter().map(Vec::as_slice));
    let Reply::Array(balances) = run(keyspace, &words) else {
        panic!("MGET gives an array")
    };
    let balance = |reply: &Reply| match reply {
        Reply::Bulk(text) => String::from_utf8_lossy(text)
            .parse::<i64>()
            .expect("a balance is an integer"),
        other => panic!("{other:?} is no balance"),
    };
    balances.iter().map(balance).sum()
}

/// Any requests but those that would take the accounts away.
fn anything(keyspace: &Keyspace, seed: u64, end: Instant) -> usize {
    let requests = Requests::new();
    let rows = requests.chosen(|spec| !spec.name.starts_with("flush"));
    let (mut rng, mut done) = (Rng::new(seed), 0);
    let dump = |key: &[u8]| match run(keyspace, &[b"DUMP", key]) {
        Reply::Bulk(payload) => payload,
        _ => Vec::new(),
    };
    while Instant::now() < end {
        let scene = Scene {
            now_ms: clock::wall_ms(),
            dump: &dump,
        };
        let row = rows[rng.below(rows.len())];
        let request: Request = requests.make(row, &mut rng, &scene);
        let words: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
        run(keyspace, &words);
        if done % 4 == 0 {
            transfer(keyspace, &mut rng);
            assert_eq!(
                total(keyspace),
                ACCOUNTS as i64 * BALANCE,
                "a transaction was seen half done"
            );
        }
        done += 1;
    }
    done
}

/// What is done beside the commands.
fn upkeep(keyspace: &Keyspace, end: Instant) {
    while Instant::now() < end {
        keyspace.reclaim(50);
        keyspace.next_due();
        keyspace.statistics();
        keyspace.digest();
        let options = WriteOptions {
            exact: true,
            chunk_bytes: 1 << 12,
            ..Default::default()
        };
        let snapshot = Snapshot::take(vec![keyspace], options).expect("nobody else takes one");
        while let Some(chunk) = snapshot.next_chunk() {
            assert!(!chunk.is_empty());
        }
    }
}

#[test]
fn every_command_may_run_on_every_thread_at_once() {
    let seconds = std::env::var("HOLDFAST_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (keyspace, done) = (Keyspace::new(), AtomicUsize::new(0));
    for n in 0..ACCOUNTS {
        run(
            &keyspace,
            &[
                b"SET",
                format!("account:{n}").as_bytes(),
                BALANCE.to_string().as_bytes(),
            ],
        );
    }
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (keyspace, done) = (&keyspace, &done);
            scope.spawn(move || done.fetch_add(anything(keyspace, seed, end), Ordering::Relaxed));
        }
        scope.spawn(|| upkeep(&keyspace, end));
    });
    keyspace.verify();
    assert_eq!(total(&keyspace), ACCOUNTS as i64 * BALANCE);
    assert!(done.load(Ordering::Relaxed) > 1000, "the threads got on");
}
