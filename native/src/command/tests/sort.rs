use super::keys;
use crate::command::testing::{TestDb, error, run, text, with};
use crate::command::{Grows, Wanted, find};
use crate::reply::Reply;

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const SYNTAX: &str = "ERR syntax error";
const NOT_A_WEIGHT: &str = "ERR One or more scores can't be converted into double";

#[test]
fn by_number_and_by_bytes() {
    let db = with(&["RPUSH l 3 1.5 10 -2 2", "RPUSH words banana apple Cherry 10 9"]);
    assert_eq!(text(&db, "SORT l"), "-2 1.5 2 3 10");
    assert_eq!(text(&db, "SORT l asc"), "-2 1.5 2 3 10");
    assert_eq!(text(&db, "SORT_RO l DESC"), "10 3 2 1.5 -2");
    assert_eq!(text(&db, "SORT l DESC ASC ALPHA"), "-2 1.5 10 2 3");
    assert_eq!(text(&db, "SORT words ALPHA"), "10 9 Cherry apple banana");
    assert_eq!(text(&db, "SORT words ALPHA DESC"), "banana apple Cherry 9 10");
    assert_eq!(error(&db, "SORT words"), NOT_A_WEIGHT);
    assert_eq!(text(&db, "LRANGE l 0 -1"), "3 1.5 10 -2 2");
    assert_eq!(run(&db, "SORT none"), Reply::Array(vec![]));
}

#[test]
fn numbers_that_are_hard_to_read() {
    let db = TestDb::new();
    db.run(&["RPUSH", "l", "", "-1", " 5", "1e3", "inf", "-inf"]);
    assert_eq!(db.texts(&["SORT", "l"]), ["-inf", "-1", "", " 5", "1e3", "inf"]);
    for bad in ["nan", "1e400", "5 ", "x"] {
        db.run(&["DEL", "l"]);
        db.run(&["RPUSH", "l", bad, "1"]);
        assert_eq!(db.error(&["SORT", "l"]), NOT_A_WEIGHT, "{bad}");
        assert_eq!(db.error(&["SORT", "l", "LIMIT", "0", "0"]), NOT_A_WEIGHT, "{bad}");
    }
}

#[test]
fn limits() {
    let db = with(&["RPUSH l 5 4 3 2 1"]);
    assert_eq!(text(&db, "SORT l LIMIT 0 2"), "1 2");
    assert_eq!(text(&db, "SORT l LIMIT 1 2"), "2 3");
    assert_eq!(text(&db, "SORT l LIMIT 3 100"), "4 5");
    assert_eq!(text(&db, "SORT l LIMIT -5 2"), "1 2");
    assert_eq!(text(&db, "SORT l LIMIT 2 -1"), "3 4 5");
    assert_eq!(text(&db, "SORT l LIMIT 5 1"), "");
    assert_eq!(text(&db, "SORT l LIMIT 0 0"), "");
    assert_eq!(
        text(&db, "SORT l LIMIT 9223372036854775807 9223372036854775807"),
        ""
    );
    assert_eq!(text(&db, "SORT l LIMIT 4 9223372036854775807"), "5");
    assert_eq!(
        error(&db, "SORT l LIMIT x 1"),
        "ERR value is not an integer or out of range"
    );
    assert_eq!(error(&db, "SORT l LIMIT 1"), SYNTAX);
}

#[test]
fn by_what_other_keys_hold() {
    let db = with(&[
        "RPUSH l 1 2 3 4",
        "MSET weight_1 30 weight_2 20 weight_3 10 name_1 c name_2 b name_3 a",
        "HSET obj_1 w 2 n uno",
        "HSET obj_2 w 1 n dos",
    ]);
    assert_eq!(text(&db, "SORT l BY weight_*"), "4 3 2 1");
    assert_eq!(text(&db, "SORT l BY weight_* DESC"), "1 2 3 4");
    assert_eq!(text(&db, "SORT l BY name_* ALPHA"), "4 3 2 1");
    assert_eq!(text(&db, "SORT l BY obj_*->w"), "3 4 2 1");
    assert_eq!(text(&db, "SORT l BY obj_*->w DESC LIMIT 0 2"), "1 2");
    assert_eq!(error(&db, "SORT l BY name_*"), NOT_A_WEIGHT);
    assert_eq!(
        text(&db, "SORT l BY weight_* GET # GET name_* GET obj_*->n GET none"),
        "4 (nil) (nil) (nil) 3 a (nil) (nil) 2 b dos (nil) 1 c uno (nil)"
    );
    // Not of the type that the pattern asks for.
    assert_eq!(
        text(&db, "SORT l GET obj_* GET name_*->n LIMIT 0 1"),
        "(nil) (nil)"
    );
}

