//! Frees what is large away from the thread that no longer needs it.

use std::thread;

/// Below this, freeing in place costs less than a thread.
const BACKGROUND_BYTES: usize = 4 * 1024 * 1024;

/// Drops `garbage` (about `bytes` on the heap): at once if it is small, on a thread of its own if it is large.
///
/// No lock may be needed by its drop. If no thread can be had, it is dropped here.
pub(super) fn discard<T: Send + 'static>(garbage: T, bytes: usize) {
    if bytes < BACKGROUND_BYTES {
        return;
    }
    // When the spawn fails, the closure is dropped here, and the garbage with it.
    let _ = thread::Builder::new()
        .name("holdfast-free".into())
        .spawn(move || drop(garbage));
}
