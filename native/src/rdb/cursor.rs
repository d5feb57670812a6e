//! Lengths, integers and strings, out of the bytes that have arrived so far.

use super::RdbError;
use super::format::{COMPRESSED, STRING_BYTES_MAX};
use super::lzf;
use crate::value::Element;
use std::borrow::Cow;

/// Why a record could not be read now.
#[derive(Debug)]
pub enum Stop {
    /// It may be readable once so many bytes are there, counted from the cursor's first byte.
    Need(usize),
    /// It can never be read.
    Bad(RdbError),
}

pub type Parsed<T> = Result<T, Stop>;

/// A string as the file holds it.
#[derive(Debug)]
pub enum Text<'a> {
    Bytes(Cow<'a, [u8]>),
    /// Coded as an integer: stands for its decimal text.
    Int(i64),
}

impl Text<'_> {
    #[inline]
    pub fn element(&self) -> Element<'_> {
        match self {
            Text::Bytes(bytes) => Element::Bytes(bytes),
            Text::Int(n) => Element::Int(*n),
        }
    }

    pub fn to_bytes(&self) -> Cow<'_, [u8]> {
        self.element().to_cow()
    }

    pub fn size(&self) -> usize {
        match self {
            Text::Bytes(bytes) => bytes.len(),
            Text::Int(n) => itoa::Buffer::new().format(*n).len(),
        }
    }
}

/// A place in the bytes that are there. A read that fails leaves the cursor somewhere behind its start: the caller
/// begins again with a fresh cursor when more bytes have come.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Offset of the first byte in the file.
    base: u64,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8], base: u64) -> Self {
        Cursor { bytes, at: 0, base }
    }

    /// Bytes read so far.
    #[inline]
    pub fn read(&self) -> usize {
        self.at
    }

    /// Bytes that are there and not read.
    #[inline]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Goes back to where so many bytes had been read.
    pub fn rewind(&mut self, read: usize) {
        self.at = read;
    }

    /// The bytes read so far.
    #[inline]
    pub fn consumed(&self) -> &'a [u8] {
        &self.bytes[..self.at]
    }

    /// Offset of the next byte in the file.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    pub fn bad<T>(&self, reason: impl Into<String>) -> Parsed<T> {
        bad_at(self.offset(), reason)
    }

    #[inline]
    pub fn take(&mut self, count: usize) -> Parsed<&'a [u8]> {
        let end = self.at + count;
        let taken = self.bytes.get(self.at..end).ok_or(Stop::Need(end))?;
        self.at = end;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    #[inline]
    pub fn u8(&mut self) -> Parsed<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u32(&mut self) -> Parsed<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Parsed<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Parsed<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Parsed<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub fn f64(&mut self) -> Parsed<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    pub fn f32(&mut self) -> Parsed<f32> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    /// A length or another number in the length encoding.
    #[inline]
    pub fn length(&mut self) -> Parsed<u64> {
        let from = self.offset();
        let first = self.u8()?;
        match first >> 6 {
            0 => Ok(u64::from(first)),
            1 => Ok(u64::from(first & 63) << 8 | u64::from(self.u8()?)),
            _ => match first {
                0x80 => Ok(u64::from(u32::from_be_bytes(self.array()?))),
                0x81 => Ok(u64::from_be_bytes(self.array()?)),
                _ => bad_at(from, format!("byte 0x{first:02x} where a length is expected")),
            },
        }
    }

    /// A string.
    #[inline]
    pub fn text(&mut self) -> Parsed<Text<'a>> {
        let Some(first) = self.bytes.get(self.at) else {
            return Err(Stop::Need(self.at + 1));
        };
        if first >> 6 != 3 {
            let from = self.offset();
            let length = self.length()?;
            return Ok(Text::Bytes(Cow::Borrowed(
                self.take(within_limit(length, from)?)?,
            )));
        }
        match self.u8()? {
            0xc0 => Ok(Text::Int(i64::from(i8::from_le_bytes(self.array()?)))),
            0xc1 => Ok(Text::Int(i64::from(i16::from_le_bytes(self.array()?)))),
            0xc2 => Ok(Text::Int(i64::from(self.i32()?))),
            COMPRESSED => self.compressed(),
            other => self.unknown_string(other),
        }
    }

    fn unknown_string<T>(&self, first: u8) -> Parsed<T> {
        bad_at(
            self.offset() - 1,
            format!("unknown string encoding 0x{first:02x}"),
        )
    }

    /// What stands before a string's bytes, and how many these are in the file.
    #[inline]
    pub fn text_head(&mut self) -> Parsed<u64> {
        let Some(first) = self.bytes.get(self.at) else {
            return Err(Stop::Need(self.at + 1));
        };
        if first >> 6 != 3 {
            let from = self.offset();
            let length = self.length()?;
            return Ok(within_limit(length, from)? as u64);
        }
        match self.u8()? {
            0xc0 => Ok(1),
            0xc1 => Ok(2),
            0xc2 => Ok(4),
            COMPRESSED => Ok(self.compressed_head()?.0 as u64),
            other => self.unknown_string(other),
        }
    }

    /// Goes on by so many bytes, or as far as there are any; gives how many these were.
    #[inline]
    pub fn pass(&mut self, count: u64) -> u64 {
        let there = (self.bytes.len() - self.at) as u64;
        let passed = count.min(there);
        self.at += passed as usize;
        passed
    }

    /// Goes over a string that is neither compressed nor long, if all of it is there.
    #[inline]
    pub fn pass_short_text(&mut self) -> bool {
        let (header, length) = match self.bytes[self.at..] {
            [first @ 0..64, ..] => (1, usize::from(first)),
            [first @ 64..128, second, ..] => (2, usize::from(first & 63) << 8 | usize::from(second)),
            [kind @ 0xc0..=0xc2, ..] => (1, 1 << (kind & 3)),
            _ => return false,
        };
        self.pass_whole(header + length)
    }

    /// Goes on by so many bytes, if there are as many.
    #[inline]
    pub fn pass_whole(&mut self, count: usize) -> bool {
        let is_there = count <= self.left();
        self.at += if is_there { count } else { 0 };
        is_there
    }

    /// How many compressed bytes follow, and for how many they stand.
    pub fn compressed_head(&mut self) -> Parsed<(usize, usize)> {
        let from = self.offset() - 1;
        let (packed, length) = (self.length()?, self.length()?);
        if length > packed.saturating_mul(lzf::EXPANSION_MAX) {
            return bad_at(
                from,
                format!("{packed} compressed bytes cannot hold the declared {length}"),
            );
        }
        Ok((within_limit(packed, from)?, within_limit(length, from)?))
    }

    fn compressed(&mut self) -> Parsed<Text<'a>> {
        let from = self.offset() - 1;
        let (packed, length) = self.compressed_head()?;
        match lzf::decompress(self.take(packed)?, length) {
            Ok(bytes) => Ok(Text::Bytes(Cow::Owned(bytes))),
            Err(reason) => bad_at(from, reason),
        }
    }

    /// A string's bytes, decompressed into the buffer, which is there for the next one again. An integer is no such string.
    pub fn blob<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Parsed<&'b [u8]>
    where
        'a: 'b,
    {
        let from = self.offset();
        if self.bytes.get(self.at) != Some(&COMPRESSED) {
            return match self.text()? {
                Text::Bytes(Cow::Borrowed(bytes)) => Ok(bytes),
                _ => bad_at(from, "integer where bytes are expected"),
            };
        }
        self.at += 1;
        let (packed, length) = self.compressed_head()?;
        match lzf::decompress_into(self.take(packed)?, length, buffer) {
            Ok(()) => Ok(&buffer[..length]),
            Err(reason) => bad_at(from, reason),
        }
    }

    /// A string's bytes.
    #[inline]
    pub fn bytes(&mut self) -> Parsed<Cow<'a, [u8]>> {
        Ok(match self.text()? {
            Text::Bytes(bytes) => bytes,
            Text::Int(n) => Cow::Owned(itoa::Buffer::new().format(n).as_bytes().to_vec()),
        })
    }
}

