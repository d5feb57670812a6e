//! Large collections as they were at some time: what an encoder writes without a lock, and what is kept of a collection that
//! is about to change.
//!
//! A collection is frozen in the time that its pieces take to be named, about 0.1 ms for a million elements. Its elements are
//! shared: the live collection copies a piece (512 entries of a table, a node of a list or of a stream) when it first changes
//! it, and goes on with its own. The entries of a table are a word or two each, and their texts stay shared; so even a table
//! that is changed everywhere while it is frozen takes far less than twice its memory.
//!
//! **Whose memory it is.** The live collection accounts for all that it holds, shared or not, and for what sharing costs
//! there ([`super::Collection::memory`] grows by it). What it has left behind belongs to the frozen one ([`Frozen::memory`]).
//! When the frozen one goes, the live one takes its pieces back as it changes them.
//!
//! A string has no pieces: it is copied as a whole before it is changed where it is, at about 0.2 ms per MiB.

use super::hash::FrozenHash;
use super::set::FrozenSet;
use super::zset::FrozenZSet;
use super::{ListValue, StreamValue, Value};
use crate::structure::listpack::Listpack;

/// Heap bytes from which on a collection is worth freezing. A smaller one is written down or copied in about 50 us.
pub const FREEZE_BYTES_MIN: usize = 64 * 1024;

/// See the module.
#[derive(Debug)]
pub enum Frozen {
    /// A hash in the form of a table.
    Hash(FrozenHash),
    /// A list.
    List(ListValue),
    /// A set in the form of a table.
    Set(FrozenSet),
    /// A sorted set in its large form.
    ZSet(FrozenZSet),
    /// A stream.
    Stream(Box<StreamValue>),
}

const _: () = {
    const fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<Frozen>();
};

impl Value {
    /// The collection as it is now, whatever becomes of it. `None` if it is small or in one packed piece: it has to be copied or
    /// written down.
    pub fn freeze(&mut self) -> Option<Frozen> {
        if self.memory() < FREEZE_BYTES_MIN {
            return None;
        }
        match self {
            Value::Hash(hash) => hash.freeze().map(Frozen::Hash),
            Value::List(list) => Some(Frozen::List(list.freeze())),
            Value::Set(set) => set.freeze().map(Frozen::Set),
            Value::ZSet(zset) => zset.freeze().map(Frozen::ZSet),
            Value::Stream(stream) => Some(Frozen::Stream(Box::new(stream.freeze()))),
        }
    }
}

impl Frozen {
    /// Hides fields that are due at this Unix millisecond. O(1).
    pub fn hide_due(&mut self, now_ms: i64) {
        if let Frozen::Hash(hash) = self {
            hash.hide_due(now_ms);
        }
    }

    /// About what was taken to freeze it: the names of its pieces, mostly. It stays the same. O(1).
    pub fn own_bytes(&self) -> usize {
        match self {
            Frozen::Hash(hash) => hash.own_bytes(),
            Frozen::List(list) => list.packs().len() * size_of::<Listpack>(),
            Frozen::Set(set) => set.own_bytes(),
            Frozen::ZSet(zset) => zset.own_bytes(),
            Frozen::Stream(stream) => stream.own_bytes(),
        }
    }

    /// Bytes on the heap that the live collection does not account for. It grows as that one changes. O(elements).
    pub fn memory(&self) -> usize {
        match self {
            Frozen::Hash(hash) => hash.memory(),
            Frozen::List(list) => list.memory_alone(),
            Frozen::Set(set) => set.memory(),
            Frozen::ZSet(zset) => zset.memory(),
            Frozen::Stream(stream) => stream.memory_alone(),
        }
    }
}
