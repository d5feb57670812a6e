//! The nodes of the tree, and how they split and merge.

use super::{Entry, Members, Slot};
use smallvec::SmallVec;

/// Entries of a leaf: with 63 it fills an allocation of 768 bytes.
pub(super) const LEAF_ENTRIES: usize = 63;
/// Children of a branch.
pub(super) const BRANCH_CHILDREN: usize = 32;

/// The first bytes of a member as numbers that compare as they do, with zeros behind a shorter one. Where two heads
/// differ, they decide without a look at the members, which would miss the cache twice for each.
type Head = [u64; 2];

fn head_of(member: &[u8]) -> Head {
    let mut bytes = [0; size_of::<Head>()];
    let len = member.len().min(bytes.len());
    bytes[..len].copy_from_slice(&member[..len]);
    let bytes = u128::from_be_bytes(bytes);
    [(bytes >> 64) as u64, bytes as u64]
}

/// The smallest entry of a subtree, with the head of its member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct First {
    pub(super) entry: Entry,
    head: Head,
}

impl First {
    fn of(entry: Entry, members: &impl Members) -> First {
        First {
            entry,
            head: head_of(members.member(entry.slot)),
        }
    }
}

/// The entry that is searched for, with its member at hand.
pub(super) struct Key<'a, M> {
    entry: Entry,
    member: &'a [u8],
    head: Head,
    members: &'a M,
}

impl<'a, M: Members> Key<'a, M> {
    pub(super) fn of(entry: Entry, members: &'a M) -> Self {
        let member = members.member(entry.slot);
        Key {
            entry,
            member,
            head: head_of(member),
            members,
        }
    }

    /// Whether the searched entry stands behind the other one.
    pub(super) fn is_behind(&self, other: Entry) -> bool {
        other.score < self.entry.score
            || (other.score == self.entry.score
                && other.slot != self.entry.slot
                && self.members.member(other.slot) < self.member)
    }

    /// Whether the searched entry stands in the subtree that begins with `first`, or behind it.
    fn is_from(&self, first: &First) -> bool {
        if first.entry.slot == self.entry.slot {
            return true;
        }
        if first.entry.score == self.entry.score && first.head != self.head {
            return first.head < self.head;
        }
        self.is_behind(first.entry)
    }
}

/// How many nodes there are, for the memory they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nodes {
    pub(super) leaves: usize,
    pub(super) branches: usize,
}

impl Nodes {
    pub(super) fn memory(self) -> usize {
        self.leaves * size_of::<Leaf>() + self.branches * size_of::<Branch>()
    }
}

#[derive(Debug)]
pub(super) struct Leaf {
    len: u32,
    slots: [Slot; LEAF_ENTRIES],
    scores: [f64; LEAF_ENTRIES],
}

impl Default for Leaf {
    fn default() -> Self {
        Leaf {
            len: 0,
            slots: [0; LEAF_ENTRIES],
            scores: [0.0; LEAF_ENTRIES],
        }
    }
}

impl Leaf {
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn entry(&self, i: usize) -> Entry {
        Entry {
            score: self.scores[..self.len()][i],
            slot: self.slots[i],
        }
    }