#[test]
fn patterns_stand_for_keys_of_any_form() {
    let db = with(&[
        "RPUSH l a",
        "MSET a 1 xay 2 a-> 3 a* 4 p->a 8",
        "HSET pax f 5 ->g 6",
    ]);
    assert_eq!(text(&db, "SORT l ALPHA GET *"), "1");
    assert_eq!(text(&db, "SORT l ALPHA GET x*y"), "2");
    // An arrow without a field behind it belongs to the key.
    assert_eq!(text(&db, "SORT l ALPHA GET *->"), "3");
    assert_eq!(text(&db, "SORT l ALPHA GET **"), "4");
    assert_eq!(text(&db, "SORT l ALPHA GET p*x->f"), "5");
    assert_eq!(text(&db, "SORT l ALPHA GET p*x->->g"), "6");
    // An arrow before the star belongs to the key, too.
    assert_eq!(text(&db, "SORT l ALPHA GET p->*"), "8");
}

#[test]
fn without_an_order() {
    let db = with(&["RPUSH l 3 1 2", "ZADD z 1 c 2 b 3 a", "SADD s 3 1 2"]);
    assert_eq!(text(&db, "SORT l BY nosort"), "3 1 2");
    assert_eq!(text(&db, "SORT l BY nosort DESC LIMIT 1 5"), "1 3");
    assert_eq!(text(&db, "SORT l BY nosort GET #"), "3 1 2");
    assert_eq!(text(&db, "SORT z BY nosort"), "c b a");
    assert_eq!(text(&db, "SORT z BY nosort DESC"), "a b c");
    assert_eq!(text(&db, "SORT z BY nosort DESC LIMIT 0 1"), "a");
    assert_eq!(text(&db, "SORT z ALPHA"), "a b c");
    assert_eq!(text(&db, "SORT s BY nosort"), "1 2 3");
}

#[test]
fn a_stored_result() {
    let db = with(&["RPUSH l 3 1 2", "SET k_1 one", "SET d old", "EXPIRE d 100"]);
    assert_eq!(run(&db, "SORT l STORE d"), Reply::Int(3));
    assert_eq!(text(&db, "LRANGE d 0 -1"), "1 2 3");
    assert_eq!(run(&db, "TTL d"), Reply::Int(-1));
    assert_eq!(run(&db, "SORT l GET # GET k_* STORE d LIMIT 0 2"), Reply::Int(4));
    assert_eq!(text(&db, "LRANGE d 0 -1"), "1 one 2 ");
    assert_eq!(run(&db, "SORT l STORE l DESC"), Reply::Int(3));
    assert_eq!(text(&db, "LRANGE l 0 -1"), "3 2 1");
    assert_eq!(run(&db, "SORT none STORE d"), Reply::Int(0));
    assert_eq!(run(&db, "EXISTS d"), Reply::Int(0));
    assert_eq!(error(&db, "SORT_RO l STORE d"), SYNTAX);
}

#[test]
fn a_set_that_is_stored_unsorted_is_sorted_by_its_bytes() {
    let db = with(&["SADD s b 10 9 a"]);
    assert_eq!(run(&db, "SORT s BY nosort STORE d"), Reply::Int(4));
    assert_eq!(text(&db, "LRANGE d 0 -1"), "10 9 a b");
    assert_eq!(run(&db, "SORT s BY nosort DESC STORE d"), Reply::Int(4));
    assert_eq!(text(&db, "LRANGE d 0 -1"), "b a 9 10");
}

#[test]
fn equal_weights_stand_in_the_order_of_their_bytes() {
    let db = with(&["RPUSH l b 10 a 9", "MSET w_b 1 w_a 1"]);
    assert_eq!(text(&db, "SORT l BY w_*"), "10 9 a b");
    assert_eq!(text(&db, "SORT l BY w_* DESC"), "b a 9 10");
}

#[test]
fn what_is_refused() {
    let db = with(&["SET text x", "HSET hash f v", "RPUSH l 1"]);
    assert_eq!(error(&db, "SORT text"), WRONG_TYPE);
    assert_eq!(error(&db, "SORT hash BY nosort"), WRONG_TYPE);
    assert_eq!(error(&db, "SORT text NOSUCH"), SYNTAX);
    for line in ["SORT l BY", "SORT l GET", "SORT l STORE", "SORT l ASC x"] {
        assert_eq!(error(&db, line), SYNTAX, "{line}");
    }
    assert_eq!(
        error(&db, "SORT"),
        "ERR wrong number of arguments for 'sort' command"
    );
}

#[test]
fn keys_that_are_not_named_need_all() {
    let words = |line: &'static str| line.split(' ').map(str::as_bytes).collect::<Vec<_>>();
    let found = |line| keys(&words(line), true);
    assert_eq!(found("SORT k BY w_* STORE d"), Wanted::All);
    assert_eq!(found("SORT k GET x*"), Wanted::All);
    assert_eq!(
        found("SORT k BY nosort GET # LIMIT 0 1 STORE d"),
        Wanted::Words([1, 10].into_iter().collect())
    );
    assert_eq!(
        found("SORT store STORE store"),
        Wanted::Words([1, 3].into_iter().collect())
    );
    // What is refused anyway locks its first key only.
    assert_eq!(found("SORT k BY w_* x"), Wanted::Words([1].into_iter().collect()));
    assert!(find(b"sort").is_some_and(|spec| spec.write && matches!(spec.grows, Grows::Always)));
    assert!(find(b"sort_ro").is_some_and(|spec| !spec.write));
}
