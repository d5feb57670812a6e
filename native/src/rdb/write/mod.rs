//! A keyspace as a stream of RDB, in chunks.
//!
//! The keyspace is walked segment by segment, each under its own lock: the stream shows every key as it was at one
//! instant, but keys of different segments at different ones. Who needs one instant for all of them keeps writers
//! away until the last chunk, or takes all of it in one.

mod encode;
mod stream;

pub(super) use encode::{Encoder, Forms};

use super::checksum::Checksum;
use super::format;
use crate::keyspace::{EntryView, Keyspace, SEGMENTS};

/// The version that Redis 7.0 writes. Every later server reads it.
pub const DEFAULT_VERSION: u32 = 10;
/// Versions that can be written.
pub const VERSIONS: std::ops::RangeInclusive<u32> = 9..=12;
/// The name of the AUX field that marks a snapshot whose values are to be restored in exactly the form they were
/// written in, due keys included.
pub const EXACT_FIELD: &[u8] = b"holdfast-exact";
/// Largest buffer that is made before its bytes are there.
const RESERVED_BYTES_MAX: usize = 1 << 22;
/// The version of an exact snapshot: the oldest one with a type byte for every form.
const EXACT_VERSION: u32 = format::OLDEST_FIELD_EXPIRY_VERSION;

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
}

impl Default for WriteOptions {
    fn default() -> Self {
        WriteOptions {
            version: DEFAULT_VERSION,
            exact: false,
            compress: true,
            aux: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Header,
    Segment(usize),
    Done,
}

/// The stream. The keyspace is handed in with every call.
pub struct Writer {
    options: WriteOptions,
    encoder: Encoder,
    checksum: Checksum,
    phase: Phase,
    keys: u64,
    bytes: u64,
    /// The first key that the version cannot hold.
    refused: Option<Vec<u8>>,
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

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("phase", &self.phase)
            .field("keys", &self.keys)
            .finish()
    }
}

impl Writer {
    /// A stream at its beginning.
    pub fn new(mut options: WriteOptions) -> Self {
        if options.exact {
            options.version = EXACT_VERSION;
            // First, so that a reader knows what to make of the rest.
            options.aux.insert(0, (EXACT_FIELD.to_vec(), b"1".to_vec()));
        }
        debug_assert!(VERSIONS.contains(&options.version));
        let forms = Forms {
            version: options.version,
            exact: options.exact,
            compress: options.compress,
        };
        Writer {
            options,
            encoder: Encoder::new(forms),
            checksum: Checksum::default(),
            phase: Phase::Header,
            keys: 0,
            bytes: 0,
            refused: None,
        }
    }

    /// Keys written so far.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Which part of the keyspace is written, from 0 to 1.
    pub fn progress(&self) -> f64 {
        match self.phase {
            Phase::Header => 0.0,
            Phase::Segment(next) => next as f64 / SEGMENTS as f64,
            Phase::Done => 1.0,
        }
    }

    /// The next bytes: `bytes_wanted` or somewhat more (a segment is not cut), less at the end, `None` behind it.
    ///
    /// # Errors
    /// When the version cannot hold a key. The stream is over then.
    pub fn next_chunk(
        &mut self,
        keyspace: &Keyspace,
        bytes_wanted: usize,
    ) -> Result<Option<Vec<u8>>, Unwritable> {
        if self.phase == Phase::Done {
            return Ok(None);
        }
        // A chunk ends with the segment that fills it: room for a usual one is left behind the end.
        self.encoder
            .out
            .reserve(bytes_wanted.min(RESERVED_BYTES_MAX) * 5 / 4);
        while self.phase != Phase::Done && self.encoder.out.len() < bytes_wanted.max(1) {
            match self.phase {
                Phase::Header => self.header(keyspace),
                Phase::Segment(SEGMENTS) => self.encoder.out.push(format::EOF),
                Phase::Segment(segment) => self.segment(keyspace, segment),
                Phase::Done => {}
            }
            self.phase = match self.phase {
                Phase::Header => Phase::Segment(0),
                Phase::Segment(SEGMENTS) | Phase::Done => Phase::Done,
                Phase::Segment(segment) => Phase::Segment(segment + 1),
            };
            if let Some(key) = self.refused.take() {
                self.phase = Phase::Done;
                let version = self.options.version;
                return Err(Unwritable { key, version });
            }
        }
        let mut chunk = std::mem::take(&mut self.encoder.out);
        self.checksum.update(&chunk);
        if self.phase == Phase::Done {
            chunk.extend_from_slice(&self.checksum.value().to_le_bytes());
        }
        self.bytes += chunk.len() as u64;
        Ok(Some(chunk))
    }

    fn header(&mut self, keyspace: &Keyspace) {
        let encoder = &mut self.encoder;
        encoder
            .out
            .extend_from_slice(format!("REDIS{:04}", self.options.version).as_bytes());
        for (key, value) in &self.options.aux {
            encoder.out.push(format::AUX);
            encoder.text(key);
            encoder.text(value);
        }
        let counts = keyspace.statistics();
        if counts.keys == 0 {
            return;
        }
        encoder
            .out
            .extend_from_slice(&[format::SELECT_DB, 0, format::RESIZE_DB]);
        encoder.length(counts.keys as u64);
        encoder.length(counts.expires as u64);
    }

    fn segment(&mut self, keyspace: &Keyspace, segment: usize) {
        let (encoder, keys, refused) = (&mut self.encoder, &mut self.keys, &mut self.refused);
        keyspace.walk(segment, |key, content, expire_at| {
            if let EntryView::Value(value) = content
                && !encoder.can_hold(value)
            {
                refused.get_or_insert_with(|| key.to_vec());
            }
            if let Some(ms) = expire_at {
                encoder.out.push(format::EXPIRE_MS);
                encoder.out.extend_from_slice(&ms.to_le_bytes());
            }
            match content {
                EntryView::Str(text) => {
                    encoder.out.push(format::STRING);
                    encoder.text(key);
                    encoder.text(text);
                }
                EntryView::Value(value) => {
                    encoder.out.push(encoder.type_of(value));
                    encoder.text(key);
                    encoder.value(value);
                }
            }
            *keys += 1;
        });
    }
}
