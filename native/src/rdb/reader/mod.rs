//! The push parser: takes a file in pieces of any size and tells a [`Sink`] what it says.
//!
//! It reads record by record (an opcode with its operands, a key, one element of a collection). A record that is not
//! yet complete is kept until it is, so memory holds at most one record besides the piece just pushed: one string, or
//! one pair of strings. A record that came in part is not looked at again before as many bytes are there as it is known
//! to need.

mod module;
mod refusal;
mod stream;
mod value;

pub(in crate::rdb) use refusal::refusal_of_type;
pub(in crate::rdb) use value::ValueBody;

use super::checksum::Checksum;
use super::cursor::{Cursor, Parsed, Stop, bad_at};
use super::event::{ChecksumState, Event, KeyHead, Sink};
use super::format::{self, Magic};
use super::{OLDEST_CHECKSUM_VERSION, RdbError};
use hashbrown::HashTable;
use module::ModuleBody;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};
use refusal::{NOT_RDB, is_begun};

/// Keys whose doubling is noticed, by fingerprints of 16 bytes: a bound on the memory spent on it.
pub const FINGERPRINTS_MAX: usize = 1 << 20;

/// How much of the next piece is put behind a part of a record at a time, unless more is known to be needed.
const JOINT_BYTES: usize = 1 << 12;

/// Longest part of a key that an error quotes.
const QUOTED_BYTES_MAX: usize = 64;

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
            magic: Magic::Redis,
            version: 0,
            db: 0,
            attributes: Attributes::default(),
            key: Vec::new(),
            key_offset: 0,
            fingerprints: HashTable::new(),
        }
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
            Phase::Value(_) => cut(format!("file ends inside of {}", self.context())),
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
                Err(Stop::Bad(error)) => return Err(self.fail(error)),
            }
        }
        if !matches!(self.phase, Phase::Done) {
            self.checksum.update(&bytes[summed..read]);
        }
        Ok(read)
    }

    fn fail(&mut self, mut error: RdbError) -> RdbError {
        if matches!(self.phase, Phase::Value(_)) {
            error.reason = format!("{}: {}", self.context(), error.reason);
        }
        self.pending = Vec::new();
        self.phase = Phase::Failed(error.clone());
        error
    }

    /// The key at hand, for an error.
    fn context(&self) -> String {
        let Phase::Value(body) = &self.phase else {
            return String::new();
        };
        let rdb_type = body.rdb_type();
        let name = format::type_name(rdb_type).unwrap_or("unknown");
        let shown = &self.key[..self.key.len().min(QUOTED_BYTES_MAX)];
        let dots = if shown.len() < self.key.len() { "..." } else { "" };
        format!("key '{}{dots}' ({name}, type {rdb_type})", shown.escape_ascii())
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
        if rdb_type == format::STRING && read_short_string(cursor, sink)? {
            return say(sink, from, Event::EndKey);
        }
        self.key.clear();
        self.key.extend_from_slice(&key);
        self.phase = Phase::Value(ValueBody::new(rdb_type, self.magic));
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

const LOW: RapidSecrets = RapidSecrets::seed(0x6b65_7973);
const HIGH: RapidSecrets = RapidSecrets::seed(0x7477_6963);

/// Two hashes of a key, independent of each other for keys of any length, and different in every database.
fn fingerprint(key: &[u8], db: u64) -> (u64, u64) {
    let low = rapidhash_v3_seeded(key, &LOW) ^ db.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let high = rapidhash_v3_seeded(key, &HIGH) ^ db.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    (low, high)
}

/// Reads a string that is all there, without the detour that values of several records take. What is not all there, or not sound,
/// is left where it is: false.
fn read_short_string<S: Sink + ?Sized>(cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<bool> {
    let (mark, from) = (cursor.read(), cursor.offset());
    let Ok(text) = cursor.text() else {
        cursor.rewind(mark);
        return Ok(false);
    };
    say(sink, from, Event::String(text.element()))?;
    sink.raw(&cursor.consumed()[mark..]);
    Ok(true)
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

/// A function as release candidates of Redis 7.0 wrote it, in the form that came after.
fn read_early_function(cursor: &mut Cursor<'_>) -> Parsed<Vec<u8>> {
    let (name, engine) = (cursor.bytes()?, cursor.bytes()?);
    if cursor.length()? != 0 {
        cursor.bytes()?;
    }
    let code = cursor.bytes()?;
    Ok([b"#!", &engine[..], b" name=", &name, b"\n", &code].concat())
}

/// Skips one piece of a key's metadata; true when all of it has been read.
fn read_key_meta(left: &mut u64, class: &mut Option<ModuleBody>, cursor: &mut Cursor<'_>) -> Parsed<bool> {
    match class {
        None => {
            cursor.u32()?;
            *class = Some(ModuleBody::begin_pieces());
        }
        Some(body) => {
            if body.skip(cursor)? {
                *class = None;
                *left -= 1;
            }
        }
    }
    Ok(*left == 0)
}

/// Skips a key's metadata, from the number of its classes on.
pub(in crate::rdb) fn skip_key_meta(cursor: &mut Cursor<'_>) -> Parsed<()> {
    let (mut left, mut class) = (cursor.length()?, None);
    while left > 0 {
        read_key_meta(&mut left, &mut class, cursor)?;
    }
    Ok(())
}
