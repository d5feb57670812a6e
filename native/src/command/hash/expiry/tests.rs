use super::EXPIRE_AT_MAX_MS;
use crate::command::testing::TestDb;
use crate::keyspace::Keyspace;
use crate::random::Rng;
use crate::reply::Reply;

fn ints(db: &TestDb, words: &[&str]) -> Vec<i64> {
    let Reply::Array(items) = db.run(words) else {
        panic!("{words:?} gave no array")
    };
    let int = |item| match item {
        Reply::Int(n) => n,
        other => panic!("{words:?} gave {other:?}"),
    };
    items.into_iter().map(int).collect()
}

const FORMS: [&str; 2] = ["listpackex", "hashtable"];

/// A hash `h` with fields `a`, `b`, `c`, of which `c` expires in 5 seconds.
fn filled(form: &str) -> TestDb {
    let db = TestDb::new();
    if form == "hashtable" {
        db.run(&["HSET", "h", "long", &"x".repeat(65)]);
    }
    db.run(&["HSET", "h", "a", "1", "b", "2", "c", "3"]);
    db.run(&["HDEL", "h", "long"]);
    assert_eq!(ints(&db, &["HEXPIRE", "h", "5", "FIELDS", "1", "c"]), [1]);
    assert_eq!(db.texts(&["OBJECT", "ENCODING", "h"]), [form]);
    db
}

#[test]
fn the_documentation_s_examples() {
    let db = TestDb::new();
    let missing = ints(
        &db,
        &["HEXPIRE", "no-key", "20", "NX", "FIELDS", "2", "field1", "field2"],
    );
    assert_eq!(missing, [-2, -2]);
    db.run(&["HSET", "mykey", "field1", "hello", "field2", "world"]);
    let set = ints(
        &db,
        &[
            "HEXPIRE", "mykey", "10", "FIELDS", "3", "field1", "field2", "field3",
        ],
    );
    assert_eq!(set, [1, 1, -2]);
    assert_eq!(db.int(&["HLEN", "mykey"]), 2);
    db.advance(10_000);
    assert_eq!(db.texts(&["HGETALL", "mykey"]), [""; 0]);
    assert_eq!(db.int(&["EXISTS", "mykey"]), 0);

    db.run(&["HSET", "mykey", "field1", "hello", "field2", "world"]);
    assert_eq!(
        ints(
            &db,
            &["HEXPIRE", "mykey", "300", "FIELDS", "2", "field1", "field3"]
        ),
        [1, -2]
    );
    let remaining = ints(
        &db,
        &["HTTL", "mykey", "FIELDS", "3", "field1", "field2", "field3"],
    );
    assert_eq!(remaining, [300, -1, -2]);
    let persisted = ["HPERSIST", "mykey", "FIELDS", "3", "field1", "field2", "field3"];
    assert_eq!(ints(&db, &persisted), [1, -1, -2]);
    assert_eq!(ints(&db, &["HTTL", "mykey", "FIELDS", "1", "field1"]), [-1]);

    assert_eq!(
        ints(
            &db,
            &[
                "HEXPIREAT",
                "mykey",
                "1715704971",
                "FIELDS",
                "2",
                "field1",
                "field2"
            ]
        ),
        [1, 1]
    );
    assert_eq!(
        ints(&db, &["HEXPIRETIME", "mykey", "FIELDS", "1", "field1"]),
        [1_715_704_971]
    );
    assert_eq!(
        ints(
            &db,
            &[
                "HPEXPIREAT",
                "mykey",
                "1715704971000",
                "NX",
                "FIELDS",
                "1",
                "field1"
            ]
        ),
        [0]
    );
    assert_eq!(
        ints(&db, &["HPEXPIRETIME", "mykey", "FIELDS", "2", "field1", "x"]),
        [1_715_704_971_000, -2]
    );
}

#[test]
fn conditions() {
    for form in FORMS {
        // The fields `a`, without an expiry, and `c`, with one in 5 seconds.
        let cases = [
            ("NX", "10", [1, 0]),
            ("XX", "10", [0, 1]),
            ("GT", "10", [0, 1]),
            ("GT", "5", [0, 0]),
            ("LT", "10", [1, 0]),
            ("lt", "4", [1, 1]),
            ("LT", "5", [1, 0]),
            ("XX", "0", [0, 2]),
            ("NX", "0", [2, 0]),
        ];
        for (condition, seconds, expected) in cases {
            let db = filled(form);
            let answers = ints(
                &db,
                &["HEXPIRE", "h", seconds, condition, "FIELDS", "2", "a", "c"],
            );
            assert_eq!(answers, expected, "{condition} {seconds}");
        }
    }
}

