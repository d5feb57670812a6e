//! Streams: entries under ascending ids, and groups of consumers that share them.
//!
//! Reading order: `id`, `node` (a hundred entries in one listpack), `log` (all entries), `group`.

mod group;
mod id;
mod log;
mod node;
#[cfg(test)]
mod tests;

pub use group::{Consumer, Group, Pending, RemovedConsumer, Slot};
pub use id::StreamId;
pub use log::{Entries, Entry, EntryLog, Trim, Trimmed};
pub use node::Fields;

use super::{Collection, LimitsRef, Value};
use crate::structure::listpack::Listpack;

/// A stream. One with nothing in it is still one: its key stays.
#[derive(Debug, Default)]
pub struct StreamValue {
    log: EntryLog,
    /// By the bytes of their names.
    groups: Vec<Group>,
    /// Sum of [`Group::memory`].
    group_bytes: usize,
}

impl Clone for StreamValue {
    fn clone(&self) -> Self {
        let groups = self.groups.clone();
        StreamValue {
            log: self.log.clone(),
            group_bytes: groups.iter().map(Group::memory).sum(),
            groups,
        }
    }
}

impl StreamValue {
    /// The stream as it is now, whatever becomes of this one. O(nodes + pending / 64).
    pub fn freeze(&mut self) -> StreamValue {
        let groups: Vec<Group> = self.groups.iter_mut().map(Group::freeze).collect();
        self.group_bytes = self.groups.iter().map(Group::memory).sum();
        StreamValue {
            log: self.log.freeze(),
            group_bytes: groups.iter().map(Group::memory).sum(),
            groups,
        }
    }

    /// Of a frozen stream, bytes on the heap without those that another one shares. O(nodes + pending / 64).
    pub fn memory_alone(&self) -> usize {
        let groups = self.groups.iter().map(Group::memory_alone);
        self.memory() - self.log.memory() - self.group_bytes + self.log.memory_alone() + groups.sum::<usize>()
    }

    /// Of a frozen stream, about the bytes that it never shared. O(groups and consumers).
    pub fn own_bytes(&self) -> usize {
        let nodes = self.log.node_count() * 2 * size_of::<Listpack>();
        nodes + self.groups.iter().map(Group::own_bytes).sum::<usize>()
    }

    /// Number of entries.
    pub fn length(&self) -> usize {
        self.log.length()
    }

    /// The entries.
    pub fn log(&self) -> &EntryLog {
        &self.log
    }

    /// As [`StreamValue::log`], to change them. What is pending in a group does not change with them.
    pub fn log_mut(&mut self) -> &mut EntryLog {
        &mut self.log
    }

    /// The groups by the bytes of their names.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    fn search(&self, name: &[u8]) -> Result<usize, usize> {
        self.groups.binary_search_by(|group| group.name().cmp(name))
    }

    /// The group of this name.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.search(name).ok().map(|at| &self.groups[at])
    }

    /// Changes the group of this name, with the entries at hand.
    pub fn edit_group<R>(
        &mut self,
        name: &[u8],
        change: impl FnOnce(&EntryLog, &mut Group) -> R,
    ) -> Option<R> {
        let at = self.search(name).ok()?;
        let group = &mut self.groups[at];
        let before = group.memory();
        let result = change(&self.log, group);
        self.group_bytes = self.group_bytes - before + group.memory();
        Some(result)
    }

    /// Adds a group. False if one of its name is there.
    pub fn add_group(&mut self, group: Group) -> bool {
        let Err(at) = self.search(group.name()) else {
            return false;
        };
        self.group_bytes += group.memory();
        self.groups.insert(at, group);
        true
    }

    /// Removes a group and gives it.
    pub fn remove_group(&mut self, name: &[u8]) -> Option<Group> {
        let at = self.search(name).ok()?;
        let group = self.groups.remove(at);
        self.group_bytes -= group.memory();
        Some(group)
    }

    /// How many entries a group has still to read, if that can be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        let added = self.log.entries_added();
        if added == 0 {
            return Some(0);
        }
        let read = match group.entries_read {
            Some(read) if !self.log.has_tombstones_from(group.last_id) => Some(read),
            _ => self.log.entries_up_to(group.last_id),
        };
        read.map(|read| added.wrapping_sub(read) as i64)
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        self.log.verify();
        self.groups.iter().for_each(Group::verify);
        assert!(self.groups.iter().map(Group::name).is_sorted_by(|a, b| a < b));
        let bytes: usize = self.groups.iter().map(Group::memory).sum();
        assert_eq!(bytes, self.group_bytes);
    }
}

impl Collection for StreamValue {
    fn limited(mut self, limits: LimitsRef) -> Self {
        self.log.limits = limits;
        self
    }

    fn limits(&self) -> LimitsRef {
        self.log.limits
    }

    fn into_value(self) -> Value {
        Value::Stream(Box::new(self))
    }

    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        false
    }

    fn memory(&self) -> usize {
        let groups = self.groups.capacity() * size_of::<Group>();
        size_of::<StreamValue>() + self.log.memory() + groups + self.group_bytes
    }

    fn encoding(&self) -> &'static str {
        "stream"
    }
}
