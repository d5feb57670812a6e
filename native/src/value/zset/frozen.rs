//! What a large sorted set held at some time. Its order is not kept, but found again by whoever asks for it.

use crate::structure::index_map::{Entry, FrozenEntries, Keyed};
use crate::value::Element;

/// See the module.
#[derive(Debug)]
pub struct FrozenZSet(FrozenEntries<Keyed<f64>>);

impl FrozenZSet {
    pub(super) fn of(scores: FrozenEntries<Keyed<f64>>) -> Self {
        FrozenZSet(scores)
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All members with their scores in descending order. O(n log n) before the first one.
    pub fn iter_rev(&self) -> impl Iterator<Item = (Element<'_>, f64)> {
        let mut members: Vec<(f64, &[u8])> =
            self.0.iter().map(|entry| (entry.payload, entry.key())).collect();
        // No score is NaN, and none is a negative zero.
        members.sort_unstable_by(|(a, member), (b, other)| b.total_cmp(a).then_with(|| other.cmp(member)));
        members
            .into_iter()
            .map(|(score, member)| (Element::Bytes(member), score))
    }

    /// Bytes on the heap that were never those of the sorted set. O(1).
    pub fn own_bytes(&self) -> usize {
        self.0.own_bytes()
    }

    /// Bytes on the heap that the sorted set does not account for. O(members).
    pub fn memory(&self) -> usize {
        self.0.memory()
    }
}