#[test]
fn a_field_named_twice_is_changed_twice() {
    let db = filled("listpackex");
    let twice = ["HPEXPIRE", "h", "0", "FIELDS", "3", "a", "a", "b"];
    assert_eq!(ints(&db, &twice), [2, -2, 2]);
    assert_eq!(db.texts(&["HKEYS", "h"]), ["c"]);
    assert_eq!(ints(&db, &["HPEXPIREAT", "h", "1", "FIELDS", "1", "c"]), [2]);
    assert_eq!(db.int(&["EXISTS", "h"]), 0);
}

#[test]
fn times_are_told_in_both_units_and_rounded_up() {
    for form in FORMS {
        let db = filled(form);
        db.advance(1);
        let (at, now_ms) = (db.now_ms() + 4999, db.now_ms());
        assert_eq!(ints(&db, &["HPTTL", "h", "FIELDS", "2", "c", "a"]), [4999, -1]);
        assert_eq!(ints(&db, &["HTTL", "h", "FIELDS", "1", "c"]), [5]);
        assert_eq!(ints(&db, &["HPEXPIRETIME", "h", "FIELDS", "1", "c"]), [at]);
        db.run(&["HPEXPIREAT", "h", &(now_ms + 1).to_string(), "FIELDS", "1", "c"]);
        assert_eq!(
            ints(&db, &["HEXPIRETIME", "h", "FIELDS", "1", "c"]),
            [(now_ms + 1000) / 1000]
        );
        assert_eq!(ints(&db, &["HTTL", "h", "FIELDS", "1", "c"]), [1]);
    }
}

#[test]
fn writes_keep_or_clear_the_expiry() {
    for form in FORMS {
        let ttl = |db: &TestDb| ints(db, &["HPTTL", "h", "FIELDS", "1", "c"])[0];
        let db = filled(form);
        assert_eq!(db.int(&["HINCRBY", "h", "c", "4"]), 7);
        assert_eq!(db.texts(&["HINCRBYFLOAT", "h", "c", "0.5"]), ["7.5"]);
        assert_eq!(db.int(&["HSETNX", "h", "c", "x"]), 0);
        assert_eq!(ttl(&db), 5000);
        assert_eq!(db.int(&["HSET", "h", "c", "9"]), 0);
        assert_eq!(ttl(&db), -1);
        db.run(&["HEXPIRE", "h", "5", "FIELDS", "1", "c"]);
        db.run(&["HMSET", "h", "c", "9"]);
        assert_eq!(ttl(&db), -1);
        db.run(&["HEXPIRE", "h", "5", "FIELDS", "1", "c"]);
        db.run(&["HDEL", "h", "c"]);
        db.run(&["HSET", "h", "c", "1"]);
        assert_eq!(ttl(&db), -1);
    }
}

#[test]
fn a_due_field_is_no_field() {
    for form in FORMS {
        let db = filled(form);
        db.advance(5000);
        assert_eq!(db.run(&["HGET", "h", "c"]), Reply::Null);
        assert_eq!(db.texts(&["HMGET", "h", "a", "c"]), ["1", "(nil)"]);
        assert_eq!((db.int(&["HLEN", "h"]), db.int(&["HEXISTS", "h", "c"])), (2, 0));
        assert_eq!(db.int(&["HSTRLEN", "h", "c"]), 0);
        let sorted = |words: &[&str]| {
            let mut texts = db.texts(words);
            texts.sort();
            texts
        };
        assert_eq!(sorted(&["HKEYS", "h"]), ["a", "b"]);
        assert_eq!(sorted(&["HVALS", "h"]), ["1", "2"]);
        assert_eq!(sorted(&["HSCAN", "h", "0"]), ["0", "1", "2", "a", "b"]);
        assert_eq!(sorted(&["HRANDFIELD", "h", "10"]), ["a", "b"]);
        assert_eq!(ints(&db, &["HTTL", "h", "FIELDS", "1", "c"]), [-2]);
        assert_eq!(ints(&db, &["HPERSIST", "h", "FIELDS", "1", "c"]), [-2]);
        assert_eq!(db.int(&["HDEL", "h", "c"]), 0);
        assert_eq!(db.int(&["HSETNX", "h", "c", "new"]), 1);
        assert_eq!(ints(&db, &["HTTL", "h", "FIELDS", "1", "c"]), [-1]);
        db.run(&["HPEXPIRE", "h", "1", "FIELDS", "1", "c"]);
        db.advance(1);
        assert_eq!(db.int(&["HINCRBY", "h", "c", "1"]), 1);
    }
}

