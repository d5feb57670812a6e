use crate::command::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;

fn text(value: &str) -> Reply {
    Reply::bulk(value.as_bytes())
}

#[test]
fn get_gives_what_set_stored() {
    let db = TestDb::new();
    assert_eq!(db.run(&["GET", "k"]), Reply::Null);
    assert_eq!(db.run(&["set", "k", "Hello"]), Reply::OK);
    assert_eq!(db.run(&["GET", "k"]), text("Hello"));
    db.run(&["SET", "k", ""]);
    assert_eq!(db.run(&["GET", "k"]), text(""));
    db.put_collection("list", "list");
    assert_eq!(db.status(&["GET", "list"]), Status::WrongType);
    assert_eq!(db.run(&["SET", "list", "now a string"]), Reply::OK);
}

#[test]
fn set_has_conditions_and_gives_the_old_value() {
    let db = TestDb::new();
    assert_eq!(db.run(&["SET", "k", "1", "XX"]), Reply::Null);
    assert_eq!(db.run(&["SET", "k", "1", "NX"]), Reply::OK);
    assert_eq!(db.run(&["SET", "k", "2", "NX"]), Reply::Null);
    assert_eq!(db.run(&["SET", "k", "2", "nx", "get"]), text("1"));
    assert_eq!(db.run(&["SET", "k", "3", "XX", "GET"]), text("1"));
    assert_eq!(db.run(&["SET", "new", "3", "GET"]), Reply::Null);
    assert_eq!(db.run(&["GET", "k"]), text("3"));
    db.put_collection("set", "set");
    assert_eq!(db.status(&["SET", "set", "v", "GET"]), Status::WrongType);
    assert_eq!(db.run(&["TYPE", "set"]), Reply::Simple("set"));
}

#[test]
fn set_understands_every_way_to_name_a_time() {
    let db = TestDb::new();
    for (option, number, ttl) in [
        ("EX", "10", 10_000),
        ("PX", "10", 10),
        ("EXAT", "1001", 1000),
        ("PXAT", "1000007", 7),
    ] {
        db.run(&["SET", "k", "v", option, number]);
        assert_eq!(db.int(&["PTTL", "k"]), ttl, "{option}");
    }
    db.run(&["SET", "k", "w", "KEEPTTL"]);
    assert_eq!(db.int(&["PTTL", "k"]), 7);
    db.run(&["SET", "k", "w", "PX", "5", "PX", "6"]);
    assert_eq!(db.int(&["PTTL", "k"]), 6);
    db.run(&["SET", "k", "w"]);
    assert_eq!(db.int(&["PTTL", "k"]), -1);
    db.run(&["SET", "k", "w", "PXAT", "5"]);
    assert_eq!(db.run(&["GET", "k"]), Reply::Null);
}

#[test]
fn set_refuses_options_that_do_not_fit() {
    let db = TestDb::new();
    for options in [
        &["NX", "XX"][..],
        &["EX"],
        &["EX", "1", "PX", "1"],
        &["EX", "1", "EX"],
        &["KEEPTTL", "EX", "1"],
        &["EX", "1", "KEEPTTL"],
        &["PERSIST"],
        &["YY"],
    ] {
        let words = [&["SET", "k", "v"], options].concat();
        assert_eq!(db.status(&words), Status::Syntax, "{options:?}");
    }
    for number in ["0", "-1", "9223372036854775807"] {
        let text = "ERR invalid expire time in 'set' command";
        assert_eq!(db.error(&["SET", "k", "v", "EX", number]), text);
    }
    assert_eq!(db.status(&["SET", "k", "v", "EX", "1.5"]), Status::NotInteger);
    assert_eq!(db.run(&["EXISTS", "k"]), Reply::Int(0));
}

#[test]
fn short_forms_of_set() {
    let db = TestDb::new();
    assert_eq!(db.int(&["SETNX", "k", "1"]), 1);
    assert_eq!(db.int(&["SETNX", "k", "2"]), 0);
    assert_eq!(db.run(&["SETEX", "k", "10", "3"]), Reply::OK);
    assert_eq!(db.int(&["TTL", "k"]), 10);
    assert_eq!(db.run(&["PSETEX", "k", "10", "4"]), Reply::OK);
    assert_eq!(db.int(&["PTTL", "k"]), 10);
    assert_eq!(
        db.error(&["SETEX", "k", "0", "v"]),
        "ERR invalid expire time in 'setex' command"
    );
    assert_eq!(db.run(&["GETSET", "k", "5"]), text("4"));
    assert_eq!(db.int(&["TTL", "k"]), -1);
    assert_eq!(db.run(&["GETDEL", "k"]), text("5"));
    assert_eq!(db.run(&["GETDEL", "k"]), Reply::Null);
}

