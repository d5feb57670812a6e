//! The value of one key, of any type, read element by element.

use super::module::ModuleBody;
use super::say;
use super::stream::StreamBody;
use crate::rdb::RdbError;
use crate::rdb::blob::{Entries, Fault, Intset, Listpack, Ziplist, Zipmap};
use crate::rdb::cursor::{Cursor, Parsed, Stop, bad_at};
use crate::rdb::event::{Event, Sink};
use crate::rdb::format::{self, Magic};
use crate::value::Element;

/// Container bytes of a quicklist's nodes.
const NODE_PLAIN: u64 = 1;
pub(in crate::rdb) const NODE_PACKED: u64 = 2;

#[derive(Debug)]
enum Stage {
    Start,
    /// So many elements (or nodes) are left.
    Items(u64),
    /// What was found behind the last element that could be read.
    Failed(RdbError),
    /// So many fields are left, their expiries relative to this base.
    ExpiringFields {
        base: u64,
        left: u64,
    },
    Stream(Box<StreamBody>),
    Module(ModuleBody),
}

/// A value being read.
#[derive(Debug)]
pub struct ValueBody {
    rdb_type: u8,
    magic: Magic,
    stage: Stage,
}

impl ValueBody {
    /// At the first byte of a value. The type must be a known one.
    #[inline]
    pub fn new(rdb_type: u8, magic: Magic) -> Self {
        let stage = match rdb_type {
            format::STREAM | format::STREAM_2 | format::STREAM_3 => {
                Stage::Stream(Box::new(StreamBody::new(rdb_type)))
            }
            format::MODULE_2 => Stage::Module(ModuleBody::begin()),
            _ => Stage::Start,
        };
        ValueBody {
            rdb_type,
            magic,
            stage,
        }
    }

    pub fn rdb_type(&self) -> u8 {
        self.rdb_type
    }

    /// Reads the next record of the value; true when it was the last.
    pub fn step<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<bool> {
        match &mut self.stage {
            Stage::Start => self.start(cursor, sink),
            Stage::Items(left) => match read_items(self.rdb_type, left, cursor, sink) {
                Err(fault) => {
                    self.stage = Stage::Failed(fault);
                    Ok(false)
                }
                Ok(parsed) => parsed,
            },
            Stage::Failed(fault) => Err(Stop::Bad(fault.clone())),
            Stage::ExpiringFields { base, left } => {
                read_expiring_field(*base, self.magic, cursor, sink)?;
                *left -= 1;
                Ok(*left == 0)
            }
            Stage::Stream(body) => body.step(cursor, sink),
            Stage::Module(body) => body.step(cursor, sink),
        }
    }

    fn start<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<bool> {
        match self.rdb_type {
            format::STRING => {
                let from = cursor.offset();
                let text = cursor.text()?;
                say(sink, from, Event::String(text.element()))?;
                Ok(true)
            }
            format::LIST | format::SET | format::ZSET | format::HASH | format::ZSET_2 => {
                self.count(cursor, sink)
            }
            format::LIST_QUICKLIST | format::LIST_QUICKLIST_2 => self.count(cursor, sink),
            format::HASH_METADATA | format::HASH_METADATA_PRE_GA => {
                let base = if self.rdb_type == format::HASH_METADATA {
                    least_expiry(cursor)?
                } else {
                    1
                };
                let left = cursor.length()?;
                self.stage = Stage::ExpiringFields { base, left };
                Ok(left == 0)
            }
            _ => {
                if self.rdb_type == format::HASH_LISTPACK_EX {
                    least_expiry(cursor)?;
                }
                read_blob(self.rdb_type, cursor, sink)?;
                Ok(true)
            }
        }
    }

    fn count<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<bool> {
        let left = cursor.length()?;
        sink.count(left, cursor.left());
        self.stage = Stage::Items(left);
        Ok(left == 0)
    }
}

