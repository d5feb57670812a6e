//! A file as JSON.
//!
//! The canonical form is for comparisons: every fact that has a meaning (not the encodings of strings), keys sorted by
//! database and bytes, members sorted, bytes as code points U+0000 to U+00FF, scores as the hex digits of their bits.
//! What is sorted is known only at the end of the file: the keys' texts go through a sorter, which holds a bounded part of
//! them and the rest in temporary files. The plain form is for people, and is written as the file is
//! read: an array with an object of keys and values per database.

mod text;
mod value;
mod writer;

use super::event::{ChecksumState, Event, KeyHead, Sink};
use super::format;
use super::workbench::sorter::{Sorted, Sorter};
use std::io;
use std::path::PathBuf;
use value::Collected;
pub(super) use writer::Writer;

/// About how much text of the canonical form is given at once.
pub const PIECE_BYTES: usize = 1 << 20;
/// Brackets around a key in the canonical form.
const KEY_DEPTH: usize = 2;

/// Which JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Key to value.
    Plain,
    /// Every fact, comparable byte for byte.
    Canonical,
}

/// What stands at the top of the canonical form but is known only when the whole file has been read.
#[derive(Clone, Debug, Default)]
struct Summary {
    version: u32,
    functions: Vec<Vec<u8>>,
    checksum: Option<ChecksumState>,
}

impl Summary {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Header { version, .. } => self.version = *version,
            Event::Function(source) => self.functions.push(source.to_vec()),
            Event::End(checksum) => self.checksum = Some(*checksum),
            _ => {}
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.name("rdb_version");
        writer.number(self.version);
        writer.name("crc");
        writer.text(match self.checksum {
            Some(ChecksumState::Right) | None => b"ok",
            Some(ChecksumState::Disabled) => b"zero(disabled)",
            Some(ChecksumState::None) => b"none(v<5)",
        });
        writer.name("functions");
        writer.open(b'[');
        for source in &self.functions {
            writer.item();
            writer.text(source);
        }
        writer.close(b']');
    }
}

/// The sink.
#[derive(Debug)]
pub struct Json {
    form: Form,
    writer: Writer,
    summary: Summary,
    /// Canonical: the texts of the finished keys, and the key at hand, by database and name.
    rows: Option<Sorter>,
    sorted: Option<Sorted>,
    row_key: Vec<u8>,
    failure: Option<io::Error>,
    /// Plain: whether a database's object is open.
    database_open: bool,
    rdb_type: u8,
    collected: Collected,
}

impl Json {
    /// A sink that keeps its temporary files where the system keeps those.
    pub fn new(form: Form) -> Self {
        Json::with_folder(form, std::env::temp_dir())
    }

    /// A sink that keeps its temporary files in this folder.
    pub fn with_folder(form: Form, folder: PathBuf) -> Self {
        Json {
            form,
            writer: Writer::new(form == Form::Canonical),
            summary: Summary::default(),
            rows: (form == Form::Canonical).then(|| Sorter::new(folder)),
            sorted: None,
            row_key: Vec::new(),
            failure: None,
            database_open: false,
            rdb_type: format::STRING,
            collected: Collected::default(),
        }
    }

    /// The text written since the last call. The canonical form comes when the end has been read, in pieces of about
    /// [`PIECE_BYTES`], the last of which is followed by an empty one.
    pub fn take(&mut self) -> Vec<u8> {
        if self.form == Form::Canonical && self.summary.checksum.is_none() {
            return Vec::new();
        }
        while self.writer.size() < PIECE_BYTES
            && let Some(sorted) = &mut self.sorted
        {
            match sorted.next() {
                Ok(Some((_, text))) => {
                    self.writer.item();
                    self.writer.raw(text);
                }
                Ok(None) => {
                    self.sorted = None;
                    self.end_canonical();
                }
                Err(error) => {
                    self.sorted = None;
                    self.failure = Some(error);
                }
            }
        }
        self.writer.take()
    }

    /// Why the last call came to nothing, if that was a temporary file's fault.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) {
        self.rdb_type = head.rdb_type;
        if self.form == Form::Plain {
            if !self.database_open {
                self.open_database();
            }
            self.writer.name_bytes(head.key);
        } else {
            self.row_key.clear();
            self.row_key.extend_from_slice(&head.db.to_be_bytes());
            self.row_key.extend_from_slice(head.key);
            self.canonical_head(head);
        }
        self.collected.begin(head.rdb_type, &mut self.writer);
    }

    fn canonical_head(&mut self, head: &KeyHead<'_>) {
        let writer = &mut self.writer;
        writer.open(b'{');
        writer.name("db");
        writer.number(head.db);
        writer.name("key");
        writer.text(head.key);
        writer.name("type");
        writer.text(format::type_name(head.rdb_type).unwrap_or_default().as_bytes());
        writer.name("rdb_type");
        writer.number(head.rdb_type);
        if let Some(ms) = head.expire_at_ms {
            writer.name("expire_at_ms");
            writer.number(ms);
        }
        if let Some(seconds) = head.idle_s {
            writer.name("idle_s");
            writer.number(seconds);
        }
        if let Some(freq) = head.freq {
            writer.name("freq");
            writer.number(freq);
        }
        writer.name("value");
    }

    fn end_key(&mut self) -> Result<(), String> {
        self.collected.end(self.rdb_type, self.form, &mut self.writer)?;
        let Some(rows) = &mut self.rows else {
            return Ok(());
        };
        self.writer.close(b'}');
        let text = self.writer.take();
        // The next key is the first one, too.
        self.writer.set_depth(KEY_DEPTH);
        rows.push(&self.row_key, &text).map_err(|error| {
            let reason = format!("temporary file: {error}");
            self.failure = Some(error);
            reason
        })
    }

    fn open_database(&mut self) {
        if self.database_open {
            self.writer.close(b'}');
        }
        self.writer.item();
        self.writer.open(b'{');
        self.database_open = true;
    }

    fn begin(&mut self) {
        match self.form {
            Form::Plain => self.writer.open(b'['),
            // The keys are written before what they stand in.
            Form::Canonical => self.writer.set_depth(KEY_DEPTH),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        if self.form == Form::Plain {
            if self.database_open {
                self.writer.close(b'}');
            }
            self.writer.close(b']');
            self.writer.end();
            return Ok(());
        }
        self.writer.set_depth(0);
        self.writer.open(b'{');
        self.summary.write(&mut self.writer);
        self.writer.name("keys");
        self.writer.open(b'[');
        match self.rows.take().map(Sorter::finish).transpose() {
            Ok(sorted) => {
                self.sorted = sorted;
                Ok(())
            }
            Err(error) => {
                let reason = format!("temporary file: {error}");
                self.failure = Some(error);
                Err(reason)
            }
        }
    }

    fn end_canonical(&mut self) {
        self.writer.close(b']');
        self.writer.close(b'}');
        self.writer.end();
    }
}

impl Sink for Json {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        self.summary.event(&event);
        match event {
            Event::Header { .. } => self.begin(),
            Event::SelectDb(_) if self.form == Form::Plain => self.open_database(),
            Event::Key(head) => self.begin_key(&head),
            Event::EndKey => self.end_key()?,
            Event::End(_) => self.end()?,
            other => self.collected.take(other, &mut self.writer),
        }
        Ok(())
    }
}
