//! Loading with several hands, against reading with one.

use super::fixtures::{files_below, fixtures};
use super::mutation::mutate_file;
use super::writing::{sample_of, write};
use crate::keyspace::{Expiry, Keyspace, STRING_BYTES_MAX, Scope};
use crate::random::Rng;
use crate::rdb::event::{Event, Sink, StreamId};
use crate::rdb::format;
use crate::rdb::load::{Builder, Built, Fidelity, refusal};
use crate::rdb::write::EXACT_FIELD;
use crate::rdb::{LoadOptions, Loader, Options, RdbError, Reader, WriteOptions};

const ALL: LoadOptions = LoadOptions {
    db: None,
    now_ms: i64::MIN,
};
const ROUNDS: usize = 2000;

/// Builds one value after the other, where it is read.
struct Alone {
    keyspace: Keyspace,
    fidelity: Fidelity,
    key: Vec<u8>,
    expiry: Expiry,
    builder: Option<Builder>,
}

impl Sink for Alone {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Aux { key, .. } if key == EXACT_FIELD => self.fidelity = Fidelity::Exact,
            Event::Key(head) => {
                if head.db != 0 {
                    return Err(format!(
                        "database {} has keys, and only database 0 can be loaded",
                        head.db
                    ));
                }
                if let Some(reason) = refusal(head.rdb_type) {
                    return Err(reason.into());
                }
                if self.keyspace.db_for(head.key).exists(head.key) {
                    return Err("key comes twice".into());
                }
                self.key = head.key.to_vec();
                self.expiry = head.expire_at_ms.map_or(Expiry::Never, Expiry::At);
                let limits = self.keyspace.limits();
                self.builder = Some(Builder::new(head.rdb_type, self.fidelity, limits)?);
            }
            Event::EndKey => {
                let key = &self.key[..];
                let mut db = self.keyspace.db(Scope::Keys(&[key]));
                match self.builder.take().map(Builder::finish) {
                    Some(Built::Str(text)) => db.put_string(key, &text, self.expiry),
                    Some(Built::Value(value)) => db.put(key, value, self.expiry),
                    _ => {}
                }
            }
            other => {
                if let Some(builder) = &mut self.builder {
                    builder.event(other)?;
                }
            }
        }
        Ok(())
    }

    fn pack(&mut self, rdb_type: u8, blob: &[u8]) -> bool {
        let builder = self.builder.as_mut();
        builder.is_some_and(|builder| builder.pack(rdb_type, blob))
    }

    fn stream_node(&mut self, master: StreamId, blob: &[u8]) -> bool {
        let builder = self.builder.as_mut();
        builder.is_some_and(|builder| builder.stream_node(master, blob))
    }
}

fn reader() -> Reader {
    Reader::new(Options {
        refuse_duplicate_keys: false,
    })
}

fn target() -> Keyspace {
    Keyspace::with_log_clock(i64::MIN + 1)
}

fn alone(bytes: &[u8]) -> Result<u128, RdbError> {
    let (mut reader, mut sink) = (
        reader(),
        Alone {
            keyspace: target(),
            fidelity: Fidelity::Limits,
            key: Vec::new(),
            expiry: Expiry::Never,
            builder: None,
        },
    );
    reader.push(bytes, &mut sink)?;
    reader.finish()?;
    Ok(sink.keyspace.digest())
}

fn together(bytes: &[u8], piece: usize) -> Result<u128, RdbError> {
    let (mut reader, mut loader) = (reader(), Loader::new(ALL).of_bytes(bytes.len() as u64));
    for piece in bytes.chunks(piece) {
        reader.push(piece, &mut loader)?;
    }
    loader.finish()?;
    reader.finish()?;
    let target = target();
    assert!(loader.commit(&target));
    target.verify();
    Ok(target.digest())
}

fn snapshot(keys: usize, version: u32, seed: u64) -> Vec<u8> {
    let options = WriteOptions {
        version,
        compress: seed.is_multiple_of(2),
        ..Default::default()
    };
    write(&sample_of(keys, &[1, 4, 20, 300], seed), options, usize::MAX)
}

