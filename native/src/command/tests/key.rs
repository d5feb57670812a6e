use crate::command::testing::{TestDb, flatten};
use crate::command::{Args, Grows, Keys, Wanted, execute_transaction, grow, resolve};
use crate::reply::Reply;
use crate::status::Status;
use std::collections::HashMap;

#[test]
fn del_and_exists_count_keys() {
    let db = TestDb::new();
    db.run(&["MSET", "a", "1", "b", "2"]);
    assert_eq!(db.int(&["EXISTS", "a", "a", "none"]), 2);
    assert_eq!(db.int(&["TOUCH", "a", "b"]), 2);
    assert_eq!(db.int(&["DEL", "a", "a", "none"]), 1);
    assert_eq!(db.int(&["UNLINK", "b"]), 1);
    assert_eq!(db.run(&["TYPE", "a"]), Reply::Simple("none"));
}

#[test]
fn every_type_has_a_name() {
    let db = TestDb::new();
    db.run(&["SET", "string", "v"]);
    for name in ["list", "set", "hash", "zset"] {
        db.put_collection(name, name);
    }
    for name in ["string", "list", "set", "hash", "zset"] {
        assert_eq!(db.run(&["TYPE", name]), Reply::Simple(name));
    }
}

#[test]
fn a_key_is_gone_from_its_expiry_on() {
    let db = TestDb::new();
    db.run(&["SET", "k", "v"]);
    assert_eq!(db.int(&["TTL", "k"]), -1);
    assert_eq!(db.int(&["TTL", "none"]), -2);
    assert_eq!(db.int(&["EXPIRE", "k", "10"]), 1);
    assert_eq!(db.int(&["EXPIRE", "none", "10"]), 0);
    assert_eq!((db.int(&["TTL", "k"]), db.int(&["PTTL", "k"])), (10, 10_000));
    assert_eq!(
        (db.int(&["EXPIRETIME", "k"]), db.int(&["PEXPIRETIME", "k"])),
        (1010, 1_010_000)
    );
    db.advance(9_499);
    assert_eq!((db.int(&["TTL", "k"]), db.int(&["PTTL", "k"])), (1, 501));
    db.advance(500);
    assert_eq!((db.int(&["TTL", "k"]), db.int(&["PTTL", "k"])), (0, 1));
    assert_eq!(db.int(&["EXISTS", "k"]), 1);
    db.advance(1);
    assert_eq!((db.int(&["EXISTS", "k"]), db.int(&["TTL", "k"])), (0, -2));
    assert_eq!(db.keyspace.statistics().keys, 1);
    assert_eq!(db.keyspace.reclaim(10), 1);
    assert_eq!(db.keyspace.statistics().keys, 0);
}

#[test]
fn a_due_key_is_missing_for_writes_too() {
    let db = TestDb::new();
    db.put_collection("hash", "k");
    db.run(&["PEXPIRE", "k", "5"]);
    db.advance(5);
    assert_eq!(db.run(&["SETNX", "k", "v"]), Reply::Int(1));
    assert_eq!(db.int(&["PTTL", "k"]), -1);
    db.run(&["PEXPIRE", "k", "5"]);
    db.advance(5);
    assert_eq!(db.int(&["DEL", "k"]), 0);
    assert_eq!(db.int(&["PERSIST", "k"]), 0);
    assert_eq!(db.status(&["RENAME", "k", "l"]), Status::NoSuchKey);
}

#[test]
fn expiries_may_have_conditions() {
    let db = TestDb::new();
    db.run(&["SET", "k", "v"]);
    assert_eq!(db.int(&["EXPIRE", "k", "10", "XX"]), 0);
    assert_eq!(db.int(&["EXPIRE", "k", "10", "GT"]), 0);
    assert_eq!(db.int(&["EXPIRE", "k", "10", "NX"]), 1);
    assert_eq!(db.int(&["EXPIRE", "k", "20", "NX"]), 0);
    assert_eq!(db.int(&["EXPIRE", "k", "10", "gt"]), 0);
    assert_eq!(db.int(&["EXPIRE", "k", "20", "XX", "GT"]), 1);
    assert_eq!(db.int(&["EXPIRE", "k", "20", "LT"]), 0);
    assert_eq!(db.int(&["EXPIRE", "k", "5", "LT"]), 1);
    db.run(&["PERSIST", "k"]);
    assert_eq!(db.int(&["EXPIRE", "k", "5", "LT"]), 1);
    assert_eq!(
        db.error(&["EXPIRE", "k", "5", "MAYBE"]),
        "ERR Unsupported option MAYBE"
    );
    let not_both = "ERR NX and XX, GT or LT options at the same time are not compatible";
    assert_eq!(db.error(&["EXPIRE", "k", "5", "NX", "GT"]), not_both);
    let not_both = "ERR GT and LT options at the same time are not compatible";
    assert_eq!(db.error(&["EXPIRE", "k", "5", "LT", "GT"]), not_both);
}

