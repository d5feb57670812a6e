//! Replicas: keyspaces that a replicated log drives. One worker thread applies; any thread opens and closes the gate.

use super::limit::{MemoryLimitOptions, limited};
use super::limits::{CollectionLimits, with_limits};
use crate::keyspace::registry::{self, Registered};
use crate::keyspace::{Keyspace, Pressure};
use crate::replica::{ApplyError, EVICT, Outcomes, Replica};
use crate::resp::encode_request;
use napi::bindgen_prelude::{Buffer, Null, Uint8Array};
use napi_derive::napi;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

/// A failure with one of the stable codes.
type Refused = napi::Error<&'static str>;

const CLOSED: &str = "CLOSED";
const CORRUPT: &str = "CORRUPT";
const FAULTED: &str = "FAULTED";
const NS_PER_MS: f64 = 1_000_000.0;

static REPLICAS: LazyLock<RwLock<HashMap<u32, Arc<Mutex<Replica>>>>> = LazyLock::new(Default::default);

fn replica(id: u32) -> Result<Arc<Mutex<Replica>>, Refused> {
    let found = REPLICAS.read().get(&id).cloned();
    found.ok_or_else(|| Refused::new(CLOSED, "the replica was closed".to_string()))
}

/// The gate is reached without the replica's lock: closing it must not wait for an entry that is being applied.
fn place(id: u32) -> Result<Arc<Registered>, Refused> {
    registry::get(id).ok_or_else(|| Refused::new(CLOSED, "the replica was closed".to_string()))
}

/// A broken invariant leaves a state that no peer shares: the keyspace refuses every call from then on.
fn guarded<T>(replica: &Mutex<Replica>, work: impl FnOnce(&mut Replica) -> T) -> Result<T, Refused> {
    let mut replica = replica.lock();
    catch_unwind(AssertUnwindSafe(|| work(&mut replica))).map_err(|_| {
        replica.place().keyspace.set_faulted();
        Refused::new(FAULTED, "applying an entry broke an invariant".to_string())
    })
}

fn faulted(error: &ApplyError) -> Refused {
    Refused::new(FAULTED, format!("an entry cannot be applied: {error:?}"))
}

/// Makes a replica over an empty keyspace. Its id is the keyspace's. With `sibling`, both share the sibling's limit.
/// `collections`: limits of its collections, if not the default ones.
#[napi]
pub fn replica_create(
    limit: Option<MemoryLimitOptions>,
    sibling: Option<u32>,
    collections: Option<CollectionLimits>,
) -> napi::Result<u32> {
    let keyspace = with_limits(Keyspace::with_log_clock(0), collections)?;
    let shared = sibling
        .and_then(registry::get)
        .and_then(|place| place.keyspace.share_budget());
    let keyspace = match shared {
        Some(budget) => keyspace.with_budget(budget),
        None => limited(keyspace, limit)?,
    };
    let (id, place) = registry::register(keyspace);
    REPLICAS
        .write()
        .insert(id, Arc::new(Mutex::new(Replica::new(place))));
    Ok(id)
}

/// What a leader has to do about its limit before it appends requests.
#[napi(object)]
pub struct MemoryRoom {
    /// Whether requests that need memory are to be refused.
    pub full: bool,
    /// Whether more has to go than the eviction names.
    pub more: bool,
    /// The request that evicts keys, if any have to go.
    pub eviction: Option<Buffer>,
}

/// What has to go into the log ahead of requests so that the limit is kept; null while it is.
#[napi]
pub fn replica_room(id: u32) -> Result<Option<MemoryRoom>, Refused> {
    let (victims, pressure) = place(id)?.keyspace.choose_victims();
    let (full, more) = (pressure == Pressure::Full, pressure == Pressure::Tight);
    if victims.is_empty() {
        let eviction = None;
        return Ok(full.then_some(MemoryRoom { full, more, eviction }));
    }
    let words: Vec<&[u8]> = std::iter::once(EVICT)
        .chain(victims.iter().map(|key| &**key))
        .collect();
    let mut eviction = Vec::new();
    encode_request(&words, &mut eviction);
    Ok(Some(MemoryRoom {
        full,
        more,
        eviction: Some(eviction.into()),
    }))
}

