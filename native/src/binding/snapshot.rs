//! Snapshots while writes go on: taken by one thread, whose object it is, and encoded and read by any threads that know its
//! number.

use super::rdb::{ERR, Refused, closed, field, guarded, keyspace_of};
use crate::keyspace::cut::stock;
use crate::keyspace::registry::Registered;
use crate::rdb::WriteOptions;
use crate::rdb::write::{Refusal, Snapshot, Step, VERSIONS};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

type Shared = Arc<Snapshot<Arc<Registered>>>;

/// How long a thread that helps waits for something to do.
const HELPER_WAIT_MS: u32 = 2;

static NEXT_ID: AtomicU32 = AtomicU32::new(1);
static SNAPSHOTS: LazyLock<Mutex<HashMap<u32, Shared>>> = LazyLock::new(Default::default);

fn find(id: u32) -> Option<Shared> {
    SNAPSHOTS.lock().get(&id).cloned()
}

/// How to write.
#[napi(object)]
pub struct RdbSnapshotOptions {
    /// Metadata.
    pub aux: Option<Vec<(String, Either<String, Uint8Array>)>>,
    /// Whether values are to be restored in exactly their present form.
    pub exact: Option<bool>,
    /// Version, 9 to 12.
    pub version: Option<u32>,
    /// Whether strings are compressed.
    pub compress: Option<bool>,
}

/// A snapshot, until it is dropped: by `drop`, by the garbage collector, or with the thread that took it.
#[napi]
pub struct RdbSnapshot {
    id: u32,
}

#[napi]
impl RdbSnapshot {
    /// The number by which other threads find it.
    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Keys encoded so far.
    #[napi(getter)]
    pub fn keys(&self) -> f64 {
        find(self.id).map_or(0.0, |snapshot| snapshot.keys() as f64)
    }

    /// Ends the use of it. One that is not complete is given up.
    #[napi]
    pub fn drop(&mut self) {
        let Some(snapshot) = SNAPSHOTS.lock().remove(&self.id) else {
            return;
        };
        snapshot.give_up();
        // What is left of the cut is swept away from this thread; if no other can be had, here after all.
        let sweeper = thread::Builder::new().name("holdfast-sweep".into());
        let is_last = SNAPSHOTS.lock().is_empty();
        drop(sweeper.spawn(move || {
            drop(snapshot);
            if is_last {
                stock::clear();
            }
        }));
    }
}

impl Drop for RdbSnapshot {
    fn drop(&mut self) {
        RdbSnapshot::drop(self);
    }
}

/// Makes ready what a snapshot of these keyspaces will need, so that it falls on nobody who writes.
#[napi]
pub fn snapshot_prepare(keyspaces: Vec<u32>) -> Result<(), Refused> {
    let mut bytes = 0;
    for id in keyspaces {
        bytes += keyspace_of(id)?.keyspace.statistics().memory();
    }
    guarded(|| {
        stock::prepare(bytes);
        Ok(())
    })
}

/// Takes a snapshot of these keyspaces as they are now; null while another one of any of them is not over.
#[napi]
pub fn snapshot_cut(
    keyspaces: Vec<u32>,
    options: Option<RdbSnapshotOptions>,
) -> Result<Option<RdbSnapshot>, Refused> {
    let mut ids = keyspaces;
    ids.sort_unstable();
    ids.dedup();
    let sources = ids.into_iter().map(keyspace_of).collect::<Result<Vec<_>, _>>()?;
    let mut wanted = WriteOptions::default();
    if let Some(options) = options {
        wanted.version = options.version.unwrap_or(wanted.version);
        wanted.exact = options.exact.unwrap_or(false);
        wanted.compress = options.compress.unwrap_or(true);
        wanted.aux = options.aux.unwrap_or_default().into_iter().map(field).collect();
    }
    if !VERSIONS.contains(&wanted.version) {
        let reason = format!("RDB version {} cannot be written", wanted.version);
        return Err(Refused::new("ERR_OUT_OF_RANGE", reason));
    }
    guarded(|| match Snapshot::take(sources, wanted) {
        Ok(snapshot) => {
            let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
            SNAPSHOTS.lock().insert(id, Arc::new(snapshot));
            Ok(Some(RdbSnapshot { id }))
        }
        Err(Refusal::Busy) => Ok(None),
        Err(Refusal::Unwritable(refusal)) => Err(Refused::new(ERR, refusal.to_string())),
    })
}

/// Whether a snapshot of any of these keyspaces is not over.
#[napi]
pub fn snapshot_busy(keyspaces: Vec<u32>) -> Result<bool, Refused> {
    for id in keyspaces {
        if keyspace_of(id)?.keyspace.is_cut() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Encodes a chunk, or waits for so long that there is something to do again. False: nothing is left to encode, or the
/// snapshot is gone.
#[napi]
pub fn snapshot_encode(id: u32, wait_ms: u32) -> Result<bool, Refused> {
    let Some(snapshot) = find(id) else {
        return Ok(false);
    };
    guarded(|| {
        let step = snapshot.encode();
        if step == Step::Wait && wait_ms > 0 {
            snapshot.wait(Duration::from_millis(u64::from(wait_ms)));
        }
        Ok(step != Step::Over)
    })
}

/// Has so many threads of their own encode, too, until nothing is left to encode or the snapshot is gone. If the system gives
/// no more of them, those that are there do the work.
#[napi]
pub fn snapshot_help(id: u32, threads: u32) {
    for _ in 0..threads {
        let thread = thread::Builder::new().name("holdfast-save".into());
        let help = move || while matches!(snapshot_encode(id, HELPER_WAIT_MS), Ok(true)) {};
        if thread.spawn(help).is_err() {
            return;
        }
    }
}

/// Has the system begin to write so many bytes of a file to its disk, from this offset on, and does not wait for it: what is
/// there already does not have to be waited for at the end.
#[napi]
pub fn begin_write_back(fd: i32, offset: f64, bytes: f64) {
    // SAFETY: no memory is concerned, and a number that is no file's is an error that changes nothing.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::sync_file_range(fd, offset as i64, bytes as i64, libc::SYNC_FILE_RANGE_WRITE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (fd, offset, bytes);
}

/// Copies the next bytes into `target`, and says how many: 0 while no chunk is finished, null behind the end.
#[napi]
pub fn snapshot_read(id: u32, mut target: Uint8Array) -> Result<Option<u32>, Refused> {
    let snapshot = find(id).ok_or_else(|| closed("the snapshot was given up"))?;
    // SAFETY: the bytes are the caller's, who is in this call and reads them behind it.
    let target = unsafe { target.as_mut() };
    guarded(|| Ok(snapshot.read(target).map(|count| count as u32)))
}

/// Keys encoded so far, and which part that is, from 0 to 1.
#[napi]
pub fn snapshot_progress(id: u32) -> Result<Vec<f64>, Refused> {
    let snapshot = find(id).ok_or_else(|| closed("the snapshot was given up"))?;
    Ok(vec![snapshot.keys() as f64, snapshot.progress()])
}
