//! Keys with what they held, written down as the reader of a cut wants them.

use crate::keyspace::EntryView;

/// Writes keys down under the lock of their segment, as fast as it can.
pub trait Recorder: Send + Sync {
    /// Adds a key with what it holds.
    fn record(&self, record: &mut Record, key: &[u8], content: EntryView<'_>, expire_at: Option<i64>);
    /// Whether fields of hashes may expire.
    fn has_expiring_fields(&self) -> bool;
}

/// Keys that were written down, one behind the other.
#[derive(Debug, Default)]
pub struct Record {
    /// What was written.
    pub bytes: Vec<u8>,
    /// Parts that are still to be encoded.
    pub texts: Texts,
    /// How many keys these are.
    pub keys: u64,
}

impl Record {
    /// An empty one with room for so many bytes and texts.
    pub(super) fn with_capacity(bytes: usize, texts: usize) -> Record {
        let list = Vec::with_capacity(texts);
        Record {
            bytes: Vec::with_capacity(bytes),
            texts: Texts { list, end: 0 },
            keys: 0,
        }
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.texts.list.capacity() * size_of::<Text>()
    }

    /// Forgets everything but the room for it.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.texts.list.clear();
        self.texts.end = 0;
        self.keys = 0;
    }
}

/// One of them: the bytes between it and the one before, and its length. What is longer is put down in several steps.
#[derive(Clone, Copy, Debug)]
struct Text {
    gap: u32,
    length: u32,
}

/// Places in a row of bytes, ascending.
#[derive(Debug, Default)]
pub struct Texts {
    list: Vec<Text>,
    /// Where the last one ends.
    end: usize,
}

impl Texts {
    /// Adds one of less than 4 GiB, which begins behind all others.
    pub fn push(&mut self, start: usize, length: usize) {
        debug_assert!(start >= self.end && u32::try_from(length).is_ok());
        let mut gap = start - self.end;
        while let Err(_too_large) = u32::try_from(gap) {
            self.list.push(Text {
                gap: u32::MAX,
                length: 0,
            });
            gap -= u32::MAX as usize;
        }
        self.list.push(Text {
            gap: gap as u32,
            length: length as u32,
        });
        self.end = start + length;
    }

    /// Where each begins, and its length. Some may be empty.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut end = 0;
        self.list.iter().map(move |text| {
            let start = end + text.gap as usize;
            end = start + text.length as usize;
            (start, text.length as usize)
        })
    }
}
