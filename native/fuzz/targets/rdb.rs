//! A file of any bytes, under a valid checksum, into every sink, whole and in pieces.
#![no_main]

use holdfast::keyspace::Keyspace;
use holdfast::rdb::json::Form;
use holdfast::rdb::{Checksum, Inspect, Json, LoadOptions, Loader, Options, Reader, Requests};
use holdfast_fuzz::{restored, snapshot};
use libfuzzer_sys::fuzz_target;

fn with_checksum(file: &[u8]) -> Vec<u8> {
    let mut file = file.strip_suffix(&[0xff]).unwrap_or(file).to_vec();
    file.push(0xff);
    let checksum = Checksum::of(&file);
    file.extend_from_slice(&checksum.to_le_bytes());
    file
}

fn canonical(file: &[u8], piece: usize) -> Option<Vec<u8>> {
    let (mut reader, mut json, mut out) = (Reader::default(), Json::new(Form::Canonical), Vec::new());
    for piece in file.chunks(piece) {
        reader.push(piece, &mut json).ok()?;
        out.extend(json.take());
    }
    reader.finish().ok()?;
    out.extend(json.take());
    Some(out)
}

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

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, body) = input;
    let file = with_checksum(body);
    let whole = canonical(&file, file.len());
    assert_eq!(
        whole,
        canonical(&file, 1 + usize::from(piece)),
        "pieces make no difference"
    );
    let mut inspect = Inspect::new(0);
    let _ = Reader::default().push(&file, &mut inspect);
    inspect.report();
    let _ = Reader::default().push(&file, &mut Requests::new(0));
    if let Some(keyspace) = load(&file) {
        keyspace.verify();
        let again = restored(&snapshot(&keyspace), 0);
        again.verify();
        assert_eq!(keyspace.digest(), again.digest());
    }
});
