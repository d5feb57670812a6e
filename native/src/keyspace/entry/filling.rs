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

    /// How many bytes are left to come.
    pub fn left(&self) -> usize {
        self.len - self.filled
    }

    fn place(&mut self) -> *mut u8 {
        // SAFETY: the offset is within the allocation.
        unsafe { self.entry.start().add(self.entry.shape().value_offset()) }
    }

    /// Repeats so many of the bytes that have come, from so far back: those that this adds are repeated as well. False: there are none
    /// so far back, or they are more than are left to come, and nothing is done.
    pub fn repeat(&mut self, distance: usize, count: usize) -> bool {
        if distance == 0 || distance > self.filled || count > self.left() {
            return false;
        }
        let (filled, place) = (self.filled, self.place());
        let mut done = 0;
        while done < count {
            // No further than what is there: what is copied does not overlap.
            let step = (count - done).min(distance + done);
            // SAFETY: the allocation has room for `len` bytes of the string, of which `filled + done` have come; the bytes from
            // `distance` before `filled` up to there are `distance + done`.
            unsafe {
                let from = place.add(filled - distance);
                place.add(filled + done).copy_from_nonoverlapping(from, step);
            }
            done += step;
        }
        self.filled += count;
        true
    }

    /// The next bytes. False: they are more than are left to come, and nothing is done.
    pub fn append(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.left() {
            return false;
        }
        self.is_ascii &= bytes.is_ascii();
        // SAFETY: the allocation has room for `len` bytes of the string, and `filled` and these are not more.
        unsafe {
            self.place()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    #[test]
    fn it_becomes_what_a_vector_becomes() {
        let mut rng = Rng::new(8);
        for round in 0..40 {
            let len = rng.below(600);
            let (mut filling, mut model) = (StringFilling::new(b"key", len, None), Vec::new());
            while model.len() < len {
                let (distance, count) = (rng.below(40), rng.below(90));
                let is_ascii = round % 2 == 0 || model.len() < len / 2;
                let letter = if is_ascii { b'a' } else { 0xe0 } + rng.below(20) as u8;
                if rng.below(3) == 0 {
                    let bytes = vec![letter; count];
                    let fits = model.len() + count <= len;
                    assert_eq!(filling.append(&bytes), fits);
                    model.extend(if fits { &bytes[..] } else { &[] });
                } else {
                    let fits = (1..=model.len()).contains(&distance) && model.len() + count <= len;
                    assert_eq!(filling.repeat(distance, count), fits);
                    let from = model.len().saturating_sub(distance);
                    (from..from + if fits { count } else { 0 }).for_each(|at| model.push(model[at]));
                }
                assert_eq!(filling.left(), len - model.len());
            }
            let mut entry = filling.finish().expect("all has come");
            assert_eq!(entry.bytes_mut(), model);
            assert_eq!(entry.header() & ASCII != 0, model.is_ascii());
        }
        assert!(StringFilling::new(b"key", 1, None).finish().is_none());
    }
}
