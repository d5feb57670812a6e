//! Limits of collections other than the default ones.

use crate::command::testing::TestDb;
use crate::keyspace::Keyspace;
use crate::value::stream::StreamId;
use crate::value::{Limits, LimitsRef, StreamValue};

const TIGHT: Limits = Limits {
    hash_entries: 3,
    hash_bytes: 8,
    set_entries: 3,
    set_bytes: 8,
    intset_entries: 2,
    zset_entries: 3,
    zset_bytes: 8,
    list_size: 2,
    hll_sparse_bytes: 100,
    stream_node_bytes: 0,
    stream_node_entries: 2,
};

fn tight() -> TestDb {
    let mut db = TestDb::new();
    db.keyspace = Keyspace::with_log_clock(db.now_ms()).limited(LimitsRef::of(TIGHT).expect("there is room"));
    db
}

fn encoding(db: &TestDb, key: &str) -> String {
    db.texts(&["OBJECT", "ENCODING", key]).remove(0)
}

/// Runs `request` with one more word at a time, and gives the encodings of the key `k`.
fn encodings(db: &TestDb, command: &str, words: &[&[&str]]) -> Vec<String> {
    let step = |words: &&[&str]| {
        db.run(&[&[command, "k"], *words].concat());
        encoding(db, "k")
    };
    words.iter().map(step).collect()
}

#[test]
fn every_collection_keeps_to_the_limits_of_its_keyspace() {
    let db = tight();
    let hash: &[&[&str]] = &[&["a", "1"], &["b", "2"], &["c", "3"], &["d", "4"]];
    assert_eq!(
        encodings(&db, "HSET", hash),
        ["listpack", "listpack", "listpack", "hashtable"]
    );
    db.run(&["FLUSHALL"]);
    assert_eq!(
        encodings(&db, "HSET", &[&["a", "12345678"], &["a", "123456789"]]),
        ["listpack", "hashtable"]
    );
    db.run(&["FLUSHALL"]);
    let ints: &[&[&str]] = &[&["1"], &["2"], &["3"]];
    assert_eq!(encodings(&db, "SADD", ints), ["intset", "intset", "hashtable"]);
    db.run(&["FLUSHALL"]);
    let set: &[&[&str]] = &[&["a"], &["b"], &["c"], &["d"]];
    assert_eq!(
        encodings(&db, "SADD", set),
        ["listpack", "listpack", "listpack", "hashtable"]
    );
    db.run(&["FLUSHALL"]);
    let zset: &[&[&str]] = &[&["1", "a", "2", "b", "3", "c"], &["4", "d"]];
    assert_eq!(encodings(&db, "ZADD", zset), ["listpack", "skiplist"]);
    db.run(&["FLUSHALL"]);
    let list: &[&[&str]] = &[&["a", "b"], &["c"]];
    assert_eq!(encodings(&db, "RPUSH", list), ["listpack", "quicklist"]);
}

#[test]
fn what_other_commands_store_keeps_to_them_too() {
    let db = tight();
    db.run(&["SADD", "s", "a", "b", "c", "d"]);
    db.run(&["ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d"]);
    db.run(&["SUNIONSTORE", "union", "s"]);
    db.run(&["SINTERSTORE", "inter", "s", "s"]);
    db.run(&["SDIFFSTORE", "diff", "s", "none"]);
    for key in ["union", "inter", "diff"] {
        assert_eq!(encoding(&db, key), "hashtable", "{key}");
    }
    db.run(&["ZRANGESTORE", "range", "z", "0", "-1"]);
    db.run(&["ZUNIONSTORE", "zunion", "1", "z"]);
    db.run(&["ZINTERSTORE", "zinter", "1", "z"]);
    db.run(&["ZDIFFSTORE", "zdiff", "1", "z"]);
    for key in ["range", "zunion", "zinter", "zdiff"] {
        assert_eq!(encoding(&db, key), "skiplist", "{key}");
    }
    db.run(&["SORT", "s", "ALPHA", "STORE", "sorted"]);
    assert_eq!(encoding(&db, "sorted"), "quicklist");
    for key in ["s", "z", "sorted"] {
        let before = encoding(&db, key);
        db.run(&["COPY", key, "copy", "REPLACE"]);
        assert_eq!(encoding(&db, "copy"), before);
        db.run(&["SADD", "copy", "e"]);
        db.keyspace.verify();
    }
}

#[test]
fn payloads_take_the_form_that_the_limits_ask_for() {
    let (usual, db) = (TestDb::new(), tight());
    usual.run(&["HSET", "h", "a", "1", "b", "2", "c", "3", "d", "4"]);
    usual.run(&["RPUSH", "l", "a", "b", "c", "d", "e"]);
    usual.run(&["ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d"]);
    usual.run(&["SADD", "i", "1", "2", "3"]);
    for (key, form) in [
        ("h", "hashtable"),
        ("l", "quicklist"),
        ("z", "skiplist"),
        ("i", "hashtable"),
    ] {
        let crate::reply::Reply::Bulk(payload) = usual.run(&["DUMP", key]) else {
            panic!("no payload")
        };
        db.run_bytes(&[b"RESTORE", key.as_bytes(), b"0", &payload]);
        assert_eq!(encoding(&db, key), form);
        assert_ne!(encoding(&usual, key), form);
    }
    assert_eq!(usual.keyspace.digest(), db.keyspace.digest());
}

#[test]
fn a_sparse_sketch_turns_dense_at_the_limit() {
    let (usual, db) = (TestDb::new(), tight());
    for db in [&usual, &db] {
        for n in 0..100 {
            db.run(&["PFADD", "p", &n.to_string()]);
        }
    }
    assert!(usual.int(&["STRLEN", "p"]) < 1000);
    assert_eq!(db.int(&["STRLEN", "p"]), 12_304);
    assert_eq!(usual.int(&["PFCOUNT", "p"]), db.int(&["PFCOUNT", "p"]));
}

#[test]
fn nodes_of_a_stream_are_full_at_the_limit() {
    let db = tight();
    let mut stream: StreamValue = db.keyspace.db_for(b"x").create();
    for ms in 1..8 {
        stream.log_mut().append(StreamId { ms, seq: 0 }, &[(b"f", b"v")]);
    }
    assert_eq!(stream.log().nodes().len(), 4);
}
