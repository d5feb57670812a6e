//! What is in a file: counts and sizes, without the values. Memory is that of the counts and of the biggest keys' names;
//! that a key comes twice is not noticed here.

mod report;

pub use report::{checksum_name, magic_name};

use super::blob::count_sound;
use super::event::{ChecksumState, Event, KeyHead, ModuleEvent, Sink};
use super::format::{self, Magic};
use crate::keyspace::slot::{SLOTS, slot_of};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// How many of the biggest keys are named, unless somebody asks for more or fewer.
pub const BIGGEST_KEYS: usize = 20;
/// Most keys that can be named.
pub const BIGGEST_KEYS_MAX: usize = 10_000;
/// Longest key, field of metadata, that is shown whole.
const SHOWN_BYTES_MAX: usize = 256;
/// Fields of metadata, libraries of functions and modules that are kept; databases that are counted by themselves.
const AUX_FIELDS_MAX: usize = 256;
const FUNCTIONS_MAX: usize = 1_000;
const MODULES_MAX: usize = 1_000;
const DATABASES_MAX: usize = 100_000;

/// Bounds of the classes of times to live, in milliseconds, and their names. Behind the last there is one more.
const LIFE_CLASSES: [(i64, &str); 7] = [
    (0, "past"),
    (60_000, "lessThanMinute"),
    (3_600_000, "lessThanHour"),
    (86_400_000, "lessThanDay"),
    (604_800_000, "lessThanWeek"),
    (2_592_000_000, "lessThan30Days"),
    (31_536_000_000, "lessThanYear"),
];

/// What to count.
#[derive(Clone, Copy, Debug)]
pub struct InspectOptions {
    /// Keys whose expiry is not after this count as expired.
    pub now_ms: i64,
    /// How many of the biggest keys are named; at most [`BIGGEST_KEYS_MAX`].
    pub biggest: usize,
    /// Whether keys are counted by slot.
    pub slots: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    keys: u64,
    elements: u64,
    bytes: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Big {
    bytes: u64,
    elements: u64,
    db: u64,
    key: Vec<u8>,
    rdb_type: u8,
}

/// A library of functions: how it names itself, and its size.
#[derive(Debug)]
struct Library {
    head: Vec<u8>,
    bytes: u64,
}

/// What a module has in the file: keys, and data of its own.
#[derive(Debug, Default)]
struct Module {
    versions: Vec<u16>,
    keys: u64,
    aux: u64,
}

/// The key at hand.
#[derive(Debug, Default)]
struct Current {
    /// In a buffer that is used again, and no longer than it is shown.
    key: Vec<u8>,
    db: u64,
    rdb_type: u8,
    slot: u16,
    bytes: u64,
    elements: u64,
}

/// The sink.
#[derive(Debug)]
pub struct Inspect {
    options: InspectOptions,
    magic: Option<Magic>,
    version: u32,
    aux: Vec<(Vec<u8>, Vec<u8>)>,
    functions: u64,
    libraries: Vec<Library>,
    modules: BTreeMap<String, Module>,
    key_metadata: u64,
    checksum: Option<ChecksumState>,
    by_type: Box<[Sum; 256]>,
    /// The last of them, as databases come one after the other, and the others.
    database: (u64, u64),
    by_database: BTreeMap<u64, u64>,
    keys: u64,
    lives: [u64; LIFE_CLASSES.len() + 1],
    by_slot: Vec<Sum>,
    biggest: BinaryHeap<Reverse<Big>>,
    current: Current,
}

impl Inspect {
    /// A sink that names [`BIGGEST_KEYS`] keys. Keys whose expiry is not after `now_ms` count as expired.
    pub fn new(now_ms: i64) -> Self {
        Inspect::with_options(InspectOptions {
            now_ms,
            biggest: BIGGEST_KEYS,
            slots: false,
        })
    }

    /// A sink.
    pub fn with_options(options: InspectOptions) -> Self {
        let slots = if options.slots { usize::from(SLOTS) } else { 0 };
        Inspect {
            options,
            magic: None,
            version: 0,
            aux: Vec::new(),
            functions: 0,
            libraries: Vec::new(),
            modules: BTreeMap::new(),
            key_metadata: 0,
            checksum: None,
            by_type: Box::new([Sum::default(); 256]),
            database: (0, 0),
            by_database: BTreeMap::new(),
            keys: 0,
            lives: [0; LIFE_CLASSES.len() + 1],
            by_slot: vec![Sum::default(); slots],
            biggest: BinaryHeap::new(),
            current: Current::default(),
        }
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) {
        if let Some(ms) = head.expire_at_ms {
            let left = ms.saturating_sub(self.options.now_ms);
            let class = LIFE_CLASSES.iter().position(|(bound, _)| match bound {
                0 => left <= 0,
                bound => left < *bound,
            });
            self.lives[class.unwrap_or(LIFE_CLASSES.len())] += 1;
        }
        if head.db != self.database.0 {
            self.end_database();
            self.database.0 = head.db;
        }
        self.database.1 += 1;
        let current = &mut self.current;
        current.key.clear();
        current
            .key
            .extend_from_slice(&head.key[..head.key.len().min(SHOWN_BYTES_MAX)]);
        (current.db, current.rdb_type) = (head.db, head.rdb_type);
        (current.bytes, current.elements) = (head.key.len() as u64, 0);
        if self.options.slots {
            current.slot = slot_of(head.key);
        }
    }