#[test]
fn getex_changes_the_expiry_only() {
    let db = TestDb::new();
    db.run(&["SET", "k", "v"]);
    assert_eq!(db.run(&["GETEX", "k"]), text("v"));
    assert_eq!(db.run(&["GETEX", "k", "EX", "100"]), text("v"));
    assert_eq!(db.int(&["TTL", "k"]), 100);
    assert_eq!(db.run(&["GETEX", "k", "PERSIST"]), text("v"));
    assert_eq!(db.int(&["TTL", "k"]), -1);
    assert_eq!(db.status(&["GETEX", "k", "PERSIST", "EX", "1"]), Status::Syntax);
    assert_eq!(db.status(&["GETEX", "k", "NX"]), Status::Syntax);
    assert_eq!(
        db.error(&["GETEX", "k", "EX", "0"]),
        "ERR invalid expire time in 'getex' command"
    );
    assert_eq!(db.run(&["GETEX", "none", "EX", "0"]), Reply::Null);
    assert_eq!(db.run(&["GETEX", "k", "PXAT", "5"]), text("v"));
    assert_eq!(db.int(&["EXISTS", "k"]), 0);
}

#[test]
fn several_keys_at_once() {
    let db = TestDb::new();
    assert_eq!(db.run(&["MSET", "a", "1", "b", "2"]), Reply::OK);
    db.put_collection("set", "s");
    let values = Reply::Array(vec![text("1"), Reply::Null, Reply::Null, text("2")]);
    assert_eq!(db.run(&["MGET", "a", "s", "none", "b"]), values);
    assert_eq!(
        db.error(&["MSET", "a"]),
        "ERR wrong number of arguments for 'mset' command"
    );
    assert_eq!(
        db.error(&["MSET", "a", "1", "b"]),
        "ERR wrong number of arguments for 'mset' command"
    );
    assert_eq!(db.int(&["MSETNX", "c", "1", "a", "3"]), 0);
    assert_eq!(db.int(&["EXISTS", "c"]), 0);
    assert_eq!(db.int(&["MSETNX", "c", "1", "d", "3"]), 1);
    assert_eq!(db.run(&["GET", "d"]), text("3"));
}

#[test]
fn parts_of_strings() {
    let db = TestDb::new();
    assert_eq!(db.int(&["APPEND", "k", "Hello"]), 5);
    assert_eq!(db.int(&["APPEND", "k", " World"]), 11);
    assert_eq!(db.run(&["OBJECT", "ENCODING", "k"]), text("raw"));
    db.run(&["COPY", "k", "copy"]);
    assert_eq!(db.run(&["OBJECT", "ENCODING", "copy"]), text("raw"));
    assert_eq!(db.int(&["STRLEN", "k"]), 11);
    for (start, end, part) in [
        ("0", "3", "Hell"),
        ("-3", "-1", "rld"),
        ("0", "-1", "Hello World"),
        ("6", "100", "World"),
        ("-100", "4", "Hello"),
        ("3", "1", ""),
        ("-1", "-3", ""),
        ("20", "30", ""),
        ("-9223372036854775808", "9223372036854775807", "Hello World"),
    ] {
        assert_eq!(
            db.run(&["GETRANGE", "k", start, end]),
            text(part),
            "{start} {end}"
        );
    }
    assert_eq!(db.run(&["SUBSTR", "none", "0", "-1"]), text(""));
    assert_eq!(db.int(&["SETRANGE", "k", "6", "Redis"]), 11);
    assert_eq!(db.run(&["GET", "k"]), text("Hello Redis"));
    assert_eq!(db.int(&["SETRANGE", "gap", "3", "x"]), 4);
    assert_eq!(db.run(&["GET", "gap"]), text("\0\0\0x"));
    assert_eq!(db.int(&["SETRANGE", "none", "3", ""]), 0);
    assert_eq!(db.int(&["EXISTS", "none"]), 0);
    assert_eq!(
        db.error(&["SETRANGE", "k", "-1", "x"]),
        "ERR offset is out of range"
    );
    let too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    assert_eq!(db.error(&["SETRANGE", "k", "536870912", "x"]), too_long);
    assert_eq!(db.error(&["SETRANGE", "k", "9223372036854775807", "x"]), too_long);
}

