use crate::command::testing::{TestDb, encoding, error, flatten, int, run, text};
use crate::reply::Reply;

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "ERR value is not an integer or out of range";
const NOT_FLOAT: &str = "ERR value is not a valid float";
const OUT_OF_RANGE: &str = "ERR value is out of range, must be positive";
const SYNTAX: &str = "ERR syntax error";
const NOT_A_SCORE: &str = "ERR min or max is not a float";
const NOT_A_LEX_BOUND: &str = "ERR min or max not valid string range item";
const NAN: &str = "ERR resulting score is not a number (NaN)";

fn double(value: f64) -> Reply {
    Reply::Double(value)
}

/// Runs the test on a sorted set `z` of these pairs in either form. A long member makes the large form, which stays.
fn in_both_forms(pairs: &str, test: impl Fn(&TestDb)) {
    for expected in ["listpack", "skiplist"] {
        let db = TestDb::new();
        run(&db, &format!("ZADD z {pairs}"));
        if expected == "skiplist" {
            let long = "x".repeat(65);
            run(&db, &format!("ZADD z 0 {long}"));
            run(&db, &format!("ZREM z {long}"));
        }
        assert_eq!(encoding(&db, "z"), Some(expected));
        test(&db);
    }
}

#[test]
fn add_and_change() {
    in_both_forms("1 one 1 uno", |db| {
        assert_eq!(int(db, "ZADD z 2 two 3 three 1 one"), 2);
        assert_eq!(text(db, "ZRANGE z 0 -1 WITHSCORES"), "one 1 uno 1 two 2 three 3");
        assert_eq!(int(db, "ZADD z CH 5 one 9 new 2 two"), 2);
        assert_eq!(int(db, "ZADD z ch nx 6 one 1.5 half"), 1);
        assert_eq!(int(db, "ZADD z XX 7 one 1 nobody"), 0);
        assert_eq!(int(db, "ZADD z XX CH 8 one 1 nobody"), 1);
        assert_eq!(
            text(db, "ZRANGE z 0 -1 WITHSCORES"),
            "uno 1 half 1.5 two 2 three 3 one 8 new 9"
        );
        assert_eq!(int(db, "ZCARD z"), 6);
    });
}

#[test]
fn add_only_greater_or_less() {
    in_both_forms("5 m 1 other", |db| {
        assert_eq!(int(db, "ZADD z GT CH 4 m 3 new"), 1);
        assert_eq!(run(db, "ZSCORE z m"), double(5.0));
        assert_eq!(int(db, "ZADD z GT CH 6 m"), 1);
        assert_eq!(int(db, "ZADD z LT CH 7 m"), 0);
        assert_eq!(int(db, "ZADD z LT XX CH 2 m 2 nobody"), 1);
        assert_eq!(run(db, "ZSCORE z m"), double(2.0));
        assert_eq!(run(db, "ZADD z GT INCR -1 m"), Reply::Null);
        assert_eq!(run(db, "ZADD z GT INCR 1 m"), double(3.0));
        assert_eq!(run(db, "ZADD z LT INCR 0 m"), Reply::Null);
        assert_eq!(run(db, "ZADD z NX INCR 1 m"), Reply::Null);
        assert_eq!(run(db, "ZADD z XX INCR 1 nobody"), Reply::Null);
    });
}

