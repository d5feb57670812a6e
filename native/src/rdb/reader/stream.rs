//! Streams: nodes (listpacks of entries), the stream's counters, consumer groups with their pending entries.

use super::say;
use crate::rdb::blob::{Entries, Fault, Listpack};
use crate::rdb::cursor::{Cursor, Parsed, bad_at};
use crate::rdb::event::{Event, Sink, StreamCounters, StreamEvent, StreamHead, StreamId};
use crate::rdb::format;
use crate::value::Element;
use std::collections::{HashMap, HashSet};

const ENTRY_DELETED: i64 = 1;
const ENTRY_HAS_NODE_FIELDS: i64 = 2;

#[derive(Clone, Copy, Debug)]
enum Stage {
    NodeCount,
    Nodes,
    Head,
    Groups,
    GroupPending,
    ConsumerCount,
    Consumers,
    ConsumerPending,
}

/// A stream being read.
#[derive(Debug)]
pub struct StreamBody {
    rdb_type: u8,
    stage: Stage,
    /// How many nodes, groups, consumers and pending entries are still to come.
    nodes: u64,
    groups: u64,
    consumers: u64,
    pending: u64,
    last_node: Option<StreamId>,
    group_names: HashSet<Vec<u8>>,
    consumer_names: HashSet<Vec<u8>>,
    /// Pending entries of the group at hand, and whether a consumer has claimed them.
    claims: HashMap<StreamId, bool>,
}

impl StreamBody {
    pub fn new(rdb_type: u8) -> Self {
        StreamBody {
            rdb_type,
            stage: Stage::NodeCount,
            nodes: 0,
            groups: 0,
            consumers: 0,
            pending: 0,
            last_node: None,
            group_names: HashSet::new(),
            consumer_names: HashSet::new(),
            claims: HashMap::new(),
        }
    }

    /// Reads the next record; true when the stream is complete.
    pub fn step<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<bool> {
        match self.stage {
            Stage::NodeCount => {
                self.nodes = cursor.length()?;
                self.stage = if self.nodes > 0 { Stage::Nodes } else { Stage::Head };
            }
            Stage::Nodes => self.node(cursor, sink)?,
            Stage::Head => self.head(cursor, sink)?,
            Stage::Groups => self.group(cursor, sink)?,
            Stage::GroupPending => self.group_pending(cursor, sink)?,
            Stage::ConsumerCount => {
                self.consumers = cursor.length()?;
                self.consumer_names.clear();
                self.next_consumer(cursor)?;
            }
            Stage::Consumers => self.consumer(cursor, sink)?,
            Stage::ConsumerPending => self.consumer_pending(cursor, sink)?,
        }
        Ok(matches!(self.stage, Stage::Groups) && self.groups == 0)
    }

