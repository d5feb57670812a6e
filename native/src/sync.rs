//! The lock and the atomics of the protocols that `native/loom` runs in every order of their steps. There they are loom's.

pub(crate) use parking_lot::Mutex;
pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
