//! What a keyspace says it uses is what it has allocated, to the byte.

use super::run;
use crate::command;
use crate::counting::live_bytes;
use crate::keyspace::Keyspace;
use crate::random::Rng;
use crate::rdb::{Snapshot, WriteOptions};
use crate::reply::Reply;

/// A keyspace, and what the thread held when it was made.
struct Watched {
    keyspace: Keyspace,
    base: isize,
}

impl Watched {
    fn new() -> Watched {
        command::known("get");
        let keyspace = Keyspace::with_log_clock(1_000_000);
        let base = live_bytes() - keyspace.statistics().memory() as isize;
        Watched { keyspace, base }
    }

    fn run(&self, line: &str) {
        let reply = run(&self.keyspace, line);
        assert!(!matches!(reply, Reply::Error(_)), "{line}: {reply:?}");
    }

    fn check(&self, after: &str) {
        let said = self.keyspace.statistics().memory() as isize;
        assert_eq!(said, live_bytes() - self.base, "after {after}");
    }

    fn checked(&self, line: &str) {
        self.run(line);
        self.check(line);
    }
}

#[test]
fn strings_are_counted_as_they_come_change_and_go() {
    let watched = Watched::new();
    for n in 0..3000 {
        watched.run(&format!("SET key:{n} {} PX {}", "x".repeat(n % 300), 1 + n % 700));
        if n % 3 == 0 {
            watched.run(&format!("SET key:{} {}", n / 2, "y".repeat(n % 90)));
        }
        if n % 5 == 0 {
            watched.run(&format!("PERSIST key:{}", n / 3));
            watched.run(&format!("APPEND key:{n} {}", "z".repeat(n % 50)));
        }
        if n % 100 == 0 {
            watched.check("strings");
        }
    }
    watched.run(&format!("SET {} v", "k".repeat(40_000)));
    watched.check("a long key");
    watched.run(&format!("RENAME {} short", "k".repeat(40_000)));
    watched.check("a long key's end");
    watched.keyspace.set_log_ms(1_000_400);
    watched.keyspace.reclaim(usize::MAX);
    watched.check("an expiry of half the keys");
    (0..3000).for_each(|n| watched.run(&format!("DEL key:{n}")));
    watched.check("the removal of all keys");
    watched.checked("FLUSHALL");
}

/// Commands that make a collection grow by one, and commands that make it smaller.
fn grow_and_shrink(grow: impl Fn(usize) -> String, shrink: impl Fn(usize) -> String, elements: usize) {
    let watched = Watched::new();
    for n in 0..elements {
        watched.run(&grow(n));
        if n < 600 || n % 500 == 0 {
            watched.check("growing");
        }
    }
    watched.checked("COPY c copy");
    watched.checked("RENAME copy other");
    watched.checked("SET other string");
    for n in 0..elements {
        watched.run(&shrink(n));
        if n % 500 == 0 || n + 600 > elements {
            watched.check("shrinking");
        }
    }
}

#[test]
fn collections_are_counted_in_every_encoding() {
    let text = |n: usize| "v".repeat(n % 40);
    grow_and_shrink(
        |n| format!("HSET c field:{n} {}", text(n)),
        |n| format!("HDEL c field:{n}"),
        1200,
    );
    grow_and_shrink(|n| format!("SADD c {n}"), |n| format!("SREM c {n}"), 1500);
    grow_and_shrink(|n| format!("SADD c m{n}"), |n| format!("SREM c m{n}"), 1500);
    grow_and_shrink(
        |n| format!("ZADD c {} member:{n}", n * 7919 % 1009),
        |n| format!("ZREM c member:{n}"),
        1200,
    );
    grow_and_shrink(
        |n| format!("XADD c {}-1 field {} n{} {n}", n + 1, text(n), n % 7),
        |n| format!("XDEL c {}-1", n + 1),
        1500,
    );
    grow_and_shrink(|n| format!("RPUSH c {}", text(n)), |_| "LPOP c".into(), 3000);
    grow_and_shrink(|n| format!("LPUSH c {}", text(n * 3)), |_| "RPOP c".into(), 3000);
}

