//! Keyspaces with a bound on memory, from the options that JavaScript has checked.

use super::limits::{CollectionLimits, with_limits};
use crate::keyspace::registry;
use crate::keyspace::{Budget, Keyspace, MemoryLimit, Policy};
use napi_derive::napi;

/// A bound on memory.
#[napi(object)]
pub struct MemoryLimitOptions {
    /// Bytes; 0 for no bound.
    pub bytes: f64,
    /// One of Redis's eight policies.
    pub policy: String,
    /// How many keys are looked at to find one that should go.
    pub samples: u32,
}

impl MemoryLimitOptions {
    /// The budget that these options describe.
    pub fn budget(&self) -> napi::Result<Budget> {
        let Some(policy) = Policy::named(self.policy.as_bytes()) else {
            let text = format!("there is no policy '{}'", self.policy);
            return Err(napi::Error::new(napi::Status::InvalidArg, text));
        };
        let bytes = match self.bytes as usize {
            0 => usize::MAX,
            bytes => bytes,
        };
        Ok(Budget::new(MemoryLimit {
            bytes,
            policy,
            samples: self.samples.max(1) as usize,
        }))
    }
}

/// The keyspace with the limit, if there is one.
pub fn limited(keyspace: Keyspace, limit: Option<MemoryLimitOptions>) -> napi::Result<Keyspace> {
    match limit {
        Some(limit) => Ok(keyspace.with_budget(limit.budget()?)),
        None => Ok(keyspace),
    }
}

/// Makes a keyspace and gives its id. `collections`: limits of its collections, if not the default ones.
#[napi]
pub fn keyspace_create(
    limit: Option<MemoryLimitOptions>,
    collections: Option<CollectionLimits>,
) -> napi::Result<u32> {
    let keyspace = with_limits(Keyspace::new(), collections)?;
    Ok(registry::register(limited(keyspace, limit)?).0)
}