#[test]
fn appending_keeps_the_expiry_and_bytes_that_are_no_text() {
    let db = TestDb::new();
    db.run(&["SET", "k", "a", "PX", "50"]);
    db.run_bytes(&[b"APPEND", b"k", b"\xff\0"]);
    assert_eq!(db.run(&["GET", "k"]), Reply::bulk(b"a\xff\0"));
    assert_eq!(db.int(&["PTTL", "k"]), 50);
    db.advance(50);
    assert_eq!(db.int(&["APPEND", "k", "b"]), 1);
    assert_eq!(db.int(&["PTTL", "k"]), -1);
}

#[test]
fn counters() {
    let db = TestDb::new();
    assert_eq!(db.int(&["INCR", "n"]), 1);
    assert_eq!(db.int(&["INCRBY", "n", "41"]), 42);
    assert_eq!(db.int(&["DECR", "n"]), 41);
    assert_eq!(db.int(&["DECRBY", "n", "50"]), -9);
    assert_eq!(db.run(&["OBJECT", "ENCODING", "n"]), text("int"));
    db.run(&["PEXPIRE", "n", "10"]);
    db.run(&["INCR", "n"]);
    assert_eq!(db.int(&["PTTL", "n"]), 10);
    db.run(&["SET", "n", "9223372036854775807"]);
    assert_eq!(
        db.error(&["INCR", "n"]),
        "ERR increment or decrement would overflow"
    );
    assert_eq!(
        db.error(&["DECRBY", "n", "-9223372036854775808"]),
        "ERR decrement would overflow"
    );
    db.run(&["SET", "n", "-9223372036854775808"]);
    assert_eq!(db.status(&["DECR", "n"]), Status::Overflow);
    for value in ["", "1.0", " 1", "+1", "007", "ten"] {
        db.run(&["SET", "n", value]);
        assert_eq!(db.status(&["INCR", "n"]), Status::NotInteger, "{value:?}");
    }
    assert_eq!(db.status(&["INCRBY", "other", "x"]), Status::NotInteger);
    assert_eq!(db.int(&["EXISTS", "other"]), 0);
}

#[test]
fn fractional_counters() {
    let db = TestDb::new();
    db.run(&["SET", "k", "10.50"]);
    assert_eq!(db.run(&["INCRBYFLOAT", "k", "0.1"]), text("10.6"));
    assert_eq!(db.run(&["INCRBYFLOAT", "k", "-5"]), text("5.6"));
    db.run(&["SET", "k", "5.0e3"]);
    assert_eq!(db.run(&["INCRBYFLOAT", "k", "2.0e2"]), text("5200"));
    assert_eq!(db.status(&["INCRBYFLOAT", "k", "inf"]), Status::NotFinite);
    assert_eq!(db.status(&["INCRBYFLOAT", "k", "x"]), Status::NotFloat);
    db.run(&["SET", "k", "x"]);
    assert_eq!(db.status(&["INCRBYFLOAT", "k", "1"]), Status::NotFloat);
}

#[test]
fn encodings_have_the_names_of_redis() {
    let db = TestDb::new();
    for (value, encoding) in [
        ("12", "int"),
        ("-9223372036854775808", "int"),
        ("9223372036854775808", "embstr"),
        ("012", "embstr"),
        (&"x".repeat(44), "embstr"),
        (&"x".repeat(45), "raw"),
    ] {
        db.run(&["SET", "k", value]);
        assert_eq!(db.run(&["OBJECT", "ENCODING", "k"]), text(encoding), "{value}");
    }
}

