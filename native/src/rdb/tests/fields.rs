//! Hashes whose fields expire.

use super::canonical;
use super::fixtures::fixtures;
use super::writing::{load, write};
use crate::command::testing::TestDb;
use crate::keyspace::{Keyspace, Scope};
use crate::rdb::write::Refusal;
use crate::rdb::{LoadOptions, Reader, Requests, Snapshot, Unwritable, WriteOptions};
use crate::reply::Reply;

/// A small and a large hash, each with fields that expire and fields that do not, in an order that is not by expiry.
fn filled() -> TestDb {
    let db = TestDb::new();
    let long = "x".repeat(65);
    for (key, fields) in [("small", 10), ("large", 1000)] {
        for n in 0..fields {
            db.run(&["HSET", key, &format!("f{n}"), &n.to_string()]);
            if n % 3 != 1 {
                let ms = (1000 + n * 7919 % 5000).to_string();
                db.run(&["HPEXPIRE", key, &ms, "FIELDS", "1", &format!("f{n}")]);
            }
        }
        db.run(&["HDEL", key, "f2"]);
    }
    db.run(&["HSET", "text", "long", &long]);
    db.run(&["HSET", "lost", "f", "v"]);
    db.run(&["HPEXPIRE", "lost", "5", "FIELDS", "1", "f"]);
    db.run(&["HPERSIST", "lost", "FIELDS", "1", "f"]);
    db
}

const KEYS: [&str; 4] = ["small", "large", "text", "lost"];

fn at(db: &TestDb) -> LoadOptions {
    LoadOptions {
        db: None,
        now_ms: db.now_ms(),
    }
}

fn fields_of(keyspace: &Keyspace, key: &str) -> Reply {
    let words: [&[u8]; 2] = [b"HGETALL", key.as_bytes()];
    crate::command::execute_now(keyspace, &words).expect("is a hash")
}

fn sorted_fields(db: &TestDb, key: &str) -> Vec<String> {
    let mut fields = db.texts(&["HKEYS", key]);
    fields.sort();
    fields
}

#[test]
fn version_12_brings_every_expiry_back() {
    let db = filled();
    let options = WriteOptions {
        version: 12,
        ..Default::default()
    };
    let bytes = write(&db.keyspace, options, 10_000);
    let target = TestDb::new();
    load(&bytes, at(&db), &target.keyspace).expect("is sound");
    assert_eq!(target.keyspace.digest(), db.keyspace.digest());
    for (key, encoding) in KEYS
        .iter()
        .zip(["listpackex", "hashtable", "hashtable", "listpack"])
    {
        assert_eq!(target.texts(&["OBJECT", "ENCODING", key]), [encoding], "{key}");
    }
    assert_eq!(
        fields_of(&target.keyspace, "large"),
        fields_of(&db.keyspace, "large")
    );
    target.advance(10_000);
    assert_eq!(sorted_fields(&target, "small"), ["f1", "f4", "f7"]);
}

#[test]
fn an_exact_snapshot_keeps_order_and_form() {
    let db = filled();
    db.run(&["HPERSIST", "large", "FIELDS", "2", "f3", "f5"]);
    let options = WriteOptions {
        exact: true,
        ..Default::default()
    };
    let bytes = write(&db.keyspace, options, 1);
    let target = TestDb::new();
    load(&bytes, at(&db), &target.keyspace).expect("is sound");
    for step in 0..8 {
        assert_eq!(target.keyspace.digest(), db.keyspace.digest(), "step {step}");
        for key in KEYS {
            let encoding = ["OBJECT", "ENCODING", key];
            assert_eq!(target.texts(&encoding), db.texts(&encoding));
            assert_eq!(fields_of(&target.keyspace, key), fields_of(&db.keyspace, key));
        }
        db.advance(777);
        target.advance(777);
    }
}

#[test]
fn an_older_version_is_refused_and_names_the_key() {
    let db = filled();
    db.run(&["DEL", "large"]);
    for version in 9..12 {
        let options = WriteOptions {
            version,
            ..Default::default()
        };
        let Err(Refusal::Unwritable(refusal)) = Snapshot::whole(&db.keyspace, options) else {
            panic!("was written")
        };
        let key = b"small".to_vec();
        assert_eq!(refusal, Unwritable { key, version });
        let text = "'small' is a hash with fields that expire, which RDB version";
        assert!(refusal.to_string().starts_with(text), "{refusal}");
        assert!(!db.keyspace.is_cut());
    }
}

