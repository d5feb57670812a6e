//! Frees what is large away from the thread that no longer needs it: on one thread of the process, which begins with the
//! first large piece and ends when nothing has come for a while.

use crate::heap;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::thread;
use std::time::Duration;

/// Below this, freeing in place costs less than a tenth of a millisecond.
const BACKGROUND_BYTES: usize = 128 * 1024;
/// Pieces that wait, above which their owners free by themselves.
const PIECES_MAX: usize = 4096;
/// Bytes that wait, above which their owners free by themselves; a piece that waits alone may be larger.
const WAITING_BYTES_MAX: usize = 1 << 30;
/// How long the thread waits for more before it ends.
const IDLE: Duration = Duration::from_millis(500);

/// Whatever it is, all that is left to do is to drop it.
type Piece = Box<dyn Send>;

struct Queue {
    pieces: VecDeque<(Piece, usize)>,
    bytes: usize,
    running: bool,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    pieces: VecDeque::new(),
    bytes: 0,
    running: false,
});
static MORE: Condvar = Condvar::new();

/// Drops `garbage` (about `bytes` on the heap): at once if it is small, in the background if it is large. No lock may be
/// needed by its drop.
pub fn discard<T: Send + 'static>(garbage: T, bytes: usize) {
    if bytes >= BACKGROUND_BYTES {
        // What finds no room comes back, and is dropped here, behind the queue's lock.
        drop(put_in(Box::new(garbage), bytes));
    }
}

fn put_in(piece: Piece, bytes: usize) -> Option<Piece> {
    let mut queue = QUEUE.lock();
    let fits = queue.bytes + bytes <= WAITING_BYTES_MAX && queue.pieces.len() < PIECES_MAX;
    if !queue.pieces.is_empty() && !fits {
        return Some(piece);
    }
    if !queue.running {
        let spawned = thread::Builder::new().name("holdfast-free".into()).spawn(free);
        if spawned.is_err() {
            return Some(piece);
        }
        queue.running = true;
    }
    queue.pieces.push_back((piece, bytes));
    queue.bytes += bytes;
    MORE.notify_one();
    None
}

fn free() {
    let mut queue = QUEUE.lock();
    loop {
        if let Some((piece, bytes)) = queue.pieces.pop_front() {
            queue.bytes -= bytes;
            parking_lot::MutexGuard::unlocked(&mut queue, || drop(piece));
        } else if MORE.wait_for(&mut queue, IDLE).timed_out() && queue.pieces.is_empty() {
            parking_lot::MutexGuard::unlocked(&mut queue, heap::give_back);
            if queue.pieces.is_empty() {
                queue.running = false;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    struct Counted(&'static AtomicUsize);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn everything_is_dropped_once_small_or_large() {
        static DROPPED: AtomicUsize = AtomicUsize::new(0);
        discard(Counted(&DROPPED), 0);
        assert_eq!(DROPPED.load(Ordering::SeqCst), 1);
        for _ in 0..2 * PIECES_MAX {
            discard(Counted(&DROPPED), BACKGROUND_BYTES);
        }
        let started = Instant::now();
        while DROPPED.load(Ordering::SeqCst) <= 2 * PIECES_MAX {
            assert!(started.elapsed() < Duration::from_secs(20));
            thread::yield_now();
        }
    }
}
