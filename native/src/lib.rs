//! The native part of holdfast: the keyspace, its commands, and the RDB codec.
//!
//! Reading order: [`value`] (the five types) over [`structure`] (what they are made of), [`keyspace`] (the table that
//! holds them, and [`keyspace::Db`], the only way a command sees it), [`command`] (the table of commands), [`replica`]
//! (a keyspace driven by a replicated log), [`rdb`] and [`resp`] (the two wire formats), `heap` (where memory comes from), `binding`
//! (the door to Node).
//!
//! Only `binding` names Node-API; everything else builds, and is tested, without Node.

// Tests of the crate run without Node; the binding is tested from JavaScript.
#[cfg(all(feature = "node", not(test)))]
mod binding;
pub mod clock;
pub mod command;
#[cfg(test)]
mod counting;
mod discard;
mod heap;
pub mod keyspace;
pub mod random;
pub mod rdb;
pub mod replica;
pub mod reply;
pub mod resp;
pub mod status;
pub mod structure;
mod sync;
pub mod value;

/// Keeps the keyspace's memory apart from the host's: its own heap, its own statistics. Fuzzers and sanitizers watch the heap
/// of the system.
#[cfg(not(any(test, fuzzing, holdfast_system_heap)))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(all(test, not(any(fuzzing, holdfast_system_heap))))]
#[global_allocator]
static ALLOCATOR: counting::Counting<mimalloc::MiMalloc> = counting::Counting(mimalloc::MiMalloc);

#[cfg(all(test, any(fuzzing, holdfast_system_heap)))]
#[global_allocator]
static ALLOCATOR: counting::Counting<std::alloc::System> = counting::Counting(std::alloc::System);