#[test]
fn fields_that_expire_are_counted_hidden_or_not() {
    let watched = Watched::new();
    watched.run(&format!("HSET h long {}", "v".repeat(65)));
    for n in 0..3000 {
        watched.run(&format!("HSET h f{n} {}", "v".repeat(n % 40)));
        if n % 3 > 0 {
            watched.run(&format!("HPEXPIRE h {} FIELDS 1 f{n}", 100 + n % 700));
        }
        if n < 600 || n % 100 == 0 {
            watched.check("a field that expires");
        }
    }
    watched.checked("HPERSIST h FIELDS 1 f2999");
    watched.keyspace.set_log_ms(1_000_500);
    for line in [
        "HLEN h",
        "HSET h f1 new",
        "COPY h copy",
        "RENAME copy other",
        "HDEL h f0 f2 f2999",
    ] {
        watched.checked(line);
    }
    while watched.keyspace.reclaim(100) > 0 {
        watched.check("sweeping");
    }
    watched.keyspace.verify();
}

#[test]
fn streams_with_groups_are_counted() {
    let (watched, mut rng) = (Watched::new(), Rng::new(7));
    watched.checked("XGROUP CREATE s g 0 MKSTREAM");
    for round in 0..3000 {
        let (n, text) = (rng.below(9), "t".repeat(rng.below(60)));
        let line = match rng.below(10) {
            0..4 => format!("XADD s * f {text} g {n}"),
            4 => format!("XREADGROUP GROUP g consumer:{n} COUNT 3 STREAMS s >"),
            5 => format!("XACK s g {}-0", 1_000_000 + n),
            6 => format!("XTRIM s MAXLEN {}", 50 + 10 * n),
            7 => format!("XGROUP CREATE s g{text} $"),
            8 => format!("XGROUP DESTROY s g{text}"),
            _ => format!("XAUTOCLAIM s g consumer:{n} 0 - COUNT 2"),
        };
        if !line.starts_with("XGROUP CREATE") || rng.below(3) == 0 {
            run(&watched.keyspace, &line);
        }
        drop((line, text));
        if round % 20 == 0 {
            watched.check("a change of a stream");
        }
    }
    watched.checked("XGROUP DESTROY s g");
    watched.checked("DEL s");
    watched.keyspace.verify();
}

#[test]
fn changes_inside_collections_are_counted() {
    let (watched, mut rng) = (Watched::new(), Rng::new(5));
    for round in 0..6000 {
        let (key, n) = (rng.below(3), rng.below(900));
        let text = "t".repeat(rng.below(100));
        let line = match rng.below(9) {
            0 => format!("HSET h{key} f{n} {text}"),
            1 => format!("HDEL h{key} f{n}"),
            2 => format!("SADD s{key} {text} {n}"),
            3 => format!("SREM s{key} {text} {n}"),
            4 => format!("ZADD z{key} {} m{n}{text}", rng.below(50)),
            5 => format!("ZREMRANGEBYRANK z{key} 0 {}", rng.below(3)),
            6 => format!("RPUSH l{key} {text} {n}"),
            7 => format!("LREM l{key} 1 {n}"),
            _ => format!("LTRIM l{key} {} -1", rng.below(3)),
        };
        watched.run(&line);
        // They were allocated here, too.
        drop((line, text));
        if round % 20 == 0 {
            watched.check("a change");
        }
    }
    watched.keyspace.verify();
}

#[test]
fn a_snapshot_of_large_collections_leaves_exact_books() {
    // Whatever the checksum makes once for all is there then.
    let empty = Snapshot::whole(&Keyspace::with_log_clock(0), WriteOptions::default());
    assert!(empty.is_ok());
    drop(empty);
    let (watched, mut rng) = (Watched::new(), Rng::new(9));
    for n in 0..5000 {
        for line in [
            format!("HSET h field:{n} value"),
            format!("RPUSH l element:{n}"),
            format!("SADD s member:{n}"),
            format!("ZADD z {} member:{n}", n % 70),
            "XADD x * field value".into(),
        ] {
            watched.run(&line);
        }
    }
    watched.check("filling");
    for _ in 0..5 {
        let snapshot =
            Snapshot::take(vec![&watched.keyspace], WriteOptions::default()).expect("one at a time");
        while snapshot.next_chunk().is_some() {
            for _ in 0..100 {
                let n = rng.below(6000);
                watched.run(&format!("HSET h field:{n} other"));
                watched.run(&format!("ZADD z {} member:{n}", rng.below(70)));
                watched.run(&format!("SREM s member:{n}"));
                watched.run("LPOP l");
                watched.run("XADD x * field value");
            }
        }
        drop(snapshot);
        watched.check("a snapshot");
        watched.keyspace.verify();
    }
    for key in ["h", "l", "s", "z", "x"] {
        watched.run(&format!("RENAME {key} moved:{key}"));
    }
    watched.check("moving");
}
