//! The push parser: takes a file in pieces of any size and tells a [`Sink`] what it says.
//!
//! It reads record by record (an opcode with its operands, a key, one element of a collection). A record that is not
//! yet complete is kept until it is, so memory holds at most one record besides the piece just pushed: one string, or
//! one pair of strings. A record that came in part is not looked at again before as many bytes are there as it is known
//! to need.

mod details;
mod module;
mod refusal;
mod span;
mod stream;
mod value;

pub(in crate::rdb) use details::skip_key_meta;
pub(in crate::rdb) use refusal::{key_and_type, refusal_of_type};
pub(in crate::rdb) use value::{NODE_PACKED, ValueBody};

use super::checksum::Checksum;
use super::cursor::{Cursor, Parsed, Stop, bad_at};
use super::event::{ChecksumState, Event, KeyHead, Sink};
use super::format::{self, Magic};
use super::{OLDEST_CHECKSUM_VERSION, RdbError};
use details::{fingerprint, read_early_function, read_key_meta, read_short_string};
use hashbrown::HashTable;
use module::ModuleBody;
use refusal::{NOT_RDB, is_begun};
use span::Span;

/// Keys whose doubling is noticed, by fingerprints of 16 bytes: a bound on the memory spent on it.
pub const FINGERPRINTS_MAX: usize = 1 << 20;

/// How much of the next piece is put behind a part of a record at a time, unless more is known to be needed.
const JOINT_BYTES: usize = 1 << 12;

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether the reader refuses a key that comes twice in a database (among the first [`FINGERPRINTS_MAX`] keys).
    /// Off for a sink that notices by itself.
    pub refuse_duplicate_keys: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            refuse_duplicate_keys: true,
        }
    }
}

#[derive(Debug)]
enum Phase {
    Magic,
    Record,
    Value(ValueBody),
    /// A value whose bytes are all that the sink wants of it.
    Carried(Span),
    ModuleAux(ModuleBody),
    /// Metadata of the next key: so many classes are left, one of them possibly begun.
    KeyMeta {
        left: u64,
        class: Option<ModuleBody>,
    },
    Checksum,
    Done,
    Failed(RdbError),
}

/// What opcodes have said about the key to come.
#[derive(Debug, Default)]
struct Attributes {
    expire_at_ms: Option<i64>,
    idle_s: Option<u64>,
    freq: Option<u8>,
}

/// What became of a record of which a part was held, and how many bytes of the next piece were used for it.
enum Joined {
    /// The file has ended.
    Ended(usize),
    /// All of the piece, and it is not enough.
    Short(usize),
    /// More of the piece is there.
    Behind(usize),
}

/// The parser.
#[derive(Debug)]
pub struct Reader {
    options: Options,
    phase: Phase,
    /// The part of a record that has arrived.
    pending: Vec<u8>,
    /// How many bytes `pending` must have before it is worth another look.
    needed: usize,
    /// Offset of the first byte that is not part of a finished record.
    offset: u64,
    checksum: Checksum,
    /// Whether anybody wants to know the checksum.
    sums: bool,
    magic: Magic,
    version: u32,
    db: u64,
    attributes: Attributes,
    /// The key at hand, and where it began.
    key: Vec<u8>,
    key_offset: u64,
    /// By their first halves, which are hashes already.
    fingerprints: HashTable<(u64, u64)>,
}

impl Default for Reader {
    fn default() -> Self {
        Reader::new(Options::default())
    }
}

impl Reader {
    /// A reader at the first byte of a file.
    pub fn new(options: Options) -> Self {
        Reader {
            options,
            phase: Phase::Magic,
            pending: Vec::new(),
            needed: 0,
            offset: 0,
            checksum: Checksum::default(),
            sums: true,
            magic: Magic::Redis,
            version: 0,
            db: 0,
            attributes: Attributes::default(),
            key: Vec::new(),
            key_offset: 0,
            fingerprints: HashTable::new(),
        }
    }

    /// A reader of values alone, which were carried: see [`Reader::begin_value`].
    pub(in crate::rdb) fn of_values() -> Self {
        Reader {
            phase: Phase::Record,
            sums: false,
            ..Reader::new(Options {
                refuse_duplicate_keys: false,
            })
        }
    }

    /// The next bytes are those of a value, of which this much is known; the first has this offset.
    pub(in crate::rdb) fn begin_value(
        &mut self,
        key: &[u8],
        rdb_type: u8,
        magic: Magic,
        [at, offset]: [u64; 2],
    ) {
        (self.key_offset, self.offset) = (at, offset);
        self.key.clear();
        self.key.extend_from_slice(key);
        self.phase = Phase::Value(ValueBody::new(rdb_type, magic));
    }

