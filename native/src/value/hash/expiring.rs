//! The fields of a large hash that have an expiry, or once had one.
//!
//! They lie in an index map, in no order that means anything, and two trees beside it put them in order: one by instant,
//! those of one instant by name, and one by a hash of the name that is the same on every peer. So what is due is a prefix
//! of the first tree: to hide it is to move the length of that prefix, in O(log n), however long it is. Hidden fields are
//! removed later, a few at a time, or all at once when hardly any others are left.
//!
//! Cost per field: 8 bytes for the instant and about 18 for each of the two trees. `get` is O(1); an insertion, a removal,
//! a new instant and `nth` are O(log n).

use crate::discard::discard;
use crate::structure::index_map::{Entry as _, FrozenEntries, IndexMap, Pair};
use crate::structure::order_tree::{self, Entry, Members, OrderTree, Slot};
use crate::value::Element;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

/// The instant of a field that had an expiry once. Later than any that a command gives, and the latest that a snapshot has
/// room for.
pub const NEVER: i64 = (1 << 48) - 1;

/// Bits of the hashes by which a scan goes. A tree's scores are exact up to there, with one bit to spare.
pub(super) const SCAN_BITS: u32 = 52;

/// Up to so many visible fields move to a new map, so that all the hidden ones can go at once.
const MOVED_MAX: usize = 256;
/// From so many hidden fields on.
const LEFT_BEHIND_MIN: usize = 4096;
/// Hidden fields that a scan passes over before it gives its cursor back.
const PASSED_MAX: usize = 1024;

/// The same on every peer: a cursor goes from one to another.
const SCAN_SECRETS: RapidSecrets = RapidSecrets::seed(0x6669_656c);

fn scan_hash(field: &[u8]) -> u64 {
    rapidhash_v3_seeded(field, &SCAN_SECRETS) >> (u64::BITS - SCAN_BITS)
}

/// A field, its value and its instant.
#[derive(Clone, Debug)]
struct Timed {
    pair: Pair,
    expire_at: i64,
}

impl crate::structure::index_map::Entry for Timed {
    fn key(&self) -> &[u8] {
        self.pair.key()
    }

    fn heap_bytes(&self) -> usize {
        self.pair.heap_bytes()
    }

    fn unshared_bytes(&self) -> usize {
        self.pair.unshared_bytes()
    }
}

type Pairs = IndexMap<Timed>;

