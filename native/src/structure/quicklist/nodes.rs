//! The nodes of a list: most lists have one, which is held in place; several stand in a deque. A frozen list shares its nodes.

use crate::structure::listpack::Listpack;
use crate::structure::piece::{Piece, is_left_behind};
use std::collections::VecDeque;
use std::ops::Range;
use std::slice;

/// A node: as large as its listpack, shared or not.
pub(super) type Node = Piece<Listpack>;

/// See the module. The form follows from the number of nodes.
#[derive(Debug)]
pub(super) enum Nodes {
    /// The only node; an empty one counts as none.
    One(Node),
    /// Two or more.
    Many(Box<Chain>),
}

#[derive(Debug, Default)]
pub(super) struct Chain {
    packs: VecDeque<Node>,
    /// The memory of all nodes.
    bytes: usize,
}

const _: () = assert!(size_of::<Node>() == 16 && size_of::<Nodes>() == 16);

/// What a node takes beside its place.
fn memory(node: &Node) -> usize {
    node.memory() + node.box_bytes()
}

impl Default for Nodes {
    fn default() -> Self {
        Nodes::One(Node::default())
    }
}

impl Nodes {
    /// Number of nodes.
    pub(super) fn len(&self) -> usize {
        self.iter().len()
    }

    /// A node.
    #[inline]
    pub(super) fn get(&self, node: usize) -> Option<&Listpack> {
        match self {
            Nodes::One(pack) => (node == 0 && !pack.is_empty()).then_some(pack),
            Nodes::Many(chain) => chain.packs.get(node).map(|pack| &**pack),
        }
    }

    /// The last node.
    pub(super) fn last(&self) -> Option<&Listpack> {
        self.iter().next_back()
    }

