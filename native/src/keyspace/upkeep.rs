//! What keyspaces need from time to time: due keys are freed, the clock by which the use of keys is remembered is moved,
//! evictions that a command left unfinished go on, and memory that became free goes back to the system. One thread does it
//! for all keyspaces of the process, a slice at a time with a pause behind it, and holds no lock for longer than a few keys
//! take. It ends when no keyspace is left.

use super::registry::Registered;
use super::{Keyspace, SEGMENTS, seconds};
use crate::heap::{self, Ahead, GivesBack};
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// Due keys of a segment that go under one hold of its lock.
pub(super) const KEYS_AT_ONCE: usize = 32;
/// How long the thread sleeps when nothing is due.
const TICK: Duration = Duration::from_millis(100);
/// How long it works on one keyspace at a time.
const SLICE: Duration = Duration::from_millis(1);
/// How long it pauses behind slices that left something to do.
const PAUSE: Duration = Duration::from_millis(1);
/// How long memory that became free may stay: somebody may need it again.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(1);

struct Upkeep {
    places: Vec<Weak<Registered>>,
    running: bool,
}

static UPKEEP: Mutex<Upkeep> = Mutex::new(Upkeep {
    places: Vec::new(),
    running: false,
});
static CHANGED: Condvar = Condvar::new();

/// Takes care of a keyspace for as long as somebody holds it.
pub(super) fn watch(place: &Arc<Registered>) {
    let mut upkeep = UPKEEP.lock();
    upkeep.places.push(Arc::downgrade(place));
    if !upkeep.running {
        // Without a thread, writes still free what is due in passing.
        upkeep.running = thread::Builder::new()
            .name("holdfast-upkeep".into())
            .spawn(run)
            .is_ok();
    }
}

/// A keyspace may be gone.
pub(super) fn look_again() {
    CHANGED.notify_one();
}

fn run() {
    let (_ahead, _gives_back) = (Ahead::start(), GivesBack::begin());
    let (mut pause, mut given_back) = (TICK, Instant::now());
    while let Some(places) = wait(pause) {
        if given_back.elapsed() >= GIVE_BACK_EVERY {
            heap::give_back();
            given_back = Instant::now();
        }
        let busy = places.iter().filter(|place| place.keyspace.upkeep(SLICE)).count();
        pause = if busy > 0 { PAUSE } else { TICK };
    }
}

/// The keyspaces there are after the pause; `None` when there are none, which ends the thread.
fn wait(pause: Duration) -> Option<Vec<Arc<Registered>>> {
    let mut upkeep = UPKEEP.lock();
    CHANGED.wait_for(&mut upkeep, pause);
    upkeep.places.retain(|place| place.strong_count() > 0);
    upkeep.running = !upkeep.places.is_empty();
    upkeep
        .running
        .then(|| upkeep.places.iter().filter_map(Weak::upgrade).collect())
}

impl Keyspace {
    /// Works for about so long, and says whether something is left to do.
    fn upkeep(&self, slice: Duration) -> bool {
        self.access_s.store(seconds(self.reading_ms()), Ordering::Relaxed);
        let evicts = self.evict_in_background();
        self.reclaim_for(slice) || evicts
    }

    /// Frees due keys, a few of each segment in turn. Whether the time was over before all were gone. It goes down, because a
    /// command that locks all goes up: they meet once, and do not wait for each other in every segment.
    fn reclaim_for(&self, slice: Duration) -> bool {
        let (now, started) = (self.now_ms(), Instant::now());
        let first = self.upkeep_at.load(Ordering::Relaxed);
        let (mut drained, mut total) = (0, 0);
        for at in (0..=first).rev().chain((0..SEGMENTS).rev().cycle()) {
            let reclaimed = self.reclaim_in(at, now, KEYS_AT_ONCE);
            total += reclaimed;
            drained = if reclaimed < KEYS_AT_ONCE { drained + 1 } else { 0 };
            if drained >= SEGMENTS || (reclaimed > 0 && started.elapsed() >= slice) {
                self.upkeep_at
                    .store((at + SEGMENTS - 1) % SEGMENTS, Ordering::Relaxed);
                break;
            }
        }
        if total > 0 {
            self.call_all_waiting(true);
        }
        drained < SEGMENTS
    }
}
