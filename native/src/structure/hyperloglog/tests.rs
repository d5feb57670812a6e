use super::*;
use crate::random::Rng;

/// The registers that a plain implementation has after the same elements.
fn plain(elements: impl Iterator<Item = u64>) -> Registers {
    let mut registers = [0; REGISTERS];
    for element in elements {
        let (register, value) = place(&element.to_le_bytes());
        registers[register] = value.max(registers[register]);
    }
    registers
}

fn registers_of(sketch: &Sketch) -> Registers {
    let mut registers = [0; REGISTERS];
    join(&mut registers, sketch.bytes()).expect("a sound sketch");
    registers
}

#[test]
fn four_registers_fill_three_bytes() {
    for value in 0..64 {
        let values = [value, 63 - value, value ^ 21, value / 2];
        assert_eq!(unpack(pack(values)), values);
    }
}

#[test]
fn an_empty_sketch_is_one_run() {
    let sketch = Sketch::new();
    assert_eq!(sketch.bytes(), b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
    assert_eq!(cardinality(sketch.bytes()), Ok(0));
}

#[test]
fn both_forms_hold_what_a_plain_array_holds() {
    let mut rng = Rng::new(3);
    let mut sketch = Sketch::new();
    let mut dense = Sketch::new();
    dense.make_dense();
    let mut elements = Vec::new();
    let mut turned = None;
    for i in 0..4000 {
        let element = rng.next_u64() % 5000;
        elements.push(element);
        let changed = sketch.add(&element.to_le_bytes());
        assert_eq!(dense.add(&element.to_le_bytes()), changed);
        if !sketch.is_sparse() && turned.is_none() {
            turned = Some(i);
        }
        if sketch.is_sparse() {
            assert!(sketch.bytes().len() <= SPARSE_BYTES_MAX);
            assert!(sparse::runs(&sketch.bytes()[HEADER_BYTES..]).is_ok());
        }
        if i % 250 == 0 {
            assert_eq!(registers_of(&sketch), plain(elements.iter().copied()));
        }
    }
    assert!(turned.is_some_and(|turned| turned > 1000), "{turned:?}");
    assert_eq!(sketch.bytes()[HEADER_BYTES..], dense.bytes()[HEADER_BYTES..]);
}

#[test]
fn values_that_the_sparse_form_cannot_hold_turn_it_dense() {
    let mut sketch = Sketch::new();
    assert!(sketch.raise(5, 32) && sketch.is_sparse());
    assert!(sketch.raise(6, 33) && !sketch.is_sparse());
    let registers = registers_of(&sketch);
    assert_eq!((registers[4], registers[5], registers[6]), (0, 32, 33));
    assert_eq!(sketch.bytes().len(), DENSE_BYTES);
}

#[test]
fn raising_in_ascending_order_gives_the_same_as_from_the_start() {
    let mut rng = Rng::new(5);
    for _ in 0..20 {
        let mut hinted = Sketch::new();
        let mut searched = Sketch::new();
        let mut register = rng.below(40);
        while register < REGISTERS && hinted.is_sparse() {
            let value = 1 + rng.below(4) as u8;
            searched.hint = sparse::START;
            assert_eq!(hinted.raise(register, value), searched.raise(register, value));
            register += rng.below(30);
        }
        assert_eq!(hinted.bytes(), searched.bytes());
    }
}

#[test]
fn estimates_are_within_the_promised_error() {
    let mut rng = Rng::new(11);
    let mut sketch = Sketch::new();
    let mut next = 1;
    for i in 1..=300_000u64 {
        sketch.add(&rng.next_u64().to_le_bytes());
        if i == next {
            sketch.forget_cardinality();
            let counted = cardinality(sketch.bytes()).expect("a sound sketch") as f64;
            assert!((counted / i as f64 - 1.0).abs() < 0.03, "{counted} of {i}");
            assert_eq!(cardinality_of(&registers_of(&sketch)) as f64, counted);
            next = next * 3 + 1;
        }
    }
}

#[test]
fn a_valid_cardinality_is_believed() {
    let mut sketch = Sketch::new();
    sketch.add(b"a");
    assert_eq!(cardinality(sketch.bytes()), Ok(1));
    sketch.bytes[CARDINALITY_AT..HEADER_BYTES].copy_from_slice(&77u64.to_le_bytes());
    assert_eq!(cardinality(sketch.bytes()), Ok(77));
    sketch.forget_cardinality();
    assert_eq!(cardinality(sketch.bytes()), Ok(1));
}

#[test]
fn bytes_that_are_no_sketch_are_told_from_broken_ones() {
    let sound = Sketch::new();
    let sound = sound.bytes();
    for foreign in [
        &b""[..],
        b"HYLL",
        &sound[..15],
        b"hyll\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff",
    ] {
        assert_eq!(encoding(foreign), Err(Fault::Foreign), "{foreign:?}");
    }
    let mut other = sound.to_vec();
    other[ENCODING_AT] = 2;
    assert_eq!(encoding(&other), Err(Fault::Foreign));
    other[ENCODING_AT] = 0;
    assert_eq!(encoding(&other), Err(Fault::Foreign));
    for body in [
        &b""[..],
        b"\x7f",
        b"\x7f\xfe",
        b"\x7f\xff\x00",
        b"\x7f\xff\x80",
        b"\x7f\xff\x7f\xff\x40",
    ] {
        let mut broken = sound[..HEADER_BYTES].to_vec();
        broken.extend_from_slice(body);
        forget_cardinality(&mut broken);
        assert_eq!(cardinality(&broken), Err(Fault::Corrupt), "{body:?}");
        assert_eq!(Sketch::read(&broken).map(|_| ()), Err(Fault::Corrupt), "{body:?}");
    }
}

mod arbitrary {
    use super::*;
    use proptest::prelude::*;

    fn header(encoding: u8) -> Vec<u8> {
        let mut bytes = b"HYLL\0\0\0\0\0\0\0\0\0\0\0\x80".to_vec();
        bytes[ENCODING_AT] = encoding;
        bytes
    }

    proptest! {
        #[test]
        fn bytes_behind_a_valid_header_never_panic(
            encoding in 0u8..3,
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..4000),
                prop::collection::vec(any::<u8>(), DENSE_BYTES - HEADER_BYTES),
                // Often just enough registers.
                prop::collection::vec(prop_oneof![Just(0x3f), 0x80u8..], 256..262),
            ],
            elements in prop::collection::vec(any::<u64>(), 0..20),
        ) {
            let mut bytes = header(encoding);
            bytes.extend(body);
            let counted = cardinality(&bytes);
            let mut registers = [0; REGISTERS];
            prop_assert_eq!(join(&mut registers, &bytes).is_ok(), counted.is_ok());
            if let Ok(mut sketch) = Sketch::read(&bytes) {
                for element in elements {
                    sketch.add(&element.to_le_bytes());
                }
                prop_assert!(Sketch::read(sketch.bytes()).is_ok());
            }
        }
    }
}
