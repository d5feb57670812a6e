//! What a file says, as bytes for another language: one after the other, the facts that make up its keys.
//!
//! A fact is a tag of a byte and what the tag asks for, numbers little endian, bytes behind their length of four. How
//! strings and collections were encoded is gone; what a module wrote is passed on as it stands in the file.

use crate::rdb::event::{ChecksumState, Event, KeyHead, ModuleEvent, Sink, StreamEvent, StreamId};
use crate::rdb::format::{self, Magic};
use crate::value::Element;

pub const HEADER: u8 = 1;
pub const AUX: u8 = 2;
pub const FUNCTION: u8 = 3;
pub const KEY: u8 = 4;
pub const STRING: u8 = 5;
pub const ELEMENT: u8 = 6;
pub const PAIR: u8 = 7;
pub const EXPIRING_PAIR: u8 = 8;
pub const SCORED: u8 = 9;
pub const ENTRY: u8 = 10;
pub const END_ENTRY: u8 = 11;
pub const STREAM_HEAD: u8 = 12;
pub const GROUP: u8 = 13;
pub const PENDING: u8 = 14;
pub const CONSUMER: u8 = 15;
pub const OWNED: u8 = 16;
pub const MODULE: u8 = 17;
pub const END_KEY: u8 = 18;
pub const END: u8 = 19;

/// Flags of a key.
pub const HAS_EXPIRY: u8 = 1;
pub const HAS_IDLE: u8 = 2;
pub const HAS_FREQ: u8 = 4;

/// The sink.
#[derive(Debug)]
pub struct Facts {
    out: Vec<u8>,
    module_bytes_max: u64,
    /// The value of the module at hand: name, version, bytes; longer than is kept, it is only counted.
    module: Option<(String, u16)>,
    raw: Vec<u8>,
    raw_bytes: u64,
}

impl Facts {
    /// A sink that keeps so many bytes of a module's value; of one that is longer, nothing but the length is told.
    pub fn new(module_bytes_max: u64) -> Self {
        Facts {
            out: Vec::new(),
            module_bytes_max,
            module: None,
            raw: Vec::new(),
            raw_bytes: 0,
        }
    }

