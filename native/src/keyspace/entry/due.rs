//! When an entry goes by itself, and the fields of a hash that are due.

use super::Entry;
use crate::value::{HashValue, Value};

impl Entry {
    /// When the key goes by itself: at its expiry, or with the last field of a hash if all of them expire.
    #[inline]
    pub fn goes_at(&self) -> Option<i64> {
        let expire_at = self.expire_at();
        match self.value() {
            Some(Value::Hash(hash)) => expire_at.into_iter().chain(hash.last_due()).min(),
            _ => expire_at,
        }
    }

    /// When the next field of a hash expires.
    pub fn next_due_field(&self) -> Option<i64> {
        match self.value() {
            Some(Value::Hash(hash)) => hash.next_due(),
            _ => None,
        }
    }

    /// Whether a hash has a field that expires after `time`. O(fields).
    pub fn has_field_after(&self, time: i64) -> bool {
        match self.value() {
            Some(Value::Hash(hash)) => hash.iter_timed().any(|(_, _, at)| at.is_some_and(|at| at > time)),
            _ => false,
        }
    }

    /// Whether a hash holds hidden fields that have still to be removed.
    pub fn has_hidden_fields(&self) -> bool {
        matches!(self.value(), Some(Value::Hash(hash)) if hash.has_hidden())
    }

    /// The hash, if it is one, to change it.
    pub fn hash_mut(&mut self) -> Option<&mut HashValue> {
        match self.value_mut() {
            Some(Value::Hash(hash)) => Some(hash),
            _ => None,
        }
    }
}
