//! The allocator of the tests: counts what each thread has allocated and not freed, so that a test can compare it with what
//! a keyspace says of itself.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// Bytes that this thread has allocated, less those that it has freed.
pub fn live_bytes() -> isize {
    LIVE.get()
}

fn count(bytes: isize) {
    // A thread that ends frees things when its own variables are gone already.
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

/// Passes everything on to another allocator.
pub struct Counting<A>(pub A);

// SAFETY: every call goes to an allocator that keeps the contract, unchanged.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { self.0.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { self.0.realloc(place, layout, size) }
    }
}