#[test]
fn a_time_in_the_past_removes_the_key_and_one_too_far_is_refused() {
    let db = TestDb::new();
    for words in [
        ["EXPIRE", "k", "-1"],
        ["PEXPIRE", "k", "0"],
        ["EXPIREAT", "k", "5"],
        ["PEXPIREAT", "k", "1000000"],
    ] {
        db.run(&["SET", "k", "v"]);
        assert_eq!(db.int(&words), 1);
        assert_eq!(db.keyspace.statistics().keys, 0);
    }
    for command in ["expire", "pexpire", "expireat"] {
        let text = format!("ERR invalid expire time in '{command}' command");
        assert_eq!(db.error(&[command, "k", "9223372036854775807"]), text);
    }
    assert_eq!(
        db.error(&["expire", "k", "-9223372036854775808"]),
        "ERR invalid expire time in 'expire' command"
    );
    assert_eq!(db.status(&["EXPIRE", "k", "soon"]), Status::NotInteger);
}

#[test]
fn rename_moves_value_and_expiry() {
    let db = TestDb::new();
    db.run(&["SET", "a", "v", "PX", "100"]);
    db.put_collection("list", "b");
    assert_eq!(db.run(&["RENAME", "a", "b"]), Reply::OK);
    assert_eq!(
        (db.run(&["GET", "b"]), db.int(&["PTTL", "b"])),
        (Reply::bulk(b"v"), 100)
    );
    assert_eq!(db.run(&["RENAME", "b", "b"]), Reply::OK);
    assert_eq!(db.error(&["RENAME", "none", "b"]), "ERR no such key");
    db.run(&["SET", "c", "w"]);
    assert_eq!(db.int(&["RENAMENX", "b", "c"]), 0);
    assert_eq!(db.int(&["RENAMENX", "b", "b"]), 0);
    assert_eq!(db.int(&["RENAMENX", "b", "d"]), 1);
    assert_eq!(db.int(&["EXISTS", "b"]), 0);
}

#[test]
fn copy_leaves_the_source() {
    let db = TestDb::new();
    for (kind, key) in [("zset", "z"), ("hash", "h"), ("set", "s"), ("list", "l")] {
        db.put_collection(kind, key);
    }
    db.run(&["SET", "k", "v", "PX", "100"]);
    for key in ["z", "h", "s", "l", "k"] {
        assert_eq!(db.int(&["COPY", key, "copy"]), 1);
        assert_eq!(
            db.run(&["OBJECT", "ENCODING", "copy"]),
            db.run(&["OBJECT", "ENCODING", key])
        );
        assert_eq!(db.int(&["COPY", key, "copy"]), 0);
        assert_eq!(db.int(&["COPY", key, "copy", "DB", "0", "REPLACE"]), 1);
        assert_eq!(db.int(&["PTTL", "copy"]), db.int(&["PTTL", key]));
        db.run(&["DEL", "copy"]);
    }
    assert_eq!(db.int(&["COPY", "none", "copy"]), 0);
    assert_eq!(
        db.error(&["COPY", "k", "k"]),
        "ERR source and destination objects are the same"
    );
    assert_eq!(
        db.error(&["COPY", "k", "l", "DB", "1"]),
        "ERR DB index is out of range"
    );
    assert_eq!(
        db.error(&["COPY", "k", "l", "DB", "2147483648"]),
        "ERR value is out of range, value must between -2147483648 and 2147483647"
    );
    assert_eq!(db.status(&["COPY", "k", "l", "SOMEHOW"]), Status::Syntax);
}

#[test]
fn a_scan_returns_every_key_that_stays() {
    let db = TestDb::new();
    for i in 0..3000 {
        db.run_bytes(&[b"SET", format!("stays:{i}").as_bytes(), b"v"]);
    }
    let mut seen: HashMap<String, u32> = HashMap::new();
    let (mut cursor, mut round) = (String::from("0"), 0);
    loop {
        let mut reply = db.texts(&["SCAN", &cursor, "COUNT", "100", "MATCH", "stays:*"]);
        cursor = reply.remove(0);
        reply
            .into_iter()
            .for_each(|key| *seen.entry(key).or_default() += 1);
        if cursor == "0" {
            break;
        }
        for i in 0..500 {
            db.keyspace.db_for(b"-").now_ms();
            let key = format!("comes:{round}:{i}");
            crate::command::execute_now(&db.keyspace, &[b"SET", key.as_bytes(), b"v"]).unwrap();
        }
        round += 1;
    }
    assert_eq!(seen.len(), 3000);
    assert!(seen.values().all(|&times| times == 1));
}

