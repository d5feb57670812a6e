//! Tests of the format as a whole.

mod fields;
pub(in crate::rdb) mod fixtures;
mod frozen;
mod joining;
mod loading;
mod mutation;
mod reading;
mod records;
mod speed;
mod streams;
pub(in crate::rdb) mod writing;

use super::RdbError;
use super::checksum::Checksum;
use super::json::{Form, Json};
use super::reader::Reader;

/// A file: the header, the records, the end mark and the checksum.
pub(in crate::rdb) fn file(records: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"REDIS0010".to_vec();
    records.iter().for_each(|record| bytes.extend_from_slice(record));
    bytes.push(0xff);
    let checksum = Checksum::of(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// A string of less than 64 bytes.
pub(in crate::rdb) fn text(text: &[u8]) -> Vec<u8> {
    [&[text.len() as u8], text].concat()
}

/// The canonical JSON of a file that comes in pieces.
fn canonical<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<String, RdbError> {
    let (mut reader, mut json) = (Reader::default(), Json::new(Form::Canonical));
    for piece in pieces {
        reader.push(piece, &mut json)?;
    }
    reader.finish()?;
    let pieces = std::iter::repeat_with(|| json.take()).take_while(|piece| !piece.is_empty());
    Ok(String::from_utf8(pieces.flatten().collect()).expect("JSON is text"))
}

/// Reads a file that comes in one piece.
fn read(bytes: &[u8]) -> Result<String, RdbError> {
    canonical(std::iter::once(bytes))
}
