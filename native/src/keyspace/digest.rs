//! A fingerprint of everything visible: equal states have equal digests, in whatever order they were built and in
//! whatever encoding they are held.
//!
//! Keys, fields of a hash and members of a set or sorted set are summed, so their order does not count; elements of a
//! list are chained, so theirs does. Not meant to withstand somebody who looks for collisions.

use super::{EntryView, Keyspace, Scope};
use crate::value::stream::{Group, StreamId};
use crate::value::{Element, StreamValue, Value};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

const LOW: RapidSecrets = RapidSecrets::seed(0x686f_6c64);
const HIGH: RapidSecrets = RapidSecrets::seed(0x6661_7374);

fn hash(bytes: &[u8]) -> u128 {
    u128::from(rapidhash_v3_seeded(bytes, &HIGH)) << 64 | u128::from(rapidhash_v3_seeded(bytes, &LOW))
}

/// Appends a length and the bytes, so that no two sequences of parts give the same bytes.
fn part(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    buffer.extend_from_slice(bytes);
}

fn element(buffer: &mut Vec<u8>, element: Element<'_>) {
    part(buffer, element.as_bytes(&mut itoa::Buffer::new()));
}

fn sum(parts: impl Iterator<Item = u128>) -> u128 {
    parts.fold(0, u128::wrapping_add)
}

fn number(buffer: &mut Vec<u8>, n: u64) {
    buffer.extend_from_slice(&n.to_le_bytes());
}

fn stream_id(buffer: &mut Vec<u8>, id: StreamId) {
    number(buffer, id.ms);
    number(buffer, id.seq);
}

fn optional(buffer: &mut Vec<u8>, n: Option<u64>) {
    number(buffer, u64::from(n.is_some()));
    number(buffer, n.unwrap_or(0));
}

/// Entries, counters and groups, all of which have an order, one after the other. Nodes do not count.
fn stream_hash(stream: &StreamValue, buffer: &mut Vec<u8>) -> u128 {
    let log = stream.log();
    let mut chain = log
        .range(StreamId::MIN, StreamId::MAX)
        .fold(0, |chain: u128, entry| {
            buffer.clear();
            part(buffer, &chain.to_le_bytes());
            stream_id(buffer, entry.id);
            for (field, value) in entry.fields {
                element(buffer, field);
                element(buffer, value);
            }
            hash(buffer)
        });
    for group in stream.groups() {
        buffer.clear();
        part(buffer, &chain.to_le_bytes());
        group_parts(group, buffer);
        chain = hash(buffer);
    }
    buffer.clear();
    part(buffer, &chain.to_le_bytes());
    stream_id(buffer, log.last_id());
    stream_id(buffer, log.max_deleted_id());
    number(buffer, log.entries_added());
    hash(buffer)
}

fn group_parts(group: &Group, buffer: &mut Vec<u8>) {
    part(buffer, group.name());
    stream_id(buffer, group.last_id);
    optional(buffer, group.entries_read);
    for (_, consumer) in group.consumers() {
        part(buffer, consumer.name());
        number(buffer, consumer.seen_at_ms as u64);
        optional(buffer, consumer.active_at_ms.map(|ms| ms as u64));
    }
    for (id, pending) in group.pending_between(StreamId::MIN, StreamId::MAX) {
        stream_id(buffer, id);
        number(buffer, pending.delivered_at_ms as u64);
        number(buffer, pending.deliveries);
        part(buffer, group.consumer(pending.consumer()).name());
    }
}

fn value_hash(value: &Value, buffer: &mut Vec<u8>) -> u128 {
    let mut of = |fill: &dyn Fn(&mut Vec<u8>)| {
        buffer.clear();
        fill(buffer);
        hash(buffer)
    };
    match value {
        Value::Hash(pairs) => sum(pairs.iter_timed().map(|(field, value, expire_at)| {
            of(&|buffer| {
                element(buffer, field);
                element(buffer, value);
                if let Some(at) = expire_at {
                    part(buffer, &at.to_le_bytes());
                }
            })
        })),
        Value::Set(members) => sum(members.iter().map(|member| of(&|buffer| element(buffer, member)))),
        Value::ZSet(members) => sum(members.iter().map(|(member, score)| {
            of(&|buffer| {
                element(buffer, member);
                // -0 equals 0.
                part(buffer, &(score + 0.0).to_bits().to_le_bytes());
            })
        })),
        Value::Stream(stream) => stream_hash(stream, buffer),
        Value::List(elements) => elements.iter().fold(0, |chain: u128, item| {
            of(&|buffer| {
                part(buffer, &chain.to_le_bytes());
                element(buffer, item);
            })
        }),
    }
}

fn entry_hash(key: &[u8], view: EntryView<'_>, expire_at: Option<i64>, buffer: &mut Vec<u8>) -> u128 {
    let (kind, content) = match view {
        EntryView::Str(bytes) => ("string", hash(bytes)),
        EntryView::Value(value) => (value.type_name(), value_hash(value, buffer)),
    };
    buffer.clear();
    part(buffer, key);
    part(buffer, kind.as_bytes());
    part(buffer, &content.to_le_bytes());
    part(buffer, &expire_at.unwrap_or(i64::MIN).to_le_bytes());
    hash(buffer)
}

impl Keyspace {
    /// The digest of what is visible in some segments. The keys of a segment are the same on every peer.
    pub fn digest_of(&self, segments: std::ops::Range<usize>) -> u128 {
        let (mut digest, mut buffer) = (0u128, Vec::new());
        for segment in segments {
            self.walk(segment, |key, view, expire_at| {
                digest = digest.wrapping_add(entry_hash(key, view, expire_at, &mut buffer));
            });
        }
        digest
    }

    /// The digest of everything visible, of one instant.
    pub fn digest(&self) -> u128 {
        let (mut digest, mut buffer) = (0u128, Vec::new());
        self.db(Scope::All).for_each(|key, view, expire_at| {
            digest = digest.wrapping_add(entry_hash(key, view, expire_at, &mut buffer));
        });
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::hash;
    use std::collections::HashSet;

    #[test]
    fn short_texts_differ_in_both_halves() {
        let texts = (0..20_000).flat_map(|n| [format!("{n}"), format!("k{n}")]);
        let hashes: Vec<u128> = texts.map(|text| hash(text.as_bytes())).collect();
        for half in [|hash: u128| hash as u64, |hash: u128| (hash >> 64) as u64] {
            let distinct: HashSet<u64> = hashes.iter().map(|hash| half(*hash)).collect();
            assert_eq!(distinct.len(), hashes.len());
        }
    }
}
