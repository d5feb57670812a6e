//! The entries of a stream, and what it remembers of those that are gone.

use super::StreamId;
use super::node::{Fields, Items, Node, Summary};
use crate::structure::listpack::Listpack;
use crate::structure::ordered_map::{OrderedMap, Range};
use crate::value::LimitsRef;

/// Entries in ascending order of ids, in nodes found by their first id.
#[derive(Debug, Default)]
pub struct EntryLog {
    /// By master id: the id of the node's first entry, deleted or not. Every node has a live entry.
    nodes: OrderedMap<StreamId, Node>,
    /// Sum of [`Node::memory`].
    node_bytes: usize,
    /// Live entries.
    length: usize,
    /// The first live entry; zero if there is none.
    first_id: StreamId,
    /// Greatest id ever given. Not less than that of any entry, deleted or not.
    last_id: StreamId,
    /// Greatest id deleted by name (not by trimming).
    max_deleted_id: StreamId,
    /// Entries ever added.
    entries_added: u64,
    /// How much goes into a node: so many entries, deleted ones included, and so many bytes, its first entry apart.
    pub(super) limits: LimitsRef,
}

/// What remains of an older, shorter stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// So many of the latest entries.
    Length(u64),
    /// The entries from this id on.
    From(StreamId),
}

/// What [`EntryLog::trim`] has taken out.
#[derive(Debug, Default)]
pub struct Trimmed {
    /// Number of entries deleted.
    pub entries: usize,
    /// The nodes that went whole, for the caller to drop.
    pub nodes: Vec<Node>,
    /// Heap bytes of the nodes.
    pub bytes: usize,
}

/// A live entry.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its id.
    pub id: StreamId,
    /// Its fields with their values, in their order.
    pub fields: Fields<'a>,
}

impl Clone for EntryLog {
    fn clone(&self) -> Self {
        let nodes = self.nodes.clone();
        EntryLog {
            // A copy of a node has no spare room.
            node_bytes: nodes.iter().map(|(_, node)| node.memory()).sum(),
            nodes,
            ..*self
        }
    }
}

impl EntryLog {
    /// Number of live entries.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The first live entry's id; zero if there is none.
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// Greatest id ever given.
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// Greatest id deleted by name.
    pub fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// Entries ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// Sets the counters that a file or XSETID gives. The last id must not be less than that of any entry, but may be less
    /// than one that is deleted: its place is given up then, since entries to come may have lesser ids.
    pub fn set_counters(&mut self, last_id: StreamId, max_deleted_id: StreamId, entries_added: u64) {
        // Every node has a live entry, so what lies behind the last of them is in the last node.
        if let Some((master, node)) = self.nodes.last_mut() {
            self.node_bytes -= node.memory();
            node.forget_behind(master, last_id);
            self.node_bytes += node.memory();
        }
        self.last_id = last_id;
        self.max_deleted_id = max_deleted_id;
        self.entries_added = entries_added;
    }

    /// Bytes on the heap. O(1).
    pub fn memory(&self) -> usize {
        self.nodes.memory() + self.node_bytes
    }

    /// The entries as they are now, whatever becomes of these. O(nodes): both share the nodes, and whoever changes one copies it.
    pub fn freeze(&mut self) -> EntryLog {
        let mut node_bytes = 0;
        let nodes = self.nodes.copied(|node| {
            let shared = node.share();
            node_bytes += node.memory();
            shared
        });
        self.node_bytes = node_bytes;
        EntryLog { nodes, ..*self }
    }

    /// Bytes on the heap without those of nodes that another log shares. O(nodes).
    pub fn memory_alone(&self) -> usize {
        let alone = self.nodes.iter().map(|(_, node)| node.memory_alone());
        self.nodes.memory() + alone.sum::<usize>()
    }