#[test]
fn a_hash_goes_with_its_last_field() {
    for form in FORMS {
        let db = filled(form);
        db.run(&["HEXPIRE", "h", "7", "FIELDS", "2", "a", "b"]);
        db.run(&["SET", "other", "x"]);
        db.advance(6999);
        assert_eq!(db.int(&["EXISTS", "h"]), 1);
        db.advance(1);
        assert_eq!((db.int(&["DBSIZE"]), db.int(&["EXISTS", "h"])), (1, 0));
        assert_eq!(db.texts(&["TYPE", "h"]), ["none"]);
        assert_eq!(db.texts(&["KEYS", "*"]), ["other"]);
        assert_eq!(db.int(&["LPUSH", "h", "now a list"]), 1);
    }
}

#[test]
fn expiries_go_where_the_hash_goes() {
    for form in FORMS {
        let db = filled(form);
        db.run(&["COPY", "h", "copy"]);
        db.run(&["RENAME", "h", "moved"]);
        for key in ["copy", "moved"] {
            assert_eq!(db.texts(&["OBJECT", "ENCODING", key]), [form]);
            assert_eq!(ints(&db, &["HPTTL", key, "FIELDS", "2", "a", "c"]), [-1, 5000]);
        }
        db.run(&["HPERSIST", "moved", "FIELDS", "1", "c"]);
        db.advance(5000);
        assert_eq!((db.int(&["HLEN", "copy"]), db.int(&["HLEN", "moved"])), (2, 3));
    }
}

#[test]
fn misuse_is_refused_in_the_words_of_redis() {
    let db = filled("listpackex");
    db.run(&["SET", "s", "x"]);
    let too_late = (EXPIRE_AT_MAX_MS + 1).to_string();
    let too_late_s = (EXPIRE_AT_MAX_MS / 1000 + 1).to_string();
    let relative = (EXPIRE_AT_MAX_MS - db.now_ms() + 1).to_string();
    let misplaced = "ERR Mandatory argument FIELDS is missing or not at the right position";
    let mismatch = "ERR The `numfields` parameter must match the number of arguments";
    let positive = "ERR Parameter `numFields` should be greater than 0";
    let number = "ERR Number of fields must be a positive integer";
    let wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
    let cases: &[(&[&str], &str)] = &[
        (
            &["HEXPIRE", "h", "1", "FIELDS", "1"],
            "ERR wrong number of arguments for 'hexpire' command",
        ),
        (
            &["HTTL", "h", "FIELDS", "1"],
            "ERR wrong number of arguments for 'httl' command",
        ),
        (&["HEXPIRE", "s", "x", "FIELDS", "1", "f"], wrong_type),
        (&["HTTL", "s", "x", "1", "f"], wrong_type),
        (&["HPERSIST", "s", "x", "1", "f"], wrong_type),
        (
            &["HEXPIRE", "h", "x", "FIELDS", "1", "f"],
            "ERR value is not an integer or out of range",
        ),
        (
            &["HEXPIRE", "h", "-1", "FIELDS", "1", "f"],
            "ERR invalid expire time, must be >= 0",
        ),
        (
            &["HEXPIREAT", "h", &too_late_s, "FIELDS", "1", "f"],
            "ERR invalid expire time in 'hexpireat' command",
        ),
        (
            &["HPEXPIREAT", "h", &too_late, "FIELDS", "1", "f"],
            "ERR invalid expire time in 'hpexpireat' command",
        ),
        (
            &["HPEXPIRE", "h", &relative, "FIELDS", "1", "f"],
            "ERR invalid expire time in 'hpexpire' command",
        ),
        (
            &["HEXPIRE", "h", "9223372036854775807", "FIELDS", "1", "f"],
            "ERR invalid expire time in 'hexpire' command",
        ),
        (&["HEXPIRE", "h", "1", "YY", "FIELDS", "1", "f"], misplaced),
        (&["HEXPIRE", "h", "1", "NX", "XX", "FIELDS", "1", "f"], misplaced),
        (&["HEXPIRE", "h", "1", "FIELDS", "0", "f"], positive),
        (&["HEXPIRE", "h", "1", "NX", "FIELDS", "x", "f"], positive),
        (&["HEXPIRE", "h", "1", "NX", "FIELDS", "1"], mismatch),
        (&["HEXPIRE", "h", "1", "FIELDS", "2", "f"], mismatch),
        (&["HTTL", "h", "FIELD", "1", "f"], misplaced),
        (&["HPTTL", "h", "FIELDS", "0", "f"], number),
        (
            &["HEXPIRETIME", "h", "FIELDS", "9223372036854775808", "f"],
            number,
        ),
        (&["HPEXPIRETIME", "h", "FIELDS", "1", "f", "g"], mismatch),
        (&["HPERSIST", "h", "FIELDS", "-1", "f"], number),
        (&["HPERSIST", "missing", "FIELDS", "3", "f"], mismatch),
    ];
    for (words, text) in cases {
        assert_eq!(db.error(words), *text, "{words:?}");
    }
    let last = EXPIRE_AT_MAX_MS.to_string();
    assert_eq!(ints(&db, &["HPEXPIREAT", "h", &last, "FIELDS", "1", "a"]), [1]);
}

