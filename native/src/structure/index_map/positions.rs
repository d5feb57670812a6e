//! Where in a vector the entries of a hash stand.
//!
//! Many small tables instead of a large one, and one of them splits in two whenever the average is full (linear
//! hashing), two are joined when the average is sparse: no change lays out more than a few thousand positions anew, however
//! many there are. Which table follows from the number of tables alone, so there is no directory.

use super::chunks::Chunks;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use smallvec::{SmallVec, smallvec};

/// Positions per table, on average, above which one more table is made. A table about to split has twice as many, which
/// is what 4096 buckets hold.
const PER_TABLE: usize = 1792;

/// Positions per table, on average, below which there is one table less.
const JOINED_BELOW: usize = PER_TABLE / 4;

/// Bits of a hash that place a position in its table. The bits above choose the table, the topmost seven are the tag.
const PLACE_BITS: u32 = 13;

/// Positions by 32-bit hash. The hashes themselves lie with the owner, at the same positions.
#[derive(Debug)]
pub(super) struct Positions {
    /// Never empty.
    tables: SmallVec<[HashTable<u32>; 1]>,
    len: usize,
    /// Sum of the tables' allocations.
    table_bytes: usize,
}

fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Positions {
    /// No positions, with room for so many.
    pub(super) fn with_capacity(positions: usize) -> Self {
        let first = HashTable::with_capacity(positions.min(PER_TABLE));
        Positions {
            table_bytes: first.allocation_size(),
            tables: smallvec![first],
            len: 0,
        }
    }

    /// Makes room for so many positions at once. Nothing may be there yet.
    pub(super) fn reserve(&mut self, positions: usize) {
        debug_assert_eq!(self.len, 0);
        let count = positions.div_ceil(PER_TABLE).max(1);
        let whole = count.next_power_of_two();
        // Those that have not split yet have the share of two.
        let unsplit = count - whole / 2..whole / 2;
        let room = |number| positions.div_ceil(whole) << u32::from(unsplit.contains(&number));
        self.tables = (0..count)
            .map(|number| HashTable::with_capacity(room(number)))
            .collect();
        self.table_bytes = self.tables.iter().map(HashTable::allocation_size).sum();
    }

    /// The positions `0..hashes.len()`.
    pub(super) fn of(hashes: &Chunks<u32>) -> Self {
        let mut positions = Positions::with_capacity(hashes.len());
        (0..hashes.len()).for_each(|at| positions.insert(at as u32, hashes));
        positions
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        let spilled = if self.tables.spilled() {
            self.tables.capacity()
        } else {
            0
        };
        self.table_bytes + spilled * size_of::<HashTable<u32>>()
    }

    /// The table of a hash: chosen by as many bits as there are tables, or by one less if that table is still to come.
    fn table(&self, hash: u32) -> usize {
        let mask = self.tables.len().next_power_of_two() - 1;
        let chosen = (hash >> PLACE_BITS) as usize & mask;
        if chosen < self.tables.len() {
            chosen
        } else {
            chosen & (mask >> 1)
        }
    }

    /// The position with this hash for which `is_it` holds.
    pub(super) fn find(&self, hash: u32, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        let table = &self.tables[self.table(hash)];
        table
            .find(spread(hash), |&at| is_it(at as usize))
            .map(|&at| at as usize)
    }

    /// The position with this hash for which `is_it` holds. If there is none, adds `at`, at which the hash is to be put next.
    pub(super) fn find_or_insert(
        &mut self,
        hash: u32,
        at: u32,
        hashes: &Chunks<u32>,
        mut is_it: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let table = &self.tables[self.table(hash)];
        let is_full = self.len >= self.tables.len() * PER_TABLE || table.len() == table.capacity();
        if is_full {
            if let Some(found) = self.find(hash, is_it) {
                return Some(found);
            }
            self.insert_hash(hash, at, hashes);
            return None;
        }
        let hash_of = |&at: &u32| spread(hashes[at as usize]);
        let chosen = self.table(hash);
        match self.tables[chosen].entry(spread(hash), |&at| is_it(at as usize), hash_of) {
            Entry::Occupied(found) => return Some(*found.get() as usize),
            Entry::Vacant(place) => place.insert(at),
        };
        self.len += 1;
        None
    }

    /// Adds a position, which must be new.
    pub(super) fn insert(&mut self, at: u32, hashes: &Chunks<u32>) {
        self.insert_hash(hashes[at as usize], at, hashes);
    }

    fn insert_hash(&mut self, hash: u32, at: u32, hashes: &Chunks<u32>) {
        if self.len >= self.tables.len() * PER_TABLE {
            self.split_next(hashes);
        }
        self.len += 1;
        self.put(hash, at, hashes);
    }

    fn put(&mut self, hash: u32, at: u32, hashes: &Chunks<u32>) {
        let hash_of = |&at: &u32| spread(hashes[at as usize]);
        let chosen = self.table(hash);
        let table = &mut self.tables[chosen];
        let before = table.allocation_size();
        table.insert_unique(spread(hash), at, hash_of);
        self.table_bytes = self.table_bytes - before + table.allocation_size();
    }

    /// Makes one more table, out of the one whose hashes it shares.
    fn split_next(&mut self, hashes: &Chunks<u32>) {
        let new = self.tables.len();
        let mask = (new + 1).next_power_of_two() - 1;
        let old = std::mem::take(&mut self.tables[new & (mask >> 1)]);
        self.table_bytes -= old.allocation_size();
        self.tables.push(HashTable::new());
        old.into_iter()
            .for_each(|at| self.put(hashes[at as usize], at, hashes));
    }

    /// Removes a position, which must be there.
    pub(super) fn remove(&mut self, at: u32, hashes: &Chunks<u32>) {
        let hash = hashes[at as usize];
        let chosen = self.table(hash);
        let place = self.tables[chosen].find_entry(spread(hash), |&candidate| candidate == at);
        place.expect("every position is in its table").remove();
        self.len -= 1;
        if self.tables.len() > 1 && self.len < self.tables.len() * JOINED_BELOW {
            self.join_last(hashes);
        }
    }

    /// Makes one table less: the last one goes back to the one that it was split from.
    fn join_last(&mut self, hashes: &Chunks<u32>) {
        if let Some(last) = self.tables.pop() {
            self.table_bytes -= last.allocation_size();
            last.into_iter()
                .for_each(|at| self.put(hashes[at as usize], at, hashes));
        }
    }

    /// Changes a position, which must be there under this hash.
    pub(super) fn change(&mut self, from: u32, to: u32, hash: u32) {
        let chosen = self.table(hash);
        let place = self.tables[chosen].find_mut(spread(hash), |&candidate| candidate == from);
        *place.expect("every position is in its table") = to;
    }

    /// Panics if an invariant is broken.
    pub(super) fn verify(&self, hashes: &Chunks<u32>) {
        assert_eq!(self.len, hashes.len());
        assert_eq!(self.tables.iter().map(HashTable::len).sum::<usize>(), self.len);
        let table_bytes: usize = self.tables.iter().map(HashTable::allocation_size).sum();
        assert_eq!(self.table_bytes, table_bytes);
        for (at, &hash) in hashes.iter().enumerate() {
            assert_eq!(self.find(hash, |candidate| candidate == at), Some(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    #[test]
    fn tables_split_one_at_a_time_and_lose_nothing() {
        let mut rng = Rng::new(5);
        let mut hashes = Chunks::with_capacity(0);
        let mut positions = Positions::with_capacity(0);
        for at in 0..20 * PER_TABLE {
            let tables = positions.tables.len();
            hashes.push(rng.next_u64() as u32);
            positions.insert(at as u32, &hashes);
            assert!(positions.tables.len() <= tables + 1);
            if (at + 1).is_multiple_of(PER_TABLE) {
                positions.verify(&hashes);
            }
        }
        assert_eq!(positions.tables.len(), 20);
        assert!(positions.tables.iter().all(|table| table.len() < 3 * PER_TABLE));
        for at in (0..20 * PER_TABLE).rev() {
            let tables = positions.tables.len();
            positions.remove(at as u32, &hashes);
            hashes.swap_remove(at);
            assert!(positions.tables.len() + 1 >= tables);
            if at.is_multiple_of(PER_TABLE) {
                positions.verify(&hashes);
            }
        }
        assert_eq!(positions.tables.len(), 1);
        positions.verify(&hashes);
    }

    #[test]
    fn room_for_all_is_never_outgrown_by_much() {
        let mut rng = Rng::new(6);
        for count in [1, PER_TABLE, PER_TABLE + 1, 5 * PER_TABLE, 10_000, 16 * PER_TABLE] {
            let mut hashes = Chunks::with_capacity(0);
            let (mut reserved, mut grown) = (Positions::with_capacity(0), Positions::with_capacity(0));
            reserved.reserve(count);
            for at in 0..count {
                let hash = rng.next_u64() as u32;
                assert_eq!(reserved.find_or_insert(hash, at as u32, &hashes, |_| false), None);
                hashes.push(hash);
                grown.insert(at as u32, &hashes);
            }
            reserved.verify(&hashes);
            assert_eq!(reserved.tables.len(), grown.tables.len());
            assert!(reserved.memory() <= 2 * grown.memory());
            assert_eq!(
                reserved.find_or_insert(hashes[0], 0, &hashes, |at| at == 0),
                Some(0)
            );
        }
    }

    #[test]
    fn equal_hashes_live_together() {
        let mut hashes = Chunks::with_capacity(0);
        (0..PER_TABLE + 100).for_each(|_| hashes.push(0xdead_beef));
        let mut positions = Positions::of(&hashes);
        positions.verify(&hashes);
        let last = hashes.len() - 1;
        positions.remove(7, &hashes);
        positions.change(last as u32, 7, hashes[last]);
        hashes.swap_remove(7);
        positions.verify(&hashes);
    }
}
