//! The process-wide names of keyspaces. Every thread's copy of the addon sees the same registry.

use super::{Gate, Keyspace, upkeep};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

/// A keyspace with the gate of the replica that drives it, if one does.
#[derive(Debug, Default)]
pub struct Registered {
    /// The table.
    pub keyspace: Keyspace,
    /// Read permissions of `local` and `leased` handles.
    pub gate: Gate,
}

static NEXT_ID: AtomicU32 = AtomicU32::new(1);
static REGISTRY: LazyLock<RwLock<HashMap<u32, Arc<Registered>>>> = LazyLock::new(Default::default);

/// Registers a keyspace under a fresh id. Ids are never used twice.
pub fn register(keyspace: Keyspace) -> (u32, Arc<Registered>) {
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let registered = Arc::new(Registered {
        keyspace,
        gate: Gate::default(),
    });
    REGISTRY.write().insert(id, registered.clone());
    upkeep::watch(&registered);
    (id, registered)
}

/// The keyspace of this id, unless it was closed.
pub fn get(id: u32) -> Option<Arc<Registered>> {
    REGISTRY.read().get(&id).cloned()
}

/// Forgets the id. The memory goes with the last `Arc`.
pub fn close(id: u32) -> Option<Arc<Registered>> {
    let closed = REGISTRY.write().remove(&id);
    upkeep::look_again();
    closed
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_closed_id_is_never_given_again() {
        let (id, held) = super::register(Default::default());
        assert!(std::sync::Arc::ptr_eq(&held, &super::get(id).unwrap()));
        assert!(super::close(id).is_some());
        assert!(super::get(id).is_none() && super::close(id).is_none());
        assert_ne!(super::register(Default::default()).0, id);
    }
}
