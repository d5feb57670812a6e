//! Compression: what is compressed comes back, here and by another implementation; noise is refused or means the same to
//! both, and never costs more than the greatest ratio.
#![no_main]

use holdfast::rdb::parts::{Compressor, EXPANSION_MAX, decompress};
use holdfast_fuzz::memory::peak_of;
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;

/// What is made before anything has come out.
const RESERVED_BYTES: usize = 1 << 17;

thread_local! {
    static COMPRESSOR: RefCell<Compressor> = RefCell::default();
}

fn noise(length: usize, packed: &[u8]) {
    let (ours, peak) = peak_of(|| decompress(packed, length));
    // The output is doubled while it grows.
    let bound = 2 * packed.len() * EXPANSION_MAX as usize;
    assert!(
        peak <= bound + RESERVED_BYTES,
        "{peak} bytes for {}",
        packed.len()
    );
    let theirs = lzf::decompress(packed, length)
        .ok()
        .filter(|text| text.len() == length);
    // The other implementation refuses an empty output.
    if length > 0 {
        assert_eq!(ours.ok(), theirs);
    }
}

fuzz_target!(|input: (u16, &[u8])| {
    let (length, text) = input;
    noise(usize::from(length), text);
    COMPRESSOR.with_borrow_mut(|compressor| {
        let Some(packed) = compressor.compress(text) else {
            return;
        };
        assert!(packed.len() + 4 <= text.len());
        assert_eq!(decompress(packed, text.len()).as_deref(), Ok(text));
        assert_eq!(lzf::decompress(packed, text.len()).as_deref(), Ok(text));
    });
    if let Ok(packed) = lzf::compress(text) {
        assert_eq!(decompress(&packed, text.len()).as_deref(), Ok(text));
    }
});
