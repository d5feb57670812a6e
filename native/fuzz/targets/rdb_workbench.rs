//! A file of any bytes, its checksum made to fit, through the tools of the workbench.
#![no_main]

use holdfast_fuzz::rdb::mutate_sealed;
use holdfast_fuzz::workbench::work_on;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    mutate_sealed(data, size, max_size)
});

fuzz_target!(|file: &[u8]| work_on(file, 1 + file.len() % 37));
