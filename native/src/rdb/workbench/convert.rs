//! A file as another file: of another version, with some of its keys, under other names.
//!
//! A value whose type byte the wanted version knows is copied as the file holds it, in pieces, as it is read; the
//! others are built and written anew, one at a time.

use super::file::FileWriter;
use super::{Failure, Tool};
use crate::command::glob;
use crate::rdb::event::{Event, KeyHead, Sink, StreamId};
use crate::rdb::format;
use crate::rdb::load::{Builder, Fidelity};
use crate::rdb::write::EXACT_FIELD;
use crate::value::LimitsRef;

/// What to make of a file.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// Version, one of [`crate::rdb::write::VERSIONS`].
    pub version: u32,
    /// Whether strings that are written anew are compressed.
    pub compress: bool,
    /// Keys whose name matches this pattern.
    pub pattern: Option<Vec<u8>>,
    /// Keys of these types, as `TYPE` names them; `module` for all that modules have. None: of every type.
    pub types: Vec<String>,
    /// Keys of this database.
    pub db: Option<u64>,
    /// Put before every key's name.
    pub prefix: Vec<u8>,
    /// Leave out when keys and fields expire.
    pub strip_ttl: bool,
    /// Leave out libraries of functions.
    pub drop_functions: bool,
}

impl ConvertOptions {
    /// Everything that a file has, in this version.
    pub fn all(version: u32) -> Self {
        ConvertOptions {
            version,
            compress: true,
            pattern: None,
            types: Vec::new(),
            db: None,
            prefix: Vec::new(),
            strip_ttl: false,
            drop_functions: false,
        }
    }
}

/// The key at hand.
#[derive(Debug)]
enum Current {
    /// Left out.
    Skipped,
    /// Copied; its record begins so many bytes from the start of what has not been taken, unless an element has come.
    Copied { begin: Option<usize> },
    /// Written anew.
    Built(Builder),
}

/// Attributes that a key is written with.
#[derive(Debug, Default)]
struct Head {
    key: Vec<u8>,
    db: u64,
    expire_at_ms: Option<i64>,
    idle_s: Option<u64>,
    freq: Option<u8>,
    rdb_type: u8,
}

impl Head {
    fn view(&self) -> KeyHead<'_> {
        KeyHead {
            db: self.db,
            key: &self.key,
            rdb_type: self.rdb_type,
            expire_at_ms: self.expire_at_ms,
            idle_s: self.idle_s,
            freq: self.freq,
            offset: 0,
        }
    }
}

/// The sink.
#[derive(Debug)]
pub struct Convert {
    options: ConvertOptions,
    file: FileWriter,
    head: Head,
    current: Current,
    keys: u64,
    skipped: u64,
    refusal: Option<String>,
}

impl Convert {
    /// A sink.
    pub fn new(options: ConvertOptions) -> Self {
        Convert {
            file: FileWriter::new(options.version, options.compress),
            options,
            head: Head::default(),
            current: Current::Skipped,
            keys: 0,
            skipped: 0,
            refusal: None,
        }
    }

    /// Keys written, keys left out, bytes written.
    pub fn counts(&self) -> [u64; 3] {
        [self.keys, self.skipped, self.file.bytes()]
    }

    /// Puts the bytes written since the last call in the place of what is in `taken`.
    pub fn take_into(&mut self, taken: &mut Vec<u8>) {
        let kept = match &self.current {
            // A key may turn out to be an empty collection, which is not written.
            Current::Copied { begin: Some(begin) } => self.file.encoder.out.len() - begin,
            _ => 0,
        };
        if let Current::Copied { begin: Some(begin) } = &mut self.current {
            *begin = 0;
        }
        self.file.take_into(taken, kept);
    }

