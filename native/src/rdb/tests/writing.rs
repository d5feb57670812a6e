//! What is written is read back as it was.

use super::RdbError;
use crate::keyspace::{EntryView, Expiry, Keyspace, SEGMENTS, Scope};
use crate::random::Rng;
use crate::rdb::{LoadOptions, LoadStats, Loader, Options, Reader, Requests, Snapshot, WriteOptions};
use crate::structure::listpack::Listpack;
use crate::value::{Collection, Element, HashValue, ListValue, SetValue, Value, ZSetValue};
use std::collections::BTreeMap;

const NOW_MS: i64 = 1_000_000;

/// Values of every type, in every form, at random.
pub fn sample(keys: usize, seed: u64) -> Keyspace {
    sample_of(keys, &[1, 5, 40, 200, 700], seed)
}

/// As [`sample`], with values of these sizes.
pub fn sample_of(keys: usize, sizes: &[usize], seed: u64) -> Keyspace {
    let keyspace = Keyspace::with_log_clock(NOW_MS);
    let mut rng = Rng::new(seed);
    for i in 0..keys {
        let key = format!("key:{i}");
        let size = sizes[rng.below(sizes.len())];
        let expiry = if i % 7 == 0 {
            Expiry::At(NOW_MS * 2 + i as i64)
        } else {
            Expiry::Never
        };
        let mut db = keyspace.db(Scope::Keys(&[key.as_bytes()]));
        match i % 6 {
            0 => db.put_string(key.as_bytes(), &text(&mut rng, size), expiry),
            n => db.put(key.as_bytes(), collection(n, size, &mut rng), expiry),
        }
    }
    keyspace
}

