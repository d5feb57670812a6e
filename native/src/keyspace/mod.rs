//! The table that holds the keys.
//!
//! A keyspace is 256 segments, each with its own lock, chosen by the top bits of the key's hash. A command locks the
//! segments of its keys in ascending order, so that no two commands wait for each other in a circle, and holds them
//! until it is done: it is atomic, and so is a transaction, which locks the keys of all its commands.
//!
//! What is due is invisible at once. A key is passed over until somebody frees it, which changes nothing that can be
//! seen. Fields of a hash that are due are hidden by whoever names the hash next, to read or to write, before anything
//! else: see [`crate::value::hash`] for why no peer can tell when another one did so. A hash all of whose fields are due is
//! a key that is due.
//!
//! Reading order: `entry` (a key and its value in one allocation), `segment` (the table of one lock), `db` (what a
//! command sees), `waiting` (who is told that a key has become ready), `scan` and `digest` (the walks), `registry` and
//! `gate` (how threads find a keyspace, and whether a replica's may be read), `access`, `budget` and `eviction` (what
//! happens when memory is limited), `upkeep` (what is done in the background), [`cut`] (a snapshot while writes go on), `nursery` (what a
//! file holds, before it is in its place).

mod access;
mod budget;
pub mod cut;
mod db;
mod digest;
mod due;
mod duplicate;
mod entry;
mod eviction;
mod gate;
mod nursery;
pub mod registry;
mod scan;
mod segment;
pub mod slot;
mod upkeep;
mod usage;
pub mod waiting;

pub use budget::{Budget, MemoryLimit, Policy, Pressure};
pub use db::{Db, Expiry};
pub use entry::{STRING_BYTES_MAX, StringFilling};
pub use eviction::OUT_OF_MEMORY;
pub use gate::Gate;
pub use nursery::{Nursery, NurseryPlan};
pub use scan::SCAN_POSITION_STEP;
pub use usage::Usage;

use crate::clock;
use crate::discard::discard;
use crate::value::{LimitsRef, TYPES, Value};
use access::Tracking;
use cut::{Cut, Gone};
use entry::Entry;
use eviction::Pool;
use parking_lot::{Mutex, MutexGuard};
use segment::{SEGMENT_BITS, Segment};
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use waiting::Waiting;

/// Number of segments. Enough that a few dozen threads seldom meet, few enough that locking all takes microseconds.
pub const SEGMENTS: usize = 1 << SEGMENT_BITS;

/// The log clock's value that stands for "this keyspace runs on the wall clock".
const WALL: i64 = i64::MIN;

/// What a key holds.
#[derive(Clone, Copy, Debug)]
pub enum EntryView<'a> {
    /// A string.
    Str(&'a [u8]),
    /// A collection.
    Value(&'a Value),
}

/// The position of a key in hash space. The seed is the same in every process: a SCAN cursor means the same on every
/// peer, so that a client may go on with it after a failover.
#[inline]
pub fn hash_of(key: &[u8]) -> u64 {
    rapidhash::v3::rapidhash_v3(key)
}

#[inline]
fn segment_of(hash: u64) -> usize {
    (hash >> (64 - SEGMENT_BITS)) as usize
}

/// Drops an entry: at once if it is small, in the background if it is large.
fn discard_entry(entry: Entry) {
    let bytes = entry.memory();
    discard(entry, bytes);
}

/// Keeps two locks out of one cache line, and out of the pair that the processor fetches together.
#[derive(Default)]
#[repr(align(128))]
struct Padded(Mutex<Segment>);

type Guard<'k> = MutexGuard<'k, Segment>;

/// The locked segments of a command.
enum Held<'k> {
    One(usize, Guard<'k>),
    /// Ascending by segment.
    Many(SmallVec<[(usize, Guard<'k>); 4]>),
    All(Vec<Guard<'k>>),
}

impl Held<'_> {
    fn report(&mut self, budget: &Budget) {
        match self {
            Held::One(_, guard) => budget.report(guard),
            Held::Many(guards) => guards.iter_mut().for_each(|(_, guard)| budget.report(guard)),
            Held::All(guards) => guards.iter_mut().for_each(|guard| budget.report(guard)),
        }
    }

    /// The cut whose outbox the command has filled, if it has.
    #[inline]
    fn crowded(&mut self) -> Option<Arc<Cut>> {
        match self {
            Held::One(_, guard) => guard.share().crowded(),
            Held::Many(guards) => guards.iter_mut().find_map(|(_, guard)| guard.share().crowded()),
            Held::All(guards) => guards.iter_mut().find_map(|guard| guard.share().crowded()),
        }
    }
}

/// Which part of the keyspace a command needs.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// The segments of these keys.
    Keys(&'a [&'a [u8]]),
    /// Everything.
    All,
}

impl<'a> Scope<'a> {
    fn keys(self) -> &'a [&'a [u8]] {
        match self {
            Scope::Keys(keys) => keys,
            Scope::All => &[],
        }
    }
}

/// What a keyspace holds and what that costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Keys, those included that are due but not reclaimed yet.
    pub keys: usize,
    /// Keys with an expiry.
    pub expires: usize,
    /// Heap bytes of entries by type: string, hash, list, set, sorted set, stream.
    pub memory_by_type: [usize; TYPES],
    /// Heap bytes of the table itself: pages, directories, the index of due keys.
    pub table_bytes: usize,
    /// Keys that went because they were due, as far as they were reclaimed.
    pub expired: u64,
    /// Keys that went because memory is limited.
    pub evicted: u64,
}

