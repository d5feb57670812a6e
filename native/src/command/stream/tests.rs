use crate::command::testing::{TestDb, error, run, text};
use crate::reply::Reply;

fn check(db: &TestDb, cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        assert_eq!(text(db, line), *expected, "{line}");
    }
}

fn refuse(db: &TestDb, cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        assert_eq!(error(db, line), *expected, "{line}");
    }
}

/// A stream `s` with entries 1-0 to `n`-0, each with a field `f`.
fn filled(n: usize) -> TestDb {
    let db = TestDb::new();
    for i in 1..=n {
        text(&db, &format!("XADD s {i}-0 f {i}"));
    }
    db
}

const INVALID_ID: &str = "ERR Invalid stream ID specified as stream command argument";

#[test]
fn ids_are_given_or_taken() {
    let db = TestDb::new();
    check(
        &db,
        &[
            ("XADD s * a 1 b 2", "1000000-0"),
            ("XADD s * a 1 b 2", "1000000-1"),
            ("XADD s 1000000-* a 1", "1000000-2"),
            ("XADD s 1000005-* a 1", "1000005-0"),
            ("XADD s * a 1", "1000005-1"),
            ("XADD s 1000006 a 1", "1000006-0"),
            ("XADD s 1000006-7 a 1", "1000006-7"),
            ("XADD s +1000007-007 a 1", "1000007-7"),
            ("XADD n 0-* a 1", "0-1"),
            ("XADD nothing NOMKSTREAM * a 1", "(nil)"),
            ("EXISTS nothing", "0"),
            ("XADD s NOMKSTREAM 1000008 a 1", "1000008-0"),
            ("XLEN s", "9"),
            ("XLEN nothing", "0"),
            ("TYPE s", "stream"),
            ("OBJECT ENCODING s", "stream"),
        ],
    );
    let small = "ERR The ID specified in XADD is equal or smaller than the target stream top item";
    refuse(
        &db,
        &[
            ("XADD s 5-5 a 1", small),
            ("XADD s 1000008-0 a 1", small),
            ("XADD s 7-* a 1", small),
            (
                "XADD new 0-0 a 1",
                "ERR The ID specified in XADD must be greater than 0-0",
            ),
            ("XADD s - a 1", INVALID_ID),
            ("XADD s 1-x a 1", INVALID_ID),
            ("XADD s 18446744073709551616 a 1", INVALID_ID),
            ("XADD s * a", "ERR wrong number of arguments for 'xadd' command"),
            (
                "XADD s * a 1 b",
                "ERR wrong number of arguments for 'xadd' command",
            ),
        ],
    );
    assert_eq!(text(&db, "EXISTS new"), "0");
    text(&db, "XADD last 18446744073709551615-18446744073709551615 a 1");
    refuse(
        &db,
        &[(
            "XADD last * a 1",
            "ERR The stream has exhausted the last possible ID, unable to add more items",
        )],
    );
    text(&db, "XADD edge 5-18446744073709551615 a 1");
    refuse(&db, &[("XADD edge 5-* a 1", small)]);
    assert_eq!(text(&db, "XADD edge 6-* a 1"), "6-0");
}

