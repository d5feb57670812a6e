//! One value, from the elements that a file has of it.

use super::stream::StreamBuilder;
use crate::keyspace::STRING_BYTES_MAX;
use crate::rdb::event::{Event, StreamId};
use crate::rdb::format;
use crate::structure::listpack::Listpack;
use crate::value::zset::ZSetFilling;
use crate::value::{Collection, Element, HashValue, LimitsRef, ListValue, SetValue, Value, ZSetValue};

/// Which form a value is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// The one that its size asks for.
    Limits,
    /// The one that its type byte names.
    Exact,
}

/// A finished value.
#[derive(Debug)]
pub enum Built {
    /// A string.
    Str(Vec<u8>),
    /// A collection with something in it.
    Value(Value),
    /// A collection with nothing in it, which is none.
    Nothing,
}

#[derive(Debug)]
enum Form {
    Str(Vec<u8>),
    Hash(HashValue),
    List(ListValue),
    Set(SetValue),
    ZSet(ZSetValue),
    /// A sorted set that comes member by member.
    Members(ZSetFilling),
    Stream(Box<StreamBuilder>),
}

/// A value being built.
#[derive(Debug)]
pub struct Builder {
    form: Form,
    fidelity: Fidelity,
    limits: LimitsRef,
}

impl Form {
    fn limited(self, limits: LimitsRef) -> Form {
        match self {
            Form::Str(text) => Form::Str(text),
            Form::Hash(hash) => Form::Hash(hash.limited(limits)),
            Form::List(list) => Form::List(list.limited(limits)),
            Form::Set(set) => Form::Set(set.limited(limits)),
            Form::ZSet(zset) => Form::ZSet(zset.limited(limits)),
            Form::Members(members) => Form::Members(members),
            Form::Stream(stream) => Form::Stream(Box::new(stream.limited(limits))),
        }
    }
}

/// Why a value of this type cannot be held, if it cannot.
pub fn refusal(rdb_type: u8) -> Option<&'static str> {
    match format::type_name(rdb_type)? {
        "module" => Some("values of modules cannot be held here"),
        _ => None,
    }
}

/// Checks a string that is to be a key or a value.
pub(super) fn check_length(text: &[u8]) -> Result<(), String> {
    if text.len() > STRING_BYTES_MAX {
        return Err(format!(
            "string of {} bytes, more than {STRING_BYTES_MAX}",
            text.len()
        ));
    }
    Ok(())
}

impl Builder {
    /// A value of this type, with nothing in it yet.
    ///
    /// # Errors
    /// When no such value can be held.
    pub fn new(rdb_type: u8, fidelity: Fidelity, limits: LimitsRef) -> Result<Self, String> {
        if let Some(reason) = refusal(rdb_type) {
            return Err(reason.into());
        }
        let form = match fidelity {
            Fidelity::Exact => exact_form(rdb_type, limits),
            Fidelity::Limits => None,
        };
        let form = form.unwrap_or_else(|| match format::type_name(rdb_type) {
            Some("hash") => Form::Hash(HashValue::default()),
            Some("list") => Form::List(ListValue::default()),
            Some("set") => Form::Set(SetValue::default()),
            Some("zset") if matches!(rdb_type, format::ZSET | format::ZSET_2) => {
                Form::Members(ZSetFilling::new(limits))
            }
            Some("zset") => Form::ZSet(ZSetValue::default()),
            Some("stream") => Form::Stream(Box::new(StreamBuilder::new(rdb_type))),
            _ => Form::Str(Vec::new()),
        });
        Ok(Builder {
            form: form.limited(limits),
            fidelity,
            limits,
        })
    }

    /// Makes room for so many elements.
    pub fn reserve(&mut self, elements: usize) {
        if let Form::Members(members) = &mut self.form {
            members.reserve(elements);
        }
    }