/// Reads as many elements as are there; true behind the last one. A fault behind others is for the next time.
fn read_items<S: Sink + ?Sized>(
    rdb_type: u8,
    left: &mut u64,
    cursor: &mut Cursor<'_>,
    sink: &mut S,
) -> Result<Parsed<bool>, RdbError> {
    let mut mark = cursor.read();
    loop {
        match read_item(rdb_type, cursor, sink) {
            Ok(()) => *left -= 1,
            Err(stop) if mark == 0 => return Ok(Err(stop)),
            Err(stop) => {
                cursor.rewind(mark);
                return match stop {
                    Stop::Need(_) => Ok(Ok(false)),
                    Stop::Bad(fault) => Err(fault),
                };
            }
        }
        if *left == 0 {
            return Ok(Ok(true));
        }
        mark = cursor.read();
    }
}

#[inline]
fn read_item<S: Sink + ?Sized>(rdb_type: u8, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
    let from = cursor.offset();
    match rdb_type {
        format::LIST | format::SET => {
            let text = cursor.text()?;
            say(sink, from, Event::Element(text.element()))
        }
        format::HASH => {
            let (field, value) = (cursor.text()?, cursor.text()?);
            say(sink, from, Event::Pair(field.element(), value.element()))
        }
        format::ZSET => {
            let (member, score) = (cursor.text()?, read_text_score(cursor)?);
            say(sink, from, Event::Scored(member.element(), score))
        }
        format::ZSET_2 => {
            let (member, score) = (cursor.text()?, cursor.f64()?);
            if score.is_nan() {
                return bad_at(from, "score is not a number");
            }
            say(sink, from, Event::Scored(member.element(), score))
        }
        format::LIST_QUICKLIST_2 => read_node(cursor, sink),
        _ => read_blob(rdb_type, cursor, sink),
    }
}

/// A node of a quicklist.
fn read_node<S: Sink + ?Sized>(cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
    let from = cursor.offset();
    match cursor.length()? {
        NODE_PLAIN => {
            let text = cursor.text()?;
            if text.size() == 0 {
                return bad_at(from, "list node without bytes");
            }
            say(sink, from, Event::Element(text.element()))
        }
        NODE_PACKED => read_blob(format::LIST_QUICKLIST_2, cursor, sink),
        other => bad_at(from, format!("unknown kind {other} of a list node")),
    }
}

/// A score as text, with its length before it.
fn read_text_score(cursor: &mut Cursor<'_>) -> Parsed<f64> {
    let from = cursor.offset();
    match cursor.u8()? {
        253 => bad_at(from, "score is not a number"),
        254 => Ok(f64::INFINITY),
        255 => Ok(f64::NEG_INFINITY),
        length => match parse_score(cursor.take(usize::from(length))?) {
            Some(score) => Ok(score),
            None => bad_at(from, "score is not a number"),
        },
    }
}

