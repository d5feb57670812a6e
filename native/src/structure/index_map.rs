//! A hash table that remembers the order of insertion.
//!
//! The entries lie in a vector without holes; tables of 32-bit positions find them. Removal moves the last entry into the
//! hole, so the order is decided by the history of operations alone and never by hash values, which differ from process
//! to process: the seed is drawn at start, and chosen keys cannot be made to collide.
//!
//! Cost per entry: the entry itself (8 bytes for a set's member, plus one heap block with the text), 4 bytes of hash, and
//! 6 to 11 bytes of table. Neither the vector nor the table is ever moved as a whole: the vector is in pieces, and the
//! table is many small ones that split one at a time, so the longest insertion takes about as long in a map of a million
//! entries as in one of a few thousand. The hashes are kept so that a split reads no key.
//! `get`, `insert`, `swap_remove` and `at` are O(1); `scan` is O(elements visited).

use std::hash::BuildHasher;
use std::sync::LazyLock;

mod chunks;
mod entry;
mod positions;

pub use chunks::Iter;
use chunks::{Chunks, FrozenChunks};
pub use entry::{Entry, Keyed, Member, Pair};
use positions::Positions;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

/// Entries of one map. Positions have 32 bits.
pub const ENTRIES_MAX: usize = u32::MAX as usize;

/// Bytes of table per entry from which on the last table is made anew. It needs a tenth of it.
const SPARSE_BYTES_PER_ENTRY: usize = 96;

/// The tables of fewer entries are not made anew.
const ENTRIES_KEPT_ROOM_FOR: usize = 64;

static SECRETS: LazyLock<RapidSecrets> =
    LazyLock::new(|| RapidSecrets::seed(std::hash::RandomState::new().hash_one(0u64)));

fn hash(key: &[u8]) -> u32 {
    (rapidhash_v3_seeded(key, &SECRETS) >> 32) as u32
}

/// Entries by key, in the order of insertion.
#[derive(Debug)]
pub struct IndexMap<E> {
    entries: Chunks<E>,
    /// `hashes[i]` is the hash of the key of `entries[i]`.
    hashes: Chunks<u32>,
    /// Exactly the positions `0..entries.len()`, each once, under its hash.
    positions: Positions,
    /// Sum of [`Entry::heap_bytes`].
    heap_bytes: usize,
}

impl<E: Entry> Default for IndexMap<E> {
    fn default() -> Self {
        IndexMap {
            entries: Chunks::with_capacity(0),
            hashes: Chunks::with_capacity(0),
            positions: Positions::with_capacity(0),
            heap_bytes: 0,
        }
    }
}

impl<E: Entry> IndexMap<E> {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty map with room for so many entries.
    pub fn with_capacity(entries: usize) -> Self {
        IndexMap {
            entries: Chunks::with_capacity(entries),
            hashes: Chunks::with_capacity(entries),
            positions: Positions::with_capacity(entries),
            heap_bytes: 0,
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.entries.memory() + self.hashes.memory() + self.positions.memory() + self.heap_bytes
    }

    /// Where the entry with this key stands.
    pub fn position(&self, key: &[u8]) -> Option<usize> {
        self.find(hash(key), key)
    }

    fn find(&self, hash: u32, key: &[u8]) -> Option<usize> {
        self.positions.find(hash, |at| self.entries[at].key() == key)
    }

    /// The entry with this key.
    pub fn get(&self, key: &[u8]) -> Option<&E> {
        self.position(key).map(|at| &self.entries[at])
    }

    /// Whether there is an entry with this key.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.position(key).is_some()
    }

    /// The entry at this position.
    pub fn at(&self, position: usize) -> Option<&E> {
        self.entries.get(position)
    }

    /// Changes the entry at this position, which must be below [`IndexMap::len`]. The key must stay the same.
    pub fn edit_at<R>(&mut self, position: usize, change: impl FnOnce(&mut E) -> R) -> R {
        let entry = self
            .entries
            .get_mut(position)
            .expect("the position is below the length");
        let before = entry.heap_bytes();
        let result = change(entry);
        self.heap_bytes = self.heap_bytes - before + entry.heap_bytes();
        debug_assert_eq!(hash(entry.key()), self.hashes[position]);
        result
    }

