//! Turns that have come and that a thread has not looked at, and whether it has to be woken.
//!
//! Whoever adds the first turn since the last look wakes the thread; others rely on that. No turn may be left over with
//! nobody about to be woken: `native/loom` tries every order of the steps.

use crate::sync::{AtomicBool, Mutex, Ordering};

/// See the module.
#[derive(Debug)]
pub struct Turns<T> {
    /// In the order in which they came.
    came: Mutex<Vec<T>>,
    /// Whether the thread is being woken and has not looked yet.
    woken: AtomicBool,
}

impl<T> Turns<T> {
    /// No turns.
    pub fn new() -> Turns<T> {
        Turns {
            came: Mutex::new(Vec::new()),
            woken: AtomicBool::new(false),
        }
    }

    /// Adds a turn. Whether the caller has to wake the thread.
    pub fn add(&self, turn: T) -> bool {
        self.came.lock().push(turn);
        !self.woken.swap(true, Ordering::AcqRel)
    }

    /// Takes all turns. Called by the thread after it was woken.
    pub fn take(&self) -> Vec<T> {
        // Before the turns are taken: one that comes behind them wakes the thread again. A swap, so that this and those of
        // the others have one order that all agree on.
        self.woken.swap(false, Ordering::AcqRel);
        std::mem::take(&mut *self.came.lock())
    }
}
