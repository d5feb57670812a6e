//! A set of integers, sorted and packed.
//!
//! All members have the width of the widest: 2, 4 or 8 bytes, widened when one does not fit and never narrowed.
//! Look-up is O(log n); insertion and removal move what lies behind, which is cheap up to the few hundred members that a
//! set keeps in this form. No allocation but the one vector.
#![allow(
    clippy::useless_conversion,
    reason = "the same code converts from 16, 32 and 64 bits"
)]

#[derive(Clone, Debug)]
enum Cells {
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

/// Runs the same code for whichever width the cells have.
macro_rules! each_width {
    ($cells:expr, $vec:ident => $body:expr) => {
        match $cells {
            Cells::I16($vec) => $body,
            Cells::I32($vec) => $body,
            Cells::I64($vec) => $body,
        }
    };
}

/// A set of integers in ascending order.
#[derive(Clone, Debug)]
pub struct IntSet {
    /// Strictly ascending.
    cells: Cells,
}

impl Default for IntSet {
    fn default() -> Self {
        IntSet {
            cells: Cells::I16(Vec::new()),
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
        each_width!(&self.cells, cells => cells.len())
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of one member: 2, 4 or 8.
    pub fn width(&self) -> usize {
        match self.cells {
            Cells::I16(_) => size_of::<i16>(),
            Cells::I32(_) => size_of::<i32>(),
            Cells::I64(_) => size_of::<i64>(),
        }
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.width() * each_width!(&self.cells, cells => cells.capacity())
    }

    /// Where the member stands, or where it would.
    fn search(&self, member: i64) -> Result<usize, usize> {
        each_width!(&self.cells, cells => cells.binary_search_by(|&cell| i64::from(cell).cmp(&member)))
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
        match &mut self.cells {
            // `widen_for` has made the width fit, so the casts lose nothing.
            Cells::I16(cells) => cells.insert(at, member as i16),
            Cells::I32(cells) => cells.insert(at, member as i32),
            Cells::I64(cells) => cells.insert(at, member),
        }
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
        self.cells = if needed == size_of::<i32>() {
            Cells::I32(self.iter().map(|cell| cell as i32).collect())
        } else {
            Cells::I64(self.iter().collect())
        };
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
        each_width!(&mut self.cells, cells => {
            let member = cells.remove(position);
            if cells.len() < cells.capacity() / 4 {
                cells.shrink_to(cells.len() * 2);
            }
            i64::from(member)
        })
    }

    /// The member at this position in ascending order.
    pub fn nth(&self, position: usize) -> Option<i64> {
        each_width!(&self.cells, cells => cells.get(position).map(|&cell| i64::from(cell)))
    }

    /// The smallest and the largest member.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        Some((self.nth(0)?, self.nth(self.len() - 1)?))
    }

    /// The members in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        (0..self.len()).map(|position| match &self.cells {
            Cells::I16(cells) => i64::from(cells[position]),
            Cells::I32(cells) => i64::from(cells[position]),
            Cells::I64(cells) => cells[position],
        })
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
    fn memory_counts_the_one_vector() {
        let mut set = IntSet::new();
        assert_eq!(set.memory(), 0);
        (0..512).for_each(|n| assert!(set.insert(n)));
        assert!((1024..=2048).contains(&set.memory()));
        (0..510).for_each(|n| assert!(set.remove(n)));
        assert!(set.memory() <= 16);
    }
}
