//! A listpack of any bytes, as a file holds it, and every value that it may be.
#![no_main]

use holdfast::rdb::parts::Blob;
use holdfast_fuzz::blob::{check, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(Blob::Listpack, data, size, max_size, seed)
});

fuzz_target!(|bytes: &[u8]| check(Blob::Listpack, bytes));
