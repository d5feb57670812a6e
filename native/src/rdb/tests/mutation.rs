//! Broken files, payloads and packed structures that look sound from the outside: bytes are changed and checksums made
//! right again. Whatever comes of it, nothing panics, nothing hangs, and what is loaded obeys every invariant. The same,
//! for longer and led by what it reaches, is what the fuzzers do.

use super::file;
use super::writing::{sample_of, write};
use crate::keyspace::{EntryView, Keyspace, SEGMENTS};
use crate::random::Rng;
use crate::rdb::json::Form;
use crate::rdb::load::Built;
use crate::rdb::parts::{self, Blob, Part};
use crate::rdb::payload;
use crate::rdb::{Inspect, Json, LoadOptions, Loader, Options, Reader, Requests, WriteOptions};

const ROUNDS: usize = 3000;

/// Changes a few bytes behind the first `from`.
fn mutate(good: &[u8], from: usize, rng: &mut Rng) -> Vec<u8> {
    let mut bad = good.to_vec();
    for _ in 0..=rng.below(4) {
        if bad.len() < from + 2 {
            break;
        }
        let at = from + rng.below(bad.len() - from);
        match rng.below(6) {
            0 => bad[at] ^= 1 << rng.below(8),
            1 => bad[at] = rng.next_u64() as u8,
            2 => bad[at] = [0, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xfe, 0xff][rng.below(8)],
            3 => drop(bad.remove(at)),
            4 => bad.insert(at, rng.next_u64() as u8),
            _ => {
                let of = from + rng.below(bad.len() - from);
                let length = rng.below(8).min(bad.len() - of.max(at));
                bad.copy_within(of..of + length, at);
            }
        }
    }
    bad
}

/// Changes a file behind its header.
pub(super) fn mutate_file(good: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bad = mutate(&good[..good.len() - 8], 9, rng);
    bad.extend_from_slice(&[0; 8]);
    parts::reseal(&mut bad);
    bad
}

/// Feeds a file to every sink; says whether it was loaded.
fn survive(bytes: &[u8], piece: usize) -> bool {
    let mut json = Json::new(Form::Plain);
    let mut reader = Reader::default();
    let mut error = None;
    for piece in bytes.chunks(piece) {
        if let Err(found) = reader.push(piece, &mut json) {
            assert!(found.offset <= bytes.len() as u64 && !found.reason.is_empty());
            error = Some(found);
            break;
        }
        json.take();
    }
    let whole = Reader::default().push(bytes, &mut Json::new(Form::Plain)).err();
    assert_eq!(error, whole, "pieces make no difference");
    let (mut requests, mut inspect) = (Requests::new(0), Inspect::new(0));
    let _ = Reader::default().push(bytes, &mut requests);
    let _ = Reader::default().push(bytes, &mut inspect);
    inspect.report();
    let mut loader = Loader::new(LoadOptions { db: None, now_ms: 0 });
    let mut reader = Reader::new(Options {
        refuse_duplicate_keys: false,
    });
    if reader.push(bytes, &mut loader).is_err() || reader.finish().is_err() {
        return false;
    }
    let target = Keyspace::with_log_clock(0);
    assert!(loader.commit(&target));
    target.verify();
    let options = WriteOptions {
        version: 12,
        ..Default::default()
    };
    write(&target, options, usize::MAX);
    true
}

fn run(seeds: &[Vec<u8>]) {
    let mut rng = Rng::new(20_261_123);
    let mut loaded = 0;
    for round in 0..ROUNDS {
        let good = &seeds[round % seeds.len()];
        let bad = mutate_file(good, &mut rng);
        let piece = 1 + rng.below(bad.len());
        loaded += usize::from(survive(&bad, piece));
    }
    assert!(loaded > 0 && loaded < ROUNDS, "{loaded} of {ROUNDS} were loaded");
}

#[test]
fn mutated_snapshots_do_no_harm() {
    let versions = (9..=12).map(|version| {
        let options = WriteOptions {
            version,
            compress: version == 10,
            ..Default::default()
        };
        write(
            &sample_of(12, &[1, 4, 20], u64::from(version)),
            options,
            usize::MAX,
        )
    });
    run(&versions.collect::<Vec<_>>());
}

#[test]
fn mutated_streams_and_old_encodings_do_no_harm() {
    let node = [
        &[0u8, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0x81, b'f', 2, 0, 1][..],
        &[2, 1, 0, 1, 0, 1, 0x81, b'v', 2, 4, 1, 0xff],
    ];
    let mut node = node.concat();
    node.splice(0..6, []);
    let mut blob = ((node.len() + 6) as u32).to_le_bytes().to_vec();
    blob.extend_from_slice(&[10, 0]);
    blob.extend_from_slice(&node);
    let id = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1];
    let stream = [
        &[21, 1, b's', 1, 16][..],
        &id,
        &[blob.len() as u8],
        &blob,
        &[1, 7, 1, 7, 1, 0, 0, 1, 1, 1, b'g', 7, 1, 1, 1],
        &id,
        &[0; 8],
        &[1, 1, 1, b'c'],
        &[0; 16],
        &[1],
        &id,
    ];
    let zipmap: &[u8] = &[9, 1, b'm', 9, 1, 1, b'f', 2, 1, b'v', b'w', 0, 0xff];
    let intset: &[u8] = &[11, 1, b'i', 12, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 2, 0];
    let ziplist: &[u8] = &[10, 1, b'l', 14, 14, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 1, b'a', 0xff];
    let expiring: &[u8] = &[24, 1, b'x', 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b'f', 1, b'v'];
    run(&[
        file(&[&stream.concat()]),
        file(&[zipmap, intset, ziplist]),
        file(&[&[7, 1, b'o', 0x40, 5, 2, 9, 5, 1, b't', 0]]),
        file(&[expiring]),
    ]);
}

