use super::super::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;
use std::collections::BTreeSet;

fn encoding(db: &TestDb, key: &str) -> &'static str {
    db.keyspace
        .db_for(key.as_bytes())
        .encoding(key.as_bytes())
        .expect("the key is there")
}

fn exists(db: &TestDb, key: &str) -> bool {
    db.keyspace.db_for(key.as_bytes()).exists(key.as_bytes())
}

const FORMS: [&str; 3] = ["intset", "listpack", "hashtable"];

/// Adds `members`, integers, to a set in the given form.
fn fill(db: &TestDb, key: &str, members: std::ops::Range<i32>, form: &str) {
    let marker = match form {
        "listpack" => "text".into(),
        "hashtable" => "x".repeat(65),
        _ => "-1".into(),
    };
    db.run(&["SADD", key, &marker]);
    for n in members {
        db.run(&["SADD", key, &n.to_string()]);
    }
    db.run(&["SREM", key, &marker]);
    if exists(db, key) {
        assert_eq!(encoding(db, key), form);
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

#[test]
fn members_are_added_found_and_removed_in_each_form() {
    for form in FORMS {
        let db = TestDb::new();
        fill(&db, "s", 0..3, form);
        assert_eq!(db.int(&["SADD", "s", "2", "3", "3"]), 1);
        assert_eq!(db.int(&["SCARD", "s"]), 4);
        assert_eq!(db.int(&["SISMEMBER", "s", "3"]), 1);
        assert_eq!(db.int(&["SISMEMBER", "s", "03"]), 0);
        assert_eq!(db.texts(&["SMISMEMBER", "s", "0", "9", "3"]), ["1", "0", "1"]);
        assert_eq!(sorted(db.texts(&["SMEMBERS", "s"])), ["0", "1", "2", "3"]);
        assert_eq!(db.int(&["SREM", "s", "0", "9", "0"]), 1);
        assert_eq!(db.int(&["SREM", "s", "1", "2", "3"]), 3);
        assert!(!exists(&db, "s"));
    }
}

#[test]
fn replies_have_the_kinds_of_redis() {
    let db = TestDb::new();
    db.run(&["SADD", "s", "a"]);
    let members = vec![Reply::bulk(b"a")];
    for request in [
        ["SMEMBERS", "s"],
        ["SUNION", "s"],
        ["SINTER", "s"],
        ["SDIFF", "s"],
    ] {
        assert_eq!(db.run(&request), Reply::Set(members.clone()));
    }
    assert_eq!(db.run(&["SRANDMEMBER", "s", "1"]), Reply::Array(members.clone()));
    assert_eq!(db.run(&["SRANDMEMBER", "s"]), Reply::bulk(b"a"));
    assert_eq!(db.run(&["SPOP", "s", "1"]), Reply::Set(members));
}

#[test]
fn a_missing_key_is_an_empty_set() {
    let db = TestDb::new();
    assert_eq!(db.run(&["SMEMBERS", "s"]), Reply::Set(vec![]));
    assert_eq!(db.run(&["SPOP", "s"]), Reply::Null);
    assert_eq!(db.run(&["SPOP", "s", "3"]), Reply::Set(vec![]));
    assert_eq!(db.run(&["SRANDMEMBER", "s"]), Reply::Null);
    assert_eq!(db.run(&["SRANDMEMBER", "s", "-3"]), Reply::Array(vec![]));
    assert_eq!(db.texts(&["SMISMEMBER", "s", "a", "b"]), ["0", "0"]);
    for request in [
        &["SCARD", "s"][..],
        &["SREM", "s", "a"],
        &["SISMEMBER", "s", "a"],
        &["SMOVE", "s", "t", "a"],
    ] {
        assert_eq!(db.int(request), 0);
    }
    assert_eq!(db.texts(&["SSCAN", "s", "0", "whatever"]), ["0"]);
    for command in ["SUNION", "SINTER", "SDIFF"] {
        assert_eq!(db.run(&[command, "s", "t"]), Reply::Set(vec![]));
    }
}

#[test]
fn another_type_is_refused_and_left_alone() {
    let db = TestDb::new();
    db.run(&["HSET", "h", "f", "v"]);
    db.run(&["SADD", "s", "a"]);
    let requests: [&[&str]; 19] = [
        &["SADD", "h", "a"],
        &["SREM", "h", "a"],
        &["SISMEMBER", "h", "a"],
        &["SMISMEMBER", "h", "a"],
        &["SMEMBERS", "h"],
        &["SCARD", "h"],
        &["SMOVE", "h", "s", "a"],
        &["SMOVE", "s", "h", "a"],
        &["SMOVE", "s", "h", "none"],
        &["SPOP", "h"],
        &["SPOP", "h", "1"],
        &["SRANDMEMBER", "h"],
        &["SUNION", "s", "h"],
        &["SINTER", "none", "h"],
        &["SDIFF", "none", "h"],
        &["SINTERCARD", "2", "none", "h"],
        &["SINTERSTORE", "s", "none", "h"],
        &["SUNIONSTORE", "s", "s", "h"],
        &["SSCAN", "h", "0"],
    ];
    for request in requests {
        assert_eq!(db.status(request), Status::WrongType, "{request:?}");
    }
    assert_eq!(db.texts(&["HGETALL", "h"]), ["f", "v"]);
    assert_eq!(db.texts(&["SMEMBERS", "s"]), ["a"]);
    assert_eq!(
        db.int(&["SMOVE", "none", "h", "a"]),
        0,
        "the destination is not looked at"
    );
}

#[test]
fn the_form_follows_the_members() {
    let db = TestDb::new();
    db.run(&["SADD", "s", "2", "1", "-5"]);
    assert_eq!(
        (encoding(&db, "s"), db.texts(&["SMEMBERS", "s"])),
        ("intset", vec!["-5".into(), "1".into(), "2".into()])
    );
    db.run(&["SADD", "s", "0"]);
    db.run(&["SADD", "s", "text"]);
    assert_eq!(encoding(&db, "s"), "listpack");
    assert_eq!(db.texts(&["SMEMBERS", "s"]), ["-5", "0", "1", "2", "text"]);
    db.run(&["SADD", "s", &"x".repeat(65)]);
    assert_eq!(encoding(&db, "s"), "hashtable");
    let mut many = vec!["SADD", "m"];
    many.extend(["1"; 513]);
    assert_eq!(db.int(&many), 1);
    assert_eq!(
        encoding(&db, "m"),
        "hashtable",
        "so many arguments are not even tried"
    );
}

#[test]
fn bytes_come_back_as_they_went_in() {
    let db = TestDb::new();
    let words: [&[u8]; 5] = [b"\0\xff", b"", b"-0", b"007", b"9223372036854775808"];
    for word in words {
        assert_eq!(db.run_bytes(&[b"SADD", b"s", word]), Reply::Int(1));
        assert_eq!(db.run_bytes(&[b"SISMEMBER", b"s", word]), Reply::Int(1));
    }
    assert_eq!(
        db.run(&["SMEMBERS", "s"]),
        Reply::Set(words.map(Reply::bulk).to_vec())
    );
}

#[test]
fn smove_moves_one_member() {
    for form in FORMS {
        let db = TestDb::new();
        fill(&db, "a", 0..2, form);
        fill(&db, "b", 5..6, form);
        assert_eq!(db.int(&["SMOVE", "a", "b", "9"]), 0);
        assert_eq!(db.int(&["SMOVE", "a", "b", "1"]), 1);
        assert_eq!(db.texts(&["SMEMBERS", "a"]), ["0"]);
        assert_eq!(sorted(db.texts(&["SMEMBERS", "b"])), ["1", "5"]);
        assert_eq!(db.int(&["SMOVE", "a", "a", "0"]), 1);
        assert_eq!(db.int(&["SMOVE", "a", "a", "9"]), 0);
        assert_eq!(db.int(&["SMOVE", "a", "new", "0"]), 1);
        assert!(!exists(&db, "a"));
        assert_eq!(db.texts(&["SMEMBERS", "new"]), ["0"]);
    }
}

#[test]
fn spop_takes_members_out() {
    for form in FORMS {
        let db = TestDb::new();
        fill(&db, "s", 0..20, form);
        let mut left: BTreeSet<String> = (0..20).map(|n| n.to_string()).collect();
        for request in [
            &["SPOP", "s"][..],
            &["SPOP", "s", "5"],
            &["SPOP", "s", "0"],
            &["SPOP", "s", "10"],
        ] {
            for member in db.texts(request) {
                assert!(left.remove(&member), "{member} came twice");
            }
            let held: BTreeSet<String> = db.texts(&["SMEMBERS", "s"]).into_iter().collect();
            assert_eq!(held, left);
        }
        assert_eq!((left.len(), encoding(&db, "s")), (4, form));
        let rest: BTreeSet<String> = db
            .texts(&["SPOP", "s", "9223372036854775807"])
            .into_iter()
            .collect();
        assert_eq!(rest, left);
        assert!(!exists(&db, "s"));
        db.run(&["SADD", "s", "only"]);
        assert_eq!(db.texts(&["SPOP", "s"]), ["only"]);
        assert!(!exists(&db, "s"));
    }
}

#[test]
fn spop_and_srandmember_refuse_what_redis_refuses() {
    let db = TestDb::new();
    for count in ["-1", "x", "9223372036854775808"] {
        assert_eq!(db.status(&["SPOP", "s", count]), Status::OutOfRange);
    }
    assert_eq!(db.status(&["SPOP", "s", "1", "2"]), Status::Syntax);
    assert_eq!(db.status(&["SRANDMEMBER", "s", "1", "2"]), Status::Syntax);
    assert_eq!(db.status(&["SRANDMEMBER", "s", "x"]), Status::NotInteger);
    assert_eq!(
        db.error(&["SRANDMEMBER", "s", "-9223372036854775808"]),
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
    );
}

#[test]
fn srandmember_chooses_by_count_and_leaves_the_set() {
    for form in FORMS {
        let db = TestDb::new();
        fill(&db, "s", 0..30, form);
        let members: BTreeSet<String> = (0..30).map(|n| n.to_string()).collect();
        for count in ["1", "7", "29", "30", "31"] {
            let chosen = db.texts(&["SRANDMEMBER", "s", count]);
            let different: BTreeSet<String> = chosen.iter().cloned().collect();
            assert_eq!(chosen.len(), count.parse::<usize>().unwrap().min(30));
            assert_eq!(different.len(), chosen.len());
            assert!(different.is_subset(&members));
        }
        assert_eq!(db.texts(&["SRANDMEMBER", "s", "-100"]).len(), 100);
        assert!(members.contains(&db.texts(&["SRANDMEMBER", "s"])[0]));
        assert_eq!(db.int(&["SCARD", "s"]), 30);
    }
}

#[test]
fn a_seed_fixes_what_is_chosen_whatever_the_form() {
    let (packed, table) = (TestDb::new(), TestDb::new());
    fill(&packed, "s", 0..50, "listpack");
    fill(&table, "s", 0..50, "hashtable");
    for request in [
        &["SPOP", "s"][..],
        &["SPOP", "s", "7"],
        &["SRANDMEMBER", "s", "5"],
        &["SRANDMEMBER", "s", "-5"],
    ] {
        assert_eq!(packed.run(request), table.run(request));
    }
    assert_eq!(packed.run(&["SMEMBERS", "s"]), table.run(&["SMEMBERS", "s"]));
}

fn documented() -> TestDb {
    let db = TestDb::new();
    db.run(&["SADD", "key1", "a", "b", "c", "d"]);
    db.run(&["SADD", "key2", "c"]);
    db.run(&["SADD", "key3", "a", "c", "e"]);
    db
}

#[test]
fn combinations_of_the_documentation() {
    let db = documented();
    assert_eq!(
        db.texts(&["SUNION", "key1", "key2", "key3"]),
        ["a", "b", "c", "d", "e"]
    );
    assert_eq!(db.texts(&["SINTER", "key1", "key2", "key3"]), ["c"]);
    assert_eq!(db.texts(&["SDIFF", "key1", "key2", "key3"]), ["b", "d"]);
    assert_eq!(db.texts(&["SDIFF", "key1", "key1"]), Vec::<String>::new());
    assert_eq!(
        db.texts(&["SINTER", "key1", "none", "key3"]),
        Vec::<String>::new()
    );
    assert_eq!(db.texts(&["SDIFF", "none", "key1"]), Vec::<String>::new());
    assert_eq!(db.texts(&["SUNION", "none", "key2", "none"]), ["c"]);
}

#[test]
fn every_pair_of_forms_combines() {
    for (left, right) in FORMS.iter().flat_map(|left| FORMS.map(|right| (*left, right))) {
        let db = TestDb::new();
        fill(&db, "a", 0..10, left);
        fill(&db, "b", 8..12, right);
        let union: Vec<String> = sorted((0..12).map(|n| n.to_string()).collect());
        assert_eq!(sorted(db.texts(&["SUNION", "a", "b"])), union);
        assert_eq!(sorted(db.texts(&["SINTER", "a", "b"])), ["8", "9"]);
        assert_eq!(sorted(db.texts(&["SDIFF", "b", "a"])), ["10", "11"]);
        assert_eq!(db.int(&["SINTERCARD", "2", "a", "b"]), 2);
        assert_eq!(db.int(&["SINTERSTORE", "to", "a", "b"]), 2);
        assert_eq!(encoding(&db, "to"), "intset");
    }
}

#[test]
fn stored_results_replace_whatever_was_there() {
    let db = documented();
    db.run(&["HSET", "to", "f", "v"]);
    let due = crate::keyspace::Expiry::At(db.now_ms() + 1000);
    db.keyspace.db_for(b"to").set_expiry(b"to", due);
    assert_eq!(db.int(&["SUNIONSTORE", "to", "key1", "key3"]), 5);
    assert_eq!(db.texts(&["SMEMBERS", "to"]), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        db.keyspace.db_for(b"to").expire_at(b"to"),
        Some(crate::keyspace::Expiry::Never)
    );
    assert_eq!(db.int(&["SDIFFSTORE", "to", "to", "key2"]), 4);
    assert_eq!(db.texts(&["SMEMBERS", "to"]), ["a", "b", "d", "e"]);
    assert_eq!(db.int(&["SINTERSTORE", "to", "to", "none"]), 0);
    assert!(!exists(&db, "to"));
}

#[test]
fn sintercard_counts_up_to_a_limit() {
    let db = TestDb::new();
    fill(&db, "a", 0..100, "intset");
    fill(&db, "b", 50..200, "hashtable");
    assert_eq!(db.int(&["SINTERCARD", "2", "a", "b"]), 50);
    assert_eq!(db.int(&["SINTERCARD", "2", "a", "b", "LIMIT", "10"]), 10);
    assert_eq!(db.int(&["SINTERCARD", "2", "a", "b", "limit", "0"]), 50);
    assert_eq!(db.int(&["SINTERCARD", "1", "a", "LIMIT", "7", "LIMIT", "8"]), 8);
    assert_eq!(db.int(&["SINTERCARD", "2", "a", "none"]), 0);
    for count in ["0", "-1", "x", "99999999999999999999"] {
        assert_eq!(
            db.error(&["SINTERCARD", count, "a"]),
            "ERR numkeys should be greater than 0"
        );
    }
    assert_eq!(
        db.error(&["SINTERCARD", "2", "a"]),
        "ERR Number of keys can't be greater than number of args"
    );
    for limit in ["-1", "x"] {
        assert_eq!(
            db.error(&["SINTERCARD", "1", "a", "LIMIT", limit]),
            "ERR LIMIT can't be negative"
        );
    }
    assert_eq!(db.status(&["SINTERCARD", "1", "a", "LIMIT"]), Status::Syntax);
    assert_eq!(db.status(&["SINTERCARD", "1", "a", "b"]), Status::Syntax);
}

#[test]
fn sscan_returns_every_member_while_others_come_and_go() {
    let db = TestDb::new();
    fill(&db, "s", 0..200, "hashtable");
    let (mut cursor, mut seen, mut step) = ("0".to_string(), BTreeSet::new(), 0);
    loop {
        let mut found = db.texts(&["SSCAN", "s", &cursor, "COUNT", "13"]);
        cursor = found.remove(0);
        seen.extend(found);
        if cursor == "0" {
            break;
        }
        // Even members are removed under the scan's feet, others are added.
        db.run(&["SREM", "s", &(step * 2).to_string()]);
        db.run(&["SADD", "s", &format!("new{step}")]);
        step += 1;
    }
    for n in (1..200).step_by(2) {
        assert!(seen.contains(&n.to_string()), "{n} was there all the time");
    }
}

#[test]
fn sscan_filters_and_packed_forms_come_at_once() {
    for form in FORMS {
        let db = TestDb::new();
        fill(&db, "s", 0..100, form);
        let found = db.texts(&["SSCAN", "s", "0", "MATCH", "9?", "COUNT", "1000"]);
        assert_eq!(found[0], "0");
        assert_eq!(
            sorted(found[1..].to_vec()),
            (90..100).map(|n| n.to_string()).collect::<Vec<_>>()
        );
        let first = db.texts(&["SSCAN", "s", "0"]);
        assert_eq!(first.len(), if form == "hashtable" { 11 } else { 101 });
        assert_eq!(db.status(&["SSCAN", "s", "0", "TYPE", "set"]), Status::Syntax);
        assert_eq!(db.error(&["SSCAN", "s", "-1"]), "ERR invalid cursor");
    }
}

#[test]
fn a_set_that_loses_most_of_its_members_is_small_again() {
    let db = TestDb::new();
    fill(&db, "s", 0..120, "hashtable");
    let taken = db.texts(&["SPOP", "s", "99"]);
    assert_eq!((taken.len(), encoding(&db, "s")), (99, "hashtable"));
    let taken = db.texts(&["SPOP", "s", "18"]);
    assert_eq!((taken.len(), encoding(&db, "s")), (18, "listpack"));
    assert_eq!(db.int(&["SCARD", "s"]), 3);
    fill(&db, "ints", 0..120, "intset");
    let mut all = db.texts(&["SPOP", "ints", "110"]);
    assert_eq!(encoding(&db, "ints"), "intset");
    all.extend(db.texts(&["SMEMBERS", "ints"]));
    let all: BTreeSet<String> = all.into_iter().collect();
    assert_eq!(all, (0..120).map(|n| n.to_string()).collect());
}

#[test]
fn a_stored_difference_is_made_by_the_shorter_way() {
    let db = TestDb::new();
    fill(&db, "big", 0..300, "hashtable");
    fill(&db, "a", 0..100, "hashtable");
    fill(&db, "b", 100..200, "listpack");
    fill(&db, "c", 200..290, "intset");
    db.run(&["SADD", "big", "text"]);
    // Looking up would be 301 * 4 / 2, copying is 301 + 290.
    assert_eq!(db.int(&["SDIFFSTORE", "to", "big", "a", "b", "c"]), 11);
    assert_eq!(encoding(&db, "to"), "hashtable");
    let left = sorted(db.texts(&["SMEMBERS", "to"]));
    assert_eq!(left, sorted(db.texts(&["SDIFF", "big", "a", "b", "c"])));
    assert_eq!(db.int(&["SDIFFSTORE", "to", "a", "b"]), 100);
    assert_eq!(encoding(&db, "to"), "intset");
    assert_eq!(db.int(&["SDIFFSTORE", "to", "big", "big", "a", "b", "c"]), 0);
    assert!(!exists(&db, "to"));
    assert_eq!(db.int(&["SDIFFSTORE", "to", "none", "a", "b", "c"]), 0);
}
