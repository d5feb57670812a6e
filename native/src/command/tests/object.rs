use crate::command::testing::TestDb;
use crate::keyspace::{Budget, Keyspace, MemoryLimit, Policy};
use crate::reply::Reply;

const SECOND_MS: i64 = 1000;

/// A database that counts how often keys are used, and never needs to evict.
fn counting() -> TestDb {
    let budget = Budget::new(MemoryLimit {
        bytes: 1 << 40,
        policy: Policy::AllKeysLfu,
        samples: 5,
    });
    let mut db = TestDb::new();
    db.keyspace = Keyspace::with_log_clock(db.now_ms()).with_budget(budget);
    db
}

#[test]
fn idle_time_begins_anew_with_every_use_and_not_with_a_question() {
    let db = TestDb::new();
    db.run(&["SET", "k", "v"]);
    db.run(&["RPUSH", "list", "a"]);
    let idle = |key: &str| db.int(&["OBJECT", "IDLETIME", key]);
    db.advance(7 * SECOND_MS);
    for question in ["EXISTS", "TYPE", "TTL", "PTTL", "EXPIRETIME"] {
        db.run(&[question, "k"]);
    }
    db.run(&["OBJECT", "ENCODING", "k"]);
    db.run(&["SCAN", "0"]);
    db.run(&["MEMORY", "USAGE", "k"]);
    assert_eq!((idle("k"), idle("list")), (7, 7));
    let uses: [&[&str]; 6] = [
        &["GET", "k"],
        &["TOUCH", "k"],
        &["STRLEN", "k"],
        &["APPEND", "k", "x"],
        &["EXPIRE", "k", "1000"],
        &["SET", "k", "w"],
    ];
    for words in uses {
        db.advance(3 * SECOND_MS);
        assert_ne!(idle("k"), 0);
        db.run(words);
        assert_eq!(idle("k"), 0, "{words:?}");
    }
    db.advance(2 * SECOND_MS);
    db.run(&["RENAME", "k", "other"]);
    db.run(&["LLEN", "list"]);
    assert_eq!((idle("other"), idle("list")), (0, 0));
    assert_eq!(db.run(&["OBJECT", "IDLETIME", "none"]), Reply::Null);
}

#[test]
fn a_policy_by_frequency_counts_and_forgets() {
    let db = counting();
    db.run(&["SET", "k", "v"]);
    let frequency = || db.int(&["OBJECT", "FREQ", "k"]);
    assert_eq!(frequency(), 5);
    db.run(&["GET", "k"]);
    assert_eq!(frequency(), 6);
    (0..500).for_each(|_| drop(db.run(&["GET", "k"])));
    let counted = frequency();
    assert!((9..=25).contains(&counted), "{counted}");
    db.run(&["SET", "k", &"long".repeat(100)]);
    assert!(frequency() >= counted);
    db.advance(3 * 60 * SECOND_MS);
    assert!((counted - 3..=counted - 2).contains(&frequency()));
    assert_eq!(
        db.error(&["OBJECT", "IDLETIME", "k"]),
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
         policies at runtime LRU and LFU data will take some time to adjust."
    );
    assert_eq!(TestDb::new().run(&["OBJECT", "FREQ", "none"]), Reply::Null);
    let by_recency = TestDb::new();
    by_recency.run(&["SET", "k", "v"]);
    assert_eq!(
        by_recency.error(&["OBJECT", "FREQ", "k"]),
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
         between policies at runtime LRU and LFU data will take some time to adjust."
    );
}

#[test]
fn a_restored_key_has_the_usage_that_it_is_given() {
    let restored = |db: &TestDb, option: &str, value: &str| {
        db.run(&["SET", "k", "v"]);
        let Reply::Bulk(payload) = db.run(&["DUMP", "k"]) else {
            panic!("no payload")
        };
        let words = [
            b"RESTORE",
            &b"r"[..],
            b"0",
            &payload,
            b"REPLACE",
            option.as_bytes(),
            value.as_bytes(),
        ];
        assert_eq!(db.run_bytes(&words), Reply::OK);
    };
    let db = TestDb::new();
    restored(&db, "IDLETIME", "77");
    assert_eq!(db.int(&["OBJECT", "IDLETIME", "r"]), 77);
    restored(&db, "FREQ", "9");
    assert_eq!(db.int(&["OBJECT", "IDLETIME", "r"]), 0);
    let db = counting();
    restored(&db, "FREQ", "200");
    assert_eq!(db.int(&["OBJECT", "FREQ", "r"]), 200);
}

#[test]
fn memory_usage_tells_what_a_key_takes() {
    let db = TestDb::new();
    db.run(&["SET", "k", &"x".repeat(1000)]);
    let taken = db.int(&["MEMORY", "USAGE", "k"]);
    assert!((1010..1200).contains(&taken), "{taken}");
    assert_eq!(db.int(&["memory", "usage", "k", "samples", "0"]), taken);
    assert_eq!(db.run(&["MEMORY", "USAGE", "none"]), Reply::Null);
    for n in 0..2000 {
        db.run(&["HSET", "hash", &n.to_string(), "value"]);
    }
    assert!(db.int(&["MEMORY", "USAGE", "hash"]) > 2000 * 20);
    assert_eq!(
        db.error(&["MEMORY", "USAGE"]),
        "ERR wrong number of arguments for 'memory|usage' command"
    );
    assert_eq!(db.error(&["MEMORY", "USAGE", "k", "SAMPLES"]), "ERR syntax error");
    assert_eq!(
        db.error(&["MEMORY", "USAGE", "k", "SAMPLES", "-1"]),
        "ERR syntax error"
    );
    assert_eq!(
        db.error(&["MEMORY", "USAGE", "k", "SAMPLES", "x"]),
        "ERR value is not an integer or out of range"
    );
    assert_eq!(
        db.error(&["MEMORY", "WHAT"]),
        "ERR unknown subcommand 'WHAT'. Try MEMORY HELP."
    );
}

#[test]
fn object_tells_what_it_knows_and_refuses_the_rest() {
    let db = TestDb::new();
    db.run(&["SET", "k", "v"]);
    assert_eq!(db.int(&["OBJECT", "refcount", "k"]), 1);
    assert_eq!(db.run(&["OBJECT", "REFCOUNT", "none"]), Reply::Null);
    assert_eq!(db.texts(&["OBJECT", "help"])[1], "ENCODING <key>");
    assert_eq!(db.run(&["OBJECT", "ENCODING", "none"]), Reply::Null);
    assert_eq!(
        db.error(&["OBJECT", "COLOUR", "k"]),
        "ERR unknown subcommand 'COLOUR'. Try OBJECT HELP."
    );
    assert_eq!(
        db.error(&["OBJECT", "ENCODING"]),
        "ERR wrong number of arguments for 'object|encoding' command"
    );
}
