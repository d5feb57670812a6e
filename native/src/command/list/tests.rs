use crate::command::testing::{TestDb, encoding, error, int, run, texts};
use crate::reply::Reply;

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "ERR value is not an integer or out of range";
const OUT_OF_RANGE: &str = "ERR value is out of range, must be positive";

/// A database with a list `l` of these elements.
fn with(elements: &str) -> TestDb {
    let db = TestDb::new();
    run(&db, &format!("RPUSH l {elements}"));
    db
}

fn all(db: &TestDb, key: &str) -> String {
    texts(db, &format!("LRANGE {key} 0 -1")).join(" ")
}

#[test]
fn push_and_pop_at_both_ends() {
    let db = TestDb::new();
    assert_eq!(int(&db, "RPUSH l one two three four five"), 5);
    assert_eq!(int(&db, "LPUSH l zero minus"), 7);
    assert_eq!(all(&db, "l"), "minus zero one two three four five");
    assert_eq!(texts(&db, "LPOP l"), ["minus"]);
    assert_eq!(texts(&db, "RPOP l 2"), ["five", "four"]);
    assert_eq!(run(&db, "LPOP l 0"), Reply::Array(vec![]));
    assert_eq!(
        texts(&db, "LPOP l 9223372036854775807"),
        ["zero", "one", "two", "three"]
    );
    assert_eq!(int(&db, "EXISTS l"), 0);
    assert_eq!(run(&db, "LPOP l"), Reply::Null);
    assert_eq!(run(&db, "LPOP l 1"), Reply::NullArray);
}

#[test]
fn push_only_where_a_list_is() {
    let db = TestDb::new();
    assert_eq!(int(&db, "LPUSHX l a"), 0);
    assert_eq!(int(&db, "RPUSHX l a"), 0);
    assert_eq!(int(&db, "EXISTS l"), 0);
    run(&db, "RPUSH l a");
    assert_eq!(int(&db, "LPUSHX l b c"), 3);
    assert_eq!(int(&db, "RPUSHX l d"), 4);
    assert_eq!(all(&db, "l"), "c b a d");
}

#[test]
fn counts_that_pop_refuses() {
    let db = with("a");
    for line in [
        "LPOP l -1",
        "RPOP l x",
        "LPOP l 9223372036854775808",
        "LPOP none -1",
    ] {
        assert_eq!(error(&db, line), OUT_OF_RANGE);
    }
    assert_eq!(
        error(&db, "LPOP l 1 2"),
        "ERR wrong number of arguments for 'lpop' command"
    );
    assert_eq!(
        error(&db, "RPOP l 1 2"),
        "ERR wrong number of arguments for 'rpop' command"
    );
}

#[test]
fn ranges_and_indexes() {
    let db = with("a b c");
    assert_eq!(int(&db, "LLEN l"), 3);
    assert_eq!(int(&db, "LLEN none"), 0);
    assert_eq!(texts(&db, "LRANGE l 0 0"), ["a"]);
    assert_eq!(texts(&db, "LRANGE l -2 -1"), ["b", "c"]);
    assert_eq!(texts(&db, "LRANGE l -100 100"), ["a", "b", "c"]);
    assert_eq!(run(&db, "LRANGE l 5 10"), Reply::Array(vec![]));
    assert_eq!(run(&db, "LRANGE l 2 1"), Reply::Array(vec![]));
    assert_eq!(run(&db, "LRANGE none 0 -1"), Reply::Array(vec![]));
    assert_eq!(error(&db, "LRANGE none x 1"), NOT_INTEGER);
    assert_eq!(texts(&db, "LINDEX l 0"), ["a"]);
    assert_eq!(texts(&db, "LINDEX l -1"), ["c"]);
    assert_eq!(run(&db, "LINDEX l 3"), Reply::Null);
    assert_eq!(run(&db, "LINDEX l -4"), Reply::Null);
    assert_eq!(run(&db, "LINDEX none x"), Reply::Null);
    assert_eq!(error(&db, "LINDEX l x"), NOT_INTEGER);
}

#[test]
fn set_by_index() {
    let db = with("one two three");
    assert_eq!(run(&db, "LSET l 0 four"), Reply::OK);
    assert_eq!(run(&db, "LSET l -2 5"), Reply::OK);
    assert_eq!(all(&db, "l"), "four 5 three");
    assert_eq!(error(&db, "LSET l 3 x"), "ERR index out of range");
    assert_eq!(error(&db, "LSET l -4 x"), "ERR index out of range");
    assert_eq!(error(&db, "LSET l x y"), NOT_INTEGER);
    assert_eq!(error(&db, "LSET none x y"), "ERR no such key");
}

#[test]
fn remove_by_value() {
    let db = with("hello hello foo hello");
    assert_eq!(int(&db, "LREM l -2 hello"), 2);
    assert_eq!(all(&db, "l"), "hello foo");
    run(&db, "RPUSH l 1 hello 1 01 1");
    assert_eq!(int(&db, "LREM l 1 hello"), 1);
    assert_eq!(int(&db, "LREM l 0 1"), 3);
    assert_eq!(all(&db, "l"), "foo hello 01");
    assert_eq!(int(&db, "LREM l 0 nothing"), 0);
    assert_eq!(int(&db, "LREM none 0 a"), 0);
    assert_eq!(error(&db, "LREM none x a"), NOT_INTEGER);
    run(&db, "RPUSH same a a a");
    assert_eq!(int(&db, "LREM same -9223372036854775808 a"), 3);
    assert_eq!(int(&db, "EXISTS same"), 0);
}