impl Statistics {
    /// All heap bytes.
    pub fn memory(&self) -> usize {
        self.memory_by_type.iter().sum::<usize>() + self.table_bytes
    }
}

/// A table of keys, shared by all threads of the process.
pub struct Keyspace {
    segments: Box<[Padded]>,
    budget: Option<Budget>,
    tracking: Tracking,
    /// Seconds of the clock by which the use of keys is remembered. Moved by upkeep, and with the log's clock.
    access_s: AtomicU32,
    /// [`WALL`], or the Unix millisecond that the log has reached.
    log_ms: AtomicI64,
    /// How far the log's clock was ahead of the lease clock when it was moved. One word, because a reader that met the
    /// new time of the log and the old instant of its move would count what lies between them twice.
    log_ahead_ns: AtomicI64,
    /// Set when a command panicked: a broken invariant, after which nothing here can be trusted.
    faulted: AtomicBool,
    /// Where the seeds of commands come from that no log has stamped.
    seed: AtomicU64,
    waiting: Waiting,
    pool: Mutex<Pool>,
    evicted: AtomicU64,
    /// The segment that upkeep goes on with.
    upkeep_at: AtomicUsize,
    /// Set while a cut of the keyspace is not over: there is one at a time.
    cutting: AtomicBool,
    /// Bytes of the cut's pre-images.
    preimage_bytes: Arc<AtomicUsize>,
    limits: LimitsRef,
}

impl std::fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyspace")
            .field("log_ms", &self.log_ms)
            .field("faulted", &self.faulted)
            .finish()
    }
}

impl Default for Keyspace {
    fn default() -> Self {
        Keyspace::new()
    }
}

impl Keyspace {
    /// An empty keyspace on the wall clock.
    pub fn new() -> Keyspace {
        Keyspace {
            segments: (0..SEGMENTS).map(|_| Padded::default()).collect(),
            budget: None,
            tracking: Tracking::default(),
            access_s: AtomicU32::new(seconds(clock::wall_ms())),
            log_ms: AtomicI64::new(WALL),
            log_ahead_ns: AtomicI64::new(0),
            faulted: AtomicBool::new(false),
            seed: AtomicU64::new(clock::boottime_ns()),
            waiting: Waiting::default(),
            pool: Mutex::default(),
            evicted: AtomicU64::new(0),
            upkeep_at: AtomicUsize::new(0),
            cutting: AtomicBool::new(false),
            preimage_bytes: Arc::default(),
            limits: LimitsRef::default(),
        }
    }

    /// Bounds what the keyspace may take. To be called before anybody else knows it.
    pub fn with_budget(mut self, budget: Budget) -> Keyspace {
        self.tracking = budget.limit().policy.tracking();
        budget.add(self.fixed_bytes() as isize);
        self.segments
            .iter_mut()
            .for_each(|segment| budget.report(segment.0.get_mut()));
        self.budget = Some(budget);
        self
    }

    /// The bound on memory, if there is one.
    pub fn limit(&self) -> Option<MemoryLimit> {
        self.budget.as_ref().map(Budget::limit)
    }

    /// A part of this keyspace's limit for another one.
    pub fn share_budget(&self) -> Option<Budget> {
        self.budget.as_ref().map(Budget::share)
    }

    /// Bytes of the table of segments.
    fn fixed_bytes(&self) -> usize {
        size_of_val(&*self.segments)
    }

    /// Now, for what is remembered of the use of keys.
    #[inline]
    fn access_s(&self) -> u32 {
        self.access_s.load(Ordering::Relaxed)
    }

