//! Entries of strings that are made piece by piece, so that a long one is never held twice.

use super::{ASCII, Entry, STRING_BYTES_MAX};

/// An entry whose string has not all come yet.
pub struct StringFilling {
    /// Nobody reads the string behind `filled`.
    entry: Entry,
    len: usize,
    filled: usize,
    is_ascii: bool,
}

impl std::fmt::Debug for StringFilling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StringFilling")
            .field("len", &self.len)
            .field("filled", &self.filled)
            .finish()
    }
}

impl StringFilling {
    /// The entry of a string of so many bytes. Neither `key` nor it may be longer than [`STRING_BYTES_MAX`].
    pub fn new(key: &[u8], len: usize, expire_at: Option<i64>) -> StringFilling {
        assert!(len <= STRING_BYTES_MAX, "string too long");
        let (entry, _) = Entry::allocate(key, 0, len, expire_at);
        StringFilling {
            entry,
            len,
            filled: 0,
            is_ascii: true,
        }
    }

    /// The next bytes. False: they are more than are left to come, and nothing is done.
    pub fn append(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.len - self.filled {
            return false;
        }
        self.is_ascii &= bytes.is_ascii();
        // SAFETY: the allocation has room for `len` bytes of the string, and `filled` and these are not more.
        unsafe {
            let place = self.entry.start().add(self.entry.shape().value_offset());
            place
                .add(self.filled)
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        self.filled += bytes.len();
        true
    }

    /// The entry, if all bytes have come.
    pub fn finish(self) -> Option<Entry> {
        if self.filled < self.len {
            return None;
        }
        let ascii = if self.is_ascii { ASCII } else { 0 };
        self.entry.write_header(self.entry.header() | ascii);
        Some(self.entry)
    }
}

impl Entry {
    /// The entry of a string that begins as `start`, goes on with zeros up to `len` (neither longer than
    /// [`STRING_BYTES_MAX`]), and is changed then.
    ///
    /// # Errors
    /// What `change` refuses.
    pub fn changed_string<E>(
        key: &[u8],
        start: &[u8],
        len: usize,
        change: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Entry, E> {
        let len = len.max(start.len());
        assert!(len <= STRING_BYTES_MAX, "string too long");
        let (mut entry, shape) = Entry::allocate(key, 0, len, None);
        // SAFETY: `allocate` made room for `len` bytes of the string, of which `start` is the first part.
        unsafe {
            let place = entry.start().add(shape.value_offset());
            place.copy_from_nonoverlapping(start.as_ptr(), start.len());
            place.add(start.len()).write_bytes(0, len - start.len());
        }
        change(entry.bytes_mut())?;
        if entry.bytes_mut().is_ascii() {
            entry.write_header(entry.header() | ASCII);
        }
        Ok(entry)
    }
}