    fn node<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        let (key, blob) = (cursor.bytes()?, cursor.bytes()?);
        let Some(master) = raw_id(&key) else {
            return bad_at(from, format!("stream node with a key of {} bytes", key.len()));
        };
        if self.last_node.is_some_and(|last| last >= master) {
            return bad_at(
                from,
                format!("stream node {master} does not come after the one before"),
            );
        }
        if !sink.stream_node(master, &blob)
            && let Err(fault) = tell_node(master, &blob, sink)
        {
            return bad_at(from, format!("stream node: {} (at {})", fault.reason, fault.at));
        }
        self.last_node = Some(master);
        self.nodes -= 1;
        if self.nodes == 0 {
            self.stage = Stage::Head;
        }
        Ok(())
    }

    fn head<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        let (length, last_id) = (cursor.length()?, id(cursor)?);
        let mut counters = None;
        if self.rdb_type >= format::STREAM_2 {
            let (first_id, max_deleted_id, entries_added) = (id(cursor)?, id(cursor)?, cursor.length()?);
            counters = Some(StreamCounters {
                first_id,
                max_deleted_id,
                entries_added,
            });
        }
        let groups = cursor.length()?;
        // Early releases of Redis 5 counted wrong now and then, and nobody minds.
        if length != 0 && self.last_node.is_none() {
            return bad_at(from, format!("stream says {length} entries, has no node"));
        }
        self.groups = groups;
        self.stage = Stage::Groups;
        say(
            sink,
            from,
            Event::Stream(StreamEvent::Head(StreamHead {
                length,
                last_id,
                counters,
            })),
        )
    }

    fn group<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        let (name, last_id) = (cursor.text()?, id(cursor)?);
        let entries_read = match self.rdb_type {
            format::STREAM => None,
            _ => Some(cursor.length()? as i64),
        };
        let pending = cursor.length()?;
        if !self.group_names.insert(name.to_bytes().into_owned()) {
            return bad_at(from, "consumer group comes twice");
        }
        self.pending = pending;
        self.claims.clear();
        self.stage = if pending > 0 {
            Stage::GroupPending
        } else {
            Stage::ConsumerCount
        };
        let name = name.element();
        say(
            sink,
            from,
            Event::Stream(StreamEvent::Group {
                name,
                last_id,
                entries_read,
            }),
        )
    }

    fn group_pending<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        let id = pending_id(cursor)?;
        let (delivered_at_ms, deliveries) = (cursor.i64()?, cursor.length()?);
        if self.claims.insert(id, false).is_some() {
            return bad_at(from, format!("pending entry {id} comes twice in its group"));
        }
        self.pending -= 1;
        if self.pending == 0 {
            self.stage = Stage::ConsumerCount;
        }
        say(
            sink,
            from,
            Event::Stream(StreamEvent::Pending {
                id,
                delivered_at_ms,
                deliveries,
            }),
        )
    }

    fn consumer<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        let (name, seen_at_ms) = (cursor.text()?, cursor.i64()?);
        let active_at_ms = match self.rdb_type {
            format::STREAM_3 => Some(cursor.i64()?),
            _ => None,
        };
        let pending = cursor.length()?;
        if !self.consumer_names.insert(name.to_bytes().into_owned()) {
            return bad_at(from, "consumer comes twice in its group");
        }
        self.pending = pending;
        self.consumers -= 1;
        let name = name.element();
        say(
            sink,
            from,
            Event::Stream(StreamEvent::Consumer {
                name,
                seen_at_ms,
                active_at_ms,
            }),
        )?;
        if pending > 0 {
            self.stage = Stage::ConsumerPending;
            return Ok(());
        }
        self.next_consumer(cursor)
    }

    fn consumer_pending<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<()> {
        let from = cursor.offset();
        let id = pending_id(cursor)?;
        match self.claims.get_mut(&id) {
            None => {
                return bad_at(
                    from,
                    format!("pending entry {id} of a consumer is not in its group"),
                );
            }
            Some(true) => return bad_at(from, format!("pending entry {id} belongs to two consumers")),
            Some(claimed) => *claimed = true,
        }
        self.pending -= 1;
        say(sink, from, Event::Stream(StreamEvent::Owned(id)))?;
        if self.pending == 0 {
            return self.next_consumer(cursor);
        }
        Ok(())
    }

    /// On to the next consumer, or to the next group if there is none left.
    fn next_consumer(&mut self, cursor: &Cursor<'_>) -> Parsed<()> {
        if self.consumers > 0 {
            self.stage = Stage::Consumers;
            return Ok(());
        }
        let unclaimed = self.claims.iter().filter(|(_, claimed)| !**claimed);
        // The least, so that a fault has the same words every time.
        if let Some(id) = unclaimed.map(|(id, _)| id).min() {
            return cursor.bad(format!("pending entry {id} belongs to no consumer"));
        }
        self.groups -= 1;
        self.stage = Stage::Groups;
        Ok(())
    }
}

fn id(cursor: &mut Cursor<'_>) -> Parsed<StreamId> {
    Ok(StreamId {
        ms: cursor.length()?,
        seq: cursor.length()?,
    })
}

fn pending_id(cursor: &mut Cursor<'_>) -> Parsed<StreamId> {
    let from = cursor.offset();
    match raw_id(cursor.take(16)?) {
        Some(id) => Ok(id),
        None => bad_at(from, "entry id is cut"),
    }
}

