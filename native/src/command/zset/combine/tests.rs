use super::keys_behind_destination;
use crate::command::Wanted;
use crate::command::testing::{TestDb, encoding, error, int, run, text, with};
use crate::reply::Reply;

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const SYNTAX: &str = "ERR syntax error";

fn documented() -> TestDb {
    with(&["ZADD zset1 1 one 2 two", "ZADD zset2 1 one 2 two 3 three"])
}

#[test]
fn unions() {
    let db = documented();
    assert_eq!(text(&db, "ZUNION 2 zset1 zset2"), "one three two");
    assert_eq!(
        run(&db, "ZUNION 2 zset1 zset2 WITHSCORES"),
        Reply::Pairs(vec![
            (Reply::bulk(b"one"), Reply::Double(2.0)),
            (Reply::bulk(b"three"), Reply::Double(3.0)),
            (Reply::bulk(b"two"), Reply::Double(4.0)),
        ])
    );
    assert_eq!(int(&db, "ZUNIONSTORE out 2 zset1 zset2 WEIGHTS 2 3"), 3);
    assert_eq!(text(&db, "ZRANGE out 0 -1 WITHSCORES"), "one 5 three 9 two 10");
    assert_eq!(
        text(&db, "ZUNION 2 zset1 zset2 AGGREGATE MAX WEIGHTS 3 1 WITHSCORES"),
        "one 3 three 3 two 6"
    );
    assert_eq!(
        text(&db, "zunion 2 zset1 zset2 weights 3 1 aggregate min withscores"),
        "one 1 two 2 three 3"
    );
    assert_eq!(text(&db, "ZUNION 1 zset1 AGGREGATE SUM"), "one two");
    assert_eq!(run(&db, "ZUNION 2 none nobody"), Reply::Array(vec![]));
    assert_eq!(run(&db, "ZUNION 1 none WITHSCORES"), Reply::Pairs(vec![]));
}

#[test]
fn intersections() {
    let db = documented();
    assert_eq!(text(&db, "ZINTER 2 zset1 zset2"), "one two");
    assert_eq!(text(&db, "ZINTER 2 zset1 zset2 WITHSCORES"), "one 2 two 4");
    assert_eq!(int(&db, "ZINTERSTORE out 2 zset1 zset2 WEIGHTS 2 3"), 2);
    assert_eq!(text(&db, "ZRANGE out 0 -1 WITHSCORES"), "one 5 two 10");
    assert_eq!(
        text(&db, "ZINTER 2 zset2 zset1 WEIGHTS -1 1 AGGREGATE MIN WITHSCORES"),
        "two -2 one -1"
    );
    assert_eq!(text(&db, "ZINTER 2 zset1 none"), "");
    assert_eq!(text(&db, "ZINTER 3 zset1 zset1 zset1 WITHSCORES"), "one 3 two 6");
    assert_eq!(int(&db, "ZINTERSTORE out 2 zset1 none"), 0);
    assert_eq!(int(&db, "EXISTS out"), 0);
}

#[test]
fn differences() {
    let db = documented();
    assert_eq!(text(&db, "ZDIFF 2 zset2 zset1"), "three");
    assert_eq!(text(&db, "ZDIFF 2 zset2 zset1 WITHSCORES"), "three 3");
    assert_eq!(text(&db, "ZDIFF 2 zset1 zset2"), "");
    assert_eq!(text(&db, "ZDIFF 2 zset1 zset1"), "");
    assert_eq!(text(&db, "ZDIFF 2 zset1 none WITHSCORES"), "one 1 two 2");
    assert_eq!(text(&db, "ZDIFF 2 none zset1"), "");
    assert_eq!(int(&db, "ZDIFFSTORE zset2 2 zset2 zset1"), 1);
    assert_eq!(text(&db, "ZRANGE zset2 0 -1 WITHSCORES"), "three 3");
    run(&db, "EXPIRE zset2 100");
    assert_eq!(int(&db, "ZDIFFSTORE zset2 1 zset1"), 2);
    assert_eq!(int(&db, "TTL zset2"), -1);
}

