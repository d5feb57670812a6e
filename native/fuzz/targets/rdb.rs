//! A file of any bytes, its checksum made to fit: read whole and in pieces it says the same, or is refused for the same
//! reason at the same place; and no reader holds more than a small multiple of it.
#![no_main]

use holdfast::rdb::{Inspect, Reader, Requests};
use holdfast_fuzz::rdb::{check_file, mutate_sealed};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    mutate_sealed(data, size, max_size)
});

fuzz_target!(|file: &[u8]| {
    check_file(file);
    let mut inspect = Inspect::new(0);
    let _ = Reader::default().push(file, &mut inspect);
    inspect.report();
    let _ = Reader::default().push(file, &mut Requests::new(0));
});