    /// Adds what the event says.
    ///
    /// # Errors
    /// When the element was there already, or cannot be held.
    pub fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        let mut buffers = [itoa::Buffer::new(), itoa::Buffer::new()];
        let [first, second] = &mut buffers;
        check_elements(event)?;
        let is_new = match (&mut self.form, event) {
            (Form::Str(held), Event::String(text)) => {
                held.extend_from_slice(text.as_bytes(first));
                true
            }
            (Form::List(list), Event::Element(element)) => {
                list.push_back(element.as_bytes(first));
                true
            }
            (Form::Set(set), Event::Element(member)) => set.add(member.as_bytes(first)),
            (Form::Hash(hash), Event::Pair(field, value)) => {
                hash.set(field.as_bytes(first), value.as_bytes(second))
            }
            (
                Form::Hash(hash),
                Event::ExpiringPair {
                    field,
                    value,
                    expire_at_ms,
                },
            ) => {
                let field = field.as_bytes(first);
                let is_new = hash.set(field, value.as_bytes(second));
                if expire_at_ms != 0 {
                    hash.set_expiry(field, i64::try_from(expire_at_ms).ok());
                }
                is_new
            }
            (Form::ZSet(zset), Event::Scored(member, score)) => {
                zset.insert(score, member.as_bytes(first)).is_none()
            }
            (Form::Members(members), Event::Scored(member, score)) => {
                members.add(score, member.as_bytes(first))
            }
            (Form::Stream(stream), event) => return stream.event(event),
            _ => return Err("element of another type".into()),
        };
        if is_new { Ok(()) } else { Err(doubled(event)) }
    }

    /// Adds a member of a sorted set; false if it is none, is there already, or cannot be held.
    #[inline]
    pub fn scored(&mut self, member: &[u8], score: f64) -> bool {
        match &mut self.form {
            Form::Members(members) if member.len() <= STRING_BYTES_MAX && !score.is_nan() => {
                members.add(score, member)
            }
            _ => false,
        }
    }

    /// Adopts a listpack as it is; false if it has to be taken element by element.
    pub fn pack(&mut self, rdb_type: u8, blob: &[u8]) -> bool {
        let adopted = match (&self.form, rdb_type) {
            (Form::List(_), format::LIST_QUICKLIST_2) => {
                let is_exact = self.fidelity == Fidelity::Exact;
                let pack = if is_exact || blob.len() <= self.limits.list_node_bytes() {
                    let entries_max = self.limits.list_node_entries();
                    Listpack::from_bytes(blob).filter(|pack| is_exact || pack.len() <= entries_max)
                } else {
                    None
                };
                let (Form::List(list), Some(pack)) = (&mut self.form, pack) else {
                    return false;
                };
                list.push_pack(pack);
                return true;
            }
            (Form::ZSet(_), format::ZSET_LISTPACK) => adopt_zset(blob, self.limits).map(Form::ZSet),
            (Form::Hash(_), format::HASH_LISTPACK) => HashValue::from_blob(blob, self.limits).map(Form::Hash),
            _ => None,
        };
        let Some(adopted) = adopted else {
            return false;
        };
        self.form = adopted;
        true
    }

    /// Adopts a stream's node as it is; false if it has to be taken entry by entry.
    pub fn stream_node(&mut self, master: StreamId, blob: &[u8]) -> bool {
        match &mut self.form {
            Form::Stream(stream) => stream.node(master, blob),
            _ => false,
        }
    }

    /// The value.
    pub fn finish(self) -> Built {
        let value = match self.form {
            Form::Str(text) => return Built::Str(text),
            Form::Hash(hash) if !hash.is_empty() => Value::Hash(hash),
            Form::List(list) if !list.is_empty() => Value::List(list),
            Form::Set(set) if !set.is_empty() => Value::Set(set),
            Form::ZSet(zset) if !zset.is_empty() => Value::ZSet(zset),
            Form::Members(members) if !members.is_empty() => Value::ZSet(members.finish()),
            Form::Stream(stream) => Value::Stream(Box::new(stream.finish())),
            _ => return Built::Nothing,
        };
        Built::Value(value)
    }
}

fn exact_form(rdb_type: u8, limits: LimitsRef) -> Option<Form> {
    Some(match rdb_type {
        format::HASH => Form::Hash(HashValue::table()),
        format::HASH_LISTPACK => Form::Hash(HashValue::packed()),
        format::EXACT_TIMED_TABLE => Form::Hash(HashValue::with_expiries(false)),
        format::EXACT_TIMED_PACK => Form::Hash(HashValue::with_expiries(true)),
        format::SET => Form::Set(SetValue::table()),
        format::SET_LISTPACK => Form::Set(SetValue::packed()),
        format::SET_INTSET => Form::Set(SetValue::intset()),
        format::ZSET_2 => Form::Members(ZSetFilling::large(limits)),
        format::ZSET_LISTPACK => Form::ZSet(ZSetValue::packed()),
        _ => return None,
    })
}

/// A small sorted set whose listpack is sound, in order, and within the limits.
fn adopt_zset(blob: &[u8], limits: LimitsRef) -> Option<ZSetValue> {
    let pack = Listpack::from_bytes(blob)?;
    let fits =
        |element: Element<'_>| !matches!(element, Element::Bytes(text) if text.len() > limits.zset_bytes);
    if pack.len() > 2 * limits.zset_entries || !pack.iter().all(fits) {
        return None;
    }
    ZSetValue::from_pack(pack).map(|zset| zset.limited(limits))
}

fn check_elements(event: Event<'_>) -> Result<(), String> {
    let check = |element| match element {
        Element::Bytes(text) => check_length(text),
        Element::Int(_) => Ok(()),
    };
    match event {
        Event::String(text) | Event::Element(text) | Event::Scored(text, _) => check(text),
        Event::Pair(field, value) | Event::ExpiringPair { field, value, .. } => {
            check(field).and_then(|()| check(value))
        }
        _ => Ok(()),
    }
}

fn doubled(event: Event<'_>) -> String {
    let (what, element) = match event {
        Event::Pair(field, _) | Event::ExpiringPair { field, .. } => ("field", field),
        Event::Element(member) | Event::Scored(member, _) => ("member", member),
        _ => return "element comes twice".into(),
    };
    format!("{what} '{}' comes twice", element.to_cow().escape_ascii())
}
