//! One value by itself, as `DUMP` gives it and `RESTORE` takes it: type, value, version of two bytes, checksum of eight.

use super::checksum::Checksum;
use super::cursor::{Cursor, Stop};
use super::event::{Event, Sink, StreamId};
use super::format::{self, Magic};
use super::load::{Builder, Built, Fidelity};
use super::reader::{ValueBody, is_known_version};
use super::write::{DEFAULT_VERSION, Encoder, Forms};
use super::{RdbError, reader};
use crate::keyspace::EntryView;
use crate::value::{LimitsRef, Value};

const FOOTER_BYTES: usize = 10;

/// Why a payload is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is too short, too new, or its checksum is wrong.
    Footer,
    /// The value is damaged, or of a type that cannot be held.
    Value(RdbError),
}

/// The payload of a value, as Redis 7.0 writes it; as 7.4 does, if it has fields that expire.
pub fn dump(content: EntryView<'_>) -> Vec<u8> {
    let version = match content {
        EntryView::Value(Value::Hash(hash)) if hash.expiring() > 0 => format::OLDEST_FIELD_EXPIRY_VERSION,
        _ => DEFAULT_VERSION,
    };
    let mut encoder = Encoder::new(Forms {
        version,
        exact: false,
        compress: true,
    });
    match content {
        EntryView::Str(text) => {
            encoder.out.push(format::STRING);
            encoder.text(text);
        }
        EntryView::Value(value) => {
            encoder.out.push(encoder.type_of(value));
            encoder.value(value);
        }
    }
    seal(encoder.out, version as u16)
}

/// The payload of a type byte and its value in the forms of another version.
///
/// # Errors
/// Why the version cannot hold it.
pub fn rewrite(body: &[u8], magic: Magic, version: u32) -> Result<Vec<u8>, String> {
    let built = read_value(body, magic, LimitsRef::default()).map_err(|error| error.to_string())?;
    let mut encoder = Encoder::new(Forms {
        version,
        exact: false,
        compress: true,
    });
    match &built {
        Built::Str(text) => {
            encoder.out.push(format::STRING);
            encoder.text(text);
        }
        Built::Value(value) if encoder.can_hold(value) => {
            encoder.out.push(encoder.type_of(value));
            encoder.value(value);
        }
        Built::Value(_) => {
            let needed = format::OLDEST_FIELD_EXPIRY_VERSION;
            return Err(format!(
                "a hash with fields that expire, which RDB version {version} has no form for; version {needed} has"
            ));
        }
        Built::Nothing => return Err("nothing is in it".into()),
    }
    Ok(seal(encoder.out, version as u16))
}

/// Appends the footer to a type byte and a value.
pub fn seal(mut value: Vec<u8>, version: u16) -> Vec<u8> {
    value.extend_from_slice(&version.to_le_bytes());
    let checksum = Checksum::of(&value);
    value.extend_from_slice(&checksum.to_le_bytes());
    value
}

/// The value of a payload, in the form that its size asks for.
///
/// # Errors
/// See [`Refusal`].
pub fn restore(payload: &[u8], limits: LimitsRef) -> Result<Built, Refusal> {
    let (body, footer) = payload
        .len()
        .checked_sub(FOOTER_BYTES)
        .map(|at| payload.split_at(at))
        .ok_or(Refusal::Footer)?;
    let version = u32::from(u16::from_le_bytes([footer[0], footer[1]]));
    let known = is_known_version(Magic::Redis, version) || is_known_version(Magic::Valkey, version);
    let checksum = Checksum::of(&payload[..payload.len() - 8]);
    if !known || footer[2..] != checksum.to_le_bytes() {
        return Err(Refusal::Footer);
    }
    let magic = if is_known_version(Magic::Redis, version) {
        Magic::Redis
    } else {
        Magic::Valkey
    };
    read_value(body, magic, limits).map_err(Refusal::Value)
}

