//! What is in a file: counts and sizes, without the values.

use super::event::{ChecksumState, Event, KeyHead, Sink};
use super::format::{self, Magic};
use super::json::Writer;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// How many of the biggest keys are named.
pub const BIGGEST_KEYS: usize = 20;
/// Longest key, field of metadata, that is shown whole.
const SHOWN_BYTES_MAX: usize = 256;
/// Fields of metadata that are kept.
const AUX_FIELDS_MAX: usize = 256;

#[derive(Debug, Default)]
struct Sum {
    keys: u64,
    elements: u64,
    bytes: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Big {
    bytes: u64,
    elements: u64,
    db: u64,
    key: Vec<u8>,
    rdb_type: u8,
}

/// The sink.
#[derive(Debug, Default)]
pub struct Inspect {
    magic: Option<Magic>,
    version: u32,
    aux: Vec<(Vec<u8>, Vec<u8>)>,
    functions: u64,
    checksum: Option<ChecksumState>,
    by_type: BTreeMap<u8, Sum>,
    by_database: BTreeMap<u64, u64>,
    expires: u64,
    expired: u64,
    now_ms: i64,
    biggest: BinaryHeap<Reverse<Big>>,
    /// The key at hand, in a buffer that is used again, and its sizes.
    key: Vec<u8>,
    db: u64,
    rdb_type: u8,
    bytes: u64,
    elements: u64,
}

impl Inspect {
    /// A sink. Keys whose expiry is not after `now_ms` count as expired.
    pub fn new(now_ms: i64) -> Self {
        Inspect {
            now_ms,
            ..Inspect::default()
        }
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) {
        if let Some(ms) = head.expire_at_ms {
            self.expires += 1;
            self.expired += u64::from(ms <= self.now_ms);
        }
        *self.by_database.entry(head.db).or_default() += 1;
        self.key.clear();
        self.key
            .extend_from_slice(&head.key[..head.key.len().min(SHOWN_BYTES_MAX)]);
        (self.db, self.rdb_type) = (head.db, head.rdb_type);
        (self.bytes, self.elements) = (head.key.len() as u64, 0);
    }

    fn end_key(&mut self) {
        let sum = self.by_type.entry(self.rdb_type).or_default();
        sum.keys += 1;
        sum.elements += self.elements;
        sum.bytes += self.bytes;
        let is_full = self.biggest.len() == BIGGEST_KEYS;
        if is_full
            && self
                .biggest
                .peek()
                .is_some_and(|Reverse(least)| least.bytes >= self.bytes)
        {
            return;
        }
        if is_full {
            self.biggest.pop();
        }
        self.biggest.push(Reverse(Big {
            bytes: self.bytes,
            elements: self.elements,
            db: self.db,
            key: self.key.clone(),
            rdb_type: self.rdb_type,
        }));
    }

    /// Everything as a JSON object.
    pub fn report(&self) -> Vec<u8> {
        let mut writer = Writer::new(false);
        writer.open(b'{');
        writer.name("format");
        writer.text(match self.magic {
            Some(Magic::Valkey) => b"VALKEY",
            _ => b"REDIS",
        });
        number(&mut writer, "version", self.version);
        writer.name("checksum");
        writer.text(match self.checksum {
            Some(ChecksumState::Disabled) => b"disabled",
            Some(ChecksumState::None) => b"none",
            _ => b"right",
        });
        self.report_aux(&mut writer);
        number(&mut writer, "keys", self.by_database.values().sum::<u64>());
        number(&mut writer, "expires", self.expires);
        number(&mut writer, "expired", self.expired);
        number(&mut writer, "functions", self.functions);
        self.report_databases(&mut writer);
        self.report_types(&mut writer);
        self.report_biggest(&mut writer);
        writer.close(b'}');
        writer.end();
        writer.take()
    }

    fn report_aux(&self, writer: &mut Writer) {
        writer.name("aux");
        writer.open(b'[');
        for (key, value) in &self.aux {
            writer.item();
            writer.open(b'[');
            for text in [key, value] {
                writer.item();
                writer.text(text);
            }
            writer.close(b']');
        }
        writer.close(b']');
    }

    fn report_databases(&self, writer: &mut Writer) {
        writer.name("databases");
        writer.open(b'[');
        for (db, keys) in &self.by_database {
            writer.item();
            writer.open(b'{');
            number(writer, "db", *db);
            number(writer, "keys", *keys);
            writer.close(b'}');
        }
        writer.close(b']');
    }

    fn report_types(&self, writer: &mut Writer) {
        writer.name("types");
        writer.open(b'[');
        for (rdb_type, sum) in &self.by_type {
            writer.item();
            writer.open(b'{');
            type_names(writer, *rdb_type);
            number(writer, "keys", sum.keys);
            number(writer, "elements", sum.elements);
            number(writer, "bytes", sum.bytes);
            writer.close(b'}');
        }
        writer.close(b']');
    }

    fn report_biggest(&self, writer: &mut Writer) {
        let mut biggest: Vec<&Big> = self.biggest.iter().map(|Reverse(big)| big).collect();
        biggest.sort_unstable_by(|a, b| b.cmp(a));
        writer.name("biggest");
        writer.open(b'[');
        for big in biggest {
            writer.item();
            writer.open(b'{');
            number(writer, "db", big.db);
            writer.name("key");
            writer.text(&big.key);
            type_names(writer, big.rdb_type);
            number(writer, "elements", big.elements);
            number(writer, "bytes", big.bytes);
            writer.close(b'}');
        }
        writer.close(b']');
    }
}

fn number(writer: &mut Writer, name: &str, n: impl std::fmt::Display) {
    writer.name(name);
    writer.number(n);
}

fn type_names(writer: &mut Writer, rdb_type: u8) {
    writer.name("type");
    writer.text(format::type_name(rdb_type).unwrap_or_default().as_bytes());
    writer.name("encoding");
    writer.text(format::layout_name(rdb_type).as_bytes());
    number(writer, "rdbType", rdb_type);
}

impl Sink for Inspect {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Header { magic, version } => {
                self.magic = Some(magic);
                self.version = version;
            }
            Event::Aux { key, value } if self.aux.len() < AUX_FIELDS_MAX => {
                let shown = |text: &[u8]| text[..text.len().min(SHOWN_BYTES_MAX)].to_vec();
                self.aux.push((shown(key), shown(value)));
            }
            Event::Function(_) => self.functions += 1,
            Event::Key(head) => self.begin_key(&head),
            Event::EndKey => self.end_key(),
            Event::End(checksum) => self.checksum = Some(checksum),
            Event::String(_)
            | Event::Element(_)
            | Event::Pair(..)
            | Event::ExpiringPair { .. }
            | Event::Scored(..) => self.elements += 1,
            _ => {}
        }
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
    }
}
