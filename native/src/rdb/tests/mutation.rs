//! Broken files that look sound from the outside: bytes are changed and the checksum is made right again. Whatever
//! comes of it, nothing panics, nothing hangs, and what is loaded obeys every invariant.

use super::file;
use super::writing::{sample_of, write};
use crate::keyspace::Keyspace;
use crate::random::Rng;
use crate::rdb::json::Form;
use crate::rdb::{Checksum, Inspect, Json, LoadOptions, Loader, Options, Reader, Requests, WriteOptions};

const ROUNDS: usize = 3000;

fn mutate(good: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bad = good[..good.len() - 8].to_vec();
    for _ in 0..=rng.below(4) {
        let at = 9 + rng.below(bad.len() - 9);
        match rng.below(6) {
            0 => bad[at] ^= 1 << rng.below(8),
            1 => bad[at] = rng.next_u64() as u8,
            2 => bad[at] = [0, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xfe, 0xff][rng.below(8)],
            3 => drop(bad.remove(at)),
            4 => bad.insert(at, rng.next_u64() as u8),
            _ => {
                let from = 9 + rng.below(bad.len() - 9);
                let length = rng.below(8).min(bad.len() - from.max(at));
                bad.copy_within(from..from + length, at);
            }
        }
        if bad.len() < 20 {
            break;
        }
    }
    let checksum = Checksum::of(&bad);
    bad.extend_from_slice(&checksum.to_le_bytes());
    bad
}

/// Feeds a file to every sink; says whether it was loaded.
fn survive(bytes: &[u8], piece: usize) -> bool {
    let mut json = Json::new(Form::Plain);
    let mut reader = Reader::default();
    for piece in bytes.chunks(piece) {
        if let Err(error) = reader.push(piece, &mut json) {
            assert!(error.offset <= bytes.len() as u64);
            break;
        }
        json.take();
    }
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
        let bad = mutate(good, &mut rng);
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