#[test]
fn ranges_go_both_ways() {
    let db = filled(5);
    text(&db, "XADD s 5-3 a 1 a 2");
    check(
        &db,
        &[
            (
                "XRANGE s - +",
                "1-0 f 1 2-0 f 2 3-0 f 3 4-0 f 4 5-0 f 5 5-3 a 1 a 2",
            ),
            ("XRANGE s 2 3", "2-0 f 2 3-0 f 3"),
            ("XRANGE s (2 (4-0", "3-0 f 3"),
            ("XRANGE s 5 5", "5-0 f 5 5-3 a 1 a 2"),
            ("XRANGE s 5-1 + COUNT 5", "5-3 a 1 a 2"),
            ("XRANGE s - + COUNT 2", "1-0 f 1 2-0 f 2"),
            ("XREVRANGE s + - COUNT 2", "5-3 a 1 a 2 5-0 f 5"),
            ("XREVRANGE s 3 (1", "3-0 f 3 2-0 f 2"),
            ("XRANGE s 4 2", ""),
            ("XRANGE s - + COUNT 0", "(nil)"),
            ("XRANGE nothing - + COUNT 0", ""),
        ],
    );
    refuse(
        &db,
        &[
            ("XRANGE s (+ 5", INVALID_ID),
            ("XRANGE s ( 5", INVALID_ID),
            (
                "XRANGE s (18446744073709551615-18446744073709551615 +",
                "ERR invalid start ID for the interval",
            ),
            ("XRANGE s - (0-0", "ERR invalid end ID for the interval"),
            ("XRANGE s - + COUNT", "ERR syntax error"),
            ("XRANGE s - + LIMIT 1", "ERR syntax error"),
            (
                "XRANGE s - + COUNT x",
                "ERR value is not an integer or out of range",
            ),
        ],
    );
}

#[test]
fn bytes_come_back_as_they_went_in() {
    let db = TestDb::new();
    let texts: [&[u8]; 6] = [b"\0\xff", b"", b"-0", b"007", b"9223372036854775807", b"-5"];
    let mut request: Vec<&[u8]> = vec![b"XADD", b"s", b"1-0"];
    request.extend(texts);
    db.run_bytes(&request);
    request[2] = b"2-0";
    db.run_bytes(&request);
    let entry = |id: &str| {
        Reply::Array(vec![
            Reply::bulk(id.as_bytes()),
            Reply::Array(texts.iter().map(|text| Reply::bulk(text)).collect()),
        ])
    };
    assert_eq!(
        db.run(&["XRANGE", "s", "-", "+"]),
        Reply::Array(vec![entry("1-0"), entry("2-0")])
    );
}

#[test]
fn trimming_is_exact_or_by_nodes() {
    let db = filled(250);
    check(
        &db,
        &[
            ("XTRIM s MAXLEN ~ 200", "0"),
            ("XTRIM s MAXLEN ~ 150", "100"),
            ("XTRIM s MINID ~ 200", "0"),
            ("XTRIM s MINID ~ 201 LIMIT 99", "0"),
            ("XTRIM s MINID = 150", "49"),
            ("XRANGE s - + COUNT 1", "150-0 f 150"),
            ("XTRIM s MINID ~ 201 LIMIT 0", "51"),
            ("XTRIM s MAXLEN 3", "47"),
            ("XADD s MAXLEN = 2 251 f 251", "251-0"),
            ("XADD s MINID 251 252 f 252", "252-0"),
            ("XRANGE s - +", "251-0 f 251 252-0 f 252"),
            ("XADD s MAXLEN 0 253 f 253", "253-0"),
            ("XLEN s", "0"),
            ("EXISTS s", "1"),
            ("XTRIM nothing MAXLEN 0", "0"),
            ("XADD s LIMIT 5 MAXLEN ~ 10 254 f 1", "254-0"),
        ],
    );
    refuse(
        &db,
        &[
            (
                "XTRIM s LIMIT 0",
                "ERR syntax error, XTRIM must be called with a trimming strategy",
            ),
            (
                "XTRIM s LIMIT 5",
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ),
            (
                "XADD s LIMIT 0 500 a b",
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ),
            (
                "XTRIM s MAXLEN 3 LIMIT 2",
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ),
            (
                "XTRIM s MINID 3 MAXLEN 3",
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ),
            ("XTRIM s MAXLEN = -1", "ERR The MAXLEN argument must be >= 0."),
            (
                "XTRIM s MAXLEN ~ 1 LIMIT -1",
                "ERR The LIMIT argument must be >= 0.",
            ),
            ("XTRIM s MAXLEN 1 2", "ERR syntax error"),
            ("XTRIM s MAXLEN x", "ERR value is not an integer or out of range"),
            ("XTRIM s MINID x", INVALID_ID),
            (
                "XADD s NOMKSTREAM MAXLEN * a b",
                "ERR value is not an integer or out of range",
            ),
        ],
    );
}

