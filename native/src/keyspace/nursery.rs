//! Keys that are put in their places before anybody sees them: parts of what a keyspace is going to hold, each filled by one
//! thread, without locks. Put together, they take the place of its content.

use super::access::Tracking;
use super::segment::{Division, Segment};
use super::usage::access_bits;
use super::{Entry, Expiry, Keyspace, SEGMENTS, StringFilling, Usage, hash_of, segment_of};
use crate::discard::discard;
use crate::value::{LimitsRef, Value};

/// What the nurseries of one keyspace have in common.
#[derive(Clone, Copy, Debug)]
pub struct NurseryPlan {
    division: Division,
    tracking: Tracking,
    access_s: u32,
    limits: LimitsRef,
}

impl NurseryPlan {
    /// The limits of collections.
    pub fn limits(&self) -> LimitsRef {
        self.limits
    }

    /// Number of nurseries.
    pub fn parts(&self) -> usize {
        self.division.parts()
    }

    /// Which nursery a key with this hash belongs to.
    #[inline]
    pub fn part_of(&self, hash: u64) -> usize {
        self.division.part_of(hash)
    }

    /// The same for about so many keys, filled by so many threads.
    pub fn divided(self, parts: usize, keys: usize) -> NurseryPlan {
        NurseryPlan {
            division: Division::new(parts, keys),
            ..self
        }
    }

    /// All nurseries, empty.
    pub fn nurseries(&self) -> Vec<Nursery> {
        let nursery = |part| Nursery {
            plan: *self,
            segments: (0..SEGMENTS)
                .map(|_| Segment::part(&self.division, part))
                .collect(),
        };
        (0..self.parts()).map(nursery).collect()
    }
}

/// See the module.
pub struct Nursery {
    plan: NurseryPlan,
    /// Of all segments the part that is this nursery's.
    segments: Vec<Segment>,
}

impl std::fmt::Debug for Nursery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nursery").field("plan", &self.plan).finish()
    }
}

impl Nursery {
    /// The limits of collections.
    pub fn limits(&self) -> LimitsRef {
        self.plan.limits
    }

    /// Whether the key is there.
    #[inline]
    pub fn contains(&self, hash: u64, key: &[u8]) -> bool {
        self.segments[segment_of(hash)].find(hash, key).is_some()
    }

    /// Adds a string under a key that is not there. Neither may be longer than [`super::STRING_BYTES_MAX`].
    #[inline]
    pub fn put_string(&mut self, hash: u64, key: &[u8], text: &[u8], expiry: Expiry, usage: Option<Usage>) {
        self.put(hash, Entry::string(key, text, expire_at(expiry)), usage);
    }

    /// Where a long string under a key that is not there is put together, for [`Nursery::put_filled`].
    pub fn begin_string(&self, key: &[u8], len: usize, expiry: Expiry) -> StringFilling {
        StringFilling::new(key, len, expire_at(expiry))
    }

    /// Adds the string under the key with this hash, if all of it has come. False: it has not.
    pub fn put_filled(&mut self, hash: u64, filled: StringFilling, usage: Option<Usage>) -> bool {
        let entry = filled.finish();
        let is_whole = entry.is_some();
        entry.into_iter().for_each(|entry| self.put(hash, entry, usage));
        is_whole
    }

    /// Adds a collection that is not empty, as [`Nursery::put_string`].
    pub fn put_value(&mut self, hash: u64, key: &[u8], value: Value, expiry: Expiry, usage: Option<Usage>) {
        debug_assert_eq!(value.limits(), self.limits());
        let entry = Entry::collection(key, Box::new(value), expire_at(expiry));
        self.put(hash, entry, usage);
    }

    fn put(&mut self, hash: u64, entry: Entry, usage: Option<Usage>) {
        debug_assert_eq!(hash_of(entry.key()), hash);
        let NurseryPlan {
            tracking, access_s, ..
        } = self.plan;
        let used = usage.and_then(|usage| access_bits(tracking, usage, access_s));
        entry.set_access(used.unwrap_or_else(|| tracking.fresh(access_s)));
        self.segments[segment_of(hash)].insert(hash, entry);
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        let segments = std::mem::take(&mut self.segments);
        let bytes = segments.iter().map(Segment::used).sum();
        discard(segments, bytes);
    }
}

fn expire_at(expiry: Expiry) -> Option<i64> {
    match expiry {
        Expiry::At(at) => Some(at),
        Expiry::Never | Expiry::Keep => None,
    }
}

impl Keyspace {
    /// Nurseries for about so many keys, filled by so many threads, for the place of this keyspace's content.
    pub fn plan_nurseries(&self, parts: usize, keys: usize) -> NurseryPlan {
        NurseryPlan {
            division: Division::new(parts, keys),
            tracking: self.tracking,
            access_s: self.access_s(),
            limits: self.limits,
        }
    }

    /// As [`Keyspace::replace_with`]: all nurseries of one plan, in their order.
    pub fn replace_with_nurseries(&self, mut nurseries: Vec<Nursery>) {
        let Some(plan) = nurseries.first().map(|nursery| nursery.plan) else {
            return;
        };
        debug_assert_eq!(self.limits, plan.limits);
        let mut parts: Vec<_> = nurseries
            .iter_mut()
            .map(|nursery| std::mem::take(&mut nursery.segments).into_iter())
            .collect();
        let united = (0..SEGMENTS).map(|_| {
            let of_one = parts.iter_mut().filter_map(Iterator::next).collect();
            Segment::unite(of_one, &plan.division)
        });
        self.replace_segments(united.collect());
    }
}

#[cfg(test)]
#[path = "tests/nursery.rs"]
mod tests;
