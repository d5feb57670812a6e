//! Who goes when memory is short: of a few keys drawn at random the one that is best to lose, as Redis finds it. The best
//! ones seen so far wait in a pool, so that a few samples go a long way.

use super::access::{self, Tracking};
use super::budget::{Budget, Policy, Pressure};
use super::cut::Cut;
use super::{Entry, Keyspace, SEGMENTS, hash_of, segment_of};
use crate::random::Rng;
use crate::{clock, status::Status};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Candidates that the pool keeps.
const POOL_KEYS: usize = 16;
/// How long a command evicts before it runs all the same; upkeep, and the commands behind it, go on.
const SLICE_NS: u64 = 500_000;
/// Evictions between two looks at the clock.
const EVICTIONS_PER_LOOK: usize = 8;
/// How often candidates are drawn before it is said that there are none: those that are drawn may be gone already.
const DRAWS_MAX: usize = 32;
/// Most keys that one entry of a log evicts, and how long they may be looked for.
const VICTIMS_MAX: usize = 4096;
const VICTIMS_NS: u64 = 2_000_000;

/// What Redis says when nothing is left.
pub const OUT_OF_MEMORY: Status = Status::Text("OOM command not allowed when used memory > 'maxmemory'.");

#[derive(Debug)]
struct Candidate {
    /// The higher, the better to lose.
    score: u64,
    key: Box<[u8]>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pool {
    /// Ascending by score.
    candidates: Vec<Candidate>,
    rng: Rng,
}

impl Default for Pool {
    fn default() -> Self {
        Pool {
            candidates: Vec::with_capacity(POOL_KEYS),
            rng: Rng::new(clock::boottime_ns()),
        }
    }
}

impl Pool {
    fn offer(&mut self, score: u64, key: &[u8]) {
        let full = self.candidates.len() == POOL_KEYS;
        if full && self.candidates.first().is_some_and(|worst| worst.score >= score) {
            return;
        }
        if self.candidates.iter().any(|candidate| *candidate.key == *key) {
            return;
        }
        if full {
            self.candidates.remove(0);
        }
        let at = self
            .candidates
            .partition_point(|candidate| candidate.score <= score);
        let key = key.into();
        self.candidates.insert(at, Candidate { score, key });
    }
}

/// A key that is to go.
struct Victim {
    key: Box<[u8]>,
    bytes: usize,
}

impl Keyspace {
    /// Evicts keys until the limit is kept, if there is one and it is not kept. To be called before a command that may
    /// need memory locks its keys.
    ///
    /// # Errors
    /// OOM, if there is nothing left that may go.
    #[inline]
    pub fn make_room(&self) -> Result<(), Status> {
        match &self.budget {
            Some(budget) if budget.is_exceeded() => match self.evict(budget, SLICE_NS) {
                Pressure::Fits | Pressure::Tight => Ok(()),
                Pressure::Full => Err(OUT_OF_MEMORY),
            },
            _ => Ok(()),
        }
    }

    /// Evicts until the limit is kept or the time is over.
    fn evict(&self, budget: &Budget, slice_ns: u64) -> Pressure {
        let mut pool = self.pool.lock();
        let until_ns = clock::boottime_ns() + slice_ns;
        while budget.is_exceeded() {
            for _ in 0..EVICTIONS_PER_LOOK {
                let Some(victim) = self.draw(&mut pool, budget, &HashSet::new()) else {
                    return Pressure::Full;
                };
                let (_, crowded) = self.remove_victim(&victim.key);
                if let Some(cut) = crowded {
                    // Whoever needs memory runs, and evicts no more: that would only move bytes to the outbox.
                    drop(pool);
                    cut.wait_for_room(self.follows_log());
                    return Pressure::Tight;
                }
                if !budget.is_exceeded() {
                    return Pressure::Fits;
                }
            }
            if clock::boottime_ns() > until_ns {
                return Pressure::Tight;
            }
        }
        Pressure::Fits
    }

    /// One slice of what commands have left to evict. Whether there is more.
    pub(super) fn evict_in_background(&self) -> bool {
        let Some(budget) = &self.budget else { return false };
        budget.is_exceeded() && !self.follows_log() && self.evict(budget, SLICE_NS) == Pressure::Tight
    }