#[test]
fn deleting_leaves_the_key() {
    let db = filled(3);
    check(
        &db,
        &[
            ("XDEL s 2 2-0 9", "1"),
            ("XRANGE s - +", "1-0 f 1 3-0 f 3"),
            ("XDEL nothing x", "0"),
            ("XDEL s 1 3", "2"),
            ("XLEN s", "0"),
            ("TYPE s", "stream"),
            ("XADD s 4 f 4", "4-0"),
            (
                "XINFO STREAM s",
                "length 1 radix-tree-keys 1 radix-tree-nodes 2 last-generated-id 4-0 max-deleted-entry-id 3-0 \
                 entries-added 4 recorded-first-entry-id 4-0 groups 0 first-entry 4-0 f 4 last-entry 4-0 f 4",
            ),
        ],
    );
    refuse(&db, &[("XDEL s 4 x", INVALID_ID)]);
    assert_eq!(text(&db, "XLEN s"), "1");
}

#[test]
fn counters_are_set() {
    let db = filled(3);
    refuse(
        &db,
        &[
            (
                "XSETID s 2",
                "ERR The ID specified in XSETID is smaller than the target stream top item",
            ),
            ("XSETID nothing 1", "ERR no such key"),
            (
                "XSETID s 9 ENTRIESADDED 1",
                "ERR The entries_added specified in XSETID is smaller than the target stream length",
            ),
            ("XSETID s 9 ENTRIESADDED -1", "ERR entries_added must be positive"),
            (
                "XSETID s 9 MAXDELETEDID 10",
                "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
            ),
            ("XSETID s 9 WHAT 10", "ERR syntax error"),
            ("XSETID s 9 ENTRIESADDED", "ERR syntax error"),
        ],
    );
    check(
        &db,
        &[
            ("XSETID s 9-9 ENTRIESADDED 50 MAXDELETEDID 8", "OK"),
            ("XSETID s 9-9 MAXDELETEDID 0", "OK"),
            (
                "XINFO STREAM s FULL",
                "length 3 radix-tree-keys 1 radix-tree-nodes 2 last-generated-id 9-9 max-deleted-entry-id 8-0 \
                 entries-added 50 recorded-first-entry-id 1-0 entries 1-0 f 1 2-0 f 2 3-0 f 3 groups",
            ),
            ("XDEL s 1 2 3", "3"),
        ],
    );
    refuse(
        &db,
        &[(
            "XSETID s 7",
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
        )],
    );
}

#[test]
fn ids_behind_the_last_one_may_be_given_again() {
    let db = filled(9);
    check(
        &db,
        &[
            ("XDEL s 6 7 8 9", "4"),
            ("XSETID s 9 MAXDELETEDID 2", "OK"),
            ("XSETID s 6-5", "OK"),
            ("XADD s 7 f again", "7-0"),
            ("XADD s 7-* f more", "7-1"),
            ("XRANGE s 5 +", "5-0 f 5 7-0 f again 7-1 f more"),
            ("XREVRANGE s + 5-1", "7-1 f more 7-0 f again"),
        ],
    );
}

