//! A string of which the bytes come in pieces, put together where it will stay: it is never held twice, and of its compressed
//! form no more than a piece.

use super::hand::Key;
use crate::keyspace::{Nursery, STRING_BYTES_MAX, StringFilling};
use crate::rdb::cursor::Cursor;
use crate::rdb::format;
use crate::rdb::lzf::{self, Inflater, Output};

/// See the module.
#[derive(Debug)]
pub struct LongString {
    filling: StringFilling,
    /// For one that comes compressed.
    inflater: Option<Inflater>,
    /// What is wrong with it. That is told when it ends, as if it had been read as a whole: a file that ends before has that fault.
    fault: Option<&'static str>,
}

impl Output for StringFilling {
    fn make_room(&mut self, count: usize) -> bool {
        count <= self.left()
    }

    fn literals(&mut self, bytes: &[u8], count: usize) {
        self.append(&bytes[..count]);
    }

    fn repeat(&mut self, distance: usize, count: usize) -> bool {
        StringFilling::repeat(self, distance, count)
    }
}

impl LongString {
    /// Begins with the first piece of a value, in a file of at most so many bytes. `None`: it has to be read with care.
    pub fn begin(nursery: &Nursery, key: &Key, name: &[u8], value: &[u8], file_bytes: u64) -> Option<Self> {
        let first = *value.first()?;
        if key.rdb_type != format::STRING || (first >> 6 == 3 && first != format::COMPRESSED) {
            return None;
        }
        let mut cursor = Cursor::new(value, key.value_offset);
        let (stored, compressed) = if first == format::COMPRESSED {
            cursor.take(1).ok()?;
            let (packed, length) = cursor.compressed_head().ok()?;
            (packed as u64, Some(length))
        } else {
            (cursor.text_head().ok()?, None)
        };
        if stored > file_bytes {
            return None;
        }
        let length = compressed.unwrap_or(stored as usize);
        if length > STRING_BYTES_MAX {
            return None;
        }
        let mut string = LongString {
            filling: nursery.begin_string(name, length, key.expiry),
            inflater: compressed.map(|_| Inflater::default()),
            fault: None,
        };
        string.push(&value[cursor.read()..], false);
        Some(string)
    }

    /// The next piece; `ends`: the last one.
    pub fn push(&mut self, bytes: &[u8], ends: bool) {
        if self.fault.is_some() {
            return;
        }
        let pushed = match &mut self.inflater {
            Some(inflater) => inflater.push(bytes, ends, &mut self.filling),
            None if self.filling.append(bytes) => Ok(()),
            None => Err("value does not end where it should"),
        };
        self.fault = pushed.err();
    }

    /// All of it, once it has ended, or what is wrong with it.
    pub fn finish(self) -> Result<StringFilling, &'static str> {
        let short = match self.inflater {
            Some(_) => lzf::SHORTER,
            None => "value does not end where it should",
        };
        let is_short = self.filling.left() > 0;
        match self.fault.or(is_short.then_some(short)) {
            Some(reason) => Err(reason),
            None => Ok(self.filling),
        }
    }
}
