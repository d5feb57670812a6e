//! Several files as one, and files as requests for other versions.

use super::fields::valkey_file;
use super::writing::{sample, show, words_of, write};
use super::{file, read, text};
use crate::command::testing::TestDb;
use crate::keyspace::Keyspace;
use crate::keyspace::slot::slot_of;
use crate::rdb::filter::Filter;
use crate::rdb::format::{HASH_LISTPACK_EX, oldest_version};
use crate::rdb::join::{JoinOptions, Joiner};
use crate::rdb::requests::{REFUSED, RequestOptions, RequestStats};
use crate::rdb::{Magic, Reader, Requests, WriteOptions};
use crate::reply::Reply;

fn written(keyspace: &Keyspace, version: u32) -> Vec<u8> {
    let options = WriteOptions {
        version,
        ..WriteOptions::default()
    };
    write(keyspace, options, 1 << 16)
}

fn joined(files: &[Vec<u8>], version: u32, filter: Filter, piece: usize) -> Result<(Vec<u8>, u64), String> {
    let mut joiner = Joiner::new(JoinOptions {
        magic: Magic::Redis,
        version,
        aux: vec![(b"redis-ver".to_vec(), b"7.0.15".to_vec())],
        filter,
    });
    let mut bytes = Vec::new();
    for file in files {
        let mut reader = Reader::default();
        for chunk in file.chunks(piece) {
            reader
                .push(chunk, &mut joiner)
                .map_err(|error| error.to_string())?;
            bytes.extend_from_slice(&joiner.take());
        }
        reader.finish().map_err(|error| error.to_string())?;
    }
    bytes.extend_from_slice(&joiner.finish());
    Ok((bytes, joiner.keys()))
}

fn keys_of(json: &str) -> usize {
    json.matches("\"key\"").count()
}

#[test]
fn a_joined_file_has_the_keys_of_all() {
    let own = written(&sample(300, 1), 12);
    for piece in [7, 1 << 20] {
        let (bytes, keys) = joined(std::slice::from_ref(&own), 12, Filter::default(), piece).expect("joins");
        assert_eq!(keys, 300);
        let keys_and_values = |json: String| json[json.find("\"key\"").expect("has keys")..].to_string();
        assert_eq!(
            keys_and_values(read(&bytes).expect("is sound")),
            keys_and_values(read(&own).expect("is sound"))
        );
    }
}

#[test]
fn databases_attributes_and_functions_are_kept_and_functions_once() {
    let record = |db: u8, key: &[u8]| {
        [
            &[0xfe, db, 0xfc][..],
            &[9; 8],
            &[0xf9, 7, 0],
            &text(key),
            &text(b"v"),
        ]
        .concat()
    };
    let function = [&[0xf5][..], &text(b"#!lua name=f")].concat();
    let one = file(&[&function, &record(0, b"a"), &record(2, b"b")]);
    let other = file(&[&function, &record(2, b"c"), &record(0, b"d")]);
    let files = [one, other];
    let (bytes, keys) = joined(&files, 10, Filter::default(), 1 << 20).expect("joins");
    let json = read(&bytes).expect("is sound");
    assert_eq!((keys, keys_of(&json)), (4, 4));
    assert_eq!(json.matches("name=f").count(), 1, "{json}");
    let filter = Filter {
        db: Some(2),
        ..Filter::default()
    };
    let (bytes, keys) = joined(&files, 10, filter, 3).expect("joins");
    assert_eq!((keys, keys_of(&read(&bytes).expect("is sound"))), (2, 2));
    assert!(joined(&files, 9, Filter::default(), 9).is_err());
}

/// The id of a module in a record.
const MODULE: [u8; 9] = [0x81, 0xb5, 0xe7, 0x2d, 0xff, 0xf7, 0x5b, 0x80, 1];

#[test]
fn data_of_modules_is_kept_once_and_in_its_place() {
    let aside = |when: u8, what: &[u8]| [&[0xf7][..], &MODULE, &[2, when, 5], &text(what), &[0]].concat();
    let key = |name: &[u8]| [&[0][..], &text(name), &text(b"v")].concat();
    let (first, behind) = (aside(1, b"both"), aside(2, b"end"));
    let metadata = [&[0xf3, 1, 1, 2, 3, 4, 5][..], &text(b"about b"), &[0]].concat();
    let one = file(&[&first, &key(b"a"), &behind]);
    let own = aside(1, b"own");
    let other = file(&[&first, &own, &metadata, &key(b"b"), &behind]);
    for piece in [1, 5, 1 << 10] {
        let files = [one.clone(), other.clone()];
        let (bytes, keys) = joined(&files, 13, Filter::default(), piece).expect("joins");
        assert_eq!(keys, 2);
        let aux = [&[0xfa][..], &text(b"redis-ver"), &text(b"7.0.15")].concat();
        let expected = [
            b"REDIS0013".as_slice(),
            &aux,
            &first,
            &[0xfe, 0],
            &key(b"a"),
            &own,
            &metadata,
            &key(b"b"),
            &behind,
            &[0xff],
        ]
        .concat();
        assert_eq!(bytes[..bytes.len() - 8], expected);
        read(&bytes).expect("is sound");
    }
    let filter = Filter {
        pattern: Some(b"a".to_vec()),
        ..Filter::default()
    };
    let (bytes, _) = joined(&[other], 13, filter, 3).expect("joins");
    assert!(!bytes.windows(7).any(|part| part == b"about b"));
}

