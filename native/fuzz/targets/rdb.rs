//! A file of any bytes, under a valid checksum, into every sink, whole and in pieces.
#![no_main]

use holdfast::keyspace::Keyspace;
use holdfast::rdb::json::Form;
use holdfast::rdb::workbench::{Check, Convert, ConvertOptions, Diff, Facts, Side};
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

/// The file as one of this version; refused where that has no form for something.
fn converted(file: &[u8], version: u32, piece: usize) -> Option<Vec<u8>> {
    let mut convert = Convert::new(ConvertOptions {
        version,
        compress: true,
        pattern: None,
        types: Vec::new(),
        db: None,
        prefix: Vec::new(),
        strip_ttl: false,
        drop_functions: true,
    });
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    for piece in file.chunks(piece) {
        reader.push(piece, &mut convert).ok()?;
        out.extend(convert.take());
    }
    reader.finish().ok()?;
    out.extend(convert.finish());
    Some(out)
}

fn side(file: &[u8]) -> Side {
    let mut side = Side::new(std::env::temp_dir());
    let mut reader = Reader::default();
    reader.push(file, &mut side).expect("is sound");
    reader.finish().expect("is complete");
    side
}

/// What is sound and holds no member twice comes out of a conversion as it was.
fn work_on(file: &[u8], piece: usize) {
    let _ = Reader::default().push(file, &mut Facts::new(1 << 20));
    let (mut check, mut reader) = (Check::new(std::env::temp_dir()), Reader::default());
    let is_sound = reader.push(file, &mut check).is_ok() && reader.finish().is_ok();
    if let Some(other) = converted(file, 12, piece)
        && is_sound
    {
        let mut diff = Diff::new(side(file), side(&other)).expect("is read");
        assert!(diff.next_batch(1).expect("is read").is_empty());
    }
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
    work_on(&file, 1 + usize::from(piece));
    if let Some(keyspace) = load(&file) {
        keyspace.verify();
        let again = restored(&snapshot(&keyspace), 0);
        again.verify();
        assert_eq!(keyspace.digest(), again.digest());
    }
});
