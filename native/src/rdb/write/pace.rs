//! How much of the machine those who encode take.
//!
//! Encoding competes for processors with those who write, and there may be no more processors than writers. So encoders
//! rest when the others need them, after every few hundred microseconds of work and without a lock: a writer is never kept
//! off its processor for longer than that, and encoders are never stopped by the scheduler while they hold a lock.
//!
//! What the others need is measured. Every few milliseconds the encoders compare the processor time of the whole process with
//! that of the threads that make the snapshot, whatever these do for it (encode, read, write the file), and what encoders
//! got with the time that has passed. What is left of the processors they divide among themselves, but always take [`FLOOR`]
//! of them, so that a snapshot ends. While the others of the process take next to nothing, nobody rests, whoever else is
//! on the machine: other processes are for the system to deal with.
//!
//! The fuller the outbox, the less they rest, because writers wait for them when it is full. But first they save work: while
//! they have to take more than what is left of the processors, they compress nothing, which takes two thirds of the time of
//! encoding. The file is larger then, and the writers get that time.

use crate::clock;
use parking_lot::Mutex;
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// The part of the processors that encoders take at least.
const FLOOR: f64 = 0.08;
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
/// Others of the process that take less than this of a processor are no reason to rest. What an idle process does beside a
/// snapshot has been seen to take 0.12 of one at the most; a thread that writes all the time gets two thirds of one beside
/// two encoders on two processors that never rest.
const ALONE: f64 = 0.25;
/// How much the last window counts beside those before. A system tells what threads on other processors have taken only
/// every few milliseconds, so a window by itself says too little or too much.
const NEWS: f64 = 0.25;
/// Parts that a duty is counted in.
const DUTY_UNIT: f64 = 1024.0;

thread_local! {
    /// The snapshot for which this thread has worked last, by number, and the processor time of the thread then.
    static LAST_SEEN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// What was measured since a time.
#[derive(Debug)]
struct Window {
    begun_ns: u64,
    process_ns: u64,
    /// Processor time of the threads that make the snapshot.
    worked_ns: u64,
    /// How long encoders were kept off the processors.
    waited_ns: u64,
    /// As it was found before.
    need: Need,
}

impl Window {
    fn begin(now_ns: u64) -> Window {
        Window {
            begun_ns: now_ns,
            process_ns: clock::process_cpu_ns(),
            worked_ns: 0,
            waited_ns: 0,
            need: Need::default(),
        }
    }
}

/// What was found in a window.
#[derive(Clone, Copy, Debug)]
struct Measured {
    passed_ns: u64,
    process_ns: u64,
    worked_ns: u64,
    waited_ns: u64,
}

/// What others need, in processors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Need {
    /// What others of the process have taken, as far as is known.
    taken: f64,
    /// What kept encoders off the processors in the last window.
    waited: f64,
}

impl Need {
    /// What it is after another window.
    fn after(self, window: &Measured) -> Need {
        let part = |ns: f64| ns / window.passed_ns as f64;
        let others = part(window.process_ns as f64 - window.worked_ns as f64);
        Need {
            taken: self.taken + (others - self.taken) * NEWS,
            waited: part(window.waited_ns as f64),
        }
    }

    /// The part of its time that each of so many encoders may work.
    fn duty(self, cores: f64, encoders: u32) -> f64 {
        if self.taken < ALONE {
            return 1.0;
        }
        let left = cores * (1.0 - MARGIN) - self.taken - self.waited;
        (left.max(cores * FLOOR) / f64::from(encoders.max(1))).min(1.0)
    }
}

/// See the module. Of one snapshot.
#[derive(Debug)]
pub(super) struct Pace {
    /// Which one it is, from 1 on.
    number: u64,
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
        static LAST: AtomicU64 = AtomicU64::new(0);
        Pace {
            number: LAST.fetch_add(1, Ordering::Relaxed) + 1,
            cores: thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64),
            window: Mutex::new(Window::begin(clock::boottime_ns())),
            duty: AtomicU32::new(DUTY_UNIT as u32),
            encoders: AtomicU32::new(0),
        }
    }
}

impl Pace {
    /// Whether encoders that took no more than what is left of the processors would be too slow, since so much of the outbox is
    /// taken.
    pub(super) fn is_behind(&self, fill: f64) -> bool {
        fill > self.duty()
    }

    /// Begins to measure what this thread encodes.
    pub(super) fn shift(&self) -> Shift<'_> {
        self.encoders.fetch_add(1, Ordering::Relaxed);
        Shift {
            pace: self,
            begun_ns: clock::boottime_ns(),
            cpu_ns: self.last_seen_ns(clock::thread_cpu_ns()),
        }
    }

    /// Takes note of what this thread has done for the snapshot outside of its shifts: it reads, and hands on what it has read.
    pub(super) fn note_other_work(&self) {
        let cpu_ns = clock::thread_cpu_ns();
        let since_ns = self.last_seen_ns(cpu_ns);
        self.window.lock().worked_ns += cpu_ns - since_ns;
        LAST_SEEN.set((self.number, cpu_ns));
    }

    /// The processor time of this thread, which is now at `cpu_ns`, when it was last seen with this snapshot.
    fn last_seen_ns(&self, cpu_ns: u64) -> u64 {
        let (number, seen_ns) = LAST_SEEN.get();
        if number == self.number { seen_ns } else { cpu_ns }
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
        let measured = Measured {
            passed_ns,
            process_ns: next.process_ns.saturating_sub(window.process_ns),
            worked_ns: window.worked_ns,
            waited_ns: window.waited_ns,
        };
        let need = window.need.after(&measured);
        let duty = need.duty(self.cores, self.encoders.load(Ordering::Relaxed));
        self.duty.store((duty * DUTY_UNIT) as u32, Ordering::Relaxed);
        *window = Window { need, ..next };
    }

    fn duty(&self) -> f64 {
        f64::from(self.duty.load(Ordering::Relaxed)) / DUTY_UNIT
    }
}

