//! One of those who build what a file holds: it is handed keys with the bytes of their values, and puts them into a nursery
//! of its own.

use super::build::{self, Builder, Built, Fidelity};
use super::long::LongString;
use crate::keyspace::{Expiry, Nursery, Usage};
use crate::rdb::RdbError;
use crate::rdb::cursor::{Cursor, Parsed};
use crate::rdb::event::{Event, Sink, StreamId};
use crate::rdb::format::{self, Magic};
use crate::rdb::reader::{NODE_PACKED, Reader, key_and_type};
use crate::value::LimitsRef;

/// A buffer for what comes out of packs is not kept beyond this.
const KEPT_BYTES_MAX: usize = 1 << 16;

/// Room is made for no more elements than bytes of this number each can be.
const ELEMENT_BYTES_MIN: usize = 10;

/// What is known of a key before its value is read.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub hash: u64,
    /// The key's bytes stand before the value's.
    pub bytes: usize,
    pub rdb_type: u8,
    pub magic: Magic,
    pub fidelity: Fidelity,
    pub expiry: Expiry,
    pub usage: Option<Usage>,
    /// Where its type byte stands in the file, and where the value does.
    pub offset: u64,
    pub value_offset: u64,
}

/// A piece of the work: a key with the beginning of its value, or more of the value of the key before.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub key: Option<Key>,
    /// Bytes of the batch, the key's included.
    pub bytes: usize,
    /// Whether the value ends here.
    pub ends: bool,
}

/// Work that is handed over at once.
#[derive(Debug, Default)]
pub struct Batch {
    pub tasks: Vec<Task>,
    /// Of all tasks, one behind the other.
    pub bytes: Vec<u8>,
}

/// What became of the keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub keys: u64,
    /// Left out because nothing was in them.
    pub empty: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Hand {
    reader: Reader,
    place: Place,
    /// The first fault, and the offset of its key. Nothing is done behind it.
    fault: Option<(u64, RdbError)>,
}

/// Where values are built and put.
#[derive(Debug)]
struct Place {
    nursery: Nursery,
    counts: Counts,
    /// The key at hand.
    name: Vec<u8>,
    key: Option<Key>,
    builder: Option<Builder>,
    /// Room for what comes out of a compressed pack.
    unpacked: Vec<u8>,
    /// A long string that comes in pieces.
    long: Option<LongString>,
    /// No string is longer.
    file_bytes: u64,
}

impl Hand {
    /// A hand that fills this nursery from a file of at most so many bytes; 0 if nobody knows.
    pub fn new(nursery: Nursery, file_bytes: u64) -> Self {
        Hand {
            reader: Reader::of_values(),
            place: Place {
                nursery,
                counts: Counts::default(),
                name: Vec::new(),
                key: None,
                builder: None,
                unpacked: Vec::new(),
                long: None,
                file_bytes,
            },
            fault: None,
        }
    }

    /// The first fault, and the offset of its key.
    pub fn fault(&self) -> Option<&(u64, RdbError)> {
        self.fault.as_ref()
    }

    /// What became of the keys so far.
    pub fn counts(&self) -> Counts {
        self.place.counts
    }

    /// What has been built.
    pub fn into_nursery(self) -> Nursery {
        self.place.nursery
    }

    /// Does the work, up to the first fault.
    pub fn take(&mut self, batch: &Batch) {
        let mut rest = &batch.bytes[..];
        for task in &batch.tasks {
            if self.fault.is_some() {
                return;
            }
            let (bytes, behind) = rest.split_at(task.bytes);
            rest = behind;
            if let Err(error) = self.run(task, bytes) {
                let offset = self.place.key.map_or(0, |key| key.offset);
                self.fault = Some((offset, error));
            }
        }
    }

