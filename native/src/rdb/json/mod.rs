//! A file as JSON, written as the file is read. Sets, hashes and sorted sets are sorted, so one of them at a time is
//! held in memory.
//!
//! The canonical form shows every fact that has a meaning (not the encodings of strings), bytes as code points U+0000 to U+00FF,
//! scores as the hex digits of their bits. The plain form is for people: an array with an object per database.

mod text;
mod value;
mod writer;

use super::event::{ChecksumState, Event, KeyHead, Sink};
use super::format;
use value::Collected;
use writer::Writer;

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
pub struct Summary {
    /// Sources of function libraries.
    pub functions: Vec<Vec<u8>>,
    /// State of the checksum, when the end has been read.
    pub checksum: Option<ChecksumState>,
}

impl Sink for Summary {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Function(source) => self.functions.push(source.to_vec()),
            Event::End(checksum) => self.checksum = Some(checksum),
            _ => {}
        }
        Ok(())
    }
}

/// The sink.
#[derive(Debug)]
pub struct Json {
    form: Form,
    writer: Writer,
    /// From an earlier reading of the same file; without one, the summary is written last.
    known: Option<Summary>,
    seen: Summary,
    database_open: bool,
    rdb_type: u8,
    collected: Collected,
}

impl Json {
    /// A sink. With the summary of an earlier reading the canonical form begins with it.
    pub fn new(form: Form, known: Option<Summary>) -> Self {
        Json {
            form,
            writer: Writer::new(form == Form::Canonical),
            known,
            seen: Summary::default(),
            database_open: false,
            rdb_type: format::STRING,
            collected: Collected::default(),
        }
    }

    /// The text written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        self.writer.take()
    }

    fn header(&mut self, version: u32) {
        if self.form == Form::Plain {
            self.writer.open(b'[');
            return;
        }
        self.writer.open(b'{');
        self.writer.name("rdb_version");
        self.writer.number(version);
        if let Some(known) = self.known.take() {
            self.summary(&known);
            self.known = Some(known);
        }
        self.writer.name("keys");
        self.writer.open(b'[');
    }

    fn summary(&mut self, summary: &Summary) {
        self.writer.name("crc");
        self.writer.text(match summary.checksum {
            Some(ChecksumState::Right) | None => b"ok",
            Some(ChecksumState::Disabled) => b"zero(disabled)",
            Some(ChecksumState::None) => b"none(v<5)",
        });
        self.writer.name("functions");
        self.writer.open(b'[');
        for source in &summary.functions {
            self.writer.item();
            self.writer.text(source);
        }
        self.writer.close(b']');
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) {
        self.rdb_type = head.rdb_type;
        if self.form == Form::Plain {
            if !self.database_open {
                self.open_database();
            }
            self.writer.name_bytes(head.key);
        } else {
            self.canonical_head(head);
        }
        self.collected.begin(head.rdb_type, &mut self.writer);
    }

    fn canonical_head(&mut self, head: &KeyHead<'_>) {
        let writer = &mut self.writer;
        writer.item();
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
        if self.form == Form::Canonical {
            self.writer.close(b'}');
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

    fn end(&mut self) {
        if self.form == Form::Plain {
            if self.database_open {
                self.writer.close(b'}');
            }
            self.writer.close(b']');
        } else {
            self.writer.close(b']');
            if self.known.is_none() {
                let seen = std::mem::take(&mut self.seen);
                self.summary(&seen);
            }
            self.writer.close(b'}');
        }
        self.writer.end();
    }
}

impl Sink for Json {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        self.seen.event(event)?;
        match event {
            Event::Header { version, .. } => self.header(version),
            Event::SelectDb(_) if self.form == Form::Plain => self.open_database(),
            Event::Key(head) => self.begin_key(&head),
            Event::EndKey => self.end_key()?,
            Event::End(_) => self.end(),
            other => self.collected.take(other, &mut self.writer),
        }
        Ok(())
    }
}