    /// The facts since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.out.extend_from_slice(bytes);
    }

    fn element(&mut self, element: Element<'_>) {
        self.bytes(element.as_bytes(&mut itoa::Buffer::new()));
    }

    fn id(&mut self, id: StreamId) {
        self.out.extend_from_slice(&id.ms.to_le_bytes());
        self.out.extend_from_slice(&id.seq.to_le_bytes());
    }

    fn key(&mut self, head: &KeyHead<'_>) {
        let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
        let flags = flag(head.expire_at_ms.is_some(), HAS_EXPIRY)
            | flag(head.idle_s.is_some(), HAS_IDLE)
            | flag(head.freq.is_some(), HAS_FREQ);
        self.out
            .extend_from_slice(&[KEY, flags, head.rdb_type, head.freq.unwrap_or(0)]);
        self.out.extend_from_slice(&head.db.to_le_bytes());
        self.out.extend_from_slice(&head.offset.to_le_bytes());
        self.out
            .extend_from_slice(&head.expire_at_ms.unwrap_or(0).to_le_bytes());
        self.out
            .extend_from_slice(&head.idle_s.unwrap_or(0).to_le_bytes());
        self.bytes(head.key);
        self.bytes(format::type_name(head.rdb_type).unwrap_or_default().as_bytes());
        self.bytes(format::layout_name(head.rdb_type).as_bytes());
    }

    fn stream(&mut self, event: StreamEvent<'_>) {
        match event {
            StreamEvent::Entry(id) => {
                self.out.push(ENTRY);
                self.id(id);
            }
            StreamEvent::EndEntry => self.out.push(END_ENTRY),
            StreamEvent::Head(head) => {
                self.out.push(STREAM_HEAD);
                self.out.extend_from_slice(&head.length.to_le_bytes());
                self.id(head.last_id);
                self.out.push(u8::from(head.counters.is_some()));
                if let Some(counters) = head.counters {
                    self.id(counters.first_id);
                    self.id(counters.max_deleted_id);
                    self.out.extend_from_slice(&counters.entries_added.to_le_bytes());
                }
            }
            StreamEvent::Group {
                name,
                last_id,
                entries_read,
            } => {
                self.out.push(GROUP);
                self.id(last_id);
                self.out
                    .extend_from_slice(&entries_read.unwrap_or(-1).to_le_bytes());
                self.element(name);
            }
            StreamEvent::Pending {
                id,
                delivered_at_ms,
                deliveries,
            } => {
                self.out.push(PENDING);
                self.id(id);
                self.out.extend_from_slice(&delivered_at_ms.to_le_bytes());
                self.out.extend_from_slice(&deliveries.to_le_bytes());
            }
            StreamEvent::Consumer {
                name,
                seen_at_ms,
                active_at_ms,
            } => {
                self.out.push(CONSUMER);
                self.out.extend_from_slice(&seen_at_ms.to_le_bytes());
                // What Redis assumes of a file that does not say it.
                self.out
                    .extend_from_slice(&active_at_ms.unwrap_or(seen_at_ms).to_le_bytes());
                self.element(name);
            }
            StreamEvent::Owned(id) => {
                self.out.push(OWNED);
                self.id(id);
            }
        }
    }

    fn module(&mut self, event: ModuleEvent<'_>) {
        if let ModuleEvent::Begin { name, version } = event {
            self.module = Some((name.to_string(), version));
        }
    }

    /// A string, or an element of a collection.
    fn value(&mut self, event: Event<'_>) {
        match event {
            Event::String(text) => {
                self.out.push(STRING);
                self.element(text);
            }
            Event::Element(element) => {
                self.out.push(ELEMENT);
                self.element(element);
            }
            Event::Pair(field, value) => {
                self.out.push(PAIR);
                self.element(field);
                self.element(value);
            }
            Event::ExpiringPair {
                field,
                value,
                expire_at_ms,
            } => {
                self.out.push(EXPIRING_PAIR);
                self.out.extend_from_slice(&expire_at_ms.to_le_bytes());
                self.element(field);
                self.element(value);
            }
            Event::Scored(member, score) => {
                self.out.push(SCORED);
                self.out.extend_from_slice(&score.to_le_bytes());
                self.element(member);
            }
            _ => {}
        }
    }

    fn end_key(&mut self) {
        if let Some((name, version)) = self.module.take() {
            let raw = std::mem::take(&mut self.raw);
            self.out.push(MODULE);
            self.out.extend_from_slice(&version.to_le_bytes());
            self.out.extend_from_slice(&self.raw_bytes.to_le_bytes());
            self.bytes(name.as_bytes());
            self.bytes(&raw);
        }
        self.out.push(END_KEY);
    }
}

impl Sink for Facts {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Header { magic, version } => {
                self.out
                    .extend_from_slice(&[HEADER, u8::from(magic == Magic::Valkey)]);
                self.out.extend_from_slice(&version.to_le_bytes());
            }
            Event::Aux { key, value } => {
                self.out.push(AUX);
                self.bytes(key);
                self.bytes(value);
            }
            Event::Function(source) => {
                self.out.push(FUNCTION);
                self.bytes(source);
            }
            Event::Key(head) => {
                self.raw.clear();
                self.raw_bytes = 0;
                self.key(&head);
            }
            Event::String(_)
            | Event::Element(_)
            | Event::Pair(..)
            | Event::ExpiringPair { .. }
            | Event::Scored(..) => self.value(event),
            Event::Stream(event) => self.stream(event),
            Event::Module(event) => self.module(event),
            Event::EndKey => self.end_key(),
            Event::End(checksum) => {
                let state = match checksum {
                    ChecksumState::Right => 0,
                    ChecksumState::Disabled => 1,
                    ChecksumState::None => 2,
                };
                self.out.extend_from_slice(&[END, state]);
            }
            Event::SelectDb(_) | Event::ResizeDb { .. } | Event::ModuleAux { .. } | Event::KeyMetadata => {}
        }
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) {
        // The module's own name comes first, so that it is known by now.
        if self.module.is_none() {
            return;
        }
        self.raw_bytes += bytes.len() as u64;
        if self.raw_bytes <= self.module_bytes_max {
            self.raw.extend_from_slice(bytes);
        } else {
            self.raw = Vec::new();
        }
    }
}

impl super::Tool for Facts {}
