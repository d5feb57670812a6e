//! The order of a sorted set: a B+ tree over (score, member) that knows how many entries lie below every child.
//!
//! Members themselves live elsewhere ([`Members`]); the tree holds their slots there, and looks at the bytes only where
//! scores are equal, and not even then where the first bytes decide between two children. Scores compare as numbers, so -0.0 equals 0.0; a NaN never enters.
//!
//! Cost: 12 bytes per entry in leaves of up to 63, which fill completely when scores arrive in ascending order and are
//! two thirds full otherwise; a branch adds about one byte per entry. Insert, remove, rank, nth and the search of a
//! bound are O(log n); a step of an iteration is O(1) on average.

mod node;
#[cfg(test)]
mod tests;

use node::{Child, Key, Leaf, Node, Nodes, insert_into, remove_from};

/// Where a member lives in the table beside the tree.
pub type Slot = u32;

/// The table that knows the bytes of every slot that the tree holds.
pub trait Members {
    /// The bytes of a member.
    fn member(&self, slot: Slot) -> &[u8];
}

/// One entry of the tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The score. Not NaN.
    pub score: f64,
    /// The member's place in the table.
    pub slot: Slot,
}

/// A B+ tree of entries in ascending order.
#[derive(Debug)]
pub struct OrderTree {
    root: Node,
    len: usize,
    nodes: Nodes,
}

impl Default for OrderTree {
    fn default() -> Self {
        OrderTree {
            root: Node::Leaf(Box::default()),
            len: 0,
            nodes: Nodes {
                leaves: 1,
                branches: 0,
            },
        }
    }
}