    pub(super) fn partition_point(&self, mut before: impl FnMut(Entry) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if before(self.entry(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    pub(super) fn rename(&mut self, entry: Entry, to: Slot) -> bool {
        let found = self.find(entry);
        if let Some(i) = found {
            self.slots[i] = to;
        }
        found.is_some()
    }

    /// The place of an entry, by its slot: no member is read, which would miss the cache for each one.
    pub(super) fn find(&self, entry: Entry) -> Option<usize> {
        self.slots[..self.len()]
            .iter()
            .position(|&slot| slot == entry.slot)
    }

    fn insert(&mut self, i: usize, entry: Entry) {
        let len = self.len();
        self.scores.copy_within(i..len, i + 1);
        self.slots.copy_within(i..len, i + 1);
        (self.scores[i], self.slots[i]) = (entry.score, entry.slot);
        self.len += 1;
    }

    fn remove(&mut self, i: usize) {
        let len = self.len();
        self.scores.copy_within(i + 1..len, i);
        self.slots.copy_within(i + 1..len, i);
        self.len -= 1;
    }

    fn split_off(&mut self, cut: usize) -> Box<Leaf> {
        let mut right = Box::<Leaf>::default();
        let moved = self.len() - cut;
        right.scores[..moved].copy_from_slice(&self.scores[cut..cut + moved]);
        right.slots[..moved].copy_from_slice(&self.slots[cut..cut + moved]);
        right.len = moved as u32;
        self.len = cut as u32;
        right
    }

    fn append(&mut self, right: &Leaf) {
        let (len, more) = (self.len(), right.len());
        self.scores[len..len + more].copy_from_slice(&right.scores[..more]);
        self.slots[len..len + more].copy_from_slice(&right.slots[..more]);
        self.len += right.len;
    }
}

/// A subtree. `first` is the smallest entry below `node` and `count` the number of entries there, always.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) first: First,
    count: u32,
    pub(super) node: Node,
}

impl Child {
    pub(super) fn new(node: Node, count: usize, members: &impl Members) -> Child {
        Child {
            first: First::of(node.first(), members),
            count: u32::try_from(count).expect("slots are 32 bits wide, so counts are"),
            node,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// Brings `first` up to date after a change below.
    fn renew_first(&mut self, members: &impl Members) {
        let first = self.node.first();
        if first != self.first.entry {
            self.first = First::of(first, members);
        }
    }
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) children: SmallVec<[Child; BRANCH_CHILDREN]>,
}

impl Branch {
    /// The child below which the key is, or has to go.
    pub(super) fn child_for<M: Members>(&self, key: &Key<'_, M>) -> usize {
        let behind = self.children.partition_point(|child| key.is_from(&child.first));
        behind.saturating_sub(1)
    }

    /// Merges the child with a neighbour if both are so small that the result stays below three quarters.
    fn merge_around(&mut self, i: usize, nodes: &mut Nodes) {
        let node = &self.children[i].node;
        if node.width() * 2 >= node.width_max() {
            return;
        }
        let fits = |left: usize| {
            let (Some(a), Some(b)) = (self.children.get(left), self.children.get(left + 1)) else {
                return false;
            };
            (a.node.width() + b.node.width()) * 4 <= a.node.width_max() * 3
        };
        let Some(left) = [i.wrapping_sub(1), i]
            .into_iter()
            .find(|&left| left != usize::MAX && fits(left))
        else {
            return;
        };
        let right = self.children.remove(left + 1);
        let left = &mut self.children[left];
        left.count += right.count;
        match (&mut left.node, right.node) {
            (Node::Leaf(a), Node::Leaf(b)) => {
                a.append(&b);
                nodes.leaves -= 1;
            }
            (Node::Branch(a), Node::Branch(b)) => {
                a.children.extend(b.children);
                nodes.branches -= 1;
            }
            _ => unreachable!("all leaves have the same depth"),
        }
    }
}

#[derive(Debug)]
pub(super) enum Node {
    Leaf(Box<Leaf>),
    Branch(Box<Branch>),
}

impl Node {
    pub(super) fn branch(children: impl IntoIterator<Item = Child>) -> Node {
        Node::Branch(Box::new(Branch {
            children: children.into_iter().collect(),
        }))
    }

    fn first(&self) -> Entry {
        match self {
            Node::Leaf(leaf) => leaf.entry(0),
            Node::Branch(branch) => branch.children[0].first.entry,
        }
    }

    fn width(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Branch(branch) => branch.children.len(),
        }
    }

    fn width_max(&self) -> usize {
        match self {
            Node::Leaf(_) => LEAF_ENTRIES,
            Node::Branch(_) => BRANCH_CHILDREN,
        }
    }

    /// Takes the child out of a branch that has no other.
    pub(super) fn take_only_child(&mut self) -> Option<Node> {
        match self {
            Node::Branch(branch) if branch.children.len() == 1 => branch.children.pop().map(|only| only.node),
            _ => None,
        }
    }

    /// Checks the subtree and gives its number of entries and its nodes.
    pub(super) fn verify(&self, members: &impl Members) -> (usize, Nodes) {
        let branch = match self {
            Node::Leaf(leaf) => {
                let nodes = Nodes {
                    leaves: 1,
                    branches: 0,
                };
                return (leaf.len(), nodes);
            }
            Node::Branch(branch) => branch,
        };
        assert!(branch.children.len() <= BRANCH_CHILDREN && !branch.children.spilled());
        let mut total = 0;
        let mut nodes = Nodes {
            leaves: 0,
            branches: 1,
        };
        for child in &branch.children {
            assert_eq!(
                child.first,
                First::of(child.node.first(), members),
                "first is the smallest entry below"
            );
            assert_eq!(child.node.depth(), branch.children[0].node.depth());
            let (count, below) = child.node.verify(members);
            assert!(count > 0, "no empty node below a branch");
            assert_eq!(count, child.count(), "count is the number of entries below");
            total += count;
            nodes.leaves += below.leaves;
            nodes.branches += below.branches;
        }
        (total, nodes)
    }

    fn depth(&self) -> usize {
        match self {
            Node::Leaf(_) => 0,
            Node::Branch(branch) => 1 + branch.children[0].node.depth(),
        }
    }
}

/// How many nodes of up to `width` hold so many, and how full each of them is: as even as can be.
fn spread(count: usize, width: usize) -> impl Iterator<Item = usize> {
    let nodes = count.div_ceil(width);
    (0..nodes).map(move |node| count / nodes + usize::from(node < count % nodes))
}

/// Full leaves of entries that ascend.
pub(super) fn leaves_of(
    mut entries: impl ExactSizeIterator<Item = Entry>,
    members: &impl Members,
) -> (Vec<Child>, Nodes) {
    let widths = spread(entries.len(), LEAF_ENTRIES);
    let leaf = |count: usize| {
        let mut leaf = Box::<Leaf>::default();
        for (i, entry) in entries.by_ref().take(count).enumerate() {
            debug_assert!(!entry.score.is_nan());
            (leaf.scores[i], leaf.slots[i]) = (entry.score, entry.slot);
        }
        leaf.len = count as u32;
        Child::new(Node::Leaf(leaf), count, members)
    };
    let children: Vec<Child> = widths.map(leaf).collect();
    let nodes = Nodes {
        leaves: children.len(),
        branches: 0,
    };
    (children, nodes)
}

/// Branches over two children or more.
pub(super) fn branches_of(children: Vec<Child>, members: &impl Members, nodes: &mut Nodes) -> Vec<Child> {
    let widths = spread(children.len(), BRANCH_CHILDREN);
    let mut children = children.into_iter();
    let branch = |width: usize| {
        let below: Vec<Child> = children.by_ref().take(width).collect();
        let count = below.iter().map(Child::count).sum();
        Child::new(Node::branch(below), count, members)
    };
    let branches: Vec<Child> = widths.map(branch).collect();
    nodes.branches += branches.len();
    branches
}

/// Where a full node is cut: in the middle, but at its end when the tree grows at its right edge, so that ascending
/// insertions leave full nodes behind.
fn cut(width: usize, at: usize, rightmost: bool) -> usize {
    if rightmost && at == width {
        width
    } else {
        width / 2
    }
}

/// Inserts below `node`, and gives the right part if the node had to be split.
pub(super) fn insert_into<M: Members>(
    node: &mut Node,
    entry: Entry,
    key: &Key<'_, M>,
    rightmost: bool,
    nodes: &mut Nodes,
) -> Option<Child> {
    let branch = match node {
        Node::Leaf(leaf) => {
            let right = insert_into_leaf(leaf, entry, key, rightmost)?;
            nodes.leaves += 1;
            let count = right.len();
            return Some(Child::new(Node::Leaf(right), count, key.members));
        }
        Node::Branch(branch) => branch,
    };
    let i = branch.child_for(key);
    let rightmost = rightmost && i + 1 == branch.children.len();
    let child = &mut branch.children[i];
    let split = insert_into(&mut child.node, entry, key, rightmost, nodes);
    child.renew_first(key.members);
    child.count += 1;
    let new = split?;
    child.count -= new.count;
    let right = insert_child(branch, i + 1, new, rightmost)?;
    nodes.branches += 1;
    let count = right.iter().map(Child::count).sum();
    Some(Child::new(Node::branch(right), count, key.members))
}

fn insert_into_leaf<M: Members>(
    leaf: &mut Leaf,
    entry: Entry,
    key: &Key<'_, M>,
    rightmost: bool,
) -> Option<Box<Leaf>> {
    let at = leaf.partition_point(|other| key.is_behind(other));
    if leaf.len() < LEAF_ENTRIES {
        leaf.insert(at, entry);
        return None;
    }
    let cut = cut(LEAF_ENTRIES, at, rightmost);
    let mut right = leaf.split_off(cut);
    if at < cut {
        leaf.insert(at, entry);
    } else {
        right.insert(at - cut, entry);
    }
    Some(right)
}

fn insert_child(branch: &mut Branch, at: usize, new: Child, rightmost: bool) -> Option<Vec<Child>> {
    if branch.children.len() < BRANCH_CHILDREN {
        branch.children.insert(at, new);
        return None;
    }
    let cut = cut(BRANCH_CHILDREN, at, rightmost);
    let mut right: Vec<Child> = branch.children.drain(cut..).collect();
    if at < cut {
        branch.children.insert(at, new);
    } else {
        right.insert(at - cut, new);
    }
    Some(right)
}

/// Removes the key's entry below `node`, which may be left empty. False if it is not there.
pub(super) fn remove_from<M: Members>(node: &mut Node, key: &Key<'_, M>, nodes: &mut Nodes) -> bool {
    let branch = match node {
        Node::Leaf(leaf) => {
            let found = leaf.find(key.entry);
            if let Some(i) = found {
                leaf.remove(i);
            }
            return found.is_some();
        }
        Node::Branch(branch) => branch,
    };
    let i = branch.child_for(key);
    let child = &mut branch.children[i];
    if !remove_from(&mut child.node, key, nodes) {
        return false;
    }
    child.count -= 1;
    if child.count > 0 {
        child.renew_first(key.members);
        branch.merge_around(i, nodes);
        return true;
    }
    match branch.children.remove(i).node {
        Node::Leaf(_) => nodes.leaves -= 1,
        Node::Branch(_) => nodes.branches -= 1,
    }
    true
}