    /// Keys whose removal lets this keyspace do its part to keep the limit, for a log in which everything that goes is named;
    /// and whether a command that needs memory may run behind that. Nothing is removed here.
    pub fn choose_victims(&self) -> (Vec<Box<[u8]>>, Pressure) {
        let (mut chosen, mut taken) = (Vec::new(), HashSet::new());
        let Some(budget) = self.budget.as_ref().filter(|budget| budget.is_exceeded()) else {
            return (chosen, Pressure::Fits);
        };
        let mut pool = self.pool.lock();
        let until_ns = clock::boottime_ns() + VICTIMS_NS;
        let (excess, mut bytes, mut exhausted) = (budget.excess(), 0, false);
        while bytes < excess && chosen.len() < VICTIMS_MAX {
            let Some(victim) = self.draw(&mut pool, budget, &taken) else {
                exhausted = true;
                break;
            };
            bytes += victim.bytes;
            taken.insert(hash_of(&victim.key));
            chosen.push(victim.key);
            if chosen.len() % EVICTIONS_PER_LOOK == 0 && clock::boottime_ns() > until_ns {
                break;
            }
        }
        let pressure = if budget.limit().policy == Policy::NoEviction || (chosen.is_empty() && excess > 0) {
            Pressure::Full
        } else if exhausted || bytes >= excess {
            Pressure::Fits
        } else {
            Pressure::Tight
        };
        (chosen, pressure)
    }

    /// Removes a key that the log says is evicted. Whether it was there.
    pub fn evict_named(&self, key: &[u8]) -> bool {
        self.remove_victim(key).0
    }

    /// Whether it was there, and the cut whose outbox it has filled, if it has.
    fn remove_victim(&self, key: &[u8]) -> (bool, Option<Arc<Cut>>) {
        let hash = hash_of(key);
        let mut guard = self.lock(segment_of(hash));
        let Some(gone) = guard.delete(hash, key) else {
            return (false, None);
        };
        if let Some(budget) = &self.budget {
            budget.report(&mut guard);
        }
        let crowded = guard.share().crowded();
        drop(guard);
        self.evicted.fetch_add(1, Ordering::Relaxed);
        gone.discard();
        self.call_all_waiting(true);
        (true, crowded)
    }

    /// The best key to lose of those drawn now and before, without those that are taken.
    fn draw(&self, pool: &mut Pool, budget: &Budget, taken: &HashSet<u64>) -> Option<Victim> {
        let limit = budget.limit();
        if limit.policy == Policy::NoEviction {
            return None;
        }
        for _ in 0..DRAWS_MAX {
            if matches!(limit.policy, Policy::AllKeysRandom | Policy::VolatileRandom) {
                pool.candidates.clear();
                self.fill(pool, limit.policy, 1);
            } else {
                self.fill(pool, limit.policy, limit.samples);
            }
            while let Some(Candidate { key, .. }) = pool.candidates.pop() {
                let victim = self.victim(key, limit.policy, taken);
                if victim.is_some() {
                    return victim;
                }
            }
        }
        None
    }

    /// The candidate, if it is still there and fits the policy.
    fn victim(&self, key: Box<[u8]>, policy: Policy, taken: &HashSet<u64>) -> Option<Victim> {
        let hash = hash_of(&key);
        if taken.contains(&hash) {
            return None;
        }
        let guard = self.lock(segment_of(hash));
        let entry = guard.find(hash, &key)?;
        let fits = !policy.is_volatile() || entry.expire_at().is_some();
        let bytes = entry.memory();
        drop(guard);
        fits.then_some(Victim { key, bytes })
    }

    /// Offers the pool a few keys that stand together in the first segment behind a random place that has any.
    fn fill(&self, pool: &mut Pool, policy: Policy, samples: usize) {
        let (position, random) = (pool.rng.next_u64(), pool.rng.next_u64());
        let now_s = self.access_s();
        let mut left = samples;
        for step in 0..SEGMENTS {
            let segment = (segment_of(position) + step) % SEGMENTS;
            let guard = self.lock(segment);
            let wanted = left;
            let mut offer = |entry: &Entry| {
                pool.offer(score(entry, policy, self.tracking, now_s), entry.key());
                left -= 1;
            };
            if policy == Policy::VolatileTtl {
                guard.sample_due(None).into_iter().for_each(&mut offer);
            } else if policy.is_volatile() {
                let draws = (0..wanted as u64).map(|n| random.wrapping_mul(2 * n + 1));
                let drawn = draws.filter_map(|draw| guard.sample_due(Some(draw)));
                drawn.for_each(&mut offer);
            } else {
                guard.sample(position, random, wanted, &mut offer);
            }
            if left == 0 || (left < samples && policy != Policy::VolatileTtl) {
                return;
            }
        }
    }
}

fn score(entry: &Entry, policy: Policy, tracking: Tracking, now_s: u32) -> u64 {
    match (policy, tracking) {
        (Policy::VolatileTtl, _) => u64::MAX - entry.expire_at().unwrap_or(i64::MAX).max(0) as u64,
        (_, Tracking::Recency) => u64::from(access::idle_s(entry.access(), now_s)),
        (_, Tracking::Frequency) => u64::from(255 - access::frequency(entry.access(), now_s)),
    }
}
