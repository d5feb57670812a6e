//! Whether a replica's memory may be read right now.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Two flags beside a replica's keyspace: has it caught up, and until when does its lease hold. The replica sets them;
/// every read of a `local` or `leased` handle checks them.
#[derive(Debug, Default)]
pub struct Gate {
    ready: AtomicBool,
    lease_until_ns: AtomicU64,
}

impl Gate {
    /// Whether the state has caught up with what the cluster had acknowledged when this process started.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Opens or closes `local` reads.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Whether this process leads and `now_ns` of the lease clock lies before the end of its lease.
    pub fn lease_valid(&self, now_ns: u64) -> bool {
        now_ns < self.lease_until_ns.load(Ordering::Acquire)
    }

    /// Sets the lease's end on the lease clock; 0 ends it now.
    pub fn set_lease_until(&self, until_ns: u64) {
        self.lease_until_ns.store(until_ns, Ordering::Release);
    }

    /// The lease's end on the lease clock; 0 if there is none.
    pub fn lease_until(&self) -> u64 {
        self.lease_until_ns.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn a_lease_holds_strictly_before_its_end() {
        let gate = Gate::default();
        assert!(!gate.is_ready() && !gate.lease_valid(0));
        gate.set_lease_until(10);
        assert!(gate.lease_valid(9) && !gate.lease_valid(10));
        gate.set_lease_until(0);
        assert!(!gate.lease_valid(0));
    }
}
