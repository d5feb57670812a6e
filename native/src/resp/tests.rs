use super::*;
use crate::reply::Reply;
use crate::status::Status;
use proptest::prelude::*;

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_request(words, &mut bytes);
    bytes
}

fn encoded(reply: &Reply, protocol: Protocol) -> String {
    let mut bytes = Vec::new();
    encode_reply(reply, protocol, &mut bytes);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_request_is_an_array_of_bulks() {
    assert_eq!(request(&[b"GET", b"k"]), b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    let two = [request(&[b"PING"]), request(&[b"ECHO", b""])].concat();
    let Ok(Progress::Done(words, used)) = parse_request(&two) else {
        panic!("complete")
    };
    assert_eq!((words.as_slice(), used), (&[&b"PING"[..]][..], 14));
    let Ok(Progress::Done(words, _)) = parse_request(&two[used..]) else {
        panic!("complete")
    };
    assert_eq!(words.as_slice(), [&b"ECHO"[..], b""]);
}

#[test]
fn what_is_no_request_is_refused_at_once() {
    for bytes in [
        &b"PING\r\n"[..],
        b"*0\r\n",
        b"*-1\r\n",
        b"*01\r\n",
        b"*1048577\r\n",
        b"*1\r\n:1\r\n",
        b"*1\r\n$-1\r\n",
        b"*1\r\n$536870913\r\n",
        b"*1\r\n$1\r\nxy\r\n",
        b"*1\r\n$1\r\nx\rx",
        b"*1\n",
        b"*99999999999999999999999999999999999999999999999999999999999999999999",
        b"*1\rx",
    ] {
        assert!(parse_request(bytes).is_err(), "{}", bytes.escape_ascii());
    }
}

#[test]
fn replies_have_their_kinds_in_each_protocol() {
    let pairs = vec![(Reply::bulk(b"f"), Reply::Double(1.5))];
    let cases = [
        (Reply::OK, "+OK\r\n", "+OK\r\n"),
        (Reply::bulk(b"x"), "$1\r\nx\r\n", "$1\r\nx\r\n"),
        (Reply::Null, "$-1\r\n", "_\r\n"),
        (Reply::NullArray, "*-1\r\n", "_\r\n"),
        (Reply::Int(-5), ":-5\r\n", ":-5\r\n"),
        (Reply::Double(f64::INFINITY), "$3\r\ninf\r\n", ",inf\r\n"),
        (
            Reply::Decimal("0.10000000000000001".into()),
            "$19\r\n0.10000000000000001\r\n",
            ",0.10000000000000001\r\n",
        ),
        (
            Reply::Array(vec![Reply::Int(1), Reply::Null]),
            "*2\r\n:1\r\n$-1\r\n",
            "*2\r\n:1\r\n_\r\n",
        ),
        (Reply::Set(vec![Reply::Int(1)]), "*1\r\n:1\r\n", "~1\r\n:1\r\n"),
        (
            Reply::Map(pairs.clone()),
            "*2\r\n$1\r\nf\r\n$3\r\n1.5\r\n",
            "%1\r\n$1\r\nf\r\n,1.5\r\n",
        ),
        (
            Reply::ByKey(pairs.clone()),
            "*1\r\n*2\r\n$1\r\nf\r\n$3\r\n1.5\r\n",
            "%1\r\n$1\r\nf\r\n,1.5\r\n",
        ),
        (
            Reply::Pairs(pairs),
            "*2\r\n$1\r\nf\r\n$3\r\n1.5\r\n",
            "*1\r\n*2\r\n$1\r\nf\r\n,1.5\r\n",
        ),
        (
            Reply::Error(Status::Owned("ERR a\r\nb".into())),
            "-ERR a  b\r\n",
            "-ERR a  b\r\n",
        ),
    ];
    for (reply, two, three) in cases {
        assert_eq!(encoded(&reply, Protocol::Resp2), two);
        assert_eq!(encoded(&reply, Protocol::Resp3), three);
    }
}

#[test]
fn damaged_replies_are_refused() {
    for bytes in [
        &b"?\r\n"[..],
        b"+whatever\r\n",
        b":1.5\r\n",
        b",nan\r\n",
        b"_x\r\n",
        b"$-1\r\n",
        b"*-2\r\n",
        b"~-1\r\n",
        b">1\r\n:1\r\n",
        b"*4294967296\r\n",
    ] {
        assert!(decode_reply(bytes).is_err(), "{}", bytes.escape_ascii());
    }
    assert!(decode_reply(&b"*1\r\n".repeat(100)).is_err());
    assert_eq!(decode_reply(b"*4000000000\r\n:1\r\n"), Ok(Progress::NeedMore));
}

fn any_reply() -> impl Strategy<Value = Reply> {
    let leaf = prop_oneof![
        Just(Reply::OK),
        Just(Reply::Null),
        Just(Reply::NullArray),
        any::<i64>().prop_map(Reply::Int),
        any::<f64>()
            .prop_filter("no NaN", |value| value.is_normal())
            .prop_map(Reply::Double),
        // Digits that are not the usual ones: others come back as a double.
        "[1-9][0-9]{0,2}\\.[0-9]{0,16}0".prop_map(Reply::Decimal),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Reply::Bulk),
        "ERR [a-z ]{0,20}".prop_map(|text| Reply::Error(Status::Owned(text))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let items = proptest::collection::vec(inner.clone(), 0..6);
        let pairs = proptest::collection::vec((inner.clone(), inner), 0..4);
        prop_oneof![
            items.clone().prop_map(Reply::Array),
            items.prop_map(Reply::Set),
            pairs.clone().prop_map(Reply::Map),
            pairs.clone().prop_map(Reply::ByKey),
            pairs.prop_map(Reply::Pairs),
        ]
    })
}

proptest! {
    #[test]
    fn requests_round_trip_and_every_beginning_needs_more(
        words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 1..12)
    ) {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let bytes = request(&words);
        for end in 0..bytes.len() {
            prop_assert_eq!(parse_request(&bytes[..end]), Ok(Progress::NeedMore));
        }
        let expected = Words::from_slice(&words);
        prop_assert_eq!(parse_request(&bytes), Ok(Progress::Done(expected, bytes.len())));
    }

    #[test]
    fn replies_round_trip_and_every_beginning_needs_more(reply in any_reply()) {
        let mut bytes = Vec::new();
        encode_reply(&reply, Protocol::Lossless, &mut bytes);
        for end in 0..bytes.len() {
            prop_assert_eq!(decode_reply(&bytes[..end]), Ok(Progress::NeedMore));
        }
        let used = bytes.len();
        bytes.extend_from_slice(b"rest");
        prop_assert_eq!(decode_reply(&bytes), Ok(Progress::Done(reply, used)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_request(&bytes);
        let _ = decode_reply(&bytes);
    }

    #[test]
    fn arbitrary_protocol_text_never_panics(text in "[*$:+,_~%>|0-9a-z\\-\r\n]{0,80}") {
        let _ = parse_request(text.as_bytes());
        let _ = decode_reply(text.as_bytes());
    }
}