#[test]
fn options_of_add_that_are_refused() {
    let db = TestDb::new();
    assert_eq!(
        error(&db, "ZADD z NX XX 1 a"),
        "ERR XX and NX options at the same time are not compatible"
    );
    for line in ["ZADD z GT LT 1 a", "ZADD z NX GT 1 a", "ZADD z NX LT 1 a"] {
        assert_eq!(
            error(&db, line),
            "ERR GT, LT, and/or NX options at the same time are not compatible"
        );
    }
    assert_eq!(
        error(&db, "ZADD z INCR 1 a 2 b"),
        "ERR INCR option supports a single increment-element pair"
    );
    for line in ["ZADD z 1 a 2", "ZADD z NX XX", "ZADD z NX XX 1", "ZADD z NX CH"] {
        assert_eq!(error(&db, line), SYNTAX, "{line}");
    }
    for line in [
        "ZADD z one a",
        "ZADD z 1 a nan b",
        "ZADD z INCR x a",
        "ZINCRBY z nan a",
        "ZADD z 1 a FOO b",
    ] {
        assert_eq!(error(&db, line), NOT_FLOAT, "{line}");
    }
    assert_eq!(encoding(&db, "z"), None, "a refused command changes nothing");
    assert_eq!(int(&db, "ZADD z XX 1 a"), 0);
    assert_eq!(encoding(&db, "z"), None, "an empty set is no key");
}

#[test]
fn increments() {
    in_both_forms("1 one", |db| {
        assert_eq!(run(db, "ZINCRBY z 2.5 one"), double(3.5));
        assert_eq!(run(db, "ZINCRBY z -4 new"), double(-4.0));
        assert_eq!(text(db, "ZRANGE z 0 -1 WITHSCORES"), "new -4 one 3.5");
        assert_eq!(run(db, "ZINCRBY z inf one"), double(f64::INFINITY));
        assert_eq!(error(db, "ZINCRBY z -inf one"), NAN);
        assert_eq!(error(db, "ZADD z INCR -inf one"), NAN);
        assert_eq!(run(db, "ZSCORE z one"), double(f64::INFINITY));
        assert_eq!(text(db, "ZINCRBY z 0.1 new"), "-3.9");
    });
}

#[test]
fn infinities_and_zeros() {
    in_both_forms("inf top -inf bottom 0 b", |db| {
        run(db, "ZADD z -0 a +inf also -0.0 c");
        assert_eq!(
            text(db, "ZRANGE z 0 -1 WITHSCORES"),
            "bottom -inf a 0 b 0 c 0 also inf top inf"
        );
        assert_eq!(text(db, "ZRANGEBYSCORE z -0 0"), "a b c");
        assert_eq!(int(db, "ZCOUNT z (-inf (+inf"), 3);
        assert_eq!(int(db, "ZCOUNT z -inf +inf"), 6);
        assert_eq!(text(db, "ZRANGEBYSCORE z inf inf"), "also top");
    });
}

#[test]
fn remove_and_look_up() {
    in_both_forms("1 one 2 two 3 3", |db| {
        assert_eq!(run(db, "ZSCORE z two"), double(2.0));
        assert_eq!(run(db, "ZSCORE z nobody"), Reply::Null);
        assert_eq!(run(db, "ZSCORE none two"), Reply::Null);
        let scores = vec![double(3.0), Reply::Null, double(1.0)];
        assert_eq!(run(db, "ZMSCORE z 3 nobody one"), Reply::Array(scores));
        assert_eq!(
            run(db, "ZMSCORE none a b"),
            Reply::Array(vec![Reply::Null, Reply::Null])
        );
        assert_eq!(int(db, "ZREM z one nobody one 3"), 2);
        assert_eq!(int(db, "ZREM none one"), 0);
        assert_eq!(int(db, "ZREM z two"), 1);
        assert_eq!(encoding(db, "z"), None);
        assert_eq!(int(db, "ZCARD z"), 0);
    });
}

