//! Streams in the bytes of the format.

use super::Encoder;
use super::encode::Breath;
use crate::rdb::format;
use crate::value::StreamValue;
use crate::value::stream::{Consumer, Group, StreamId};

impl Encoder {
    /// Nodes, counters and groups, as this type byte has them.
    pub(super) fn stream(&mut self, stream: &StreamValue, rdb_type: u8, breath: Breath<'_>) {
        let log = stream.log();
        let nodes = log.nodes();
        self.length(nodes.len() as u64);
        for (master, pack) in nodes {
            self.text(&raw_id(master));
            self.pack(pack);
            breath();
        }
        self.length(log.length() as u64);
        self.stream_id(log.last_id());
        if rdb_type >= format::STREAM_2 {
            self.stream_id(log.first_id());
            self.stream_id(log.max_deleted_id());
            self.length(log.entries_added());
        }
        self.length(stream.groups().len() as u64);
        for group in stream.groups() {
            self.group(group, rdb_type);
            breath();
        }
    }

    fn group(&mut self, group: &Group, rdb_type: u8) {
        self.text(group.name());
        self.stream_id(group.last_id);
        if rdb_type >= format::STREAM_2 {
            // Unknown is written as -1.
            self.length(group.entries_read.unwrap_or(u64::MAX));
        }
        self.length(group.pending_count() as u64);
        for (id, pending) in group.pending_between(StreamId::MIN, StreamId::MAX) {
            self.out.extend_from_slice(&raw_id(id));
            self.out.extend_from_slice(&pending.delivered_at_ms.to_le_bytes());
            self.length(pending.deliveries);
        }
        self.length(group.consumer_count() as u64);
        for (_, consumer) in group.consumers() {
            self.consumer(consumer, rdb_type);
        }
    }

    fn consumer(&mut self, consumer: &Consumer, rdb_type: u8) {
        self.text(consumer.name());
        self.out.extend_from_slice(&consumer.seen_at_ms.to_le_bytes());
        if rdb_type >= format::STREAM_3 {
            // Never is written as -1.
            let active_at_ms = consumer.active_at_ms.unwrap_or(-1);
            self.out.extend_from_slice(&active_at_ms.to_le_bytes());
        }
        self.length(consumer.pending_count() as u64);
        for id in consumer.owned(StreamId::MIN, StreamId::MAX) {
            self.out.extend_from_slice(&raw_id(id));
        }
    }

    fn stream_id(&mut self, id: StreamId) {
        self.length(id.ms);
        self.length(id.seq);
    }
}

/// An id as 16 bytes, the most significant first.
fn raw_id(id: StreamId) -> [u8; 16] {
    ((id.ms as u128) << 64 | u128::from(id.seq)).to_be_bytes()
}