#[test]
fn trim() {
    let db = with("one two three");
    assert_eq!(run(&db, "LTRIM l 1 -1"), Reply::OK);
    assert_eq!(all(&db, "l"), "two three");
    run(&db, "LTRIM l -1 100");
    assert_eq!(all(&db, "l"), "three");
    run(&db, "LTRIM l 5 10");
    assert_eq!(int(&db, "EXISTS l"), 0);
    assert_eq!(run(&db, "LTRIM none 0 1"), Reply::OK);
    assert_eq!(error(&db, "LTRIM none x 1"), NOT_INTEGER);
}

#[test]
fn insert_around_a_pivot() {
    let db = with("Hello World 5");
    assert_eq!(int(&db, "LINSERT l BEFORE World There"), 4);
    assert_eq!(int(&db, "LINSERT l after 5 6"), 5);
    assert_eq!(int(&db, "LINSERT l before Hello first"), 6);
    assert_eq!(all(&db, "l"), "first Hello There World 5 6");
    assert_eq!(int(&db, "LINSERT l BEFORE nothing x"), -1);
    assert_eq!(int(&db, "LINSERT none BEFORE a b"), 0);
    assert_eq!(error(&db, "LINSERT none around a b"), "ERR syntax error");
}

#[test]
fn move_between_lists() {
    let db = with("one two three");
    assert_eq!(texts(&db, "LMOVE l other RIGHT LEFT"), ["three"]);
    assert_eq!(texts(&db, "lmove l other left right"), ["one"]);
    assert_eq!(
        (all(&db, "l"), all(&db, "other")),
        ("two".into(), "three one".into())
    );
    assert_eq!(texts(&db, "RPOPLPUSH l other"), ["two"]);
    assert_eq!(int(&db, "EXISTS l"), 0);
    assert_eq!(all(&db, "other"), "two three one");
    assert_eq!(texts(&db, "LMOVE other other LEFT RIGHT"), ["two"]);
    assert_eq!(all(&db, "other"), "three one two");
    assert_eq!(run(&db, "RPOPLPUSH l other"), Reply::Null);
    assert_eq!(error(&db, "LMOVE l other UP LEFT"), "ERR syntax error");
}

#[test]
fn rotating_a_list_of_one_keeps_its_expiry() {
    let db = with("only");
    run(&db, "PEXPIRE l 5000");
    assert_eq!(texts(&db, "RPOPLPUSH l l"), ["only"]);
    assert_eq!(int(&db, "PTTL l"), 5000);
}

#[test]
fn a_move_to_another_type_takes_nothing() {
    let db = with("a b");
    run(&db, "SET s x");
    assert_eq!(error(&db, "LMOVE l s LEFT LEFT"), WRONG_TYPE);
    assert_eq!(error(&db, "RPOPLPUSH s l"), WRONG_TYPE);
    assert_eq!(run(&db, "LMOVE none s LEFT LEFT"), Reply::Null);
    assert_eq!(all(&db, "l"), "a b");
}

#[test]
fn positions_of_matches() {
    let db = with("a b c 1 2 3 c c");
    assert_eq!(int(&db, "LPOS l c"), 2);
    assert_eq!(int(&db, "LPOS l c RANK 2"), 6);
    assert_eq!(int(&db, "LPOS l c RANK -1"), 7);
    assert_eq!(int(&db, "LPOS l 3"), 5);
    assert_eq!(texts(&db, "LPOS l c COUNT 2"), ["2", "6"]);
    assert_eq!(texts(&db, "LPOS l c COUNT 0"), ["2", "6", "7"]);
    assert_eq!(texts(&db, "LPOS l c COUNT 0 RANK -2"), ["6", "2"]);
    assert_eq!(texts(&db, "LPOS l c count 0 maxlen 3"), ["2"]);
    assert_eq!(texts(&db, "LPOS l c COUNT 0 MAXLEN 2 RANK -1"), ["7", "6"]);
    assert_eq!(run(&db, "LPOS l c MAXLEN 2"), Reply::Null);
    assert_eq!(run(&db, "LPOS l c RANK 9223372036854775807"), Reply::Null);
    assert_eq!(run(&db, "LPOS none c"), Reply::Null);
    assert_eq!(run(&db, "LPOS none c COUNT 1"), Reply::Array(vec![]));
}