#[test]
fn ranks() {
    in_both_forms("1 one 2 two 3 three", |db| {
        assert_eq!(int(db, "ZRANK z three"), 2);
        assert_eq!(int(db, "ZREVRANK z one"), 2);
        assert_eq!(
            run(db, "ZRANK z two WITHSCORE"),
            Reply::Array(vec![Reply::Int(1), double(2.0)])
        );
        assert_eq!(
            run(db, "ZREVRANK z three withscore"),
            Reply::Array(vec![Reply::Int(0), double(3.0)])
        );
        assert_eq!(run(db, "ZRANK z nobody"), Reply::Null);
        assert_eq!(run(db, "ZRANK z nobody WITHSCORE"), Reply::NullArray);
        assert_eq!(run(db, "ZREVRANK none one"), Reply::Null);
        assert_eq!(run(db, "ZREVRANK none one WITHSCORE"), Reply::NullArray);
        assert_eq!(error(db, "ZRANK z one WITHSCORES"), SYNTAX);
        assert_eq!(
            error(db, "ZRANK z one WITHSCORE x"),
            "ERR wrong number of arguments for 'zrank' command"
        );
    });
}

#[test]
fn ranges_by_rank() {
    in_both_forms("1 one 2 two 3 three", |db| {
        assert_eq!(text(db, "ZRANGE z 0 -1"), "one two three");
        assert_eq!(text(db, "ZRANGE z -2 -1"), "two three");
        assert_eq!(text(db, "ZRANGE z 1 100 WITHSCORES"), "two 2 three 3");
        assert_eq!(text(db, "ZRANGE z 0 1 REV"), "three two");
        assert_eq!(text(db, "ZREVRANGE z 0 -1"), "three two one");
        assert_eq!(text(db, "ZREVRANGE z -2 -1 withscores"), "two 2 one 1");
        assert_eq!(text(db, "ZRANGE z 0 -1 LIMIT 1 -1"), "one two three");
        for line in [
            "ZRANGE z 3 9",
            "ZRANGE z 2 1",
            "ZREVRANGE z 5 9",
            "ZRANGE none 0 -1",
        ] {
            assert_eq!(run(db, line), Reply::Array(vec![]), "{line}");
        }
        assert_eq!(
            text(db, "ZRANGE z -9223372036854775808 9223372036854775807"),
            "one two three"
        );
        assert_eq!(error(db, "ZRANGE none x 1"), NOT_INTEGER);
        let with_scores = Reply::Pairs(vec![(Reply::bulk(b"one"), double(1.0))]);
        assert_eq!(run(db, "ZRANGE z 0 0 WITHSCORES"), with_scores);
    });
}

#[test]
fn ranges_by_score() {
    in_both_forms("1 one 2 two 3 three 4 four", |db| {
        assert_eq!(text(db, "ZRANGEBYSCORE z -inf +inf"), "one two three four");
        assert_eq!(text(db, "ZRANGEBYSCORE z (1 3 WITHSCORES"), "two 2 three 3");
        assert_eq!(text(db, "ZRANGEBYSCORE z (1 (2"), "");
        assert_eq!(text(db, "ZRANGEBYSCORE z 3 1"), "");
        assert_eq!(text(db, "ZRANGE z (1 +inf BYSCORE LIMIT 1 1"), "three");
        assert_eq!(text(db, "ZRANGE z 3 (1 BYSCORE REV"), "three two");
        assert_eq!(
            text(db, "ZREVRANGEBYSCORE z +inf (1 LIMIT 1 5 WITHSCORES"),
            "three 3 two 2"
        );
        assert_eq!(text(db, "ZRANGEBYSCORE z 0 9 LIMIT 0 -1"), "one two three four");
        assert_eq!(text(db, "ZRANGEBYSCORE z 0 9 LIMIT 0 0"), "");
        assert_eq!(text(db, "ZRANGEBYSCORE z 0 9 LIMIT -1 2"), "");
        assert_eq!(text(db, "ZRANGEBYSCORE z 0 9 LIMIT 9 2"), "");
        assert_eq!(
            text(db, "ZREVRANGEBYSCORE z 9 0 LIMIT 3 9223372036854775807"),
            "one"
        );
        assert_eq!(int(db, "ZCOUNT z (1 3"), 2);
        assert_eq!(int(db, "ZCOUNT z 3 1"), 0);
        assert_eq!(int(db, "ZCOUNT none 1 3"), 0);
    });
}

