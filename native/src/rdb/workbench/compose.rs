//! A file from the keys that another language has: the facts of [`super::facts`], the other way round.

use super::digest;
use super::duplicates::Duplicates;
use super::facts;
use super::file::FileWriter;
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::event::{Event, KeyHead, Sink, StreamCounters, StreamEvent, StreamHead, StreamId};
use crate::rdb::format::{self, Magic};
use crate::rdb::load::{Builder, Fidelity};
use crate::rdb::reader::ValueBody;
use crate::value::{Element, LimitsRef};
use std::path::PathBuf;

/// What to write.
#[derive(Clone, Debug)]
pub struct ComposeOptions {
    /// Version, one of [`crate::rdb::write::VERSIONS`].
    pub version: u32,
    /// Whether strings are compressed.
    pub compress: bool,
    /// Metadata.
    pub aux: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where temporary files go.
    pub folder: PathBuf,
}

/// The key at hand.
#[derive(Debug)]
struct Current {
    db: u64,
    key: Vec<u8>,
    rdb_type: u8,
    expire_at_ms: Option<i64>,
    idle_s: Option<u64>,
    freq: Option<u8>,
    value: CurrentValue,
}

#[derive(Debug)]
enum CurrentValue {
    Built(Builder),
    Module(Vec<u8>),
}

/// The writer.
#[derive(Debug)]
pub struct Compose {
    file: FileWriter,
    keys: Duplicates,
    count: u64,
    current: Option<Current>,
}

impl Compose {
    /// A file without keys.
    pub fn new(options: ComposeOptions) -> Self {
        let mut file = FileWriter::new(options.version, options.compress);
        for (key, value) in &options.aux {
            file.aux(key, value);
        }
        Compose {
            file,
            keys: Duplicates::new(options.folder),
            count: 0,
            current: None,
        }
    }

    /// Keys and bytes written.
    pub fn counts(&self) -> [u64; 2] {
        [self.count, self.file.bytes()]
    }

    /// Takes whole facts; gives the bytes of the file that are complete.
    ///
    /// # Errors
    /// Why something cannot be written.
    pub fn push(&mut self, mut facts: &[u8]) -> Result<Vec<u8>, String> {
        while let Some((tag, rest)) = facts.split_first() {
            let mut fact = Fact(rest);
            self.fact(*tag, &mut fact)?;
            facts = fact.0;
        }
        Ok(self.file.take(0))
    }

    /// The end of the file.
    ///
    /// # Errors
    /// When a key came twice, or is not complete.
    pub fn finish(&mut self) -> Result<Vec<u8>, String> {
        if let Some(current) = &self.current {
            return Err(format!("key '{}' has no end", current.key.escape_ascii()));
        }
        match self.keys.finish() {
            Err(error) => Err(format!("temporary file: {error}")),
            Ok(Some(number)) => Err(format!("key number {number} has come before")),
            Ok(None) => Ok(self.file.finish()),
        }
    }

    fn fact(&mut self, tag: u8, fact: &mut Fact<'_>) -> Result<(), String> {
        match tag {
            facts::FUNCTION => self.file.function(fact.bytes()?),
            facts::KEY => self.begin_key(fact),
            facts::END_KEY => self.end_key(),
            facts::MODULE => {
                let raw = fact.bytes()?;
                let current = self.current.as_mut().ok_or("a module's value without a key")?;
                check_module(raw)
                    .map_err(|reason| format!("key '{}': {reason}", current.key.escape_ascii()))?;
                current.value = CurrentValue::Module(raw.to_vec());
                Ok(())
            }
            _ => {
                let event = event_of(tag, fact)?;
                match &mut self.current {
                    Some(Current {
                        value: CurrentValue::Built(builder),
                        key,
                        ..
                    }) => builder
                        .event(event)
                        .map_err(|reason| format!("key '{}': {reason}", key.escape_ascii())),
                    _ => Err("element without a key".into()),
                }
            }
        }
    }

    fn begin_key(&mut self, fact: &mut Fact<'_>) -> Result<(), String> {
        let [flags, rdb_type, freq] = fact.array()?;
        let (db, expire_at_ms, idle_s) = (fact.u64()?, fact.u64()? as i64, fact.u64()?);
        let key = fact.bytes()?.to_vec();
        let known = self.keys.add(digest::of_key(db, &key), self.count + 1);
        if known.map_err(|error| format!("temporary file: {error}"))? {
            return Err(format!("key '{}' comes twice", key.escape_ascii()));
        }
        let value = match rdb_type {
            format::MODULE_2 => CurrentValue::Module(Vec::new()),
            _ => CurrentValue::Built(Builder::new(rdb_type, Fidelity::Limits, LimitsRef::default())?),
        };
        self.current = Some(Current {
            db,
            key,
            rdb_type,
            expire_at_ms: (flags & facts::HAS_EXPIRY != 0).then_some(expire_at_ms),
            idle_s: (flags & facts::HAS_IDLE != 0).then_some(idle_s),
            freq: (flags & facts::HAS_FREQ != 0).then_some(freq),
            value,
        });
        Ok(())
    }

