use crate::command::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;

/// The numbers that BITFIELD gives for these words, `None` for null.
fn field(db: &TestDb, words: &str) -> Vec<Option<i64>> {
    let words: Vec<&str> = ["BITFIELD", "k"].into_iter().chain(words.split(' ')).collect();
    let Reply::Array(items) = db.run(&words) else {
        panic!("{words:?} gave no array")
    };
    let number = |item| match item {
        Reply::Int(n) => Some(n),
        Reply::Null => None,
        other => panic!("{words:?} gave {other:?}"),
    };
    items.into_iter().map(number).collect()
}

fn some<const N: usize>(numbers: [i64; N]) -> Vec<Option<i64>> {
    numbers.map(Some).to_vec()
}

#[test]
fn fields_are_read_and_written() {
    let db = TestDb::new();
    assert_eq!(field(&db, "INCRBY i5 100 1 GET u4 0"), some([1, 0]));
    assert_eq!(field(&db, "SET i8 #0 100 SET i8 #1 200"), some([0, 0]));
    assert_eq!(
        field(&db, "GET i8 0 GET i8 8 GET u8 #1 GET u4 4 GET u63 1000"),
        some([100, -56, 200, 4, 0])
    );
    assert_eq!(
        field(
            &db,
            "SET i64 203 -9223372036854775808 GET i64 203 INCRBY i64 203 -1"
        ),
        some([0, i64::MIN, i64::MAX])
    );
    assert_eq!(
        field(
            &db,
            "SET u63 301 9223372036854775807 GET u63 301 INCRBY u63 301 2"
        ),
        some([0, i64::MAX, 1])
    );
    assert_eq!(db.int(&["STRLEN", "k"]), 46);
}

#[test]
fn what_does_not_fit_wraps_saturates_or_fails() {
    let db = TestDb::new();
    let both = "INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1";
    for expected in [[1, 1], [2, 2], [3, 3], [0, 3]] {
        assert_eq!(field(&db, both), some(expected));
    }
    assert_eq!(field(&db, "OVERFLOW FAIL INCRBY u2 102 1"), [None]);
    assert_eq!(field(&db, "GET u2 102"), some([3]));
    assert_eq!(field(&db, "OVERFLOW SAT INCRBY u2 102 -9"), some([0]));
    assert_eq!(field(&db, "INCRBY u2 102 -1"), some([3]));
    for (words, expected) in [
        ("SET i8 0 128 GET i8 0", some([0, -128])),
        ("INCRBY i8 0 -1 INCRBY i8 0 1", some([127, -128])),
        ("OVERFLOW SAT INCRBY i8 0 -1 INCRBY i8 0 1000", some([-128, 127])),
        ("OVERFLOW SAT SET i8 0 -200 GET i8 0", some([127, -128])),
        ("OVERFLOW SAT SET u8 0 -1 GET u8 0", some([128, 255])),
        ("SET u8 0 257 GET u8 0", some([255, 1])),
        (
            "OVERFLOW SAT INCRBY i64 64 9223372036854775807 INCRBY i64 64 1",
            some([i64::MAX; 2]),
        ),
        (
            "OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0",
            some([1, 127]),
        ),
    ] {
        assert_eq!(field(&db, words), expected, "{words}");
    }
    assert_eq!(
        field(&db, "OVERFLOW FAIL SET i8 0 128 INCRBY i8 0 -300 GET i8 0"),
        [None, None, Some(127)]
    );
    assert_eq!(
        field(&db, "OVERFLOW FAIL INCRBY i64 64 1 OVERFLOW WRAP INCRBY i64 64 1"),
        [None, Some(i64::MIN)]
    );
}

#[test]
fn reading_creates_nothing_and_writing_reserves_everything() {
    let db = TestDb::new();
    assert_eq!(field(&db, "GET u8 0"), some([0]));
    assert_eq!(field(&db, "OVERFLOW SAT"), []);
    assert_eq!(db.run(&["BITFIELD", "k"]), Reply::Array(vec![]));
    assert_eq!(db.int(&["EXISTS", "k"]), 0);
    assert_eq!(field(&db, "OVERFLOW FAIL SET u1 15 5"), [None]);
    assert_eq!(db.run(&["GET", "k"]), Reply::bulk(b"\0\0"));
    db.run(&["SET", "k", "a"]);
    let read = ["BITFIELD_RO", "k", "GET", "u8", "0", "GET", "u16", "4"];
    assert_eq!(
        db.run(&read),
        Reply::Array(vec![Reply::Int(97), Reply::Int(0x1000)])
    );
    assert_eq!(
        db.error(&["BITFIELD_RO", "k", "SET", "u8", "0", "1"]),
        "ERR BITFIELD_RO only supports the GET subcommand"
    );
    assert_eq!(db.run(&["GET", "k"]), Reply::bulk(b"a"));
}

#[test]
fn words_that_are_no_fields_are_refused() {
    let db = TestDb::new();
    let bad_type =
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    for kind in ["u64", "i65", "u0", "i0", "i-1", "x8", "", "i", "i08", "8", "I8"] {
        assert_eq!(db.error(&["BITFIELD", "k", "GET", kind, "0"]), bad_type, "{kind}");
    }
    let bad_offset = "ERR bit offset is not an integer or out of range";
    for offset in [
        "-1",
        "#-1",
        "##1",
        "#",
        "",
        "x",
        "4294967296",
        "#536870912",
        "#4611686018427387904",
    ] {
        assert_eq!(
            db.error(&["BITFIELD", "k", "SET", "u8", offset, "1"]),
            bad_offset,
            "{offset}"
        );
    }
    assert_eq!(
        db.error(&["BITFIELD", "k", "SET", "u8", "4294967290", "1"]),
        bad_offset
    );
    assert_eq!(
        db.error(&["BITFIELD", "k", "OVERFLOW", "no"]),
        "ERR Invalid OVERFLOW type specified"
    );
    for words in [
        &["GET", "u8"][..],
        &["SET", "u8", "0"],
        &["x"],
        &["OVERFLOW"],
        &["GET", "u8", "0", "1"],
    ] {
        let words = [&["BITFIELD", "k"], words].concat();
        assert_eq!(db.status(&words), Status::Syntax, "{words:?}");
    }
    assert_eq!(
        db.status(&["BITFIELD", "k", "INCRBY", "u8", "0", "x"]),
        Status::NotInteger
    );
    db.put_collection("hash", "k");
    assert_eq!(db.status(&["BITFIELD", "k", "GET", "u8", "0"]), Status::WrongType);
    assert_eq!(
        db.status(&["BITFIELD", "k", "SET", "u8", "0", "1"]),
        Status::WrongType
    );
}
