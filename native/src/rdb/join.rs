//! Several files as one: the keys of all of them behind one header. Values are copied byte for byte, having been checked
//! on the way. What stands in several files alike, libraries of functions and data of modules, is written once.

use super::checksum::Checksum;
use super::cursor::{Cursor, Parsed};
use super::event::{Event, KeyHead, Sink};
use super::filter::Filter;
use super::format::{self, Magic};
use super::write::{Encoder, Forms};
use std::collections::HashSet;

/// How the joined file begins, and what goes into it.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// The family of all of the files.
    pub magic: Magic,
    /// The newest version among the files.
    pub version: u32,
    /// Metadata. That of the files is left out.
    pub aux: Vec<(Vec<u8>, Vec<u8>)>,
    /// Which keys.
    pub filter: Filter,
}

/// The sink: fed by a reader for each file in turn, drained by [`Joiner::take`].
pub struct Joiner {
    options: JoinOptions,
    encoder: Encoder,
    checksum: Checksum,
    /// The database that the records at hand belong to.
    db: Option<u64>,
    skipped: bool,
    /// Sources of libraries that have been written: masters of one cluster have the same.
    functions: HashSet<Vec<u8>>,
    /// Metadata of the key that comes next.
    metadata: Vec<u8>,
    /// The record at hand of a module's data beside the keys.
    aside: Vec<u8>,
    asides: HashSet<Vec<u8>>,
    /// Those that modules want behind all keys.
    behind: Vec<u8>,
    keys: u64,
}

impl std::fmt::Debug for Joiner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joiner").field("keys", &self.keys).finish()
    }
}

impl Joiner {
    /// A file with its header.
    pub fn new(options: JoinOptions) -> Self {
        let mut encoder = Encoder::new(Forms {
            version: options.version,
            exact: false,
            compress: true,
        });
        let header = match options.magic {
            Magic::Redis => format!("REDIS{:04}", options.version),
            Magic::Valkey => format!("VALKEY{:03}", options.version),
        };
        encoder.out.extend_from_slice(header.as_bytes());
        for (key, value) in &options.aux {
            encoder.out.push(format::AUX);
            encoder.text(key);
            encoder.text(value);
        }
        Joiner {
            options,
            encoder,
            checksum: Checksum::default(),
            db: None,
            skipped: false,
            functions: HashSet::new(),
            metadata: Vec::new(),
            aside: Vec::new(),
            asides: HashSet::new(),
            behind: Vec::new(),
            keys: 0,
        }
    }

    /// Keys written so far.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// The bytes since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        let out = std::mem::take(&mut self.encoder.out);
        self.checksum.update(&out);
        out
    }

    /// The last bytes.
    pub fn finish(&mut self) -> Vec<u8> {
        self.encoder.out.append(&mut self.behind);
        self.encoder.out.push(format::EOF);
        let mut out = self.take();
        if self.options.version >= format::OLDEST_CHECKSUM_VERSION {
            out.extend_from_slice(&self.checksum.value().to_le_bytes());
        }
        out
    }

    fn header(&self, magic: Magic, version: u32) -> Result<(), String> {
        if magic != self.options.magic {
            return Err("files of Redis and of Valkey cannot be joined".into());
        }
        if version > self.options.version {
            let wanted = self.options.version;
            return Err(format!(
                "version {version} cannot go into a file of version {wanted}"
            ));
        }
        Ok(())
    }

    fn function(&mut self, source: &[u8]) {
        if self.functions.insert(source.to_vec()) {
            self.encoder.out.push(format::FUNCTION);
            self.encoder.text(source);
        }
    }

    /// Writes the record of a module's data that has come, unless another file had the same.
    fn end_aside(&mut self) {
        let record = std::mem::take(&mut self.aside);
        if record.is_empty() || self.asides.contains(&record) {
            return;
        }
        if is_behind_keys(&record) {
            self.behind.extend_from_slice(&record);
        } else {
            self.encoder.out.extend_from_slice(&record);
        }
        self.asides.insert(record);
    }

    fn key(&mut self, head: &KeyHead<'_>) {
        let metadata = std::mem::take(&mut self.metadata);
        self.skipped = !self.options.filter.wants(head);
        if self.skipped {
            return;
        }
        self.keys += 1;
        let encoder = &mut self.encoder;
        if self.db != Some(head.db) {
            self.db = Some(head.db);
            encoder.out.push(format::SELECT_DB);
            encoder.length(head.db);
        }
        if let Some(ms) = head.expire_at_ms {
            encoder.out.push(format::EXPIRE_MS);
            encoder.out.extend_from_slice(&ms.to_le_bytes());
        }
        if let Some(seconds) = head.idle_s {
            encoder.out.push(format::IDLE);
            encoder.length(seconds);
        }
        if let Some(count) = head.freq {
            encoder.out.extend_from_slice(&[format::FREQ, count]);
        }
        encoder.out.extend_from_slice(&metadata);
        encoder.out.push(head.rdb_type);
        encoder.text(head.key);
    }
}

impl Sink for Joiner {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        self.end_aside();
        match event {
            Event::Header { magic, version } => self.header(magic, version)?,
            Event::Function(source) => self.function(source),
            Event::Key(head) => self.key(&head),
            _ => {}
        }
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) {
        if !self.skipped {
            self.encoder.out.extend_from_slice(bytes);
        }
    }

    fn aside(&mut self, bytes: &[u8]) {
        self.aside.extend_from_slice(bytes);
    }

    fn metadata(&mut self, bytes: &[u8]) {
        self.metadata.extend_from_slice(bytes);
    }
}

/// Whether a module wants this data when all keys are there.
fn is_behind_keys(record: &[u8]) -> bool {
    let mut cursor = Cursor::new(record, 0);
    matches!(written_when(&mut cursor), Ok(format::MODULE_AUX_BEHIND_KEYS))
}

/// Behind the opcode stand the module, the tag of a number, and the number.
fn written_when(cursor: &mut Cursor<'_>) -> Parsed<u64> {
    cursor.u8()?;
    cursor.length()?;
    cursor.length()?;
    cursor.length()
}