/// How long to rest after so much work, for this part of the time to be worked.
fn rest_ns(worked_ns: u64, duty: f64) -> u64 {
    if duty >= DUTY_WHOLE {
        return 0;
    }
    ((worked_ns as f64 * (1.0 / duty - 1.0)) as u64).min(REST_NS_MAX)
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
        let rest_ns = rest_ns(worked_ns, duty);
        if rest_ns > 0 {
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
        LAST_SEEN.set((self.pace.number, self.cpu_ns));
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        let worked_ns = clock::thread_cpu_ns().saturating_sub(self.cpu_ns);
        self.note(worked_ns);
        self.pace.encoders.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORES: f64 = 2.0;
    const MS: u64 = 1_000_000;

    /// A window of 4 ms in which others took these thousandths of a processor, and kept encoders off for others of them.
    fn window(taken: u64, waited: u64) -> Measured {
        Measured {
            passed_ns: 4 * MS,
            process_ns: 3 * MS + taken * 4_000,
            worked_ns: 3 * MS,
            waited_ns: waited * 4_000,
        }
    }

    /// What is known after so many windows of this kind.
    fn need(windows: usize, window: &Measured) -> Need {
        (0..windows).fold(Need::default(), |need, _| need.after(window))
    }

    fn is_about(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 0.01
    }

    #[test]
    fn who_is_alone_never_rests() {
        for waited in [0, 500, 2000] {
            for taken in [0, 120, 240] {
                assert_eq!(need(50, &window(taken, waited)).duty(CORES, 2), 1.0);
            }
        }
        assert_eq!(rest_ns(BURST_NS, 1.0), 0);
    }

    #[test]
    fn who_is_not_takes_what_is_left() {
        let left = |taken, waited, encoders| need(50, &window(taken, waited)).duty(CORES, encoders);
        assert!(is_about(left(260, 0, 2), 0.62));
        assert!(is_about(left(1000, 0, 2), 0.25));
        assert!(is_about(left(1000, 0, 1), 0.5));
        assert!(is_about(left(500, 500, 2), 0.25));
        // Nobody is at work for a moment.
        assert!(is_about(left(1000, 0, 0), 0.5));
        // More than one processor for one encoder.
        assert_eq!(left(300, 0, 1), 1.0);
    }

    #[test]
    fn however_much_others_need_a_part_remains() {
        let floor = CORES * FLOOR;
        for (taken, waited) in [(1400, 0), (2000, 0), (1000, 2000), (2000, 2000)] {
            let duty = need(50, &window(taken, waited)).duty(CORES, 2);
            assert!(is_about(duty, floor / 2.0), "{taken} {waited}: {duty}");
        }
    }

    #[test]
    fn a_writer_is_noticed_soon_and_an_odd_window_is_not_believed() {
        // What one writer gets at least beside two encoders.
        assert_eq!(need(1, &window(600, 300)).duty(CORES, 2), 1.0);
        assert!(need(2, &window(600, 300)).duty(CORES, 2) < DUTY_WHOLE);
        // A system that is late tells of an encoder's time when that is counted already, or does not tell yet.
        let early = Measured {
            process_ns: 2 * MS,
            ..window(0, 0)
        };
        let late = window(250, 0);
        let known = (0..50).fold(Need::default(), |need, _| need.after(&early).after(&late));
        assert!(known.taken.abs() < 0.1, "{known:?}");
        let mut need = need(50, &window(0, 0));
        need = need.after(&window(900, 0));
        assert_eq!(need.duty(CORES, 2), 1.0);
    }

    #[test]
    fn rests_make_up_the_part_that_is_not_worked() {
        assert_eq!(rest_ns(BURST_NS, 0.5), BURST_NS);
        assert_eq!(rest_ns(BURST_NS, 0.25), 3 * BURST_NS);
        assert_eq!(rest_ns(10 * MS, 0.25), REST_NS_MAX);
        assert_eq!(rest_ns(BURST_NS, DUTY_WHOLE), 0);
        assert!(rest_ns(BURST_NS, DUTY_WHOLE - 0.01) > 0);
    }

    #[test]
    fn what_a_thread_does_between_its_shifts_is_the_snapshot_s_too() {
        let pace = Pace::default();
        drop(pace.shift());
        let before_ns = pace.window.lock().worked_ns;
        let begun_ns = clock::thread_cpu_ns();
        while clock::thread_cpu_ns() < begun_ns + MS / 2 {}
        pace.note_other_work();
        let noted_ns = pace.window.lock().worked_ns - before_ns;
        assert!(noted_ns >= MS / 2, "{noted_ns}");
        // What it did before it had to do with another snapshot is not that one's.
        let other = Pace::default();
        other.note_other_work();
        assert_eq!(other.window.lock().worked_ns, 0);
    }
}