    /// The nodes with their master ids, as a snapshot stores them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &Listpack)> {
        Nodes(self.nodes.iter(), self.nodes.len())
    }

    /// Adds an entry, whose id must be greater than [`EntryLog::last_id`].
    pub fn append(&mut self, id: StreamId, fields: &[(&[u8], &[u8])]) {
        assert!(id > self.last_id, "ids ascend");
        let text_bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        let limits = self.limits;
        let has_room = self.nodes.last().is_some_and(|(_, node)| {
            limits.stream_node_has_room(node.bytes() + text_bytes, node.live() + node.deleted())
        });
        if !has_room {
            let node = Node::new(fields);
            self.node_bytes += node.memory();
            self.nodes.insert(id, node);
        }
        if let Some((master, node)) = self.nodes.last_mut() {
            self.node_bytes -= node.memory();
            node.push(master, id, fields);
            self.node_bytes += node.memory();
        }
        self.length += 1;
        self.entries_added += 1;
        self.last_id = id;
        if self.length == 1 {
            self.first_id = id;
        }
    }

    /// Puts a node of a file behind the last, as it is, and says whether it did. A node without a live entry is left out.
    pub fn push_node(&mut self, master: StreamId, pack: Listpack) -> bool {
        let Some((node, Summary { live, first, last })) = Node::adopt(master, pack) else {
            return false;
        };
        if first != master || first <= self.last_id {
            return false;
        }
        self.last_id = last;
        if live > 0 {
            self.node_bytes += node.memory();
            self.nodes.insert(master, node);
            self.length += live;
            self.entries_added += live as u64;
            self.find_first();
        }
        true
    }

    fn find_first(&mut self) {
        let first = self.range(StreamId::MIN, StreamId::MAX).next();
        self.first_id = first.map_or(StreamId::MIN, |entry| entry.id);
    }

    /// Whether this entry is there.
    pub fn contains(&self, id: StreamId) -> bool {
        self.get(id).is_some()
    }

    /// The entry with this id.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        let (master, node) = self.nodes.floor(&id)?;
        let item = node.find(master, id)?;
        Some(Entry {
            id,
            fields: item.fields,
        })
    }

    /// The last live entry's id.
    pub fn last_live_id(&self) -> Option<StreamId> {
        self.range(StreamId::MIN, StreamId::MAX)
            .next_back()
            .map(|entry| entry.id)
    }

    /// Deletes an entry by name. Whether it was there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some(master) = self.nodes.floor(&id).map(|(master, _)| master) else {
            return false;
        };
        let Some(node) = self.nodes.get_mut(&master) else {
            return false;
        };
        let Some(at) = node.find(master, id).map(|item| item.position()) else {
            return false;
        };
        self.node_bytes -= node.memory();
        node.delete(&[at]);
        self.node_bytes += node.memory();
        if node.live() == 0 {
            self.node_bytes -= node.memory();
            self.nodes.remove(&master);
        }
        self.length -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if id == self.first_id {
            self.find_first();
        }
        true
    }

    /// Deletes entries from the front: whole nodes only if `approximate`, and only as long as no more than `limit` are
    /// gone (0: no limit).
    pub fn trim(&mut self, to: Trim, approximate: bool, limit: u64) -> Trimmed {
        let before = self.length;
        let mut trimmed = Trimmed::default();
        while let Some((master, node)) = self.nodes.first() {
            let live = node.live();
            if matches!(to, Trim::Length(length) if self.length as u64 <= length) {
                break;
            }
            if limit > 0 && (before - self.length + live) as u64 > limit {
                break;
            }
            let whole = match to {
                Trim::Length(length) => (self.length - live) as u64 >= length,
                Trim::From(id) => node.items(master).next_back().is_some_and(|last| last.id < id),
            };
            if !whole {
                if !approximate {
                    self.trim_node(master, to);
                }
                break;
            }
            self.length -= live;
            let Some((_, node)) = self.nodes.pop_first() else {
                break;
            };
            self.node_bytes -= node.memory();
            trimmed.bytes += node.memory();
            trimmed.nodes.push(node);
        }
        trimmed.entries = before - self.length;
        if trimmed.entries > 0 {
            self.find_first();
        }
        trimmed
    }

    /// Deletes entries from the front of a node, but not all that are in it.
    fn trim_node(&mut self, master: StreamId, to: Trim) {
        let Some(node) = self.nodes.get_mut(&master) else {
            return;
        };
        let live = node.items(master).filter(|item| !item.deleted);
        let doomed: Vec<_> = match to {
            Trim::Length(length) => live
                .take((self.length as u64).saturating_sub(length) as usize)
                .map(|item| item.position())
                .collect(),
            Trim::From(id) => live
                .take_while(|item| item.id < id)
                .map(|item| item.position())
                .collect(),
        };
        self.node_bytes -= node.memory();
        node.delete(&doomed);
        self.node_bytes += node.memory();
        self.length -= doomed.len();
        if node.live() == 0 {
            self.node_bytes -= node.memory();
            self.nodes.remove(&master);
        }
    }

    /// The live entries with ids between these two, both included, from either end.
    pub fn range(&self, from: StreamId, to: StreamId) -> Entries<'_> {
        // The entries at `from` may be in a node that begins before it.
        let first = self.nodes.floor(&from).map_or(from, |(master, _)| master);
        Entries {
            from,
            to,
            nodes: self.nodes.range(&first, &to),
            front: None,
            back: None,
        }
    }

    /// Whether an entry from `from` on was deleted by name.
    pub fn has_tombstones_from(&self, from: StreamId) -> bool {
        // A tombstone before the first entry tears no hole into what is left.
        let is_torn = self.length > 0 && self.first_id <= self.max_deleted_id;
        is_torn && from <= self.max_deleted_id
    }

    /// How many entries were added up to this id, if that can be told.
    pub fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if (self.length == 0 && id <= self.last_id) || id == self.last_id {
            return Some(self.entries_added);
        }
        if id > self.last_id {
            return None;
        }
        let is_whole = self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id;
        let gone = self.entries_added.wrapping_sub(self.length as u64);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less if is_whole => Some(gone),
            std::cmp::Ordering::Equal if is_whole => Some(gone + 1),
            _ => None,
        }
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        self.nodes.verify();
        let (mut length, mut bytes, mut last) = (0, 0, None);
        for (master, node) in self.nodes.iter() {
            let summary = node.verify(master);
            assert_eq!(summary.first, master);
            assert!(last.is_none_or(|last| last < master), "nodes overlap");
            last = Some(summary.last);
            length += summary.live;
            bytes += node.memory();
        }
        assert_eq!((length, bytes), (self.length, self.node_bytes));
        assert!(last.is_none_or(|last| last <= self.last_id));
        let mut entries = self.range(StreamId::MIN, StreamId::MAX);
        assert_eq!(
            entries.next().map_or(StreamId::MIN, |entry| entry.id),
            self.first_id
        );
    }
}

