//! The reader, fed by hand.

use super::*;
use crate::rdb::event::{Event, Sink};

struct Nobody;

impl Sink for Nobody {
    fn event(&mut self, _event: Event<'_>) -> Result<(), String> {
        Ok(())
    }
}

fn small_file() -> Vec<u8> {
    let key = |rdb_type: u8, name: &[u8], value: &[u8]| [&[rdb_type][..], &text(name), value].concat();
    file(&[
        &[&[0xfa][..], &text(b"redis-ver"), &text(b"7.0.15")].concat(),
        &[0xfe, 0],
        &[0xfb, 3, 1],
        &key(0, b"s", &text(b"v")),
        &[0xfc, 0x10, 0x27, 0, 0, 0, 0, 0, 0],
        &key(1, b"l", &[2, 1, b'a', 0xc0, 7]),
        &key(5, b"z", &[&[1, 1, b'm'][..], &1.5f64.to_le_bytes()].concat()),
    ])
}

#[test]
fn any_chunking_reads_the_same() {
    let bytes = small_file();
    let whole = read(&bytes).expect("is sound");
    assert!(whole.contains("\"expire_at_ms\": 10000"));
    for size in 1..bytes.len() {
        assert_eq!(canonical(bytes.chunks(size)).as_ref(), Ok(&whole));
    }
}

#[test]
fn short_keys_are_not_taken_for_each_other() {
    let key = |name: String| [&[0][..], &text(name.as_bytes()), &text(b"v")].concat();
    let short = (0..20_000).flat_map(|n| [format!("{n}"), format!("k{n}")]);
    let records: Vec<Vec<u8>> = short.map(key).collect();
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let mut reader = Reader::default();
    reader
        .push(&file(&records), &mut Nobody)
        .expect("no key comes twice");
    reader.finish().expect("is sound");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = small_file();
    for cut in 0..bytes.len() {
        let error = read(&bytes[..cut]).expect_err("was read");
        assert_eq!(error.offset, cut as u64, "{error}");
    }
}

#[test]
fn a_short_file_of_another_kind_is_not_called_cut() {
    for bytes in [&b"hello\n"[..], b"V", b"RED1S"] {
        let error = read(bytes).expect_err("was read");
        let is_cut = error.reason.contains("ends");
        assert_eq!(
            (error.offset == 0, is_cut),
            (bytes != b"V", bytes == b"V"),
            "{error}"
        );
    }
}

#[test]
fn a_flipped_byte_is_refused() {
    let good = small_file();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(read(&bad).is_err(), "byte {at}");
    }
}

#[test]
fn bytes_behind_the_end_are_handed_back() {
    let mut bytes = small_file();
    let length = bytes.len();
    bytes.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    for size in 1..bytes.len() {
        let (mut reader, mut json) = (Reader::default(), Json::new(Form::Plain));
        let taken: usize = bytes
            .chunks(size)
            .map(|piece| reader.push(piece, &mut json).expect("is sound"))
            .sum();
        assert_eq!(taken, length, "pieces of {size}");
    }
}

#[test]
fn an_error_names_key_and_offset_and_stays() {
    let bytes = file(&[&[2], &text(b"k\x00"), &[0x81, 0x20, 0, 0, 0, 0, 0, 0, 0, 1, b'a']]);
    let (mut reader, mut json) = (Reader::default(), Json::new(Form::Plain));
    let error = reader.push(&bytes, &mut json).expect_err("was read");
    assert_eq!(
        error.to_string(),
        "key 'k\\x00' (set, type 2): unknown string encoding 0xff at offset 24"
    );
    assert_eq!(reader.push(b"", &mut json), Err(error.clone()));
    assert_eq!(reader.finish(), Err(error));
}

#[test]
fn a_key_that_comes_twice_is_refused_in_one_database_only() {
    let key = [&[0][..], &text(b"k"), &text(b"v")].concat();
    assert!(read(&file(&[&key, &key])).is_err());
    assert!(read(&file(&[&key, &[0xfe, 1], &key])).is_ok());
}

#[test]
fn memory_holds_one_record_not_the_file() {
    let (mut reader, mut nobody) = (Reader::default(), Nobody);
    reader
        .push(
            b"REDIS0010\x01\x01l\x81\x00\x00\x00\x00\x7f\xff\xff\xff",
            &mut nobody,
        )
        .expect("is sound");
    let element = [&[0x40, 100][..], &[b'x'; 100]].concat();
    for _ in 0..50_000 {
        for piece in element.chunks(40) {
            reader.push(piece, &mut nobody).expect("is sound");
        }
    }
    assert!(reader.memory() < 1 << 12, "{}", reader.memory());
}

#[test]
fn metadata_of_keys_and_modules_is_skipped() {
    let module_id = [0x81, 0xb5, 0xe7, 0x2d, 0xff, 0xf7, 0x5b, 0x80, 1];
    let records: [&[u8]; 5] = [
        &[&[0xf7][..], &module_id, &[2, 1, 5, 2, b'h', b'i', 2, 7, 0]].concat(),
        &[0xf3, 1, 1, 2, 3, 4, 2, 9, 0],
        &[
            &[7][..],
            &text(b"m"),
            &module_id,
            &[1, 5, 4, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0],
        ]
        .concat(),
        &[0xf4, 5, 1, 0],
        &[&[0][..], &text(b"k"), &text(b"v")].concat(),
    ];
    let json = read(&file(&records)).expect("is sound");
    assert!(json.contains("\"3ff8000000000000\""), "{json}");
}
