//! From a file into a keyspace.
//!
//! The values are built apart, in nurseries ([`crate::keyspace::Nursery`]), which take the place of the target's content only
//! when the end of the file has been read and its checksum fits: a damaged file leaves the target as it was.
//!
//! A [`crate::rdb::Reader`] tells the [`Loader`] keys, and has it carry the bytes of their values to the hands that build them
//! ([`crew`]): for a reader it is the least work to know where a value ends, and the rest is divided among threads. What is
//! left out is read by the reader itself, since it has to be sound as well.

mod build;
mod crew;
mod hand;
mod long;
mod stream;

pub use build::{Builder, Built, Fidelity, refusal};

use super::RdbError;
use super::event::{Event, KeyHead, Sink};
use super::format::Magic;
use super::write::EXACT_FIELD;
use crate::keyspace::{Expiry, Keyspace, NurseryPlan, Usage, hash_of};
use crew::Crew;
use hand::Key;

/// Keys for which room is made at once, at most: one for so many bytes of the file, whatever it says.
const BYTES_PER_KEY: u64 = 16;
/// Files up to this size are not worth a second hand.
const SMALL_BYTES: u64 = if cfg!(any(test, fuzzing)) { 16 } else { 1 << 18 };

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
    /// Of nurseries for no keys: what all have in common.
    target: NurseryPlan,
    magic: Magic,
    fidelity: Fidelity,
    aux: Vec<(Vec<u8>, Vec<u8>)>,
    stats: LoadStats,
    /// Of the file, where they are known.
    bytes: Option<u64>,
    /// Keys that the file promises.
    promised: u64,
    /// There from the first key on that is not left out.
    crew: Option<Crew>,
    /// Whether the key at hand is not left out.
    is_wanted: bool,
    complete: bool,
}

impl Loader {
    /// A loader at the beginning of a file.
    pub fn new(options: LoadOptions) -> Self {
        Loader::for_keyspace(options, &Keyspace::new())
    }

    /// As [`Loader::new`], for this keyspace: the values take the forms that its limits ask for, and of their use is
    /// remembered what it remembers.
    pub fn for_keyspace(options: LoadOptions, target: &Keyspace) -> Self {
        Loader {
            options,
            target: target.plan_nurseries(1, 0),
            magic: Magic::Redis,
            fidelity: Fidelity::Limits,
            aux: Vec::new(),
            stats: LoadStats::default(),
            bytes: None,
            promised: 0,
            crew: None,
            is_wanted: false,
            complete: false,
        }
    }

    /// The loader of a file of so many bytes: room is made for the keys that it promises, as far as so many bytes can hold
    /// them.
    pub fn of_bytes(self, bytes: u64) -> Self {
        Loader {
            bytes: Some(bytes),
            ..self
        }
    }

    /// Metadata, in the order of the file.
    pub fn aux(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.aux
    }

    /// What was loaded, once the end of the file has been read.
    pub fn stats(&self) -> LoadStats {
        let counts = self.crew.as_ref().map(Crew::counts).unwrap_or_default();
        LoadStats {
            keys: counts.keys,
            empty: counts.empty,
            ..self.stats
        }
    }

    /// Waits until all that has been read is built.
    ///
    /// # Errors
    /// The first fault of a value. That the file has no end is for the reader to say.
    pub fn finish(&mut self) -> Result<(), RdbError> {
        self.crew.as_mut().map_or(Ok(()), Crew::finish)
    }

    /// Puts what was loaded in the place of the target's content. Says whether it did: not before the end of the file.
    pub fn commit(self, target: &Keyspace) -> bool {
        if self.complete {
            let nurseries = match self.crew {
                Some(crew) => crew.into_nurseries(),
                None => self.target.nurseries(),
            };
            target.replace_with_nurseries(nurseries);
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
        self.is_wanted = false;
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
        if let Some(reason) = refusal(head.rdb_type) {
            return Err(reason.into());
        }
        let key = Key {
            hash: hash_of(head.key),
            bytes: head.key.len(),
            rdb_type: head.rdb_type,
            magic: self.magic,
            fidelity: self.fidelity,
            expiry: head.expire_at_ms.map_or(Expiry::Never, Expiry::At),
            usage: usage_of(head),
            offset: head.offset,
            value_offset: 0,
        };
        self.is_wanted = true;
        self.crew().begin(key, head.key);
        Ok(())
    }

    fn crew(&mut self) -> &mut Crew {
        let (target, bytes, promised) = (self.target, self.bytes, self.promised);
        self.crew.get_or_insert_with(|| {
            let held = bytes.map_or(0, |bytes| promised.min(bytes / BYTES_PER_KEY));
            let is_small = bytes.is_some_and(|bytes| bytes < SMALL_BYTES);
            let hands = if is_small { 1 } else { crew::hands() };
            Crew::new(target.divided(hands, held as usize), bytes.unwrap_or(0))
        })
    }

    fn end_key(&mut self) -> Result<(), String> {
        let Some(crew) = self.crew.as_mut().filter(|_| self.is_wanted) else {
            return Ok(());
        };
        crew.end();
        if crew.is_over() {
            return Err("a value before this is damaged".into());
        }
        Ok(())
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
            Event::Header { magic, .. } => self.magic = magic,
            Event::Aux { key, value } => self.aux_field(key, value),
            Event::ResizeDb { keys, .. } => self.promised = self.promised.max(keys),
            Event::Function(_) => self.stats.functions += 1,
            Event::Key(head) => self.begin_key(&head)?,
            Event::EndKey => self.end_key()?,
            Event::End(_) => {
                self.finish().map_err(|error| error.reason)?;
                self.complete = true;
            }
            // Of keys that are left out.
            _ => {}
        }
        Ok(())
    }

    fn carries(&mut self) -> bool {
        self.is_wanted
    }

    fn carried(&mut self, offset: u64, bytes: &[u8]) {
        if let Some(crew) = &mut self.crew {
            crew.more(offset, bytes);
        }
    }

    fn earlier_fault(&mut self) -> Option<RdbError> {
        self.finish().err()
    }
}
