//! A file of any bytes, its checksum made to fit, into a keyspace: refused, or loaded in order, and the same again when
//! written in any version and read.
#![no_main]

use holdfast::keyspace::Keyspace;
use holdfast::rdb::{LoadOptions, Loader, Options, Reader, Snapshot, WriteOptions};
use holdfast_fuzz::rdb::{mutate_sealed, said};
use holdfast_fuzz::{restored, snapshot};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fn load(file: &[u8]) -> Option<Keyspace> {
    let mut loader = Loader::new(LoadOptions { db: None, now_ms: 0 });
    let mut reader = Reader::new(Options {
        refuse_duplicate_keys: false,
    });
    reader.push(file, &mut loader).ok()?;
    reader.finish().ok()?;
    let keyspace = Keyspace::with_log_clock(0);
    loader.commit(&keyspace).then_some(keyspace)
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    mutate_sealed(data, size, max_size)
});

fuzz_target!(|file: &[u8]| {
    // Making a keyspace takes far longer than reading a small file.
    if said(file, &[usize::MAX]).end.is_err() {
        return;
    }
    let Some(keyspace) = load(file) else { return };
    keyspace.verify();
    let digest = keyspace.digest();
    let again = restored(&snapshot(&keyspace), 0);
    again.verify();
    assert_eq!(digest, again.digest());
    let options = WriteOptions {
        version: 9 + u32::from(file[file.len() - 1]) % 4,
        compress: file[file.len() - 2].is_multiple_of(2),
        ..Default::default()
    };
    let Ok(bytes) = Snapshot::whole(&keyspace, options) else {
        return;
    };
    load(&bytes).expect("what is written can be loaded").verify();
});
