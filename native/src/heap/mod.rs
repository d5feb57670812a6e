//! Where the keyspace's memory comes from: the allocator takes it out of ranges that are reserved here, and one thread has the
//! system provide it before it is needed.
//!
//! The first touch of fresh memory is paid by whoever touches it. A huge page makes all later look-ups cheaper, for it saves
//! misses in the processor's table of pages, but the system zeroes 2 MiB for it at once: 0.1 ms, and 5 ms in a virtual machine that gives
//! free memory back to its host. That is no time for a `SET` to wait. So memory is made of small pages where a command
//! is the first to touch it, and of huge pages where it was prepared: when the allocator begins a block of 2 MiB
//! ([`block`]), the next ones are made ready ([`ahead`]). Whoever fills memory faster than it is prepared gets small
//! pages, and no worse: it is zeroed twice, so that who comes to a block just then has little to wait for ([`spare`]).
//!
//! The system is only ever told to provide pages, which changes nothing that is in them: a block that is used while it is being
//! prepared comes to no harm, so commands never wait for that thread.

#[cfg(prepared_heap)]
mod ahead;
#[cfg(prepared_heap)]
mod arena;
#[cfg(any(prepared_heap, test))]
mod block;
#[cfg(prepared_heap)]
mod settings;
#[cfg(prepared_heap)]
mod spare;

#[cfg(prepared_heap)]
pub use ahead::Ahead;
#[cfg(prepared_heap)]
pub use arena::Filling;
#[cfg(prepared_heap)]
pub use settings::{GivesBack, give_back};

/// The allocator does it by itself.
#[cfg(not(prepared_heap))]
pub fn give_back() {}

/// Elsewhere the allocator asks the system by itself.
#[cfg(not(prepared_heap))]
#[derive(Debug)]
pub struct Ahead;

#[cfg(not(prepared_heap))]
impl Ahead {
    /// Does nothing.
    pub fn start() -> Ahead {
        Ahead
    }
}

/// Nothing is done differently.
#[cfg(not(prepared_heap))]
#[derive(Debug)]
pub struct Filling;

#[cfg(not(prepared_heap))]
impl Filling {
    /// Does nothing.
    pub fn begin() -> Filling {
        Filling
    }
}

/// Nothing is done differently.
#[cfg(not(prepared_heap))]
#[derive(Debug)]
pub struct GivesBack;

#[cfg(not(prepared_heap))]
impl GivesBack {
    /// Does nothing.
    pub fn begin() -> GivesBack {
        GivesBack
    }
}