/// Dumps of values of every type and form, without their footers.
fn values() -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for seed in 0..3 {
        let keyspace = sample_of(18, &[1, 3, 12], seed);
        for segment in 0..SEGMENTS {
            keyspace.walk(segment, |_, content, _| values.push(payload::dump(content)));
        }
    }
    values
        .iter_mut()
        .for_each(|value| value.truncate(value.len() - 10));
    values.extend(old_values());
    values.retain(|value| value.len() < 2000);
    values
}

/// Hand-made values that are not written any more.
fn old_values() -> Vec<Vec<u8>> {
    let values: [&[u8]; 6] = [
        b"\x09\x0c\x02\x01f\x01\0v\x01g\x01\x01wx\xff",
        b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x01\0\x02\0",
        b"\x0a\x0e\x0e\0\0\0\x0a\0\0\0\x01\0\0\x01a\xff",
        b"\x0e\x01\x0d\x0d\0\0\0\x0a\0\0\0\x01\0\0\xf5\xff",
        b"\x03\x02\x01a\x031.5\x01b\xfe",
        b"\x18\x05\0\0\0\0\0\0\0\x02\0\x01f\x01v\x07\x01g\x01w",
    ];
    values.map(<[u8]>::to_vec).to_vec()
}

fn dumped(built: Built) -> Option<Vec<u8>> {
    match built {
        Built::Str(text) => Some(payload::dump(EntryView::Str(&text))),
        Built::Value(value) => Some(payload::dump(EntryView::Value(&value))),
        Built::Nothing => None,
    }
}

#[test]
fn mutated_payloads_are_refused_or_are_values() {
    let (values, mut rng, mut restored) = (values(), Rng::new(5), 0);
    for round in 0..4 * ROUNDS {
        let version = if round % 4 == 3 { 80 } else { 12 };
        let bad = mutate(&values[round % values.len()], 0, &mut rng);
        let Ok(built) = payload::restore(&payload::seal(bad, version), Default::default()) else {
            continue;
        };
        restored += 1;
        let Some(dump) = dumped(built) else { continue };
        let again = payload::restore(&dump, Default::default()).expect("its own payload is sound");
        assert_eq!(dumped(again).map(|again| again.len()), Some(dump.len()));
    }
    assert!(restored > 0 && restored < 4 * ROUNDS, "{restored} were restored");
}

#[test]
fn mutated_blobs_are_refused_or_walked() {
    let seeds: [(Blob, &[u8]); 5] = [
        (
            Blob::Listpack,
            b"\x12\0\0\0\x03\0\x81a\x02\xf1\x2c\x01\x03\x07\x01\xff",
        ),
        (
            Blob::Ziplist,
            b"\x13\0\0\0\x0d\0\0\0\x02\0\0\x01a\x03\xc0\x2c\x01\xff",
        ),
        (Blob::Ziplist, b"\x0d\0\0\0\x0a\0\0\0\x01\0\0\xf5\xff"),
        (Blob::Intset, b"\x02\0\0\0\x03\0\0\0\x01\0\x02\0\x03\0"),
        (Blob::Zipmap, b"\x02\x01f\x01\0v\x01g\x01\x01wx\xff"),
    ];
    let mut rng = Rng::new(6);
    for (blob, good) in seeds {
        let mut sound = 0;
        for _ in 0..2 * ROUNDS {
            let mut bad = mutate(good, 0, &mut rng);
            if matches!(blob, Blob::Listpack | Blob::Ziplist) && bad.len() > 4 {
                let bytes = (bad.len() as u32).to_le_bytes();
                bad[..4].copy_from_slice(&bytes);
            }
            let mut entries = 0;
            match parts::walk(blob, &bad, &mut |_| entries += 1) {
                Ok(()) => sound += 1,
                Err(fault) => assert!(fault.at <= bad.len() && !fault.reason.is_empty()),
            }
            assert!(entries <= bad.len(), "every entry takes a byte at least");
        }
        assert!(sound > 0, "{blob:?}");
    }
}

#[test]
fn noise_is_never_decompressed_beyond_its_length() {
    let (mut rng, mut compressor) = (Rng::new(7), parts::Compressor::default());
    for _ in 0..ROUNDS {
        let text: Vec<u8> = (0..30 + rng.below(400))
            .map(|_| b'a' + rng.below(3) as u8)
            .collect();
        let Some(packed) = compressor.compress(&text).map(<[u8]>::to_vec) else {
            continue;
        };
        let bad = mutate(&packed, 0, &mut rng);
        let length = if rng.below(3) > 0 {
            text.len()
        } else {
            rng.below(1 << 16)
        };
        let ours = parts::decompress(&bad, length).ok();
        assert_eq!(
            ours,
            lzf::decompress(&bad, length)
                .ok()
                .filter(|text| text.len() == length)
        );
    }
}

#[test]
fn a_cursor_asks_for_what_it_needs() {
    let mut rng = Rng::new(8);
    for _ in 0..ROUNDS {
        let kinds = [0x05, 0x45, 0x80, 0x81, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0x00];
        let mut bytes = vec![kinds[rng.below(kinds.len())]];
        bytes.extend((0..rng.below(40)).map(|_| rng.below(12) as u8));
        let whole = parts::text(&bytes);
        for end in 0..bytes.len() {
            match parts::text(&bytes[..end]) {
                Part::Needs(needs) => assert!(needs > end),
                found => assert_eq!(found, whole),
            }
        }
    }
}
