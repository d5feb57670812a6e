//! What SCAN, HSCAN, SSCAN and ZSCAN promise: whatever is there from the first call to the last is returned, while other
//! threads add and remove so much that tables grow, split and shrink.

use holdfast::command::execute_now;
use holdfast::keyspace::Keyspace;
use holdfast::random::Rng;
use holdfast::reply::Reply;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Elements that stay.
const STABLE: usize = 3000;
/// Others come and go in waves of up to so many.
const WAVE: usize = 20_000;
const SCANS: usize = 12;
const WRITERS: u64 = 2;

/// One of the commands: how it is asked, and how an element is added and removed.
struct Scan {
    name: &'static str,
    key: Option<&'static str>,
    /// Whether every element comes with a value.
    pairs: bool,
    add: fn(&str) -> Vec<String>,
    remove: fn(&str) -> Vec<String>,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

const SCANNED: [Scan; 4] = [
    Scan {
        name: "SCAN",
        key: None,
        pairs: false,
        add: |name| words(&["SET", name, "v"]),
        remove: |name| words(&["DEL", name]),
    },
    Scan {
        name: "HSCAN",
        key: Some("hash"),
        pairs: true,
        add: |name| words(&["HSET", "hash", name, "v"]),
        remove: |name| words(&["HDEL", "hash", name]),
    },
    Scan {
        name: "SSCAN",
        key: Some("set"),
        pairs: false,
        add: |name| words(&["SADD", "set", name]),
        remove: |name| words(&["SREM", "set", name]),
    },
    Scan {
        name: "ZSCAN",
        key: Some("zset"),
        pairs: true,
        add: |name| words(&["ZADD", "zset", "1", name]),
        remove: |name| words(&["ZREM", "zset", name]),
    },
];

fn run(keyspace: &Keyspace, request: &[String]) -> Reply {
    let words: Vec<&[u8]> = request.iter().map(String::as_bytes).collect();
    execute_now(keyspace, &words).expect("the request is sound")
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Bulk(bytes) => String::from_utf8(bytes.clone()).expect("the text is ASCII"),
        other => panic!("{other:?} is no text"),
    }
}

/// One whole scan: all elements, each as often as it was returned.
fn scan(keyspace: &Keyspace, scan: &Scan, options: &[&str]) -> Vec<String> {
    let (mut cursor, mut found) = ("0".to_string(), Vec::new());
    loop {
        let mut request = vec![scan.name.to_string()];
        request.extend(scan.key.map(String::from));
        request.push(cursor);
        request.extend(options.iter().map(|word| word.to_string()));
        let Reply::Array(reply) = run(keyspace, &request) else {
            panic!("a scan gives a cursor and a page")
        };
        cursor = text(&reply[0]);
        let position: u64 = cursor.parse().expect("a cursor is a number of 64 bits");
        assert_eq!(cursor, position.to_string(), "a cursor is decimal");
        match &reply[1] {
            Reply::Array(page) | Reply::Set(page) => {
                let step = if scan.pairs { 2 } else { 1 };
                found.extend(page.iter().step_by(step).map(text));
            }
            Reply::Map(page) | Reply::Pairs(page) => found.extend(page.iter().map(|(name, _)| text(name))),
            other => panic!("{other:?} is no page"),
        }
        if position == 0 {
            return found;
        }
    }
}

/// Adds a wave of elements and takes it away again, until it is told to stop.
fn wave(keyspace: &Keyspace, scan: &Scan, seed: u64, stop: &AtomicBool) {
    let mut rng = Rng::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let height = 1 + rng.below(WAVE);
        for change in [scan.add, scan.remove] {
            for n in 0..height {
                run(keyspace, &change(&format!("passing:{seed}:{n}")));
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }
}

#[test]
fn what_stays_is_returned_whatever_other_threads_do() {
    let keyspace = Keyspace::new();
    for scanned in &SCANNED {
        run(&keyspace, &words(&["FLUSHALL"]));
        let stable: HashSet<String> = (0..STABLE).map(|n| format!("stable:{n}")).collect();
        stable
            .iter()
            .for_each(|name| drop(run(&keyspace, &(scanned.add)(name))));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for seed in 0..WRITERS {
                let (keyspace, stop) = (&keyspace, &stop);
                scope.spawn(move || wave(keyspace, scanned, seed, stop));
            }
            for round in 0..SCANS {
                let count = ["1", "7", "10", "100", "1000"][round % 5];
                let found: HashSet<String> =
                    scan(&keyspace, scanned, &["COUNT", count]).into_iter().collect();
                let missed: Vec<_> = stable.difference(&found).take(3).collect();
                assert!(
                    missed.is_empty(),
                    "{} COUNT {count} missed {missed:?}",
                    scanned.name
                );
            }
            stop.store(true, Ordering::Relaxed);
        });
        keyspace.verify();
    }
}

#[test]
fn nothing_is_returned_twice_while_nothing_changes() {
    let keyspace = Keyspace::new();
    for scanned in &SCANNED {
        run(&keyspace, &words(&["FLUSHALL"]));
        for n in 0..STABLE {
            run(&keyspace, &(scanned.add)(&format!("stable:{n}")));
        }
        for count in ["1", "13", "100000"] {
            let found = scan(&keyspace, scanned, &["COUNT", count]);
            assert_eq!(found.len(), STABLE, "{} COUNT {count}", scanned.name);
            assert_eq!(found.iter().collect::<HashSet<_>>().len(), STABLE);
        }
        let ending = scan(&keyspace, scanned, &["COUNT", "50", "MATCH", "*99"]);
        assert_eq!(ending.len(), STABLE / 100, "{} with a pattern", scanned.name);
    }
}

#[test]
fn a_type_is_a_filter_and_any_cursor_is_an_answer() {
    let keyspace = Keyspace::new();
    for n in 0..500 {
        for scanned in &SCANNED {
            run(&keyspace, &(scanned.add)(&format!("stable:{n}")));
        }
        run(&keyspace, &words(&["RPUSH", &format!("list:{n}"), "x"]));
    }
    let keys = &SCANNED[0];
    let of = |kind: &str| scan(&keyspace, keys, &["COUNT", "20", "TYPE", kind]).len();
    assert_eq!(
        ["string", "hash", "set", "zset", "list", "LIST", "stream"].map(of),
        [500, 1, 1, 1, 500, 500, 0]
    );
    for cursor in ["18446744073709551615", "9223372036854775808", "12345"] {
        for scanned in &SCANNED {
            let mut request = vec![scanned.name.to_string()];
            request.extend(scanned.key.map(String::from));
            request.push(cursor.to_string());
            assert!(matches!(run(&keyspace, &request), Reply::Array(parts) if parts.len() == 2));
        }
    }
}
