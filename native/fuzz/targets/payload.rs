//! A type byte and a value of any bytes, under a valid footer, as `RESTORE` takes them.
#![no_main]

use holdfast_fuzz::rdb::check_value;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check_value(input, input.len() % 4 == 3);
});