/// Hands a value's events to its builder.
struct Restoring(Builder);

impl Sink for Restoring {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        self.0.event(event)
    }

    fn pack(&mut self, rdb_type: u8, blob: &[u8]) -> bool {
        self.0.pack(rdb_type, blob)
    }

    fn stream_node(&mut self, master: StreamId, blob: &[u8]) -> bool {
        self.0.stream_node(master, blob)
    }
}

fn read_value(body: &[u8], magic: Magic, limits: LimitsRef) -> Result<Built, RdbError> {
    let fail = |offset: usize, reason: String| RdbError {
        offset: offset as u64,
        reason,
    };
    let cut = || fail(body.len(), "payload ends inside of its value".into());
    let type_at = match body {
        [format::KEY_META_OR_SLOT_IMPORT, meta @ ..] if magic == Magic::Redis => {
            let mut cursor = Cursor::new(meta, 1);
            match reader::skip_key_meta(&mut cursor) {
                Ok(()) => 1 + cursor.read(),
                Err(Stop::Need(_)) => return Err(cut()),
                Err(Stop::Bad(error)) => return Err(error),
            }
        }
        _ => 0,
    };
    let Some((&rdb_type, value)) = body[type_at..].split_first() else {
        return Err(fail(type_at, "payload has no value".into()));
    };
    if let Some(reason) = reader::refusal_of_type(magic, rdb_type) {
        return Err(fail(type_at, reason));
    }
    let value_at = type_at + 1;
    let builder = Builder::new(rdb_type, Fidelity::Limits, limits).map_err(|reason| fail(type_at, reason))?;
    let (mut sink, mut reading) = (Restoring(builder), ValueBody::new(rdb_type, magic));
    let mut read = 0;
    loop {
        let mut cursor = Cursor::new(&value[read..], (value_at + read) as u64);
        let complete = match reading.step(&mut cursor, &mut sink) {
            Ok(complete) => complete,
            Err(Stop::Need(_)) => return Err(cut()),
            Err(Stop::Bad(error)) => return Err(error),
        };
        read += cursor.read();
        if complete {
            break;
        }
    }
    if read < value.len() {
        return Err(fail(value_at + read, "bytes follow the value".into()));
    }
    Ok(sink.0.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ListValue;

    #[test]
    fn payloads_are_those_of_redis() {
        let string = b"\x00\x01\x76\x0a\x00\x91\x08\xce\xb2\x19\x38\x8a\xce";
        assert_eq!(dump(EntryView::Str(b"v")), string);
        let mut list = ListValue::default();
        list.push_back(b"a");
        let expected = b"\x12\x01\x02\x0a\x0a\x00\x00\x00\x01\x00\x81\x61\x02\xff\x0a\x00\x09\xb9\xed\xf5\x94\xde\xd9\x95";
        assert_eq!(dump(EntryView::Value(&Value::List(list))), expected);
    }

    #[test]
    fn a_payload_comes_back() {
        let Ok(Built::Str(text)) = restore(&dump(EntryView::Str(b"12345")), LimitsRef::default()) else {
            panic!("a string was expected")
        };
        assert_eq!(text, b"12345");
    }

    #[test]
    fn refuses_what_is_damaged() {
        let good = dump(EntryView::Str(b"some value"));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(
                restore(&bad, LimitsRef::default()).map(|_| ()),
                Err(Refusal::Footer)
            );
        }
        assert!(matches!(
            restore(&seal(vec![0, 5, b'a'], 10), LimitsRef::default()),
            Err(Refusal::Value(_))
        ));
        assert!(matches!(
            restore(&seal(vec![0, 1, b'a', 0], 10), LimitsRef::default()),
            Err(Refusal::Value(_))
        ));
        assert!(matches!(
            restore(&seal(vec![0, 1, b'a'], 99), LimitsRef::default()),
            Err(Refusal::Footer)
        ));
    }
}