#[test]
fn cardinalities() {
    let db = documented();
    assert_eq!(int(&db, "ZINTERCARD 2 zset1 zset2"), 2);
    assert_eq!(int(&db, "ZINTERCARD 2 zset1 zset2 LIMIT 1"), 1);
    assert_eq!(int(&db, "ZINTERCARD 2 zset1 zset2 limit 0"), 2);
    assert_eq!(int(&db, "ZINTERCARD 2 zset1 zset2 LIMIT 9223372036854775807"), 2);
    assert_eq!(int(&db, "ZINTERCARD 2 zset1 none"), 0);
    assert_eq!(int(&db, "ZINTERCARD 1 zset2"), 3);
    assert_eq!(
        error(&db, "ZINTERCARD 1 zset1 LIMIT -1"),
        "ERR LIMIT can't be negative"
    );
    for line in [
        "ZINTERCARD 1 zset1 LIMIT",
        "ZINTERCARD 1 zset1 WITHSCORES",
        "ZINTERCARD 3 zset1 zset2",
    ] {
        assert_eq!(error(&db, line), SYNTAX, "{line}");
    }
}

#[test]
fn sets_count_with_the_score_1() {
    let db = with(&["SADD s a b 5", "ZADD z 10 a 20 5", "SADD ints 5 6"]);
    assert_eq!(text(&db, "ZUNION 2 s z WEIGHTS 2 1 WITHSCORES"), "b 2 a 12 5 22");
    assert_eq!(text(&db, "ZINTER 3 z s ints WITHSCORES"), "5 22");
    assert_eq!(text(&db, "ZDIFF 2 s z WITHSCORES"), "b 1");
    assert_eq!(text(&db, "ZDIFF 2 z ints WITHSCORES"), "a 10");
    assert_eq!(int(&db, "ZUNIONSTORE s 1 s"), 3);
    assert_eq!(text(&db, "TYPE s"), "zset");
}

#[test]
fn scores_stay_numbers() {
    let db = with(&["ZADD up inf m", "ZADD down -inf m", "ZADD one 1 m"]);
    assert_eq!(text(&db, "ZUNION 2 up down WITHSCORES"), "m 0");
    assert_eq!(text(&db, "ZINTER 2 up down WITHSCORES"), "m 0");
    assert_eq!(text(&db, "ZUNION 1 up WEIGHTS 0 WITHSCORES"), "m 0");
    assert_eq!(text(&db, "ZINTER 1 down WEIGHTS 0 WITHSCORES"), "m 0");
    assert_eq!(text(&db, "ZINTER 2 one up WEIGHTS 1 0 WITHSCORES"), "m 0");
    assert_eq!(
        text(&db, "ZINTER 2 one up WEIGHTS 1 0 AGGREGATE MIN WITHSCORES"),
        "m 1"
    );
    assert_eq!(text(&db, "ZUNION 1 one WEIGHTS -inf WITHSCORES"), "m -inf");
    assert_eq!(text(&db, "ZUNION 1 one WEIGHTS -0 WITHSCORES"), "m 0");
}

#[test]
fn sums_begin_with_the_smallest_input() {
    // (1 + 1e17) - 1e17 is 0, and 1 + (1e17 - 1e17) is 1.
    let db = with(&["ZADD a 1 m", "ZADD b 1e17 m 0 x", "ZADD c -1e17 m 0 x 0 y"]);
    assert_eq!(text(&db, "ZINTER 3 c b a WITHSCORES"), "m 0");
    run(&db, "ZADD a 0 v 0 w 0 y 0 z");
    assert_eq!(text(&db, "ZINTER 3 a b c WITHSCORES"), "m 1");
}