#[test]
fn ranges_by_member() {
    in_both_forms("0 a 0 b 0 c 0 d 0 e 0 10 0 9", |db| {
        assert_eq!(text(db, "ZRANGEBYLEX z - +"), "10 9 a b c d e");
        assert_eq!(text(db, "ZRANGEBYLEX z [b (e"), "b c d");
        assert_eq!(text(db, "ZRANGEBYLEX z (b [e LIMIT 1 2"), "d e");
        assert_eq!(text(db, "ZRANGE z [aaa (g BYLEX"), "b c d e");
        assert_eq!(text(db, "ZRANGE z + [c BYLEX REV"), "e d c");
        assert_eq!(text(db, "ZREVRANGEBYLEX z [c - LIMIT 0 2"), "c b");
        assert_eq!(text(db, "ZRANGEBYLEX z + -"), "");
        assert_eq!(text(db, "ZRANGEBYLEX z [e [b"), "");
        assert_eq!(text(db, "ZRANGEBYLEX z [ [9"), "10 9");
        assert_eq!(int(db, "ZLEXCOUNT z - +"), 7);
        assert_eq!(int(db, "ZLEXCOUNT z [b [d"), 3);
        assert_eq!(int(db, "ZLEXCOUNT none [b [d"), 0);
    });
}

#[test]
fn range_words_that_are_refused() {
    let db = TestDb::new();
    run(&db, "ZADD z 1 a");
    for line in [
        "ZRANGE z 0 -1 REV REV",
        "ZRANGE z 0 1 BYSCORE BYLEX",
        "ZRANGE z 0 1 LIMIT 0",
        "ZRANGE z 0 1 FOO",
        "ZRANGEBYSCORE z 0 1 REV",
        "ZREVRANGE z 0 1 BYSCORE",
        "ZRANGEBYLEX z - + BYLEX",
        "ZRANGESTORE d z 0 1 WITHSCORES",
    ] {
        assert_eq!(error(&db, line), SYNTAX, "{line}");
    }
    let limit = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
    assert_eq!(error(&db, "ZRANGE z 0 -1 LIMIT 0 1"), limit);
    assert_eq!(error(&db, "ZREVRANGE z 0 -1 LIMIT 0 1"), limit);
    let scores = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
    assert_eq!(error(&db, "ZRANGE z - + BYLEX WITHSCORES"), scores);
    assert_eq!(error(&db, "ZRANGEBYSCORE z 0 1 LIMIT 0 x"), NOT_INTEGER);
    for line in [
        "ZCOUNT z x 1",
        "ZCOUNT z 1 nan",
        "ZRANGEBYSCORE none (x 1",
        "ZREMRANGEBYSCORE z a b",
    ] {
        assert_eq!(error(&db, line), NOT_A_SCORE, "{line}");
    }
    for line in [
        "ZLEXCOUNT z a b",
        "ZRANGEBYLEX none +a +",
        "ZREMRANGEBYLEX z [a b",
        "ZRANGE z a [b BYLEX",
    ] {
        assert_eq!(error(&db, line), NOT_A_LEX_BOUND, "{line}");
    }
    assert_eq!(error(&db, "ZREMRANGEBYRANK z a 1"), NOT_INTEGER);
}

#[test]
fn store_a_range() {
    in_both_forms("1 one 2 two 3 three", |db| {
        assert_eq!(int(db, "ZRANGESTORE d z 2 -1"), 1);
        assert_eq!(int(db, "ZRANGESTORE d z (1 +inf BYSCORE"), 2);
        assert_eq!(text(db, "ZRANGE d 0 -1 WITHSCORES"), "two 2 three 3");
        assert_eq!(int(db, "ZRANGESTORE d z 3 1 BYSCORE REV LIMIT 0 1"), 1);
        assert_eq!(text(db, "ZRANGE d 0 -1"), "three");
        assert_eq!(int(db, "ZRANGESTORE z z 0 1"), 2);
        assert_eq!(text(db, "ZRANGE z 0 -1"), "one two");
        assert_eq!(int(db, "ZRANGESTORE d none 0 -1"), 0);
        assert_eq!(encoding(db, "d"), None);
        run(db, "SET d text");
        assert_eq!(int(db, "ZRANGESTORE d z 0 -1"), 2);
        assert_eq!(error(db, "GET d"), WRONG_TYPE);
    });
}

