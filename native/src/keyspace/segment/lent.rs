//! Strings that stay where they are while a cut copies them: see [`crate::keyspace::cut`].

use super::Segment;
use crate::keyspace::cut::{Gone, is_long};
use crate::keyspace::{Entry, hash_of};
use std::ops::Range;
use std::sync::Arc;

impl Segment {
    /// As [`Segment::update`], of an entry that changes nothing of a string but what stands in these places, and what is behind it.
    pub fn update_string<R>(
        &mut self,
        hash: u64,
        key: &[u8],
        places: &[Range<usize>],
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        self.update_where(hash, |entry| entry.key() == key, Some(places), change)
    }

    /// Whether the key holds a string that had better not be overwritten where it is, because a cut would have to copy it first.
    #[inline]
    pub fn lends(&self, hash: u64, key: &[u8]) -> bool {
        self.share.may_lend() && self.find(hash, key).is_some_and(is_long)
    }

    /// Puts an entry in the place of the one that has its key, as if that had been overwritten.
    pub fn supplant(&mut self, hash: u64, entry: Entry) -> Option<Gone> {
        let access = self.find(hash, entry.key()).map(Entry::access);
        let gone = self.delete(hash, entry.key());
        access.inspect(|&access| entry.set_access(access));
        self.insert(hash, entry);
        gone
    }

    /// Gives what is lent to those who have to have it, because this segment leaves the table.
    pub(super) fn give_up_lent(&mut self) {
        for lent in self.share.take_lent() {
            if Arc::strong_count(&lent) > 1 {
                let entry = self.remove_where(hash_of(&lent.key), |entry| *entry.key() == *lent.key);
                entry.into_iter().for_each(|entry| lent.own(entry));
            }
        }
    }
}