    /// From the first to the last.
    pub(super) fn iter(&self) -> Packs<'_> {
        self.iter_from(0)
    }

    /// From this node, which may be the one behind the last, to the last.
    pub(super) fn iter_from(&self, node: usize) -> Packs<'_> {
        let (front, back) = match self {
            Nodes::One(pack) if pack.is_empty() => Default::default(),
            Nodes::One(pack) => (slice::from_ref(pack), Default::default()),
            Nodes::Many(chain) => chain.packs.as_slices(),
        };
        let behind = node.saturating_sub(front.len());
        Packs {
            front: front[node.min(front.len())..].iter(),
            back: back[behind..].iter(),
        }
    }

    /// Bytes on the heap. O(1).
    pub(super) fn memory(&self) -> usize {
        match self {
            Nodes::One(pack) => memory(pack),
            Nodes::Many(chain) => {
                size_of::<Chain>() + chain.packs.capacity() * size_of::<Node>() + chain.bytes
            }
        }
    }

    /// Changes a node, which must be there or have just been [opened](Nodes::open).
    pub(super) fn change<R>(&mut self, node: usize, change: impl FnOnce(&mut Listpack) -> R) -> R {
        match self {
            Nodes::One(pack) => {
                debug_assert_eq!(node, 0);
                change(pack.edit())
            }
            Nodes::Many(chain) => {
                let pack = &mut chain.packs[node];
                let before = memory(pack);
                let result = change(pack.edit());
                chain.bytes = chain.bytes - before + memory(pack);
                result
            }
        }
    }

    /// Adds an empty node before this one, which has to be filled at once.
    pub(super) fn open(&mut self, node: usize) {
        match self {
            Nodes::One(pack) if pack.is_empty() => {}
            _ => self.insert(node, Node::default()),
        }
    }

    /// Adds a node before this one.
    pub(super) fn insert(&mut self, node: usize, pack: Node) {
        match self {
            Nodes::One(only) if only.is_empty() => *only = pack,
            Nodes::One(only) => {
                let mut chain = Box::new(Chain::default());
                // Lists of two nodes are frequent among those that have more than one.
                chain.packs.reserve_exact(2);
                chain.insert(0, std::mem::take(only));
                chain.insert(node, pack);
                *self = Nodes::Many(chain);
            }
            Nodes::Many(chain) => chain.insert(node, pack),
        }
    }

    /// Takes nodes out, and gives them with their memory.
    pub(super) fn take(&mut self, nodes: Range<usize>) -> (Vec<Node>, usize) {
        let taken: Vec<Node> = match self {
            Nodes::One(pack) if nodes == (0..1) => vec![std::mem::take(pack)],
            Nodes::One(_) => Vec::new(),
            Nodes::Many(chain) => chain.packs.drain(nodes).collect(),
        };
        let bytes = taken.iter().map(memory).sum();
        if let Nodes::Many(chain) = self {
            chain.bytes -= bytes;
        }
        self.settle();
        (taken, bytes)
    }

    /// Takes a node out.
    pub(super) fn remove(&mut self, node: usize) -> Option<Node> {
        self.get(node)?;
        self.take(node..node + 1).0.pop()
    }

    /// Drops nodes that have become empty.
    pub(super) fn drop_empty(&mut self) {
        if let Nodes::Many(chain) = self {
            let bytes = &mut chain.bytes;
            chain.packs.retain(|pack| {
                *bytes -= if pack.is_empty() { memory(pack) } else { 0 };
                !pack.is_empty()
            });
        }
        self.settle();
    }

    /// Finds the form again after nodes went, and gives memory back.
    fn settle(&mut self) {
        let Nodes::Many(chain) = self else { return };
        if chain.packs.len() < 2 {
            *self = Nodes::One(chain.packs.pop_front().unwrap_or_default());
            return;
        }
        let (len, room) = (chain.packs.len(), chain.packs.capacity());
        if room > 8 && len < room / 4 {
            chain.packs.shrink_to(2 * len);
        }
    }

    /// A copy that shares all nodes. O(nodes).
    pub(super) fn freeze(&mut self) -> Nodes {
        match self {
            Nodes::One(pack) if pack.is_empty() => Nodes::default(),
            Nodes::One(pack) => Nodes::One(Piece::Shared(pack.share())),
            Nodes::Many(chain) => {
                let share = |pack: &mut Node| Piece::Shared(pack.share());
                let frozen = Chain {
                    packs: chain.packs.iter_mut().map(share).collect(),
                    bytes: chain.packs.iter().map(memory).sum(),
                };
                chain.bytes = frozen.bytes;
                Nodes::Many(Box::new(frozen))
            }
        }
    }

    /// Bytes on the heap without those of nodes that another list has, too. O(nodes).
    pub(super) fn memory_alone(&self) -> usize {
        let alone = |pack: &Node| match pack {
            Piece::Shared(shared) if !is_left_behind(shared) => 0,
            _ => memory(pack),
        };
        match self {
            Nodes::One(pack) => alone(pack),
            Nodes::Many(chain) => self.memory() - chain.bytes + chain.packs.iter().map(alone).sum::<usize>(),
        }
    }

    /// Panics if an invariant is broken.
    pub(super) fn verify(&self) {
        self.iter().for_each(Listpack::verify);
        if let Nodes::Many(chain) = self {
            assert!(chain.packs.len() >= 2, "one node stands in place");
            assert!(
                chain.packs.iter().all(|pack| !pack.is_empty()),
                "no node is empty"
            );
            let bytes: usize = chain.packs.iter().map(memory).sum();
            assert_eq!(bytes, chain.bytes, "memory is counted");
        }
    }
}

impl Chain {
    fn insert(&mut self, node: usize, pack: Node) {
        self.bytes += memory(&pack);
        self.packs.insert(node, pack);
    }
}

/// Nodes, from either end.
#[derive(Clone, Debug)]
pub struct Packs<'a> {
    front: slice::Iter<'a, Node>,
    back: slice::Iter<'a, Node>,
}

impl<'a> Iterator for Packs<'a> {
    type Item = &'a Listpack;

    fn next(&mut self) -> Option<&'a Listpack> {
        self.front.next().or_else(|| self.back.next()).map(|pack| &**pack)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.front.len() + self.back.len();
        (len, Some(len))
    }
}

impl DoubleEndedIterator for Packs<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.back
            .next_back()
            .or_else(|| self.front.next_back())
            .map(|pack| &**pack)
    }
}

impl ExactSizeIterator for Packs<'_> {}
