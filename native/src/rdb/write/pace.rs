//! How much of the machine those who encode take.
//!
//! Encoding competes for processors with those who write, and there may be no more processors than writers. So encoders
//! rest when the others need them, after every few hundred microseconds of work and without a lock: a writer is never kept
//! off its processor for longer than that, and encoders are never stopped by the scheduler while they hold a lock.
//!
//! What the others need is measured. Every few milliseconds the encoders compare the processor time of the whole process with
//! their own, and their own with the time that has passed. What is left of the processors they divide among
//! themselves, but always take [`FLOOR`] of them, so that a snapshot ends. Who is alone on the machine never rests.
//!
//! The fuller the outbox, the less they rest, because writers wait for them when it is full.

use crate::clock;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// The part of the processors that encoders take at least.
const FLOOR: f64 = 0.125;
/// The part of the processors that they leave free while others are busy: what these need more shows there.
const MARGIN: f64 = 0.25;
/// How long an encoder works before it may rest.
const BURST_NS: u64 = 200_000;
/// How long it rests at the most.
const REST_NS_MAX: u64 = 3_000_000;
/// How long is measured before encoders are told what they may take.
const WINDOW_NS: u64 = 4_000_000;
/// From this part of a processor on, an encoder takes all of it.
const DUTY_WHOLE: f64 = 0.6;
/// Parts that a duty is counted in.
const DUTY_UNIT: f64 = 1024.0;

/// What was measured since a time.
#[derive(Debug)]
struct Window {
    begun_ns: u64,
    process_ns: u64,
    /// Processor time of the encoders.
    worked_ns: u64,
    /// How long encoders were kept off the processors.
    waited_ns: u64,
}

impl Window {
    fn begin(now_ns: u64) -> Window {
        Window {
            begun_ns: now_ns,
            process_ns: clock::process_cpu_ns(),
            worked_ns: 0,
            waited_ns: 0,
        }
    }
}

/// See the module. Of one snapshot.
#[derive(Debug)]
pub(super) struct Pace {
    cores: f64,
    window: Mutex<Window>,
    /// The part of its time that each encoder may work.
    duty: AtomicU32,
    encoders: AtomicU32,
}

/// An encoder at work, on one thread.
#[derive(Debug)]
pub(super) struct Shift<'a> {
    pace: &'a Pace,
    begun_ns: u64,
    cpu_ns: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            cores: thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64),
            window: Mutex::new(Window::begin(clock::boottime_ns())),
            duty: AtomicU32::new(DUTY_UNIT as u32),
            encoders: AtomicU32::new(0),
        }
    }
}

impl Pace {
    /// Begins to measure what this thread does.
    pub(super) fn shift(&self) -> Shift<'_> {
        self.encoders.fetch_add(1, Ordering::Relaxed);
        Shift {
            pace: self,
            begun_ns: clock::boottime_ns(),
            cpu_ns: clock::thread_cpu_ns(),
        }
    }

    fn note(&self, now_ns: u64, worked_ns: u64, waited_ns: u64) {
        let mut window = self.window.lock();
        window.worked_ns += worked_ns;
        window.waited_ns += waited_ns;
        let passed_ns = now_ns.saturating_sub(window.begun_ns);
        if passed_ns < WINDOW_NS {
            return;
        }
        let next = Window::begin(now_ns);
        let process_ns = next.process_ns.saturating_sub(window.process_ns);
        let others_ns = process_ns.saturating_sub(window.worked_ns) + window.waited_ns;
        let left = self.cores * (1.0 - MARGIN) - others_ns as f64 / passed_ns as f64;
        let allowed = left.max(self.cores * FLOOR);
        let duty = allowed / f64::from(self.encoders.load(Ordering::Relaxed).max(1));
        self.duty
            .store((duty.min(1.0) * DUTY_UNIT) as u32, Ordering::Relaxed);
        *window = next;
    }

    fn duty(&self) -> f64 {
        f64::from(self.duty.load(Ordering::Relaxed)) / DUTY_UNIT
    }
}

impl Shift<'_> {
    /// Rests, if this thread has worked long enough and has to; `fill` says which part of the outbox is taken.
    pub(super) fn pause(&mut self, fill: f64) {
        let worked_ns = clock::thread_cpu_ns().saturating_sub(self.cpu_ns);
        if worked_ns < BURST_NS {
            return;
        }
        self.note(worked_ns);
        let duty = self.pace.duty().max(fill);
        if duty < DUTY_WHOLE {
            let rest_ns = ((worked_ns as f64 * (1.0 / duty - 1.0)) as u64).min(REST_NS_MAX);
            thread::sleep(Duration::from_nanos(rest_ns));
            // Who wakes late was kept off the processors.
            self.begun_ns += rest_ns;
        }
    }

    fn note(&mut self, worked_ns: u64) {
        let now_ns = clock::boottime_ns();
        let waited_ns = now_ns.saturating_sub(self.begun_ns).saturating_sub(worked_ns);
        self.pace.note(now_ns, worked_ns, waited_ns);
        self.begun_ns = now_ns;
        self.cpu_ns += worked_ns;
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        let worked_ns = clock::thread_cpu_ns().saturating_sub(self.cpu_ns);
        self.note(worked_ns);
        self.pace.encoders.fetch_sub(1, Ordering::Relaxed);
    }
}
