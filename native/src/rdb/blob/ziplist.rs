//! Ziplists: `bytes:u32 tail:u32 count:u16 entries 0xff`. Before each entry stands the length of the one before.

use super::{Entries, Fault, array, check_count, check_frame, i24, part};
use crate::value::Element;

const HEADER_BYTES: usize = 10;

/// A walk over a ziplist.
pub struct Ziplist<'a> {
    blob: &'a [u8],
    at: usize,
    /// Where the entry before `at` begins.
    previous: usize,
    seen: u64,
}

impl<'a> Ziplist<'a> {
    pub fn new(blob: &'a [u8]) -> Result<Self, Fault> {
        check_frame(blob, HEADER_BYTES)?;
        Ok(Ziplist {
            blob,
            at: HEADER_BYTES,
            previous: HEADER_BYTES,
            seen: 0,
        })
    }

    fn end(&self) -> Result<(), Fault> {
        if self.at + 1 != self.blob.len() {
            return Fault::new(self.at, "end mark before the end");
        }
        let tail = u32::from_le_bytes(array(self.blob, 4)?);
        if u64::from(tail) != self.previous as u64 {
            return Fault::new(
                4,
                format!("says its last entry is at {tail}, it is at {}", self.previous),
            );
        }
        check_count(u16::from_le_bytes(array(self.blob, 8)?), self.seen, self.at)
    }

    /// Reads the length of the entry before, gives the number of bytes it took.
    fn check_link(&self) -> Result<usize, Fault> {
        let (said, bytes) = match self.blob[self.at] {
            0xfe => (u32::from_le_bytes(array(self.blob, self.at + 1)?) as usize, 5),
            short => (usize::from(short), 1),
        };
        let real = self.at - self.previous;
        if said != real {
            return Fault::new(
                self.at,
                format!("says the entry before has {said} bytes, it has {real}"),
            );
        }
        Ok(bytes)
    }

    /// The length of what stands at `at`, and what it holds.
    fn content(&self, at: usize) -> Result<(usize, Element<'a>), Fault> {
        let blob = self.blob;
        let first = array::<1>(blob, at)?[0];
        let text = |header: usize, length: usize| {
            Ok((header + length, Element::Bytes(part(blob, at + header, length)?)))
        };
        match first {
            0..=0x3f => text(1, usize::from(first)),
            0x40..=0x7f => text(
                2,
                usize::from(first & 63) << 8 | usize::from(array::<1>(blob, at + 1)?[0]),
            ),
            0x80..=0xbf => text(5, u32::from_be_bytes(array(blob, at + 1)?) as usize),
            0xc0 => Ok((
                3,
                Element::Int(i64::from(i16::from_le_bytes(array(blob, at + 1)?))),
            )),
            0xd0 => Ok((
                5,
                Element::Int(i64::from(i32::from_le_bytes(array(blob, at + 1)?))),
            )),
            0xe0 => Ok((9, Element::Int(i64::from_le_bytes(array(blob, at + 1)?)))),
            0xf0 => Ok((4, Element::Int(i24(array(blob, at + 1)?)))),
            0xf1..=0xfd => Ok((1, Element::Int(i64::from(first & 15) - 1))),
            0xfe => Ok((
                2,
                Element::Int(i64::from(i8::from_le_bytes(array(blob, at + 1)?))),
            )),
            _ => Fault::new(at, format!("unknown entry encoding 0x{first:02x}")),
        }
    }
}

impl<'a> Entries<'a> for Ziplist<'a> {
    fn next_entry(&mut self) -> Result<Option<Element<'a>>, Fault> {
        if self.blob[self.at] == 0xff {
            self.end()?;
            return Ok(None);
        }
        let link = self.check_link()?;
        let (length, element) = self.content(self.at + link)?;
        let next = self.at + link + length;
        // The end mark has to come after the entry.
        part(self.blob, next, 1)?;
        self.previous = self.at;
        self.at = next;
        self.seen += 1;
        Ok(Some(element))
    }

    fn at(&self) -> usize {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::*;

    /// Links the contents into a ziplist.
    fn pack(contents: &[&[u8]]) -> Vec<u8> {
        let (mut entries, mut last) = (Vec::new(), 0);
        let mut tail = HEADER_BYTES;
        for content in contents {
            tail = HEADER_BYTES + entries.len();
            entries.push(last);
            entries.extend_from_slice(content);
            last = content.len() as u8 + 1;
        }
        let mut blob = (entries.len() as u32 + 11).to_le_bytes().to_vec();
        blob.extend_from_slice(&(tail as u32).to_le_bytes());
        blob.extend_from_slice(&(contents.len() as u16).to_le_bytes());
        blob.extend_from_slice(&entries);
        blob.push(0xff);
        blob
    }

    fn read(blob: &[u8]) -> Result<Vec<String>, Fault> {
        all(Ziplist::new(blob)?)
    }

    #[test]
    fn every_encoding() {
        let blob = pack(&[
            &[2, b'h', b'i'],
            &[0x40, 1, b'x'],
            &[0x80, 0, 0, 0, 1, b'y'],
            &[0xc0, 0, 0x80],
            &[0xd0, 1, 0, 0, 0],
            &[0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80],
            &[0xf0, 0xff, 0xff, 0xff],
            &[0xf1],
            &[0xfd],
            &[0xfe, 0x80],
        ]);
        let expected = [
            "hi",
            "x",
            "y",
            "-32768",
            "1",
            "-9223372036854775808",
            "-1",
            "0",
            "12",
            "-128",
        ];
        assert_eq!(read(&blob), Ok(expected.map(String::from).to_vec()));
        for cut in 0..blob.len() {
            assert!(read(&blob[..cut]).is_err());
        }
    }

    #[test]
    fn an_empty_one_has_its_tail_at_the_end_mark() {
        assert_eq!(read(&pack(&[])), Ok(vec![]));
    }

    #[test]
    fn refuses_wrong_links() {
        let good = pack(&[&[1, b'a'], &[1, b'b']]);
        for (at, value) in [(4, 10), (8, 3), (13, 4), (10, 1)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(read(&bad).is_err(), "byte {at}");
        }
    }
}
