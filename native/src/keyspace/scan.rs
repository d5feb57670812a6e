//! Walks over all keys for SCAN, KEYS, RANDOMKEY and DBSIZE.

use super::segment::SEGMENT_BITS;
use super::{Db, Entry, EntryView, segment_of};

/// Positions that SCAN gives out are multiples of this, so that a store may put a shard's number into the low bits.
pub const SCAN_POSITION_STEP: u64 = 1 << 10;

/// How often RANDOMKEY draws again when it meets a key that is due.
const RANDOM_DRAWS_MAX: usize = 64;

impl Db<'_> {
    /// Number of visible keys. The command must have locked all.
    pub fn len(&mut self) -> usize {
        let now_ms = self.now_ms();
        self.all()
            .iter()
            .map(|segment| segment.len() - segment.due_count(now_ms))
            .sum()
    }

    /// Whether no key is visible. The command must have locked all.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` for every visible key with all that it holds. The command must have locked all.
    pub fn for_each(&mut self, mut visit: impl FnMut(&[u8], EntryView<'_>, Option<i64>)) {
        let now_ms = self.now_ms();
        for segment in self.all() {
            segment.hide_due_fields(now_ms);
            let alive = |entry: &&Entry| entry.goes_at().is_none_or(|at| at > now_ms);
            for entry in segment.iter().filter(alive) {
                visit(entry.key(), entry.view(), entry.expire_at());
            }
        }
    }

    /// Visits about `count` keys from `cursor` on and gives the next cursor, 0 at the end. The command must have locked
    /// all.
    ///
    /// A cursor is a position in hash space, and keys are visited in the order of their hashes. A key that is there from
    /// the first call to the last is visited exactly once, however the table grows, splits or shrinks in between. Fields of a
    /// hash that are due may be seen with it.
    pub fn scan(&mut self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], EntryView<'_>)) -> u64 {
        let now_ms = self.now_ms();
        let (mut position, mut visited) = (cursor, 0);
        loop {
            let segment = segment_of(position);
            let (entries, next_page) = self.all()[segment].page_from(position);
            let mut last = None;
            for (hash, entry) in entries {
                // Keys between two positions are visited together.
                let step = hash / SCAN_POSITION_STEP;
                if visited >= count && last != Some(step) {
                    return step * SCAN_POSITION_STEP;
                }
                if entry.goes_at().is_none_or(|at| at > now_ms) {
                    visit(entry.key(), entry.view());
                }
                last = Some(step);
                visited += 1;
            }
            position = match next_page.or_else(|| (segment as u64 + 1).checked_shl(64 - SEGMENT_BITS)) {
                Some(next) if next > position => next,
                _ => return 0,
            };
            if visited >= count {
                return position;
            }
        }
    }

    /// A visible key, each with the same probability. The command must have locked all.
    pub fn random_key(&mut self) -> Option<Vec<u8>> {
        let total: usize = self.all().iter().map(|segment| segment.len()).sum();
        if total == 0 {
            return None;
        }
        for _ in 0..RANDOM_DRAWS_MAX {
            let mut n = self.rng().below(total);
            let guards = self.all();
            let segment = guards.iter().position(|segment| {
                let here = n < segment.len();
                n -= if here { 0 } else { segment.len() };
                here
            });
            let entry = segment
                .and_then(|segment| guards[segment].nth(n))
                .map(|e| (e.key().to_vec(), e.goes_at()));
            if let Some((key, goes_at)) = entry
                && goes_at.is_none_or(|at| at > self.now_ms())
            {
                return Some(key);
            }
        }
        let mut found = None;
        self.for_each(|key, _, _| {
            found.get_or_insert_with(|| key.to_vec());
        });
        found
    }
}
