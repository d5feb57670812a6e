use super::super::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;

fn encoding(db: &TestDb, key: &str) -> &'static str {
    db.keyspace
        .db_for(key.as_bytes())
        .encoding(key.as_bytes())
        .expect("the key is there")
}

/// A hash of `fields` fields `f0`.. with values `v0`.., in each form.
fn filled(fields: usize, expected: &str) -> TestDb {
    let db = TestDb::new();
    for n in 0..fields {
        db.run(&["HSET", "h", &format!("f{n}"), &format!("v{n}")]);
    }
    if expected == "hashtable" {
        db.run(&["HSET", "h", "long", &"x".repeat(65)]);
        db.run(&["HDEL", "h", "long"]);
    }
    assert_eq!(encoding(&db, "h"), expected);
    db
}

const FORMS: [&str; 2] = ["listpack", "hashtable"];

#[test]
fn fields_are_set_read_and_removed_in_each_form() {
    for form in FORMS {
        let db = filled(3, form);
        assert_eq!(db.int(&["HSET", "h", "f1", "one", "new", "4", "new", "5"]), 1);
        assert_eq!(db.texts(&["HGET", "h", "f1"]), ["one"]);
        assert_eq!(
            db.texts(&["HMGET", "h", "f0", "nope", "new"]),
            ["v0", "(nil)", "5"]
        );
        assert_eq!(
            db.texts(&["HGETALL", "h"]),
            ["f0", "v0", "f1", "one", "f2", "v2", "new", "5"]
        );
        assert_eq!(db.texts(&["HKEYS", "h"]), ["f0", "f1", "f2", "new"]);
        assert_eq!(db.texts(&["HVALS", "h"]), ["v0", "one", "v2", "5"]);
        assert_eq!(db.int(&["HLEN", "h"]), 4);
        assert_eq!(db.int(&["HEXISTS", "h", "new"]), 1);
        assert_eq!(db.int(&["HEXISTS", "h", "nope"]), 0);
        assert_eq!(db.int(&["HSTRLEN", "h", "f1"]), 3);
        assert_eq!(db.int(&["HDEL", "h", "f0", "nope", "f0"]), 1);
        assert_eq!(
            db.texts(&["HKEYS", "h"]),
            ["new", "f1", "f2"],
            "the last field fills the hole"
        );
        assert_eq!(encoding(&db, "h"), form);
    }
}

#[test]
fn replies_have_the_kinds_of_redis() {
    let db = filled(1, "listpack");
    let pair = (Reply::bulk(b"f0"), Reply::bulk(b"v0"));
    assert_eq!(db.run(&["HGETALL", "h"]), Reply::Map(vec![pair.clone()]));
    assert_eq!(
        db.run(&["HRANDFIELD", "h", "1", "WITHVALUES"]),
        Reply::Pairs(vec![pair])
    );
    assert_eq!(db.run(&["HMSET", "h", "a", "b"]), Reply::OK);
    assert_eq!(
        db.run(&["HVALS", "h"]),
        Reply::Array(vec![Reply::bulk(b"v0"), Reply::bulk(b"b")])
    );
}

#[test]
fn a_missing_key_is_an_empty_hash() {
    let db = TestDb::new();
    for command in ["HGETALL", "HKEYS", "HVALS"] {
        assert!(db.texts(&[command, "h"]).is_empty());
    }
    assert_eq!(db.run(&["HGET", "h", "f"]), Reply::Null);
    assert_eq!(
        db.run(&["HMGET", "h", "f", "g"]),
        Reply::Array(vec![Reply::Null, Reply::Null])
    );
    for command in ["HEXISTS", "HSTRLEN", "HDEL"] {
        assert_eq!(db.int(&[command, "h", "f"]), 0);
    }
    assert_eq!(db.int(&["HLEN", "h"]), 0);
    assert_eq!(db.run(&["HRANDFIELD", "h"]), Reply::Null);
    assert_eq!(db.run(&["HRANDFIELD", "h", "-5"]), Reply::Array(vec![]));
    assert_eq!(
        db.texts(&["HSCAN", "h", "0", "whatever"]),
        ["0"],
        "options are not even looked at"
    );
}

#[test]
fn another_type_is_refused_and_left_alone() {
    let db = TestDb::new();
    db.run(&["SADD", "s", "a"]);
    let requests: [&[&str]; 16] = [
        &["HSET", "s", "f", "v"],
        &["HMSET", "s", "f", "v"],
        &["HSETNX", "s", "f", "v"],
        &["HGET", "s", "f"],
        &["HMGET", "s", "f"],
        &["HGETALL", "s"],
        &["HKEYS", "s"],
        &["HVALS", "s"],
        &["HDEL", "s", "f"],
        &["HEXISTS", "s", "f"],
        &["HLEN", "s"],
        &["HSTRLEN", "s", "f"],
        &["HINCRBY", "s", "f", "1"],
        &["HINCRBYFLOAT", "s", "f", "1"],
        &["HRANDFIELD", "s"],
        &["HSCAN", "s", "0"],
    ];
    for request in requests {
        assert_eq!(db.status(request), Status::WrongType, "{request:?}");
    }
    assert_eq!(db.texts(&["SMEMBERS", "s"]), ["a"]);
}

