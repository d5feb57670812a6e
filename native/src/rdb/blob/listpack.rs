//! Listpacks: `bytes:u32 count:u16 entries 0xff`. Behind each entry stands its own length, to be read backwards.

use super::{Entries, Fault, array, check_count, check_frame, i24, part};
use crate::value::Element;

const HEADER_BYTES: usize = 6;

/// A walk over a listpack. A clone is a second walk from the same place.
#[derive(Clone)]
pub struct Listpack<'a> {
    blob: &'a [u8],
    at: usize,
    seen: u64,
}

impl<'a> Listpack<'a> {
    pub fn new(blob: &'a [u8]) -> Result<Self, Fault> {
        check_frame(blob, HEADER_BYTES)?;
        Ok(Listpack {
            blob,
            at: HEADER_BYTES,
            seen: 0,
        })
    }

    /// The entry's length without its back-length, and what it holds.
    fn entry(&self) -> Result<(usize, Element<'a>), Fault> {
        let (blob, at) = (self.blob, self.at);
        let first = blob[at];
        let text = |header: usize, length: usize| {
            Ok((header + length, Element::Bytes(part(blob, at + header, length)?)))
        };
        match first {
            0..=0x7f => Ok((1, Element::Int(i64::from(first)))),
            0x80..=0xbf => text(1, usize::from(first & 63)),
            0xc0..=0xdf => {
                let bits = i16::from(first & 31) << 8 | i16::from(array::<1>(blob, at + 1)?[0]);
                Ok((2, Element::Int(i64::from(bits << 3 >> 3))))
            }
            0xe0..=0xef => text(
                2,
                usize::from(first & 15) << 8 | usize::from(array::<1>(blob, at + 1)?[0]),
            ),
            0xf0 => text(5, u32::from_le_bytes(array(blob, at + 1)?) as usize),
            0xf1 => Ok((
                3,
                Element::Int(i64::from(i16::from_le_bytes(array(blob, at + 1)?))),
            )),
            0xf2 => Ok((4, Element::Int(i24(array(blob, at + 1)?)))),
            0xf3 => Ok((
                5,
                Element::Int(i64::from(i32::from_le_bytes(array(blob, at + 1)?))),
            )),
            0xf4 => Ok((9, Element::Int(i64::from_le_bytes(array(blob, at + 1)?)))),
            _ => Fault::new(at, format!("reserved entry encoding 0x{first:02x}")),
        }
    }
}

/// Number of entries of a listpack that is sound; nothing says what is wrong with another.
pub fn count_sound(blob: &[u8]) -> Option<u64> {
    let mut list = Listpack::new(blob).ok()?;
    while let Some(length) = list.length() {
        list.pass(length).ok()?;
    }
    list.next_entry().ok()?.is_none().then_some(list.seen)
}

impl Listpack<'_> {
    /// Length of the entry without its back-length; `None` where none begins, or not all of its head is there.
    #[inline]
    fn length(&self) -> Option<usize> {
        let (blob, at) = (self.blob, self.at);
        Some(match *blob.get(at)? {
            0..=0x7f => 1,
            first @ 0x80..=0xbf => 1 + usize::from(first & 63),
            0xc0..=0xdf => 2,
            first @ 0xe0..=0xef => 2 + (usize::from(first & 15) << 8 | usize::from(*blob.get(at + 1)?)),
            0xf0 => 5 + u32::from_le_bytes(array(blob, at + 1).ok()?) as usize,
            0xf1 => 3,
            0xf2 => 4,
            0xf3 => 5,
            0xf4 => 9,
            _ => return None,
        })
    }

    /// Goes over an entry of this length, whose back-length has to say the same.
    #[inline]
    fn pass(&mut self, length: usize) -> Result<(), Fault> {
        let behind = self.at + length;
        // The end mark has to come after the back-length.
        if length < 128 && self.blob.get(behind) == Some(&(length as u8)) && behind + 1 < self.blob.len() {
            self.at = behind + 1;
        } else {
            let mut expected = [0; 5];
            let expected = back_length(length, &mut expected);
            if part(self.blob, behind, expected.len() + 1)?[..expected.len()] != *expected {
                return Fault::new(behind, "back-length that is not the entry's length");
            }
            self.at = behind + expected.len();
        }
        self.seen += 1;
        Ok(())
    }
}

