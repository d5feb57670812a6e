//! The small form: a listpack of member, score, member, score… in order.
//!
//! A score is held as an integer where it is one, otherwise as its shortest decimal text.

use super::{Bounds, Element};
use crate::structure::listpack::{self, Listpack, Position};
use std::io::Write;
use std::ops::Range;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pack: Listpack,
}

/// The longest text of a score, such as `-2.2250738585072014e-308`.
const SCORE_TEXT_MAX: usize = 32;

/// Calls `with` with the element that stands for the score.
fn with_score_element<R>(score: f64, with: impl FnOnce(Element<'_>) -> R) -> R {
    let integer = score as i64;
    // The cast saturates at a bound that is no f64 itself, so i64::MAX is never exact.
    if integer as f64 == score && integer != i64::MAX {
        return with(Element::Int(integer));
    }
    let mut text = [0; SCORE_TEXT_MAX];
    let mut rest = &mut text[..];
    let magnitude = score.abs();
    let plain = score.is_infinite() || (1e-5..1e17).contains(&magnitude);
    let written = if plain {
        write!(rest, "{score}")
    } else {
        write!(rest, "{score:e}")
    };
    let len = SCORE_TEXT_MAX - rest.len();
    debug_assert!(written.is_ok());
    with(Element::Bytes(&text[..len]))
}

/// The score that an element stands for.
fn parse_score(element: Element<'_>) -> Option<f64> {
    match element {
        Element::Int(n) => Some(n as f64),
        Element::Bytes(text) => {
            let score: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            (!score.is_nan()).then_some(score + 0.0)
        }
    }
}

fn score_of(element: Element<'_>) -> f64 {
    parse_score(element).expect("every second element is a score")
}

impl Packed {
    /// See [`super::ZSetValue::from_pack`].
    pub(super) fn adopt(pack: Listpack) -> Option<Packed> {
        let elements: Vec<Element<'_>> = pack.iter().collect();
        let (pairs, odd) = elements.as_chunks::<2>();
        let mut members: Vec<_> = pairs.iter().map(|[member, _]| member.to_cow()).collect();
        let scores: Vec<f64> = pairs
            .iter()
            .map(|[_, score]| parse_score(*score))
            .collect::<Option<_>>()?;
        let ascending = (1..scores.len()).all(|i| {
            scores[i - 1] < scores[i] || (scores[i - 1] == scores[i] && members[i - 1] < members[i])
        });
        members.sort_unstable();
        let unique = members.windows(2).all(|pair| pair[0] != pair[1]);
        drop(members);
        (odd.is_empty() && ascending && unique).then_some(Packed { pack })
    }

    pub(super) fn pack(&self) -> &Listpack {
        &self.pack
    }

    pub(super) fn len(&self) -> usize {
        self.pack.len() / 2
    }

    pub(super) fn find(&self, member: &[u8]) -> Option<Position> {
        self.pack.find(member, self.pack.first(), 2)
    }

    pub(super) fn score_after(&self, member: Position) -> f64 {
        let at = self.pack.next(member).expect("a score follows every member");
        score_of(self.pack.get(at))
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|at| self.score_after(at))
    }

    /// Inserts a member that is not there. Looks at the end first: scores often arrive in ascending order.
    pub(super) fn insert(&mut self, score: f64, member: &[u8]) {
        let end = self.pack.end();
        let appended = self
            .pair_before(end)
            .is_none_or(|last| self.stands_before(last, score, member));
        let at = if appended {
            end
        } else {
            self.place_from(self.pack.first(), score, member)
        };
        self.insert_at(at, score, member);
    }

    /// Moves the member at `at` from one score to another. Both are often close, so the search begins where it is.
    pub(super) fn move_to(&mut self, at: Position, old: f64, new: f64, member: &[u8]) {
        self.pack.remove_run(at, 2);
        let mut place = at;
        if new > old {
            let behind = Some(at).filter(|&at| at < self.pack.end());
            place = self.place_from(behind, new, member);
        } else {
            while let Some(pair) = self.pair_before(place)
                && !self.stands_before(pair, new, member)
            {
                place = pair;
            }
        }
        self.insert_at(place, new, member);
    }

    fn insert_at(&mut self, at: Position, score: f64, member: &[u8]) {
        with_score_element(score, |score| self.pack.insert_packed(at, score));
        self.pack.insert(at, member);
    }

    fn pair_before(&self, at: Position) -> Option<Position> {
        self.pack.before(at).and_then(|score| self.pack.before(score))
    }

    fn stands_before(&self, pair: Position, score: f64, member: &[u8]) -> bool {
        let other = self.score_after(pair);
        let mut buffer = itoa::Buffer::new();
        other < score || (other == score && self.pack.get(pair).as_bytes(&mut buffer) < member)
    }

    /// The first pair from `from` on that does not stand before this one, or the end.
    fn place_from(&self, from: Option<Position>, score: f64, member: &[u8]) -> Position {
        let next = |pair: &Position| self.pack.next(*pair).and_then(|score| self.pack.next(score));
        let mut pairs = std::iter::successors(from, next);
        let found = pairs.find(|&pair| !self.stands_before(pair, score, member));
        found.unwrap_or(self.pack.end())
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let at = self.find(member)?;
        let score = self.score_after(at);
        self.pack.remove_run(at, 2);
        Some(score)
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        let found = self.find(member)?;
        self.pack.positions().step_by(2).position(|at| at == found)
    }

    /// The first rank that is not below the bounds, and the first that is above them.
    pub(super) fn ranks(&self, bounds: &Bounds<'_>) -> (usize, usize) {
        let (mut start, mut end) = (0, 0);
        let mut buffer = itoa::Buffer::new();
        for (member, score) in self.range(0..self.len()) {
            let member = member.as_bytes(&mut buffer);
            if bounds.is_above(score, || member) {
                break;
            }
            start += usize::from(bounds.is_below(score, || member));
            end += 1;
        }
        (start, end)
    }

    pub(super) fn range(&self, ranks: Range<usize>) -> Pairs<'_> {
        let place = |rank: usize| self.pack.seek(rank.saturating_mul(2)).unwrap_or(self.pack.end());
        Pairs(self.pack.iter_between(place(ranks.start), place(ranks.end)))
    }

    pub(super) fn remove_range(&mut self, start: usize, count: usize) {
        self.pack.remove_range(start * 2, count * 2);
    }

    pub(super) fn verify(&self) {
        self.pack.verify();
        assert!(
            Packed::adopt(self.pack.clone()).is_some(),
            "pairs in order, scores numbers, members unique"
        );
    }
}

/// Members with their scores, from either end.
#[derive(Clone, Debug)]
pub(super) struct Pairs<'a>(listpack::Iter<'a>);

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, f64);

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.0.next()?;
        Some((member, score_of(self.0.next()?)))
    }
}

impl DoubleEndedIterator for Pairs<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let score = self.0.next_back()?;
        Some((self.0.next_back()?, score_of(score)))
    }
}
