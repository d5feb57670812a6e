//! A data race on purpose: `native/sanitize` makes sure that ThreadSanitizer sees it, suppressions and all, before it
//! believes that there is no other.
#![cfg(holdfast_system_heap)]

use std::thread;

struct Shared(*mut u64);

// SAFETY: none. Two threads write to it without a lock, which is what the checker has to find.
unsafe impl Sync for Shared {}

fn write(shared: &Shared) {
    for n in 0..1000 {
        // SAFETY: the pointer is that of a box that outlives the threads; that they race is the purpose.
        unsafe { shared.0.write_volatile(n) };
        thread::yield_now();
    }
}

#[test]
#[ignore = "it races on purpose"]
fn a_race_that_has_to_be_seen() {
    let shared = Shared(Box::leak(Box::new(0)));
    thread::scope(|scope| {
        scope.spawn(|| write(&shared));
        scope.spawn(|| write(&shared));
    });
}