    /// The bytes written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        self.take_into(&mut taken);
        taken
    }

    /// The end of the file.
    pub fn finish(&mut self) -> Vec<u8> {
        self.file.finish()
    }

    fn selects_all(&self) -> bool {
        let options = &self.options;
        options.pattern.is_none() && options.types.is_empty() && options.db.is_none()
    }

    fn selects(&self, head: &KeyHead<'_>) -> bool {
        let options = &self.options;
        let type_name = format::type_name(head.rdb_type).unwrap_or_default();
        options.db.is_none_or(|db| db == head.db)
            && (options.types.is_empty() || options.types.iter().any(|wanted| wanted == type_name))
            && options
                .pattern
                .as_deref()
                .is_none_or(|pattern| glob::matches(pattern, head.key))
    }

    /// Whether the value's bytes can stay as they are.
    fn is_copied(&self, rdb_type: u8) -> bool {
        let is_timed = (format::HASH_METADATA_PRE_GA..=format::HASH_LISTPACK_EX).contains(&rdb_type);
        format::is_known_to(rdb_type, self.options.version) && !(is_timed && self.options.strip_ttl)
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) -> Result<(), String> {
        if !self.selects(head) {
            self.skipped += 1;
            self.current = Current::Skipped;
            return Ok(());
        }
        self.head.key.clear();
        self.head.key.extend_from_slice(&self.options.prefix);
        self.head.key.extend_from_slice(head.key);
        self.head = Head {
            key: std::mem::take(&mut self.head.key),
            db: head.db,
            expire_at_ms: head.expire_at_ms.filter(|_| !self.options.strip_ttl),
            idle_s: head.idle_s,
            freq: head.freq,
            rdb_type: head.rdb_type,
        };
        self.file.select(head.db);
        if !self.is_copied(head.rdb_type) {
            let builder = Builder::new(head.rdb_type, Fidelity::Limits, LimitsRef::default())?;
            self.current = Current::Built(builder);
            return Ok(());
        }
        let begin = self.file.encoder.out.len();
        self.file.attributes(&self.head.view());
        self.file.encoder.out.push(head.rdb_type);
        self.file.encoder.text(&self.head.key);
        let may_be_empty = !matches!(
            format::type_name(head.rdb_type),
            Some("string" | "stream" | "module")
        );
        self.current = Current::Copied {
            begin: may_be_empty.then_some(begin),
        };
        Ok(())
    }

    fn element(&mut self, event: Event<'_>) -> Result<(), String> {
        match &mut self.current {
            Current::Skipped => Ok(()),
            Current::Copied { begin } => {
                *begin = None;
                Ok(())
            }
            Current::Built(builder) => match event {
                Event::ExpiringPair { field, value, .. } if self.options.strip_ttl => {
                    builder.event(Event::Pair(field, value))
                }
                event => builder.event(event),
            },
        }
    }

    fn end_key(&mut self) -> Result<(), String> {
        let is_written = match std::mem::replace(&mut self.current, Current::Skipped) {
            Current::Skipped => return Ok(()),
            Current::Copied { begin: Some(begin) } => {
                self.file.encoder.out.truncate(begin);
                false
            }
            Current::Copied { begin: None } => true,
            Current::Built(builder) => {
                let written = self.file.value(&self.head.view(), &builder.finish());
                self.refusable(written)?
            }
        };
        self.keys += u64::from(is_written);
        self.skipped += u64::from(!is_written);
        Ok(())
    }

    fn refusable<T>(&mut self, result: Result<T, String>) -> Result<T, String> {
        if let Err(reason) = &result {
            self.refusal = Some(reason.clone());
        }
        result
    }

    fn function(&mut self, source: &[u8]) -> Result<(), String> {
        if self.options.drop_functions {
            return Ok(());
        }
        let written = self.file.function(source);
        self.refusable(written)
    }
}

impl Sink for Convert {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            // What is written is of the format's own types, whatever the file was.
            Event::Aux { key, .. } if key == EXACT_FIELD => {}
            Event::Aux { key, value } => self.file.aux(key, value),
            Event::Function(source) => self.function(source)?,
            Event::ResizeDb { keys, expires } if self.selects_all() => self.file.resize(keys, expires),
            Event::SelectDb(db) if self.selects_all() => self.file.select(db),
            Event::KeyMetadata => {
                let reason = "metadata that modules keep with a key has no form before RDB version 13";
                return self.refusable(Err(reason.into()));
            }
            Event::Key(head) => self.begin_key(&head)?,
            Event::EndKey => self.end_key()?,
            Event::ResizeDb { .. } | Event::SelectDb(_) | Event::ModuleAux { .. } => {}
            Event::Header { .. } | Event::End(_) => {}
            element => self.element(element)?,
        }
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) {
        if let Current::Copied { .. } = self.current {
            self.file.encoder.out.extend_from_slice(bytes);
        }
    }

    fn aside(&mut self, bytes: &[u8]) {
        self.file.encoder.out.extend_from_slice(bytes);
    }

    fn pack(&mut self, rdb_type: u8, blob: &[u8]) -> bool {
        match &mut self.current {
            Current::Built(builder) => builder.pack(rdb_type, blob),
            _ => false,
        }
    }

    fn stream_node(&mut self, master: StreamId, blob: &[u8]) -> bool {
        match &mut self.current {
            Current::Built(builder) => builder.stream_node(master, blob),
            _ => false,
        }
    }
}

impl Tool for Convert {
    fn failure(&mut self) -> Option<Failure> {
        self.refusal.take().map(Failure::Refused)
    }
}