/// An id as 16 bytes, the most significant first.
fn raw_id(bytes: &[u8]) -> Option<StreamId> {
    let (ms, seq) = bytes.split_first_chunk::<8>()?;
    let seq: &[u8; 8] = seq.try_into().ok()?;
    Some(StreamId {
        ms: u64::from_be_bytes(*ms),
        seq: u64::from_be_bytes(*seq),
    })
}

/// Tells the sink the live entries of a node.
fn tell_node<S: Sink + ?Sized>(master: StreamId, blob: &[u8], sink: &mut S) -> Result<(), Fault> {
    let mut list = Listpack::new(blob)?;
    let count = natural(&mut list)?;
    let deleted = natural(&mut list)?;
    let node_fields = natural(&mut list)?;
    let fields = list.clone();
    for _ in 0..node_fields {
        element(&mut list)?;
    }
    if natural(&mut list)? != 0 {
        return Fault::new(list.at(), "field names do not end with 0");
    }
    let total = count.checked_add(deleted).ok_or(Fault {
        at: 0,
        reason: "too many entries".into(),
    })?;
    let mut live = 0;
    for _ in 0..total {
        live += u64::from(tell_entry(master, node_fields, &fields, &mut list, sink)?);
    }
    if list.next_entry()?.is_some() {
        return Fault::new(list.at(), "more elements than entries need");
    }
    if live != count {
        return Fault::new(list.at(), format!("says {count} live entries, has {live}"));
    }
    Ok(())
}

/// Tells the sink an entry, unless it is deleted; gives whether it is live.
fn tell_entry<S: Sink + ?Sized>(
    master: StreamId,
    node_fields: u64,
    names: &Listpack<'_>,
    list: &mut Listpack<'_>,
    sink: &mut S,
) -> Result<bool, Fault> {
    let from = list.at();
    let flags = integer(list)?;
    if flags & !(ENTRY_DELETED | ENTRY_HAS_NODE_FIELDS) != 0 {
        return Fault::new(from, format!("unknown flags {flags} of an entry"));
    }
    let live = flags & ENTRY_DELETED == 0;
    let (ms, seq) = (integer(list)? as u64, integer(list)? as u64);
    let id = StreamId {
        ms: master.ms.wrapping_add(ms),
        seq: master.seq.wrapping_add(seq),
    };
    let mut say = |event| {
        if live {
            sink.event(event).or_else(|reason| Fault::new(from, reason))
        } else {
            Ok(())
        }
    };
    say(Event::Stream(StreamEvent::Entry(id)))?;
    let elements = if flags & ENTRY_HAS_NODE_FIELDS != 0 {
        let mut names = names.clone();
        for _ in 0..node_fields {
            say(Event::Pair(element(&mut names)?, element(list)?))?;
        }
        3 + node_fields
    } else {
        let fields = natural(list)?;
        for _ in 0..fields {
            say(Event::Pair(element(list)?, element(list)?))?;
        }
        4 + 2 * fields
    };
    say(Event::Stream(StreamEvent::EndEntry))?;
    if natural(list)? != elements {
        return Fault::new(list.at(), "element count behind an entry is wrong");
    }
    Ok(live)
}

fn element<'a>(list: &mut Listpack<'a>) -> Result<Element<'a>, Fault> {
    match list.next_entry()? {
        Some(element) => Ok(element),
        None => Fault::new(list.at(), "ends inside of an entry"),
    }
}

fn integer(list: &mut Listpack<'_>) -> Result<i64, Fault> {
    let at = list.at();
    let found = match element(list)? {
        Element::Int(n) => Some(n),
        Element::Bytes(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
    };
    found.ok_or(Fault {
        at,
        reason: "text where a number is expected".into(),
    })
}

fn natural(list: &mut Listpack<'_>) -> Result<u64, Fault> {
    let at = list.at();
    u64::try_from(integer(list)?).map_err(|_| Fault {
        at,
        reason: "negative number".into(),
    })
}