#[test]
fn a_field_without_a_value_is_refused() {
    let db = TestDb::new();
    for command in ["hset", "hmset"] {
        let text = format!("ERR wrong number of arguments for '{command}' command");
        assert_eq!(db.error(&[command, "h", "a", "1", "b"]), text);
        assert_eq!(db.error(&[command, "h", "a"]), text);
    }
    assert_eq!(db.int(&["HLEN", "h"]), 0);
}

#[test]
fn removing_the_last_field_removes_the_key() {
    for form in FORMS {
        let db = filled(2, form);
        assert_eq!(db.int(&["HDEL", "h", "f0", "f1"]), 2);
        assert!(!db.keyspace.db_for(b"h").exists(b"h"));
    }
}

#[test]
fn hsetnx_sets_only_a_new_field() {
    let db = TestDb::new();
    assert_eq!(db.int(&["HSETNX", "h", "f", "1"]), 1);
    assert_eq!(db.int(&["HSETNX", "h", "f", "2"]), 0);
    assert_eq!(db.texts(&["HGET", "h", "f"]), ["1"]);
}

#[test]
fn increments_by_integers() {
    for form in FORMS {
        let db = filled(1, form);
        assert_eq!(db.int(&["HINCRBY", "h", "n", "5"]), 5);
        assert_eq!(db.int(&["HINCRBY", "h", "n", "-7"]), -2);
        assert_eq!(db.texts(&["HGET", "h", "n"]), ["-2"]);
        assert_eq!(
            db.error(&["HINCRBY", "h", "f0", "1"]),
            "ERR hash value is not an integer"
        );
        assert_eq!(db.status(&["HINCRBY", "h", "n", "x"]), Status::NotInteger);
        db.run(&["HSET", "h", "n", &i64::MAX.to_string()]);
        assert_eq!(db.status(&["HINCRBY", "h", "n", "1"]), Status::Overflow);
        assert_eq!(db.int(&["HINCRBY", "h", "n", &i64::MIN.to_string()]), -1);
        db.run(&["HSET", "h", "spaced", " 1", "empty", ""]);
        for field in ["spaced", "empty"] {
            assert_eq!(
                db.error(&["HINCRBY", "h", field, "1"]),
                "ERR hash value is not an integer"
            );
        }
    }
}

#[test]
fn a_refused_increment_creates_nothing() {
    let db = TestDb::new();
    db.status(&["HINCRBY", "h", "f", "one"]);
    db.status(&["HINCRBYFLOAT", "h", "f", "one"]);
    db.status(&["HINCRBYFLOAT", "h", "f", "inf"]);
    assert!(!db.keyspace.db_for(b"h").exists(b"h"));
}

#[test]
fn increments_by_floats() {
    for form in FORMS {
        let db = filled(1, form);
        db.run(&["HSET", "h", "n", "10.50", "e", "5.0e3", "huge", "inf"]);
        assert_eq!(db.texts(&["HINCRBYFLOAT", "h", "n", "0.1"]), ["10.6"]);
        assert_eq!(db.texts(&["HINCRBYFLOAT", "h", "n", "-5"]), ["5.6"]);
        assert_eq!(db.texts(&["HINCRBYFLOAT", "h", "e", "2.0e2"]), ["5200"]);
        assert_eq!(db.texts(&["HGET", "h", "e"]), ["5200"]);
        assert_eq!(db.texts(&["HINCRBYFLOAT", "h", "new", "0.1"]), ["0.1"]);
        assert_eq!(db.texts(&["HINCRBYFLOAT", "h", "new", "0.2"]), ["0.3"]);
        assert_eq!(
            db.error(&["HINCRBYFLOAT", "h", "f0", "1"]),
            "ERR hash value is not a float"
        );
        assert_eq!(
            db.error(&["HINCRBYFLOAT", "h", "n", "inf"]),
            "ERR value is NaN or Infinity"
        );
        assert_eq!(db.status(&["HINCRBYFLOAT", "h", "huge", "1"]), Status::NotFinite);
        assert_eq!(db.status(&["HINCRBYFLOAT", "h", "n", "nan"]), Status::NotFloat);
    }
}

#[test]
fn a_float_that_prints_long_makes_a_table() {
    let db = filled(1, "listpack");
    db.run(&["HINCRBYFLOAT", "h", "n", "1e100"]);
    assert_eq!(encoding(&db, "h"), "hashtable");
}