#[test]
fn scan_filters() {
    let db = TestDb::new();
    db.run(&["MSET", "a", "1", "b", "2"]);
    db.put_collection("hash", "h");
    db.run(&["SET", "due", "v", "PX", "1"]);
    db.advance(1);
    assert_eq!(
        db.texts(&["SCAN", "0", "COUNT", "100", "TYPE", "hash"]),
        ["0", "h"]
    );
    assert_eq!(
        db.texts(&["SCAN", "0", "COUNT", "100", "MATCH", "[a]"]),
        ["0", "a"]
    );
    assert_eq!(db.texts(&["SCAN", "18446744073709551615"]), ["0"]);
    assert_eq!(db.error(&["SCAN", "x"]), "ERR invalid cursor");
    assert_eq!(db.status(&["SCAN", "0", "COUNT"]), Status::Syntax);
    assert_eq!(db.status(&["SCAN", "0", "COUNT", "0"]), Status::Syntax);
    let mut keys = flatten(db.run(&["KEYS", "?"]));
    keys.sort();
    assert_eq!(keys, ["a", "b", "h"]);
}

#[test]
fn random_keys_are_all_drawn_sooner_or_later() {
    let db = TestDb::new();
    assert_eq!(db.run(&["RANDOMKEY"]), Reply::Null);
    db.run(&["MSET", "a", "1", "b", "2", "c", "3"]);
    let drawn: std::collections::BTreeSet<_> = (0..100).flat_map(|_| db.texts(&["RANDOMKEY"])).collect();
    assert_eq!(drawn.len(), 3);
    for key in ["a", "b", "c"] {
        db.run(&["PEXPIRE", key, "1"]);
    }
    db.advance(1);
    assert_eq!(db.run(&["RANDOMKEY"]), Reply::Null);
}

#[test]
fn a_transaction_runs_on_past_a_refusal_but_not_with_a_broken_request() {
    let db = TestDb::new();
    let requests: [&[&[u8]]; 4] = [
        &[b"SET", b"a", b"1"],
        &[b"SETEX", b"a", b"0", b"x"],
        &[b"INCR", b"a"],
        &[b"DBSIZE"],
    ];
    let reply = execute_transaction(&db.keyspace, &requests, db.now_ms(), 1).unwrap();
    let replies = vec![
        Reply::OK,
        Reply::Error(Status::InvalidExpire("setex")),
        Reply::Int(2),
        Reply::Int(1),
    ];
    assert_eq!(reply, Reply::Array(replies));
    for broken in [&[&b"NOSUCH"[..]][..], &[b"GET"]] {
        let requests: [&[&[u8]]; 2] = [&[b"SET", b"a", b"7"], broken];
        let refusal = execute_transaction(&db.keyspace, &requests, db.now_ms(), 1).unwrap_err();
        assert_eq!(
            refusal.text(),
            "EXECABORT Transaction discarded because of previous errors."
        );
    }
    assert_eq!(db.run(&["GET", "a"]), Reply::bulk(b"2"));
}

#[test]
fn requests_are_checked_before_they_run() {
    let text = resolve(&[b"foo", b"bar", b"a\nb"])
        .unwrap_err()
        .text()
        .into_owned();
    assert_eq!(
        text,
        "ERR unknown command 'foo', with args beginning with: 'bar' 'a b' "
    );
    let text = resolve(&[b"no\0name", b"b\0ar", b"\0", b"c"])
        .unwrap_err()
        .text()
        .into_owned();
    assert_eq!(
        text,
        "ERR unknown command 'no', with args beginning with: 'b' '' 'c' "
    );
    let text = resolve(&[b"GET"]).unwrap_err().text().into_owned();
    assert_eq!(text, "ERR wrong number of arguments for 'get' command");
    assert_eq!(resolve(&[b"gEt", b"k"]).unwrap().name, "get");
    assert!(resolve(&[]).is_err() && resolve(&[&[b'x'; 1000]]).is_err());
    let spec = resolve(&[b"MSET", b"a", b"1", b"b", b"2"]).unwrap();
    assert_eq!(
        spec.keys_of(&[b"MSET", b"a", b"1", b"b", b"2"]).as_slice(),
        [b"a", b"b"]
    );
}

#[test]
fn keys_may_depend_on_the_other_words() {
    let find = |words: Args<'_>| match words.get(1) {
        Some(word) if word.contains(&b'*') => Wanted::All,
        _ => Wanted::Words((1..words.len() + 1).step_by(2).collect()),
    };
    let spec = grow("found", -1, Keys::Found(find), |_, _| Ok(Reply::OK));
    let words: Args<'_> = &[b"found", b"a", b"1", b"b"];
    assert_eq!(spec.keys_of(words).as_slice(), [b"a", b"b"]);
    assert!(!spec.needs_all(words) && spec.needs_all(&[b"found", b"x*"]));
    assert!(spec.write && matches!(spec.grows, Grows::Always));
}
