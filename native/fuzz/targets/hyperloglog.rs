//! Any bytes behind the header of a sketch: refused, or raised and merged as a plain array of registers is.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::structure::hyperloglog::{self, REGISTERS, Sketch};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    encoding: u8,
    cardinality: [u8; 8],
    body: Vec<u8>,
    /// Bytes of zeros behind the body, so that a dense sketch gets its length.
    padding: u16,
    elements: Vec<u16>,
}

fuzz_target!(|input: Input| {
    let mut bytes = b"HYLL\0\0\0\0".to_vec();
    bytes[4] = input.encoding % 3;
    bytes.extend(input.cardinality);
    bytes.extend(&input.body);
    bytes.resize(bytes.len() + usize::from(input.padding % 12_400), 0);
    let _ = hyperloglog::cardinality(&bytes);
    let mut registers = [0; REGISTERS];
    let joined = hyperloglog::join(&mut registers, &bytes);
    let read = Sketch::read(&bytes);
    assert_eq!(joined.is_ok(), read.is_ok());
    let Ok(mut sketch) = read else { return };
    for element in input.elements {
        let element = element.to_le_bytes();
        let (register, value) = hyperloglog::place(&element);
        assert_eq!(sketch.add(&element), registers[register] < value);
        registers[register] = registers[register].max(value);
    }
    let mut merged = [0; REGISTERS];
    hyperloglog::join(&mut merged, sketch.bytes()).expect("a sketch stays sound");
    assert!(merged == registers);
    sketch.forget_cardinality();
    assert_eq!(
        hyperloglog::cardinality(sketch.bytes()),
        Ok(hyperloglog::cardinality_of(&registers))
    );
});
