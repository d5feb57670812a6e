//! Fields of hashes that are due: hidden before a command sees them, and removed a few at a time.

use super::{Entry, Segment, has_due_field};
use crate::keyspace::cut::Gone;
use crate::keyspace::hash_of;
use crate::value::HashValue;

/// Hidden fields that a command removes where it has hidden them.
const FIELDS_SWEPT_IN_PASSING: usize = 32;

impl Segment {
    /// Whether a field that is due at `now` may be there. One comparison.
    #[inline]
    pub fn has_due_fields(&self, now: impl FnOnce() -> i64) -> bool {
        self.next_due_field != i64::MAX && self.next_due_field <= now()
    }

    /// Hides every field whose instant is not after `now`, and removes keys that have no other fields.
    pub fn hide_due_fields(&mut self, now: i64) {
        while self.next_due_field <= now {
            self.treat_first_due(now, |hash| hash.hide_due(now));
        }
    }

    /// Hides the fields of a key that are due, and removes a few of them. A key that has no other fields is invisible as it is.
    pub fn hide_due_fields_of(&mut self, hash: u64, key: &[u8], now: i64) {
        let is_due = |at: Option<i64>| at.is_some_and(|at| at <= now);
        let is_it =
            |entry: &Entry| is_due(entry.next_due_field()) && !is_due(entry.goes_at()) && entry.key() == key;
        self.treat(hash, is_it, |fields| {
            let removed = fields.hide_due(now);
            removed + fields.sweep(FIELDS_SWEPT_IN_PASSING)
        });
    }

    /// As [`Segment::hide_due_fields`], for up to `limit` hashes, and removes up to `limit` fields. Says how many fields and keys
    /// went.
    pub(super) fn remove_due_fields(&mut self, now: i64, limit: usize) -> usize {
        let mut removed = 0;
        for _ in 0..limit {
            if removed >= limit || self.next_due_field > now {
                break;
            }
            removed += self.treat_first_due(now, |hash| hash.remove_due(now, limit - removed));
        }
        removed + self.sweep(limit - removed)
    }

    /// Runs `change` on the hash whose field is due first, unless all of it is due, and gives how many fields or keys went.
    fn treat_first_due(&mut self, now: i64, change: impl FnOnce(&mut HashValue) -> usize) -> usize {
        let Some((at, hash)) = self.due_fields.first() else {
            return 0;
        };
        let is_it = |entry: &Entry| has_due_field(entry, at, hash);
        let goes_at = self.find_where(hash, is_it).and_then(Entry::goes_at);
        if goes_at.is_none_or(|at| at > now) {
            return self.treat(hash, is_it, change);
        }
        let gone = self.delete_where(hash, is_it);
        self.expired += u64::from(gone.is_some());
        gone.into_iter().map(Gone::discard).count()
    }

    /// Runs `change` on a hash, and gives what it gives.
    fn treat(
        &mut self,
        hash: u64,
        is_it: impl Fn(&Entry) -> bool,
        change: impl FnOnce(&mut HashValue) -> usize,
    ) -> usize {
        let treated = self.update_where(hash, is_it, None, |entry| {
            let Some(fields) = entry.hash_mut() else {
                return (0, false);
            };
            let had_hidden = fields.has_hidden();
            (change(fields), !had_hidden && fields.has_hidden())
        });
        let (removed, hides) = treated.unwrap_or((0, false));
        if hides {
            self.unswept.push(hash);
        }
        removed
    }

    /// Whether hidden fields may be there.
    pub fn is_unswept(&self) -> bool {
        !self.unswept.is_empty()
    }

    /// Removes up to `limit` hidden fields, and says how many.
    fn sweep(&mut self, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some(&hash) = self.unswept.last()
        {
            let is_it = |entry: &Entry| entry.has_hidden_fields() && hash_of(entry.key()) == hash;
            let swept = self.update_where(hash, is_it, None, |entry| {
                entry.hash_mut().map_or(0, |fields| fields.sweep(limit - removed))
            });
            match swept {
                Some(swept) => removed += swept,
                None => {
                    self.unswept.pop();
                }
            }
        }
        removed
    }
}
