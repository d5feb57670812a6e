//! A list as a deque of listpacks of limited size. An element that is larger has a node of its own.
//!
//! Cost: a list of one node takes that listpack's allocation; one of several 16 bytes more for each, and a deque. Per element what
//! a listpack takes. Both ends are O(1) (a change moves at
//! most one node's bytes); an index is O(nodes) from the nearer end plus a walk through one node. Changes in the middle
//! split a full node, and merge neighbours that together fill no more than half a node.

mod nodes;
#[cfg(test)]
mod tests;

use crate::discard::discard;
use crate::structure::listpack::{Listpack, Position, entry_size, packed_form};
use crate::value::Element;
use nodes::Nodes;

/// How much goes into one node.
pub trait NodeLimits: Copy {
    /// Bytes of its listpack, unless it has a single element.
    fn bytes(self) -> usize;
    /// Elements.
    fn entries(self) -> usize;
}

/// A list.
#[derive(Debug, Default)]
pub struct Quicklist<L: NodeLimits> {
    nodes: Nodes,
    /// Number of elements. Four bytes, so that the limits cost none.
    len: u32,
    limits: L,
}

/// A place in the list: a node, and an element there.
struct Place {
    node: usize,
    at: Position,
}

/// From which end a removal looks for its matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// From the first element on.
    Head,
    /// From the last element back.
    Tail,
}

impl<L: NodeLimits> Quicklist<L> {
    /// The list with other limits. It must be empty, or have nodes that keep to them.
    pub fn limited(self, limits: L) -> Self {
        Quicklist { limits, ..self }
    }

    /// How much goes into one node.
    pub fn limits(&self) -> L {
        self.limits
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.nodes.memory()
    }

    /// The list as it is now, whatever becomes of this one. O(nodes): both share the nodes, and whoever changes one copies it.
    pub fn freeze(&mut self) -> Self {
        Quicklist {
            nodes: self.nodes.freeze(),
            ..*self
        }
    }

    /// Bytes on the heap without those of nodes that another list shares. O(nodes).
    pub fn memory_alone(&self) -> usize {
        self.nodes.memory_alone()
    }

    /// The listpacks from head to tail; none is empty.
    pub fn packs(&self) -> impl ExactSizeIterator<Item = &Listpack> {
        self.nodes.iter()
    }

    /// Puts a whole listpack behind the tail, as it is. An empty one is dropped.
    pub fn push_pack(&mut self, pack: Listpack) {
        if !pack.is_empty() {
            self.len = count(self.len() + pack.len());
            self.nodes.insert(self.nodes.len(), pack.into());
        }
    }

    /// Puts an element before the head.
    pub fn push_front(&mut self, text: &[u8]) {
        let element = packed_form(text);
        if !self.has_room(0, element) {
            self.nodes.open(0);
        }
        self.change(0, |pack| pack.push_front(text));
    }

    /// Puts an element behind the tail.
    pub fn push_back(&mut self, text: &[u8]) {
        let element = packed_form(text);
        let last = self.nodes.len().saturating_sub(1);
        if self.has_room(last, element) {
            self.change(last, |pack| pack.push_back(text));
        } else {
            let next = self.nodes.len();
            self.nodes.open(next);
            self.change(next, |pack| pack.push_back(text));
        }
    }

    /// Takes the head.
    pub fn pop_front(&mut self) -> Option<Vec<u8>> {
        let pack = self.nodes.get(0)?;
        let at = pack.first()?;
        let text = pack.get(at).to_vec();
        self.change(0, |pack| pack.remove(at));
        self.drop_if_empty(0);
        Some(text)
    }

    /// Takes the tail.
    pub fn pop_back(&mut self) -> Option<Vec<u8>> {
        let pack = self.nodes.last()?;
        let at = pack.last()?;
        let text = pack.get(at).to_vec();
        let last = self.nodes.len() - 1;
        self.change(last, |pack| pack.remove(at));
        self.drop_if_empty(last);
        Some(text)
    }

