//! The packed structures that a file holds as one string. Each is read by walking it once, with every length, link and
//! count checked on the way, so that nothing is trusted because its header looks right.

mod intset;
mod listpack;
mod ziplist;
mod zipmap;

pub use intset::Intset;
pub use listpack::{Listpack, count_sound};
pub use ziplist::Ziplist;
pub use zipmap::Zipmap;

use crate::value::Element;

/// What is wrong inside of a blob, and at which of its bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// From the blob's first byte.
    pub at: usize,
    /// A clause without a full stop.
    pub reason: String,
}

impl Fault {
    /// A failure with this fault.
    pub fn new<T>(at: usize, reason: impl Into<String>) -> Result<T, Fault> {
        let reason = reason.into();
        Err(Fault { at, reason })
    }
}

/// A blob as a row of entries.
pub trait Entries<'a> {
    /// The next entry. `None` only when the whole blob has been found sound.
    fn next_entry(&mut self) -> Result<Option<Element<'a>>, Fault>;

    /// The byte that the next entry begins at.
    fn at(&self) -> usize;
}

/// The `count` bytes from `at` on.
fn part(blob: &[u8], at: usize, count: usize) -> Result<&[u8], Fault> {
    let end = at.checked_add(count).filter(|end| *end <= blob.len());
    match end {
        Some(end) => Ok(&blob[at..end]),
        None => Fault::new(at, "entry reaches beyond the end"),
    }
}

fn array<const N: usize>(blob: &[u8], at: usize) -> Result<[u8; N], Fault> {
    let mut array = [0; N];
    array.copy_from_slice(part(blob, at, N)?);
    Ok(array)
}

/// A 24-bit integer, low byte first.
fn i24(bytes: [u8; 3]) -> i64 {
    i64::from(i32::from_le_bytes([0, bytes[0], bytes[1], bytes[2]]) >> 8)
}

/// Checks the size and the end byte that listpacks and ziplists have alike.
fn check_frame(blob: &[u8], header_bytes: usize) -> Result<(), Fault> {
    if blob.len() < header_bytes + 1 {
        return Fault::new(0, format!("{} bytes are too few", blob.len()));
    }
    let declared = u32::from_le_bytes(array(blob, 0)?);
    if u64::from(declared) != blob.len() as u64 {
        return Fault::new(0, format!("says {declared} bytes, has {}", blob.len()));
    }
    if blob[blob.len() - 1] != 0xff {
        return Fault::new(blob.len() - 1, "no end mark");
    }
    Ok(())
}

/// Checks the number of entries at a list's end. `65535` in a header means that nobody counted.
fn check_count(declared: u16, seen: u64, at: usize) -> Result<(), Fault> {
    if declared != u16::MAX && u64::from(declared) != seen {
        return Fault::new(at, format!("says {declared} entries, has {seen}"));
    }
    Ok(())
}

/// All entries of a blob, for tests.
#[cfg(test)]
fn all<'a>(mut entries: impl Entries<'a>) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry()? {
        found.push(String::from_utf8_lossy(&entry.to_cow()).into_owned());
    }
    Ok(found)
}