#[test]
fn reading_goes_on_behind_an_id() {
    let db = filled(3);
    text(&db, "XADD t 7-1 g 7");
    check(
        &db,
        &[
            ("XREAD STREAMS s 1", "s 2-0 f 2 3-0 f 3"),
            ("XREAD COUNT 1 STREAMS s t nothing 0 0 0", "s 1-0 f 1 t 7-1 g 7"),
            ("XREAD COUNT 0 STREAMS s 2-5", "s 3-0 f 3"),
            ("XREAD COUNT -3 BLOCK 0 STREAMS s 99", "(nil)"),
            ("XREAD STREAMS s t $ 0", "t 7-1 g 7"),
            ("XREAD STREAMS s $", "(nil)"),
            ("XREAD STREAMS s t + +", "s 3-0 f 3 t 7-1 g 7"),
            ("XREAD STREAMS nothing +", "(nil)"),
            (
                "XREAD STREAMS s 18446744073709551615-18446744073709551615",
                "(nil)",
            ),
        ],
    );
    let found = run(&db, "XREAD COUNT 1 STREAMS t 0");
    assert!(matches!(found, Reply::ByKey(found) if found.len() == 1));
    refuse(
        &db,
        &[
            (
                "XREAD STREAMS s t 0",
                "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
            ),
            ("XREAD COUNT 1 s 0", "ERR syntax error"),
            (
                "XREAD COUNT x STREAMS s 0",
                "ERR value is not an integer or out of range",
            ),
            (
                "XREAD BLOCK x STREAMS s 0",
                "ERR timeout is not an integer or out of range",
            ),
            ("XREAD BLOCK -1 STREAMS s 0", "ERR timeout is negative"),
            ("XREAD STREAMS s -", INVALID_ID),
            (
                "XREAD STREAMS s >",
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
            ),
            (
                "XREAD GROUP g c STREAMS s 0",
                "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
            ),
            (
                "XREAD NOACK STREAMS s 0",
                "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
            ),
        ],
    );
}

#[test]
fn groups_share_a_stream() {
    let db = filled(4);
    check(
        &db,
        &[
            ("XGROUP CREATE s g 0", "OK"),
            ("XREADGROUP GROUP g ann COUNT 2 STREAMS s >", "s 1-0 f 1 2-0 f 2"),
            ("XREADGROUP GROUP g bob STREAMS s >", "s 3-0 f 3 4-0 f 4"),
            ("XREADGROUP GROUP g bob STREAMS s >", "(nil)"),
            ("XREADGROUP GROUP g ann STREAMS s 0", "s 1-0 f 1 2-0 f 2"),
            ("XREADGROUP GROUP g ann COUNT 1 STREAMS s 1", "s 2-0 f 2"),
            ("XREADGROUP GROUP g cid STREAMS s 0", "s"),
            ("XPENDING s g", "4 1-0 4-0 ann 2 bob 2"),
            ("XACK s g 1 3 3 99", "2"),
            ("XACK s nothing x", "0"),
            ("XPENDING s g", "2 2-0 4-0 ann 1 bob 1"),
            ("XDEL s 2", "1"),
            ("XREADGROUP GROUP g ann STREAMS s 0", "s 2-0 (nil)"),
            ("XADD s 5 f 5", "5-0"),
            ("XREADGROUP GROUP g ann NOACK STREAMS s >", "s 5-0 f 5"),
            ("XPENDING s g", "2 2-0 4-0 ann 1 bob 1"),
        ],
    );
    refuse(
        &db,
        &[
            (
                "XREADGROUP GROUP x c STREAMS s >",
                "NOGROUP No such key 's' or consumer group 'x' in XREADGROUP with GROUP option",
            ),
            (
                "XREADGROUP GROUP g c STREAMS nothing >",
                "NOGROUP No such key 'nothing' or consumer group 'g' in XREADGROUP with GROUP option",
            ),
            (
                "XREADGROUP NOACK BLOCK 5 STREAMS s 0 0",
                "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
            ),
            (
                "XREADGROUP NOACK BLOCK 5 STREAMS s 0",
                "ERR Missing GROUP option for XREADGROUP",
            ),
            ("XACK s g x", INVALID_ID),
        ],
    );
    let meaningless = error(&db, "XREADGROUP GROUP g c STREAMS s $");
    assert!(
        meaningless.starts_with("ERR The $ ID is meaningless in the context of XREADGROUP: you want to read")
    );
    assert!(meaningless.ends_with("The $ ID would just return an empty result set."));
    let meaningless = error(&db, "XREADGROUP GROUP g c STREAMS s +");
    assert!(meaningless.ends_with("The + ID would just return an empty result set."));
}