#[test]
fn a_due_field_is_freed_without_anybody_asking_for_it() {
    let db = filled("hashtable");
    let before = db.keyspace.statistics();
    assert_eq!(db.keyspace.next_due(), Some(db.now_ms() + 5000));
    db.advance(5000);
    assert_eq!(db.keyspace.reclaim(10), 1);
    assert_eq!((db.keyspace.reclaim(10), db.keyspace.next_due()), (0, None));
    assert!(db.keyspace.statistics().memory() < before.memory());
    db.keyspace.verify();
}

/// A random request about one of a few hashes.
fn request(rng: &mut Rng) -> Vec<String> {
    let key = format!("h{}", rng.below(4));
    let field = format!("f{}", rng.below(12));
    let ms = (1 + rng.below(60)).to_string();
    let pattern = format!("h*->{field}");
    let words: Vec<&str> = match rng.below(18) {
        0..4 => vec!["HSET", &key, &field, &ms],
        4..7 => vec!["HPEXPIRE", &key, &ms, "FIELDS", "1", &field],
        7 => vec!["HPERSIST", &key, "FIELDS", "1", &field],
        8 => vec!["HDEL", &key, &field],
        9 => vec!["HINCRBY", &key, &field, "1"],
        10 => vec!["COPY", &key, "h0", "REPLACE"],
        11 => vec!["HSET", &key, &field, LONG],
        12 => vec!["HSCAN", &key, "0", "COUNT", "3"],
        13 => vec!["EXISTS", &key],
        14 => vec!["DBSIZE"],
        15 => vec!["SCAN", "0", "TYPE", "hash"],
        16 => vec!["SORT", "ids", "BY", "nosort", "GET", &pattern],
        _ => vec![
            "HRANDFIELD",
            &key,
            if rng.below(2) == 0 { "3" } else { "-3" },
            "WITHVALUES",
        ],
    };
    words.into_iter().map(String::from).collect()
}

/// Makes a table of a hash.
const LONG: &str = "a value that is too long for a small hash, because it has more than 64 bytes";

#[test]
fn nobody_can_tell_when_a_peer_freed_what_was_due() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let (eager, lazy) = (Keyspace::with_log_clock(0), Keyspace::with_log_clock(0));
        let mut now_ms = 0;
        for peer in [&eager, &lazy] {
            let words: [&[u8]; 6] = [b"RPUSH", b"ids", b"0", b"1", b"2", b"3"];
            crate::command::execute(peer, &words, 0, 0).expect("it is sound");
        }
        for ordinal in 0..400 {
            now_ms += rng.below(12) as i64;
            let words = request(&mut rng);
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            let replies = [&eager, &lazy].map(|keyspace| {
                keyspace.set_log_ms(now_ms);
                if std::ptr::eq(keyspace, &eager) && rng.below(3) > 0 {
                    keyspace.reclaim(1 + rng.below(3));
                }
                let seed = seed << 32 | ordinal;
                if ordinal % 4 == 0 {
                    let requests: [&[&[u8]]; 3] = [&[b"KEYS", b"none"], &words, &[b"DBSIZE"]];
                    crate::command::execute_transaction(keyspace, &requests, now_ms, seed)
                } else {
                    crate::command::execute(keyspace, &words, now_ms, seed)
                }
            });
            assert_eq!(replies[0], replies[1], "seed {seed}, request {ordinal}");
        }
        assert_eq!(eager.digest(), lazy.digest(), "seed {seed}");
        eager.verify();
        lazy.verify();
    }
}

