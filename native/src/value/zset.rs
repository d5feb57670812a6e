//! Sorted sets: members by score, those of equal score by bytes.
//!
//! A small one is a listpack of members and scores in order, as a snapshot holds it; a large one is an index map from
//! members to scores with an [`OrderTree`] beside it. All ranges are ranges of ranks: a search turns a bound into a rank,
//! in O(log n) for the large form, and everything else (count, page, remove) starts from there.

mod bounds;
mod filling;
mod frozen;
mod packed;
#[cfg(test)]
mod tests;

use super::{Collection, Element, LimitsRef, Value};
use crate::discard::discard;
use crate::structure::index_map::{Entry as _, IndexMap, Keyed};
use crate::structure::listpack::Listpack;
use crate::structure::order_tree::{self, Entry, Members, OrderTree, Slot};
pub use bounds::{Bounds, LexBound, ScoreBound};
pub use filling::ZSetFilling;
pub use frozen::FrozenZSet;
use packed::Packed;
use std::ops::Range;

type Scores = IndexMap<Keyed<f64>>;

impl Members for Scores {
    fn member(&self, slot: Slot) -> &[u8] {
        self.at(slot as usize).map_or(&[], |entry| entry.key())
    }
}

/// The large form. The slots of the tree are the positions of the map.
#[derive(Debug, Default)]
struct Tree {
    scores: Scores,
    order: OrderTree,
}

#[derive(Debug)]
enum Form {
    Packed(Packed),
    Tree(Box<Tree>),
}

/// A sorted set.
#[derive(Debug)]
pub struct ZSetValue {
    form: Form,
    limits: LimitsRef,
}

impl Default for ZSetValue {
    fn default() -> Self {
        ZSetValue::packed()
    }
}

impl ZSetValue {
    /// An empty sorted set in the small form.
    pub fn packed() -> Self {
        ZSetValue {
            form: Form::Packed(Packed::default()),
            limits: LimitsRef::default(),
        }
    }

    /// An empty sorted set in the large form.
    pub fn tree() -> Self {
        ZSetValue {
            form: Form::Tree(Box::default()),
            limits: LimitsRef::default(),
        }
    }

    /// Adopts a listpack of members and scores, whatever its size. `None` unless they are in order, without duplicates,
    /// and every score is a number.
    pub fn from_pack(pack: Listpack) -> Option<Self> {
        Some(ZSetValue {
            form: Form::Packed(Packed::adopt(pack)?),
            limits: LimitsRef::default(),
        })
    }

