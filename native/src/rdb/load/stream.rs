//! A stream, from the facts that a file has of it.

use crate::rdb::event::{Event, StreamCounters, StreamEvent, StreamHead, StreamId};
use crate::rdb::format;
use crate::structure::listpack::Listpack;
use crate::value::stream::Group;
use crate::value::{Collection, Element, LimitsRef, StreamValue};
use std::collections::BTreeMap;

/// A stream being built.
#[derive(Debug)]
pub struct StreamBuilder {
    rdb_type: u8,
    stream: StreamValue,
    /// The entry at hand: its id, its fields and their values.
    entry: Option<(StreamId, Vec<Vec<u8>>)>,
    group: Option<GroupBuilder>,
    /// The finished ones: each is put in its place by its name only when all are there, since a place found for one at a
    /// time would have to be made among all the others.
    groups: Vec<Group>,
}

#[derive(Debug)]
struct GroupBuilder {
    group: Group,
    /// Delivery times and counts of pending entries whose consumer has not been named yet.
    unowned: BTreeMap<StreamId, (i64, u64)>,
    /// As [`StreamBuilder::groups`].
    consumers: Vec<ConsumerBuilder>,
}

#[derive(Debug)]
struct ConsumerBuilder {
    name: Vec<u8>,
    seen_at_ms: i64,
    active_at_ms: Option<i64>,
    /// What is pending for it, with delivery times and counts.
    owned: Vec<(StreamId, i64, u64)>,
}

impl StreamBuilder {
    /// A stream of this type byte, with nothing in it yet.
    pub fn new(rdb_type: u8) -> Self {
        StreamBuilder {
            rdb_type,
            stream: StreamValue::default(),
            entry: None,
            group: None,
            groups: Vec::new(),
        }
    }

    /// The builder of a stream with these limits.
    pub fn limited(self, limits: LimitsRef) -> Self {
        StreamBuilder {
            stream: self.stream.limited(limits),
            ..self
        }
    }

    /// Adopts a node as it is; false if it has to be taken entry by entry.
    pub fn node(&mut self, master: StreamId, blob: &[u8]) -> bool {
        let pack = Listpack::from_bytes(blob);
        pack.is_some_and(|pack| self.stream.log_mut().push_node(master, pack))
    }

    /// Adds what the event says.
    ///
    /// # Errors
    /// When ids do not ascend, or a consumer's entry is not the group's.
    pub fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Pair(field, value) => {
                if let Some((_, texts)) = &mut self.entry {
                    texts.extend([field.to_vec(), value.to_vec()]);
                }
                Ok(())
            }
            Event::Stream(event) => self.stream_event(event),
            _ => Err("element of another type".into()),
        }
    }

    fn stream_event(&mut self, event: StreamEvent<'_>) -> Result<(), String> {
        match event {
            StreamEvent::Entry(id) => self.entry = Some((id, Vec::new())),
            StreamEvent::EndEntry => return self.end_entry(),
            StreamEvent::Head(head) => self.head(&head),
            StreamEvent::Group {
                name,
                last_id,
                entries_read,
            } => self.begin_group(name, last_id, entries_read),
            StreamEvent::Pending {
                id,
                delivered_at_ms,
                deliveries,
            } => {
                if let Some(group) = &mut self.group {
                    group.unowned.insert(id, (delivered_at_ms, deliveries));
                }
            }
            StreamEvent::Consumer {
                name,
                seen_at_ms,
                active_at_ms,
            } => self.begin_consumer(name, seen_at_ms, active_at_ms),
            StreamEvent::Owned(id) => return self.own(id),
        }
        Ok(())
    }

    fn end_entry(&mut self) -> Result<(), String> {
        let Some((id, texts)) = self.entry.take() else {
            return Ok(());
        };
        let log = self.stream.log_mut();
        if id <= log.last_id() {
            return Err(format!("stream entry {id} does not come after the one before"));
        }
        let pairs = texts.chunks_exact(2).map(|pair| (&pair[0][..], &pair[1][..]));
        log.append(id, &pairs.collect::<Vec<_>>());
        Ok(())
    }

    /// Files before Redis 7.0 have no counters: what Redis then assumes is assumed here.
    fn head(&mut self, head: &StreamHead) {
        let log = self.stream.log_mut();
        let (max_deleted_id, entries_added) = match head.counters {
            Some(StreamCounters {
                max_deleted_id,
                entries_added,
                ..
            }) => (max_deleted_id, entries_added),
            None => (StreamId::MIN, log.length() as u64),
        };
        // A last id before an entry's would let ids be given twice; Redis does not look.
        let last_id = head.last_id.max(log.last_live_id().unwrap_or_default());
        log.set_counters(last_id, max_deleted_id, entries_added);
    }

    fn begin_group(&mut self, name: Element<'_>, last_id: StreamId, entries_read: Option<i64>) {
        self.end_group();
        let entries_read = match entries_read {
            Some(count) => u64::try_from(count).ok(),
            None => self.stream.log().entries_up_to(last_id),
        };
        self.group = Some(GroupBuilder {
            group: Group::new(&name.to_cow(), last_id, entries_read),
            unowned: BTreeMap::new(),
            consumers: Vec::new(),
        });
    }

    fn begin_consumer(&mut self, name: Element<'_>, seen_at_ms: i64, active_at_ms: Option<i64>) {
        let Some(builder) = &mut self.group else {
            return;
        };
        let active_at_ms = match self.rdb_type {
            format::STREAM_3 => active_at_ms.filter(|ms| *ms != -1),
            _ => Some(seen_at_ms),
        };
        builder.consumers.push(ConsumerBuilder {
            name: name.to_vec(),
            seen_at_ms,
            active_at_ms,
            owned: Vec::new(),
        });
    }

    fn own(&mut self, id: StreamId) -> Result<(), String> {
        let missing = || format!("pending entry {id} of a consumer is not in its group");
        let builder = self.group.as_mut().ok_or_else(missing)?;
        let (delivered_at_ms, deliveries) = builder.unowned.remove(&id).ok_or_else(missing)?;
        if let Some(consumer) = builder.consumers.last_mut() {
            consumer.owned.push((id, delivered_at_ms, deliveries));
        }
        Ok(())
    }

    fn end_group(&mut self) {
        let Some(mut builder) = self.group.take() else {
            return;
        };
        let group = &mut builder.group;
        builder.consumers.sort_by(|a, b| a.name.cmp(&b.name));
        for consumer in builder.consumers {
            let (slot, _) = group.create_consumer(&consumer.name, consumer.seen_at_ms);
            group.touch_active(slot, consumer.active_at_ms);
            for (id, delivered_at_ms, deliveries) in consumer.owned {
                group.assign(id, slot, delivered_at_ms, deliveries);
            }
        }
        self.groups.push(builder.group);
    }

    /// The stream.
    pub fn finish(mut self) -> StreamValue {
        self.end_group();
        self.groups.sort_by(|a, b| a.name().cmp(b.name()));
        for group in self.groups {
            self.stream.add_group(group);
        }
        self.stream
    }
}