/// A hash of so many fields, due after 100 ms, and one that stays, on two peers.
fn two_peers(fields: usize, lasting: usize) -> [Keyspace; 2] {
    let peers = [Keyspace::with_log_clock(0), Keyspace::with_log_clock(0)];
    for peer in &peers {
        for n in 0..fields + lasting {
            let name = format!("f{n}");
            let run = |words: &[&[u8]]| crate::command::execute(peer, words, 0, 1).expect("it is sound");
            run(&[b"HSET", b"h", name.as_bytes(), b"v"]);
            if n < fields {
                run(&[b"HPEXPIRE", b"h", b"100", b"FIELDS", b"1", name.as_bytes()]);
            }
        }
    }
    peers
}

#[test]
fn many_due_fields_are_invisible_at_once_and_removed_a_few_at_a_time() {
    for (fields, lasting) in [(3000, 700), (6000, 10)] {
        let [eager, lazy] = two_peers(fields, lasting);
        let full = lazy.statistics().memory();
        for peer in [&eager, &lazy] {
            peer.set_log_ms(100);
        }
        while eager.reclaim(32) > 0 {}
        assert_eq!(eager.next_due(), None);
        let requests: [&[&[u8]]; 9] = [
            &[b"HLEN", b"h"],
            &[b"HGETALL", b"h"],
            &[b"HRANDFIELD", b"h", b"-20"],
            &[b"HEXISTS", b"h", b"f1"],
            &[b"HPERSIST", b"h", b"FIELDS", b"1", b"f2"],
            &[b"HSETNX", b"h", b"f3", b"new"],
            &[b"HPEXPIRE", b"h", b"900", b"FIELDS", b"1", b"f3"],
            &[b"COPY", b"h", b"h2"],
            &[b"RENAME", b"h", b"h3"],
        ];
        for (words, seed) in requests.into_iter().zip(0..) {
            let [first, second] = [&eager, &lazy].map(|peer| crate::command::execute(peer, words, 100, seed));
            assert_eq!(first, second, "{words:?}");
        }
        assert_eq!(eager.digest(), lazy.digest());
        lazy.verify();
        while lazy.reclaim(500) > 0 {}
        lazy.verify();
        assert_eq!(eager.digest(), lazy.digest());
        assert!(lazy.statistics().memory() < full);
        let scan = |peer| crate::command::execute(peer, &[b"HSCAN", b"h3", b"0", b"COUNT", b"99"], 100, 0);
        assert_eq!(scan(&eager), scan(&lazy));
    }
}

#[test]
fn many_hashes_with_a_due_field_cost_a_command_nothing() {
    let db = TestDb::new();
    for n in 0..3000 {
        let key = format!("h{n}");
        db.run(&["HSET", &key, "goes", "v"]);
        if n % 2 == 0 {
            db.run(&["HSET", &key, "stays", "v"]);
        }
        db.run(&["HPEXPIRE", &key, "100", "FIELDS", "1", "goes"]);
    }
    db.run(&["PEXPIRE", "h1", "500"]);
    let full = db.keyspace.statistics();
    assert_eq!(full.expires, 1);
    db.keyspace.set_log_ms(db.now_ms() + 100);
    db.advance(100);
    assert_eq!(db.int(&["DBSIZE"]), 1500);
    assert_eq!(db.int(&["EXISTS", "h0", "h1", "h3", "h4"]), 2);
    assert_eq!(db.texts(&["HGETALL", "h0"]), ["stays", "v"]);
    assert_eq!(db.int(&["HSET", "h5", "new", "v"]), 1);
    assert_eq!(db.int(&["HLEN", "h5"]), 1);
    let left = db.keyspace.statistics();
    assert_eq!(
        (left.keys, left.expires),
        (full.keys, 1),
        "nobody has removed the others"
    );
    assert_eq!(db.keyspace.reclaim(100), 100);
    db.keyspace.verify();
    let Reply::Array(scanned) = db.run(&["SCAN", "0", "COUNT", "5000"]) else {
        panic!("a cursor and keys")
    };
    assert!(matches!(&scanned[1], Reply::Array(keys) if keys.len() == 1501));
    while db.keyspace.reclaim(100) > 0 {}
    db.keyspace.verify();
    assert_eq!((db.keyspace.statistics().keys, db.int(&["DBSIZE"])), (1501, 1501));
    assert_eq!(db.keyspace.statistics().expires, 0);
}
