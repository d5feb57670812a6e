//! The RDB format: files, snapshots and `DUMP` payloads, in both directions, as streams.
//!
//! Reading order: `format` (the numbers), `cursor` (lengths and strings out of bytes that may not all be there
//! yet), `blob` (listpacks, ziplists, intsets, zipmaps), [`event`] (what a file says, one fact at a time), [`reader`]
//! (the push parser that says it), and the sinks that listen: [`load`] (into a keyspace), [`requests`] (as `RESTORE`
//! requests), [`join`] (several files as one), [`json`], [`inspect`], [`workbench`]; [`filter`] says which keys they are about.
//! The other way: [`write`] (a keyspace to a stream), [`payload`] (one value).
//!
//! Nothing that a file declares is believed: no allocation is made from a declared size, every embedded structure is
//! walked before its elements are used, and every error names the offset. What the reader hands out before the end of
//! a file is not yet covered by the checksum; a sink that changes anything has to hold it back until
//! [`event::Event::End`].

mod blob;
mod checksum;
mod cursor;
pub mod event;
pub mod filter;
mod format;
pub mod inspect;
pub mod join;
pub mod json;
pub mod load;
mod lzf;
pub mod parts;
pub mod payload;
pub mod reader;
pub mod requests;
#[cfg(test)]
mod tests;
pub mod workbench;
pub mod write;

pub use checksum::Checksum;
pub use filter::Filter;
pub use format::{Magic, OLDEST_CHECKSUM_VERSION, type_name};
pub use inspect::{Inspect, InspectOptions};
pub use join::{JoinOptions, Joiner};
pub use json::Json;
pub use load::{LoadOptions, LoadStats, Loader};
pub use reader::{Options, Reader};
pub use requests::{RequestOptions, RequestStats, Requests};
pub use write::{Snapshot, Unwritable, WriteOptions};

/// Why a file cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdbError {
    /// From the first byte of the file (or payload).
    pub offset: u64,
    /// A clause without a full stop.
    pub reason: String,
}

impl std::fmt::Display for RdbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at offset {}", self.reason, self.offset)
    }
}

impl std::error::Error for RdbError {}