#[test]
fn groups_are_made_moved_and_removed() {
    let db = filled(2);
    check(
        &db,
        &[
            ("XGROUP CREATE s g $", "OK"),
            ("XGROUP CREATE new g 0 MKSTREAM", "OK"),
            ("XLEN new", "0"),
            ("TYPE new", "stream"),
            ("XGROUP CREATE s h 1-5 ENTRIESREAD 1", "OK"),
            ("XGROUP CREATECONSUMER s g ann", "1"),
            ("XGROUP CREATECONSUMER s g ann", "0"),
            ("XGROUP SETID s g -", "OK"),
            ("XREADGROUP GROUP g ann STREAMS s >", "s 1-0 f 1 2-0 f 2"),
            ("XGROUP SETID s g 0 ENTRIESREAD 0", "OK"),
            ("XREADGROUP GROUP g bob COUNT 1 STREAMS s >", "s 1-0 f 1"),
            ("XPENDING s g", "2 1-0 2-0 ann 1 bob 1"),
            ("XGROUP DELCONSUMER s g ann", "1"),
            ("XGROUP DELCONSUMER s g ann", "0"),
            ("XPENDING s g", "1 1-0 1-0 bob 1"),
            ("XGROUP DESTROY s g", "1"),
            ("XGROUP DESTROY s g", "0"),
            (
                "XINFO GROUPS s",
                "name h consumers 0 pending 0 last-delivered-id 1-5 entries-read 1 lag 1",
            ),
        ],
    );
    let key_missing = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
                       the MKSTREAM option to create an empty stream automatically.";
    let misused = "ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.";
    refuse(
        &db,
        &[
            (
                "XGROUP CREATE s h 0",
                "BUSYGROUP Consumer Group name already exists",
            ),
            ("XGROUP CREATE none g 0", key_missing),
            ("XGROUP DESTROY none g", key_missing),
            ("XGROUP CREATE s g x", INVALID_ID),
            ("XGROUP CREATE none g x MKSTREAM", INVALID_ID),
            ("XGROUP CREATE s g 0 WHAT", misused),
            ("XGROUP CREATE s g 0 ENTRIESREAD", misused),
            (
                "XGROUP CREATE s g 0 ENTRIESREAD -2",
                "ERR value for ENTRIESREAD must be positive or -1",
            ),
            (
                "XGROUP SETID s h 0 MKSTREAM",
                "ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.",
            ),
            (
                "XGROUP SETID s none 0",
                "NOGROUP No such consumer group 'none' for key name 's'",
            ),
            (
                "XGROUP CREATECONSUMER s none c",
                "NOGROUP No such consumer group 'none' for key name 's'",
            ),
            ("XGROUP WHAT", "ERR unknown subcommand 'WHAT'. Try XGROUP HELP."),
            (
                "XGROUP DESTROY s",
                "ERR wrong number of arguments for 'xgroup|destroy' command",
            ),
            (
                "XGROUP HELP x",
                "ERR wrong number of arguments for 'xgroup|help' command",
            ),
        ],
    );
    assert_eq!(text(&db, "EXISTS none"), "0");
    assert!(text(&db, "XGROUP HELP").starts_with("XGROUP <subcommand>"));
}

