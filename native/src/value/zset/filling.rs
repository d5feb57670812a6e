//! A sorted set that is being filled and not looked at: its members are put in order once, when all are there.

use super::packed::Packed;
use super::{Form, LimitsRef, Scores, Tree, ZSetValue};
use crate::structure::index_map::Keyed;
use crate::structure::order_tree::{Entry, Members, OrderTree, Slot};
use std::cmp::Ordering;

/// See the module. It takes the forms that a [`ZSetValue`] takes.
#[derive(Debug)]
pub struct ZSetFilling {
    scores: Scores,
    /// Bytes of the longest member.
    longest: usize,
    is_large: bool,
    limits: LimitsRef,
}

impl ZSetFilling {
    /// Nothing yet.
    pub fn new(limits: LimitsRef) -> Self {
        ZSetFilling {
            scores: Scores::default(),
            longest: 0,
            is_large: false,
            limits,
        }
    }

    /// As [`ZSetFilling::new`], of the large form whatever comes.
    pub fn large(limits: LimitsRef) -> Self {
        ZSetFilling {
            is_large: true,
            ..ZSetFilling::new(limits)
        }
    }

    /// Makes room for so many members, if there are none yet.
    pub fn reserve(&mut self, members: usize) {
        self.scores.reserve(members);
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Adds a member. False if it was there.
    pub fn add(&mut self, score: f64, member: &[u8]) -> bool {
        assert!(!score.is_nan(), "a score is a number");
        self.longest = self.longest.max(member.len());
        let keyed = || Keyed::new(member, score + 0.0);
        self.scores.insert_with(member, keyed).is_ok()
    }

    /// The sorted set.
    pub fn finish(self) -> ZSetValue {
        let ZSetFilling { scores, limits, .. } = self;
        let is_small = scores.len() <= limits.zset_entries && self.longest <= limits.zset_bytes;
        let form = if is_small && !self.is_large {
            let mut packed = Packed::default();
            for entry in ascending(&scores) {
                packed.insert(entry.score, scores.member(entry.slot));
            }
            Form::Packed(packed)
        } else {
            let order = OrderTree::of_ascending(ascending(&scores), &scores);
            Form::Tree(Box::new(Tree { scores, order }))
        };
        ZSetValue { form, limits }
    }
}

/// The members in order, which is found out at once if they have come from the last one down, as files have them.
fn ascending(scores: &Scores) -> impl ExactSizeIterator<Item = Entry> {
    let entry = |slot: usize| Entry {
        score: scores.at(slot).map_or(0.0, |entry| entry.payload),
        slot: slot as Slot,
    };
    let compare = |a: Entry, b: Entry| {
        let by_score = a.score.partial_cmp(&b.score).unwrap_or(Ordering::Equal);
        by_score.then_with(|| scores.member(a.slot).cmp(scores.member(b.slot)))
    };
    let len = scores.len();
    let mut slots = Vec::new();
    if !(1..len).all(|slot| compare(entry(slot), entry(slot - 1)).is_lt()) {
        slots.extend(0..len as Slot);
        slots.sort_unstable_by(|&a, &b| compare(entry(a as usize), entry(b as usize)));
    }
    (0..len).map(move |rank| match slots.get(rank) {
        Some(&slot) => entry(slot as usize),
        None => entry(len - 1 - rank),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Collection;

    fn both(members: &[(f64, String)], large: bool) -> (ZSetValue, ZSetValue) {
        let mut filling = ZSetFilling::new(LimitsRef::default());
        let mut plain = ZSetValue::default();
        if large {
            (filling, plain) = (ZSetFilling::large(LimitsRef::default()), ZSetValue::tree());
        }
        for (score, member) in members {
            let is_new = plain.insert(*score, member.as_bytes()).is_none();
            assert_eq!(filling.add(*score, member.as_bytes()), is_new);
        }
        assert_eq!(filling.is_empty(), plain.is_empty());
        (filling.finish(), plain)
    }

    #[test]
    fn it_becomes_what_insertions_make() {
        for len in [0, 1, 2, 63, 64, 127, 128, 129, 130, 2_016, 2_017, 5_000, 70_000] {
            let member = |n: usize| format!("member:{}", n * 7_919 % 1_000_003);
            let orders: [fn(usize) -> f64; 4] =
                [|n| -(n as f64), |n| n as f64, |n| (n % 10) as f64, |_| -0.0];
            for order in orders {
                let members: Vec<_> = (0..len).map(|n| (order(n), member(n))).collect();
                for large in [false, true] {
                    let (filled, plain) = both(&members, large);
                    filled.verify();
                    assert_eq!(filled.encoding(), plain.encoding());
                    assert!(filled.iter().eq(plain.iter()));
                    assert!(
                        filled
                            .iter()
                            .all(|(_, score)| score != 0.0 || score.is_sign_positive())
                    );
                }
            }
        }
    }

    #[test]
    fn it_can_be_changed_afterwards() {
        let members: Vec<_> = (0..9_000).map(|n| (f64::from(n % 37), format!("m{n}"))).collect();
        let (mut filled, mut plain) = both(&members, false);
        for n in (0..9_000).step_by(3) {
            let member = format!("m{n}");
            assert_eq!(filled.remove(member.as_bytes()), plain.remove(member.as_bytes()));
            let member = format!("n{n}");
            filled.insert(f64::from(n), member.as_bytes());
            plain.insert(f64::from(n), member.as_bytes());
        }
        filled.verify();
        assert!(filled.iter().eq(plain.iter()));
    }

    #[test]
    fn what_comes_twice_is_noticed() {
        for count in [3, 300] {
            let mut filling = ZSetFilling::new(LimitsRef::default());
            assert!((0..count).all(|n| filling.add(f64::from(n), n.to_string().as_bytes())));
            assert!(!filling.add(0.5, b"2"));
        }
    }
}