/// Forgets a replica. Its memory goes with the last handle.
#[napi]
pub fn replica_close(id: u32) {
    REPLICAS.write().remove(&id);
    registry::close(id);
}

/// Applies the entry at `index`, without requests if `batch` is null. Answers the outcomes of the session `own`.
#[napi]
pub fn replica_apply(
    id: u32,
    index: f64,
    batch: napi::Either<Uint8Array, Null>,
    own: f64,
) -> Result<Option<Buffer>, Refused> {
    let replica = replica(id)?;
    let mut outcomes = Outcomes::default();
    let applied = guarded(&replica, |replica| match &batch {
        napi::Either::A(batch) => replica.apply(index as u64, batch, own as u64, &mut outcomes),
        napi::Either::B(_) => replica.skip(index as u64),
    })?;
    applied.map_err(|error| faulted(&error))?;
    Ok((!outcomes.is_empty()).then(|| outcomes.into_bytes().into()))
}

/// Outcomes of the session's requests from `first_seq` on, as far as they are remembered.
#[napi]
pub fn replica_remembered(id: u32, session: f64, first_seq: f64) -> Result<Buffer, Refused> {
    let replica = replica(id)?;
    let mut outcomes = Outcomes::default();
    replica
        .lock()
        .remembered(session as u64, first_seq as u64, &mut outcomes);
    Ok(outcomes.into_bytes().into())
}

/// What a snapshot holds besides the keys.
#[napi(object)]
pub struct ReplicaState {
    /// The group clock, Unix milliseconds.
    pub stamp_ms: f64,
    /// The sessions.
    pub sessions: Buffer,
}

/// The group clock and the sessions.
#[napi]
pub fn replica_save(id: u32) -> Result<ReplicaState, Refused> {
    let replica = replica(id)?;
    let replica = replica.lock();
    Ok(ReplicaState {
        stamp_ms: replica.stamp_ms() as f64,
        sessions: replica.save_sessions().into(),
    })
}

/// Continues behind a snapshot whose keys have been loaded.
#[napi]
pub fn replica_restore(id: u32, index: f64, stamp_ms: f64, sessions: Uint8Array) -> Result<(), Refused> {
    let replica = replica(id)?;
    let restored = replica.lock().restore(index as u64, stamp_ms as i64, &sessions);
    restored.map_err(|error| {
        let text = format!(
            "the sessions of a snapshot, offset {}: expected {}",
            error.offset, error.expected
        );
        Refused::new(CORRUPT, text)
    })
}

/// Publishes the end of the lease, in milliseconds of the lease clock; 0 for none.
#[napi]
pub fn replica_set_lease(id: u32, until_ms: f64) -> Result<(), Refused> {
    place(id)?.gate.set_lease_until((until_ms * NS_PER_MS) as u64);
    Ok(())
}

/// Lets reads of local memory through, or not.
#[napi]
pub fn replica_set_ready(id: u32, ready: bool) -> Result<(), Refused> {
    place(id)?.gate.set_ready(ready);
    Ok(())
}

/// When the first key expires, Unix milliseconds of the group clock.
#[napi]
pub fn replica_next_expiry(id: u32) -> Result<Option<f64>, Refused> {
    Ok(place(id)?.keyspace.next_due().map(|at| at as f64))
}

/// 32 hex digits over one of the parts of the keyspace. Called between two entries.
#[napi]
pub fn replica_digest_slice(id: u32, slice: u32) -> Result<String, Refused> {
    Ok(format!(
        "{:032x}",
        replica(id)?.lock().digest_slice(slice as usize)
    ))
}