    /// The element with this index.
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        let place = self.locate(index)?;
        Some(self.nodes.get(place.node)?.get(place.at))
    }

    /// From head to tail, and back.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Element<'_>> {
        self.nodes.iter().flat_map(Listpack::iter)
    }

    /// From the element with this index to the tail.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = Element<'_>> {
        let place = self.locate(index);
        let rest = place.as_ref().map_or(self.nodes.len(), |place| place.node + 1);
        let here = place.and_then(|place| Some(self.nodes.get(place.node)?.iter_from(Some(place.at))));
        let rest = self.nodes.iter_from(rest).flat_map(Listpack::iter);
        here.into_iter().flatten().chain(rest)
    }

    /// Puts another element in the place of the one with this index. False if there is none.
    pub fn set(&mut self, index: usize, text: &[u8]) -> bool {
        let Some(place) = self.locate(index) else {
            return false;
        };
        let pack = self.node(place.node);
        let grown = pack.as_bytes().len() + entry_size(packed_form(text)) - entry_size(pack.get(place.at));
        if pack.len() == 1 || grown <= self.limits.bytes() {
            self.change(place.node, |pack| pack.replace(place.at, text));
            self.merge_around(place.node);
        } else {
            self.remove_range(index, 1);
            self.insert(index, text);
        }
        true
    }

    /// Inserts an element before the one with this index; at the tail if the index is the length.
    pub fn insert(&mut self, index: usize, text: &[u8]) {
        assert!(index <= self.len(), "an insertion leaves no gap");
        if index == 0 {
            return self.push_front(text);
        }
        let Some(Place { node, at }) = self.locate(index) else {
            return self.push_back(text);
        };
        let element = packed_form(text);
        if self.has_room(node, element) {
            return self.change(node, |pack| pack.insert(at, text));
        }
        self.split(node, at);
        // The element goes in front of the part behind the cut, if it can, or gets a node between the two parts.
        let mut into = node + 1;
        if Some(at) == self.node(node).first() {
            into = node;
        }
        if !self.has_room(into, element) {
            self.nodes.open(into);
        }
        self.change(into, |pack| pack.push_front(text));
        self.merge_around(into);
        self.merge_around(node);
    }

    /// Removes up to `count` elements from this index on, and gives how many there were.
    pub fn remove_range(&mut self, start: usize, count: usize) -> usize {
        let Some(Place { mut node, mut at }) = self.locate(start) else {
            return 0;
        };
        let seam = node;
        let count = count.min(self.len() - start);
        let mut left = count;
        while left > 0 {
            let from_first = self.node(node).first() == Some(at);
            let whole = if from_first {
                self.remove_whole(node, left)
            } else {
                0
            };
            left -= whole;
            if whole == 0 {
                left -= self.change(node, |pack| pack.remove_run(at, left));
                if !self.drop_if_empty(node) {
                    node += 1;
                }
            }
            match self.nodes.get(node).and_then(Listpack::first) {
                Some(first) => at = first,
                None => break,
            }
        }
        self.merge_around(seam);
        count
    }

    /// Removes up to `limit` elements equal to `text`, from one end on, and gives how many there were.
    pub fn remove_equal(&mut self, text: &[u8], limit: usize, end: End) -> usize {
        let mut left = limit;
        for step in 0..self.nodes.len() {
            let node = match end {
                End::Head => step,
                End::Tail => self.nodes.len() - 1 - step,
            };
            if left == 0 {
                break;
            }
            left -= self.change(node, |pack| match end {
                End::Head => remove_forwards(pack, text, left),
                End::Tail => remove_backwards(pack, text, left),
            });
        }
        if left < limit {
            self.nodes.drop_empty();
            for node in (0..self.nodes.len()).rev() {
                self.merge_around(node);
            }
        }
        limit - left
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        self.nodes.verify();
        let mut len = 0;
        for pack in self.nodes.iter() {
            assert!(
                pack.len() == 1 || pack.as_bytes().len() <= self.limits.bytes(),
                "only a single element exceeds a node"
            );
            assert!(pack.len() == 1 || pack.len() <= self.limits.entries());
            len += pack.len();
        }
        assert_eq!(len, self.len(), "the length is counted");
    }

    /// A node that is there.
    fn node(&self, node: usize) -> &Listpack {
        match self.nodes.get(node) {
            Some(pack) => pack,
            None => unreachable!("the list has no node {node}"),
        }
    }

    /// Walks the counts of the nodes from the nearer end.
    fn locate(&self, index: usize) -> Option<Place> {
        if index >= self.len() {
            return None;
        }
        let (node, inner) = if index < self.len() / 2 {
            let mut rest = index;
            let node = self.nodes.iter().position(|pack| {
                let here = rest < pack.len();
                rest -= if here { 0 } else { pack.len() };
                here
            })?;
            (node, rest)
        } else {
            let mut rest = self.len() - index;
            let back = self.nodes.iter().rev().position(|pack| {
                let here = rest <= pack.len();
                rest -= if here { 0 } else { pack.len() };
                here
            })?;
            let node = self.nodes.len() - 1 - back;
            (node, self.node(node).len() - rest)
        };
        let at = self.node(node).seek(inner)?;
        Some(Place { node, at })
    }

    fn has_room(&self, node: usize, element: Element<'_>) -> bool {
        let limits = self.limits;
        let fits = |pack: &Listpack| {
            pack.as_bytes().len() + entry_size(element) <= limits.bytes() && pack.len() < limits.entries()
        };
        self.nodes.get(node).is_some_and(fits)
    }

    /// Every change of a listpack goes through here, so that the length follows it.
    fn change<R>(&mut self, node: usize, change: impl FnOnce(&mut Listpack) -> R) -> R {
        let (before, after, result) = self.nodes.change(node, |pack| {
            let before = pack.len();
            let result = change(pack);
            (before, pack.len(), result)
        });
        self.len = count(self.len() - before + after);
        result
    }

    /// Removes nodes from `node` on as long as they hold no more than `limit` elements together, without a look into them,
    /// and gives how many elements those were.
    fn remove_whole(&mut self, node: usize, limit: usize) -> usize {
        let (mut end, mut elements) = (node, 0);
        for pack in self.nodes.iter_from(node) {
            if elements + pack.len() > limit {
                break;
            }
            elements += pack.len();
            end += 1;
        }
        let (gone, bytes) = self.nodes.take(node..end);
        self.len = count(self.len() - elements);
        discard(gone, bytes);
        elements
    }

    fn drop_if_empty(&mut self, node: usize) -> bool {
        let left = self.nodes.get(node).map_or(0, Listpack::len);
        if left == 0 {
            self.nodes.remove(node);
        }
        left == 0
    }

    /// Cuts a node before `at`. A cut before its first element changes nothing.
    fn split(&mut self, node: usize, at: Position) {
        if Some(at) == self.node(node).first() {
            return;
        }
        let len = self.len;
        let right = self.change(node, |pack| pack.split_off(at));
        self.nodes.insert(node + 1, right.into());
        self.len = len;
    }

    fn merge_around(&mut self, node: usize) {
        self.merge_with_next(node);
        if node > 0 {
            self.merge_with_next(node - 1);
        }
    }

    fn merge_with_next(&mut self, node: usize) {
        let (Some(left), Some(right)) = (self.nodes.get(node), self.nodes.get(node + 1)) else {
            return;
        };
        let bytes = left.as_bytes().len() + right.as_bytes().len();
        if bytes > self.limits.bytes() / 2 || left.len() + right.len() > self.limits.entries() {
            return;
        }
        if let Some(right) = self.nodes.remove(node + 1) {
            let len = self.len;
            self.change(node, |pack| pack.append(&right));
            self.len = len;
        }
    }
}

fn count(elements: usize) -> u32 {
    u32::try_from(elements).expect("a list has less than 2^32 elements")
}

fn remove_forwards(pack: &mut Listpack, text: &[u8], limit: usize) -> usize {
    let mut removed = 0;
    let mut from = pack.first();
    while removed < limit
        && let Some(at) = pack.find(text, from, 1)
    {
        pack.remove(at);
        removed += 1;
        from = (at < pack.end()).then_some(at);
    }
    removed
}

fn remove_backwards(pack: &mut Listpack, text: &[u8], limit: usize) -> usize {
    let wanted = packed_form(text);
    let mut removed = 0;
    let mut end = pack.end();
    while removed < limit
        && let Some(at) = pack.before(end)
    {
        if pack.get(at) == wanted {
            pack.remove(at);
            removed += 1;
        }
        end = at;
    }
    removed
}