    fn run(&mut self, task: &Task, bytes: &[u8]) -> Result<(), RdbError> {
        let mut value = bytes;
        if let Some(key) = task.key {
            let (name, behind) = bytes.split_at(key.bytes);
            value = behind;
            self.place.key = Some(key);
            let at_key = |reason: String| RdbError {
                offset: key.offset,
                reason,
            };
            self.place.check(&key, name).map_err(at_key)?;
            if task.ends && self.place.put_whole(&key, name, value) {
                return Ok(());
            }
            if !task.ends {
                let Place {
                    nursery, file_bytes, ..
                } = &self.place;
                self.place.long = LongString::begin(nursery, &key, name, value, *file_bytes);
                if self.place.long.is_some() {
                    self.place.keep_name(name);
                    return Ok(());
                }
            }
            self.place.begin(&key, name).map_err(at_key)?;
            let offsets = [key.offset, key.value_offset];
            self.reader.begin_value(name, key.rdb_type, key.magic, offsets);
        }
        if self.place.long.is_some() {
            return self.place.go_on_with_string(value, task.ends);
        }
        self.reader.push(value, &mut self.place)?;
        if task.ends && !self.reader.is_behind_value() {
            // Lengths led elsewhere than the value did.
            let (offset, reason) = (self.reader.offset(), "value does not end where it should".into());
            return Err(RdbError { offset, reason });
        }
        Ok(())
    }
}

