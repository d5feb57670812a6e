//! A file as JSON.
//!
//! The canonical form is for comparisons: every fact that has a meaning (not the encodings of strings), keys sorted by
//! database and bytes, members sorted, bytes as code points U+0000 to U+00FF, scores as the hex digits of their bits.
//! What is sorted has to be held until the end of the file. The plain form is for people, and is written as the file is
//! read: an array with an object of keys and values per database.

mod text;
mod value;
mod writer;

use super::event::{ChecksumState, Event, KeyHead, Sink};
use super::format;
use value::Collected;
pub(super) use writer::Writer;

/// About how much text of the canonical form is given at once.
pub const PIECE_BYTES: usize = 1 << 20;

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

/// A key's text, to be put in its place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    db: u64,
    key: Vec<u8>,
    text: Vec<u8>,
}

/// The sink.
#[derive(Debug)]
pub struct Json {
    form: Form,
    writer: Writer,
    summary: Summary,
    /// Canonical: the finished keys.
    rows: Vec<Row>,
    /// Plain: whether a database's object is open.
    database_open: bool,
    rdb_type: u8,
    collected: Collected,
}

impl Json {
    /// A sink.
    pub fn new(form: Form) -> Self {
        Json {
            form,
            writer: Writer::new(form == Form::Canonical),
            summary: Summary::default(),
            rows: Vec::new(),
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
            && let Some(row) = self.rows.pop()
        {
            self.writer.item();
            self.writer.raw(&row.text);
            if self.rows.is_empty() {
                self.end_canonical();
            }
        }
        self.writer.take()
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) {
        self.rdb_type = head.rdb_type;
        if self.form == Form::Plain {
            if !self.database_open {
                self.open_database();
            }
            self.writer.name_bytes(head.key);
        } else {
            self.rows.push(Row {
                db: head.db,
                key: head.key.to_vec(),
                text: Vec::new(),
            });
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
        if let Some(row) = self.rows.last_mut() {
            self.writer.close(b'}');
            row.text = self.writer.take();
        }
        Ok(())
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
            // The keys stand two levels deep, and are written before what they stand in.
            Form::Canonical => self.writer.set_depth(2),
        }
    }

    fn end(&mut self) {
        if self.form == Form::Plain {
            if self.database_open {
                self.writer.close(b'}');
            }
            self.writer.close(b']');
            return self.writer.end();
        }
        self.writer.set_depth(0);
        self.writer.open(b'{');
        self.summary.write(&mut self.writer);
        self.writer.name("keys");
        self.writer.open(b'[');
        self.rows.sort_unstable_by(|a, b| b.cmp(a));
        if self.rows.is_empty() {
            self.end_canonical();
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
            Event::End(_) => self.end(),
            other => self.collected.take(other, &mut self.writer),
        }
        Ok(())
    }
}
