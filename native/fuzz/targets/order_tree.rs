//! The order of a sorted set against a sorted vector.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::structure::order_tree::{Entry, Members, OrderTree, Slot};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Op {
    Insert(i8),
    InsertAny(f64),
    InsertRun(i16, u8),
    Remove(u16),
    RemoveRun(u16, u8),
    Rename(u16),
    Bound(f64),
}

/// Members are the bytes of their own number, so that a later one is not always behind.
#[derive(Default)]
struct Table(Vec<[u8; 4]>);

impl Table {
    fn add(&mut self) -> Slot {
        let slot = self.0.len() as Slot;
        self.0.push(slot.to_le_bytes());
        slot
    }
}

impl Members for Table {
    fn member(&self, slot: Slot) -> &[u8] {
        &self.0[slot as usize]
    }
}

#[derive(Default)]
struct Pair {
    tree: OrderTree,
    table: Table,
    sorted: Vec<Entry>,
}

impl Pair {
    fn insert(&mut self, score: f64) {
        if score.is_nan() {
            return;
        }
        let slot = self.table.add();
        let entry = Entry { score, slot };
        self.tree.insert(entry, &self.table);
        let table = &self.table;
        let before = |other: &Entry| {
            other.score < score || (other.score == score && table.member(other.slot) < table.member(slot))
        };
        let at = self.sorted.partition_point(before);
        self.sorted.insert(at, entry);
    }

    fn remove(&mut self, at: u16) {
        if !self.sorted.is_empty() {
            let entry = self.sorted.remove(usize::from(at) % self.sorted.len());
            assert!(self.tree.remove(entry, &self.table));
            assert!(!self.tree.remove(entry, &self.table));
        }
    }

    /// Moves a member to another slot, under the same bytes.
    fn rename(&mut self, at: u16) {
        let len = self.sorted.len();
        if let Some(entry) = self.sorted.get_mut(usize::from(at) % len.max(1)) {
            let to = self.table.0.len() as Slot;
            self.table.0.push(self.table.0[entry.slot as usize]);
            assert!(self.tree.rename(*entry, to, &self.table));
            entry.slot = to;
        }
    }

    fn check(&self) {
        self.tree.verify(&self.table);
        assert!(self.tree.iter().eq(self.sorted.iter().copied()));
        assert!(self.tree.iter().rev().eq(self.sorted.iter().rev().copied()));
        for (rank, entry) in self.sorted.iter().enumerate().step_by(5) {
            assert_eq!(self.tree.nth(rank), Some(*entry));
            assert_eq!(self.tree.rank(*entry, &self.table), Some(rank));
        }
    }
}

fuzz_target!(|ops: Vec<Op>| {
    let mut pair = Pair::default();
    for op in ops {
        match op {
            Op::Insert(score) => pair.insert(score.into()),
            Op::InsertAny(score) => pair.insert(score),
            Op::InsertRun(from, count) => {
                (0..count).for_each(|n| pair.insert(f64::from(from) + f64::from(n)));
            }
            Op::Remove(at) => pair.remove(at),
            Op::RemoveRun(at, count) => (0..count).for_each(|_| pair.remove(at)),
            Op::Rename(at) => pair.rename(at),
            Op::Bound(bound) => {
                let expected = pair.sorted.partition_point(|entry| entry.score < bound);
                assert_eq!(pair.tree.partition_point(|entry| entry.score < bound), expected);
                assert_eq!(pair.tree.bisect(|entry| entry.score < bound), expected);
            }
        }
        pair.check();
    }
});