struct Nodes<'a>(Range<'a, StreamId, Node>, usize);

impl<'a> Iterator for Nodes<'a> {
    type Item = (StreamId, &'a Listpack);

    fn next(&mut self) -> Option<Self::Item> {
        let (master, node) = self.0.next()?;
        self.1 -= 1;
        Some((master, node.pack()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.1, Some(self.1))
    }
}

impl ExactSizeIterator for Nodes<'_> {}

/// Live entries, from either end.
#[derive(Debug)]
pub struct Entries<'a> {
    from: StreamId,
    to: StreamId,
    nodes: Range<'a, StreamId, Node>,
    front: Option<Items<'a>>,
    back: Option<Items<'a>>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            if self.front.is_none() {
                self.front = self.nodes.next().map(|(master, node)| node.items(master));
            }
            // With no node left in the middle, the rest is what the other end has begun.
            let items = self.front.as_mut().or(self.back.as_mut())?;
            match items.next() {
                Some(item) if item.id > self.to => return None,
                Some(item) if item.deleted || item.id < self.from => {}
                Some(item) => {
                    return Some(Entry {
                        id: item.id,
                        fields: item.fields,
                    });
                }
                None if self.front.is_some() => self.front = None,
                None => return None,
            }
        }
    }
}

impl DoubleEndedIterator for Entries<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if self.back.is_none() {
                self.back = self.nodes.next_back().map(|(master, node)| node.items(master));
            }
            let items = self.back.as_mut().or(self.front.as_mut())?;
            match items.next_back() {
                Some(item) if item.id < self.from => return None,
                Some(item) if item.deleted || item.id > self.to => {}
                Some(item) => {
                    return Some(Entry {
                        id: item.id,
                        fields: item.fields,
                    });
                }
                None if self.back.is_some() => self.back = None,
                None => return None,
            }
        }
    }
}