    fn end_key(&mut self) {
        let Current {
            rdb_type,
            slot,
            bytes,
            elements,
            ..
        } = self.current;
        self.keys += 1;
        let add = |sum: &mut Sum| {
            sum.keys += 1;
            sum.elements += elements;
            sum.bytes += bytes;
        };
        add(&mut self.by_type[usize::from(rdb_type)]);
        if let Some(sum) = self.by_slot.get_mut(usize::from(slot)) {
            add(sum);
        }
        let is_full = self.biggest.len() >= self.options.biggest.min(BIGGEST_KEYS_MAX);
        let is_small = self
            .biggest
            .peek()
            .is_none_or(|Reverse(least)| least.bytes >= bytes);
        if !(is_full && is_small) {
            self.name_key(is_full);
        }
    }

    fn name_key(&mut self, is_full: bool) {
        if is_full {
            self.biggest.pop();
        }
        let current = &self.current;
        self.biggest.push(Reverse(Big {
            bytes: current.bytes,
            elements: current.elements,
            db: current.db,
            key: current.key.clone(),
            rdb_type: current.rdb_type,
        }));
    }

    fn end_database(&mut self) {
        let (db, keys) = std::mem::take(&mut self.database);
        let is_counted = self.by_database.len() < DATABASES_MAX || self.by_database.contains_key(&db);
        if keys > 0 && is_counted {
            *self.by_database.entry(db).or_default() += keys;
        }
    }

    fn module(&mut self, name: &str, version: u16) -> Option<&mut Module> {
        if self.modules.len() >= MODULES_MAX && !self.modules.contains_key(name) {
            return None;
        }
        let module = self.modules.entry(name.to_string()).or_default();
        if !module.versions.contains(&version) {
            module.versions.push(version);
        }
        Some(module)
    }

    fn library(&mut self, source: &[u8]) {
        self.functions += 1;
        if self.libraries.len() < FUNCTIONS_MAX {
            let line = source.split(|byte| *byte == b'\n').next().unwrap_or_default();
            self.libraries.push(Library {
                head: shown(line),
                bytes: source.len() as u64,
            });
        }
    }
}

fn shown(text: &[u8]) -> Vec<u8> {
    text[..text.len().min(SHOWN_BYTES_MAX)].to_vec()
}

impl Sink for Inspect {
    #[inline]
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::String(_)
            | Event::Element(_)
            | Event::Pair(..)
            | Event::ExpiringPair { .. }
            | Event::Scored(..) => self.current.elements += 1,
            Event::Key(head) => self.begin_key(&head),
            Event::EndKey => self.end_key(),
            Event::Header { magic, version } => {
                self.magic = Some(magic);
                self.version = version;
            }
            Event::Aux { key, value } if self.aux.len() < AUX_FIELDS_MAX => {
                self.aux.push((shown(key), shown(value)));
            }
            Event::Function(source) => self.library(source),
            Event::Module(ModuleEvent::Begin { name, version }) => {
                if let Some(module) = self.module(name, version) {
                    module.keys += 1;
                }
            }
            Event::ModuleAux { name, version } => {
                if let Some(module) = self.module(name, version) {
                    module.aux += 1;
                }
            }
            Event::KeyMetadata => self.key_metadata += 1,
            Event::End(checksum) => {
                self.end_database();
                self.checksum = Some(checksum);
            }
            _ => {}
        }
        Ok(())
    }

    /// Nobody asks here what the entries are. Of a structure that is not sound, the reader says why.
    fn pack(&mut self, rdb_type: u8, blob: &[u8]) -> bool {
        let entries = match rdb_type {
            format::HASH_LISTPACK | format::LIST_QUICKLIST_2 | format::SET_LISTPACK => count_sound(blob),
            _ => None,
        };
        let elements = match (rdb_type, entries) {
            (_, None) => return false,
            (format::HASH_LISTPACK, Some(entries)) if entries % 2 == 0 => entries / 2,
            (format::HASH_LISTPACK, Some(_)) => return false,
            (_, Some(entries)) => entries,
        };
        self.current.elements += elements;
        true
    }

    #[inline]
    fn raw(&mut self, bytes: &[u8]) {
        self.current.bytes += bytes.len() as u64;
    }
}
