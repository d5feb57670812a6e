mod accounting;
mod eviction;

use super::*;
use crate::command::{execute_now, execute_transaction_now};
use crate::random::Rng;
use crate::reply::Reply;
use std::sync::Arc;
use std::thread;

fn run(keyspace: &Keyspace, line: &str) -> Reply {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    execute_now(keyspace, &words).unwrap_or_else(Reply::Error)
}

#[test]
fn threads_may_do_everything_at_once() {
    const THREADS: u64 = 4;
    const ROUNDS: usize = 20_000;
    let keyspace = Arc::new(Keyspace::new());
    run(&keyspace, "MSET left 1000 right 1000");
    let workers: Vec<_> = (0..THREADS)
        .map(|seed| {
            let keyspace = keyspace.clone();
            thread::spawn(move || hammer(&keyspace, seed, ROUNDS))
        })
        .collect();
    let increments: i64 = workers
        .into_iter()
        .map(|worker| worker.join().expect("no panic"))
        .sum();
    keyspace.verify();
    assert_eq!(
        run(&keyspace, "GET counter"),
        Reply::bulk(increments.to_string().as_bytes())
    );
    assert_eq!(total(&keyspace), 2000);
}

fn total(keyspace: &Keyspace) -> i64 {
    let Reply::Array(values) = run(keyspace, "MGET left right") else {
        panic!("no array")
    };
    let number = |reply: &Reply| match reply {
        Reply::Bulk(bytes) => std::str::from_utf8(bytes).unwrap().parse::<i64>().unwrap(),
        other => panic!("{other:?}"),
    };
    values.iter().map(number).sum()
}

/// Gives the number of increments done.
fn hammer(keyspace: &Keyspace, seed: u64, rounds: usize) -> i64 {
    let (mut rng, mut increments) = (Rng::new(seed), 0);
    for round in 0..rounds {
        let key = format!("key:{}", rng.below(500));
        match rng.below(10) {
            0..4 => drop(run(
                keyspace,
                &format!(
                    "SET {key} {} PX {}",
                    "x".repeat(rng.below(300)),
                    1 + rng.below(20)
                ),
            )),
            4 => drop(run(keyspace, &format!("DEL {key}"))),
            5 => drop(run(keyspace, &format!("RENAME {key} key:{}", rng.below(500)))),
            6 => {
                run(keyspace, "INCR counter");
                increments += 1;
            }
            7 => {
                let transfer: [&[&[u8]]; 2] = [&[b"DECR", b"left"], &[b"INCR", b"right"]];
                execute_transaction_now(keyspace, &transfer).expect("both are integers");
            }
            8 => assert_eq!(total(keyspace), 2000),
            _ if round % 50 == 0 => drop(run(keyspace, "SCAN 0 COUNT 100")),
            _ => drop(run(keyspace, &format!("GET {key}"))),
        }
    }
    increments
}

#[test]
fn writes_on_the_wall_clock_free_due_keys_in_passing() {
    let keyspace = Keyspace::new();
    let past = clock::wall_ms() - 1;
    for i in 0..1000 {
        let key = format!("due:{i}").into_bytes();
        keyspace.db_for(&key).put_string(&key, b"v", Expiry::At(past));
    }
    for i in 0..2000 {
        run(&keyspace, &format!("SET key:{i} v"));
    }
    assert!(keyspace.statistics().keys < 2100);
    keyspace.reclaim(1000);
    assert_eq!(keyspace.statistics().keys, 2000);
    keyspace.verify();
}

#[test]
fn replacing_swaps_everything_and_keeps_the_clock() {
    let keyspace = Keyspace::with_log_clock(77);
    run(&keyspace, "SET old 1");
    let other = Keyspace::new();
    run(&other, "SET new 2");
    keyspace.replace_with(other);
    assert_eq!(run(&keyspace, "GET old"), Reply::Null);
    assert_eq!(run(&keyspace, "GET new"), Reply::bulk(b"2"));
    assert_eq!(keyspace.now_ms(), 77);
    keyspace.set_log_ms(70);
    assert_eq!(keyspace.now_ms(), 77);
    keyspace.verify();
}