fn text(rng: &mut Rng, size: usize) -> Vec<u8> {
    match rng.below(4) {
        0 => (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes(),
        1 => vec![b'r'; size],
        _ => (0..size).map(|_| rng.below(256) as u8).collect(),
    }
}

fn collection(kind: usize, size: usize, rng: &mut Rng) -> Value {
    let (mut hash, mut list) = (HashValue::default(), ListValue::default());
    let (mut set, mut zset) = (SetValue::default(), ZSetValue::default());
    for i in 0..size {
        let length = if i == 9 { 90 } else { 12 };
        let member = text(rng, length);
        match kind {
            1 => drop(hash.set(&member, &text(rng, 20))),
            2 => list.push_back(&text(rng, if i == 3 { 9000 } else { 30 })),
            3 => drop(set.add(&member)),
            4 => drop(set.add((rng.below(100_000)).to_string().as_bytes())),
            _ => drop(zset.insert(rng.below(1000) as f64 / 8.0 - 20.0, &member)),
        }
    }
    match kind {
        1 => Value::Hash(hash),
        2 => Value::List(list),
        3 | 4 => Value::Set(set),
        _ => Value::ZSet(zset),
    }
}

pub type Shown = BTreeMap<Vec<u8>, (String, Option<i64>)>;

/// Everything in a keyspace: order within lists, encodings if `exact`.
pub fn show(keyspace: &Keyspace, exact: bool) -> Shown {
    let mut shown = Shown::new();
    for segment in 0..SEGMENTS {
        keyspace.walk(segment, |key, content, expire_at| {
            let content = match content {
                EntryView::Str(text) => format!("{text:?}"),
                EntryView::Value(value) if exact => format!("{} {}", show_form(value), rows(value).join(" ")),
                EntryView::Value(value) => show_value(value),
            };
            shown.insert(key.to_vec(), (content, expire_at));
        });
    }
    shown
}

fn rows(value: &Value) -> Vec<String> {
    let pair = |(a, b): (Element<'_>, Element<'_>)| format!("{:?}={:?}", a.to_vec(), b.to_vec());
    match value {
        Value::Hash(hash) => hash.iter().map(pair).collect(),
        Value::List(list) => list.iter().map(|e| format!("{:?}", e.to_vec())).collect(),
        Value::Set(set) => set.iter().map(|m| format!("{:?}", m.to_vec())).collect(),
        Value::ZSet(zset) => zset
            .iter()
            .map(|(m, s)| format!("{:?}={s:?}", m.to_vec()))
            .collect(),
        Value::Stream(stream) => vec![format!("{stream:?}")],
    }
}

fn show_value(value: &Value) -> String {
    let mut rows = rows(value);
    if !matches!(value, Value::List(_)) {
        rows.sort();
    }
    rows.join(" ")
}

/// Encoding, and the nodes of a list.
fn show_form(value: &Value) -> String {
    match value {
        Value::Hash(hash) => hash.encoding().into(),
        Value::List(list) => format!("{:?}", list.packs().map(Listpack::as_bytes).collect::<Vec<_>>()),
        Value::Set(set) => set.encoding().into(),
        Value::ZSet(zset) => zset.encoding().into(),
        Value::Stream(stream) => stream.encoding().into(),
    }
}

pub fn write(keyspace: &Keyspace, options: WriteOptions, bytes_wanted: usize) -> Vec<u8> {
    let options = WriteOptions {
        chunk_bytes: bytes_wanted.min(1 << 20),
        ..options
    };
    Snapshot::whole(keyspace, options).expect("the version can hold it")
}

pub fn load(bytes: &[u8], options: LoadOptions, target: &Keyspace) -> Result<LoadStats, RdbError> {
    let mut reader = Reader::new(Options {
        refuse_duplicate_keys: false,
    });
    let mut loader = Loader::new(options);
    reader.push(bytes, &mut loader)?;
    reader.finish()?;
    let stats = loader.stats();
    assert!(loader.commit(target));
    target.verify();
    Ok(stats)
}

const DEFAULTS: LoadOptions = LoadOptions {
    db: None,
    now_ms: NOW_MS,
};

#[test]
fn every_version_comes_back() {
    let source = sample(600, 1);
    let expected = show(&source, false);
    for version in 9..=12 {
        for compress in [false, true] {
            let options = WriteOptions {
                version,
                compress,
                ..Default::default()
            };
            let bytes = write(&source, options, 10_000);
            let target = Keyspace::with_log_clock(NOW_MS);
            let stats = load(&bytes, DEFAULTS, &target).expect("is sound");
            assert_eq!(
                stats,
                LoadStats {
                    keys: 600,
                    ..Default::default()
                }
            );
            assert_eq!(show(&target, false), expected, "version {version}");
        }
    }
}

#[test]
fn an_exact_snapshot_keeps_forms_and_due_keys() {
    let source = sample(600, 2);
    let options = WriteOptions {
        exact: true,
        ..Default::default()
    };
    let bytes = write(&source, options, 1);
    let target = Keyspace::with_log_clock(NOW_MS);
    let later = LoadOptions {
        db: None,
        now_ms: NOW_MS * 3,
    };
    load(&bytes, later, &target).expect("is sound");
    assert_eq!(show(&target, true), show(&source, true));
}

#[test]
fn chunks_do_not_change_the_bytes() {
    let source = sample(200, 3);
    let whole = write(&source, WriteOptions::default(), usize::MAX);
    assert_eq!(write(&source, WriteOptions::default(), 1), whole);
}

#[test]
fn due_keys_stay_behind() {
    let bytes = write(&sample(70, 4), WriteOptions::default(), 1000);
    let target = Keyspace::new();
    let stats = load(
        &bytes,
        LoadOptions {
            db: None,
            now_ms: NOW_MS * 3,
        },
        &target,
    )
    .expect("is sound");
    assert_eq!((stats.keys, stats.expired), (60, 10));
}

#[test]
fn a_damaged_file_leaves_the_keyspace_as_it_was() {
    let target = sample(50, 5);
    let before = show(&target, true);
    let mut bytes = write(&sample(300, 6), WriteOptions::default(), 1000);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    load(&bytes, DEFAULTS, &target).expect_err("was loaded");
    let mut loader = Loader::new(DEFAULTS);
    Reader::default()
        .push(&bytes[..last - 20], &mut loader)
        .expect("is sound so far");
    assert!(!loader.commit(&target));
    assert_eq!(show(&target, true), before);
}

#[test]
fn other_databases_are_refused_or_chosen() {
    let key = |name: &[u8]| [&[0, 1][..], name, &[1, b'v']].concat();
    let bytes = super::file(&[&key(b"a"), &[0xfe, 3], &key(b"b")]);
    let target = Keyspace::new();
    let error = load(&bytes, DEFAULTS, &target).expect_err("was loaded");
    assert!(error.reason.contains("database 3"), "{error}");
    let chosen = LoadOptions {
        db: Some(3),
        now_ms: 0,
    };
    let stats = load(&bytes, chosen, &target).expect("is sound");
    assert_eq!((stats.keys, stats.other_databases), (1, 1));
}

#[test]
fn requests_restore_what_the_file_has() {
    let source = sample(120, 7);
    let bytes = write(&source, WriteOptions::default(), 1000);
    let (mut reader, mut requests) = (Reader::default(), Requests::new(NOW_MS));
    let mut records = Vec::new();
    for piece in bytes.chunks(777) {
        reader.push(piece, &mut requests).expect("is sound");
        records.extend(requests.take());
    }
    let target = crate::command::testing::TestDb::new();
    let mut rest = &records[..];
    while let [s0, s1, l0, l1, l2, l3, tail @ ..] = rest {
        let (request, tail) = tail.split_at(u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize);
        let words = words_of(request);
        assert_eq!(
            crate::keyspace::slot::slot_of(words[1]),
            u16::from_le_bytes([*s0, *s1])
        );
        assert_eq!(target.run_bytes(&words), crate::reply::Reply::OK);
        rest = tail;
    }
    assert_eq!(show(&target.keyspace, false), show(&source, false));
}

/// The words of a request in RESP.
pub fn words_of(request: &[u8]) -> Vec<&[u8]> {
    let line = |from: usize| {
        let end = from
            + request[from..]
                .iter()
                .position(|byte| *byte == b'\r')
                .expect("a line");
        let number: usize = std::str::from_utf8(&request[from + 1..end])
            .expect("text")
            .parse()
            .expect("a number");
        (number, end + 2)
    };
    let (count, mut at) = line(0);
    let words = (0..count).map(|_| {
        let (length, from) = line(at);
        at = from + length + 2;
        &request[from..from + length]
    });
    words.collect()
}
