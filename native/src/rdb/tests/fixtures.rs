//! Files of real servers, where they are at hand: in `HOLDFAST_RDB_FIXTURES`, or beside the checkout.

use super::{canonical, read};
use crate::random::Rng;
use crate::rdb::payload;
use std::fs;
use std::path::{Path, PathBuf};

pub fn fixtures() -> Option<PathBuf> {
    let named = std::env::var_os("HOLDFAST_RDB_FIXTURES").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rdb");
    let found = named.unwrap_or(beside);
    if !found.is_dir() {
        eprintln!("skipped: no RDB fixtures in {}", found.display());
        return None;
    }
    Some(found)
}

pub fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

#[test]
fn valid_files_give_their_canonical_json() {
    let Some(root) = fixtures() else { return };
    let mut expectations = Vec::new();
    files_below(&root.join("expected"), "json", &mut expectations);
    let mut rng = Rng::new(7);
    for expectation in expectations {
        let name = expectation.strip_prefix(root.join("expected")).expect("is below");
        let bytes = fs::read(root.join(name).with_extension("rdb")).expect("file of an expectation");
        let expected = fs::read_to_string(&expectation).expect("is text");
        assert_eq!(read(&bytes).as_deref(), Ok(&expected[..]), "{}", name.display());
        let single = canonical(bytes.chunks(1));
        assert_eq!(
            single.as_deref(),
            Ok(&expected[..]),
            "{} byte by byte",
            name.display()
        );
        let size = 1 + rng.below(bytes.len());
        let pieces = canonical(bytes.chunks(size));
        assert_eq!(
            pieces.as_deref(),
            Ok(&expected[..]),
            "{} in pieces of {size}",
            name.display()
        );
    }
}

#[test]
fn broken_files_are_refused() {
    let Some(root) = fixtures() else { return };
    let mut broken = Vec::new();
    files_below(&root.join("synthetic/invalid"), "rdb", &mut broken);
    broken.extend(
        ["librdb/future_v19.rdb", "redis-7.2-assets/corrupt_ziplist.rdb"].map(|name| root.join(name)),
    );
    for path in broken {
        let bytes = fs::read(&path).expect("is readable");
        let refusal = read(&bytes).expect_err(&format!("{} was read", path.display()));
        println!("{}: {refusal}", path.file_name().unwrap_or_default().display());
        assert!(
            refusal.offset <= bytes.len() as u64,
            "{}: {refusal}",
            path.display()
        );
    }
}

#[test]
fn broken_values_are_refused() {
    let Some(root) = fixtures() else { return };
    let mut payloads = Vec::new();
    files_below(&root.join("corrupt-dumps"), "dump", &mut payloads);
    for path in payloads {
        let payload = fs::read(&path).expect("is readable");
        let body = &payload[..payload.len() - 10];
        assert!(
            payload::restore(&payload::seal(body.to_vec(), 11), Default::default()).is_err(),
            "{}",
            path.display()
        );
        let record = [&body[..1], &super::text(b"k"), &body[1..]].concat();
        let refusal = read(&super::file(&[&record])).expect_err(&format!("{} was read", path.display()));
        println!("{}: {refusal}", path.file_name().unwrap_or_default().display());
    }
}