impl Members for Pairs {
    fn member(&self, slot: Slot) -> &[u8] {
        self.at(slot as usize).map_or(&[], |timed| timed.pair.key())
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Expiring {
    pairs: Pairs,
    /// All positions of `pairs`, by instant.
    by_instant: OrderTree,
    /// All positions of `pairs`, by [`scan_hash`].
    by_hash: OrderTree,
    /// Whoever is due at this Unix millisecond is hidden.
    horizon: i64,
    /// Length of the prefix of `by_instant` up to the horizon.
    hidden: usize,
    /// Number of fields at [`NEVER`].
    persisted: usize,
    /// The first instant behind the horizon, or [`NEVER`].
    next_due: i64,
}

impl Default for Expiring {
    fn default() -> Self {
        Expiring {
            pairs: Pairs::default(),
            by_instant: OrderTree::default(),
            by_hash: OrderTree::default(),
            horizon: i64::MIN,
            hidden: 0,
            persisted: 0,
            next_due: NEVER,
        }
    }
}

impl Expiring {
    /// The fields as they are now, whatever becomes of these.
    pub(super) fn freeze(&mut self) -> FrozenExpiring {
        FrozenExpiring {
            fields: self.pairs.freeze(),
            horizon: self.horizon,
        }
    }

    /// Number of visible fields.
    pub(super) fn len(&self) -> usize {
        self.pairs.len() - self.hidden
    }

    /// Number of fields that are due and still here.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    /// Number of visible fields with an expiry.
    pub(super) fn expiring(&self) -> usize {
        self.len() - self.persisted
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        self.pairs.memory() + self.by_instant.memory() + self.by_hash.memory()
    }

    /// When the next visible field expires. O(1).
    pub(super) fn next_due(&self) -> Option<i64> {
        (self.next_due != NEVER).then_some(self.next_due)
    }

    /// When the last field expires, if all of them do.
    pub(super) fn last_due(&self) -> Option<i64> {
        let last = self.by_instant.nth(self.pairs.len().checked_sub(1)?)?;
        Some(self.timed(last.slot).expire_at).filter(|&at| at != NEVER)
    }

    fn timed(&self, slot: Slot) -> &Timed {
        self.pairs
            .at(slot as usize)
            .expect("the trees name positions of the map")
    }

    /// Where a visible field stands.
    pub(super) fn position(&self, field: &[u8]) -> Option<usize> {
        let position = self.pairs.position(field)?;
        self.pairs
            .at(position)
            .filter(|timed| timed.expire_at > self.horizon)
            .map(|_| position)
    }

    /// A visible field's value.
    pub(super) fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        let timed = self.pairs.get(field)?;
        (timed.expire_at > self.horizon).then(|| Element::Bytes(timed.pair.value()))
    }

    /// The instant of the field at a position.
    pub(super) fn expiry_at(&self, position: usize) -> Option<i64> {
        let expire_at = self.pairs.at(position)?.expire_at;
        (expire_at != NEVER).then_some(expire_at)
    }

    /// Adds a field, which must not be visible here.
    pub(super) fn insert(&mut self, pair: Pair, expire_at: i64) {
        let expire_at = self.ahead(expire_at);
        if let Some(hidden) = self.pairs.position(pair.key()) {
            self.take_out(hidden);
        }
        let slot = self.pairs.len() as Slot;
        let replaced = self.pairs.insert(Timed { pair, expire_at });
        debug_assert!(replaced.is_none());
        self.persisted += usize::from(expire_at == NEVER);
        let (by_instant, by_hash) = self.entries(slot);
        self.by_instant.insert(by_instant, &self.pairs);
        self.by_hash.insert(by_hash, &self.pairs);
        self.refresh();
    }

    /// A clock may have been set back: what is given an instant now is visible, and expires behind the horizon.
    fn ahead(&self, expire_at: i64) -> i64 {
        expire_at.max(self.horizon.saturating_add(1))
    }

    /// What the trees hold of a field.
    fn entries(&self, slot: Slot) -> (Entry, Entry) {
        let timed = self.timed(slot);
        let by_hash = scan_hash(timed.pair.key()) as f64;
        let by_instant = timed.expire_at as f64;
        (
            Entry {
                score: by_instant,
                slot,
            },
            Entry { score: by_hash, slot },
        )
    }

    /// Changes the instant of the field at a position.
    pub(super) fn set_expiry_at(&mut self, position: usize, expire_at: i64) {
        let expire_at = self.ahead(expire_at);
        let slot = position as Slot;
        let (old, _) = self.entries(slot);
        self.by_instant.remove(old, &self.pairs);
        let before = self.pairs.edit_at(position, |timed| {
            std::mem::replace(&mut timed.expire_at, expire_at)
        });
        self.persisted = self.persisted + usize::from(expire_at == NEVER) - usize::from(before == NEVER);
        let (new, _) = self.entries(slot);
        self.by_instant.insert(new, &self.pairs);
        self.refresh();
    }

    /// Replaces the value of the field at a position.
    pub(super) fn set_value_at(&mut self, position: usize, value: &[u8]) {
        self.pairs.edit_at(position, |timed| timed.pair.set_value(value));
    }

    /// Removes the field at a position.
    pub(super) fn remove_at(&mut self, position: usize) {
        self.take_out(position);
        self.refresh();
    }

    fn take_out(&mut self, position: usize) {
        let (slot, last) = (position as Slot, self.pairs.len() as Slot - 1);
        let (by_instant, by_hash) = self.entries(slot);
        self.by_instant.remove(by_instant, &self.pairs);
        self.by_hash.remove(by_hash, &self.pairs);
        if slot != last {
            let (by_instant, by_hash) = self.entries(last);
            self.by_instant.rename(by_instant, slot, &self.pairs);
            self.by_hash.rename(by_hash, slot, &self.pairs);
        }
        let removed = self.pairs.swap_remove_at(position);
        self.persisted -= usize::from(removed.expire_at == NEVER);
    }

    /// Counts what is hidden anew.
    fn refresh(&mut self) {
        let (pairs, horizon) = (&self.pairs, self.horizon);
        let is_hidden = |entry: Entry| {
            let timed = pairs.at(entry.slot as usize);
            timed.is_some_and(|timed| timed.expire_at <= horizon)
        };
        self.hidden = self.by_instant.partition_point(is_hidden);
        let next = self.by_instant.nth(self.hidden);
        self.next_due = next.map_or(NEVER, |next| self.timed(next.slot).expire_at);
    }

    /// Hides what is due at this Unix millisecond.
    pub(super) fn hide(&mut self, now_ms: i64) {
        if self.next_due <= now_ms {
            self.horizon = self.horizon.max(now_ms);
            self.refresh();
            if self.hidden >= LEFT_BEHIND_MIN && self.len() <= MOVED_MAX {
                self.leave_hidden_behind();
            }
        }
    }

    fn leave_hidden_behind(&mut self) {
        let mut rest = Expiring {
            horizon: self.horizon,
            ..Expiring::default()
        };
        for (field, value, expire_at) in self.iter() {
            rest.insert(Pair::new(field, value), expire_at);
        }
        let bytes = self.memory();
        discard(std::mem::replace(self, rest), bytes);
    }

    /// Removes up to `limit` hidden fields, and says how many.
    pub(super) fn sweep(&mut self, limit: usize) -> usize {
        let swept = limit.min(self.hidden);
        for _ in 0..swept {
            if let Some(first) = self.by_instant.nth(0) {
                self.take_out(first.slot as usize);
            }
        }
        self.hidden -= swept;
        swept
    }

    /// The visible fields with their values and instants, the earliest first.
    pub(super) fn iter(&self) -> Iter<'_> {
        Iter {
            order: self.by_instant.range(self.hidden..self.pairs.len()),
            pairs: &self.pairs,
        }
    }

