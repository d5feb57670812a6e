use crate::command::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;

#[test]
fn bits_are_set_and_read() {
    let db = TestDb::new();
    assert_eq!(db.int(&["SETBIT", "k", "7", "1"]), 0);
    assert_eq!(db.run(&["GET", "k"]), Reply::bulk(b"\x01"));
    assert_eq!(db.int(&["GETBIT", "k", "7"]), 1);
    assert_eq!(db.int(&["SETBIT", "k", "7", "0"]), 1);
    assert_eq!(db.int(&["GETBIT", "k", "0"]), 0);
    assert_eq!(db.int(&["GETBIT", "k", "100"]), 0);
    assert_eq!(db.int(&["GETBIT", "none", "0"]), 0);
    assert_eq!(db.int(&["EXISTS", "none"]), 0);
    assert_eq!(db.int(&["SETBIT", "zeros", "16", "0"]), 0);
    assert_eq!(db.run(&["GET", "zeros"]), Reply::bulk(b"\0\0\0"));
    db.run(&["SET", "n", "1", "PX", "50"]);
    assert_eq!(db.int(&["SETBIT", "n", "6", "1"]), 0);
    assert_eq!(db.run(&["GET", "n"]), Reply::bulk(b"3"));
    assert_eq!(db.int(&["PTTL", "n"]), 50);
    assert_eq!(db.int(&["INCR", "n"]), 4);
}

#[test]
fn bits_beyond_the_largest_string_are_refused() {
    let db = TestDb::new();
    let bad_offset = "ERR bit offset is not an integer or out of range";
    for offset in ["-1", "4294967296", "9223372036854775807", "x", "", "1.0", "#1"] {
        assert_eq!(db.error(&["SETBIT", "k", offset, "1"]), bad_offset, "{offset}");
        assert_eq!(db.error(&["GETBIT", "k", offset]), bad_offset, "{offset}");
    }
    for bit in ["2", "-1", "x", "", "01"] {
        let text = "ERR bit is not an integer or out of range";
        assert_eq!(db.error(&["SETBIT", "k", "0", bit]), text, "{bit}");
    }
    assert_eq!(db.int(&["GETBIT", "k", "4294967295"]), 0);
    assert_eq!(db.int(&["EXISTS", "k"]), 0);
    db.put_collection("set", "set");
    assert_eq!(db.status(&["SETBIT", "set", "0", "1"]), Status::WrongType);
    assert_eq!(db.status(&["GETBIT", "set", "0"]), Status::WrongType);
}

#[test]
fn a_bitmap_built_bit_by_bit_keeps_its_bits() {
    let db = TestDb::new();
    for offset in (0..40_000).step_by(3) {
        assert_eq!(db.int(&["SETBIT", "k", &offset.to_string(), "1"]), 0);
    }
    assert_eq!(db.int(&["BITCOUNT", "k"]), 40_000 / 3 + 1);
    assert_eq!(db.int(&["STRLEN", "k"]), 5000);
}

#[test]
fn counts_of_ranges() {
    let db = TestDb::new();
    db.run(&["SET", "k", "foobar"]);
    for (range, count) in [
        (&[][..], 26),
        (&["0", "0"], 4),
        (&["1", "1"], 6),
        (&["1", "1", "BYTE"], 6),
        (&["5", "30", "bit"], 17),
        (&["0", "-1"], 26),
        (&["-2", "-1"], 7),
        (&["-100", "100"], 26),
        (&["-3", "-5"], 0),
        (&["-10", "-20"], 0),
        (&["-20", "-10"], 4),
        (&["3", "1"], 0),
        (&["6", "9"], 0),
        (&["0", "47", "BIT"], 26),
        (&["-1", "-1", "BIT"], 0),
        (&["9", "9", "BIT"], 1),
        (&["-9223372036854775808", "9223372036854775807", "BIT"], 26),
    ] {
        let words = [&["BITCOUNT", "k"], range].concat();
        assert_eq!(db.int(&words), count, "{range:?}");
    }
    db.run(&["SET", "empty", ""]);
    assert_eq!(db.int(&["BITCOUNT", "empty"]), 0);
    assert_eq!(db.int(&["BITCOUNT", "empty", "-5", "-1"]), 0);
}