impl<'a> Entries<'a> for Listpack<'a> {
    fn next_entry(&mut self) -> Result<Option<Element<'a>>, Fault> {
        if self.blob[self.at] == 0xff {
            if self.at + 1 != self.blob.len() {
                return Fault::new(self.at, "end mark before the end");
            }
            let declared = u16::from_le_bytes(array(self.blob, 4)?);
            check_count(declared, self.seen, self.at)?;
            return Ok(None);
        }
        let (length, element) = self.entry()?;
        self.pass(length)?;
        Ok(Some(element))
    }

    fn at(&self) -> usize {
        self.at
    }
}

/// An entry's length as it stands behind it: groups of seven bits, the most significant first, all but the first marked.
fn back_length(length: usize, place: &mut [u8; 5]) -> &[u8] {
    // The borders are those of the format: 16383 and 2097151 already take the longer form.
    let count = match length {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    for (i, byte) in place[..count].iter_mut().enumerate() {
        *byte = (length >> (7 * (count - 1 - i))) as u8 & 127 | if i == 0 { 0 } else { 128 };
    }
    &place[..count]
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::*;

    fn pack(count: u16, entries: &[u8]) -> Vec<u8> {
        let mut blob = (entries.len() as u32 + 7).to_le_bytes().to_vec();
        blob.extend_from_slice(&count.to_le_bytes());
        blob.extend_from_slice(entries);
        blob.push(0xff);
        blob
    }

    fn read(blob: &[u8]) -> Result<Vec<String>, Fault> {
        all(Listpack::new(blob)?)
    }

    #[test]
    fn every_encoding() {
        let entries = [
            &[0x07, 1][..],
            &[0x82, b'h', b'i', 3],
            &[0xdf, 0xff, 2],
            &[0xe0, 1, b'x', 3],
            &[0xf0, 1, 0, 0, 0, b'y', 6],
            &[0xf1, 0, 0x80, 3],
            &[0xf2, 0, 0, 0x80, 4],
            &[0xf3, 1, 0, 0, 0x80, 5],
            &[0xf4, 0, 0, 0, 0, 0, 0, 0, 0x80, 9],
        ];
        let blob = pack(entries.len() as u16, &entries.concat());
        let expected = [
            "7",
            "hi",
            "-1",
            "x",
            "y",
            "-32768",
            "-8388608",
            "-2147483647",
            "-9223372036854775808",
        ];
        assert_eq!(read(&blob), Ok(expected.map(String::from).to_vec()));
        for cut in 0..blob.len() {
            assert!(read(&blob[..cut]).is_err());
        }
    }

    #[test]
    fn counting_agrees_with_reading() {
        let long = [&[0xe0, 200][..], &[b'x'; 200], &[0x01, 0xca]].concat();
        let entries = [&[0x07, 1][..], &[0x82, b'h', b'i', 3], &long, &[0xf1, 0, 0x80, 3]].concat();
        let blob = pack(4, &entries);
        assert_eq!(read(&blob).map(|found| found.len()), Ok(4));
        assert_eq!(count_sound(&blob), Some(4));
        for at in 0..blob.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xe0, 0xf0, 0xf1, 0xf5, 0xff] {
                let mut bad = blob.clone();
                bad[at] = byte;
                let found = read(&bad).ok().map(|found| found.len() as u64);
                assert_eq!(count_sound(&bad), found, "byte {at} is {byte}");
            }
            assert_eq!(count_sound(&blob[..at]), None);
        }
    }

    #[test]
    fn an_unknown_count_is_counted() {
        assert_eq!(read(&pack(u16::MAX, &[0x01, 1])), Ok(vec!["1".into()]));
        assert!(read(&pack(2, &[0x01, 1])).is_err());
    }

    #[test]
    fn refuses_what_does_not_fit_together() {
        assert!(read(&pack(1, &[0x01, 2])).is_err(), "back-length");
        assert!(read(&pack(1, &[0xf5, 1])).is_err(), "reserved encoding");
        assert!(
            read(&pack(1, &[0xf0, 0xff, 0xff, 0xff, 0xff, 5])).is_err(),
            "length beyond the end"
        );
        assert!(read(&pack(0, &[0xff])).is_err(), "early end mark");
    }

    #[test]
    fn back_length_borders() {
        let size = |length| back_length(length, &mut [0; 5]).len();
        assert_eq!(
            [127, 128, 16_382, 16_383, 2_097_150, 2_097_151].map(size),
            [1, 2, 2, 3, 3, 4]
        );
    }
}