    /// The listpack of members and scores, if the set has the small form.
    pub fn as_pack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Packed(packed) => Some(packed.pack()),
            Form::Tree(_) => None,
        }
    }

    /// The members as they are now, whatever becomes of the sorted set; `None` unless it has the large form.
    pub(super) fn freeze(&mut self) -> Option<FrozenZSet> {
        match &mut self.form {
            Form::Packed(_) => None,
            Form::Tree(tree) => Some(FrozenZSet::of(tree.scores.freeze())),
        }
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Packed(packed) => packed.len(),
            Form::Tree(tree) => tree.order.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives a member a score, which must not be NaN, and gives the score it had.
    pub fn insert(&mut self, score: f64, member: &[u8]) -> Option<f64> {
        self.update(member, |_| Some(score))
    }

    /// Asks `decide` for a member's new score, given the one it has; `None` leaves everything as it is. Gives the score
    /// it had. A zero is held without its sign, in either form.
    pub fn update(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Option<f64> {
        let decide = |old| {
            let score: f64 = decide(old)? + 0.0;
            assert!(!score.is_nan(), "a score is a number");
            (old != Some(score)).then_some(score)
        };
        let packed = match &mut self.form {
            Form::Tree(tree) => return tree.update(member, decide),
            Form::Packed(packed) => packed,
        };
        let found = packed.find(member);
        let old = found.map(|at| packed.score_after(at));
        let Some(score) = decide(old) else { return old };
        let fits = packed.len() < self.limits.zset_entries && member.len() <= self.limits.zset_bytes;
        match found.zip(old) {
            Some((at, old)) => packed.move_to(at, old, score, member),
            None if fits => packed.insert(score, member),
            None => self.grow().insert(score, member),
        }
        old
    }

    /// Announces that one command is about to add so many members: if they are more than the small form may have, the
    /// set takes the large one at once, as in Redis, even if some are the same.
    pub fn prepare(&mut self, members: usize) {
        if members > self.limits.zset_entries && matches!(self.form, Form::Packed(_)) {
            self.grow();
        }
    }

    fn grow(&mut self) -> &mut Tree {
        let mut tree = Box::<Tree>::default();
        for (member, score) in self.iter() {
            tree.insert(score, &member.to_cow());
        }
        self.form = Form::Tree(tree);
        match &mut self.form {
            Form::Tree(tree) => tree,
            Form::Packed(_) => unreachable!("the large form was stored just before"),
        }
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.form {
            Form::Packed(packed) => packed.score(member),
            Form::Tree(tree) => tree.scores.get(member).map(|entry| entry.payload),
        }
    }

    /// Removes a member, and gives the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.form {
            Form::Packed(packed) => packed.remove(member),
            Form::Tree(tree) => {
                let slot = tree.scores.position(member)?;
                Some(tree.remove_at(slot))
            }
        }
    }

    /// How many members stand before this one.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        match &self.form {
            Form::Packed(packed) => packed.rank(member),
            Form::Tree(tree) => {
                let slot = tree.scores.position(member)?;
                tree.order.rank(tree.entry(slot), &tree.scores)
            }
        }
    }

    /// The ranks of the members within the bounds. Lexicographic bounds need members of one score; with others the range
    /// is some range, the same for the same members.
    pub fn ranks(&self, bounds: &Bounds<'_>) -> Range<usize> {
        let (start, end) = match &self.form {
            Form::Packed(packed) => packed.ranks(bounds),
            Form::Tree(tree) => {
                let member = |entry: Entry| tree.scores.member(entry.slot);
                let starts = |entry: Entry| bounds.is_below(entry.score, || member(entry));
                let ends = |entry: Entry| !bounds.is_above(entry.score, || member(entry));
                if matches!(bounds, Bounds::Lex(..)) && tree.has_several_scores() {
                    (tree.order.bisect(starts), tree.order.bisect(ends))
                } else {
                    (
                        tree.order.partition_point(starts),
                        tree.order.partition_point(ends),
                    )
                }
            }
        };
        start..end.max(start)
    }

    /// Number of members within the bounds.
    pub fn count(&self, bounds: &Bounds<'_>) -> usize {
        self.ranks(bounds).len()
    }

    /// The member with this rank, and its score.
    pub fn nth(&self, rank: usize) -> Option<(Element<'_>, f64)> {
        self.range(rank..rank.saturating_add(1)).next()
    }

    /// The members of these ranks with their scores, from either end. The range is cut to what is there.
    pub fn range(&self, ranks: Range<usize>) -> Iter<'_> {
        match &self.form {
            Form::Packed(packed) => Iter(Inner::Packed(packed.range(ranks))),
            Form::Tree(tree) => Iter(Inner::Tree(tree.order.range(ranks), &tree.scores)),
        }
    }

    /// All members with their scores in ascending order, and back.
    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.len())
    }

    /// All members with their scores in descending order.
    pub fn iter_rev(&self) -> impl Iterator<Item = (Element<'_>, f64)> {
        self.iter().rev()
    }

    /// Removes the members of these ranks, and gives how many there were.
    pub fn remove_range(&mut self, ranks: Range<usize>) -> usize {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        match &mut self.form {
            Form::Packed(packed) => packed.remove_range(ranks.start, count),
            Form::Tree(tree) if count > tree.order.len() - count => {
                let rest = tree.without(ranks.start..ranks.start + count);
                let gone = std::mem::replace(tree, Box::new(rest));
                let bytes = gone.scores.memory() + gone.order.memory();
                discard(gone, bytes);
            }
            Form::Tree(tree) => {
                for _ in 0..count {
                    if let Some(entry) = tree.order.nth(ranks.start) {
                        tree.remove_at(entry.slot as usize);
                    }
                }
            }
        }
        count
    }

    /// Visits about `count` members and gives the cursor to go on with; 0 begins, and 0 says that all were visited.
    /// A member that is there during the whole scan is visited. The small form gives everything at once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>, f64)) -> u64 {
        match &self.form {
            Form::Packed(_) => {
                self.iter().for_each(|(member, score)| visit(member, score));
                0
            }
            Form::Tree(tree) => tree.scores.scan(cursor, count, &mut |entry| {
                visit(Element::Bytes(entry.key()), entry.payload);
            }),
        }
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        match &self.form {
            Form::Packed(packed) => packed.verify(),
            Form::Tree(tree) => tree.verify(),
        }
    }
}