#[test]
fn counts_refuse_after_they_have_found_the_key() {
    let db = TestDb::new();
    db.run(&["SET", "k", "v"]);
    assert_eq!(db.status(&["BITCOUNT", "k", "0"]), Status::Syntax);
    assert_eq!(db.status(&["BITCOUNT", "k", "0", "1", "x"]), Status::Syntax);
    assert_eq!(
        db.status(&["BITCOUNT", "k", "0", "1", "BIT", "x"]),
        Status::Syntax
    );
    assert_eq!(db.status(&["BITCOUNT", "k", "0", "x"]), Status::NotInteger);
    assert_eq!(db.int(&["BITCOUNT", "none", "0"]), 0);
    assert_eq!(db.int(&["BITCOUNT", "k", "-1", "-2", "x"]), 0);
    db.put_collection("list", "list");
    assert_eq!(db.status(&["BITCOUNT", "list", "x"]), Status::WrongType);
}

#[test]
fn the_first_bit_of_a_value() {
    let db = TestDb::new();
    db.run_bytes(&[b"SET", b"k", b"\xff\xf0\x00"]);
    db.run_bytes(&[b"SET", b"later", b"\x00\xff\xf0"]);
    db.run_bytes(&[b"SET", b"ones", b"\xff\xff\xff"]);
    db.run_bytes(&[b"SET", b"zeros", b"\x00\x00"]);
    for (words, position) in [
        (&["k", "0"][..], 12),
        (&["later", "1", "0"], 8),
        (&["later", "1", "2"], 16),
        (&["later", "1", "2", "-1", "BYTE"], 16),
        (&["later", "1", "7", "15", "BIT"], 8),
        (&["later", "1", "7", "-3", "bit"], 8),
        (&["later", "1", "0", "7", "BIT"], -1),
        (&["later", "0", "8", "19", "BIT"], -1),
        (&["later", "0", "8", "20", "BIT"], 20),
        (&["zeros", "1"], -1),
        (&["ones", "0"], 24),
        (&["ones", "0", "1"], 24),
        (&["ones", "0", "0", "-1"], -1),
        (&["ones", "0", "5"], -1),
        (&["ones", "1", "5"], -1),
        (&["ones", "1", "-10", "-20"], 0),
        (&["ones", "1", "2", "1"], -1),
        (&["none", "0"], 0),
        (&["none", "1"], -1),
        (&["none", "0", "x"], 0),
    ] {
        let words = [&["BITPOS"], words].concat();
        assert_eq!(db.int(&words), position, "{words:?}");
    }
    db.run(&["SET", "empty", ""]);
    assert_eq!(db.int(&["BITPOS", "empty", "0"]), -1);
    assert_eq!(
        db.error(&["BITPOS", "k", "2"]),
        "ERR The bit argument must be 1 or 0."
    );
    assert_eq!(db.status(&["BITPOS", "k", "x"]), Status::NotInteger);
    assert_eq!(db.status(&["BITPOS", "k", "1", "x"]), Status::NotInteger);
    assert_eq!(db.status(&["BITPOS", "k", "1", "0", "x", "y"]), Status::Syntax);
    assert_eq!(
        db.status(&["BITPOS", "k", "1", "0", "x", "BIT"]),
        Status::NotInteger
    );
    assert_eq!(
        db.status(&["BITPOS", "k", "1", "0", "1", "BIT", "x"]),
        Status::Syntax
    );
    db.put_collection("hash", "hash");
    assert_eq!(db.status(&["BITPOS", "hash", "1", "x"]), Status::WrongType);
}

