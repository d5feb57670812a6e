//! What differs between two files.
//!
//! Each file is read once. Of each key a row is kept: database, key, type, expiry and a digest of its value of 128 bits
//! ([`super::digest`]), sorted by database and key through a [`Sorter`]. Then the rows of both are walked side by side.
//! Memory is that of two sorters, whatever the files' sizes; on disk, a row takes the key and 57 bytes. Neither the
//! order of keys nor their encodings matter. A library of functions is a row, too, behind those of all databases. A collection with nothing in it is no key, as for Redis; when a key was last
//! used (idle time, frequency) is no part of its value.

use super::digest::{self, ValueDigest};
use super::sorter::{Sorted, Sorter};
use super::{Failure, Tool, note};
use crate::rdb::event::{Event, KeyHead, Sink};
use crate::rdb::format;
use std::cmp::Ordering;
use std::io;
use std::path::PathBuf;

/// Bytes of a row behind its key: type, expiry, digest.
const PAYLOAD_BYTES: usize = 1 + 8 + 16;
/// In the place of a database: the row is a library of functions, by its name. Databases end at
/// [`format::DATABASE_MAX`].
const LIBRARIES: u64 = u64::MAX;
/// In the place of an expiry: the key has none.
const NO_EXPIRY: i64 = i64::MIN;

/// One of the two files: a sink.
#[derive(Debug)]
pub struct Side {
    rows: Sorter,
    key: Vec<u8>,
    rdb_type: u8,
    expire_at_ms: i64,
    digest: ValueDigest,
    keys: u64,
    failure: Option<io::Error>,
}

impl Side {
    /// A sink whose files go to this folder.
    pub fn new(folder: PathBuf) -> Self {
        Side {
            rows: Sorter::new(folder),
            key: Vec::new(),
            rdb_type: 0,
            expire_at_ms: NO_EXPIRY,
            digest: ValueDigest::default(),
            keys: 0,
            failure: None,
        }
    }

    /// Keys seen so far.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) {
        self.key.clear();
        self.key.extend_from_slice(&head.db.to_be_bytes());
        self.key.extend_from_slice(head.key);
        self.rdb_type = head.rdb_type;
        self.expire_at_ms = head.expire_at_ms.unwrap_or(NO_EXPIRY);
        self.digest = ValueDigest::begin(format::type_name(head.rdb_type).unwrap_or_default());
    }

    fn end_key(&mut self) -> Result<(), String> {
        if self.digest.is_empty() {
            return Ok(());
        }
        self.keys += 1;
        self.row(Facts {
            rdb_type: self.rdb_type,
            expire_at_ms: self.expire_at_ms,
            digest: self.digest.finish(),
        })
    }

    fn library(&mut self, source: &[u8]) -> Result<(), String> {
        self.key.clear();
        self.key.extend_from_slice(&LIBRARIES.to_be_bytes());
        self.key.extend_from_slice(library_name(source));
        self.row(Facts {
            rdb_type: format::FUNCTION,
            expire_at_ms: NO_EXPIRY,
            digest: digest::of(source),
        })
    }

    fn row(&mut self, facts: Facts) -> Result<(), String> {
        let mut payload = [0; PAYLOAD_BYTES];
        payload[0] = facts.rdb_type;
        payload[1..9].copy_from_slice(&facts.expire_at_ms.to_be_bytes());
        payload[9..].copy_from_slice(&facts.digest.to_be_bytes());
        note(self.rows.push(&self.key, &payload), &mut self.failure)
    }
}

impl Sink for Side {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Key(head) => self.begin_key(&head),
            Event::EndKey => return self.end_key(),
            Event::Function(source) => return self.library(source),
            other => self.digest.event(other),
        }
        Ok(())
    }
}

/// The name in a library's first line, `#!lua name=NAME`; the line itself where it is not written so.
fn library_name(source: &[u8]) -> &[u8] {
    let line = source.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let words = line.split(u8::is_ascii_whitespace);
    let name = words.skip(1).find_map(|word| word.strip_prefix(b"name="));
    name.unwrap_or(line)
}

impl Tool for Side {
    fn failure(&mut self) -> Option<Failure> {
        self.failure.take().map(Failure::Io)
    }
}

/// What a file has of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    rdb_type: u8,
    expire_at_ms: i64,
    digest: u128,
}

impl Facts {
    fn of(payload: &[u8]) -> Self {
        let part = |from: usize, to: usize| payload.get(from..to).unwrap_or_default();
        Facts {
            rdb_type: payload.first().copied().unwrap_or_default(),
            expire_at_ms: i64::from_be_bytes(part(1, 9).try_into().unwrap_or_default()),
            digest: u128::from_be_bytes(part(9, PAYLOAD_BYTES).try_into().unwrap_or_default()),
        }
    }

