//! Numbers that are read and written.
#![no_main]

use holdfast::command::args::{float, int};
use holdfast::command::extended::{self, Parsed};
use holdfast::command::number::format_double;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], i64, f64)| {
    let (text, integer, double) = input;
    // An integer is read if, and only if, it is written so.
    let plain = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    let canonical = plain.filter(|number| number.to_string().as_bytes() == text);
    assert_eq!(int(text).ok(), canonical);
    assert_eq!(int(integer.to_string().as_bytes()).ok(), Some(integer));
    if let Ok(number) = float(text) {
        assert!(!number.is_nan());
    }
    if !double.is_nan() {
        let printed = format_double(double);
        let read = float(printed.as_bytes()).expect("what is printed can be read");
        assert_eq!(read.to_bits(), double.to_bits(), "{printed}");
    }
    if let Ok(Parsed::Finite(number)) = extended::parse(text) {
        let printed = number.format();
        assert!(
            matches!(extended::parse(printed.as_bytes()), Ok(Parsed::Finite(_))),
            "{printed}"
        );
        let _ = number.plus(number);
    }
});
