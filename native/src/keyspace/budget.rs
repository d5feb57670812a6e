//! How much memory keyspaces may take, and who goes when it is more.
//!
//! What is used has to be known without looking at 256 segments, and without two threads fighting for one cache line:
//! each segment counts for itself, under its lock, and reports when it has changed by [`Budget::step`]. The sum is
//! wrong by at most that for each segment, 1/256 of the limit in all.

use super::SEGMENTS;
use super::access::Tracking;
use super::segment::Segment;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

/// Which keys go when memory is short, in Redis's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// None: commands that need memory are refused.
    NoEviction,
    /// Of all keys, those not used for the longest time.
    AllKeysLru,
    /// Of the keys with an expiry, those not used for the longest time.
    VolatileLru,
    /// Of all keys, those used least often.
    AllKeysLfu,
    /// Of the keys with an expiry, those used least often.
    VolatileLfu,
    /// Any.
    AllKeysRandom,
    /// Any with an expiry.
    VolatileRandom,
    /// Of the keys with an expiry, those that expire first.
    VolatileTtl,
}

impl Policy {
    /// All policies, with their names.
    pub const ALL: [(&'static str, Policy); 8] = [
        ("noeviction", Policy::NoEviction),
        ("allkeys-lru", Policy::AllKeysLru),
        ("volatile-lru", Policy::VolatileLru),
        ("allkeys-lfu", Policy::AllKeysLfu),
        ("volatile-lfu", Policy::VolatileLfu),
        ("allkeys-random", Policy::AllKeysRandom),
        ("volatile-random", Policy::VolatileRandom),
        ("volatile-ttl", Policy::VolatileTtl),
    ];

    /// What Redis calls the policy.
    pub fn name(self) -> &'static str {
        let found = Policy::ALL.into_iter().find(|(_, policy)| *policy == self);
        found.map_or("noeviction", |(name, _)| name)
    }

    /// The policy of this name.
    pub fn named(name: &[u8]) -> Option<Policy> {
        let found = Policy::ALL
            .into_iter()
            .find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, policy)| policy)
    }

    /// What has to be remembered of the use of keys.
    pub(super) fn tracking(self) -> Tracking {
        match self {
            Policy::AllKeysLfu | Policy::VolatileLfu => Tracking::Frequency,
            _ => Tracking::Recency,
        }
    }

    /// Whether only keys with an expiry go.
    pub(super) fn is_volatile(self) -> bool {
        use Policy::{VolatileLfu, VolatileLru, VolatileRandom, VolatileTtl};
        matches!(self, VolatileLru | VolatileLfu | VolatileRandom | VolatileTtl)
    }
}

/// A bound on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Bytes that may be used.
    pub bytes: usize,
    /// Who goes when it is more.
    pub policy: Policy,
    /// How many keys are looked at to find one that should go.
    pub samples: usize,
}

/// Whether a command that needs memory may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// It may: enough is free, or soon will be.
    Fits,
    /// It may once more has been evicted.
    Tight,
    /// It may not: there is nothing left to evict.
    Full,
}

/// A counter that has a cache line, and the one that the processor fetches with it, for itself.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count(AtomicIsize);

/// One keyspace's part of a limit. The parts of one limit know each other's sum.
#[derive(Debug)]
pub struct Budget {
    limit: MemoryLimit,
    step: usize,
    /// Of all keyspaces that share the limit.
    total: Arc<Count>,
    own: Count,
}

impl Budget {
    /// A limit for one keyspace.
    pub fn new(limit: MemoryLimit) -> Budget {
        Budget {
            limit,
            step: (limit.bytes / SEGMENTS / SEGMENTS).min(64 * 1024),
            total: Arc::default(),
            own: Count::default(),
        }
    }

    /// A part of the same limit for another keyspace.
    pub fn share(&self) -> Budget {
        Budget {
            total: self.total.clone(),
            ..Budget::new(self.limit)
        }
    }

    /// The limit.
    pub fn limit(&self) -> MemoryLimit {
        self.limit
    }

    /// Bytes in use, by all who share the limit.
    pub fn used(&self) -> usize {
        self.total.0.load(Ordering::Relaxed).max(0) as usize
    }

    /// Whether more is used than may be.
    #[inline]
    pub fn is_exceeded(&self) -> bool {
        self.used() > self.limit.bytes
    }

    /// What this keyspace has to give up: its part of what is too much, by what it uses.
    pub(super) fn excess(&self) -> usize {
        let used = self.used();
        let own = (self.own.0.load(Ordering::Relaxed).max(0) as usize).min(used);
        let excess = used.saturating_sub(self.limit.bytes);
        (excess as u128 * own as u128).div_ceil(used.max(1) as u128) as usize
    }

    pub(super) fn add(&self, bytes: isize) {
        self.total.0.fetch_add(bytes, Ordering::Relaxed);
        self.own.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes note of what a segment uses by now, if that has changed enough.
    #[inline]
    pub(super) fn report(&self, segment: &mut Segment) {
        let used = segment.used();
        let change = used as isize - segment.reported as isize;
        if change.unsigned_abs() > self.step {
            segment.reported = used;
            self.add(change);
        }
    }
}
