//! The thread that has memory provided before it is needed.

use super::arena;
use super::spare::Spare;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long the thread leaves those alone who need memory faster than it can provide it.
const REST: Duration = Duration::from_millis(20);

/// A tenth of what others get, if there are not enough processors. With less, it might be kept from its processor while the
/// system holds a lock for it.
const NICE: libc::c_int = 10;

/// Runs the thread for as long as it is held.
#[derive(Debug)]
pub struct Ahead {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts the thread. Without one, memory is provided when it is touched.
    pub fn start() -> Ahead {
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let thread = thread::Builder::new()
            .name("holdfast-memory".into())
            .spawn(move || run(&seen))
            .ok();
        Ahead { over, thread }
    }
}

/// Lets all others go first: those who wait for a processor do not wait for this thread.
fn give_way() {
    // SAFETY: changes nothing but this thread's priority; 0 is the thread that calls.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}

fn run(over: &AtomicBool) {
    give_way();
    let mut spare = Spare::default();
    loop {
        let rung = arena::rung();
        if over.load(Ordering::Acquire) {
            return;
        }
        let advance = arena::advance(&mut spare);
        if advance.overtaken {
            thread::sleep(REST);
        } else if !advance.failed {
            arena::sleep(rung);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        arena::ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
