//! Keyspaces as a stream of RDB: the state of one instant, while all threads go on writing (see [`crate::keyspace::cut`]).

mod encode;
mod pace;
mod snapshot;
mod stream;

pub(super) use encode::{Encoder, Forms};
pub use snapshot::{Refusal, Snapshot, Source, Step};

use super::format;

/// The version that Redis 7.0 writes. Every later server reads it.
pub const DEFAULT_VERSION: u32 = 10;
/// Versions that can be written.
pub const VERSIONS: std::ops::RangeInclusive<u32> = 9..=12;
/// The name of the AUX field that marks a snapshot whose values are to be restored in exactly the form they were
/// written in, due keys included.
pub const EXACT_FIELD: &[u8] = b"holdfast-exact";
/// The version of an exact snapshot: the oldest one with a type byte for every form.
const EXACT_VERSION: u32 = format::OLDEST_FIELD_EXPIRY_VERSION;
/// Bytes of a chunk, by default.
const CHUNK_BYTES: usize = 256 * 1024;

/// How to write.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Version, one of [`VERSIONS`].
    pub version: u32,
    /// Whether the snapshot is exact: see [`EXACT_FIELD`]. The version is 12 then.
    pub exact: bool,
    /// Whether strings of more than 20 bytes are compressed where that helps.
    pub compress: bool,
    /// Metadata.
    pub aux: Vec<(Vec<u8>, Vec<u8>)>,
    /// Bytes after which a chunk is complete. It may be longer by a page of keys.
    pub chunk_bytes: usize,
}

impl Default for WriteOptions {
    fn default() -> Self {
        WriteOptions {
            version: DEFAULT_VERSION,
            exact: false,
            compress: true,
            aux: Vec::new(),
            chunk_bytes: CHUNK_BYTES,
        }
    }
}

impl WriteOptions {
    fn forms(&self) -> Forms {
        Forms {
            version: if self.exact { EXACT_VERSION } else { self.version },
            exact: self.exact,
            compress: self.compress,
        }
    }
}

/// A key that files of the wanted version cannot hold: some of its fields expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// The key.
    pub key: Vec<u8>,
    /// The version.
    pub version: u32,
}

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Unwritable { key, version } = self;
        let needed = format::OLDEST_FIELD_EXPIRY_VERSION;
        write!(
            f,
            "'{}' is a hash with fields that expire, which RDB version {version} has no form for; version {needed} has",
            key.escape_ascii()
        )
    }
}
