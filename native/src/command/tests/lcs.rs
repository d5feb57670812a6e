use crate::command::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;

fn texts() -> TestDb {
    let db = TestDb::new();
    db.run(&["MSET", "a", "ohmytext", "b", "mynewtext"]);
    db
}

#[test]
fn the_text_and_its_length() {
    let db = texts();
    assert_eq!(db.texts(&["LCS", "a", "b"]), ["mytext"]);
    assert_eq!(db.int(&["LCS", "a", "b", "LEN"]), 6);
    assert_eq!(db.texts(&["LCS", "a", "a"]), ["ohmytext"]);
    assert_eq!(db.texts(&["LCS", "a", "none"]), [""]);
    assert_eq!(db.int(&["LCS", "none", "none", "len"]), 0);
    db.run_bytes(&[b"SET", b"x", b"\0\xff\x01"]);
    db.run_bytes(&[b"SET", b"y", b"\xff\0\x01\xff"]);
    assert_eq!(db.run(&["LCS", "x", "y"]), Reply::bulk(b"\xff\x01"));
}

#[test]
fn the_places() {
    let db = texts();
    assert_eq!(
        db.texts(&["LCS", "a", "b", "IDX"]),
        ["matches", "4", "7", "5", "8", "2", "3", "0", "1", "len", "6"]
    );
    assert_eq!(
        db.texts(&["LCS", "a", "b", "IDX", "MINMATCHLEN", "4", "WITHMATCHLEN"]),
        ["matches", "4", "7", "5", "8", "4", "len", "6"]
    );
    assert_eq!(
        db.texts(&["LCS", "a", "b", "IDX", "MINMATCHLEN", "-4", "WITHMATCHLEN"]),
        [
            "matches", "4", "7", "5", "8", "4", "2", "3", "0", "1", "2", "len", "6"
        ]
    );
    assert_eq!(db.texts(&["LCS", "none", "b", "IDX"]), ["matches", "len", "0"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let db = texts();
    db.put_collection("list", "list");
    for keys in [["list", "a"], ["a", "list"]] {
        assert_eq!(
            db.error(&[&["LCS"], &keys[..]].concat()),
            "ERR The specified keys must contain string values"
        );
    }
    assert_eq!(
        db.error(&["LCS", "a", "b", "IDX", "LEN"]),
        "ERR If you want both the length and indexes, please just use IDX."
    );
    assert_eq!(db.status(&["LCS", "a", "b", "x"]), Status::Syntax);
    assert_eq!(db.status(&["LCS", "a", "b", "MINMATCHLEN"]), Status::Syntax);
    assert_eq!(
        db.status(&["LCS", "a", "b", "MINMATCHLEN", "x"]),
        Status::NotInteger
    );
    db.run(&["SETRANGE", "long", "20000", "x"]);
    let too_large = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
    assert_eq!(db.error(&["LCS", "long", "long"]), too_large);
    assert_eq!(db.int(&["LCS", "long", "a", "LEN"]), 1);
}

/// The table as a textbook has it.
fn plain_length(a: &[u8], b: &[u8]) -> usize {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            table[i][j] = if a[i - 1] == b[j - 1] {
                table[i - 1][j - 1] + 1
            } else {
                table[i - 1][j].max(table[i][j - 1])
            };
        }
    }
    table[a.len()][b.len()]
}

#[test]
fn random_texts_agree_with_a_plain_table() {
    let db = TestDb::new();
    let mut rng = crate::random::Rng::new(4);
    for _ in 0..200 {
        let mut text =
            |max: usize| -> Vec<u8> { (0..rng.below(max)).map(|_| b'a' + rng.below(3) as u8).collect() };
        let (a, b) = (text(40), text(40));
        db.run_bytes(&[b"SET", b"a", &a]);
        db.run_bytes(&[b"SET", b"b", &b]);
        let expected = plain_length(&a, &b);
        assert_eq!(db.int(&["LCS", "a", "b", "LEN"]), expected as i64);
        let common = db.texts(&["LCS", "a", "b"]).remove(0);
        assert_eq!(common.len(), expected);
        for text in [&a, &b] {
            let mut rest = text.iter();
            assert!(common.bytes().all(|byte| rest.any(|&other| other == byte)));
        }
    }
}
