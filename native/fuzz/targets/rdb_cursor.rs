//! Lengths and strings: while bytes are missing it is said how many are needed at least, and nothing else is ever said of
//! them when more have come.
#![no_main]

use holdfast::rdb::parts::{EXPANSION_MAX, Part, length, text};
use holdfast_fuzz::memory::peak_of;
use libfuzzer_sys::fuzz_target;

const ERROR_BYTES: usize = 1 << 10;

fn check<T: PartialEq + std::fmt::Debug>(bytes: &[u8], read: impl Fn(&[u8]) -> Part<T>) {
    let (whole, peak) = peak_of(|| read(bytes));
    assert!(
        peak <= bytes.len() * (EXPANSION_MAX as usize + 1) + ERROR_BYTES,
        "{peak} bytes"
    );
    let mut asked = 0;
    for end in 0..=bytes.len() {
        match read(&bytes[..end]) {
            Part::Needs(needs) => {
                assert!(needs > end && needs >= asked, "asks for less than before");
                asked = needs;
            }
            found => {
                assert!(end >= asked, "fewer bytes than were asked for are enough");
                if let Part::Read(_, taken) = found {
                    assert_eq!(taken, end);
                }
                return assert_eq!(found, whole);
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let bytes = &bytes[..bytes.len().min(300)];
    check(bytes, length);
    check(bytes, text);
});