impl Tree {
    fn entry(&self, slot: usize) -> Entry {
        Entry {
            score: self.scores.at(slot).map_or(0.0, |entry| entry.payload),
            slot: slot as Slot,
        }
    }

    fn has_several_scores(&self) -> bool {
        let score = |rank| self.order.nth(rank).map(|entry| entry.score);
        score(0) != score(self.order.len().saturating_sub(1))
    }

    fn update(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Option<f64> {
        let Some(slot) = self.scores.position(member) else {
            if let Some(score) = decide(None) {
                self.insert(score, member);
            }
            return None;
        };
        let entry = self.entry(slot);
        if let Some(score) = decide(Some(entry.score)) {
            self.order.remove(entry, &self.scores);
            self.scores.edit_at(slot, |entry| entry.payload = score);
            self.order.insert(self.entry(slot), &self.scores);
        }
        Some(entry.score)
    }

    /// Inserts a member that is not there.
    fn insert(&mut self, score: f64, member: &[u8]) {
        self.scores.insert(Keyed::new(member, score));
        self.order.insert(self.entry(self.scores.len() - 1), &self.scores);
    }

    /// Removes the member in this slot. The map moves its last member there, so the tree has to name it by its new slot.
    fn remove_at(&mut self, slot: usize) -> f64 {
        self.order.remove(self.entry(slot), &self.scores);
        let last = self.scores.len() - 1;
        if slot != last {
            self.order.rename(self.entry(last), slot as Slot, &self.scores);
        }
        self.scores.swap_remove_at(slot).payload
    }

    /// A copy without the members of these ranks, for where few are left. They keep the order of their slots.
    fn without(&self, ranks: Range<usize>) -> Tree {
        let kept = self
            .order
            .range(0..ranks.start)
            .chain(self.order.range(ranks.end..self.order.len()));
        let mut slots: Vec<Slot> = kept.map(|entry| entry.slot).collect();
        slots.sort_unstable();
        let mut rest = Tree::default();
        for slot in slots {
            if let Some(entry) = self.scores.at(slot as usize) {
                rest.insert(entry.payload, entry.key());
            }
        }
        rest
    }

    fn verify(&self) {
        self.scores.verify();
        self.order.verify(&self.scores);
        assert_eq!(
            self.scores.len(),
            self.order.len(),
            "map and tree hold the same members"
        );
        for entry in self.order.iter() {
            assert_eq!(
                entry,
                self.entry(entry.slot as usize),
                "map and tree agree on scores"
            );
        }
    }
}

impl Collection for ZSetValue {
    fn limited(self, limits: LimitsRef) -> Self {
        ZSetValue { limits, ..self }
    }

    fn limits(&self) -> LimitsRef {
        self.limits
    }

    fn into_value(self) -> Value {
        Value::ZSet(self)
    }

    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::ZSet(zset) => Some(zset),
            _ => None,
        }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::ZSet(zset) => Some(zset),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn memory(&self) -> usize {
        match &self.form {
            Form::Packed(packed) => packed.pack().memory(),
            Form::Tree(tree) => size_of::<Tree>() + tree.scores.memory() + tree.order.memory(),
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Packed(_) => "listpack",
            Form::Tree(_) => "skiplist",
        }
    }
}

/// Members with their scores, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a>(Inner<'a>);

#[derive(Clone, Debug)]
enum Inner<'a> {
    Packed(packed::Pairs<'a>),
    Tree(order_tree::Range<'a>, &'a Scores),
}

fn resolve(scores: &Scores, entry: Entry) -> (Element<'_>, f64) {
    (Element::Bytes(scores.member(entry.slot)), entry.score)
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Element<'a>, f64);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inner::Packed(pairs) => pairs.next(),
            Inner::Tree(entries, scores) => entries.next().map(|entry| resolve(scores, entry)),
        }
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inner::Packed(pairs) => pairs.next_back(),
            Inner::Tree(entries, scores) => entries.next_back().map(|entry| resolve(scores, entry)),
        }
    }
}
