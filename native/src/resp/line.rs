//! Lines and lengths, from which everything in RESP is made.

use super::{Malformed, Progress};
use crate::command::args::int;

/// Longest line that holds a length or a number: a sign, twenty digits, a fraction and an exponent of a double.
const NUMBER_LINE_BYTES_MAX: usize = 64;

/// A position in bytes that may end too early.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What a step of a parser gives: `Ok(None)` asks for more bytes.
pub(super) type Step<T> = Result<Option<T>, Malformed>;

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, at: 0 }
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn finish<T>(self, step: Step<T>) -> Result<Progress<T>, Malformed> {
        Ok(step?.map_or(Progress::NeedMore, |value| Progress::Done(value, self.at)))
    }

    pub fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    /// The bytes before the next CRLF, at most `bytes_max`.
    pub fn line(&mut self, bytes_max: usize) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let Some(end) = memchr::memchr2(b'\r', b'\n', &rest[..rest.len().min(bytes_max + 1)]) else {
            return if rest.len() > bytes_max {
                Err(Malformed::new("too big line"))
            } else {
                Ok(None)
            };
        };
        match &rest[end..] {
            [b'\r'] => Ok(None),
            [b'\r', b'\n', ..] => {
                self.at += end + 2;
                Ok(Some(&rest[..end]))
            }
            _ => Err(Malformed::new("expected CRLF at the end of a line")),
        }
    }

    pub fn number_line(&mut self) -> Step<&'a [u8]> {
        self.line(NUMBER_LINE_BYTES_MAX)
    }

    /// A line that is an integer from `min` to `max`.
    pub fn length(&mut self, min: i64, max: i64, reason: &str) -> Step<i64> {
        let Some(line) = self.number_line()? else {
            return Ok(None);
        };
        match int(line) {
            Ok(length) if (min..=max).contains(&length) => Ok(Some(length)),
            _ => Err(Malformed::new(reason)),
        }
    }

    /// So many bytes and a CRLF.
    pub fn bulk(&mut self, length: usize) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        if rest.len() < length + 2 {
            let behind = rest.get(length).is_none_or(|&byte| byte == b'\r');
            return if behind {
                Ok(None)
            } else {
                Err(Malformed::new("expected CRLF behind a bulk"))
            };
        }
        if &rest[length..length + 2] != b"\r\n" {
            return Err(Malformed::new("expected CRLF behind a bulk"));
        }
        self.at += length + 2;
        Ok(Some(&rest[..length]))
    }
}

/// Appends a type byte, a number and a CRLF.
pub(super) fn push_header(out: &mut Vec<u8>, kind: u8, number: i64) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends a bulk.
pub(super) fn push_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    push_header(out, b'$', bytes.len() as i64);
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}
