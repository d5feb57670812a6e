//! Intsets: `width:u32 count:u32`, then the integers in ascending order.

use super::{Entries, Fault, array};
use crate::value::Element;

const HEADER_BYTES: usize = 8;

/// A walk over an intset.
pub struct Intset<'a> {
    blob: &'a [u8],
    width: usize,
    at: usize,
    last: Option<i64>,
}

impl<'a> Intset<'a> {
    pub fn new(blob: &'a [u8]) -> Result<Self, Fault> {
        let width = u32::from_le_bytes(array(blob, 0)?);
        let count = u64::from(u32::from_le_bytes(array(blob, 4)?));
        if !matches!(width, 2 | 4 | 8) {
            return Fault::new(0, format!("integers of {width} bytes"));
        }
        if count == 0 {
            return Fault::new(4, "no members");
        }
        if HEADER_BYTES as u64 + count * u64::from(width) != blob.len() as u64 {
            return Fault::new(4, format!("says {count} members, has {} bytes", blob.len()));
        }
        Ok(Intset {
            blob,
            width: width as usize,
            at: HEADER_BYTES,
            last: None,
        })
    }
}

impl<'a> Entries<'a> for Intset<'a> {
    fn next_entry(&mut self) -> Result<Option<Element<'a>>, Fault> {
        if self.at == self.blob.len() {
            return Ok(None);
        }
        let n = match self.width {
            2 => i64::from(i16::from_le_bytes(array(self.blob, self.at)?)),
            4 => i64::from(i32::from_le_bytes(array(self.blob, self.at)?)),
            _ => i64::from_le_bytes(array(self.blob, self.at)?),
        };
        if self.last.is_some_and(|last| last >= n) {
            return Fault::new(self.at, "members are not ascending");
        }
        self.last = Some(n);
        self.at += self.width;
        Ok(Some(Element::Int(n)))
    }

    fn at(&self) -> usize {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::*;

    fn pack(width: u32, members: &[i64]) -> Vec<u8> {
        let mut blob = width.to_le_bytes().to_vec();
        blob.extend_from_slice(&(members.len() as u32).to_le_bytes());
        for member in members {
            blob.extend_from_slice(&member.to_le_bytes()[..width as usize]);
        }
        blob
    }

    fn read(blob: &[u8]) -> Result<Vec<String>, Fault> {
        all(Intset::new(blob)?)
    }

    #[test]
    fn every_width() {
        for width in [2, 4, 8] {
            assert_eq!(
                read(&pack(width, &[-5, 1, 300])),
                Ok(["-5", "1", "300"].map(String::from).to_vec())
            );
        }
    }

    #[test]
    fn refuses_what_is_not_a_set() {
        assert!(read(&pack(2, &[])).is_err());
        assert!(read(&pack(2, &[2, 1])).is_err());
        assert!(read(&pack(2, &[1, 1])).is_err());
        assert!(read(&pack(2, &[1, 2])[..11]).is_err());
        assert!(read(&[3, 0, 0, 0, 0, 0, 0, 0]).is_err());
        // The size of this one wraps around in 32 bits.
        assert!(read(&[8, 0, 0, 0, 0, 0, 0, 0x20]).is_err());
    }
}