#[test]
fn pending_entries_are_listed() {
    let db = filled(4);
    text(&db, "XGROUP CREATE s g 0");
    text(&db, "XREADGROUP GROUP g ann COUNT 2 STREAMS s >");
    db.advance(500);
    text(&db, "XREADGROUP GROUP g bob COUNT 1 STREAMS s >");
    db.advance(100);
    check(
        &db,
        &[
            ("XPENDING s g - + 10", "1-0 ann 600 1 2-0 ann 600 1 3-0 bob 100 1"),
            ("XPENDING s g (1 + 1", "2-0 ann 600 1"),
            ("XPENDING s g IDLE 200 - + 10", "1-0 ann 600 1 2-0 ann 600 1"),
            ("XPENDING s g IDLE 0 - + 10 bob", "3-0 bob 100 1"),
            ("XPENDING s g - + 10 nobody", ""),
            ("XPENDING s g - + 0", ""),
            ("XGROUP CREATE s empty 0", "OK"),
            ("XPENDING s empty", "0 (nil) (nil) (nil)"),
            (
                "XINFO CONSUMERS s g",
                "name ann pending 2 idle 600 inactive 600 name bob pending 1 idle 100 inactive 100",
            ),
        ],
    );
    refuse(
        &db,
        &[
            (
                "XPENDING s none",
                "NOGROUP No such key 's' or consumer group 'none'",
            ),
            ("XPENDING s g - +", "ERR syntax error"),
            ("XPENDING s g IDLE 3 - + 1 c d", "ERR syntax error"),
            ("XPENDING s g IDLE 3 - +", "ERR syntax error"),
            (
                "XPENDING s g IDLE x - + 1",
                "ERR value is not an integer or out of range",
            ),
            (
                "XPENDING s g - + x",
                "ERR value is not an integer or out of range",
            ),
            ("XPENDING s g x + 1", INVALID_ID),
        ],
    );
}

#[test]
fn entries_are_claimed() {
    let db = filled(5);
    text(&db, "XGROUP CREATE s g 0");
    text(&db, "XREADGROUP GROUP g ann COUNT 3 STREAMS s >");
    db.advance(1000);
    text(&db, "XDEL s 2");
    check(
        &db,
        &[
            ("XCLAIM s g bob 2000 1", ""),
            ("XCLAIM s g bob 500 1 2 4", "1-0 f 1"),
            ("XPENDING s g - + 9", "1-0 bob 0 2 3-0 ann 1000 1"),
            ("XCLAIM s g bob 0 1 JUSTID", "1-0"),
            ("XCLAIM s g bob 0 4 FORCE", "4-0 f 4"),
            ("XCLAIM s g bob 0 3 IDLE 300 RETRYCOUNT 7 LASTID 5", "3-0 f 3"),
            ("XCLAIM s g bob 0 1 TIME 1000200 JUSTID", "1-0"),
            ("XPENDING s g - + 9", "1-0 bob 800 2 3-0 bob 300 7 4-0 bob 0 2"),
            ("XCLAIM s g bob 0 1 TIME 99999999 JUSTID", "1-0"),
            ("XPENDING s g - + 1", "1-0 bob 0 2"),
            ("XREADGROUP GROUP g ann STREAMS s >", "(nil)"),
        ],
    );
    refuse(
        &db,
        &[
            ("XCLAIM s g c 0 foo", "ERR Unrecognized XCLAIM option 'foo'"),
            ("XCLAIM s g c 0 1 IDLE", "ERR Unrecognized XCLAIM option 'IDLE'"),
            (
                "XCLAIM s g c x 1",
                "ERR Invalid min-idle-time argument for XCLAIM",
            ),
            (
                "XCLAIM s g c 0 1 IDLE x",
                "ERR Invalid IDLE option argument for XCLAIM",
            ),
            (
                "XCLAIM s g c 0 1 TIME x",
                "ERR Invalid TIME option argument for XCLAIM",
            ),
            (
                "XCLAIM s g c 0 1 RETRYCOUNT x",
                "ERR Invalid RETRYCOUNT option argument for XCLAIM",
            ),
            ("XCLAIM s g c 0 1 LASTID x", INVALID_ID),
            (
                "XCLAIM s none c 0 1",
                "NOGROUP No such key 's' or consumer group 'none'",
            ),
        ],
    );
}