#[test]
fn remove_ranges() {
    in_both_forms("1 a 2 b 3 c 4 d 5 e 6 f", |db| {
        assert_eq!(int(db, "ZREMRANGEBYRANK z 0 0"), 1);
        assert_eq!(int(db, "ZREMRANGEBYRANK z -1 -1"), 1);
        assert_eq!(int(db, "ZREMRANGEBYRANK z 10 20"), 0);
        assert_eq!(int(db, "ZREMRANGEBYSCORE z -inf (3"), 1);
        assert_eq!(text(db, "ZRANGE z 0 -1"), "c d e");
        assert_eq!(int(db, "ZREMRANGEBYLEX z (c [d"), 1);
        assert_eq!(text(db, "ZRANGE z 0 -1"), "c e");
        assert_eq!(int(db, "ZREMRANGEBYSCORE z -inf +inf"), 2);
        assert_eq!(encoding(db, "z"), None);
        for line in [
            "ZREMRANGEBYRANK z 0 -1",
            "ZREMRANGEBYSCORE z 0 1",
            "ZREMRANGEBYLEX z - +",
        ] {
            assert_eq!(int(db, line), 0);
        }
    });
}

#[test]
fn pop_from_either_end() {
    in_both_forms("1 one 2 two 3 three 4 four", |db| {
        assert_eq!(
            run(db, "ZPOPMIN z"),
            Reply::Array(vec![Reply::bulk(b"one"), double(1.0)])
        );
        assert_eq!(
            run(db, "ZPOPMAX z 1"),
            Reply::Pairs(vec![(Reply::bulk(b"four"), double(4.0))])
        );
        assert_eq!(text(db, "ZPOPMAX z 0"), "");
        assert_eq!(text(db, "ZPOPMAX z 9223372036854775807"), "three 3 two 2");
        assert_eq!(encoding(db, "z"), None);
        assert_eq!(text(db, "ZPOPMIN z"), "");
        assert_eq!(error(db, "ZPOPMIN z -1"), OUT_OF_RANGE);
        assert_eq!(error(db, "ZPOPMIN z x"), OUT_OF_RANGE);
        assert_eq!(error(db, "ZPOPMIN z 1 2"), SYNTAX);
    });
}

#[test]
fn scan_gives_members_and_scores() {
    in_both_forms("1 one 2.5 two 3 3", |db| {
        assert_eq!(text(db, "ZSCAN z 0 MATCH t* COUNT 100"), "0 two 2.5");
        let mut all: Vec<String> = flatten(run(db, "ZSCAN z 0"));
        assert_eq!(all.remove(0), "0");
        all.sort();
        assert_eq!(all, ["1", "2.5", "3", "3", "one", "two"]);
        assert_eq!(text(db, "ZSCAN none 0"), "0");
        assert_eq!(error(db, "ZSCAN none x"), "ERR invalid cursor");
        assert_eq!(error(db, "ZSCAN z 0 FOO 1"), SYNTAX);
    });
}