    /// The visible field with this rank by instant, and its value.
    pub(super) fn nth(&self, rank: usize) -> Option<(Element<'_>, Element<'_>)> {
        let entry = self.by_instant.nth(self.hidden.checked_add(rank)?)?;
        Some(elements(&self.timed(entry.slot).pair))
    }

    /// Visits about `count` visible fields from a hash on, in the order of their hashes, and gives the hash to go on from.
    pub(super) fn scan(
        &self,
        from: u64,
        count: usize,
        visit: &mut dyn FnMut(Element<'_>, Element<'_>),
    ) -> Option<u64> {
        let from = from as f64;
        let first = self.by_hash.partition_point(|entry| entry.score < from);
        let (mut visited, mut passed, mut last) = (0, 0, from);
        for entry in self.by_hash.range(first..self.pairs.len()) {
            // Fields of one hash are visited together, because a cursor cannot stand between them.
            let is_full = visited >= count.max(1) || passed >= PASSED_MAX;
            if is_full && entry.score > last {
                return Some(entry.score as u64);
            }
            last = entry.score;
            let timed = self.timed(entry.slot);
            if timed.expire_at > self.horizon {
                let (field, value) = elements(&timed.pair);
                visit(field, value);
                visited += 1;
            } else {
                passed += 1;
            }
        }
        None
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub(super) fn verify(&self) {
        self.pairs.verify();
        for tree in [&self.by_instant, &self.by_hash] {
            tree.verify(&self.pairs);
            assert_eq!(tree.len(), self.pairs.len());
        }
        for position in 0..self.pairs.len() {
            let (by_instant, by_hash) = self.entries(position as Slot);
            assert!(self.by_instant.rank(by_instant, &self.pairs).is_some());
            assert!(self.by_hash.rank(by_hash, &self.pairs).is_some());
        }
        let count = |is: &dyn Fn(i64) -> bool| self.pairs.iter().filter(|timed| is(timed.expire_at)).count();
        assert_eq!(self.hidden, count(&|at| at <= self.horizon));
        assert_eq!(self.persisted, count(&|at| at == NEVER));
        let behind = self.pairs.iter().map(|timed| timed.expire_at);
        let next = behind.filter(|&at| at > self.horizon).min();
        assert_eq!(self.next_due, next.unwrap_or(NEVER));
    }
}

fn elements(pair: &Pair) -> (Element<'_>, Element<'_>) {
    (Element::Bytes(pair.key()), Element::Bytes(pair.value()))
}

/// The fields of a table that had an expiry at some time, in no order.
#[derive(Debug)]
pub(super) struct FrozenExpiring {
    fields: FrozenEntries<Timed>,
    horizon: i64,
}

impl FrozenExpiring {
    /// Hides what is due at this Unix millisecond.
    pub(super) fn hide(&mut self, now_ms: i64) {
        self.horizon = self.horizon.max(now_ms);
    }

    fn visible(&self) -> impl Iterator<Item = &Timed> {
        self.fields.iter().filter(|timed| timed.expire_at > self.horizon)
    }

    /// Number of visible fields. O(fields).
    pub(super) fn len(&self) -> usize {
        self.visible().count()
    }

    /// When the next visible field expires. O(fields).
    pub(super) fn next_due(&self) -> Option<i64> {
        let first = self.visible().map(|timed| timed.expire_at).min();
        first.filter(|&at| at != NEVER)
    }

    /// The visible fields with their values and instants, in the order that the table has them in. O(n log n).
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&[u8], &[u8], i64)> {
        let mut fields: Vec<&Timed> = self.visible().collect();
        fields.sort_unstable_by_key(|timed| (timed.expire_at, timed.pair.key()));
        fields
            .into_iter()
            .map(|timed| (timed.pair.key(), timed.pair.value(), timed.expire_at))
    }

    /// Bytes on the heap that were never those of the table. O(1).
    pub(super) fn own_bytes(&self) -> usize {
        self.fields.own_bytes()
    }

    /// Bytes on the heap that the table does not account for. O(fields).
    pub(super) fn memory(&self) -> usize {
        self.fields.memory()
    }
}

/// The visible fields with their values and instants ([`NEVER`] for those that had one once).
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    order: order_tree::Range<'a>,
    pairs: &'a Pairs,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8], i64);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.order.next()?;
        let timed = self.pairs.at(entry.slot as usize)?;
        Some((timed.pair.key(), timed.pair.value(), timed.expire_at))
    }
}