    /// Appends what `make` gives if no entry has this key; otherwise gives the position of the one that has it.
    /// `make` must give an entry with this key.
    pub fn insert_with(&mut self, key: &[u8], make: impl FnOnce() -> E) -> Result<(), usize> {
        let (hash, at) = (hash(key), self.entries.len());
        assert!(at < ENTRIES_MAX, "too many entries in one collection");
        let entries = &self.entries;
        let is_it = |at: usize| entries[at].key() == key;
        if let Some(found) = self
            .positions
            .find_or_insert(hash, at as u32, &self.hashes, is_it)
        {
            return Err(found);
        }
        self.push(hash, make());
        Ok(())
    }

    /// Makes room for so many entries at once, if there are none yet.
    pub fn reserve(&mut self, entries: usize) {
        if self.is_empty() {
            self.entries.reserve(entries);
            self.hashes.reserve(entries);
            self.positions.reserve(entries);
        }
    }

    /// Appends the entry, or puts it in the place of the one with the same key, which it gives back.
    pub fn insert(&mut self, entry: E) -> Option<E> {
        let hash = hash(entry.key());
        let Some(at) = self.find(hash, entry.key()) else {
            self.append(hash, entry);
            return None;
        };
        self.heap_bytes += entry.heap_bytes();
        let old = self
            .entries
            .get_mut(at)
            .map(|place| std::mem::replace(place, entry));
        self.heap_bytes -= old.as_ref().map_or(0, Entry::heap_bytes);
        old
    }

    fn append(&mut self, hash: u32, entry: E) {
        let at = self.entries.len();
        assert!(at < ENTRIES_MAX, "too many entries in one collection");
        self.push(hash, entry);
        self.positions.insert(at as u32, &self.hashes);
    }

    /// Appends the entry, whose position is to be in [`IndexMap::positions`] too.
    fn push(&mut self, hash: u32, entry: E) {
        debug_assert_eq!(hash, self::hash(entry.key()));
        self.heap_bytes += entry.heap_bytes();
        self.entries.push(entry);
        self.hashes.push(hash);
    }

    /// Removes the entry with this key; the last entry takes its place.
    pub fn swap_remove(&mut self, key: &[u8]) -> Option<E> {
        self.position(key).map(|at| self.swap_remove_at(at))
    }

    /// Removes the entry at this position, which must be below [`IndexMap::len`]; the last entry takes its place.
    pub fn swap_remove_at(&mut self, position: usize) -> E {
        let last = self.entries.len() - 1;
        self.positions.remove(position as u32, &self.hashes);
        if position != last {
            self.positions
                .change(last as u32, position as u32, self.hashes[last]);
        }
        self.hashes.swap_remove(position);
        let entry = self.entries.swap_remove(position);
        self.heap_bytes -= entry.heap_bytes();
        self.shrink_if_sparse();
        entry
    }

    fn shrink_if_sparse(&mut self) {
        if self.positions.memory() > SPARSE_BYTES_PER_ENTRY * self.len().max(ENTRIES_KEPT_ROOM_FOR) {
            self.positions = Positions::of(&self.hashes);
        }
    }

    /// The entries in order.
    pub fn iter(&self) -> Iter<'_, E> {
        self.entries.iter()
    }

    /// The entries as they are now, whatever becomes of the map. O(pieces of 512 entries): a piece is shared until the map
    /// changes it, which copies it.
    pub fn freeze(&mut self) -> FrozenEntries<E> {
        FrozenEntries(self.entries.freeze())
    }

    /// Visits at most `count` entries and gives the cursor to go on with: 0 starts, and 0 says that all were visited.
    ///
    /// The cursor is the number of entries still to come, visited from the last to the first. New entries are appended
    /// and a removal moves an entry only towards the front, so one that is not yet visited never gets to the visited
    /// side of the cursor: whatever is in the map during a whole scan is visited at least once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(&E)) -> u64 {
        let len = self.entries.len();
        let end = match usize::try_from(cursor) {
            Ok(0) | Err(_) => len,
            Ok(rest) => rest.min(len),
        };
        let start = end.saturating_sub(count.max(1));
        (start..end).rev().for_each(|at| visit(&self.entries[at]));
        start as u64
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn verify(&self) {
        self.entries.verify();
        self.hashes.verify();
        assert_eq!(self.hashes.len(), self.entries.len());
        self.positions.verify(&self.hashes);
        for (at, entry) in self.entries.iter().enumerate() {
            assert_eq!(self.hashes[at], hash(entry.key()));
            assert_eq!(self.position(entry.key()), Some(at));
        }
        let heap_bytes: usize = self.entries.iter().map(Entry::heap_bytes).sum();
        assert_eq!(self.heap_bytes, heap_bytes);
    }
}