#[test]
fn getset_and_getdel_need_a_string() {
    let db = TestDb::new();
    db.put_collection("hash", "hash");
    assert_eq!(db.status(&["GETSET", "hash", "v"]), Status::WrongType);
    assert_eq!(db.status(&["GETDEL", "hash"]), Status::WrongType);
    assert_eq!(db.status(&["GETEX", "hash", "PERSIST"]), Status::WrongType);
    assert_eq!(db.status(&["APPEND", "hash", ""]), Status::WrongType);
    assert_eq!(db.status(&["SETRANGE", "hash", "0", ""]), Status::WrongType);
    assert_eq!(db.int(&["EXISTS", "hash"]), 1);
    assert_eq!(db.run(&["GETSET", "new", "v"]), Reply::Null);
    assert_eq!(db.run(&["GETEX", "new", "EXAT", "1"]), text("v"));
    assert_eq!(db.int(&["EXISTS", "new"]), 0);
}

#[test]
fn keys_and_values_may_be_any_bytes() {
    let db = TestDb::new();
    let all: Vec<u8> = (0..=255).collect();
    db.run_bytes(&[b"SET", &all, &all]);
    assert_eq!(db.run_bytes(&[b"GET", &all]), Reply::bulk(&all));
    assert_eq!(
        db.run_bytes(&[b"GETRANGE", &all, b"-2", b"-1"]),
        Reply::bulk(b"\xfe\xff")
    );
    assert_eq!(
        db.run_bytes(&[b"SETRANGE", &all, b"254", b"\0\0\0"]),
        Reply::Int(257)
    );
    assert_eq!(
        db.run_bytes(&[b"MSETNX", &all, b"", b"", b"empty key"]),
        Reply::Int(0)
    );
    assert_eq!(db.run_bytes(&[b"MSET", b"", b"empty key"]), Reply::OK);
    assert_eq!(db.run(&["GET", ""]), text("empty key"));
}

#[test]
fn the_last_of_a_key_that_is_set_twice_counts() {
    let db = TestDb::new();
    db.run(&["MSET", "k", "1", "k", "2"]);
    assert_eq!(db.run(&["GET", "k"]), text("2"));
    assert_eq!(db.int(&["MSETNX", "n", "1", "n", "2"]), 1);
    assert_eq!(db.run(&["GET", "n"]), text("2"));
}

#[test]
fn fractional_counters_stay_finite() {
    let db = TestDb::new();
    for (held, by) in [
        ("inf", "1"),
        ("1", "inf"),
        ("-inf", "inf"),
        ("1e4932", "1e4932"),
        ("-1.1e4932", "-1e4932"),
    ] {
        db.run(&["SET", "k", held]);
        assert_eq!(
            db.status(&["INCRBYFLOAT", "k", by]),
            Status::NotFinite,
            "{held} {by}"
        );
        assert_eq!(db.run(&["GET", "k"]), text(held));
    }
    for held in ["", " 1", "1 ", "nan", "1e99999", "1,5", "-"] {
        db.run(&["SET", "k", held]);
        assert_eq!(
            db.status(&["INCRBYFLOAT", "k", "1"]),
            Status::NotFloat,
            "{held:?}"
        );
    }
    db.run(&["SET", "k", "-0"]);
    assert_eq!(db.run(&["INCRBYFLOAT", "k", "-0"]), text("0"));
    db.run(&["SET", "k", "0x7"]);
    assert_eq!(db.run(&["INCRBYFLOAT", "k", "-2.75"]), text("4.25"));
    assert_eq!(
        db.run(&["INCRBYFLOAT", "new", "1e-17"]),
        text("0.00000000000000001")
    );
    assert_eq!(db.run(&["INCRBYFLOAT", "other", "1e-18"]), text("0"));
    db.put_collection("zset", "zset");
    assert_eq!(db.status(&["INCRBYFLOAT", "zset", "1"]), Status::WrongType);
}

#[test]
fn the_longest_string_takes_no_more() {
    let db = TestDb::new();
    assert_eq!(db.int(&["SETBIT", "k", "4294967295", "1"]), 0);
    assert_eq!(db.int(&["STRLEN", "k"]), 512 << 20);
    let too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    assert_eq!(db.error(&["APPEND", "k", "x"]), too_long);
    assert_eq!(db.error(&["SETRANGE", "k", "536870911", "xy"]), too_long);
    assert_eq!(db.int(&["SETRANGE", "k", "536870910", "xy"]), 512 << 20);
    assert_eq!(db.int(&["BITCOUNT", "k"]), 9);
    assert_eq!(db.int(&["BITPOS", "k", "1"]), 4_294_967_281);
    assert_eq!(db.texts(&["GETRANGE", "k", "-2", "-1"]), ["xy"]);
}