pub fn bad_at<T>(offset: u64, reason: impl Into<String>) -> Parsed<T> {
    let reason = reason.into();
    Err(Stop::Bad(RdbError { offset, reason }))
}

fn within_limit(length: u64, offset: u64) -> Parsed<usize> {
    if length > STRING_BYTES_MAX {
        return bad_at(
            offset,
            format!("string of {length} bytes, more than the limit of {STRING_BYTES_MAX}"),
        );
    }
    Ok(length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn len_of(bytes: &[u8]) -> Parsed<u64> {
        Cursor::new(bytes, 0).length()
    }

    #[test]
    fn lengths_in_every_form() {
        assert_eq!(len_of(&[63]).ok(), Some(63));
        assert_eq!(len_of(&[0x40 | 5, 7]).ok(), Some(5 * 256 + 7));
        assert_eq!(len_of(&[0x80, 0, 1, 0, 0]).ok(), Some(65536));
        assert_eq!(
            len_of(&[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).ok(),
            Some(u64::MAX)
        );
        assert!(matches!(len_of(&[0x81, 1]), Err(Stop::Need(9))));
        assert!(matches!(
            len_of(&[0x82, 0, 0, 0, 0]),
            Err(Stop::Bad(RdbError { offset: 0, .. }))
        ));
        assert!(matches!(len_of(&[0xc3]), Err(Stop::Bad(_))));
    }

    #[test]
    fn strings_in_every_form() {
        let read = |bytes: &[u8]| Cursor::new(bytes, 0).bytes().map(Cow::into_owned);
        assert_eq!(read(&[2, b'h', b'i']).ok().as_deref(), Some(&b"hi"[..]));
        assert_eq!(read(&[0xc0, 0xf4]).ok().as_deref(), Some(&b"-12"[..]));
        assert_eq!(read(&[0xc1, 0x2c, 1]).ok().as_deref(), Some(&b"300"[..]));
        assert_eq!(read(&[0xc2, 0, 0, 1, 0]).ok().as_deref(), Some(&b"65536"[..]));
        assert_eq!(
            read(&[0xc3, 4, 4, 0, b'a', 0x20, 0]).ok().as_deref(),
            Some(&b"aaaa"[..])
        );
        assert!(matches!(read(&[0xc4, 0]), Err(Stop::Bad(_))));
        assert!(matches!(read(&[5, b'a']), Err(Stop::Need(6))));
    }

    #[test]
    fn no_size_is_believed() {
        let huge = [0x81, 0x80, 0, 0, 0, 0, 0, 0, 0];
        assert!(matches!(
            Cursor::new(&huge, 9).text(),
            Err(Stop::Bad(RdbError { offset: 9, .. }))
        ));
        let bomb = [0xc3, 3, 0x80, 0, 1, 0, 0, 0, b'a', b'b'];
        assert!(matches!(Cursor::new(&bomb, 0).text(), Err(Stop::Bad(_))));
    }
}
