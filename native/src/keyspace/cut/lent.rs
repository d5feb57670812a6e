//! A long string that a cut has to have, while it stays where it is.
//!
//! It takes too long to be copied under the lock of its segment. So whoever encodes copies it slice by slice, and lets others
//! have the lock in between; a writer that changes bytes of it first leaves the pages that these belong to. If the entry leaves the
//! table, it belongs to the cut from then on.
//!
//! Lock order: the segment's, then [`Lent::state`].

use crate::keyspace::Entry;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Range;

/// A string of so many bytes is long. Tests are to have some.
const LONG_BYTES_MIN: usize = if cfg!(any(test, fuzzing)) { 48 } else { 1 << 20 };
/// What a writer leaves at least: the bytes around the one that it changes.
const PAGE_BYTES: usize = if cfg!(any(test, fuzzing)) { 8 } else { 4 << 10 };
/// What is copied under one hold of the lock, in some 20 us. A multiple of a page.
const SLICE_BYTES: usize = 32 * PAGE_BYTES / if cfg!(any(test, fuzzing)) { 16 } else { 1 };

/// Whether the entry holds a string that is lent and not copied.
#[inline]
pub fn is_long(entry: &Entry) -> bool {
    entry.bytes().is_some_and(|bytes| bytes.len() >= LONG_BYTES_MIN)
}

/// See the module.
pub struct Lent {
    pub key: Box<[u8]>,
    pub expire_at: Option<i64>,
    /// The string's length at the cut. Until it leaves the table it never becomes shorter.
    len: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The entry, once it is in no table any more.
    owned: Option<Entry>,
    /// Pages as they were, by number.
    kept: BTreeMap<usize, Box<[u8]>>,
    /// The bytes before this one have been copied.
    done: usize,
}

impl Lent {
    /// Lends the string of an entry.
    pub fn of(entry: &Entry) -> Lent {
        Lent {
            key: entry.key().into(),
            expire_at: entry.expire_at(),
            len: entry.bytes().map_or(0, <[u8]>::len),
            state: Mutex::default(),
        }
    }

    /// Keeps what stands in these places of the string, which are about to change.
    pub fn keep(&self, string: &[u8], places: &[Range<usize>]) {
        let mut state = self.state.lock();
        let first = state.done / PAGE_BYTES;
        for place in places {
            let pages = place.start / PAGE_BYTES..place.end.min(self.len).div_ceil(PAGE_BYTES);
            for page in pages.start.max(first)..pages.end {
                let end = self.len.min((page + 1) * PAGE_BYTES);
                let bytes = || string[page * PAGE_BYTES..end].into();
                state.kept.entry(page).or_insert_with(bytes);
            }
        }
    }

    /// The entry is in no table any more.
    pub fn own(&self, entry: Entry) {
        self.state.lock().owned = Some(entry);
    }

    /// Appends the next slice of the string to the ones before. `live` is what the table holds under the key.
    pub fn copy_slice(&self, live: Option<&[u8]>, copied: &mut Vec<u8>) {
        let mut state = self.state.lock();
        let owned = state.owned.as_ref().and_then(Entry::bytes);
        let Some(string) = owned.or(live) else {
            unreachable!("who takes the entry out of the table leaves it here")
        };
        let from = copied.len();
        let end = self.len.min(from + SLICE_BYTES);
        copied.extend_from_slice(&string[from..end]);
        let later = state.kept.split_off(&end.div_ceil(PAGE_BYTES));
        for (page, bytes) in std::mem::replace(&mut state.kept, later) {
            copied[page * PAGE_BYTES..][..bytes.len()].copy_from_slice(&bytes);
        }
        state.done = end;
    }

    /// The string's length at the cut.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Takes the entry, if it is in no table any more.
    pub fn take_owned(&self) -> Option<Entry> {
        self.state.lock().owned.take()
    }
}

#[cfg(test)]
#[path = "../tests/lent.rs"]
mod tests;
