//! Hash values.
use super::{Collection, Value};

/// A hash.
#[derive(Debug, Default)]
pub struct HashValue;

impl Collection for HashValue {
    fn into_value(self) -> Value {
        Value::Hash(self)
    }
    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Hash(inner) => Some(inner),
            _ => None,
        }
    }
    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::Hash(inner) => Some(inner),
            _ => None,
        }
    }
    fn is_empty(&self) -> bool {
        true
    }
    fn memory(&self) -> usize {
        0
    }
    fn encoding(&self) -> &'static str {
        "listpack"
    }
}