#[test]
fn results_have_the_encoding_of_their_size() {
    let db = TestDb::new();
    let members = |from: i32, to: i32| {
        (from..to)
            .map(|i| format!("{i} m{i}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    run(&db, &format!("ZADD a {}", members(0, 100)));
    run(&db, &format!("ZADD b {}", members(28, 129)));
    assert_eq!(int(&db, "ZUNIONSTORE out 2 a b"), 129);
    assert_eq!(encoding(&db, "out"), Some("skiplist"));
    run(&db, "ZREM b m128");
    assert_eq!(int(&db, "ZUNIONSTORE out 2 a b"), 128);
    assert_eq!(encoding(&db, "out"), Some("listpack"));
    run(&db, &format!("ZADD a 0 {}", "x".repeat(65)));
    assert_eq!(int(&db, "ZUNIONSTORE out 1 a"), 101);
    assert_eq!(encoding(&db, "out"), Some("skiplist"));
    assert_eq!(encoding(&db, "a"), Some("skiplist"));
    assert_eq!(int(&db, "ZINTERSTORE a 2 a b"), 72);
    assert_eq!(encoding(&db, "a"), Some("listpack"));
}

#[test]
fn what_is_refused() {
    let db = documented();
    for name in ["ZUNION", "ZINTER", "ZDIFF", "ZINTERCARD"] {
        let lower = name.to_lowercase();
        for count in ["0", "-1"] {
            assert_eq!(
                error(&db, &format!("{name} {count} zset1")),
                format!("ERR at least 1 input key is needed for '{lower}' command")
            );
        }
        assert_eq!(
            error(&db, &format!("{name} x zset1")),
            "ERR value is not an integer or out of range"
        );
        for rest in ["2 zset1", "1 zset1 x", "1 zset1 STORE d", "1 zset1 AGGREGATE"] {
            assert_eq!(error(&db, &format!("{name} {rest}")), SYNTAX, "{name} {rest}");
        }
    }
    assert_eq!(
        error(&db, "zUnionStore d 0 zset1"),
        "ERR at least 1 input key is needed for 'zunionstore' command"
    );
    for line in [
        "ZUNIONSTORE d 1 zset1 WITHSCORES",
        "ZDIFFSTORE d 1 zset1 WITHSCORES",
        "ZDIFF 1 zset1 WEIGHTS 1",
        "ZDIFF 1 zset1 AGGREGATE SUM",
        "ZUNION 2 zset1 zset2 WEIGHTS 1",
        "ZUNION 1 zset1 AGGREGATE AVG",
        "ZUNIONSTORE d 9223372036854775807 zset1",
    ] {
        assert_eq!(error(&db, line), SYNTAX, "{line}");
    }
    for weight in ["x", "nan", ""] {
        assert_eq!(
            error(&db, &format!("ZUNION 1 zset1 WEIGHTS {weight}")),
            "ERR weight value is not a float"
        );
    }
    db.put_collection("list", "l");
    assert_eq!(error(&db, "ZUNION 2 none l NOSUCH"), WRONG_TYPE);
    assert_eq!(error(&db, "ZINTER 2 none l"), WRONG_TYPE);
    assert_eq!(error(&db, "ZDIFFSTORE d 2 none l"), WRONG_TYPE);
    assert_eq!(error(&db, "ZINTERCARD 2 none l LIMIT"), WRONG_TYPE);
    // The destination may hold anything.
    assert_eq!(int(&db, "ZUNIONSTORE l 1 zset1"), 2);
}

#[test]
fn keys_behind_the_destination() {
    let found = |line: &str| {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        match keys_behind_destination(&words) {
            Wanted::Words(words) => words.to_vec(),
            Wanted::All => panic!("only named keys"),
        }
    };
    assert_eq!(found("ZUNIONSTORE d 2 a b WEIGHTS 1 2"), [1, 3, 4]);
    assert_eq!(found("ZUNIONSTORE d 9223372036854775807 a b"), [1, 3, 4]);
    assert_eq!(found("ZUNIONSTORE d -1 a"), [1]);
    assert_eq!(found("ZUNIONSTORE d x a"), [1]);
}
