use crate::command::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;

/// What redis-server holds for the seven letters, before it has counted them.
const EXPECTED: &[u8] = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\
    Fm\x80V\x0c\x80D<\x848\x80P\xb1\x84I\x8c\x80Bm\x80BZ";

fn bytes(db: &TestDb, key: &str) -> Vec<u8> {
    match db.run(&["GET", key]) {
        Reply::Bulk(bytes) => bytes,
        other => panic!("{key} holds {other:?}"),
    }
}

#[test]
fn elements_are_counted() {
    let db = TestDb::new();
    assert_eq!(db.int(&["PFADD", "k", "a", "b", "c", "d", "e", "f", "g"]), 1);
    assert_eq!(db.int(&["PFCOUNT", "k"]), 7);
    assert_eq!(db.int(&["PFADD", "k", "a", "g"]), 0);
    assert_eq!(db.int(&["PFADD", "k"]), 0);
    assert_eq!(db.int(&["PFADD", "new"]), 1);
    assert_eq!(db.int(&["PFCOUNT", "new"]), 0);
    assert_eq!(db.int(&["PFCOUNT", "none"]), 0);
    assert_eq!(db.int(&["PFADD", "other", "foo", "bar", "zap", "zap", "zap"]), 1);
    assert_eq!(db.int(&["PFADD", "other", "zap", "zap", "zap"]), 0);
    assert_eq!(db.int(&["PFCOUNT", "other"]), 3);
    assert_eq!(db.int(&["PFCOUNT", "k", "none", "other"]), 10);
    assert_eq!(db.int(&["EXISTS", "none"]), 0);
}

#[test]
fn the_bytes_are_those_of_redis() {
    let db = TestDb::new();
    db.run(&["PFADD", "k", "a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(bytes(&db, "k"), EXPECTED);
}

#[test]
fn sketches_merge() {
    let db = TestDb::new();
    db.run(&["PFADD", "one", "foo", "bar", "zap", "a"]);
    db.run(&["PFADD", "two", "a", "b", "c", "foo"]);
    db.run(&["PFADD", "to", "x"]);
    db.run(&["PEXPIRE", "to", "100"]);
    assert_eq!(db.run(&["PFMERGE", "to", "one", "two", "none"]), Reply::OK);
    assert_eq!(db.int(&["PFCOUNT", "to"]), 7);
    assert_eq!(db.int(&["PTTL", "to"]), 100);
    assert_eq!(db.run(&["PFMERGE", "new"]), Reply::OK);
    assert_eq!(db.int(&["PFCOUNT", "new"]), 0);
    assert_eq!(db.run(&["PFMERGE", "copy", "one"]), Reply::OK);
    assert_eq!(bytes(&db, "copy"), bytes(&db, "one"));
}

#[test]
fn large_sketches_turn_dense_and_stay_mergeable() {
    let db = TestDb::new();
    let names: Vec<String> = (0..20_000).map(|i| format!("element {i}")).collect();
    for chunk in names.chunks(500) {
        let words: Vec<&str> = ["PFADD", "k"]
            .into_iter()
            .chain(chunk.iter().map(String::as_str))
            .collect();
        db.run(&words);
    }
    assert_eq!(db.int(&["STRLEN", "k"]), 12_304);
    let counted = db.int(&["PFCOUNT", "k"]);
    assert!((19_600..20_400).contains(&counted), "{counted}");
    let before = bytes(&db, "k");
    assert_eq!(db.int(&["PFADD", "k", "element 17"]), 0);
    assert_eq!(bytes(&db, "k"), before);
    db.run(&["PFADD", "small", "element 3", "another"]);
    db.run(&["PFMERGE", "small", "k"]);
    assert_eq!(db.int(&["STRLEN", "small"]), 12_304);
    assert_eq!(db.int(&["PFCOUNT", "small"]), db.int(&["PFCOUNT", "k", "small"]));
}

#[test]
fn what_is_no_sketch_is_refused_and_stays_as_it_is() {
    let db = TestDb::new();
    db.run(&["SET", "text", "hello"]);
    db.put_collection("list", "list");
    db.run_bytes(&[b"SET", b"broken", b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x40"]);
    db.run(&["PFADD", "sound", "a"]);
    for command in ["PFADD", "PFCOUNT", "PFMERGE"] {
        assert_eq!(
            db.error(&[command, "text"]),
            "WRONGTYPE Key is not a valid HyperLogLog string value."
        );
        assert_eq!(db.status(&[command, "list"]), Status::WrongType);
    }
    let corrupt = "INVALIDOBJ Corrupted HLL object detected";
    assert_eq!(db.error(&["PFADD", "broken", "x"]), corrupt);
    assert_eq!(db.error(&["PFCOUNT", "broken"]), corrupt);
    assert_eq!(db.error(&["PFCOUNT", "sound", "broken"]), corrupt);
    assert_eq!(db.error(&["PFMERGE", "to", "sound", "broken"]), corrupt);
    assert_eq!(db.run(&["GET", "text"]), Reply::bulk(b"hello"));
    assert_eq!(db.int(&["EXISTS", "to"]), 0);
}