#[test]
fn payloads_carry_expiries() {
    let db = filled();
    for key in KEYS {
        let Reply::Bulk(payload) = db.run(&["DUMP", key]) else {
            panic!("no payload")
        };
        let newest = key == "small" || key == "large";
        assert_eq!(payload[payload.len() - 10], if newest { 12 } else { 10 });
        let words: [&[u8]; 5] = [b"RESTORE", key.as_bytes(), b"0", &payload, b"REPLACE"];
        let before = db.keyspace.digest();
        assert_eq!(db.run_bytes(&words), Reply::OK);
        assert_eq!(db.keyspace.digest(), before);
    }
    let Reply::Bulk(payload) = db.run(&["DUMP", "small"]) else {
        panic!("no payload")
    };
    db.advance(100_000);
    assert_eq!(db.run_bytes(&[b"RESTORE", b"later", b"0", &payload]), Reply::OK);
    assert_eq!(sorted_fields(&db, "later"), ["f1", "f4", "f7"]);
}

#[test]
fn a_payload_of_nothing_but_due_fields_leaves_no_key() {
    let db = TestDb::new();
    db.run(&["HSET", "h", "f", "v"]);
    db.run(&["HPEXPIRE", "h", "5", "FIELDS", "1", "f"]);
    let Reply::Bulk(payload) = db.run(&["DUMP", "h"]) else {
        panic!("no payload")
    };
    db.advance(5);
    assert_eq!(db.run_bytes(&[b"RESTORE", b"h", b"0", &payload]), Reply::OK);
    assert_eq!(db.int(&["EXISTS", "h"]), 0);
}

/// A file of Valkey 9 with a hash of its own type: `f` without an expiry, `g` with one.
pub fn valkey_file(expire_at_ms: i64) -> Vec<u8> {
    let mut bytes = b"VALKEY080\x16\x01h\x02\x01f\x011".to_vec();
    bytes.extend_from_slice(&(-1i64).to_le_bytes());
    bytes.extend_from_slice(b"\x01g\x012");
    bytes.extend_from_slice(&expire_at_ms.to_le_bytes());
    bytes.push(0xff);
    let checksum = crate::rdb::Checksum::of(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn requests_carry_expiries_from_either_family() {
    let db = TestDb::new();
    let (mut reader, mut requests) = (Reader::default(), Requests::new(0));
    reader
        .push(&valkey_file(db.now_ms() + 50), &mut requests)
        .expect("is sound");
    let records = requests.take();
    let words = super::writing::words_of(&records[6..]);
    assert_eq!(db.run_bytes(&words), Reply::OK);
    assert_eq!(
        db.run(&["HPTTL", "h", "FIELDS", "2", "f", "g"]),
        Reply::Array(vec![Reply::Int(-1), Reply::Int(50)])
    );
}

#[test]
fn files_of_real_servers_come_back_as_they_were() {
    let Some(root) = fixtures() else { return };
    let bytes = std::fs::read(root.join("synthetic/valid/v12-hash-field-ttl.rdb")).expect("is there");
    let target = Keyspace::with_log_clock(0);
    let options = LoadOptions { db: None, now_ms: 0 };
    load(&bytes, options, &target).expect("is sound");
    let mut wanted = keys_of(&canonical(std::iter::once(&bytes[..])).expect("is sound"));
    for exact in [false, true] {
        let options = WriteOptions {
            version: 12,
            exact,
            ..Default::default()
        };
        let written = write(&target, options, 1 << 20);
        let mut found = keys_of(&canonical(std::iter::once(&written[..])).expect("is sound"));
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted);
        assert_eq!(found.len(), 4);
    }
    assert!(!target.db(Scope::All).is_empty());
}

/// The objects in the list of keys of a canonical JSON, without what tells of their layout.
fn keys_of(json: &str) -> Vec<String> {
    let keys = &json[json.find("\"keys\"").expect("has keys")..];
    let told = |key: &str| {
        let facts = key
            .lines()
            .map(str::trim)
            .filter(|line| !line.contains("rdb_type"));
        let facts: String = facts.collect();
        facts.trim_end_matches(|c| "},]".contains(c)).to_string()
    };
    keys.split("{\n").skip(1).map(told).collect()
}
