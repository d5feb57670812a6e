use super::*;
use proptest::prelude::*;

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(|element| element.to_vec()).collect()
}

/// Texts around every boundary of the encodings: integers of each width, strings of each length form, and short noise.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let edges = [
        0, 127, 128, 4095, 4096, 32767, 32768, 8388607, 8388608, 2147483647, 2147483648,
    ];
    prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..12),
        3 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        3 => (proptest::sample::select(edges.to_vec()), -1i64..=1, any::<bool>())
            .prop_map(|(edge, by, minus)| (if minus { -edge } else { edge } + by).to_string().into_bytes()),
        2 => "[-+]?0{0,2}[0-9]{0,20}".prop_map(String::into_bytes),
        1 => proptest::sample::select(vec![62usize, 63, 64, 125, 126, 127, 4095, 4096, 16378, 16379])
            .prop_map(|n| vec![b'x'; n]),
    ]
}

#[derive(Clone, Debug)]
enum Op {
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    RemoveRange(usize, usize),
    SplitAndAppend(usize),
    Find(Vec<u8>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0usize..40, text()).prop_map(|(i, t)| Op::Insert(i, t)),
        2 => (0usize..40, text()).prop_map(|(i, t)| Op::Replace(i, t)),
        1 => (0usize..40, 0usize..6).prop_map(|(i, n)| Op::RemoveRange(i, n)),
        1 => (0usize..40).prop_map(Op::SplitAndAppend),
        1 => text().prop_map(Op::Find),
    ]
}

fn apply(pack: &mut Listpack, model: &mut Vec<Vec<u8>>, op: Op) {
    match op {
        Op::Insert(index, text) => {
            let at = pack.seek(index).unwrap_or(pack.end());
            pack.insert(at, &text);
            model.insert(index.min(model.len()), text);
        }
        Op::Replace(index, text) => {
            if let Some(at) = pack.seek(index) {
                pack.replace(at, &text);
                model[index] = text;
            }
        }
        Op::RemoveRange(start, count) => {
            let end = (start + count).min(model.len());
            let gone = end.saturating_sub(start);
            assert_eq!(pack.remove_range(start, count), gone);
            if gone > 0 {
                model.drain(start..end);
            }
        }
        Op::SplitAndAppend(index) => {
            let at = pack.seek(index).unwrap_or(pack.end());
            let rest = pack.split_off(at);
            pack.verify();
            rest.verify();
            assert_eq!(texts(&rest), model[index.min(model.len())..]);
            pack.append(&rest);
        }
        Op::Find(text) => {
            let at = pack.find(&text, pack.first(), 1);
            let index = model.iter().position(|other| *other == text);
            assert_eq!(at, index.and_then(|i| pack.seek(i)));
        }
    }
}

