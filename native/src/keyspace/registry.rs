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
    use super::*;
    use crate::command::execute_now;
    use crate::random::Rng;
    use parking_lot::Mutex;

    #[test]
    fn a_closed_id_is_never_given_again() {
        let (id, held) = register(Keyspace::default());
        assert!(Arc::ptr_eq(&held, &get(id).unwrap()));
        assert!(close(id).is_some());
        assert!(get(id).is_none() && close(id).is_none());
        assert_ne!(register(Keyspace::default()).0, id);
    }

    /// What a thread does with a keyspace that another may close at any time. Some of what it writes is due at once, and
    /// some is so large that it is freed elsewhere.
    fn work_on(place: &Registered, rng: &mut Rng) {
        let large = vec![b'x'; 200_000];
        for _ in 0..20 {
            let key = [b'a' + rng.below(8) as u8];
            let request: &[&[u8]] = match rng.below(6) {
                0 => &[b"SET", &key, &large],
                1 => &[b"SET", &key, b"v", b"PX", b"1"],
                2 => &[b"DEL", &key],
                3 => &[b"FLUSHALL"],
                _ => &[b"GET", &key],
            };
            execute_now(&place.keyspace, request).expect("nothing is refused");
            let now_ns = rng.next_u64();
            place.gate.set_ready(now_ns.is_multiple_of(2));
            place.gate.set_lease_until(now_ns);
            let _ = (place.gate.is_ready(), place.gate.lease_valid(now_ns / 2));
        }
    }

    #[test]
    fn threads_may_open_share_and_close_keyspaces_at_once() {
        const THREADS: u64 = 4;
        const ROUNDS: usize = 60;
        let ids = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for seed in 0..THREADS {
                let ids = &ids;
                scope.spawn(move || {
                    let mut rng = Rng::new(seed);
                    for _ in 0..ROUNDS {
                        let (id, own) = register(Keyspace::new());
                        ids.lock().push(id);
                        work_on(&own, &mut rng);
                        let (shared, doomed) = {
                            let ids = ids.lock();
                            (ids[rng.below(ids.len())], ids[rng.below(ids.len())])
                        };
                        if let Some(place) = get(shared) {
                            work_on(&place, &mut rng);
                        }
                        close(doomed);
                    }
                });
            }
        });
        let ids = std::mem::take(&mut *ids.lock());
        assert_eq!(ids.len() as u64, THREADS * ROUNDS as u64);
        ids.iter().for_each(|&id| drop(close(id)));
        assert!(ids.iter().all(|&id| get(id).is_none()));
    }
}
