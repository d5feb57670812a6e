//! A digest of a value: equal for equal values, whatever encoding they were written in and in whatever order their
//! members come. 128 bits, of two hashes that are independent of each other. Not made against those who want two
//! values to look alike.

use crate::rdb::event::{Event, ModuleEvent, StreamEvent, StreamId};
use crate::value::Element;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

const LOW: RapidSecrets = RapidSecrets::seed(0x7661_6c75_6573);
const HIGH: RapidSecrets = RapidSecrets::seed(0x6469_6666_6572);

/// The digest of bytes.
pub fn of(bytes: &[u8]) -> u128 {
    let low = rapidhash_v3_seeded(bytes, &LOW);
    let high = rapidhash_v3_seeded(bytes, &HIGH);
    u128::from(high) << 64 | u128::from(low)
}

/// The digest of an element, however it is coded.
pub fn of_element(element: Element<'_>) -> u128 {
    of(element.as_bytes(&mut itoa::Buffer::new()))
}

/// The digest of a key, another one in each database.
pub fn of_key(db: u64, key: &[u8]) -> u128 {
    of(key) ^ u128::from(db).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

/// The digest of a fact made of parts. Facts of different kinds differ.
fn of_parts<const N: usize>(kind: u8, parts: [u128; N]) -> u128 {
    let mut bytes = [0; 1 + 16 * 5];
    bytes[0] = kind;
    for (place, part) in bytes[1..].chunks_exact_mut(16).zip(parts) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    of(&bytes[..1 + 16 * N])
}

fn of_id(id: StreamId) -> u128 {
    u128::from(id.ms) << 64 | u128::from(id.seq)
}

fn of_signed(n: i64) -> u128 {
    u128::from(n as u64)
}

/// A value being digested. Members of sets and the like are summed up, so their order does not matter; what has an
/// order is chained.
#[derive(Clone, Debug, Default)]
pub struct ValueDigest {
    /// Of what has an order.
    chain: u128,
    /// Of what has none.
    sum: u128,
    /// Whether elements have an order.
    is_ordered: bool,
    /// Elements and other facts seen.
    facts: u64,
    /// The group and the consumer at hand.
    group: u128,
    consumer: u128,
    /// For streams of old files: what Redis assumes when it reads them.
    length: u64,
}

impl ValueDigest {
    /// At the beginning of a value of this type, as `TYPE` names it.
    pub fn begin(type_name: &str) -> Self {
        ValueDigest {
            is_ordered: matches!(type_name, "list" | "stream" | "module"),
            ..ValueDigest::default()
        }
    }

    /// Whether nothing was in the value.
    pub fn is_empty(&self) -> bool {
        self.facts == 0
    }

    /// The digest.
    pub fn finish(&self) -> u128 {
        of_parts(0, [self.chain, self.sum])
    }

    /// Takes a fact.
    pub fn event(&mut self, event: Event<'_>) {
        let fact = match event {
            Event::String(text) => of_element(text),
            Event::Element(element) => of_parts(1, [of_element(element)]),
            Event::Pair(field, value) => of_pair(field, value, 0),
            Event::ExpiringPair {
                field,
                value,
                expire_at_ms,
            } => of_pair(field, value, expire_at_ms),
            // Zero has two signs, and Redis keeps the sign in some encodings only.
            Event::Scored(member, score) => {
                of_parts(3, [of_element(member), u128::from((score + 0.0).to_bits())])
            }
            Event::Stream(event) => return self.stream(event),
            Event::Module(event) => of_piece(event),
            _ => return,
        };
        self.take(fact);
    }

    fn take(&mut self, fact: u128) {
        if self.is_ordered {
            self.chain = of_parts(4, [self.chain, fact]);
        } else {
            self.sum = self.sum.wrapping_add(fact);
        }
        self.facts += 1;
    }

    /// Entries have an order; groups, consumers and what is pending have names and ids.
    fn stream(&mut self, event: StreamEvent<'_>) {
        let fact = match event {
            StreamEvent::Entry(id) => {
                self.length += 1;
                return self.take(of_id(id));
            }
            StreamEvent::EndEntry => return self.take(5),
            StreamEvent::Head(head) => {
                let (max_deleted, added) = match head.counters {
                    Some(counters) => (counters.max_deleted_id, counters.entries_added),
                    None => (StreamId::MIN, self.length),
                };
                of_parts(6, [of_id(head.last_id), of_id(max_deleted), u128::from(added)])
            }
            StreamEvent::Group {
                name,
                last_id,
                entries_read,
            } => {
                self.group = of_element(name);
                of_parts(
                    7,
                    [self.group, of_id(last_id), of_signed(entries_read.unwrap_or(-1))],
                )
            }
            StreamEvent::Pending {
                id,
                delivered_at_ms,
                deliveries,
            } => of_parts(
                8,
                [
                    self.group,
                    of_id(id),
                    of_signed(delivered_at_ms),
                    u128::from(deliveries),
                ],
            ),
            StreamEvent::Consumer {
                name,
                seen_at_ms,
                active_at_ms,
            } => {
                self.consumer = of_element(name);
                let active = of_signed(active_at_ms.unwrap_or(seen_at_ms));
                of_parts(9, [self.group, self.consumer, of_signed(seen_at_ms), active])
            }
            StreamEvent::Owned(id) => of_parts(10, [self.group, self.consumer, of_id(id)]),
        };
        self.sum = self.sum.wrapping_add(fact);
        self.facts += 1;
    }
}

fn of_pair(field: Element<'_>, value: Element<'_>, expire_at_ms: u64) -> u128 {
    of_parts(
        2,
        [of_element(field), of_element(value), u128::from(expire_at_ms)],
    )
}

fn of_piece(piece: ModuleEvent<'_>) -> u128 {
    match piece {
        ModuleEvent::Begin { name, version } => of_parts(11, [of(name.as_bytes()), u128::from(version)]),
        ModuleEvent::Int(n) => of_parts(12, [of_signed(n)]),
        ModuleEvent::Uint(n) => of_parts(13, [u128::from(n)]),
        ModuleEvent::Float(n) => of_parts(14, [u128::from(n.to_bits())]),
        ModuleEvent::Double(n) => of_parts(15, [u128::from(n.to_bits())]),
        ModuleEvent::Text(text) => of_parts(16, [of_element(text)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(type_name: &str, events: &[Event<'_>]) -> u128 {
        let mut digest = ValueDigest::begin(type_name);
        events.iter().for_each(|event| digest.event(*event));
        digest.finish()
    }

    fn bytes(text: &str) -> Element<'_> {
        Element::Bytes(text.as_bytes())
    }

    #[test]
    fn order_counts_in_lists_only() {
        let (a, b) = (Event::Element(bytes("a")), Event::Element(bytes("b")));
        assert_eq!(digest("set", &[a, b]), digest("set", &[b, a]));
        assert_ne!(digest("list", &[a, b]), digest("list", &[b, a]));
        assert_ne!(digest("set", &[a]), digest("set", &[a, b]));
        assert_ne!(digest("set", &[a, a]), digest("set", &[b, b]));
    }

    #[test]
    fn encodings_do_not_count() {
        let texts = Event::Pair(bytes("1"), bytes("-2"));
        let numbers = Event::Pair(Element::Int(1), Element::Int(-2));
        let timed = |expire_at_ms| Event::ExpiringPair {
            field: bytes("1"),
            value: Element::Int(-2),
            expire_at_ms,
        };
        assert_eq!(digest("hash", &[texts]), digest("hash", &[numbers]));
        assert_eq!(digest("hash", &[texts]), digest("hash", &[timed(0)]));
        assert_ne!(digest("hash", &[texts]), digest("hash", &[timed(1)]));
        let zero = |score| digest("zset", &[Event::Scored(bytes("m"), score)]);
        assert_eq!(zero(0.0), zero(-0.0));
        assert_ne!(zero(0.0), zero(f64::MIN_POSITIVE));
    }

    #[test]
    fn fields_and_values_do_not_change_places() {
        let pair = |a, b| digest("hash", &[Event::Pair(bytes(a), bytes(b))]);
        assert_ne!(pair("a", "b"), pair("b", "a"));
        assert_ne!(pair("ab", ""), pair("a", "b"));
    }
}