    /// Whether the last value was complete, and nothing came behind it.
    pub(in crate::rdb) fn is_behind_value(&self) -> bool {
        matches!(self.phase, Phase::Record) && self.pending.is_empty()
    }

    /// Bytes of the file that have been understood.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Version of the file, once its header has been read.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Bytes held beside the fingerprints of keys.
    pub fn memory(&self) -> usize {
        self.pending.capacity() + self.key.capacity()
    }

    /// What is wrong with the file, if that has been found.
    pub fn fault(&self) -> Option<&RdbError> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the end of the file has been read.
    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Takes the next piece. Gives the number of its bytes that belong to the file: fewer than all when the file's end
    /// lies inside of the piece, 0 behind the end.
    ///
    /// # Errors
    /// The first fault. Every further call gives it again.
    pub fn push<S: Sink + ?Sized>(&mut self, bytes: &[u8], sink: &mut S) -> Result<usize, RdbError> {
        if let Phase::Failed(error) = &self.phase {
            return Err(error.clone());
        }
        let mut used = 0;
        while !self.pending.is_empty() {
            match self.join(&bytes[used..], sink)? {
                Joined::Ended(taken) | Joined::Short(taken) => return Ok(used + taken),
                Joined::Behind(taken) => used += taken,
            }
        }
        used += self.run(&bytes[used..], sink)?;
        if self.is_done() {
            return Ok(used);
        }
        self.pending.extend_from_slice(&bytes[used..]);
        Ok(bytes.len())
    }

    /// Completes the record of which a part is held. No more of `bytes` is copied than that seems to take.
    fn join<S: Sink + ?Sized>(&mut self, bytes: &[u8], sink: &mut S) -> Result<Joined, RdbError> {
        let held = self.pending.len();
        let wanted = self.needed.saturating_sub(held).max(JOINT_BYTES);
        let added = wanted.min(bytes.len());
        self.pending.extend_from_slice(&bytes[..added]);
        if self.pending.len() < self.needed {
            return Ok(Joined::Short(added));
        }
        let mut pending = std::mem::take(&mut self.pending);
        let read = self.run(&pending, sink)?;
        if self.is_done() {
            return Ok(Joined::Ended(read - held));
        }
        if read >= held {
            // What follows stands in `bytes` alone.
            pending.clear();
            self.pending = pending;
            return Ok(Joined::Behind(read - held));
        }
        pending.drain(..read);
        self.pending = pending;
        if added == bytes.len() {
            return Ok(Joined::Short(added));
        }
        Ok(Joined::Behind(added))
    }

    /// Says that no more bytes will come.
    ///
    /// # Errors
    /// When the file is not complete.
    pub fn finish(&self) -> Result<(), RdbError> {
        let (offset, pending) = (self.offset + self.pending.len() as u64, self.pending.len());
        let cut = |what: String| Err(RdbError { offset, reason: what });
        match &self.phase {
            Phase::Done => Ok(()),
            Phase::Failed(error) => Err(error.clone()),
            Phase::Magic if offset == 0 => cut("file is empty".into()),
            Phase::Magic if !is_begun(&self.pending) => Err(RdbError {
                offset: 0,
                reason: NOT_RDB.into(),
            }),
            Phase::Checksum => cut("file ends inside of its checksum".into()),
            Phase::Value(_) | Phase::Carried(_) => cut(format!("file ends inside of {}", self.context())),
            _ if pending == 0 => cut("file ends before its end mark".into()),
            _ => cut("file ends inside of a record".into()),
        }
    }

    /// Reads all complete records of `bytes`; gives the number of bytes they took.
    fn run<S: Sink + ?Sized>(&mut self, bytes: &[u8], sink: &mut S) -> Result<usize, RdbError> {
        let (mut read, mut summed) = (0, 0);
        self.needed = 0;
        while !matches!(self.phase, Phase::Done) {
            let mut cursor = Cursor::new(&bytes[read..], self.offset);
            if matches!(self.phase, Phase::Checksum) {
                self.checksum.update(&bytes[summed..read]);
                summed = read;
            }
            match self.step(&mut cursor, sink) {
                Ok(()) => {
                    read += cursor.read();
                    self.offset += cursor.read() as u64;
                }
                Err(Stop::Need(needed)) => {
                    self.needed = needed;
                    break;
                }
                Err(Stop::Bad(error)) => return Err(self.fail(error, sink)),
            }
        }
        if self.sums && !matches!(self.phase, Phase::Done) {
            self.checksum.update(&bytes[summed..read]);
        }
        Ok(read)
    }

    fn fail<S: Sink + ?Sized>(&mut self, mut error: RdbError, sink: &mut S) -> RdbError {
        if let Some(earlier) = sink.earlier_fault() {
            error = earlier;
        } else if matches!(self.phase, Phase::Value(_) | Phase::Carried(_)) {
            error.reason = format!("{}: {}", self.context(), error.reason);
        }
        self.pending = Vec::new();
        self.phase = Phase::Failed(error.clone());
        error
    }