#[test]
fn entries_are_claimed_in_passing() {
    let db = filled(6);
    text(&db, "XGROUP CREATE s g 0");
    text(&db, "XREADGROUP GROUP g ann STREAMS s >");
    db.advance(100);
    text(&db, "XDEL s 3 5");
    check(
        &db,
        &[
            ("XAUTOCLAIM s g bob 1000 0", "0-0 3-0 5-0"),
            ("XAUTOCLAIM s g bob 50 0 COUNT 2", "4-0 1-0 f 1 2-0 f 2"),
        ],
    );
    // The sweep that found nothing has taken away what was deleted: 3 and 5.
    check(
        &db,
        &[
            ("XADD s 7 f 7", "7-0"),
            ("XREADGROUP GROUP g ann STREAMS s >", "s 7-0 f 7"),
            ("XDEL s 4", "1"),
            ("XAUTOCLAIM s g bob 50 (2 COUNT 1", "6-0 4-0"),
            ("XAUTOCLAIM s g bob 50 4 JUSTID", "0-0 6-0"),
            (
                "XPENDING s g - + 9",
                "1-0 bob 0 2 2-0 bob 0 2 6-0 bob 0 1 7-0 ann 0 1",
            ),
        ],
    );
    refuse(
        &db,
        &[
            (
                "XAUTOCLAIM s g c x 0",
                "ERR Invalid min-idle-time argument for XAUTOCLAIM",
            ),
            ("XAUTOCLAIM s g c 0 x", INVALID_ID),
            ("XAUTOCLAIM s g c 0 0 COUNT 0", "ERR COUNT must be > 0"),
            (
                "XAUTOCLAIM s g c 0 0 COUNT 99999999999999999999",
                "ERR COUNT must be > 0",
            ),
            ("XAUTOCLAIM s g c 0 0 COUNT", "ERR syntax error"),
            (
                "XAUTOCLAIM s none c 0 0",
                "NOGROUP No such key 's' or consumer group 'none'",
            ),
        ],
    );
}

#[test]
fn lag_is_known_or_not() {
    let db = filled(5);
    let lag = |db: &TestDb| {
        let text = text(db, "XINFO GROUPS s");
        text.split("entries-read ").nth(1).map(str::to_owned).unwrap()
    };
    text(&db, "XGROUP CREATE s g 0");
    assert_eq!(lag(&db), "(nil) lag 5");
    text(&db, "XREADGROUP GROUP g c COUNT 2 STREAMS s >");
    assert_eq!(lag(&db), "2 lag 3");
    text(&db, "XDEL s 1");
    assert_eq!(lag(&db), "2 lag 3");
    text(&db, "XDEL s 4");
    assert_eq!(lag(&db), "2 lag (nil)");
    text(&db, "XREADGROUP GROUP g c COUNT 1 STREAMS s >");
    assert_eq!(lag(&db), "(nil) lag (nil)");
    text(&db, "XREADGROUP GROUP g c STREAMS s >");
    assert_eq!(lag(&db), "5 lag 0");
    text(&db, "XTRIM s MAXLEN 0");
    assert_eq!(lag(&db), "5 lag 0");
    text(&db, "XGROUP SETID s g 1");
    assert_eq!(lag(&db), "(nil) lag 0");
    text(&db, "XADD s 9 f 9");
    assert_eq!(lag(&db), "(nil) lag 1");
}

