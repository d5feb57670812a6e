//! Zipmaps: `count:u8`, then field and value in turn, `0xff`. Behind a value's length stands the number of free bytes
//! that follow the value.

use super::{Entries, Fault, array, part};
use crate::value::Element;

/// In the header: so many pairs or more. As a length: four bytes of length follow.
const BIG: u8 = 254;

/// A walk over a zipmap: field, value, field, value.
pub struct Zipmap<'a> {
    blob: &'a [u8],
    at: usize,
    fields: u64,
    value_is_next: bool,
}

impl<'a> Zipmap<'a> {
    pub fn new(blob: &'a [u8]) -> Result<Self, Fault> {
        if blob.len() < 2 || blob[blob.len() - 1] != 0xff {
            return Fault::new(blob.len().saturating_sub(1), "no end mark");
        }
        Ok(Zipmap {
            blob,
            at: 1,
            fields: 0,
            value_is_next: false,
        })
    }

    /// A length and the number of bytes it took.
    fn length(&self) -> Result<(usize, usize), Fault> {
        match array::<1>(self.blob, self.at)?[0] {
            0xff => Fault::new(self.at, "end mark where a value is expected"),
            BIG => {
                let length = u32::from_le_bytes(array(self.blob, self.at + 1)?);
                if length < u32::from(BIG) {
                    return Fault::new(self.at, format!("long form for a length of {length}"));
                }
                Ok((length as usize, 5))
            }
            short => Ok((usize::from(short), 1)),
        }
    }

    fn end(&self) -> Result<(), Fault> {
        if self.at + 1 != self.blob.len() {
            return Fault::new(self.at, "end mark before the end");
        }
        if self.fields == 0 {
            return Fault::new(self.at, "no fields");
        }
        let said = self.blob[0];
        if said < BIG && u64::from(said) != self.fields {
            return Fault::new(0, format!("says {said} fields, has {}", self.fields));
        }
        Ok(())
    }
}

impl<'a> Entries<'a> for Zipmap<'a> {
    fn next_entry(&mut self) -> Result<Option<Element<'a>>, Fault> {
        if !self.value_is_next && array::<1>(self.blob, self.at)?[0] == 0xff {
            self.end()?;
            return Ok(None);
        }
        let (length, header) = self.length()?;
        let mut from = self.at + header;
        let mut free = 0;
        if self.value_is_next {
            free = usize::from(array::<1>(self.blob, from)?[0]);
            from += 1;
        }
        let element = Element::Bytes(part(self.blob, from, length)?);
        part(self.blob, from + length, free)?;
        self.at = from + length + free;
        self.fields += u64::from(!self.value_is_next);
        self.value_is_next = !self.value_is_next;
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

    fn read(blob: &[u8]) -> Result<Vec<String>, Fault> {
        all(Zipmap::new(blob)?)
    }

    #[test]
    fn free_bytes_are_skipped() {
        let blob = [1, 1, b'f', 2, 3, b'v', b'w', 9, 9, 9, 0xff];
        assert_eq!(read(&blob), Ok(["f", "vw"].map(String::from).to_vec()));
        for cut in 0..blob.len() {
            assert!(read(&blob[..cut]).is_err());
        }
    }

    #[test]
    fn refuses_what_is_ambiguous_or_empty() {
        assert!(read(&[0, 0xff]).is_err());
        assert!(read(&[1, 1, b'f', 0xfe, 1, 0, 0, 0, 0, b'v', 0xff]).is_err());
        assert!(read(&[2, 1, b'f', 1, 0, b'v', 0xff]).is_err());
        assert!(read(&[1, 1, b'f', 0xff]).is_err());
    }
}
