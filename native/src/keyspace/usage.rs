//! What a keyspace tells about a key beside what it holds: how it was used, and what it takes.

use super::access::{self, Tracking};
use super::{Db, Entry, due};

/// What is remembered of the use of a key, by which a limit of memory chooses whom to evict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Seconds since the last use.
    IdleSeconds(u32),
    /// A counter that grows with the logarithm of the number of uses, and falls with time.
    Frequency(u32),
}

/// What an entry holds of the use of its key, if such a thing is remembered.
pub(super) fn access_bits(tracking: Tracking, usage: Usage, now_s: u32) -> Option<u32> {
    match (tracking, usage) {
        (Tracking::Recency, Usage::IdleSeconds(idle_s)) => {
            Some(access::used_before(u64::from(idle_s), now_s))
        }
        (Tracking::Frequency, Usage::Frequency(counter)) => Some(access::with_counter(now_s, counter)),
        _ => None,
    }
}

impl Db<'_> {
    /// Whether the key is there, which counts as a use of it.
    pub fn touch(&self, key: &[u8]) -> bool {
        self.entry(key).is_some()
    }

    /// What is remembered of the use of the key.
    pub fn usage(&self, key: &[u8]) -> Option<Usage> {
        let bits = self.peek(key)?.access();
        let now_s = self.keyspace.access_s();
        Some(match self.keyspace.tracking {
            Tracking::Recency => Usage::IdleSeconds(access::idle_s(bits, now_s)),
            Tracking::Frequency => Usage::Frequency(access::frequency(bits, now_s)),
        })
    }

    /// Sets what is remembered of the use of the key, if the keyspace remembers such a thing.
    pub fn set_usage(&mut self, key: &[u8], usage: Usage) {
        let now_s = self.keyspace.access_s();
        if let Some(bits) = access_bits(self.keyspace.tracking, usage, now_s)
            && let Some(entry) = self.peek(key)
        {
            entry.set_access(bits);
        }
    }

    /// Heap bytes that the key takes, with its share of the table: the pointer and the tag of its place.
    pub fn key_memory(&self, key: &[u8]) -> Option<usize> {
        const PLACE_BYTES: usize = size_of::<Entry>() + 1;
        let entry = self.peek(key)?;
        let due = if entry.expire_at().is_some() {
            size_of::<due::Due>()
        } else {
            0
        };
        Some(entry.memory() + PLACE_BYTES + due)
    }
}
