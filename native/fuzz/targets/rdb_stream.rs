//! A stream's node of any bytes, read entry by entry and adopted as it is, behind it any groups.
#![no_main]

use holdfast::rdb::parts::Blob;
use holdfast_fuzz::blob::mutate;
use holdfast_fuzz::rdb::{check_value, length};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// Length, last id, first id, greatest deleted id, entries added, groups.
const TAIL: [u8; 9] = [1, 9, 9, 0, 0, 0, 0, 1, 0];
const MASTER: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1];

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(Blob::Listpack, data, size, max_size, seed)
});

fuzz_target!(|node: &[u8]| {
    let value = |rdb_type: u8, tail: &[u8]| {
        let head = [&[rdb_type, 1, 16], &MASTER[..], &length(node.len())].concat();
        check_value(&[&head, node, tail].concat(), false)
    };
    let old = value(15, &[1, 9, 9, 0]);
    assert_eq!(old, value(21, &TAIL));
});