    fn end_key(&mut self) -> Result<(), String> {
        let current = self.current.take().ok_or("the end of no key")?;
        let head = KeyHead {
            db: current.db,
            key: &current.key,
            rdb_type: current.rdb_type,
            expire_at_ms: current.expire_at_ms,
            idle_s: current.idle_s,
            freq: current.freq,
            offset: 0,
        };
        self.file.select(current.db);
        let is_written = match current.value {
            CurrentValue::Built(builder) => self.file.value(&head, &builder.finish())?,
            CurrentValue::Module(raw) => {
                self.file.attributes(&head);
                self.file.encoder.out.push(format::MODULE_2);
                self.file.encoder.text(head.key);
                self.file.encoder.out.extend_from_slice(&raw);
                true
            }
        };
        self.count += u64::from(is_written);
        Ok(())
    }
}

/// Checks that these bytes are a module's value and nothing more.
fn check_module(raw: &[u8]) -> Result<(), String> {
    struct Nobody;
    impl Sink for Nobody {
        fn event(&mut self, _event: Event<'_>) -> Result<(), String> {
            Ok(())
        }
    }
    let mut body = ValueBody::new(format::MODULE_2, Magic::Redis);
    let mut read = 0;
    loop {
        let mut cursor = Cursor::new(&raw[read..], read as u64);
        let complete = match body.step(&mut cursor, &mut Nobody) {
            Ok(complete) => complete,
            Err(Stop::Need(_)) => return Err("the module's value is cut".into()),
            Err(Stop::Bad(error)) => return Err(error.to_string()),
        };
        read += cursor.read();
        if complete {
            break;
        }
    }
    if read < raw.len() {
        return Err("bytes follow the module's value".into());
    }
    Ok(())
}

/// The rest of the facts.
struct Fact<'a>(&'a [u8]);

impl<'a> Fact<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("a fact is cut")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, String> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn bytes(&mut self) -> Result<&'a [u8], String> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(length as usize)
    }

    fn element(&mut self) -> Result<Element<'a>, String> {
        Ok(Element::Bytes(self.bytes()?))
    }

    fn id(&mut self) -> Result<StreamId, String> {
        Ok(StreamId {
            ms: self.u64()?,
            seq: self.u64()?,
        })
    }
}

fn event_of<'a>(tag: u8, fact: &mut Fact<'a>) -> Result<Event<'a>, String> {
    Ok(match tag {
        facts::STRING => Event::String(fact.element()?),
        facts::ELEMENT => Event::Element(fact.element()?),
        facts::PAIR => Event::Pair(fact.element()?, fact.element()?),
        facts::EXPIRING_PAIR => {
            let expire_at_ms = fact.u64()?;
            Event::ExpiringPair {
                field: fact.element()?,
                value: fact.element()?,
                expire_at_ms,
            }
        }
        facts::SCORED => {
            let score = f64::from_le_bytes(fact.array()?);
            if score.is_nan() {
                return Err("score is not a number".into());
            }
            Event::Scored(fact.element()?, score)
        }
        _ => Event::Stream(stream_event_of(tag, fact)?),
    })
}

fn stream_event_of<'a>(tag: u8, fact: &mut Fact<'a>) -> Result<StreamEvent<'a>, String> {
    Ok(match tag {
        facts::ENTRY => StreamEvent::Entry(fact.id()?),
        facts::END_ENTRY => StreamEvent::EndEntry,
        facts::STREAM_HEAD => {
            let (length, last_id) = (fact.u64()?, fact.id()?);
            let [has_counters] = fact.array()?;
            let counters = match has_counters {
                0 => None,
                _ => Some(StreamCounters {
                    first_id: fact.id()?,
                    max_deleted_id: fact.id()?,
                    entries_added: fact.u64()?,
                }),
            };
            StreamEvent::Head(StreamHead {
                length,
                last_id,
                counters,
            })
        }
        facts::GROUP => {
            let (last_id, entries_read) = (fact.id()?, fact.i64()?);
            StreamEvent::Group {
                name: fact.element()?,
                last_id,
                entries_read: Some(entries_read),
            }
        }
        facts::PENDING => StreamEvent::Pending {
            id: fact.id()?,
            delivered_at_ms: fact.i64()?,
            deliveries: fact.u64()?,
        },
        facts::CONSUMER => {
            let (seen_at_ms, active_at_ms) = (fact.i64()?, fact.i64()?);
            StreamEvent::Consumer {
                name: fact.element()?,
                seen_at_ms,
                active_at_ms: Some(active_at_ms),
            }
        }
        facts::OWNED => StreamEvent::Owned(fact.id()?),
        other => return Err(format!("unknown fact {other}")),
    })
}
