//! A set of integers, sorted and packed.
//!
//! All members have the width of the widest: 2, 4 or 8 bytes, widened when one does not fit and never narrowed.
//! Look-up is O(log n); insertion and removal move what lies behind, which is cheap up to the few hundred members that a
//! set keeps in this form. One allocation.

use super::buffer::Buffer;

/// Runs the same code for whichever width the cells have: `$cells` is a slice of arrays of bytes, `$member` reads one.
macro_rules! each_width {
    ($set:expr, $cells:ident, $member:ident => $body:expr) => {
        match $set.width() {
            2 => {
                let ($cells, $member) = ($set.bytes.as_chunks().0, |cell| {
                    i64::from(i16::from_le_bytes(cell))
                });
                $body
            }
            4 => {
                let ($cells, $member) = ($set.bytes.as_chunks().0, |cell| {
                    i64::from(i32::from_le_bytes(cell))
                });
                $body
            }
            _ => {
                let ($cells, $member) = ($set.bytes.as_chunks().0, i64::from_le_bytes);
                $body
            }
        }
    };
}

/// A set of integers in ascending order.
#[derive(Clone)]
pub struct IntSet {
    /// Members of equal width, the least significant byte first, strictly ascending. The note is the width.
    bytes: Buffer,
}

impl std::fmt::Debug for IntSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Default for IntSet {
    fn default() -> Self {
        IntSet {
            bytes: Buffer::new(&[], size_of::<i16>() as u16),
        }
    }
}

impl IntSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.width()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of one member: 2, 4 or 8.
    pub fn width(&self) -> usize {
        usize::from(self.bytes.note)
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.bytes.room()
    }

    /// Where the member stands, or where it would.
    fn search(&self, member: i64) -> Result<usize, usize> {
        each_width!(self, cells, read => cells.binary_search_by(|&cell| read(cell).cmp(&member)))
    }

    /// Whether it is a member.
    pub fn contains(&self, member: i64) -> bool {
        self.search(member).is_ok()
    }

    /// Adds a member; false if it was one.
    pub fn insert(&mut self, member: i64) -> bool {
        let Err(at) = self.search(member) else {
            return false;
        };
        self.widen_for(member);
        let (width, len) = (self.width(), self.bytes.len());
        if len + width > self.bytes.room() {
            self.bytes.set_room(len + width);
        }
        self.bytes.set_len(len + width);
        let place = at * width;
        self.bytes.copy_within(place..len, place + width);
        // `widen_for` has made the width fit, so the bytes that are left out say nothing.
        self.bytes[place..place + width].copy_from_slice(&member.to_le_bytes()[..width]);
        true
    }

    fn widen_for(&mut self, member: i64) {
        let needed = if i16::try_from(member).is_ok() {
            size_of::<i16>()
        } else if i32::try_from(member).is_ok() {
            size_of::<i32>()
        } else {
            size_of::<i64>()
        };
        if needed <= self.width() {
            return;
        }
        let mut wide = Vec::with_capacity((self.len() + 1) * needed);
        for member in self.iter() {
            wide.extend_from_slice(&member.to_le_bytes()[..needed]);
        }
        self.bytes = Buffer::new(&wide, needed as u16);
    }

    /// Removes a member; false if it was none.
    pub fn remove(&mut self, member: i64) -> bool {
        let found = self.search(member);
        if let Ok(at) = found {
            self.remove_at(at);
        }
        found.is_ok()
    }

    /// Removes the member at this position, which must be below [`IntSet::len`].
    pub fn remove_at(&mut self, position: usize) -> i64 {
        let member = self.at(position);
        let (width, len) = (self.width(), self.bytes.len());
        self.bytes.copy_within((position + 1) * width.., position * width);
        let left = len - width;
        self.bytes.set_len(left);
        if left < self.bytes.room() / 4 {
            self.bytes.set_room(left * 2);
        }
        member
    }

    fn at(&self, position: usize) -> i64 {
        each_width!(self, cells, read => read(cells[position]))
    }

    /// The member at this position in ascending order.
    pub fn nth(&self, position: usize) -> Option<i64> {
        (position < self.len()).then(|| self.at(position))
    }

    /// The smallest and the largest member.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        Some((self.nth(0)?, self.nth(self.len() - 1)?))
    }

    /// The members in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        (0..self.len()).map(|position| self.at(position))
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn verify(&self) {
        assert!(
            self.iter().zip(self.iter().skip(1)).all(|(a, b)| a < b),
            "ascending"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn member() -> impl Strategy<Value = i64> {
        prop_oneof![
            -20i64..20,
            any::<i16>().prop_map(i64::from),
            any::<i32>().prop_map(i64::from),
            any::<i64>(),
            Just(i64::MIN),
            Just(i64::MAX),
        ]
    }

    proptest! {
        #[test]
        fn behaves_like_a_sorted_set(ops in proptest::collection::vec((0..3u8, member()), 0..200)) {
            let mut set = IntSet::new();
            let mut model = BTreeSet::new();
            for (kind, member) in ops {
                match kind {
                    0 | 1 => prop_assert_eq!(set.insert(member), model.insert(member)),
                    _ => prop_assert_eq!(set.remove(member), model.remove(&member)),
                }
                set.verify();
                prop_assert_eq!(set.contains(member), model.contains(&member));
                prop_assert!(set.iter().eq(model.iter().copied()));
                prop_assert_eq!(set.nth(set.len() / 2), model.iter().nth(set.len() / 2).copied());
                prop_assert_eq!(set.bounds(), model.first().copied().zip(model.last().copied()));
            }
        }
    }

    #[test]
    fn width_grows_on_demand_and_stays() {
        let mut set = IntSet::new();
        let steps = [
            (i64::from(i16::MAX), 2),
            (i64::from(i16::MIN), 2),
            (i64::from(i16::MAX) + 1, 4),
            (i64::from(i32::MIN), 4),
            (i64::from(i32::MIN) - 1, 8),
        ];
        for (member, width) in steps {
            assert!(set.insert(member));
            assert_eq!(set.width(), width);
            set.verify();
        }
        assert!(set.remove(i64::from(i32::MIN) - 1));
        assert_eq!(set.width(), 8);
        assert!(!set.contains(i64::from(i32::MIN) - 1));
    }

    #[test]
    fn memory_is_that_of_the_one_allocation() {
        let mut set = IntSet::new();
        assert_eq!(set.memory(), 16);
        (0..512).for_each(|n| assert!(set.insert(n)));
        assert!((1024..=2048).contains(&set.memory()));
        (0..510).for_each(|n| assert!(set.remove(n)));
        assert!(set.memory() <= 16);
    }
}