#[test]
fn bytes_and_integers_come_back_as_they_went_in() {
    for form in FORMS {
        let db = filled(1, form);
        let words: [&[u8]; 7] = [
            b"\0\xff",
            b"",
            b"-0",
            b"007",
            b"42",
            b"9223372036854775808",
            b"-9223372036854775808",
        ];
        for word in words {
            db.run_bytes(&[b"HSET", b"h", word, word]);
            assert_eq!(db.run_bytes(&[b"HGET", b"h", word]), Reply::bulk(word));
            assert_eq!(db.run_bytes(&[b"HSTRLEN", b"h", word]), Reply::count(word.len()));
        }
        assert_eq!(db.int(&["HLEN", "h"]), 8);
        assert_eq!(encoding(&db, "h"), form);
    }
}

#[test]
fn one_command_with_many_fields_makes_a_table_at_once() {
    let db = TestDb::new();
    let mut words = vec!["HSET", "h"];
    words.extend(["f", "v"].repeat(512));
    assert_eq!(db.int(&words), 1);
    assert_eq!(encoding(&db, "h"), "listpack");
    words.extend(["f", "v"]);
    assert_eq!(db.int(&words), 0);
    assert_eq!(encoding(&db, "h"), "hashtable");
}

#[test]
fn hrandfield_chooses_by_count() {
    for form in FORMS {
        let db = filled(10, form);
        assert!(db.texts(&["HRANDFIELD", "h"])[0].starts_with('f'));
        let mut five = db.texts(&["HRANDFIELD", "h", "5"]);
        five.sort();
        five.dedup();
        assert_eq!(five.len(), 5);
        assert_eq!(db.texts(&["HRANDFIELD", "h", "100"]), db.texts(&["HKEYS", "h"]));
        assert_eq!(db.texts(&["HRANDFIELD", "h", "-100"]).len(), 100);
        assert!(db.texts(&["HRANDFIELD", "h", "0"]).is_empty());
        for pair in db.texts(&["HRANDFIELD", "h", "-20", "withvalues"]).chunks(2) {
            assert_eq!(pair[0].replace('f', "v"), pair[1]);
        }
    }
}

#[test]
fn hrandfield_refuses_what_redis_refuses() {
    let db = filled(1, "listpack");
    assert_eq!(db.status(&["HRANDFIELD", "h", "x"]), Status::NotInteger);
    assert_eq!(db.status(&["HRANDFIELD", "h", "x", "y"]), Status::NotInteger);
    assert_eq!(db.status(&["HRANDFIELD", "h", "1", "y"]), Status::Syntax);
    assert_eq!(
        db.status(&["HRANDFIELD", "h", "1", "WITHVALUES", "y"]),
        Status::Syntax
    );
    assert_eq!(
        db.error(&["HRANDFIELD", "h", "4611686018427387904", "WITHVALUES"]),
        "ERR value is out of range"
    );
    assert_eq!(
        db.error(&["HRANDFIELD", "h", "-9223372036854775807"]),
        "ERR value is out of range"
    );
}

#[test]
fn hscan_returns_every_pair() {
    let db = filled(100, "hashtable");
    let (mut cursor, mut seen, mut calls) = ("0".to_string(), Vec::new(), 0);
    loop {
        let mut found = db.texts(&["HSCAN", "h", &cursor, "COUNT", "7"]);
        cursor = found.remove(0);
        assert!(found.len() <= 14);
        seen.extend(found.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
        calls += 1;
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    let mut expected: Vec<_> = (0..100).map(|n| (format!("f{n}"), format!("v{n}"))).collect();
    expected.sort();
    assert_eq!(seen, expected);
    assert_eq!(calls, 15);
}

#[test]
fn hscan_filters_fields_and_checks_its_options() {
    for form in FORMS {
        let db = filled(12, form);
        let mut found = db.texts(&["HSCAN", "h", "0", "MATCH", "f1*", "COUNT", "100"]);
        found[1..].sort();
        assert_eq!(found, ["0", "f1", "f10", "f11", "v1", "v10", "v11"]);
        assert_eq!(db.status(&["HSCAN", "h", "0", "COUNT", "0"]), Status::Syntax);
        assert_eq!(db.status(&["HSCAN", "h", "0", "MATCH"]), Status::Syntax);
        assert_eq!(db.error(&["HSCAN", "h", "x"]), "ERR invalid cursor");
    }
    assert_eq!(TestDb::new().error(&["HSCAN", "h", "x"]), "ERR invalid cursor");
}

#[test]
fn the_form_decides_nothing_and_the_seed_everything() {
    let packed = filled(20, "listpack");
    let table = filled(20, "hashtable");
    // Both have run the same number of requests, so the seeds are the same from here on.
    packed.run(&["HLEN", "h"]);
    packed.run(&["HLEN", "h"]);
    for _ in 0..10 {
        for request in [["HRANDFIELD", "h", "4"], ["HRANDFIELD", "h", "-4"]] {
            assert_eq!(packed.run(&request), table.run(&request));
        }
    }
}
