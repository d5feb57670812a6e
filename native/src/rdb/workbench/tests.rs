//! Tests of the workbench: files of all types through every tool.

use super::compose::{Compose, ComposeOptions};
use super::{Check, Convert, ConvertOptions, Diff, Facts, Failure, Side, Tool, facts};
use crate::keyspace::Keyspace;
use crate::rdb::event::Sink;
use crate::rdb::tests::fixtures::{files_below, fixtures};
use crate::rdb::tests::writing::{sample, write};
use crate::rdb::tests::{file, text};
use crate::rdb::{Inspect, InspectOptions, Options, RdbError, Reader, WriteOptions};
use std::path::PathBuf;

fn folder() -> PathBuf {
    std::env::temp_dir()
}

/// Feeds a file in pieces of this size; gives the sink back, and why the reading ended.
fn feed<S: Tool>(mut sink: S, bytes: &[u8], size: usize) -> (S, Result<(), RdbError>) {
    let mut reader = Reader::new(Options {
        refuse_duplicate_keys: false,
    });
    for piece in bytes.chunks(size) {
        if let Err(error) = reader.push(piece, &mut sink) {
            return (sink, Err(error));
        }
    }
    let end = reader.finish();
    (sink, end)
}

fn side(bytes: &[u8]) -> Side {
    let (side, end) = feed(Side::new(folder()), bytes, 1 << 16);
    end.expect("is sound");
    side
}

/// A difference: kind, changes and key.
type Difference = (u8, u8, Vec<u8>);

/// Added, removed, changed, equal; and the differences.
fn diff(before: &[u8], after: &[u8]) -> ([u64; 4], Vec<Difference>) {
    let mut diff = Diff::new(side(before), side(after)).expect("is read");
    let mut found = Vec::new();
    loop {
        let batch = diff.next_batch(1).expect("is read");
        if batch.is_empty() {
            return (diff.counts(), found);
        }
        found.push((batch[0], batch[1], batch[32..].to_vec()));
    }
}

fn convert(bytes: &[u8], options: ConvertOptions, size: usize) -> Result<Vec<u8>, String> {
    let mut sink = Convert::new(options);
    let mut reader = Reader::default();
    let mut out = Vec::new();
    for piece in bytes.chunks(size) {
        if let Err(error) = reader.push(piece, &mut sink) {
            return Err(match sink.failure() {
                Some(Failure::Refused(reason)) => reason,
                other => panic!("{error}: {other:?}"),
            });
        }
        out.extend(sink.take());
    }
    reader.finish().expect("is complete");
    out.extend(sink.finish());
    Ok(out)
}

fn written(keyspace: &Keyspace, version: u32) -> Vec<u8> {
    let options = WriteOptions {
        version,
        ..Default::default()
    };
    write(keyspace, options, 1 << 20)
}

/// A file as the facts of it, as a program would send them back.
fn composed(bytes: &[u8], version: u32) -> Result<Vec<u8>, String> {
    let (mut told, end) = feed(Facts::new(u64::MAX), bytes, 1 << 12);
    end.expect("is sound");
    let mut compose = Compose::new(ComposeOptions {
        version,
        compress: true,
        aux: Vec::new(),
        folder: folder(),
    });
    let mut out = compose.push(&as_written(&told.take()))?;
    out.extend(compose.finish()?);
    Ok(out)
}