/// The entries that a map had at some time, in order.
#[derive(Debug)]
pub struct FrozenEntries<E>(FrozenChunks<E>);

impl<E: Entry> FrozenEntries<E> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.0.iter()
    }

    /// Bytes on the heap that were never the map's, without what entries own. O(1).
    pub fn own_bytes(&self) -> usize {
        self.0.own_bytes()
    }

    /// Bytes on the heap that the map does not account for: those of pieces that it has no more, and of texts in them that nobody
    /// else has. O(entries).
    pub fn memory(&self) -> usize {
        self.0.memory(Entry::unshared_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::live_bytes;
    use proptest::prelude::*;
    use std::collections::{BTreeSet, VecDeque};
    use std::thread;

    #[derive(Clone, Debug)]
    enum Op {
        Insert(Vec<u8>, Vec<u8>),
        Remove(Vec<u8>),
        RemoveAt(usize),
        Edit(usize, Vec<u8>),
        /// So many keys by number.
        InsertRun(u16),
        Freeze,
        Thaw,
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(b'a'..b'd', 0..4),
            proptest::collection::vec(any::<u8>(), 0..80)
        ]
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (key(), key()).prop_map(|(k, v)| Op::Insert(k, v)),
            2 => key().prop_map(Op::Remove),
            1 => any::<usize>().prop_map(Op::RemoveAt),
            1 => (any::<usize>(), key()).prop_map(|(i, v)| Op::Edit(i, v)),
            1 => (0u16..700).prop_map(Op::InsertRun),
            1 => Just(Op::Freeze),
            1 => Just(Op::Thaw),
        ]
    }

    /// The plain twin: a vector of pairs.
    fn apply(op: Op, map: &mut IndexMap<Pair>, model: &mut Model) {
        let len = model.len();
        match op {
            Op::InsertRun(count) => (0..count).for_each(|n| {
                apply(Op::Insert(n.to_string().into(), b"v".to_vec()), map, model);
            }),
            Op::Insert(key, value) => {
                let old = map.insert(Pair::new(&key, &value));
                match model.iter_mut().find(|(k, _)| *k == key) {
                    Some(pair) => assert_eq!(
                        old.unwrap().value(),
                        std::mem::replace(&mut pair.1, value).as_slice()
                    ),
                    None => {
                        assert!(old.is_none());
                        model.push((key, value));
                    }
                }
            }
            Op::Remove(key) => {
                let at = model.iter().position(|(k, _)| *k == key);
                let removed = map.swap_remove(&key);
                assert_eq!(removed.is_some(), at.is_some());
                at.map(|at| model.swap_remove(at));
            }
            Op::RemoveAt(i) if len > 0 => {
                let removed = map.swap_remove_at(i % len);
                assert_eq!(removed.key(), model.swap_remove(i % len).0);
            }
            Op::Edit(i, value) if len > 0 => {
                map.edit_at(i % len, |pair| pair.set_value(&value));
                model[i % len].1 = value;
            }
            Op::RemoveAt(_) | Op::Edit(..) | Op::Freeze | Op::Thaw => {}
        }
    }

    type Model = Vec<(Vec<u8>, Vec<u8>)>;

    fn content<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Model {
        pairs.map(|p| (p.key().to_vec(), p.value().to_vec())).collect()
    }

    proptest! {
        #[test]
        fn behaves_like_a_vector_of_pairs(ops in proptest::collection::vec(op(), 0..200)) {
            let mut map = IndexMap::new();
            let mut model = Model::new();
            let mut frozen: VecDeque<(FrozenEntries<Pair>, Model)> = VecDeque::new();
            for op in ops {
                match op {
                    Op::Freeze => frozen.push_back((map.freeze(), model.clone())),
                    Op::Thaw => drop(frozen.pop_front()),
                    op => apply(op, &mut map, &mut model),
                }
                map.verify();
                prop_assert_eq!(&content(map.iter()), &model);
                for (frozen, model) in &frozen {
                    prop_assert_eq!(&content(frozen.iter()), model);
                }
            }
        }

        #[test]
        fn a_scan_visits_all_that_stays(
            start in 1u32..200,
            count in 1usize..20,
            changes in proptest::collection::vec((any::<bool>(), any::<u32>()), 0..400),
        ) {
            let mut map = IndexMap::new();
            for n in 0..start {
                map.insert(Keyed::new(&n.to_le_bytes(), n));
            }
            let mut staying: BTreeSet<u32> = (0..start).collect();
            let mut seen = BTreeSet::new();
            let mut changes = changes.into_iter();
            let mut cursor = 0;
            loop {
                cursor = map.scan(cursor, count, &mut |entry: &Keyed<u32>| {
                    seen.insert(entry.payload);
                });
                if cursor == 0 {
                    break;
                }
                for (insert, n) in changes.by_ref().take(5) {
                    if insert {
                        map.insert(Keyed::new(&(1000 + n % 500).to_le_bytes(), 1000 + n % 500));
                    } else if map.len() > 1 {
                        let gone = map.swap_remove_at(n as usize % map.len());
                        staying.remove(&gone.payload);
                    }
                }
            }
            prop_assert!(staying.is_subset(&seen));
        }
    }

    #[test]
    fn a_cursor_beyond_the_end_starts_at_the_end() {
        let mut map = IndexMap::new();
        for n in 0..10u8 {
            map.insert(Member::new(&[n], ()));
        }
        let mut seen = 0;
        assert_eq!(map.scan(u64::MAX, 100, &mut |_| seen += 1), 0);
        assert_eq!(seen, 10);
        assert_eq!(IndexMap::<Member>::new().scan(7, 10, &mut |_| seen += 1), 0);
        assert_eq!(seen, 10);
    }

    #[test]
    fn insert_with_makes_no_entry_that_is_there() {
        let mut map = IndexMap::new();
        assert_eq!(map.insert_with(b"a", || Keyed::new(b"a", 1)), Ok(()));
        assert_eq!(map.insert_with(b"a", || unreachable!()), Err(0));
        assert_eq!(map.get(b"a").map(|entry| entry.payload), Some(1));
    }

    #[test]
    fn every_byte_of_frozen_entries_is_accounted_once() {
        let mut map = IndexMap::new();
        let base = live_bytes();
        let check = |map: &IndexMap<Pair>, frozen: &[FrozenEntries<Pair>]| {
            let said = map.memory() + frozen.iter().map(FrozenEntries::memory).sum::<usize>();
            assert_eq!(said as isize, live_bytes() - base);
        };
        for n in 0..5000u32 {
            map.insert(Pair::new(&n.to_le_bytes(), b"value"));
        }
        check(&map, &[]);
        let frozen = [map.freeze()];
        check(&map, &frozen);
        for n in 0..700u32 {
            map.swap_remove(&(n * 7).to_le_bytes());
            map.insert(Pair::new(&(n * 5).to_le_bytes(), b"another value"));
            check(&map, &frozen);
        }
        drop(frozen);
        check(&map, &[]);
        for n in 0..5000u32 {
            map.swap_remove(&n.to_le_bytes());
        }
        check(&map, &[]);
    }

    #[test]
    fn another_thread_reads_what_was_frozen() {
        let mut map = IndexMap::new();
        for n in 0..20_000u32 {
            map.insert(Keyed::new(&n.to_le_bytes(), n));
        }
        for round in 0..5 {
            let frozen = map.freeze();
            let before: u64 = map.iter().map(|entry| u64::from(entry.payload)).sum();
            thread::scope(|scope| {
                scope.spawn(move || {
                    let sum: u64 = frozen.iter().map(|entry| u64::from(entry.payload)).sum();
                    assert_eq!((frozen.len(), sum), (20_000, before));
                });
                for n in 0..20_000u32 {
                    map.edit_at(n as usize, |entry| {
                        entry.payload = entry.payload.rotate_left(round + 1)
                    });
                    if n % 3 == 0 {
                        let gone = map.swap_remove_at(n as usize);
                        map.insert(gone);
                    }
                }
            });
            map.verify();
        }
    }

    #[test]
    fn memory_comes_back_after_removal() {
        let mut map = IndexMap::new();
        for n in 0..10_000u32 {
            map.insert(Member::new(&n.to_le_bytes(), ()));
        }
        let full = map.memory();
        for n in 0..9_990u32 {
            map.swap_remove(&n.to_le_bytes()).unwrap();
        }
        map.verify();
        assert!(map.memory() < full / 30, "{} of {full}", map.memory());
    }
}
