//! A file as `RESTORE` requests, one for each key, for a store that takes its keys one by one. The values are copied
//! as the file holds them, having been checked on the way, unless the receiver is too old for their form.

use super::event::{Event, KeyHead, Sink};
use super::filter::Filter;
use super::format::{self, HASH_METADATA_PRE_GA, Magic, type_name};
use super::load::refusal;
use super::payload::{self, seal};
use crate::keyspace::slot::slot_of;

/// The version in the payloads of a `VALKEY` file, whose types are those of version 11. The one that is not, a hash with
/// expiries, goes under the file's own version.
const SHARED_PAYLOAD_VERSION: u16 = 11;
/// In the place of a slot: the record is no request but names a key that cannot be sent, and says why.
pub const REFUSED: u16 = u16::MAX;

/// What the requests are for.
#[derive(Clone, Debug, Default)]
pub struct RequestOptions {
    /// Keys whose expiry is not after this Unix millisecond are left out.
    pub now_ms: i64,
    /// Keys that it does not want are left out. Without a database in it, a file whose wanted keys are not all in
    /// database 0 is refused.
    pub filter: Filter,
    /// Put before every key.
    pub prefix: Vec<u8>,
    /// The newest version whose payloads the receiver reads; `None`: all that are known here. Values whose type is newer
    /// are encoded anew.
    pub version: Option<u32>,
    /// A key that cannot be sent becomes a [`REFUSED`] record. Otherwise it ends the reading.
    pub names_refused: bool,
    /// Whether the receiver may know the modules whose values are in the file.
    pub has_modules: bool,
}

/// What has been made of the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestStats {
    /// Requests.
    pub keys: u64,
    /// Keys left out because they had expired.
    pub expired: u64,
    /// Keys left out because nothing was in them.
    pub empty: u64,
    /// Keys left out because the filter does not want them.
    pub unwanted: u64,
    /// Keys that cannot be sent.
    pub refused: u64,
    /// Libraries of functions, which are not sent.
    pub functions: u64,
    /// Records of what modules keep beside keys, or with them, which are not sent.
    pub module_data: u64,
}

/// The sink. Its records are `slot:u16 length:u32`, little endian, and so many bytes of RESP: `RESTORE key ttl payload
/// ABSTTL REPLACE` with `IDLETIME` or `FREQ` where the file has it; in a [`REFUSED`] record, the key and the reason.
#[derive(Debug)]
pub struct Requests {
    options: RequestOptions,
    version: u16,
    magic: Magic,
    key: Vec<u8>,
    expire_at_ms: i64,
    usage: Option<(&'static [u8], u64)>,
    payload: Vec<u8>,
    /// Whether the key at hand is left out.
    skipped: bool,
    /// Whether the key at hand has anything in it.
    filled: bool,
    out: Vec<u8>,
    stats: RequestStats,
}

impl Requests {
    /// A sink for all keys. Those whose expiry is not after `now_ms` are left out, and so are empty collections.
    pub fn new(now_ms: i64) -> Self {
        Requests::with(RequestOptions {
            now_ms,
            ..RequestOptions::default()
        })
    }

    /// A sink.
    pub fn with(options: RequestOptions) -> Self {
        Requests {
            options,
            version: 0,
            magic: Magic::Redis,
            key: Vec::new(),
            expire_at_ms: 0,
            usage: None,
            payload: Vec::new(),
            skipped: false,
            filled: false,
            out: Vec::new(),
            stats: RequestStats::default(),
        }
    }

    /// The complete records since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Requests made so far.
    pub fn keys(&self) -> u64 {
        self.stats.keys
    }

    /// What has been made of the keys so far.
    pub fn stats(&self) -> RequestStats {
        self.stats
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) -> Result<(), String> {
        self.skipped = true;
        self.payload.clear();
        let filter = &self.options.filter;
        if !filter.wants(head) {
            self.stats.unwanted += 1;
            return Ok(());
        }
        if filter.db.is_none() && head.db != 0 {
            return Err(format!(
                "database {} has keys, and only database 0 can be loaded",
                head.db
            ));
        }
        if head.expire_at_ms.is_some_and(|ms| ms <= self.options.now_ms) {
            self.stats.expired += 1;
            return Ok(());
        }
        self.key.clear();
        self.key.extend_from_slice(&self.options.prefix);
        self.key.extend_from_slice(head.key);
        if let Some(reason) = refusal(head.rdb_type).filter(|_| !self.options.has_modules) {
            return self.refuse(reason.into());
        }
        self.skipped = false;
        self.filled = matches!(type_name(head.rdb_type), Some("string" | "module"));
        self.expire_at_ms = head.expire_at_ms.unwrap_or(0);
        self.usage = usage_of(head);
        self.payload.push(head.rdb_type);
        Ok(())
    }