    fn type_name(self) -> &'static str {
        format::type_name(self.rdb_type).unwrap_or_default()
    }
}

/// The rows of a file, of which the first has been looked at.
#[derive(Debug)]
struct Rows {
    sorted: Sorted,
    key: Vec<u8>,
    facts: Option<Facts>,
}

impl Rows {
    fn new(side: Side) -> io::Result<Self> {
        let mut rows = Rows {
            sorted: side.rows.finish()?,
            key: Vec::new(),
            facts: None,
        };
        rows.advance()?;
        Ok(rows)
    }

    /// On to the next row. Of a key that comes twice in the file, the last one counts, as it does for who loads it.
    fn advance(&mut self) -> io::Result<()> {
        self.facts = None;
        if let Some((key, payload)) = self.sorted.next()? {
            self.key.clear();
            self.key.extend_from_slice(key);
            self.facts = Some(Facts::of(payload));
        }
        Ok(())
    }
}

const ADDED: u8 = 0;
const REMOVED: u8 = 1;
const CHANGED: u8 = 2;
const CHANGED_TYPE: u8 = 1;
const CHANGED_VALUE: u8 = 2;
const CHANGED_EXPIRY: u8 = 4;

/// The differences, in the order of databases and keys.
#[derive(Debug)]
pub struct Diff {
    before: Rows,
    after: Rows,
    /// Differences of each kind that have been told: added, removed, changed.
    told: [u64; 3],
    equal: u64,
}

impl Diff {
    /// Between two files that have been read to their ends.
    ///
    /// # Errors
    /// When a temporary file cannot be read or written.
    pub fn new(before: Side, after: Side) -> io::Result<Self> {
        Ok(Diff {
            before: Rows::new(before)?,
            after: Rows::new(after)?,
            told: [0; 3],
            equal: 0,
        })
    }

    /// Keys and libraries added, removed and changed, and those that are equal, among those walked so far.
    pub fn counts(&self) -> [u64; 4] {
        let [added, removed, changed] = self.told;
        [added, removed, changed, self.equal]
    }

    /// The next differences, as `kind:u8 changes:u8 type:u8 type:u8 expiry:i64 expiry:i64 db:u64 length:u32 key`, all
    /// little endian, before and after in turn; of a library of functions, `db` is the greatest number and `key` its name; about so many bytes of them, none behind the last.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn next_batch(&mut self, bytes_wanted: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        while out.len() < bytes_wanted {
            let order = match (self.before.facts, self.after.facts) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), Some(_)) => self.before.key.cmp(&self.after.key),
            };
            self.tell(order, &mut out);
            if order.is_le() {
                self.before.advance()?;
            }
            if order.is_ge() {
                self.after.advance()?;
            }
        }
        Ok(out)
    }

    fn tell(&mut self, order: Ordering, out: &mut Vec<u8>) {
        let (before, after) = match order {
            Ordering::Less => (self.before.facts, None),
            Ordering::Greater => (None, self.after.facts),
            Ordering::Equal => (self.before.facts, self.after.facts),
        };
        let (kind, changes) = match (before, after) {
            (Some(before), Some(after)) => (CHANGED, changes(before, after)),
            (Some(_), None) => (REMOVED, 0),
            _ => (ADDED, 0),
        };
        if kind == CHANGED && changes == 0 {
            self.equal += 1;
            return;
        }
        self.told[usize::from(kind)] += 1;
        let row = if order.is_le() {
            &self.before.key
        } else {
            &self.after.key
        };
        let (db, key) = row.split_at(8);
        let rdb_type = |facts: Option<Facts>| facts.map_or(u8::MAX, |facts| facts.rdb_type);
        let expiry = |facts: Option<Facts>| facts.map_or(NO_EXPIRY, |facts| facts.expire_at_ms);
        out.extend_from_slice(&[kind, changes, rdb_type(before), rdb_type(after)]);
        out.extend_from_slice(&expiry(before).to_le_bytes());
        out.extend_from_slice(&expiry(after).to_le_bytes());
        out.extend(db.iter().rev());
        out.extend_from_slice(&(key.len() as u32).to_le_bytes());
        out.extend_from_slice(key);
    }
}

fn changes(before: Facts, after: Facts) -> u8 {
    let mut changes = 0;
    if before.type_name() != after.type_name() {
        changes |= CHANGED_TYPE | CHANGED_VALUE;
    } else if before.digest != after.digest {
        changes |= CHANGED_VALUE;
    }
    if before.expire_at_ms != after.expire_at_ms {
        changes |= CHANGED_EXPIRY;
    }
    changes
}
