//! Every opcode and every type byte: read, skipped, or refused by its name and at its place.

use super::{file, read, text};
use crate::command::testing::TestDb;
use crate::keyspace::{Budget, Keyspace, MemoryLimit, Policy, Scope, Usage};
use crate::rdb::{Checksum, LoadOptions, LoadStats, Loader, Reader, Requests};

const DEFAULTS: LoadOptions = LoadOptions { db: None, now_ms: 0 };

/// As [`file`], with this header.
fn file_of(header: &[u8], records: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [header, &records.concat(), &[0xff]].concat();
    let checksum = Checksum::of(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fn key(rdb_type: u8, value: &[u8]) -> Vec<u8> {
    [&[rdb_type, 1, b'k'], value].concat()
}

fn string() -> Vec<u8> {
    key(0, b"\x01v")
}

/// Offset and words of the refusal.
fn refusal(bytes: &[u8]) -> (u64, String) {
    let error = read(bytes).expect_err("was read");
    (error.offset, error.reason)
}

fn load(bytes: &[u8], target: &Keyspace) -> LoadStats {
    let (mut reader, mut loader) = (Reader::default(), Loader::for_keyspace(DEFAULTS, target));
    reader.push(bytes, &mut loader).expect("is sound");
    reader.finish().expect("is whole");
    let stats = loader.stats();
    assert!(loader.commit(target));
    stats
}

#[test]
fn versions_by_magic() {
    for version in 5..=13 {
        assert!(read(&file_of(format!("REDIS{version:04}").as_bytes(), &[&string()])).is_ok());
    }
    for known in ["VALKEY080", "VALKEY081"] {
        assert!(read(&file_of(known.as_bytes(), &[&string()])).is_ok());
    }
    for unknown in [
        "REDIS0000",
        "REDIS0014",
        "REDIS0015",
        "REDIS9999",
        "VALKEY011",
        "VALKEY079",
        "VALKEY082",
    ] {
        let (offset, reason) = refusal(&file_of(unknown.as_bytes(), &[]));
        let version: u32 = unknown
            .trim_start_matches(char::is_alphabetic)
            .parse()
            .expect("digits");
        assert!(
            offset == 0 && reason.contains(&format!("version {version} ")),
            "{reason}"
        );
    }
}

#[test]
fn a_file_before_version_5_has_no_checksum() {
    for version in 1..5 {
        let header = format!("REDIS{version:04}");
        let bytes = [header.as_bytes(), &string(), &[0xff]].concat();
        let json = read(&bytes).expect("is sound");
        assert!(json.contains("none(v<5)"), "{json}");
        let (mut reader, mut json) = (
            Reader::default(),
            crate::rdb::Json::new(crate::rdb::json::Form::Plain),
        );
        let longer = [&bytes[..], b"12345678"].concat();
        assert_eq!(reader.push(&longer, &mut json), Ok(bytes.len()));
    }
}

#[test]
fn types_22_and_23_are_those_of_the_magic() {
    let pre_ga = key(22, b"\x01\x05\x01f\x01v");
    let json = read(&file_of(b"REDIS0012", &[&pre_ga])).expect("is sound");
    assert!(
        json.split_whitespace()
            .collect::<String>()
            .contains("[\"f\",\"v\",5]"),
        "{json}"
    );
    let valkey = key(22, b"\x01\x01f\x01v\x05\0\0\0\0\0\0\0");
    let json = read(&file_of(b"VALKEY080", &[&valkey])).expect("is sound");
    assert!(
        json.split_whitespace()
            .collect::<String>()
            .contains("[\"f\",\"v\",5]"),
        "{json}"
    );
    assert!(read(&file_of(b"REDIS0012", &[&valkey])).is_err());
    let paths = file_of(b"VALKEY081", &[&string(), &key(23, b"")]);
    let (offset, reason) = refusal(&paths);
    assert!(
        offset == 14 && reason.contains("23 (a hash of paths"),
        "{reason} at {offset}"
    );
}

#[test]
fn what_is_newer_is_refused_by_its_name() {
    let cases: [(&[u8], u8, &str); 11] = [
        (b"REDIS0013", 6, "a module of a Redis 4.0 release candidate"),
        (b"REDIS0013", 8, "unknown type 8"),
        (b"REDIS0013", 26, "a stream of Redis 8.6"),
        (b"REDIS0013", 27, "a stream of Redis 8.8"),
        (b"REDIS0013", 28, "an array of Redis 8.8"),
        (b"REDIS0013", 29, "type 29"),
        (b"REDIS0013", 33, "type 33"),
        (b"REDIS0013", 200, "a record of Dragonfly"),
        (b"REDIS0013", 242, "templates of hashes"),
        (b"VALKEY081", 242, "an update"),
        (b"VALKEY080", 107, "type 107"),
    ];
    for (header, byte, words) in cases {
        let (offset, reason) = refusal(&file_of(header, &[&string(), &key(byte, b"\x01v")]));
        assert!(
            offset == 14 && reason.contains(words),
            "{byte}: {reason} at {offset}"
        );
    }
}

#[test]
fn opcode_243_is_that_of_the_magic() {
    let metadata = [0xf3, 1, 1, 2, 3, 4, 2, 9, 0];
    let slots = b"\xf3\x03job\x02\x00\x05\x40\x64\x40\xc8";
    assert!(read(&file_of(b"REDIS0013", &[&metadata, &string()])).is_ok());
    assert!(read(&file_of(b"VALKEY080", &[slots, &string()])).is_ok());
    let many = b"\xf3\x03job\x80\x00\x01\x00\x00";
    assert!(
        refusal(&file_of(b"VALKEY080", &[many]))
            .1
            .contains("65536 ranges")
    );
}

#[test]
fn what_says_nothing_of_keys_is_skipped() {
    let fields: [&[u8]; 7] = [
        &[0xf4, 5, 1, 0],
        &[0x6b, 0x80, 0, 1, 0, 0],
        &[0x79, 0x45, 7],
        &[0xfb, 9, 9],
        &[&[0xfa][..], &text(b"slot-info"), &text(b"5,1,0")].concat(),
        b"\xf7\x81ABCDEFGH\x02\x02\x05\x02hi\x00",
        &[0xf3, 0],
    ];
    let expiry = [0xfc, 0x10, 0x27, 0, 0, 0, 0, 0, 0];
    let plain = read(&file(&[&expiry, &string()])).expect("is sound");
    for field in fields {
        let between = read(&file(&[&expiry, field, &string()])).expect("is sound");
        assert_eq!(between, plain, "{field:02x?}");
    }
    let enterprise = read(&file(&[&[0x6b, 0xff]])).expect_err("was read");
    assert_eq!(enterprise.offset, 10);
}

#[test]
fn functions_of_either_form() {
    let early = b"\xf6\x03lib\x03LUA\x01\x04text\x04code";
    let library = [&[0xf5][..], &text(b"#!LUA name=lib\ncode")].concat();
    let now = read(&file(&[&library])).expect("is sound");
    assert_eq!(read(&file(&[early])).expect("is sound"), now);
    assert!(now.contains("name=lib"), "{now}");
    assert_eq!(load(&file(&[&library, &string()]), &Keyspace::new()).functions, 1);
}

#[test]
fn an_expiry_of_minus_one_is_none() {
    let seconds = [&[0xfd][..], &[0xff; 4]].concat();
    let milliseconds = [&[0xfc][..], &[0xff; 8]].concat();
    let never = read(&file(&[&string()])).expect("is sound");
    assert_eq!(read(&file(&[&seconds, &string()])).as_ref(), Ok(&never));
    assert_eq!(read(&file(&[&milliseconds, &string()])).as_ref(), Ok(&never));
    let past = [&[0xfc][..], &(-2i64).to_le_bytes()].concat();
    assert!(
        read(&file(&[&past, &string()]))
            .expect("is sound")
            .contains("\"expire_at_ms\": -2")
    );
    assert_eq!(load(&file(&[&past, &string()]), &Keyspace::new()).expired, 1);
}

#[test]
fn empty_collections_are_left_out() {
    let listpack: &[u8] = &[7, 7, 0, 0, 0, 0, 0, 0xff];
    let ziplist: &[u8] = &[11, 11, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0xff];
    let nodes = [&[1, 2], listpack].concat();
    let empty: [(u8, &[u8]); 16] = [
        (1, &[0]),
        (2, &[0]),
        (3, &[0]),
        (4, &[0]),
        (5, &[0]),
        (10, ziplist),
        (12, ziplist),
        (13, ziplist),
        (14, &[0]),
        (16, listpack),
        (17, listpack),
        (18, &[0]),
        (18, &nodes),
        (20, listpack),
        (22, &[0]),
        (23, listpack),
    ];
    for (rdb_type, value) in empty {
        let bytes = file(&[&key(rdb_type, value)]);
        assert!(read(&bytes).is_ok(), "type {rdb_type}");
        let stats = load(&bytes, &Keyspace::new());
        assert_eq!((stats.keys, stats.empty), (0, 1), "type {rdb_type}");
        let mut requests = Requests::new(0);
        Reader::default().push(&bytes, &mut requests).expect("is sound");
        assert_eq!(requests.keys(), 0);
    }
    for (rdb_type, value) in [(11, &[8, 2, 0, 0, 0, 0, 0, 0, 0][..]), (9, &[2, 0, 0xff])] {
        assert!(read(&file(&[&key(rdb_type, value)])).is_err(), "type {rdb_type}");
    }
}

/// A keyspace that evicts by this policy.
fn evicting(policy: Policy) -> Keyspace {
    let limit = MemoryLimit {
        bytes: 1 << 30,
        policy,
        samples: 5,
    };
    Keyspace::with_log_clock(1_000_000_000).with_budget(Budget::new(limit))
}

fn usage_of(keyspace: &Keyspace) -> Option<Usage> {
    keyspace.db(Scope::Keys(&[b"k"])).usage(b"k")
}

#[test]
fn idle_times_and_frequencies_are_kept() {
    let idle = file(&[&[0xf8, 0x40, 100], &string()]);
    let used = file(&[&[0xf9, 200], &string()]);
    let recency = evicting(Policy::AllKeysLru);
    load(&idle, &recency);
    assert_eq!(usage_of(&recency), Some(Usage::IdleSeconds(100)));
    load(&file(&[&string()]), &recency);
    assert_eq!(usage_of(&recency), Some(Usage::IdleSeconds(0)), "as if just used");
    let frequency = evicting(Policy::AllKeysLfu);
    load(&used, &frequency);
    assert_eq!(usage_of(&frequency), Some(Usage::Frequency(200)));
    for (bytes, words) in [(idle, ["IDLETIME", "100"]), (used, ["FREQ", "200"])] {
        let mut requests = Requests::new(0);
        Reader::default().push(&bytes, &mut requests).expect("is sound");
        let records = requests.take();
        let request = super::writing::words_of(&records[6..]);
        assert_eq!(request[6..], words.map(str::as_bytes));
        assert_eq!(TestDb::new().run_bytes(&request), crate::reply::Reply::OK);
    }
}
