//! The parts of the format by themselves, for those who check them one by one.

pub use super::blob::Fault;
use super::blob::{Entries, Intset, Listpack, Ziplist, Zipmap};
use super::cursor::{Cursor, Parsed, Stop};
use super::lzf;
pub use super::lzf::{Compressor, EXPANSION_MAX};
use super::{Checksum, RdbError};
use crate::value::Element;

/// A packed structure that a file holds as one string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blob {
    /// Of version 10 and later.
    Listpack,
    /// Of versions before.
    Ziplist,
    /// Of integers.
    Intset,
    /// Of versions before 4.
    Zipmap,
}

/// Walks over all entries of a blob.
///
/// # Errors
/// The first fault. The entries before it have been handed out.
pub fn walk(blob: Blob, bytes: &[u8], each: &mut dyn FnMut(Element<'_>)) -> Result<(), Fault> {
    match blob {
        Blob::Listpack => all(Listpack::new(bytes)?, each),
        Blob::Ziplist => all(Ziplist::new(bytes)?, each),
        Blob::Intset => all(Intset::new(bytes)?, each),
        Blob::Zipmap => all(Zipmap::new(bytes)?, each),
    }
}

fn all<'a>(mut entries: impl Entries<'a>, each: &mut dyn FnMut(Element<'_>)) -> Result<(), Fault> {
    while let Some(entry) = entries.next_entry()? {
        each(entry);
    }
    Ok(())
}

/// The bytes that a compressed string stands for: exactly `length` of them.
///
/// # Errors
/// When it is damaged, or has another length.
pub fn decompress(packed: &[u8], length: usize) -> Result<Vec<u8>, &'static str> {
    lzf::decompress(packed, length)
}

/// What a read of one part gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<T> {
    /// It, and the number of bytes it took.
    Read(T, usize),
    /// So many bytes are needed before it is worth another look.
    Needs(usize),
    /// It can never be read.
    Bad(RdbError),
}

fn part<T>(bytes: &[u8], read: impl FnOnce(&mut Cursor<'_>) -> Parsed<T>) -> Part<T> {
    let mut cursor = Cursor::new(bytes, 0);
    match read(&mut cursor) {
        Ok(found) => Part::Read(found, cursor.read()),
        Err(Stop::Need(bytes)) => Part::Needs(bytes),
        Err(Stop::Bad(error)) => Part::Bad(error),
    }
}

/// The number in the length encoding that `bytes` begin with.
pub fn length(bytes: &[u8]) -> Part<u64> {
    part(bytes, |cursor| cursor.length())
}

/// The string that `bytes` begin with.
pub fn text(bytes: &[u8]) -> Part<Vec<u8>> {
    part(bytes, |cursor| Ok(cursor.bytes()?.into_owned()))
}

/// Puts the checksum of all bytes but the last eight in their place. Fewer than eight are left as they are.
pub fn reseal(bytes: &mut [u8]) {
    if let Some((body, checksum)) = bytes.split_last_chunk_mut::<8>() {
        *checksum = Checksum::of(body).to_le_bytes();
    }
}
