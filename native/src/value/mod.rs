//! The types of the data model. Strings live inside their entry ([`crate::keyspace`]); the others are here.

mod element;
pub mod hash;
pub mod list;
mod packed;
pub mod set;
pub mod stream;
pub mod zset;

pub use element::Element;
pub use hash::HashValue;
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

/// A collection type, as [`crate::keyspace::Db`] needs it to read, create, account for and remove values generically.
pub trait Collection: Default {
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

/// Sizes up to which a collection stays packed. The defaults are Redis's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fields of a hash (`hash-max-listpack-entries`).
    pub hash_entries: usize,
    /// Members of a set of strings (`set-max-listpack-entries`).
    pub set_entries: usize,
    /// Members of a set of integers (`set-max-intset-entries`).
    pub intset_entries: usize,
    /// Members of a sorted set (`zset-max-listpack-entries`).
    pub zset_entries: usize,
    /// Bytes of one element of a packed hash, set or sorted set (`*-max-listpack-value`).
    pub element_bytes: usize,
    /// Bytes of one node of a list (`list-max-listpack-size -2`).
    pub list_node_bytes: usize,
}

/// The limits in force. Constants for now: every peer of a cluster must agree on them, since they decide the order of a set.
pub const LIMITS: Limits = Limits {
    hash_entries: 512,
    set_entries: 128,
    intset_entries: 512,
    zset_entries: 128,
    element_bytes: 64,
    list_node_bytes: 8192,
};