#[test]
fn hands_find_the_same_as_one_who_reads_alone() {
    let seeds: Vec<_> = (0..12).map(|n| snapshot(40, 9 + n % 4, n.into())).collect();
    for seed in &seeds {
        let digest = alone(seed);
        assert!(digest.is_ok());
        for piece in [1, 7, 100, 5_000, usize::MAX] {
            assert_eq!(together(seed, piece), digest);
        }
    }
    let (mut rng, mut refused) = (Rng::new(11), 0);
    for round in 0..ROUNDS {
        let bad = mutate_file(&seeds[round % seeds.len()], &mut rng);
        let expected = alone(&bad);
        refused += usize::from(expected.is_err());
        assert_eq!(
            together(&bad, 1 + rng.below(bad.len())),
            expected,
            "round {round}"
        );
    }
    assert!(refused > ROUNDS / 10 && refused < ROUNDS);
}

#[test]
fn a_file_that_is_cut_is_refused_for_the_same_reason() {
    let whole = snapshot(30, 10, 3);
    for cut in (0..whole.len()).step_by(13) {
        assert_eq!(together(&whole[..cut], 64), alone(&whole[..cut]));
    }
}

/// A file of long strings with these letters.
fn long_strings(letters: usize, compress: bool, rng: &mut Rng) -> Vec<u8> {
    let source = target();
    for n in 0..12u32 {
        let key = format!("long:{n}").into_bytes();
        let length = 8_000 + rng.below(30_000);
        let first = n as usize % 2 * 128;
        let text: Vec<u8> = (0..length).map(|_| (first + rng.below(letters)) as u8).collect();
        let expiry = if n % 3 == 0 {
            Expiry::At(i64::MAX / 2)
        } else {
            Expiry::Never
        };
        source.db_for(&key).put_string(&key, &text, expiry);
    }
    let options = WriteOptions {
        compress,
        ..Default::default()
    };
    let file = write(&source, options, usize::MAX);
    assert_eq!(alone(&file), Ok(source.digest()));
    file
}

#[test]
fn long_strings_come_in_pieces() {
    let mut rng = Rng::new(5);
    for (letters, compress) in [(128, false), (4, true), (2, true)] {
        let file = long_strings(letters, compress, &mut rng);
        let digest = alone(&file);
        for piece in [1, 100, 700, 5_000, usize::MAX] {
            assert_eq!(together(&file, piece), digest);
        }
        for cut in (0..file.len()).step_by(997) {
            assert_eq!(together(&file[..cut], 300), alone(&file[..cut]));
        }
        for round in 0..200 {
            let bad = mutate_file(&file, &mut rng);
            assert_eq!(together(&bad, 1 + rng.below(3_000)), alone(&bad), "round {round}");
        }
    }
}

#[test]
fn a_string_that_is_too_long_is_not_begun() {
    let mut file = b"REDIS0010".to_vec();
    file.extend([format::STRING, 1, b'k', 0x81]);
    file.extend((STRING_BYTES_MAX as u64 + 1).to_be_bytes());
    file.extend([b'x'; 10_000]);
    let (mut reader, mut loader) = (reader(), Loader::new(ALL).of_bytes(1 << 32));
    for piece in file.chunks(1_000) {
        assert_eq!(reader.push(piece, &mut loader), Ok(piece.len()));
    }
    assert_eq!(loader.finish(), Ok(()));
    assert_eq!(reader.finish(), alone(&file).map(|_| ()));
}

#[test]
fn files_of_real_servers_and_broken_ones() {
    let Some(root) = fixtures() else { return };
    let mut files = Vec::new();
    files_below(&root, "rdb", &mut files);
    for path in files {
        let bytes = std::fs::read(&path).expect("file is readable");
        assert_eq!(together(&bytes, 1 << 14), alone(&bytes), "{}", path.display());
    }
}

#[test]
fn a_loader_that_is_dropped_leaves_no_thread() {
    let bytes = snapshot(200, 11, 5);
    for cut in [100, bytes.len() / 2, bytes.len() - 9] {
        let (mut reader, mut loader) = (reader(), Loader::new(ALL));
        reader.push(&bytes[..cut], &mut loader).expect("is sound so far");
        drop(loader);
    }
}