#[test]
fn scan_of_a_large_set_comes_in_pages() {
    let db = TestDb::new();
    for i in 0..500 {
        run(&db, &format!("ZADD z {i} member:{i}"));
    }
    let (mut cursor, mut seen, mut pages) = ("0".to_string(), std::collections::BTreeSet::new(), 0);
    loop {
        let mut page = flatten(run(&db, &format!("ZSCAN z {cursor} COUNT 50")));
        cursor = page.remove(0);
        seen.extend(page.chunks(2).map(|pair| pair[0].clone()));
        pages += 1;
        if cursor == "0" {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (500, 10));
}

#[test]
fn another_type_is_refused() {
    let db = TestDb::new();
    run(&db, "RPUSH l x");
    for line in [
        "ZADD l 1 a",
        "ZADD l INCR 1 a",
        "ZINCRBY l 1 a",
        "ZREM l a",
        "ZSCORE l a",
        "ZMSCORE l a",
        "ZCARD l",
        "ZRANK l a",
        "ZREVRANK l a",
        "ZPOPMIN l",
        "ZPOPMAX l 0",
        "ZSCAN l 0",
        "ZCOUNT l 0 1",
        "ZLEXCOUNT l - +",
        "ZRANGE l 0 1",
        "ZRANGEBYSCORE l 0 1",
        "ZREVRANGE l 0 1",
        "ZREVRANGEBYSCORE l 1 0",
        "ZRANGEBYLEX l - +",
        "ZREVRANGEBYLEX l + -",
        "ZRANGESTORE d l 0 1",
        "ZREMRANGEBYRANK l 0 1",
        "ZREMRANGEBYSCORE l 0 1",
        "ZREMRANGEBYLEX l - +",
    ] {
        assert_eq!(error(&db, line), WRONG_TYPE, "{line}");
    }
    assert_eq!(int(&db, "LLEN l"), 1);
}

#[test]
fn binary_members() {
    let db = TestDb::new();
    let member: &[u8] = b"\0\xff\r\n";
    db.run_bytes(&[b"ZADD", b"z", b"1", member, b"1", b""]);
    assert_eq!(db.run_bytes(&[b"ZSCORE", b"z", member]), double(1.0));
    assert_eq!(db.run_bytes(&[b"ZRANK", b"z", b""]), Reply::Int(0));
    assert_eq!(
        db.run_bytes(&[b"ZRANGEBYLEX", b"z", b"[\0", b"+"]),
        Reply::Array(vec![Reply::bulk(member)])
    );
}

#[test]
fn a_small_set_becomes_large() {
    let db = TestDb::new();
    for i in 0..128 {
        run(&db, &format!("ZADD z {i} {i}"));
    }
    assert_eq!(encoding(&db, "z"), Some("listpack"));
    run(&db, "ZADD z 0.5 one-more");
    assert_eq!(encoding(&db, "z"), Some("skiplist"));
    assert_eq!(text(&db, "ZRANGE z 0 2 WITHSCORES"), "0 0 one-more 0.5 1 1");
    run(&db, "ZREMRANGEBYRANK z 3 -1");
    assert_eq!(encoding(&db, "z"), Some("skiplist"));
}

#[test]
fn pop_from_the_first_of_several() {
    in_both_forms("1 one 2 two 3 three 4 four", |db| {
        assert_eq!(run(db, "ZMPOP 1 none MIN"), Reply::NullArray);
        assert_eq!(text(db, "ZMPOP 2 none z MIN"), "z one 1");
        let nested = |member: &str, score| Reply::Array(vec![Reply::bulk(member.as_bytes()), double(score)]);
        assert_eq!(
            run(db, "ZMPOP 1 z max COUNT 2"),
            Reply::Array(vec![
                Reply::bulk(b"z"),
                Reply::Array(vec![nested("four", 4.0), nested("three", 3.0)])
            ])
        );
        assert_eq!(text(db, "ZMPOP 1 z MIN COUNT 9223372036854775807"), "z two 2");
        assert_eq!(int(db, "EXISTS z"), 0);
    });
}

#[test]
fn pop_from_several_looks_no_further_than_it_has_to() {
    let db = TestDb::new();
    run(&db, "ZADD z 1 a");
    db.put_collection("set", "s");
    assert_eq!(error(&db, "ZMPOP 2 s z MIN"), WRONG_TYPE);
    assert_eq!(error(&db, "ZMPOP 1 z LEFT"), SYNTAX);
    assert_eq!(
        error(&db, "ZMPOP 1 z MIN COUNT 0"),
        "ERR count should be greater than 0"
    );
    assert_eq!(
        error(&db, "ZMPOP x z MIN"),
        "ERR numkeys should be greater than 0"
    );
    assert_eq!(text(&db, "ZMPOP 2 z s MIN"), "z a 1");
}

#[test]
fn random_members() {
    in_both_forms("1 a 2 b 3 c", |db| {
        assert!("a b c".contains(&text(db, "ZRANDMEMBER z")));
        assert_eq!(text(db, "ZRANDMEMBER z 10"), "a b c");
        assert_eq!(text(db, "ZRANDMEMBER z 3 withscores"), "a 1 b 2 c 3");
        assert_eq!(text(db, "ZRANDMEMBER z 9223372036854775807"), "a b c");
        assert_eq!(run(db, "ZRANDMEMBER z 0"), Reply::Array(vec![]));
        let two = flatten(run(db, "ZRANDMEMBER z 2"));
        assert!(two.len() == 2 && two[0] != two[1]);
        assert_eq!(flatten(run(db, "ZRANDMEMBER z -10")).len(), 10);
        let Reply::Pairs(pairs) = run(db, "ZRANDMEMBER z -20 WITHSCORES") else {
            panic!("pairs");
        };
        let drawn = flatten(Reply::Pairs(pairs));
        assert_eq!(drawn.len(), 40);
        assert!(
            drawn
                .chunks(2)
                .all(|pair| ["a 1", "b 2", "c 3"].contains(&pair.join(" ").as_str()))
        );
        assert_eq!(int(db, "ZCARD z"), 3);
    });
}

#[test]
fn random_members_that_are_refused_or_missing() {
    let db = TestDb::new();
    assert_eq!(run(&db, "ZRANDMEMBER none"), Reply::Null);
    assert_eq!(run(&db, "ZRANDMEMBER none 5"), Reply::Array(vec![]));
    assert_eq!(run(&db, "ZRANDMEMBER none -5 WITHSCORES"), Reply::Pairs(vec![]));
    assert_eq!(error(&db, "ZRANDMEMBER none 1 x"), SYNTAX);
    assert_eq!(error(&db, "ZRANDMEMBER none x"), NOT_INTEGER);
    assert_eq!(
        error(&db, "ZRANDMEMBER none -9223372036854775808"),
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
    );
    assert_eq!(
        error(&db, "ZRANDMEMBER none 9223372036854775807 WITHSCORES"),
        "ERR value is out of range"
    );
    db.put_collection("set", "s");
    assert_eq!(error(&db, "ZRANDMEMBER s"), WRONG_TYPE);
    assert_eq!(error(&db, "ZRANDMEMBER s 1"), WRONG_TYPE);
}

#[test]
fn many_members_at_once_make_room_even_if_they_are_the_same() {
    let db = TestDb::new();
    let same = |n: usize| vec!["1 m"; n].join(" ");
    run(&db, &format!("ZADD z {}", same(128)));
    assert_eq!(encoding(&db, "z"), Some("listpack"));
    run(&db, &format!("ZADD z {}", same(129)));
    assert_eq!((encoding(&db, "z"), int(&db, "ZCARD z")), (Some("skiplist"), 1));
    assert_eq!(int(&db, &format!("ZADD none XX {}", same(129))), 0);
    assert_eq!(encoding(&db, "none"), None);
}

#[test]
fn an_empty_bound_is_0() {
    in_both_forms("-1 a 0 b 1 c", |db| {
        assert_eq!(db.int(&["ZCOUNT", "z", "", "1"]), 2);
        assert_eq!(db.int(&["ZCOUNT", "z", "(", " 1"]), 1);
        assert_eq!(db.error(&["ZCOUNT", "z", " ", "1"]), NOT_A_SCORE);
    });
}
