use crate::command::testing::{TestDb, error, run, texts};
use crate::reply::Reply;

#[test]
fn pops_take_from_the_first_key_that_has_any() {
    let db = TestDb::new();
    run(&db, "RPUSH b 1 2 3");
    run(&db, "RPUSH c 4");
    assert_eq!(texts(&db, "BLPOP a b c 0"), ["b", "1"]);
    assert_eq!(texts(&db, "BRPOP c b 1.5"), ["c", "4"]);
    assert_eq!(texts(&db, "BLMPOP 0 2 a b LEFT COUNT 5"), ["b", "2", "3"]);
    assert_eq!(run(&db, "BLPOP a b c 0"), Reply::NullArray);
    assert_eq!(run(&db, "BLMPOP 1 1 a RIGHT"), Reply::NullArray);
}

#[test]
fn members_come_with_their_scores() {
    let db = TestDb::new();
    run(&db, "ZADD z 1 a 2.5 b 3 c 4 d");
    let one = |member: &str, score| {
        Reply::Array(vec![
            Reply::bulk(b"z"),
            Reply::bulk(member.as_bytes()),
            Reply::Double(score),
        ])
    };
    assert_eq!(run(&db, "BZPOPMIN y z 0"), one("a", 1.0));
    assert_eq!(run(&db, "BZPOPMAX z 0"), one("d", 4.0));
    assert_eq!(
        run(&db, "BZMPOP 0 2 y z MAX"),
        Reply::Array(vec![
            Reply::bulk(b"z"),
            Reply::Array(vec![Reply::Array(vec![Reply::bulk(b"c"), Reply::Double(3.0)])]),
        ])
    );
    assert_eq!(texts(&db, "BZMPOP 0 1 z MIN COUNT 9"), ["z", "b", "2.5"]);
    assert_eq!(run(&db, "BZPOPMIN z 0"), Reply::NullArray);
    assert_eq!(run(&db, "BZMPOP 0 1 z MIN"), Reply::NullArray);
}

#[test]
fn moves_answer_the_element() {
    let db = TestDb::new();
    run(&db, "RPUSH a 1 2 3");
    assert_eq!(texts(&db, "BLMOVE a b LEFT RIGHT 0"), ["1"]);
    assert_eq!(texts(&db, "BRPOPLPUSH a b 0"), ["3"]);
    assert_eq!(texts(&db, "LRANGE b 0 -1"), ["3", "1"]);
    assert_eq!(run(&db, "BLMOVE none b LEFT RIGHT 0"), Reply::Null);
    assert_eq!(run(&db, "BRPOPLPUSH none b 0"), Reply::Null);
    run(&db, "SET s v");
    assert!(error(&db, "BLMOVE a s LEFT LEFT 0").starts_with("WRONGTYPE"));
    assert!(error(&db, "BRPOPLPUSH s a 0").starts_with("WRONGTYPE"));
    assert_eq!(texts(&db, "LRANGE a 0 -1"), ["2"]);
}

#[test]
fn refusals_are_those_of_redis() {
    let db = TestDb::new();
    run(&db, "SET s v");
    run(&db, "RPUSH l x");
    let no_float = "ERR timeout is not a float or out of range";
    for (line, text) in [
        ("BLPOP l x", no_float),
        ("BLPOP l nan", no_float),
        ("BZPOPMIN z -1", "ERR timeout is negative"),
        ("BRPOP l 9223372036854776", "ERR timeout is out of range"),
        ("BRPOP l inf", "ERR timeout is out of range"),
        ("BLMOVE l b X LEFT y", "ERR syntax error"),
        ("BLMOVE l b LEFT RIGHT y", no_float),
        ("BRPOPLPUSH l b y", no_float),
        ("BLMPOP x 0 l LEFT", "ERR numkeys should be greater than 0"),
        ("BLMPOP x 1 l LEFT", no_float),
        ("BLMPOP 1 2 l LEFT", "ERR syntax error"),
        ("BZMPOP 1 1 z MIN COUNT 0", "ERR count should be greater than 0"),
        (
            "BLMPOP 1 1 l",
            "ERR wrong number of arguments for 'blmpop' command",
        ),
        (
            "BLPOP none s l 0",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        (
            "BZMPOP 0 1 l MIN",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
    ] {
        assert_eq!(error(&db, line), text, "{line}");
    }
    assert_eq!(texts(&db, "LRANGE l 0 -1"), ["x"]);
}