    /// The key at hand, for an error.
    fn context(&self) -> String {
        let rdb_type = match &self.phase {
            Phase::Value(body) => body.rdb_type(),
            Phase::Carried(span) => span.rdb_type(),
            _ => return String::new(),
        };
        key_and_type(&self.key, rdb_type)
    }

    /// Reads one record.
    fn step<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        match &mut self.phase {
            Phase::Magic => self.read_magic(cursor, sink),
            Phase::Record => self.read_record(cursor, sink),
            Phase::Value(body) => {
                let complete = body.step(cursor, sink)?;
                sink.raw(cursor.consumed());
                if complete {
                    say(sink, self.key_offset, Event::EndKey)?;
                    self.phase = Phase::Record;
                }
                Ok(())
            }
            Phase::Carried(span) => {
                let from = cursor.offset();
                let complete = span.step(cursor)?;
                sink.carried(from, cursor.consumed());
                if complete {
                    say(sink, self.key_offset, Event::EndKey)?;
                    self.phase = Phase::Record;
                }
                Ok(())
            }
            Phase::ModuleAux(body) => {
                let complete = body.skip(cursor)?;
                sink.aside(cursor.consumed());
                if complete {
                    self.phase = Phase::Record;
                }
                Ok(())
            }
            Phase::KeyMeta { left, class } => {
                let complete = read_key_meta(left, class, cursor)?;
                sink.metadata(cursor.consumed());
                if complete {
                    self.phase = Phase::Record;
                }
                Ok(())
            }
            Phase::Checksum => self.read_checksum(cursor, sink),
            Phase::Done => Ok(()),
            Phase::Failed(error) => Err(Stop::Bad(error.clone())),
        }
    }

    fn read_magic<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let head = cursor.take(9)?;
        let (magic, digits) = match (head.strip_prefix(b"REDIS"), head.strip_prefix(b"VALKEY")) {
            (Some(digits), _) => (Magic::Redis, digits),
            (_, Some(digits)) => (Magic::Valkey, digits),
            _ => {
                return bad_at(0, NOT_RDB);
            }
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return bad_at(0, format!("version '{}' is not a number", digits.escape_ascii()));
        }
        let version = digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
        if !is_known_version(magic, version) {
            return bad_at(0, format!("RDB version {version} is not supported"));
        }
        (self.magic, self.version) = (magic, version);
        self.phase = Phase::Record;
        say(sink, 0, Event::Header { magic, version })
    }

    fn read_record<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        match cursor.u8()? {
            format::EXPIRE_MS => self.attributes.expire_at_ms = Some(cursor.i64()?).filter(|ms| *ms != -1),
            format::EXPIRE_S => {
                let seconds = cursor.i32()?;
                self.attributes.expire_at_ms = (seconds != -1).then(|| i64::from(seconds) * 1000);
            }
            format::IDLE => self.attributes.idle_s = Some(cursor.length()?),
            format::FREQ => self.attributes.freq = Some(cursor.u8()?),
            format::EOF if self.version < OLDEST_CHECKSUM_VERSION => {
                self.phase = Phase::Done;
                say(sink, from, Event::End(ChecksumState::None))?;
            }
            format::EOF => self.phase = Phase::Checksum,
            format::ENTERPRISE_LRU | format::ENTERPRISE_SLOT if self.magic == Magic::Redis => {
                cursor.length()?;
            }
            format::HASH_TEMPLATES_OR_UPDATE => return bad_at(from, self.refusal_of_templates()),
            opcode @ format::KEY_META_OR_SLOT_IMPORT.. => self.read_opcode(opcode, from, cursor, sink)?,
            rdb_type => self.read_key(rdb_type, from, cursor, sink)?,
        }
        Ok(())
    }

    fn read_opcode<S: Sink + ?Sized>(
        &mut self,
        opcode: u8,
        from: u64,
        cursor: &mut Cursor<'_>,
        sink: &mut S,
    ) -> Parsed<()> {
        match opcode {
            format::SELECT_DB => {
                self.db = cursor.length()?;
                if self.db > format::DATABASE_MAX {
                    return bad_at(from, format!("database number {} is out of range", self.db));
                }
                say(sink, from, Event::SelectDb(self.db))
            }
            format::RESIZE_DB => {
                let (keys, expires) = (cursor.length()?, cursor.length()?);
                say(sink, from, Event::ResizeDb { keys, expires })
            }
            format::AUX => {
                let (key, value) = (cursor.bytes()?, cursor.bytes()?);
                say(
                    sink,
                    from,
                    Event::Aux {
                        key: &key,
                        value: &value,
                    },
                )
            }
            format::FUNCTION => say(sink, from, Event::Function(&cursor.bytes()?)),
            format::FUNCTION_PRE_GA => {
                let source = read_early_function(cursor)?;
                say(sink, from, Event::Function(&source))
            }
            format::SLOT_INFO => {
                for _ in 0..3 {
                    cursor.length()?;
                }
                Ok(())
            }
            format::MODULE_AUX => {
                self.phase = Phase::ModuleAux(ModuleBody::begin_aux(cursor, sink)?);
                sink.aside(cursor.consumed());
                Ok(())
            }
            _ => self.read_key_meta_or_import(from, cursor, sink),
        }
    }

    fn read_key_meta_or_import<S: Sink + ?Sized>(
        &mut self,
        from: u64,
        cursor: &mut Cursor<'_>,
        sink: &mut S,
    ) -> Parsed<()> {
        if self.magic == Magic::Redis {
            let left = cursor.length()?;
            if left > 0 {
                self.phase = Phase::KeyMeta { left, class: None };
                say(sink, from, Event::KeyMetadata)?;
                sink.metadata(cursor.consumed());
            }
            return Ok(());
        }
        cursor.bytes()?;
        let ranges = cursor.length()?;
        if ranges > 16_384 {
            return cursor.bad(format!("slot import of {ranges} ranges"));
        }
        for _ in 0..ranges * 2 {
            cursor.length()?;
        }
        Ok(())
    }

    fn read_key<S: Sink + ?Sized>(
        &mut self,
        rdb_type: u8,
        from: u64,
        cursor: &mut Cursor<'_>,
        sink: &mut S,
    ) -> Parsed<()> {
        if let Some(reason) = refusal_of_type(self.magic, rdb_type) {
            return bad_at(from, reason);
        }
        let key = cursor.bytes()?;
        if self.options.refuse_duplicate_keys && self.is_duplicate(&key) {
            return bad_at(from, format!("key '{}' comes twice", key.escape_ascii()));
        }
        self.key_offset = from;
        let attributes = std::mem::take(&mut self.attributes);
        let head = KeyHead {
            db: self.db,
            key: &key,
            rdb_type,
            expire_at_ms: attributes.expire_at_ms,
            idle_s: attributes.idle_s,
            freq: attributes.freq,
            offset: from,
        };
        say(sink, from, Event::Key(head))?;
        let span = if sink.carries() {
            Span::new(rdb_type, self.magic)
        } else {
            None
        };
        if span.is_none() && rdb_type == format::STRING && read_short_string(cursor, sink)? {
            return say(sink, from, Event::EndKey);
        }
        self.key.clear();
        self.key.extend_from_slice(&key);
        self.phase = match span {
            Some(span) => Phase::Carried(span),
            None => Phase::Value(ValueBody::new(rdb_type, self.magic)),
        };
        Ok(())
    }

    fn refusal_of_templates(&self) -> String {
        let what = match self.magic {
            Magic::Redis => "templates of hashes, of Redis 8.10",
            Magic::Valkey => "an update, of Valkey 9.2",
        };
        format!("opcode 242 ({what}) cannot be read")
    }

    fn is_duplicate(&mut self, key: &[u8]) -> bool {
        let fingerprint = fingerprint(key, self.db);
        if self
            .fingerprints
            .find(fingerprint.0, |held| *held == fingerprint)
            .is_some()
        {
            return true;
        }
        if self.fingerprints.len() < FINGERPRINTS_MAX {
            self.fingerprints
                .insert_unique(fingerprint.0, fingerprint, |held| held.0);
        }
        false
    }

    fn read_checksum<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        let stored = cursor.u64()?;
        let computed = self.checksum.value();
        if stored != 0 && stored != computed {
            return bad_at(
                from,
                format!("checksum is {stored:016x}, the bytes give {computed:016x}"),
            );
        }
        self.phase = Phase::Done;
        let state = if stored == 0 {
            ChecksumState::Disabled
        } else {
            ChecksumState::Right
        };
        say(sink, from, Event::End(state))
    }
}

/// Whether every record that a file of this version may hold is known here.
pub(in crate::rdb) fn is_known_version(magic: Magic, version: u32) -> bool {
    match magic {
        Magic::Redis => (1..=format::NEWEST_REDIS_VERSION).contains(&version),
        Magic::Valkey => (format::OLDEST_VALKEY_VERSION..=format::NEWEST_VALKEY_VERSION).contains(&version),
    }
}

/// Hands a fact to the sink; its refusal becomes an error at `offset`.
#[inline]
pub(in crate::rdb) fn say<S: Sink + ?Sized>(sink: &mut S, offset: u64, event: Event<'_>) -> Parsed<()> {
    sink.event(event)
        .map_err(|reason| Stop::Bad(RdbError { offset, reason }))
}