impl OrderTree {
    /// A tree of entries that ascend, whose members must be in the table already. O(n)
    pub fn of_ascending(entries: impl ExactSizeIterator<Item = Entry>, members: &impl Members) -> OrderTree {
        let len = entries.len();
        let (mut level, mut nodes) = node::leaves_of(entries, members);
        while level.len() > 1 {
            level = node::branches_of(level, members, &mut nodes);
        }
        match level.pop() {
            Some(root) => OrderTree {
                root: root.node,
                len,
                nodes,
            },
            None => OrderTree::default(),
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.nodes.memory()
    }

    /// Inserts an entry. Its member must be in the table already, and must not be in the tree.
    pub fn insert(&mut self, entry: Entry, members: &impl Members) {
        assert!(!entry.score.is_nan(), "a score is a number");
        let key = Key::of(entry, members);
        if let Some(right) = insert_into(&mut self.root, entry, &key, true, &mut self.nodes) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Box::default()));
            let left = Child::new(left, self.len + 1 - right.count(), members);
            self.root = Node::branch([left, right]);
            self.nodes.branches += 1;
        }
        self.len += 1;
    }

    /// Removes an entry, whose member must still be in the table. False if it is not in the tree.
    pub fn remove(&mut self, entry: Entry, members: &impl Members) -> bool {
        let key = Key::of(entry, members);
        if !remove_from(&mut self.root, &key, &mut self.nodes) {
            return false;
        }
        self.len -= 1;
        while let Some(only) = self.root.take_only_child() {
            self.root = only;
            self.nodes.branches -= 1;
        }
        true
    }

    /// Makes the entry name another slot, to which its member is about to move. False if it is not in the tree.
    pub fn rename(&mut self, entry: Entry, to: Slot, members: &impl Members) -> bool {
        let key = Key::of(entry, members);
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.rename(entry, to),
                Node::Branch(branch) => {
                    let i = branch.child_for(&key);
                    let child = &mut branch.children[i];
                    if child.first.entry.slot == entry.slot {
                        child.first.entry.slot = to;
                    }
                    node = &mut child.node;
                }
            }
        }
    }

    /// Number of entries for which `before` holds. It must hold for a prefix of the order and for nothing behind it.
    pub fn partition_point(&self, mut before: impl FnMut(Entry) -> bool) -> usize {
        let mut rank = 0;
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return rank + leaf.partition_point(before),
                Node::Branch(branch) => {
                    let i = branch.children.partition_point(|child| before(child.first.entry));
                    let i = i.saturating_sub(1);
                    rank += branch.children[..i].iter().map(Child::count).sum::<usize>();
                    node = &branch.children[i].node;
                }
            }
        }
    }

    /// As [`OrderTree::partition_point`], for a `before` that may hold here and there: what it gives depends on the entries
    /// alone, and not on how they are spread over nodes. O(log² n).
    pub fn bisect(&self, mut before: impl FnMut(Entry) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.nth(middle).is_some_and(&mut before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Number of entries before this one. `None` if it is not in the tree.
    pub fn rank(&self, entry: Entry, members: &impl Members) -> Option<usize> {
        let key = Key::of(entry, members);
        let mut rank = 0;
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.find(entry).map(|i| rank + i),
                Node::Branch(branch) => {
                    let i = branch.child_for(&key);
                    rank += branch.children[..i].iter().map(Child::count).sum::<usize>();
                    node = &branch.children[i].node;
                }
            }
        }
    }

    /// The entry with this rank.
    pub fn nth(&self, rank: usize) -> Option<Entry> {
        (rank < self.len).then(|| {
            let (leaf, i) = self.locate(rank);
            leaf.entry(i)
        })
    }

    /// The entries of these ranks, from either end. The range is cut to what is there.
    pub fn range(&self, ranks: std::ops::Range<usize>) -> Range<'_> {
        let back = ranks.end.min(self.len);
        Range {
            tree: self,
            front: ranks.start.min(back),
            back,
            front_leaf: None,
            back_leaf: None,
        }
    }

    /// All entries, from either end.
    pub fn iter(&self) -> Range<'_> {
        self.range(0..self.len)
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self, members: &impl Members) {
        let seen = self.root.verify(members);
        assert_eq!(seen, (self.len, self.nodes), "entries and nodes are counted");
        let mut last: Option<Entry> = None;
        for entry in self.iter() {
            assert!(!entry.score.is_nan(), "a score is a number");
            if let Some(last) = last {
                assert!(Key::of(entry, members).is_behind(last), "entries ascend");
            }
            last = Some(entry);
        }
    }

    /// The leaf that holds the entry of this rank, and its place there.
    fn locate(&self, mut rank: usize) -> (&Leaf, usize) {
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, rank),
                Node::Branch(branch) => {
                    let mut children = branch.children.iter();
                    let mut child = children.next().expect("a branch has children");
                    while rank >= child.count() {
                        rank -= child.count();
                        child = children.next().expect("counts add up to the length");
                    }
                    node = &child.node;
                }
            }
        }
    }
}

/// The entries of a range of ranks. It searches its next leaf from the root, once in a leaf's length of steps.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    tree: &'a OrderTree,
    front: usize,
    back: usize,
    front_leaf: Option<(&'a Leaf, usize)>,
    back_leaf: Option<(&'a Leaf, usize)>,
}

impl Iterator for Range<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.front == self.back {
            return None;
        }
        let (leaf, i) = match self.front_leaf {
            Some((leaf, i)) if i < leaf.len() => (leaf, i),
            _ => self.tree.locate(self.front),
        };
        self.front_leaf = Some((leaf, i + 1));
        self.front += 1;
        Some(leaf.entry(i))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.back - self.front;
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Range<'_> {
    fn next_back(&mut self) -> Option<Entry> {
        if self.front == self.back {
            return None;
        }
        self.back -= 1;
        let (leaf, i) = match self.back_leaf {
            Some((leaf, i)) if i > 0 => (leaf, i - 1),
            _ => self.tree.locate(self.back),
        };
        self.back_leaf = Some((leaf, i));
        Some(leaf.entry(i))
    }
}

impl ExactSizeIterator for Range<'_> {}