#[test]
fn other_types_are_refused_and_streams_refuse_other_commands() {
    let db = filled(1);
    text(&db, "SET text x");
    let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
    for line in [
        "XADD text * a b",
        "XLEN text",
        "XRANGE text - +",
        "XDEL text 1",
        "XTRIM text MAXLEN 0",
        "XSETID text 1",
        "XREAD STREAMS text 0",
        "XREADGROUP GROUP g c STREAMS text >",
        "XGROUP CREATE text g 0 MKSTREAM",
        "XACK text g 1",
        "XPENDING text g",
        "XCLAIM text g c 0 1",
        "XAUTOCLAIM text g c 0 0",
        "XINFO STREAM text",
        "LPUSH s x",
        "GET s",
        "HSET s f v",
    ] {
        assert_eq!(error(&db, line), wrong, "{line}");
    }
    refuse(
        &db,
        &[
            ("XINFO STREAM none", "ERR no such key"),
            ("XINFO GROUPS none", "ERR no such key"),
            (
                "XINFO CONSUMERS s none",
                "NOGROUP No such consumer group 'none' for key name 's'",
            ),
            (
                "XINFO STREAM s FULL COUNT",
                "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
            ),
            (
                "XINFO GROUPS",
                "ERR wrong number of arguments for 'xinfo|groups' command",
            ),
            ("XINFO WHAT s", "ERR unknown subcommand 'WHAT'. Try XINFO HELP."),
        ],
    );
    assert!(text(&db, "XINFO HELP").starts_with("XINFO <subcommand>"));
}

#[test]
fn full_information_shows_groups_and_consumers() {
    let db = filled(3);
    text(&db, "XGROUP CREATE s g 0");
    text(&db, "XREADGROUP GROUP g ann COUNT 2 STREAMS s >");
    text(&db, "XGROUP CREATECONSUMER s g bob");
    assert_eq!(
        text(&db, "XINFO STREAM s FULL COUNT 1"),
        "length 3 radix-tree-keys 1 radix-tree-nodes 2 last-generated-id 3-0 max-deleted-entry-id 0-0 entries-added 3 \
         recorded-first-entry-id 1-0 entries 1-0 f 1 groups name g last-delivered-id 2-0 entries-read 2 lag 1 pel-count \
         2 pending 1-0 ann 1000000 1 consumers name ann seen-time 1000000 active-time 1000000 pel-count 2 pending 1-0 \
         1000000 1 name bob seen-time 1000000 active-time -1 pel-count 0 pending"
    );
}

#[test]
fn a_stream_is_copied_renamed_and_dumped_whole() {
    let db = filled(120);
    for line in [
        "XDEL s 7",
        "XTRIM s MINID 3",
        "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g ann COUNT 50 STREAMS s >",
        "XACK s g 10",
        "XGROUP CREATECONSUMER s g bob",
        "COPY s copy",
        "RENAME s moved",
    ] {
        text(&db, line);
    }
    let Reply::Bulk(payload) = db.run(&["DUMP", "moved"]) else {
        panic!("no payload")
    };
    assert_eq!(
        db.run_bytes(&[b"RESTORE", b"restored", b"0", &payload]),
        Reply::OK
    );
    let shown = |key: &str| text(&db, &format!("XINFO STREAM {key} FULL COUNT 0"));
    assert_eq!(shown("copy"), shown("moved"));
    let without_active = |text: String| {
        text.replace("active-time 1000000", "")
            .replace("active-time -1", "")
    };
    assert_eq!(without_active(shown("restored")), without_active(shown("moved")));
}

#[test]
fn keys_stand_behind_streams() {
    let db = TestDb::new();
    for line in [
        "XADD a 1 f 1",
        "XADD b 1 f 1",
        "XGROUP CREATE a g 0",
        "XGROUP CREATE b g 0",
    ] {
        text(&db, line);
    }
    check(
        &db,
        &[("XREAD COUNT 5 BLOCK 5 STREAMS a b 0 0", "a 1-0 f 1 b 1-0 f 1")],
    );
    text(&db, "XGROUP CREATE a streams 0");
    text(&db, "XGROUP CREATE b streams 0");
    check(
        &db,
        &[(
            "XREADGROUP GROUP streams streams NOACK COUNT 5 STREAMS a b > >",
            "a 1-0 f 1 b 1-0 f 1",
        )],
    );
}