#[test]
fn position_options_that_are_refused() {
    let db = TestDb::new();
    assert!(
        error(&db, "LPOS l c RANK 0")
            .starts_with("ERR RANK can't be zero: use 1 to start from the first match, 2")
    );
    assert_eq!(error(&db, "LPOS l c RANK x"), NOT_INTEGER);
    assert!(
        error(&db, "LPOS l c RANK -9223372036854775808").starts_with("ERR value is out of range, value must")
    );
    assert_eq!(error(&db, "LPOS l c COUNT -1"), "ERR COUNT can't be negative");
    assert_eq!(error(&db, "LPOS l c COUNT x"), "ERR COUNT can't be negative");
    assert_eq!(error(&db, "LPOS l c MAXLEN -1"), "ERR MAXLEN can't be negative");
    assert_eq!(error(&db, "LPOS l c RANK"), "ERR syntax error");
    assert_eq!(error(&db, "LPOS l c FIRST 1"), "ERR syntax error");
}

#[test]
fn another_type_is_refused() {
    let db = TestDb::new();
    run(&db, "SET s x");
    for line in [
        "LPUSH s a",
        "RPUSH s a",
        "LPUSHX s a",
        "RPUSHX s a",
        "LPOP s",
        "RPOP s 1",
        "LLEN s",
        "LRANGE s 0 1",
        "LINDEX s 0",
        "LSET s 0 a",
        "LREM s 0 a",
        "LTRIM s 0 1",
        "LINSERT s BEFORE a b",
        "LPOS s a",
    ] {
        assert_eq!(error(&db, line), WRONG_TYPE, "{line}");
    }
    assert_eq!(texts(&db, "GET s"), ["x"]);
}

#[test]
fn binary_elements() {
    let db = TestDb::new();
    let element: &[u8] = b"\0\xff\r\n\x80";
    db.run_bytes(&[b"RPUSH", b"l", element, b"", element]);
    assert_eq!(db.run_bytes(&[b"LINDEX", b"l", b"0"]), Reply::bulk(element));
    assert_eq!(db.run_bytes(&[b"LINDEX", b"l", b"1"]), Reply::bulk(b""));
    assert_eq!(db.run_bytes(&[b"LREM", b"l", b"0", element]), Reply::Int(2));
}

#[test]
fn the_same_commands_on_a_list_of_many_nodes() {
    let db = TestDb::new();
    let element = |i: usize| format!("element:{i}:{}", "x".repeat(i % 120));
    for i in 0..1000 {
        run(&db, &format!("RPUSH l {}", element(i)));
    }
    assert_eq!(encoding(&db, "l"), Some("quicklist"));
    assert_eq!(texts(&db, "LINDEX l 700"), [element(700)]);
    assert_eq!(texts(&db, "LRANGE l 498 501"), [498, 499, 500, 501].map(element));
    assert_eq!(int(&db, &format!("LPOS l {}", element(650))), 650);
    assert_eq!(int(&db, &format!("LINSERT l AFTER {} new", element(400))), 1001);
    assert_eq!(texts(&db, "LINDEX l 401"), ["new"]);
    assert_eq!(int(&db, "LREM l 0 new"), 1);
    run(&db, "LTRIM l 300 303");
    assert_eq!(texts(&db, "LRANGE l 0 -1"), [300, 301, 302, 303].map(element));
    assert_eq!(encoding(&db, "l"), Some("listpack"));
}

#[test]
fn pop_from_the_first_of_several() {
    let db = with("three two one");
    assert_eq!(run(&db, "LMPOP 2 non1 non2 LEFT COUNT 10"), Reply::NullArray);
    assert_eq!(texts(&db, "LMPOP 1 l LEFT"), ["l", "three"]);
    run(&db, "RPUSH m a b c d e");
    assert_eq!(texts(&db, "LMPOP 2 l m right count 1"), ["l", "one"]);
    assert_eq!(
        run(&db, "LMPOP 2 l m RIGHT COUNT 10"),
        Reply::Array(vec![Reply::bulk(b"l"), Reply::Array(vec![Reply::bulk(b"two")])])
    );
    assert_eq!(int(&db, "EXISTS l"), 0);
    assert_eq!(texts(&db, "LMPOP 3 l m l RIGHT COUNT 2"), ["m", "e", "d"]);
    assert_eq!(
        texts(&db, "LMPOP 1 m LEFT COUNT 9223372036854775807"),
        ["m", "a", "b", "c"]
    );
    assert_eq!(int(&db, "EXISTS m"), 0);
}

#[test]
fn pop_from_several_looks_no_further_than_it_has_to() {
    let db = with("a b");
    db.put_collection("set", "s");
    assert_eq!(error(&db, "LMPOP 2 s l LEFT"), WRONG_TYPE);
    assert_eq!(error(&db, "LMPOP 3 none s l LEFT"), WRONG_TYPE);
    assert_eq!(texts(&db, "LMPOP 2 l s LEFT"), ["l", "a"]);
    assert_eq!(
        error(&db, "LMPOP 0 l LEFT"),
        "ERR numkeys should be greater than 0"
    );
    assert_eq!(error(&db, "LMPOP 2 l LEFT"), "ERR syntax error");
    assert_eq!(error(&db, "LMPOP 1 l MIN"), "ERR syntax error");
    assert_eq!(
        error(&db, "LMPOP 1 l LEFT COUNT 0"),
        "ERR count should be greater than 0"
    );
    assert_eq!(all(&db, "l"), "b");
}