    fn refuse(&mut self, reason: String) -> Result<(), String> {
        if !self.options.names_refused {
            return Err(reason);
        }
        self.stats.refused += 1;
        let words: [&[u8]; 2] = [&self.key, reason.as_bytes()];
        put_record(&mut self.out, REFUSED, &words);
        Ok(())
    }

    fn end_key(&mut self) -> Result<(), String> {
        if self.skipped {
            return Ok(());
        }
        if !self.filled {
            self.stats.empty += 1;
            return Ok(());
        }
        let body = std::mem::take(&mut self.payload);
        let payload = match self.payload_of(body) {
            Ok(payload) => payload,
            Err(reason) => return self.refuse(reason),
        };
        let (mut ttl, mut usage) = (itoa::Buffer::new(), itoa::Buffer::new());
        let mut words: Vec<&[u8]> = vec![
            b"RESTORE",
            &self.key,
            ttl.format(self.expire_at_ms).as_bytes(),
            &payload,
            b"ABSTTL",
            b"REPLACE",
        ];
        if let Some((name, amount)) = self.usage {
            words.extend([name, usage.format(amount).as_bytes()]);
        }
        put_record(&mut self.out, slot_of(&self.key), &words);
        self.stats.keys += 1;
        Ok(())
    }

    /// The value with the footer of a version that the receiver reads, in a form that this version has.
    fn payload_of(&self, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let rdb_type = body.first().copied().unwrap_or_default();
        let is_own_form = self.magic == Magic::Valkey && rdb_type == HASH_METADATA_PRE_GA;
        let written = if self.magic == Magic::Redis || is_own_form {
            self.version
        } else {
            SHARED_PAYLOAD_VERSION
        };
        let readable = match self.options.version {
            None => return Ok(seal(body, written)),
            Some(version @ format::OLDEST_VALKEY_VERSION..=format::NEWEST_VALKEY_VERSION)
                if self.magic == Magic::Valkey =>
            {
                return Ok(seal(body, written.min(version as u16)));
            }
            Some(format::OLDEST_VALKEY_VERSION..=format::NEWEST_VALKEY_VERSION) => {
                u32::from(SHARED_PAYLOAD_VERSION)
            }
            Some(version) => version,
        };
        if !is_own_form && format::oldest_version(rdb_type) <= readable {
            return Ok(seal(body, written.min(readable as u16)));
        }
        payload::rewrite(&body, self.magic, readable)
    }
}

impl Sink for Requests {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Header { magic, version } => {
                self.magic = magic;
                self.version = version as u16;
            }
            Event::Function(_) => self.stats.functions += 1,
            Event::ModuleAux { .. } | Event::KeyMetadata => self.stats.module_data += 1,
            Event::Key(head) => self.begin_key(&head)?,
            // A stream is one without entries, too.
            Event::Element(_)
            | Event::Pair(..)
            | Event::ExpiringPair { .. }
            | Event::Scored(..)
            | Event::Stream(_) => {
                self.filled = true;
            }
            Event::EndKey => self.end_key()?,
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

/// One of the two, as `RESTORE` takes no more.
fn usage_of(head: &KeyHead<'_>) -> Option<(&'static [u8], u64)> {
    let idle = head
        .idle_s
        .map(|seconds| (b"IDLETIME".as_slice(), seconds.min(i64::MAX as u64)));
    idle.or_else(|| head.freq.map(|count| (b"FREQ".as_slice(), u64::from(count))))
}

fn put_record(out: &mut Vec<u8>, slot: u16, words: &[&[u8]]) {
    out.extend_from_slice(&slot.to_le_bytes());
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    put_request(out, words);
    let length = (out.len() - length_at - 4) as u32;
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
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