#[test]
fn operations_of_strings() {
    let db = TestDb::new();
    db.run(&["MSET", "a", "foobar", "b", "abcdef"]);
    assert_eq!(db.int(&["BITOP", "AND", "to", "a", "b"]), 6);
    assert_eq!(db.run(&["GET", "to"]), Reply::bulk(b"`bc`ab"));
    assert_eq!(db.int(&["BITOP", "or", "to", "a", "b"]), 6);
    assert_eq!(db.run(&["GET", "to"]), Reply::bulk(b"goofev"));
    assert_eq!(db.int(&["BITOP", "XOR", "to", "a", "b"]), 6);
    assert_eq!(db.run(&["GET", "to"]), Reply::bulk(b"\x07\x0d\x0c\x06\x04\x14"));
    db.run(&["SET", "short", "f"]);
    assert_eq!(db.int(&["BITOP", "AND", "to", "short", "a", "none"]), 6);
    assert_eq!(db.run(&["GET", "to"]), Reply::bulk(&[0; 6]));
    assert_eq!(db.int(&["BITOP", "OR", "a", "short", "a"]), 6);
    assert_eq!(db.run(&["GET", "a"]), Reply::bulk(b"foobar"));
    assert_eq!(db.int(&["BITOP", "NOT", "to", "short"]), 1);
    assert_eq!(db.run(&["GET", "to"]), Reply::bulk(b"\x99"));
    db.run(&["PEXPIRE", "to", "100"]);
    db.put_collection("list", "list");
    assert_eq!(db.status(&["BITOP", "AND", "to", "a", "list"]), Status::WrongType);
    assert_eq!(db.int(&["BITOP", "AND", "to", "none", "none too"]), 0);
    assert_eq!(db.int(&["EXISTS", "to"]), 0);
    assert_eq!(db.int(&["BITOP", "OR", "list", "a"]), 6);
    assert_eq!(db.run(&["TYPE", "list"]), Reply::Simple("string"));
    assert_eq!(
        db.error(&["BITOP", "NOT", "to", "a", "b"]),
        "ERR BITOP NOT must be called with a single source key."
    );
    assert_eq!(db.status(&["BITOP", "NAND", "to", "a", "b"]), Status::Syntax);
    assert_eq!(db.int(&["BITOP", "NOT", "short", "short"]), 1);
    assert_eq!(db.run(&["GET", "short"]), Reply::bulk(b"\x99"));
    assert_eq!(db.int(&["BITOP", "NOT", "new", "none"]), 0);
    db.run(&["SET", "long", "0123456789", "PX", "100"]);
    assert_eq!(db.int(&["BITOP", "OR", "long", "short", "none", "b"]), 6);
    assert_eq!(db.run(&["GET", "long"]), Reply::bulk(b"\xf9bcdef"));
    assert_eq!(db.int(&["PTTL", "long"]), -1);
}

/// What an operation makes of two bytes.
type Joined = fn(u8, u8) -> u8;

#[test]
fn operations_of_long_strings_agree_with_single_bytes() {
    let db = TestDb::new();
    let byte = |i: usize, step: usize| ((i * step) >> 3) as u8;
    let strings: Vec<Vec<u8>> = [(1000, 7), (731, 11), (64, 5)]
        .iter()
        .map(|&(len, step)| (0..len).map(|i| byte(i, step)).collect())
        .collect();
    for (name, bytes) in [b"a", b"b", b"c"].iter().zip(&strings) {
        db.run_bytes(&[b"SET", *name, bytes]);
    }
    let at = |string: &[u8], i: usize| string.get(i).copied().unwrap_or(0);
    let operations: [(&[u8], Joined); 3] = [
        (b"AND", |a, b| a & b),
        (b"OR", |a, b| a | b),
        (b"XOR", |a, b| a ^ b),
    ];
    for (name, operation) in operations {
        let expected: Vec<u8> = (0..1000)
            .map(|i| {
                operation(
                    operation(at(&strings[2], i), at(&strings[0], i)),
                    at(&strings[1], i),
                )
            })
            .collect();
        db.run_bytes(&[b"BITOP", name, b"to", b"c", b"a", b"b"]);
        assert_eq!(db.run(&["GET", "to"]), Reply::bulk(&expected));
    }
}
