use super::*;
use crate::command::testing::flatten;
use std::collections::BTreeSet;

fn run(shards: &[Keyspace], line: &str) -> Result<Reply, Status> {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    execute_over(&shards.iter().collect::<Vec<_>>(), &words)
}

fn three() -> Vec<Keyspace> {
    (0..3).map(|_| Keyspace::new()).collect()
}

#[test]
fn shards_are_contiguous_ranges_of_slots() {
    assert_eq!(
        (shard_of(b"foo", 3), shard_of(b"bar", 3), shard_of(b"hello", 3)),
        (2, 0, 0)
    );
    assert_eq!((shard_of(b"foo", 1), shard_of(b"foo", 16_384)), (0, 12_182));
}

#[test]
fn a_pattern_may_name_keys_of_any_shard() {
    let shards = three();
    assert_eq!(run(&shards, "RPUSH {t}l 2 1"), Ok(Reply::Int(2)));
    let any = "CROSSSLOT A pattern in request may name keys of any slot";
    for line in [
        "SORT {t}l BY {t}w_*",
        "SORT_RO {t}l GET {t}x_*",
        "SORT {t}l GET x_* STORE {t}d",
    ] {
        assert_eq!(run(&shards, line).unwrap_err().text(), any, "{line}");
    }
    assert_eq!(flatten(run(&shards, "SORT {t}l GET #").unwrap()), ["1", "2"]);
    assert_eq!(run(&shards, "SORT {t}l BY nosort STORE {t}d"), Ok(Reply::Int(2)));
    let cross = "CROSSSLOT Keys in request don't hash to the same slot";
    assert_eq!(run(&shards, "SORT foo STORE bar").unwrap_err().text(), cross);
    assert_eq!(run(&shards, "ZUNIONSTORE foo 1 bar").unwrap_err().text(), cross);
    assert_eq!(run(&shards, "ZUNIONSTORE {t}d 1 {t}z"), Ok(Reply::Int(0)));
    let three: Vec<&Keyspace> = shards.iter().collect();
    let sorting: [&[&[u8]]; 1] = [&[b"SORT", b"l", b"BY", b"w_*"]];
    assert_eq!(
        execute_transaction_over(&three, &sorting).unwrap_err().text(),
        any
    );
}

#[test]
fn keys_of_one_request_live_in_one_shard() {
    let shards = three();
    let cross = "CROSSSLOT Keys in request don't hash to the same slot";
    assert_eq!(run(&shards, "MSET foo 1 bar 2").unwrap_err().text(), cross);
    assert_eq!(run(&shards, "MSET {t}foo 1 {t}bar 2"), Ok(Reply::OK));
    assert_eq!(run(&shards, "DBSIZE"), Ok(Reply::Int(2)));
    let all: Vec<&Keyspace> = shards.iter().collect();
    let crossing: [&[&[u8]]; 2] = [&[b"SET", b"foo", b"1"], &[b"SET", b"bar", b"1"]];
    assert_eq!(
        execute_transaction_over(&all, &crossing).unwrap_err().text(),
        cross
    );
    let everywhere: [&[&[u8]]; 2] = [&[b"SET", b"foo", b"1"], &[b"FLUSHALL"]];
    assert_eq!(
        execute_transaction_over(&all, &everywhere).unwrap_err().text(),
        cross
    );
    let fine: [&[&[u8]]; 2] = [&[b"PING"], &[b"SET", b"foo", b"1"]];
    assert!(execute_transaction_over(&all, &fine).is_ok());
}

#[test]
fn commands_without_keys_see_all_shards() {
    let shards = three();
    let keys: BTreeSet<String> = (0..500).map(|i| format!("key:{i}")).collect();
    keys.iter()
        .for_each(|key| drop(run(&shards, &format!("SET {key} v"))));
    assert!(shards.iter().all(|shard| shard.statistics().keys > 100));
    assert_eq!(run(&shards, "DBSIZE"), Ok(Reply::Int(500)));
    assert_eq!(
        BTreeSet::from_iter(flatten(run(&shards, "KEYS *").unwrap())),
        keys
    );
    let (mut seen, mut cursor) = (Vec::new(), String::from("0"));
    loop {
        let mut texts = flatten(run(&shards, &format!("SCAN {cursor} COUNT 7")).unwrap());
        cursor = texts.remove(0);
        seen.extend(texts);
        if cursor == "0" {
            break;
        }
    }
    assert_eq!((seen.len(), BTreeSet::from_iter(seen)), (500, keys.clone()));
    assert_eq!(flatten(run(&shards, "SCAN 999").unwrap()), ["0"]);
    let drawn: BTreeSet<String> = (0..200)
        .flat_map(|_| flatten(run(&shards, "RANDOMKEY").unwrap()))
        .collect();
    assert!(drawn.len() > 50 && drawn.is_subset(&keys));
    assert_eq!(run(&shards, "FLUSHALL"), Ok(Reply::OK));
    assert_eq!(run(&shards, "RANDOMKEY"), Ok(Reply::Null));
    assert_eq!(run(&shards, "PING"), Ok(Reply::Simple("PONG")));
}
