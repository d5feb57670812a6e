//! What a file says, one fact at a time, whatever encoding it was written in.

use super::RdbError;
use super::format::Magic;
use crate::value::Element;
pub use crate::value::stream::StreamId;

/// A key, before its value.
#[derive(Clone, Copy, Debug)]
pub struct KeyHead<'a> {
    /// Database number.
    pub db: u64,
    /// The key.
    pub key: &'a [u8],
    /// Type byte of the value: it tells the layout too.
    pub rdb_type: u8,
    /// Unix milliseconds.
    pub expire_at_ms: Option<i64>,
    /// Seconds since the last access.
    pub idle_s: Option<u64>,
    /// Counter of accesses (LFU).
    pub freq: Option<u8>,
    /// Where the key's type byte stands in the file.
    pub offset: u64,
}

/// What stands behind a stream's entries.
#[derive(Clone, Copy, Debug)]
pub struct StreamHead {
    /// Number of live entries.
    pub length: u64,
    /// Greatest id ever given.
    pub last_id: StreamId,
    /// Since Redis 7.0.
    pub counters: Option<StreamCounters>,
}

/// What streams carry since Redis 7.0.
#[derive(Clone, Copy, Debug)]
pub struct StreamCounters {
    /// First live entry.
    pub first_id: StreamId,
    /// Greatest deleted id.
    pub max_deleted_id: StreamId,
    /// Entries ever added.
    pub entries_added: u64,
}

/// A fact about a stream. They come in this order: entries with their fields, head, groups.
#[derive(Clone, Copy, Debug)]
pub enum StreamEvent<'a> {
    /// A live entry; its fields follow as [`Event::Pair`].
    Entry(StreamId),
    /// The entry's fields are complete.
    EndEntry,
    /// All entries have come.
    Head(StreamHead),
    /// A consumer group; its pending entries follow, then its consumers.
    Group {
        /// Name of the group.
        name: Element<'a>,
        /// Last delivered id.
        last_id: StreamId,
        /// Since Redis 7.0; -1 is unknown.
        entries_read: Option<i64>,
    },
    /// A pending entry of the group.
    Pending {
        /// The entry.
        id: StreamId,
        /// Unix milliseconds.
        delivered_at_ms: i64,
        /// Number of deliveries.
        deliveries: u64,
    },
    /// A consumer of the group; its pending entries follow as [`StreamEvent::Owned`].
    Consumer {
        /// Name of the consumer.
        name: Element<'a>,
        /// Last seen, Unix milliseconds.
        seen_at_ms: i64,
        /// Last successful, Unix milliseconds; -1 is never. Since Redis 7.2.
        active_at_ms: Option<i64>,
    },
    /// A pending entry that belongs to the consumer.
    Owned(StreamId),
}

/// A piece of a module's value.
#[derive(Clone, Copy, Debug)]
pub enum ModuleEvent<'a> {
    /// Which module wrote the value; its pieces follow.
    Begin {
        /// Nine characters.
        name: &'a str,
        /// Version of the module's encoding.
        version: u16,
    },
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A float.
    Float(f32),
    /// A double.
    Double(f64),
    /// A string.
    Text(Element<'a>),
}

/// Whether the file's checksum was there and right. (A wrong one is an error.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumState {
    /// Compared, equal.
    Right,
    /// Written as 0: the writer had checksums switched off.
    Disabled,
    /// The version has none.
    None,
}

/// A fact.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The first bytes of the file.
    Header {
        /// Family.
        magic: Magic,
        /// Version.
        version: u32,
    },
    /// A field of metadata.
    Aux {
        /// Its name.
        key: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// The source of a library of functions.
    Function(&'a [u8]),
    /// The keys that follow belong to this database.
    SelectDb(u64),
    /// A hint, possibly wrong: so many keys are coming, so many of them with an expiry.
    ResizeDb {
        /// Keys.
        keys: u64,
        /// Keys with an expiry.
        expires: u64,
    },
    /// A module has left data of its own, for [`Sink::aside`].
    ModuleAux {
        /// Nine characters.
        name: &'a str,
        /// Version of the module's encoding.
        version: u16,
    },
    /// The key that comes next has metadata of modules, for [`Sink::metadata`].
    KeyMetadata,
    /// A key begins.
    Key(KeyHead<'a>),
    /// The value of a string.
    String(Element<'a>),
    /// An element of a list, or a member of a set.
    Element(Element<'a>),
    /// A field of a hash (or of a stream's entry), and its value.
    Pair(Element<'a>, Element<'a>),
    /// A field of a hash with expiries.
    ExpiringPair {
        /// Field.
        field: Element<'a>,
        /// Its value.
        value: Element<'a>,
        /// Unix milliseconds; 0 is never.
        expire_at_ms: u64,
    },
    /// A member of a sorted set. The score is not NaN.
    Scored(Element<'a>, f64),
    /// Of a stream.
    Stream(StreamEvent<'a>),
    /// Of a module's value.
    Module(ModuleEvent<'a>),
    /// The key's value is complete. A collection (a stream apart) without elements is one that Redis drops.
    EndKey,
    /// The file is complete and its checksum fits.
    End(ChecksumState),
}

/// Listens to a [`super::Reader`]. An error ends the reading and is given the offset of the record at hand.
pub trait Sink {
    /// Takes a fact.
    fn event(&mut self, event: Event<'_>) -> Result<(), String>;

    /// Learns how many elements a collection is said to have, behind its [`Event::Key`]. Not more of them than `bytes` can hold
    /// are sure to come.
    fn count(&mut self, _elements: u64, _bytes: usize) {}

    /// Takes the bytes of a value as the file holds them, in pieces, between [`Event::Key`] and [`Event::EndKey`].
    fn raw(&mut self, _bytes: &[u8]) {}

    /// Whether the sink wants the bytes of a value by [`Sink::carried`] and nothing else of it. Asked behind each
    /// [`Event::Key`]; the value's [`Event::EndKey`] comes all the same. The values of modules are not carried.
    fn carries(&mut self) -> bool {
        false
    }

    /// Takes bytes of a carried value, in pieces, and the offset of the first of them.
    fn carried(&mut self, _offset: u64, _bytes: &[u8]) {}

    /// What is wrong with a value that was carried, for when the file has been read up to a fault: the first fault is the
    /// one that counts.
    fn earlier_fault(&mut self) -> Option<RdbError> {
        None
    }

    /// Takes the bytes of a module's data beside the keys, opcode included, in pieces, as the file holds them.
    fn aside(&mut self, _bytes: &[u8]) {}

    /// Takes the bytes of a key's metadata, opcode included, in pieces, as the file holds them, before [`Event::Key`].
    fn metadata(&mut self, _bytes: &[u8]) {}

    /// Is offered a packed structure before anybody has looked into it. A sink that takes it (true) has checked it, and
    /// is not told its elements.
    fn pack(&mut self, _rdb_type: u8, _blob: &[u8]) -> bool {
        false
    }

    /// Is offered a stream's node, as [`Sink::pack`] is a packed structure.
    fn stream_node(&mut self, _master: StreamId, _blob: &[u8]) -> bool {
        false
    }
}
