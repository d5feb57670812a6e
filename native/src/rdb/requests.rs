//! A file as `RESTORE` requests, one for each key, for a store that takes its keys through a log. The values are copied
//! as the file holds them, having been checked on the way.

use super::event::{Event, KeyHead, Sink};
use super::format::{HASH_METADATA_PRE_GA, Magic, type_name};
use super::load::refusal;
use super::payload::seal;
use crate::keyspace::slot::slot_of;

/// The version in the payloads of a `VALKEY` file, whose types are those of version 11. The one that is not, a hash with
/// expiries, goes under the file's own version.
const SHARED_PAYLOAD_VERSION: u16 = 11;

/// The sink. Its records are `slot:u16 length:u32`, little endian, and so many bytes of RESP.
#[derive(Debug)]
pub struct Requests {
    now_ms: i64,
    version: u16,
    magic: Magic,
    key: Vec<u8>,
    expire_at_ms: i64,
    payload: Vec<u8>,
    /// Whether the key at hand is left out.
    skipped: bool,
    /// Whether the key at hand has anything in it.
    filled: bool,
    out: Vec<u8>,
    keys: u64,
}

impl Requests {
    /// A sink. Keys whose expiry is not after `now_ms` are left out, and so are empty collections.
    pub fn new(now_ms: i64) -> Self {
        Requests {
            now_ms,
            version: 0,
            magic: Magic::Redis,
            key: Vec::new(),
            expire_at_ms: 0,
            payload: Vec::new(),
            skipped: false,
            filled: false,
            out: Vec::new(),
            keys: 0,
        }
    }

    /// The complete records since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Requests made so far.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) -> Result<(), String> {
        if head.db != 0 {
            return Err(format!(
                "database {} has keys, and only database 0 can be loaded",
                head.db
            ));
        }
        if let Some(reason) = refusal(head.rdb_type) {
            return Err(reason.into());
        }
        self.skipped = head.expire_at_ms.is_some_and(|ms| ms <= self.now_ms);
        self.filled = type_name(head.rdb_type) == Some("string");
        self.expire_at_ms = head.expire_at_ms.unwrap_or(0);
        self.key.clear();
        self.key.extend_from_slice(head.key);
        self.payload.clear();
        self.payload.push(head.rdb_type);
        Ok(())
    }

    fn end_key(&mut self) {
        let payload = std::mem::take(&mut self.payload);
        if self.skipped || !self.filled {
            return;
        }
        let is_shared = self.magic == Magic::Valkey && payload.first() != Some(&HASH_METADATA_PRE_GA);
        let version = if is_shared {
            SHARED_PAYLOAD_VERSION
        } else {
            self.version
        };
        let payload = seal(payload, version);
        let mut ttl = itoa::Buffer::new();
        let words: [&[u8]; 6] = [
            b"RESTORE",
            &self.key,
            ttl.format(self.expire_at_ms).as_bytes(),
            &payload,
            b"ABSTTL",
            b"REPLACE",
        ];
        self.out.extend_from_slice(&slot_of(&self.key).to_le_bytes());
        let length_at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        put_request(&mut self.out, &words);
        let length = (self.out.len() - length_at - 4) as u32;
        self.out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
        self.keys += 1;
    }
}

impl Sink for Requests {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Header { magic, version } => {
                self.magic = magic;
                self.version = version as u16;
            }
            Event::Key(head) => self.begin_key(&head)?,
            // A stream is one without entries, too.
            Event::Element(_)
            | Event::Pair(..)
            | Event::ExpiringPair { .. }
            | Event::Scored(..)
            | Event::Stream(_) => {
                self.filled = true;
            }
            Event::EndKey => self.end_key(),
            _ => {}
        }
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) {
        if !self.skipped {
            self.payload.extend_from_slice(bytes);
        }
    }
}

fn put_request(out: &mut Vec<u8>, words: &[&[u8]]) {
    let mut number = itoa::Buffer::new();
    out.push(b'*');
    out.extend_from_slice(number.format(words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(b"\r\n$");
        out.extend_from_slice(number.format(word.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(word);
    }
    out.extend_from_slice(b"\r\n");
}