/// Slot and words of every record.
fn records_of(bytes: &[u8], options: RequestOptions) -> (Vec<u8>, RequestStats) {
    let (mut reader, mut requests) = (Reader::default(), Requests::with(options));
    reader.push(bytes, &mut requests).expect("is sound");
    reader.finish().expect("is complete");
    (requests.take(), requests.stats())
}

fn each_record(mut records: &[u8], mut take: impl FnMut(u16, &[&[u8]])) {
    while let [s0, s1, l0, l1, l2, l3, tail @ ..] = records {
        let (request, tail) = tail.split_at(u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize);
        take(u16::from_le_bytes([*s0, *s1]), &words_of(request));
        records = tail;
    }
}

#[test]
fn values_that_are_too_new_are_written_anew() {
    let source = sample(300, 2);
    for (from, version) in [(12, 9), (12, 10), (12, 11), (12, 12), (9, 12)] {
        let options = RequestOptions {
            version: Some(version),
            names_refused: true,
            ..RequestOptions::default()
        };
        let (records, stats) = records_of(&written(&source, from), options);
        assert_eq!((stats.keys, stats.refused), (300, 0));
        let target = TestDb::new();
        each_record(&records, |slot, words| {
            assert_ne!(slot, REFUSED);
            let payload = words[3];
            let footer = &payload[payload.len() - 10..payload.len() - 8];
            assert!(u32::from(u16::from_le_bytes([footer[0], footer[1]])) <= version);
            assert!(oldest_version(payload[0]) <= version);
            assert_eq!(target.run_bytes(words), Reply::OK);
        });
        assert_eq!(show(&target.keyspace, false), show(&source, false));
    }
}

#[test]
fn a_key_that_cannot_be_held_is_named() {
    let bytes = valkey_file(5_000);
    let options = RequestOptions {
        version: Some(11),
        names_refused: true,
        ..RequestOptions::default()
    };
    let (records, stats) = records_of(&bytes, options.clone());
    assert_eq!((stats.keys, stats.refused), (0, 1));
    each_record(&records, |slot, words| {
        assert_eq!((slot, words[0]), (REFUSED, b"h".as_slice()));
        assert!(words[1].starts_with(b"a hash with fields that expire"));
    });
    let strict = RequestOptions {
        names_refused: false,
        ..options.clone()
    };
    let mut reader = Reader::default();
    assert!(reader.push(&bytes, &mut Requests::with(strict)).is_err());
    for version in [12, 80] {
        let reads = RequestOptions {
            version: Some(version),
            ..options.clone()
        };
        let (records, stats) = records_of(&bytes, reads);
        assert_eq!(stats.keys, 1);
        each_record(&records, |_, words| {
            let wanted = if version == 12 { HASH_LISTPACK_EX } else { 22 };
            assert_eq!(words[3][0], wanted);
        });
    }
}

#[test]
fn what_is_no_key_is_counted() {
    let aside = [&[0xf7][..], &MODULE, &[2, 1, 2, 7, 0]].concat();
    let metadata = [0xf3, 1, 1, 2, 3, 4, 2, 9, 0];
    let function = [&[0xf5][..], &text(b"#!lua name=f")].concat();
    let key = [&[0][..], &text(b"k"), &text(b"v")].concat();
    let bytes = file(&[&function, &aside, &metadata, &key, &aside]);
    let (_, stats) = records_of(&bytes, RequestOptions::default());
    assert_eq!((stats.keys, stats.functions, stats.module_data), (1, 1, 3));
}

#[test]
fn what_is_not_wanted_is_counted() {
    let record = |db: u8, key: &[u8]| [&[0xfe, db, 0xf9, 7][..], &[0], &text(key), &text(b"v")].concat();
    let bytes = file(&[&record(0, b"a:1"), &record(1, b"a:2"), &record(1, b"b:1")]);
    let filter = Filter {
        pattern: Some(b"a*".to_vec()),
        db: Some(1),
        ..Filter::default()
    };
    let wanted = RequestOptions {
        filter,
        prefix: b"new:".to_vec(),
        ..RequestOptions::default()
    };
    let (records, stats) = records_of(&bytes, wanted);
    assert_eq!((stats.keys, stats.unwanted), (1, 2));
    each_record(&records, |slot, words| {
        assert_eq!((slot, words[1]), (slot_of(b"new:a:2"), b"new:a:2".as_slice()));
        assert_eq!(words[6..], [b"FREQ".as_slice(), b"7"]);
    });
    let mut reader = Reader::default();
    let error = reader
        .push(&bytes, &mut Requests::new(0))
        .expect_err("other databases");
    assert!(error.reason.contains("database 1"), "{error}");
}
