//! What has been counted, as JSON.

use super::{Big, Inspect, LIFE_CLASSES, Sum};
use crate::keyspace::slot::SLOTS;
use crate::rdb::event::ChecksumState;
use crate::rdb::format::{self, Magic};
use crate::rdb::json::Writer;
use std::cmp::Reverse;

/// Ranges of slots that are summed up.
const SLOT_RANGES: usize = 16;
/// The heaviest slots that are named.
const HEAVIEST_SLOTS: usize = 20;

impl Inspect {
    /// Everything as a JSON object.
    pub fn report(&self) -> Vec<u8> {
        let mut writer = Writer::new(false);
        writer.open(b'{');
        named(&mut writer, "format", magic_name(self.magic));
        number(&mut writer, "version", self.version);
        named(&mut writer, "checksum", checksum_name(self.checksum));
        self.report_aux(&mut writer);
        number(&mut writer, "keys", self.keys);
        number(&mut writer, "expires", self.lives.iter().sum::<u64>());
        number(&mut writer, "expired", self.lives[0]);
        self.report_lives(&mut writer);
        number(&mut writer, "functions", self.functions);
        self.report_libraries(&mut writer);
        self.report_modules(&mut writer);
        number(&mut writer, "keysWithMetadata", self.key_metadata);
        self.report_databases(&mut writer);
        self.report_types(&mut writer);
        self.report_biggest(&mut writer);
        if self.options.slots {
            self.report_slots(&mut writer);
        }
        writer.close(b'}');
        writer.end();
        writer.take()
    }

    fn report_aux(&self, writer: &mut Writer) {
        list(writer, "aux", &self.aux, |writer, (key, value)| {
            writer.open(b'[');
            for text in [key, value] {
                writer.item();
                writer.text(text);
            }
            writer.close(b']');
        });
    }

    fn report_lives(&self, writer: &mut Writer) {
        writer.name("timesToLive");
        writer.open(b'{');
        number(
            writer,
            "none",
            self.keys - self.lives.iter().sum::<u64>().min(self.keys),
        );
        for ((_, name), keys) in LIFE_CLASSES.iter().zip(self.lives) {
            number(writer, name, keys);
        }
        number(writer, "more", self.lives[LIFE_CLASSES.len()]);
        writer.close(b'}');
    }

    fn report_libraries(&self, writer: &mut Writer) {
        list(writer, "libraries", &self.libraries, |writer, library| {
            writer.open(b'{');
            writer.name("head");
            writer.text(&library.head);
            number(writer, "bytes", library.bytes);
            writer.close(b'}');
        });
    }

    fn report_modules(&self, writer: &mut Writer) {
        list(writer, "modules", &self.modules, |writer, (name, module)| {
            writer.open(b'{');
            named(writer, "name", name);
            writer.name("versions");
            writer.open(b'[');
            for version in &module.versions {
                writer.item();
                writer.number(version);
            }
            writer.close(b']');
            number(writer, "keys", module.keys);
            number(writer, "aux", module.aux);
            writer.close(b'}');
        });
    }

    fn report_databases(&self, writer: &mut Writer) {
        list(writer, "databases", &self.by_database, |writer, (db, keys)| {
            writer.open(b'{');
            number(writer, "db", db);
            number(writer, "keys", keys);
            writer.close(b'}');
        });
    }

    fn report_types(&self, writer: &mut Writer) {
        let rows = self.by_type.iter().enumerate().filter(|(_, sum)| sum.keys > 0);
        list(writer, "types", rows, |writer, (rdb_type, sum)| {
            writer.open(b'{');
            type_names(writer, rdb_type as u8);
            number(writer, "keys", sum.keys);
            number(writer, "elements", sum.elements);
            number(writer, "bytes", sum.bytes);
            writer.close(b'}');
        });
    }

    fn report_biggest(&self, writer: &mut Writer) {
        let mut biggest: Vec<&Big> = self.biggest.iter().map(|Reverse(big)| big).collect();
        biggest.sort_unstable_by(|a, b| {
            b.bytes
                .cmp(&a.bytes)
                .then_with(|| (a.db, &a.key).cmp(&(b.db, &b.key)))
        });
        list(writer, "biggest", biggest, |writer, big| {
            writer.open(b'{');
            number(writer, "db", big.db);
            writer.name("key");
            writer.text(&big.key);
            type_names(writer, big.rdb_type);
            number(writer, "elements", big.elements);
            number(writer, "bytes", big.bytes);
            writer.close(b'}');
        });
    }

    fn report_slots(&self, writer: &mut Writer) {
        writer.name("slots");
        writer.open(b'{');
        let filled = |sum: &&Sum| sum.keys > 0;
        number(writer, "used", self.by_slot.iter().filter(filled).count());
        let width = usize::from(SLOTS) / SLOT_RANGES;
        let ranges = self.by_slot.chunks(width).enumerate();
        list(writer, "ranges", ranges, |writer, (i, sums)| {
            writer.open(b'{');
            number(writer, "from", i * width);
            number(writer, "to", (i + 1) * width - 1);
            number(writer, "keys", sums.iter().map(|sum| sum.keys).sum::<u64>());
            number(writer, "bytes", sums.iter().map(|sum| sum.bytes).sum::<u64>());
            writer.close(b'}');
        });
        let mut heaviest: Vec<(usize, &Sum)> = self.by_slot.iter().enumerate().collect();
        heaviest.retain(|(_, sum)| sum.keys > 0);
        heaviest.sort_by_key(|(slot, sum)| (Reverse(sum.bytes), *slot));
        heaviest.truncate(HEAVIEST_SLOTS);
        list(writer, "heaviest", heaviest, |writer, (slot, sum)| {
            writer.open(b'{');
            number(writer, "slot", slot);
            number(writer, "keys", sum.keys);
            number(writer, "bytes", sum.bytes);
            writer.close(b'}');
        });
        writer.close(b'}');
    }
}

/// The name of a family, as files begin with it.
pub fn magic_name(magic: Option<Magic>) -> &'static str {
    match magic {
        Some(Magic::Valkey) => "VALKEY",
        _ => "REDIS",
    }
}

/// What came of the checksum, in a word.
pub fn checksum_name(checksum: Option<ChecksumState>) -> &'static str {
    match checksum {
        Some(ChecksumState::Disabled) => "disabled",
        Some(ChecksumState::None) => "none",
        _ => "right",
    }
}

fn list<T>(
    writer: &mut Writer,
    name: &str,
    rows: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Writer, T),
) {
    writer.name(name);
    writer.open(b'[');
    for row in rows {
        writer.item();
        write(writer, row);
    }
    writer.close(b']');
}

fn named(writer: &mut Writer, name: &str, text: &str) {
    writer.name(name);
    writer.text(text.as_bytes());
}

fn number(writer: &mut Writer, name: &str, n: impl std::fmt::Display) {
    writer.name(name);
    writer.number(n);
}

fn type_names(writer: &mut Writer, rdb_type: u8) {
    named(writer, "type", format::type_name(rdb_type).unwrap_or_default());
    named(writer, "encoding", format::layout_name(rdb_type));
    number(writer, "rdbType", rdb_type);
}
