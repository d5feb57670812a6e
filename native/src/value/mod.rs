//! The types of the data model. Strings live inside their entry ([`crate::keyspace`]); the others are here.

mod element;
mod frozen;
pub mod hash;
mod limits;
pub mod list;
mod packed;
pub mod set;
pub mod stream;
pub mod zset;

pub use element::Element;
pub use frozen::{FREEZE_BYTES_MIN, Frozen};
pub use hash::HashValue;
pub use limits::{Limits, LimitsRef};
pub use list::ListValue;
pub use set::SetValue;
pub use stream::StreamValue;
pub use zset::ZSetValue;

/// A value that is not a string.
#[derive(Debug)]
pub enum Value {
    /// Fields and their values, in the order of insertion.
    Hash(HashValue),
    /// Elements from head to tail.
    List(ListValue),
    /// Members, in the order of insertion (ascending, while all are integers).
    Set(SetValue),
    /// Members by score, then by bytes.
    ZSet(ZSetValue),
    /// Entries by id, and groups of consumers. In a box: it is much larger than the others.
    Stream(Box<StreamValue>),
}

/// Number of types that a key may hold, strings included.
pub const TYPES: usize = 6;

impl Value {
    /// What `TYPE` answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Hash(_) => "hash",
            Value::List(_) => "list",
            Value::Set(_) => "set",
            Value::ZSet(_) => "zset",
            Value::Stream(_) => "stream",
        }
    }
}

impl Value {
    /// Bytes on the heap. O(1).
    pub fn memory(&self) -> usize {
        match self {
            Value::Hash(hash) => hash.memory(),
            Value::List(list) => list.memory(),
            Value::Set(set) => set.memory(),
            Value::ZSet(zset) => zset.memory(),
            Value::Stream(stream) => stream.memory(),
        }
    }

    /// The limits of the collection.
    pub fn limits(&self) -> LimitsRef {
        match self {
            Value::Hash(hash) => hash.limits(),
            Value::List(list) => list.limits(),
            Value::Set(set) => set.limits(),
            Value::ZSet(zset) => zset.limits(),
            Value::Stream(stream) => stream.limits(),
        }
    }
}

// What all collections pay for the largest one, a set.
const _: () = assert!(size_of::<Value>() <= 32);

/// A collection type, as [`crate::keyspace::Db`] needs it to read, create, account for and remove values generically.
pub trait Collection: Default {
    /// The collection with other limits than the default ones. It must be empty, or have the form that they ask for.
    fn limited(self, limits: LimitsRef) -> Self;
    /// Its limits.
    fn limits(&self) -> LimitsRef;
    /// Wraps the collection.
    fn into_value(self) -> Value;
    /// The collection inside, if the value has this type.
    fn of(value: &Value) -> Option<&Self>;
    /// As [`Collection::of`], to change it.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// Whether nothing is left, so that the key has to go. A stream's key stays, and a stream never says so.
    fn is_empty(&self) -> bool;
    /// Bytes on the heap, kept up to date by every operation: O(1).
    fn memory(&self) -> usize;
    /// What `OBJECT ENCODING` answers.
    fn encoding(&self) -> &'static str;
}