    /// An empty keyspace on a log's clock, which stands at `now_ms` until [`Keyspace::set_log_ms`] moves it.
    pub fn with_log_clock(now_ms: i64) -> Keyspace {
        let keyspace = Keyspace::new();
        keyspace.log_ms.store(now_ms, Ordering::Release);
        keyspace.access_s.store(seconds(now_ms), Ordering::Relaxed);
        keyspace
            .log_ahead_ns
            .store(ahead_of_boottime_ns(now_ms), Ordering::Relaxed);
        keyspace
    }

    /// The keyspace with other limits for its collections. It must be empty.
    pub fn limited(mut self, limits: LimitsRef) -> Keyspace {
        self.limits = limits;
        self
    }

    /// The limits of its collections.
    pub fn limits(&self) -> LimitsRef {
        self.limits
    }

    /// Moves the log's clock, never backwards. A keyspace on the wall clock changes to the log's.
    pub fn set_log_ms(&self, now_ms: i64) {
        let reached_ms = now_ms.max(self.log_ms.fetch_max(now_ms, Ordering::AcqRel));
        self.log_ahead_ns
            .store(ahead_of_boottime_ns(reached_ms), Ordering::Relaxed);
        self.access_s.store(seconds(now_ms), Ordering::Relaxed);
    }

    /// Whether a log drives this keyspace.
    pub fn follows_log(&self) -> bool {
        self.log_ms.load(Ordering::Relaxed) != WALL
    }

    /// The time by which keys are due: the log's, or else the wall clock's.
    pub fn now_ms(&self) -> i64 {
        match self.log_ms.load(Ordering::Acquire) {
            WALL => clock::wall_ms(),
            ms => ms,
        }
    }

    /// The time to tell a reader: a log's clock stands still while nothing is appended, and what is left of a key's life does
    /// not. Never decides whether a key is due.
    pub fn reading_ms(&self) -> i64 {
        match self.log_ms.load(Ordering::Acquire) {
            WALL => clock::wall_ms(),
            ms => {
                let ahead_ns = self.log_ahead_ns.load(Ordering::Relaxed);
                let reading_ns = ahead_ns.saturating_add_unsigned(clock::boottime_ns());
                ms.max(reading_ns / 1_000_000)
            }
        }
    }

    /// A seed for a command that no log has stamped.
    pub fn draw_seed(&self) -> u64 {
        self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }

    /// Whether a command panicked here.
    pub fn is_faulted(&self) -> bool {
        self.faulted.load(Ordering::Relaxed)
    }

    /// Marks the keyspace as broken, and has those who wait find out.
    pub fn set_faulted(&self) {
        self.faulted.store(true, Ordering::Relaxed);
        self.call_everyone();
    }

    /// Locks what a command needs, with the keyspace's own time and a seed of its own.
    pub fn db<'k>(&'k self, scope: Scope<'_>) -> Db<'k> {
        Db::new(self, self.hold(scope), scope.keys(), None, None)
    }

    /// As [`Keyspace::db`], with the time and the seed that the log has stamped.
    pub fn db_at<'k>(&'k self, scope: Scope<'_>, now_ms: i64, seed: u64) -> Db<'k> {
        Db::new(self, self.hold(scope), scope.keys(), Some(now_ms), Some(seed))
    }

