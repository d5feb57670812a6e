//! A file as it is written record by record.

use crate::rdb::Checksum;
use crate::rdb::event::KeyHead;
use crate::rdb::format;
use crate::rdb::load::Built;
use crate::rdb::write::{Encoder, Forms};
use crate::value::Value;

/// The file. Its records are taken from `encoder.out`.
pub struct FileWriter {
    pub encoder: Encoder,
    version: u32,
    checksum: Checksum,
    /// The database of the last key; none has been selected at the beginning.
    db: u64,
    /// Bytes that have been taken.
    bytes: u64,
}

impl FileWriter {
    pub fn new(version: u32, compress: bool) -> Self {
        let mut encoder = Encoder::new(Forms {
            version,
            exact: false,
            compress,
        });
        encoder
            .out
            .extend_from_slice(format!("REDIS{version:04}").as_bytes());
        FileWriter {
            encoder,
            version,
            checksum: Checksum::default(),
            db: 0,
            bytes: 0,
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn aux(&mut self, key: &[u8], value: &[u8]) {
        self.encoder.out.push(format::AUX);
        self.encoder.text(key);
        self.encoder.text(value);
    }

    /// Writes a library of functions.
    ///
    /// # Errors
    /// When the version has no form for it.
    pub fn function(&mut self, source: &[u8]) -> Result<(), String> {
        if self.version < format::OLDEST_FUNCTION_VERSION {
            return Err(format!(
                "a library of functions ({}) has no form in RDB version {}; version {} has one",
                first_line(source),
                self.version,
                format::OLDEST_FUNCTION_VERSION
            ));
        }
        self.encoder.out.push(format::FUNCTION);
        self.encoder.text(source);
        Ok(())
    }

    /// The keys that follow belong to this database.
    pub fn select(&mut self, db: u64) {
        if db != self.db {
            self.encoder.out.push(format::SELECT_DB);
            self.encoder.length(db);
            self.db = db;
        }
    }

    pub fn resize(&mut self, keys: u64, expires: u64) {
        self.encoder.out.push(format::RESIZE_DB);
        self.encoder.length(keys);
        self.encoder.length(expires);
    }

    /// What stands before a key's type byte.
    pub fn attributes(&mut self, head: &KeyHead<'_>) {
        let out = &mut self.encoder.out;
        if let Some(ms) = head.expire_at_ms {
            out.push(format::EXPIRE_MS);
            out.extend_from_slice(&ms.to_le_bytes());
        }
        if let Some(freq) = head.freq {
            out.extend_from_slice(&[format::FREQ, freq]);
        }
        if let Some(seconds) = head.idle_s {
            out.push(format::IDLE);
            self.encoder.length(seconds);
        }
    }

    /// Type byte, key and value. Says whether there was a value at all.
    ///
    /// # Errors
    /// When the version has no form for the value.
    pub fn value(&mut self, head: &KeyHead<'_>, value: &Built) -> Result<bool, String> {
        match value {
            Built::Nothing => return Ok(false),
            Built::Str(text) => {
                self.attributes(head);
                self.encoder.out.push(format::STRING);
                self.encoder.text(head.key);
                self.encoder.text(text);
            }
            Built::Value(value) => {
                self.check(head.key, value)?;
                self.attributes(head);
                self.encoder.out.push(self.encoder.type_of(value));
                self.encoder.text(head.key);
                self.encoder.value(value);
            }
        }
        Ok(true)
    }

    fn check(&self, key: &[u8], value: &Value) -> Result<(), String> {
        if self.encoder.can_hold(value) {
            return Ok(());
        }
        let (key, version) = (key.to_vec(), self.version);
        Err(crate::rdb::Unwritable { key, version }.to_string())
    }

    /// Puts the bytes since the last call, but for the last `kept`, in the place of what is in `taken`, whose memory is used for
    /// those to come.
    pub fn take_into(&mut self, taken: &mut Vec<u8>, kept: usize) {
        let out = &mut self.encoder.out;
        taken.clear();
        std::mem::swap(out, taken);
        let end = taken.len().saturating_sub(kept);
        out.extend_from_slice(&taken[end..]);
        taken.truncate(end);
        self.checksum.update(taken);
        self.bytes += taken.len() as u64;
    }

    /// The bytes since the last call, but for the last `kept`.
    pub fn take(&mut self, kept: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        self.take_into(&mut taken, kept);
        // As much is likely to come before the next call.
        self.encoder.out.reserve(taken.len());
        taken
    }

    /// Writes the end mark; the last bytes.
    pub fn finish(&mut self) -> Vec<u8> {
        self.encoder.out.push(format::EOF);
        let mut taken = self.take(0);
        taken.extend_from_slice(&self.checksum.value().to_le_bytes());
        self.bytes += 8;
        taken
    }
}

impl std::fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter").field("bytes", &self.bytes).finish()
    }
}

/// The line of a library that names it.
fn first_line(source: &[u8]) -> String {
    let line = source.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line[..line.len().min(80)].escape_ascii().to_string()
}