/// What a program makes of facts that it has read: those that it may write, with the head of a key in its shorter form.
fn as_written(read: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = read;
    while let Some((&tag, tail)) = rest.split_first() {
        let bytes_at =
            |at: usize| 4 + u32::from_le_bytes(tail[at..at + 4].try_into().expect("is there")) as usize;
        let two = |at: usize| at + bytes_at(at) + bytes_at(at + bytes_at(at));
        let length = match tag {
            facts::HEADER => 5,
            facts::AUX | facts::PAIR => two(0),
            facts::FUNCTION | facts::STRING | facts::ELEMENT => bytes_at(0),
            facts::KEY => 35 + bytes_at(35) + two(35 + bytes_at(35)) - (35 + bytes_at(35)),
            facts::EXPIRING_PAIR => two(8),
            facts::SCORED => 8 + bytes_at(8),
            facts::ENTRY | facts::OWNED => 16,
            facts::END_ENTRY | facts::END_KEY => 0,
            facts::STREAM_HEAD => 25 + if tail[24] == 0 { 0 } else { 40 },
            facts::GROUP => 24 + bytes_at(24),
            facts::PENDING => 32,
            facts::CONSUMER => 16 + bytes_at(16),
            facts::MODULE => two(10),
            facts::END => 1,
            other => panic!("unknown fact {other}"),
        };
        let (fact, after) = tail.split_at(length);
        match tag {
            facts::HEADER | facts::AUX | facts::END => {}
            facts::KEY => {
                let [flags, rdb_type, freq] = [fact[0], fact[1], fact[2]];
                let rdb_type = if matches!(rdb_type, 15 | 19) { 21 } else { rdb_type };
                out.extend([tag, flags, rdb_type, freq]);
                out.extend_from_slice(&fact[3..11]);
                out.extend_from_slice(&fact[19..35 + bytes_at(35)]);
            }
            facts::MODULE => {
                out.push(tag);
                out.extend_from_slice(&fact[10 + bytes_at(10)..]);
            }
            _ => {
                out.push(tag);
                out.extend_from_slice(fact);
            }
        }
        rest = after;
    }
    out
}

#[test]
fn a_file_does_not_differ_from_itself_in_other_encodings_and_another_order() {
    let keyspace = sample(300, 5);
    let bytes = written(&keyspace, 10);
    for version in 9..=12 {
        for other in [
            written(&keyspace, version),
            convert(&bytes, ConvertOptions::all(version), 777).expect("is written"),
            convert(&bytes, ConvertOptions::all(version), 1).expect("is written"),
            composed(&bytes, version).expect("is written"),
        ] {
            let (counts, found) = diff(&bytes, &other);
            assert_eq!(found, [], "version {version}");
            assert_eq!(counts, [0, 0, 0, 300]);
        }
    }
}

/// A key with its record.
fn record(head: &[u8], rdb_type: u8, key: &str, value: &[u8]) -> Vec<u8> {
    [head, &[rdb_type], &text(key.as_bytes()), value].concat()
}

