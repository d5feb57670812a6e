//! Tests of the format as a whole.

mod fixtures;
mod reading;

use super::RdbError;
use super::checksum::Checksum;
use super::json::{Form, Json, Summary};
use super::reader::Reader;

/// A file: the header, the records, the end mark and the checksum.
fn file(records: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"REDIS0010".to_vec();
    records.iter().for_each(|record| bytes.extend_from_slice(record));
    bytes.push(0xff);
    let checksum = Checksum::of(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// A string of less than 64 bytes.
fn text(text: &[u8]) -> Vec<u8> {
    [&[text.len() as u8], text].concat()
}

fn summary(bytes: &[u8]) -> Result<Summary, RdbError> {
    let (mut reader, mut summary) = (Reader::default(), Summary::default());
    reader.push(bytes, &mut summary)?;
    reader.finish()?;
    Ok(summary)
}

/// The canonical JSON of a file that comes in pieces.
fn canonical<'a>(
    summary: Option<Summary>,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<String, RdbError> {
    let (mut reader, mut json) = (Reader::default(), Json::new(Form::Canonical, summary));
    for piece in pieces {
        reader.push(piece, &mut json)?;
    }
    reader.finish()?;
    Ok(String::from_utf8(json.take()).expect("JSON is text"))
}

/// Reads a file that comes in one piece.
fn read(bytes: &[u8]) -> Result<String, RdbError> {
    canonical(None, std::iter::once(bytes))
}
