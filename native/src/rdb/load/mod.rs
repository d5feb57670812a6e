//! From a file into a keyspace.
//!
//! The values are built in a keyspace of their own, which takes the place of the target's content only when the end of
//! the file has been read and its checksum fits: a damaged file leaves the target as it was.

mod build;
mod stream;

pub use build::{Builder, Built, Fidelity, refusal};

use super::event::{Event, KeyHead, Sink, StreamId};
use super::write::EXACT_FIELD;
use crate::keyspace::{Expiry, Keyspace, Scope, Usage};

/// A clock before every expiry: no key is due while the file is being read.
const BEFORE_EVERYTHING_MS: i64 = i64::MIN + 1;

/// Metadata that is kept: so many fields, none longer than so many bytes. That of an exact snapshot is kept whole.
const AUX_FIELDS_MAX: usize = 1024;
const AUX_BYTES_MAX: usize = 1 << 16;

/// What to load.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// Load the keys of this database and leave out the others. `None`: load database 0, and refuse a file that has
    /// keys in others.
    pub db: Option<u64>,
    /// Keys whose expiry is not after this Unix millisecond are left out, unless the file is an exact snapshot.
    pub now_ms: i64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadStats {
    /// Keys loaded.
    pub keys: u64,
    /// Keys left out because they had expired.
    pub expired: u64,
    /// Keys left out because nothing was in them.
    pub empty: u64,
    /// Keys of other databases left out.
    pub other_databases: u64,
    /// Libraries of functions left out: nothing here could run them.
    pub functions: u64,
}

/// The sink.
#[derive(Debug)]
pub struct Loader {
    options: LoadOptions,
    shadow: Keyspace,
    fidelity: Fidelity,
    aux: Vec<(Vec<u8>, Vec<u8>)>,
    stats: LoadStats,
    /// The key at hand; `None` while a key is left out.
    builder: Option<Builder>,
    key: Vec<u8>,
    expiry: Expiry,
    usage: Option<Usage>,
    complete: bool,
}

impl Loader {
    /// A loader at the beginning of a file.
    pub fn new(options: LoadOptions) -> Self {
        Loader::with_shadow(options, Keyspace::with_log_clock(BEFORE_EVERYTHING_MS))
    }

    /// As [`Loader::new`], for this keyspace: the values take the forms that its limits ask for, and of their use is
    /// remembered what it remembers.
    pub fn for_keyspace(options: LoadOptions, target: &Keyspace) -> Self {
        let shadow = Keyspace::with_log_clock(BEFORE_EVERYTHING_MS).limited(target.limits());
        Loader::with_shadow(options, shadow.remembering_as(target))
    }

    fn with_shadow(options: LoadOptions, shadow: Keyspace) -> Self {
        Loader {
            options,
            shadow,
            fidelity: Fidelity::Limits,
            aux: Vec::new(),
            stats: LoadStats::default(),
            builder: None,
            key: Vec::new(),
            expiry: Expiry::Never,
            usage: None,
            complete: false,
        }
    }

    /// Metadata, in the order of the file.
    pub fn aux(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.aux
    }

    /// What has been loaded so far.
    pub fn stats(&self) -> LoadStats {
        self.stats
    }

    /// Puts what was loaded in the place of the target's content. Says whether it did: not before the end of the file.
    pub fn commit(self, target: &Keyspace) -> bool {
        if self.complete {
            target.replace_with(self.shadow);
        }
        self.complete
    }

    fn aux_field(&mut self, key: &[u8], value: &[u8]) {
        if key == EXACT_FIELD {
            self.fidelity = Fidelity::Exact;
        }
        let is_short = key.len() + value.len() <= AUX_BYTES_MAX;
        if self.fidelity == Fidelity::Exact || (is_short && self.aux.len() < AUX_FIELDS_MAX) {
            self.aux.push((key.to_vec(), value.to_vec()));
        }
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) -> Result<(), String> {
        self.builder = None;
        match self.options.db {
            Some(db) if db != head.db => {
                self.stats.other_databases += 1;
                return Ok(());
            }
            None if head.db != 0 => {
                return Err(format!(
                    "database {} has keys, and only database 0 can be loaded",
                    head.db
                ));
            }
            _ => {}
        }
        let is_due = head.expire_at_ms.is_some_and(|ms| ms <= self.options.now_ms);
        if is_due && self.fidelity != Fidelity::Exact {
            self.stats.expired += 1;
            return Ok(());
        }
        self.builder = Some(Builder::new(head.rdb_type, self.fidelity, self.shadow.limits())?);
        self.expiry = head.expire_at_ms.map_or(Expiry::Never, Expiry::At);
        self.usage = usage_of(head);
        self.key.clear();
        self.key.extend_from_slice(head.key);
        if self.shadow.db_for(&self.key).exists(&self.key) {
            return Err("key comes twice".into());
        }
        build::check_length(head.key)
    }

    fn end_key(&mut self) {
        let Some(builder) = self.builder.take() else {
            return;
        };
        let key = &self.key[..];
        let mut db = self.shadow.db(Scope::Keys(&[key]));
        match builder.finish() {
            Built::Str(text) => db.put_string(key, &text, self.expiry),
            Built::Value(value) => db.put(key, value, self.expiry),
            Built::Nothing => {
                self.stats.empty += 1;
                return;
            }
        }
        if let Some(usage) = self.usage {
            db.set_usage(key, usage);
        }
        self.stats.keys += 1;
    }
}

/// What a file says of the use of a key. One that is written under a policy has what that policy goes by.
fn usage_of(head: &KeyHead<'_>) -> Option<Usage> {
    let idle = |seconds| Usage::IdleSeconds(u32::try_from(seconds).unwrap_or(u32::MAX));
    let frequency = || head.freq.map(|counter| Usage::Frequency(u32::from(counter)));
    head.idle_s.map(idle).or_else(frequency)
}

impl Sink for Loader {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Aux { key, value } => self.aux_field(key, value),
            Event::Function(_) => self.stats.functions += 1,
            Event::Key(head) => self.begin_key(&head)?,
            Event::EndKey => self.end_key(),
            Event::End(_) => self.complete = true,
            other => {
                if let Some(builder) = &mut self.builder {
                    builder.event(other)?;
                }
            }
        }
        Ok(())
    }

    fn pack(&mut self, rdb_type: u8, blob: &[u8]) -> bool {
        match &mut self.builder {
            // Nobody looks at the elements of a key that is left out, but they have to be sound all the same.
            None => false,
            Some(builder) => builder.pack(rdb_type, blob),
        }
    }

    fn stream_node(&mut self, master: StreamId, blob: &[u8]) -> bool {
        match &mut self.builder {
            None => false,
            Some(builder) => builder.stream_node(master, blob),
        }
    }
}