/// Gives a builder all that a value holds, with room for what comes out of a compressed string. False: something of it needs care.
type Fill = fn(u8, &mut Cursor<'_>, &mut Builder, &mut Vec<u8>) -> Parsed<bool>;

/// Whether the builder has adopted all packs of a value.
fn adopt_packs(
    rdb_type: u8,
    cursor: &mut Cursor<'_>,
    builder: &mut Builder,
    unpacked: &mut Vec<u8>,
) -> Parsed<bool> {
    if rdb_type != format::LIST_QUICKLIST_2 {
        return Ok(builder.pack(rdb_type, cursor.blob(unpacked)?));
    }
    for _ in 0..cursor.length()? {
        if cursor.length()? != NODE_PACKED || !builder.pack(rdb_type, cursor.blob(unpacked)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the builder has taken all members of a sorted set.
fn add_members(
    _rdb_type: u8,
    cursor: &mut Cursor<'_>,
    builder: &mut Builder,
    _unpacked: &mut Vec<u8>,
) -> Parsed<bool> {
    let members = cursor.length()?;
    builder.reserve(members.min((cursor.left() / ELEMENT_BYTES_MIN) as u64) as usize);
    let mut buffer = itoa::Buffer::new();
    for _ in 0..members {
        let (member, score) = (cursor.text()?, cursor.f64()?);
        if !builder.scored(member.element().as_bytes(&mut buffer), score) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Place {
    fn check(&self, key: &Key, name: &[u8]) -> Result<(), String> {
        if self.nursery.contains(key.hash, name) {
            return Err("key comes twice".into());
        }
        build::check_length(name)
    }

    /// Puts a value of which every byte is there into its place without a detour. False: it has to be read with care.
    fn put_whole(&mut self, key: &Key, name: &[u8], value: &[u8]) -> bool {
        match key.rdb_type {
            format::STRING => self.put_plain_string(key, name, value),
            format::HASH_LISTPACK | format::ZSET_LISTPACK | format::LIST_QUICKLIST_2 => {
                self.put_filled(key, name, value, adopt_packs)
            }
            format::ZSET_2 => self.put_filled(key, name, value, add_members),
            _ => false,
        }
    }

    /// Puts a string into its place. False: it has to be read with care.
    fn put_plain_string(&mut self, key: &Key, name: &[u8], value: &[u8]) -> bool {
        let mut cursor = Cursor::new(value, key.value_offset);
        let Ok(text) = cursor.text() else {
            return false;
        };
        if cursor.read() < value.len() {
            return false;
        }
        let mut buffer = itoa::Buffer::new();
        let text = text.element();
        self.put_string(key, name, text.as_bytes(&mut buffer)).is_ok()
    }

    /// More of a long string; puts it into its place if it ends.
    fn go_on_with_string(&mut self, bytes: &[u8], ends: bool) -> Result<(), RdbError> {
        if let Some(long) = &mut self.long {
            long.push(bytes, ends);
        }
        let (true, Some(key)) = (ends, self.key) else {
            return Ok(());
        };
        let Some(filled) = self.long.take() else {
            return Ok(());
        };
        let filled = filled.finish().map_err(|reason| RdbError {
            offset: key.value_offset,
            reason: format!("{}: {reason}", key_and_type(&self.name, key.rdb_type)),
        })?;
        self.nursery.put_filled(key.hash, filled, key.usage);
        self.counts.keys += 1;
        Ok(())
    }

    /// Puts a collection into its place that is filled from these bytes. False: it has to be read with care.
    fn put_filled(&mut self, key: &Key, name: &[u8], value: &[u8], fill: Fill) -> bool {
        let Ok(mut builder) = Builder::new(key.rdb_type, key.fidelity, self.limits()) else {
            return false;
        };
        let mut cursor = Cursor::new(value, key.value_offset);
        let filled = fill(key.rdb_type, &mut cursor, &mut builder, &mut self.unpacked);
        if self.unpacked.len() > KEPT_BYTES_MAX {
            self.unpacked = Vec::new();
        }
        if !matches!(filled, Ok(true)) || cursor.left() > 0 {
            return false;
        }
        let Built::Value(value) = builder.finish() else {
            return false;
        };
        self.nursery
            .put_value(key.hash, name, value, key.expiry, key.usage);
        self.counts.keys += 1;
        true
    }

    fn put_string(&mut self, key: &Key, name: &[u8], text: &[u8]) -> Result<(), String> {
        build::check_length(text)?;
        self.nursery
            .put_string(key.hash, name, text, key.expiry, key.usage);
        self.counts.keys += 1;
        Ok(())
    }

    fn keep_name(&mut self, name: &[u8]) {
        self.name.clear();
        self.name.extend_from_slice(name);
    }

    fn begin(&mut self, key: &Key, name: &[u8]) -> Result<(), String> {
        self.keep_name(name);
        self.builder = None;
        if key.rdb_type != format::STRING {
            self.builder = Some(Builder::new(key.rdb_type, key.fidelity, self.limits())?);
        }
        Ok(())
    }

    fn limits(&self) -> LimitsRef {
        self.nursery.limits()
    }

    fn end(&mut self) {
        let (Some(key), Some(builder)) = (self.key, self.builder.take()) else {
            return;
        };
        match builder.finish() {
            Built::Value(value) => {
                self.nursery
                    .put_value(key.hash, &self.name, value, key.expiry, key.usage);
                self.counts.keys += 1;
            }
            Built::Str(_) | Built::Nothing => self.counts.empty += 1,
        }
    }
}

impl Sink for Place {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match (event, &mut self.builder) {
            (Event::EndKey, _) => self.end(),
            (other, Some(builder)) => builder.event(other)?,
            (Event::String(text), None) => {
                let (Some(key), name) = (self.key, std::mem::take(&mut self.name)) else {
                    return Ok(());
                };
                let mut buffer = itoa::Buffer::new();
                let put = self.put_string(&key, &name, text.as_bytes(&mut buffer));
                self.name = name;
                put?;
            }
            (_, None) => return Err("element of another type".into()),
        }
        Ok(())
    }

    fn count(&mut self, elements: u64, bytes: usize) {
        if let Some(builder) = &mut self.builder {
            let most = (bytes / ELEMENT_BYTES_MIN) as u64;
            builder.reserve(elements.min(most) as usize);
        }
    }

    fn pack(&mut self, rdb_type: u8, blob: &[u8]) -> bool {
        let builder = self.builder.as_mut();
        builder.is_some_and(|builder| builder.pack(rdb_type, blob))
    }

    fn stream_node(&mut self, master: StreamId, blob: &[u8]) -> bool {
        let builder = self.builder.as_mut();
        builder.is_some_and(|builder| builder.stream_node(master, blob))
    }
}