/// A decimal number or an infinity, and nothing else that a lenient parser would take.
fn parse_score(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    match text {
        "inf" | "+inf" => return Some(f64::INFINITY),
        "-inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|_| is_decimal)
}

fn score_of(element: Element<'_>, at: usize) -> Result<f64, Fault> {
    match element {
        Element::Int(n) => Ok(n as f64),
        Element::Bytes(text) => match parse_score(text) {
            Some(score) => Ok(score),
            None => Fault::new(at, "score is not a number"),
        },
    }
}

/// The base of the expiries of a hash.
fn least_expiry(cursor: &mut Cursor<'_>) -> Parsed<u64> {
    let from = cursor.offset();
    let least = cursor.u64()?;
    if least > format::FIELD_EXPIRY_MAX + 1 {
        return bad_at(from, format!("least field expiry {least} is out of range"));
    }
    Ok(least)
}

/// A field with an expiry: 0 for none, else one more than the distance from `base`. (Valkey: absolute, -1 for none.)
fn read_expiring_field<S: Sink + ?Sized>(
    base: u64,
    magic: Magic,
    cursor: &mut Cursor<'_>,
    sink: &mut S,
) -> Parsed<()> {
    let from = cursor.offset();
    let relative = if magic == Magic::Redis {
        cursor.length()?
    } else {
        0
    };
    let (field, value) = (cursor.text()?, cursor.text()?);
    let expiry = match magic {
        Magic::Redis if relative == 0 => Some(0),
        Magic::Redis => base.checked_add(relative - 1),
        Magic::Valkey => match cursor.i64()? {
            -1 => Some(0),
            ms => u64::try_from(ms).ok(),
        },
    };
    let Some(expire_at_ms) = expiry.filter(|ms| *ms <= format::FIELD_EXPIRY_MAX) else {
        return bad_at(from, "field expiry is out of range");
    };
    let (field, value) = (field.element(), value.element());
    say(
        sink,
        from,
        Event::ExpiringPair {
            field,
            value,
            expire_at_ms,
        },
    )
}

/// Reads a string that is a packed structure, and its entries.
fn read_blob<S: Sink + ?Sized>(rdb_type: u8, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
    let from = cursor.offset();
    let text = cursor.bytes()?;
    if sink.pack(rdb_type, &text) {
        return Ok(());
    }
    let (name, result) = match rdb_type {
        format::LIST_ZIPLIST | format::ZSET_ZIPLIST | format::HASH_ZIPLIST | format::LIST_QUICKLIST => (
            "ziplist",
            Ziplist::new(&text).and_then(|list| tell(rdb_type, list, sink)),
        ),
        format::SET_INTSET => (
            "intset",
            Intset::new(&text).and_then(|set| tell(rdb_type, set, sink)),
        ),
        format::HASH_ZIPMAP => (
            "zipmap",
            Zipmap::new(&text).and_then(|map| tell(rdb_type, map, sink)),
        ),
        _ => (
            "listpack",
            Listpack::new(&text).and_then(|list| tell(rdb_type, list, sink)),
        ),
    };
    result.or_else(|fault| bad_at(from, format!("{name}: {} (at {})", fault.reason, fault.at)))
}

/// Tells the sink what a blob holds.
fn tell<'a, S: Sink + ?Sized>(
    rdb_type: u8,
    mut entries: impl Entries<'a>,
    sink: &mut S,
) -> Result<(), Fault> {
    let mut last_expiry = 0;
    while let Some(first) = entries.next_entry()? {
        let event = match rdb_type {
            format::HASH_ZIPMAP | format::HASH_ZIPLIST | format::HASH_LISTPACK => {
                Event::Pair(first, partner(&mut entries)?)
            }
            format::ZSET_ZIPLIST | format::ZSET_LISTPACK => {
                Event::Scored(first, score_of(partner(&mut entries)?, entries.at())?)
            }
            format::HASH_LISTPACK_EX | format::HASH_LISTPACK_EX_PRE_GA => {
                let value = partner(&mut entries)?;
                let expire_at_ms = expiry_of(partner(&mut entries)?, &mut last_expiry, entries.at())?;
                Event::ExpiringPair {
                    field: first,
                    value,
                    expire_at_ms,
                }
            }
            _ => Event::Element(first),
        };
        sink.event(event)
            .or_else(|reason| Fault::new(entries.at(), reason))?;
    }
    Ok(())
}

/// The entry that must follow in a blob of pairs or triples.
fn partner<'a>(entries: &mut impl Entries<'a>) -> Result<Element<'a>, Fault> {
    match entries.next_entry()? {
        Some(entry) => Ok(entry),
        None => Fault::new(entries.at(), "last entry has no partner"),
    }
}

/// An expiry in a listpack of triples: ascending, those without one last.
fn expiry_of(element: Element<'_>, last: &mut u64, at: usize) -> Result<u64, Fault> {
    let expiry = match element {
        Element::Int(n) => u64::try_from(n).ok().filter(|ms| *ms <= format::FIELD_EXPIRY_MAX),
        Element::Bytes(_) => None,
    };
    let Some(expiry) = expiry else {
        return Fault::new(at, "field expiry is out of range");
    };
    let rank = if expiry == 0 { u64::MAX } else { expiry };
    if rank < *last {
        return Fault::new(at, "field expiries are not ascending");
    }
    *last = rank;
    Ok(expiry)
}