proptest! {
    #[test]
    fn behaves_like_a_vector(ops in proptest::collection::vec(op(), 1..60)) {
        let mut pack = Listpack::new();
        let mut model = Vec::new();
        for op in ops {
            apply(&mut pack, &mut model, op);
            pack.verify();
            prop_assert_eq!(pack.len(), model.len());
            prop_assert_eq!(texts(&pack), model.clone());
            let backwards: Vec<_> = pack.iter().rev().map(|e| e.to_vec()).collect();
            prop_assert!(backwards.iter().eq(model.iter().rev()));
        }
        prop_assert_eq!(Listpack::from_bytes(pack.as_bytes()), Some(pack));
    }

    #[test]
    fn canonical_integers_are_those_that_print_the_same(text in text()) {
        let expected = std::str::from_utf8(&text).ok()
            .and_then(|s| s.parse::<i64>().ok())
            .filter(|n| n.to_string().as_bytes() == text);
        prop_assert_eq!(canonical_int(&text), expected);
    }

    #[test]
    fn noise_is_refused_or_a_listpack(mut blob in proptest::collection::vec(any::<u8>(), 0..40), count in 0u8..4) {
        if blob.len() >= 7 {
            let len = blob.len();
            blob[..4].copy_from_slice(&(len as u32).to_le_bytes());
            blob[4..6].copy_from_slice(&[count, 0]);
            blob[len - 1] = 0xFF;
        }
        if let Some(pack) = Listpack::from_bytes(&blob) {
            prop_assert_eq!(pack.iter().count(), pack.len());
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_file_format() {
    assert_eq!(Listpack::new().as_bytes(), [7, 0, 0, 0, 0, 0, 0xFF]);
    let pack = Listpack::from_elements([b"a".as_slice(), b"7", b"-1", b"300", b"70000", b"007"]);
    let entries: &[&[u8]] = &[
        &[0x81, b'a', 2],
        &[7, 1],
        &[0xDF, 0xFF, 2],
        &[0xC1, 0x2C, 2],
        &[0xF2, 0x70, 0x11, 0x01, 4],
        &[0x83, b'0', b'0', b'7', 4],
    ];
    assert_eq!(pack.as_bytes()[6..pack.as_bytes().len() - 1], entries.concat());
    assert_eq!(pack.as_bytes()[..6], [28, 0, 0, 0, 6, 0]);
}

#[test]
fn back_length_grows_one_before_the_power_of_two() {
    // The body of a string of 4096 bytes or more is five bytes longer than the string.
    for (body, size) in [(16382, 2), (16383, 3), (2097150, 3), (2097151, 4)] {
        let text = vec![b'x'; body - 5];
        assert_eq!(entry_size(packed_form(&text)), body + size);
        let pack = Listpack::from_elements([b"first".as_slice(), &text, b"last"]);
        pack.verify();
        assert_eq!(pack.iter().rev().nth(2), Some(Element::Bytes(b"first")));
    }
}

#[test]
fn more_elements_than_the_count_field_holds() {
    let mut pack = Listpack::new();
    for i in 0..65540 {
        pack.push_back(i.to_string().as_bytes());
    }
    pack.verify();
    assert_eq!(pack.as_bytes()[4..6], [0xFF, 0xFF]);
    assert_eq!(pack.len(), 65540);
    assert_eq!(pack.nth(65539), Some(Element::Int(65539)));
    assert_eq!(pack.remove_range(0, 10), 10);
    pack.verify();
    assert_eq!(pack.len(), 65530);
    assert_eq!(pack.as_bytes()[4..6], 65530u16.to_le_bytes());
}

#[test]
fn find_steps_over_values() {
    let pack = Listpack::from_elements([b"a".as_slice(), b"b", b"b", b"1", b"c", b"01"]);
    assert_eq!(pack.find(b"b", pack.first(), 2), pack.seek(2));
    assert_eq!(pack.find(b"1", pack.first(), 2), None);
    assert_eq!(pack.find(b"01", pack.seek(1), 2), pack.seek(5));
    assert_eq!(pack.find(b"a", None, 1), None);
}

#[test]
fn longer_forms_and_digits_as_text_are_not_adopted() {
    assert!(Listpack::from_bytes(&[10, 0, 0, 0, 1, 0, 0x81, b'7', 2, 0xFF]).is_none());
    assert!(Listpack::from_bytes(&[11, 0, 0, 0, 1, 0, 0xF1, 7, 0, 3, 0xFF]).is_none());
    assert!(Listpack::from_bytes(&[9, 0, 0, 0, 1, 0, 7, 1, 0xFF]).is_some());
    assert!(Listpack::from_bytes(&[9, 0, 0, 0, 2, 0, 7, 1, 0xFF]).is_none());
    assert!(Listpack::from_bytes(&[]).is_none());
}

#[test]
fn memory_is_given_back() {
    let mut pack = Listpack::new();
    for _ in 0..1000 {
        pack.push_back(b"some element of a list");
    }
    let full = pack.memory();
    assert!(full <= pack.as_bytes().len() + pack.as_bytes().len() / 4);
    pack.remove_range(10, 990);
    pack.verify();
    assert!(pack.memory() < full / 10);
}
