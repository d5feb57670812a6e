//! Instants of some elements of a sequence, by position, for a sequence that changes as the collections do: elements are
//! appended, and a removal moves the last one into the hole.
//!
//! Cost: 8 bytes per position up to the last one with an instant, and about 24 bytes per instant from
//! [`SCANNED_POSITIONS_MAX`] positions on. The earliest instant is known in O(1); a change is O(log n), or a scan of the
//! positions where they are few.

use std::collections::BTreeSet;

/// Up to so many positions, the earliest instant is found by looking at all of them.
const SCANNED_POSITIONS_MAX: usize = 64;

/// Estimated heap bytes of an instant in its order: 16 at the usual fill of a B-tree node, and its share of headers.
const ORDERED_BYTES: usize = 24;

/// What stands for "no instant". No instant is as late.
const NEVER: i64 = i64::MAX;

/// See the module.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// [`NEVER`] at a position without an instant; those behind the end have none either.
    instants: Vec<i64>,
    /// (instant, position) of every instant, once the positions were more than a scan is made for.
    order: Option<BTreeSet<(i64, u32)>>,
    /// The earliest instant, or [`NEVER`].
    earliest: i64,
    len: usize,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines {
            instants: Vec::new(),
            order: None,
            earliest: NEVER,
            len: 0,
        }
    }
}

impl Deadlines {
    /// Number of instants.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no instant.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        let ordered = self.order.as_ref().map_or(0, BTreeSet::len);
        self.instants.capacity() * size_of::<i64>() + ordered * ORDERED_BYTES
    }

    /// The instant at a position.
    pub fn get(&self, position: usize) -> Option<i64> {
        self.instants
            .get(position)
            .copied()
            .filter(|&instant| instant != NEVER)
    }

    /// The earliest instant.
    #[inline]
    pub fn earliest(&self) -> Option<i64> {
        (self.earliest != NEVER).then_some(self.earliest)
    }

    /// The position of the earliest instant; the lowest, of several. A function of what the positions hold, so that to
    /// remove the elements of the first `n` instants is the same, done at once or in steps.
    pub fn first(&self) -> Option<usize> {
        match &self.order {
            Some(order) => order.first().map(|&(_, position)| position as usize),
            None if self.is_empty() => None,
            None => self.instants.iter().position(|&instant| instant == self.earliest),
        }
    }

    /// The latest instant.
    pub fn latest(&self) -> Option<i64> {
        match &self.order {
            Some(order) => order.last().map(|&(instant, _)| instant),
            None => self
                .instants
                .iter()
                .copied()
                .filter(|&instant| instant != NEVER)
                .max(),
        }
    }

    /// Gives a position an instant, in the place of the one it has, or takes it away.
    pub fn set(&mut self, position: usize, instant: Option<i64>) {
        let new = instant.unwrap_or(NEVER);
        if position >= self.instants.len() {
            if new == NEVER {
                return;
            }
            self.instants.resize(position + 1, NEVER);
            if self.order.is_none() && self.instants.len() > SCANNED_POSITIONS_MAX {
                self.order = Some(self.ordered().collect());
            }
        }
        let old = std::mem::replace(&mut self.instants[position], new);
        if old == new {
            return;
        }
        self.len = self.len + usize::from(new != NEVER) - usize::from(old != NEVER);
        if let Some(order) = &mut self.order {
            if old != NEVER {
                order.remove(&(old, position as u32));
            }
            if new != NEVER {
                order.insert((new, position as u32));
            }
        }
        if new <= self.earliest {
            self.earliest = new;
        } else if old == self.earliest {
            self.earliest = self.find_earliest();
        }
    }

    /// Says that the element at `position` was removed and that the one at `last`, which was the last, took its place.
    pub fn swap_remove(&mut self, position: usize, last: usize) {
        let moved = self.get(last);
        self.set(last, None);
        if position != last {
            self.set(position, moved);
        }
        self.instants.truncate(last);
        if self.instants.capacity() > 8 * self.instants.len().max(SCANNED_POSITIONS_MAX) {
            self.instants.shrink_to(2 * self.instants.len());
        }
    }

    fn find_earliest(&self) -> i64 {
        match &self.order {
            Some(order) => order.first().map_or(NEVER, |&(instant, _)| instant),
            None => self.instants.iter().copied().min().unwrap_or(NEVER),
        }
    }

    fn ordered(&self) -> impl Iterator<Item = (i64, u32)> {
        let with_position = self.instants.iter().zip(0u32..);
        with_position
            .filter(|&(&instant, _)| instant != NEVER)
            .map(|(&instant, position)| (instant, position))
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn verify(&self) {
        let ordered: BTreeSet<_> = self.ordered().collect();
        assert_eq!(self.len, ordered.len());
        let first = ordered.first().copied();
        assert_eq!(self.earliest(), first.map(|(instant, _)| instant));
        assert_eq!(self.first(), first.map(|(_, position)| position as usize));
        assert_eq!(self.latest(), ordered.last().map(|&(instant, _)| instant));
        assert!(self.order.is_some() || self.instants.len() <= SCANNED_POSITIONS_MAX);
        if let Some(order) = &self.order {
            assert_eq!(*order, ordered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Op {
        Append(Option<i64>),
        Set(usize, Option<i64>),
        Remove(usize),
        RemoveFirst,
    }

    fn op() -> impl Strategy<Value = Op> {
        let instant = || proptest::option::weighted(0.7, -5i64..20);
        prop_oneof![
            4 => instant().prop_map(Op::Append),
            3 => (any::<usize>(), instant()).prop_map(|(at, instant)| Op::Set(at, instant)),
            2 => any::<usize>().prop_map(Op::Remove),
            1 => Just(Op::RemoveFirst),
        ]
    }

    fn remove(deadlines: &mut Deadlines, model: &mut Vec<Option<i64>>, at: usize) {
        deadlines.swap_remove(at, model.len() - 1);
        model.swap_remove(at);
    }

    proptest! {
        #[test]
        fn follows_a_vector(start in 0usize..150, ops in proptest::collection::vec(op(), 0..300)) {
            let (mut deadlines, mut model) = (Deadlines::default(), vec![None; start]);
            for op in ops {
                let len = model.len();
                match op {
                    Op::Append(instant) => {
                        deadlines.set(len, instant);
                        model.push(instant);
                    }
                    Op::Set(at, instant) if len > 0 => {
                        deadlines.set(at % len, instant);
                        model[at % len] = instant;
                    }
                    Op::Remove(at) if len > 0 => remove(&mut deadlines, &mut model, at % len),
                    Op::RemoveFirst => {
                        if let Some(at) = deadlines.first() {
                            let earliest = model.iter().flatten().min();
                            prop_assert_eq!(model[at].as_ref(), earliest);
                            remove(&mut deadlines, &mut model, at);
                        }
                    }
                    Op::Set(..) | Op::Remove(_) => {}
                }
                deadlines.verify();
                prop_assert_eq!(deadlines.len(), model.iter().flatten().count());
                for (at, instant) in model.iter().enumerate() {
                    prop_assert_eq!(deadlines.get(at), *instant);
                }
                prop_assert_eq!(deadlines.get(model.len()), None);
            }
        }
    }

    #[test]
    fn memory_comes_back() {
        let mut deadlines = Deadlines::default();
        (0..10_000).for_each(|at| deadlines.set(at, Some(at as i64)));
        assert!(deadlines.memory() >= 10_000 * 32);
        (0..10_000).rev().for_each(|at| deadlines.swap_remove(at, at));
        assert!(deadlines.is_empty() && deadlines.memory() < 10_000);
    }
}