#[test]
fn an_emptied_keyspace_holds_no_entries() {
    let keyspace = Keyspace::new();
    let empty = keyspace.statistics();
    for i in 0..20_000 {
        run(&keyspace, &format!("SET key:{i} {}", "v".repeat(100)));
    }
    let full = keyspace.statistics();
    assert_eq!(full.keys, 20_000);
    assert!(full.memory_by_type[0] >= 20_000 * 109);
    for i in 0..20_000 {
        run(&keyspace, &format!("DEL key:{i}"));
    }
    let after = keyspace.statistics();
    assert_eq!((after.keys, after.memory_by_type), (0, [0; crate::value::TYPES]));
    assert!(after.table_bytes < empty.table_bytes + 256 * 1024);
    run(&keyspace, "SET again 1");
    run(&keyspace, "FLUSHALL");
    assert_eq!(keyspace.statistics(), empty);
}

#[test]
fn the_digest_sees_content_and_not_history() {
    let build = |lines: &[&str]| {
        let keyspace = Keyspace::with_log_clock(1000);
        lines.iter().for_each(|line| drop(run(&keyspace, line)));
        keyspace.digest()
    };
    let base = build(&[
        "SET a 1",
        "HSET h f 1 g 2",
        "SADD s x y",
        "ZADD z 1 m 2 n",
        "RPUSH l 1 2",
    ]);
    let same = [
        "RPUSH l 2",
        "LPUSH l 1",
        "ZADD z 2 n 1 m",
        "SADD s y x w",
        "SREM s w",
        "HSET h g 2 f 1",
        "SET a 1",
        "SET b 1 PX 5",
        "DEL b",
    ];
    assert_eq!(base, build(&same));
    let others = [
        &[
            "SET a 2",
            "HSET h f 1 g 2",
            "SADD s x y",
            "ZADD z 1 m 2 n",
            "RPUSH l 1 2",
        ],
        &[
            "SET a 1",
            "HSET h f 2 g 1",
            "SADD s x y",
            "ZADD z 1 m 2 n",
            "RPUSH l 1 2",
        ],
        &[
            "SET a 1",
            "HSET h f 1 g 2",
            "SADD s xy",
            "ZADD z 1 m 2 n",
            "RPUSH l 1 2",
        ],
        &[
            "SET a 1",
            "HSET h f 1 g 2",
            "SADD s x y",
            "ZADD z 1 m 3 n",
            "RPUSH l 1 2",
        ],
        &[
            "SET a 1",
            "HSET h f 1 g 2",
            "SADD s x y",
            "ZADD z 1 m 2 n",
            "RPUSH l 2 1",
        ],
        &[
            "SET a 1 PX 9",
            "HSET h f 1 g 2",
            "SADD s x y",
            "ZADD z 1 m 2 n",
            "RPUSH l 1 2",
        ],
    ];
    for other in others {
        assert_ne!(base, build(other));
    }
    assert_eq!(build(&[]), 0);
}

#[test]
fn a_walk_sees_what_is_visible() {
    let keyspace = Keyspace::with_log_clock(1000);
    run(&keyspace, "MSET a 1 b 2");
    run(&keyspace, "SET c 3 PX 5");
    run(&keyspace, "SET d 4 PX 50");
    keyspace.set_log_ms(1005);
    let mut seen = Vec::new();
    for segment in 0..SEGMENTS {
        keyspace.walk(segment, |key, view, expire_at| {
            let EntryView::Str(bytes) = view else {
                panic!("a string")
            };
            seen.push((key.to_vec(), bytes.to_vec(), expire_at));
        });
    }
    seen.sort();
    let expected = [(b"a", b"1", None), (b"b", b"2", None), (b"d", b"4", Some(1050))];
    assert_eq!(
        seen,
        expected.map(|(key, value, at)| (key.to_vec(), value.to_vec(), at))
    );
}

#[test]
fn readers_count_no_time_twice_while_the_clock_of_the_log_is_moved() {
    use std::time::{Duration, Instant};
    let started = Instant::now();
    let elapsed_ms = || started.elapsed().as_millis() as i64;
    let keyspace = Keyspace::with_log_clock(0);
    thread::scope(|scope| {
        let mover = scope.spawn(|| {
            for _ in 0..100 {
                thread::sleep(Duration::from_millis(3));
                keyspace.set_log_ms(elapsed_ms());
            }
        });
        while !mover.is_finished() {
            let reading_ms = keyspace.reading_ms();
            assert!(
                reading_ms <= elapsed_ms() + 1,
                "{reading_ms} is ahead of its time"
            );
        }
    });
}