#[test]
fn differences_are_told_in_the_order_of_keys() {
    let expiry = |ms: i64| [&[0xfc][..], &ms.to_le_bytes()].concat();
    let set = |a: &str, b: &str| [&[2][..], &text(a.as_bytes()), &text(b.as_bytes())].concat();
    let before = file(&[
        &record(&[], 2, "set", &set("a", "b")),
        &record(&[], 0, "gone", &text(b"1")),
        &record(&[], 0, "value", &text(b"1")),
        &record(&expiry(5), 0, "both", &text(b"1")),
        &record(&expiry(5), 0, "due", &text(b"1")),
        &record(&[], 0, "type", &text(b"1")),
        &record(&[], 2, "empty", &[0]),
        &[0xfe, 1],
        &record(&[], 0, "gone", &text(b"other database")),
    ]);
    let after = file(&[
        &[0xfe, 1],
        &record(&[], 0, "gone", &text(b"other database")),
        &[0xfe, 0],
        &record(&[], 2, "type", &[1, 1, b'm']),
        &record(&expiry(6), 0, "both", &text(b"2")),
        &record(&[], 0, "due", &text(b"1")),
        &record(&[], 0, "value", &text(b"2")),
        &record(&[], 0, "new", &text(b"1")),
        &record(&[], 2, "set", &set("b", "a")),
    ]);
    let (counts, found) = diff(&before, &after);
    assert_eq!(counts, [1, 1, 4, 2]);
    let found: Vec<_> = found
        .iter()
        .map(|(kind, changes, key)| (*kind, *changes, std::str::from_utf8(key).expect("is text")))
        .collect();
    let wanted = [
        (2, 6, "both"),
        (2, 4, "due"),
        (1, 0, "gone"),
        (0, 0, "new"),
        (2, 3, "type"),
        (2, 2, "value"),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn libraries_of_functions_are_compared_by_their_names() {
    let library = |source: &str| [&[0xf5][..], &text(source.as_bytes())].concat();
    let key = record(&[], 0, "zzz", &text(b"1"));
    let before = file(&[
        &library("#!lua name=same\nreturn 1"),
        &library("#!lua name=gone"),
        &library("#!lua name=other\nreturn 1"),
    ]);
    let after = file(&[
        &library("#!lua name=other\nreturn 2"),
        &library("#!js api_version=1.0 name=new"),
        &library("#!lua name=same\nreturn 1"),
        &library("no first line"),
        &key,
    ]);
    let (counts, found) = diff(&before, &after);
    assert_eq!(counts, [3, 1, 1, 1]);
    let found: Vec<_> = found
        .iter()
        .map(|(kind, changes, name)| (*kind, *changes, std::str::from_utf8(name).expect("is text")))
        .collect();
    let wanted = [
        (0, 0, "zzz"),
        (1, 0, "gone"),
        (0, 0, "new"),
        (0, 0, "no first line"),
        (2, 2, "other"),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn conversion_chooses_names_and_strips() {
    let expiry = [&[0xfc][..], &5i64.to_le_bytes()].concat();
    let bytes = file(&[
        &[&[0xfa][..], &text(b"redis-ver"), &text(b"7.0.15")].concat(),
        &[0xfe, 0, 0xfb, 3, 1],
        &record(&expiry, 0, "cart:1", &text(b"1")),
        &record(&[], 2, "cart:2", &[1, 1, b'm']),
        &record(&[], 2, "cart:3", &[0]),
        &[0xfe, 7],
        &record(&[], 0, "cart:1", &text(b"1")),
    ]);
    let wanted = ConvertOptions {
        pattern: Some(b"cart:[12]".to_vec()),
        types: vec!["string".into(), "hash".into()],
        db: Some(0),
        prefix: b"old:".to_vec(),
        strip_ttl: true,
        ..ConvertOptions::all(9)
    };
    let out = convert(&bytes, wanted, 3).expect("is written");
    let key = record(&[], 0, "old:cart:1", &text(b"1"));
    let mut expected = b"REDIS0009\xfa\x09redis-ver\x067.0.15".to_vec();
    expected.extend(key);
    expected.push(0xff);
    assert_eq!(out[..out.len() - 8], expected);
    let all = convert(&bytes, ConvertOptions::all(10), 4).expect("is written");
    assert_eq!(diff(&bytes, &all).0, [0, 0, 0, 3]);
    assert!(
        !all.windows(6).any(|bytes| bytes == b"cart:3"),
        "an empty set was written"
    );
}

#[test]
fn conversion_refuses_what_a_version_has_no_form_for() {
    let function = [&[0xf5][..], &text(b"#!lua name=lib\nreturn 1")].concat();
    let library = file(&[&function]);
    let reason = convert(&library, ConvertOptions::all(9), 5).expect_err("was written");
    assert!(reason.contains("(#!lua name=lib)"), "{reason}");
    assert!(convert(&library, ConvertOptions::all(10), 5).is_ok());
    let dropping = ConvertOptions {
        drop_functions: true,
        ..ConvertOptions::all(9)
    };
    assert!(convert(&library, dropping, 5).is_ok());
    let least = 1_000u64.to_le_bytes();
    let hash = file(&[&record(
        &[],
        24,
        "h",
        &[&least[..], &[1, 5, 1, b'f', 1, b'v']].concat(),
    )]);
    let reason = convert(&hash, ConvertOptions::all(11), 5).expect_err("was written");
    assert!(
        reason.starts_with("'h' is a hash with fields that expire"),
        "{reason}"
    );
    assert_eq!(
        diff(
            &hash,
            &convert(&hash, ConvertOptions::all(12), 5).expect("is written")
        )
        .0,
        [0, 0, 0, 1]
    );
    let stripping = ConvertOptions {
        strip_ttl: true,
        ..ConvertOptions::all(9)
    };
    let (counts, found) = diff(&hash, &convert(&hash, stripping, 5).expect("is written"));
    assert_eq!((counts, found), ([0, 0, 1, 0], vec![(2, 2, b"h".to_vec())]));
}

#[test]
fn modules_are_carried_byte_for_byte() {
    let id = [0x81, 0xb5, 0xe7, 0x2d, 0xff, 0xf7, 0x5b, 0x80, 1];
    let value = [&id[..], &[5, 3, b'a', b'b', b'c', 2, 7, 0]].concat();
    let aside = [&[0xf7][..], &id, &[2, 2, 5, 2, b'h', b'i', 0]].concat();
    let bytes = file(&[&record(&[], 7, "m", &value), &aside]);
    for size in [1, 4, 1000] {
        let out = convert(&bytes, ConvertOptions::all(12), size).expect("is written");
        assert_eq!(out[9..out.len() - 8], bytes[9..bytes.len() - 8]);
    }
    assert_eq!(
        diff(&bytes, &composed(&bytes, 9).expect("is written")).0,
        [0, 0, 0, 1]
    );
    let (inspect, end) = feed(Inspect::new(0), &bytes, 3);
    end.expect("is sound");
    let report = String::from_utf8(inspect.report()).expect("is text");
    assert!(
        report.contains("\"aux\": 1") && report.contains("\"keys\": 1"),
        "{report}"
    );
}

#[test]
fn check_notices_what_comes_twice() {
    let refusal = |records: &[&[u8]]| {
        let (_, end) = feed(Check::new(folder()), &file(records), 7);
        end.expect_err("was found sound").to_string()
    };
    let twice = |rdb_type: u8, value: &[u8]| refusal(&[&record(&[], rdb_type, "k", value)]);
    assert!(twice(2, &[2, 1, b'a', 1, b'a']).contains("'a' comes twice"));
    assert!(twice(4, &[2, 0xc0, 7, 1, b'v', 1, b'7', 1, b'v']).contains("'7' comes twice"));
    let key = record(&[], 0, "k", &text(b"v"));
    assert!(refusal(&[&key, &key]).contains("key 'k' comes twice"));
    let other = [&key[..], &[0xfe, 1], &key].concat();
    let (check, end) = feed(Check::new(folder()), &file(&[&other]), 7);
    end.expect("is sound");
    assert_eq!((check.counts().keys, check.counts().other_databases), (2, 1));
    let pairs = record(&[], 1, "list", &[2, 1, b'a', 1, b'a']);
    feed(Check::new(folder()), &file(&[&pairs]), 7)
        .1
        .expect("is sound");
}

#[test]
fn inspect_counts_lives_and_slots() {
    let expiry = |ms: i64| [&[0xfc][..], &ms.to_le_bytes()].concat();
    let records: Vec<Vec<u8>> = [1_000, 1_001, 61_000, 90_000_000_000]
        .iter()
        .enumerate()
        .map(|(i, ms)| record(&expiry(*ms), 0, &format!("{{tag}}{i}"), &text(b"v")))
        .collect();
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let options = InspectOptions {
        now_ms: 1_000,
        biggest: 2,
        slots: true,
    };
    let (inspect, end) = feed(Inspect::with_options(options), &file(&records), 5);
    end.expect("is sound");
    let report = String::from_utf8(inspect.report()).expect("is text");
    for part in [
        "\"past\": 1",
        "\"lessThanMinute\": 1",
        "\"lessThanHour\": 1",
        "\"more\": 1",
        "\"used\": 1",
        "\"expired\": 1",
        "\"expires\": 4",
    ] {
        assert!(report.contains(part), "{part} in {report}");
    }
    assert_eq!(report.matches("{tag}").count(), 2);
}

#[test]
fn facts_that_make_no_file_are_refused() {
    let refusal = |told: &[u8]| {
        let mut compose = Compose::new(ComposeOptions {
            version: 10,
            compress: true,
            aux: Vec::new(),
            folder: folder(),
        });
        let pushed = compose.push(told);
        pushed.and_then(|_| compose.finish()).expect_err("was written")
    };
    let key = |rdb_type: u8| [&[facts::KEY, 0, rdb_type, 0][..], &[0; 24], &[1, 0, 0, 0, b'k']].concat();
    assert!(refusal(&key(0)).contains("has no end"));
    assert!(refusal(&[facts::END_KEY]).contains("no key"));
    assert!(refusal(&[facts::STRING, 9, 0, 0, 0, 1]).contains("cut"));
    assert!(refusal(&[facts::STRING, 0, 0, 0, 0]).contains("without a key"));
    assert!(refusal(&[&key(0)[..], &[facts::END_KEY], &key(0)].concat()).contains("comes twice"));
    let module = [&key(7)[..], &[facts::MODULE, 2, 0, 0, 0, 1, 9]].concat();
    assert!(
        refusal(&module).contains("key 'k': unknown piece 9"),
        "{}",
        refusal(&module)
    );
    assert!(refusal(&[99]).contains("unknown fact"));
}

#[test]
fn files_of_real_servers_go_through_every_tool() {
    let Some(root) = fixtures() else { return };
    let mut paths = Vec::new();
    for part in [
        "generated-redis-7.0.15",
        "librdb",
        "redis-rdb-tools",
        "redis-replicator",
        "synthetic/valid",
    ] {
        files_below(&root.join(part), "rdb", &mut paths);
    }
    let mut seen = 0;
    for path in paths {
        let bytes = std::fs::read(&path).expect("is readable");
        let (_, end) = feed(Check::new(folder()), &bytes, 1 + bytes.len() / 3);
        if end.is_err() {
            continue;
        }
        seen += 1;
        let name = path.display();
        let twelve = convert(&bytes, ConvertOptions::all(12), 1000)
            .unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let (counts, found) = diff(&bytes, &twelve);
        assert_eq!(found, [], "{name} as version 12");
        if let Ok(back) = convert(&twelve, ConvertOptions::all(10), 1000) {
            // Version 10 knows no consumer's last success.
            let found = diff(&bytes, &back).1;
            let is_stream = |found: &[_]| found.iter().all(|(kind, changes, _)| (*kind, *changes) == (2, 2));
            assert!(
                found.is_empty() || is_stream(&found),
                "{name} as version 10: {found:?}"
            );
        }
        let (after, found) = diff(
            &bytes,
            &composed(&bytes, 12).unwrap_or_else(|reason| panic!("{name}: {reason}")),
        );
        assert_eq!((after, found.len()), (counts, 0), "{name} composed: {found:?}");
    }
    assert!(seen > 60, "{seen} sound files");
}

#[test]
fn what_a_sink_is_told_of_data_beside_keys_is_whole() {
    #[derive(Default)]
    struct Beside(Vec<u8>);
    impl Sink for Beside {
        fn event(&mut self, _event: crate::rdb::event::Event<'_>) -> Result<(), String> {
            Ok(())
        }
        fn aside(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }
    let aside = [0xf7, 1, 2, 1, 5, 2, b'h', b'i', 2, 7, 0];
    let bytes = file(&[&aside, &record(&[], 0, "k", &text(b"v"))]);
    for size in 1..bytes.len() {
        let (mut beside, mut reader) = (Beside::default(), Reader::default());
        for piece in bytes.chunks(size) {
            reader.push(piece, &mut beside).expect("is sound");
        }
        assert_eq!(beside.0, aside);
    }
}