    /// Locks one key. The shortest way in.
    #[inline]
    pub fn db_for<'k>(&'k self, key: &[u8]) -> Db<'k> {
        Db::new(self, self.hold_one(hash_of(key)), &[key], None, None)
    }

    fn lock(&self, segment: usize) -> Guard<'_> {
        self.segments[segment].0.lock()
    }

    /// All segments, in order.
    fn lock_all(&self) -> Vec<Guard<'_>> {
        (0..SEGMENTS).map(|segment| self.lock(segment)).collect()
    }

    #[inline]
    fn hold_one(&self, hash: u64) -> Held<'_> {
        let segment = segment_of(hash);
        Held::One(segment, self.lock(segment))
    }

    fn hold(&self, scope: Scope<'_>) -> Held<'_> {
        match scope {
            Scope::Keys([key]) => self.hold_one(hash_of(key)),
            Scope::Keys(keys) => {
                let mut wanted: SmallVec<[usize; 8]> =
                    keys.iter().map(|key| segment_of(hash_of(key))).collect();
                wanted.sort_unstable();
                wanted.dedup();
                Held::Many(
                    wanted
                        .into_iter()
                        .map(|segment| (segment, self.lock(segment)))
                        .collect(),
                )
            }
            Scope::All => Held::All(self.lock_all()),
        }
    }

    /// Calls `visit` with key, content and expiry of every visible key of a segment (`0..`[`SEGMENTS`]), under its lock.
    pub fn walk(&self, segment: usize, mut visit: impl FnMut(&[u8], EntryView<'_>, Option<i64>)) {
        let now = self.now_ms();
        let mut guard = self.lock(segment);
        guard.hide_due_fields(now);
        let alive = |entry: &&Entry| entry.goes_at().is_none_or(|at| at > now);
        for entry in guard.iter().filter(alive) {
            visit(entry.key(), entry.view(), entry.expire_at());
        }
    }

    /// Frees up to `limit` keys and fields that are due, and says how many. They are invisible already.
    pub fn reclaim(&self, limit: usize) -> usize {
        let (now, mut reclaimed) = (self.now_ms(), 0);
        for segment in 0..SEGMENTS {
            if reclaimed >= limit {
                break;
            }
            reclaimed += self.reclaim_in(segment, now, limit - reclaimed);
        }
        if reclaimed > 0 {
            self.call_all_waiting(true);
        }
        reclaimed
    }

    /// Frees up to `limit` due keys of one segment. What they held is dropped without the lock.
    fn reclaim_in(&self, segment: usize, now: i64, limit: usize) -> usize {
        let mut taken: SmallVec<[Gone; upkeep::KEYS_AT_ONCE]> = SmallVec::new();
        let mut guard = self.lock(segment);
        let reclaimed = guard.reclaim(now, limit, |gone| taken.push(gone));
        if let Some(budget) = self.budget.as_ref().filter(|_| reclaimed > 0) {
            budget.report(&mut guard);
        }
        drop(guard);
        taken.into_iter().for_each(Gone::discard);
        reclaimed
    }

    /// The earliest expiry of any key or field that is not due yet.
    pub fn next_due(&self) -> Option<i64> {
        let now = self.now_ms();
        (0..SEGMENTS)
            .filter_map(|segment| self.lock(segment).next_due_after(now))
            .min()
    }

    /// Puts the content of `other`, whose collections must have the same limits, in the place of this keyspace's, at once for
    /// all readers. Clock, seed and limits stay.
    pub fn replace_with(&self, mut other: Keyspace) {
        debug_assert_eq!(self.limits, other.limits);
        let segments = std::mem::take(&mut other.segments);
        self.replace_segments(
            segments
                .into_iter()
                .map(|segment| segment.0.into_inner())
                .collect(),
        );
    }

    fn replace_segments(&self, segments: Vec<Segment>) {
        let bytes = self.statistics().memory();
        let mut replaced = Vec::with_capacity(SEGMENTS);
        let mut guards = self.lock_all();
        for (guard, new) in guards.iter_mut().zip(segments) {
            replaced.extend(guard.replace(new));
            if let Some(budget) = &self.budget {
                budget.report(guard);
            }
        }
        drop(guards);
        self.call_all_waiting(false);
        discard(replaced, bytes);
    }

    /// What the keyspace holds. Segments are counted one after the other.
    pub fn statistics(&self) -> Statistics {
        let mut sum = Statistics {
            table_bytes: self.fixed_bytes(),
            evicted: self.evicted.load(Ordering::Relaxed),
            ..Default::default()
        };
        for segment in 0..SEGMENTS {
            let guard = self.lock(segment);
            let (by_type, table) = guard.memory();
            sum.keys += guard.len();
            sum.expires += guard.expires();
            sum.expired += guard.expired();
            sum.table_bytes += table;
            for (total, bytes) in sum.memory_by_type.iter_mut().zip(by_type) {
                *total += bytes;
            }
        }
        sum
    }

    /// Panics if an invariant of the table is broken.
    pub fn verify(&self) {
        for segment in 0..SEGMENTS {
            let guard = self.lock(segment);
            guard.verify();
            assert!(
                guard
                    .iter()
                    .all(|entry| segment_of(hash_of(entry.key())) == segment)
            );
        }
    }
}

impl Drop for Keyspace {
    /// What a keyspace held is freed in the background, too.
    fn drop(&mut self) {
        let mut segments = std::mem::take(&mut self.segments);
        let mut bytes = 0;
        for segment in &mut segments {
            let segment = segment.0.get_mut();
            bytes += segment.used();
            if let Some(budget) = &self.budget {
                budget.add(-(segment.reported as isize));
            }
        }
        if let Some(budget) = self.budget.as_ref().filter(|_| !segments.is_empty()) {
            budget.add(-(size_of_val(&*segments) as isize));
        }
        discard(segments, bytes);
    }
}

fn seconds(ms: i64) -> u32 {
    (ms / 1000) as u32
}

fn ahead_of_boottime_ns(ms: i64) -> i64 {
    ms.saturating_mul(1_000_000)
        .saturating_sub_unsigned(clock::boottime_ns())
}

#[cfg(test)]
mod tests;
