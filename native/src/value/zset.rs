//! ZSet values.
use super::{Collection, Value};

/// A zset.
#[derive(Debug, Default)]
pub struct ZSetValue;

impl Collection for ZSetValue {
    fn into_value(self) -> Value {
        Value::ZSet(self)
    }
    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::ZSet(inner) => Some(inner),
            _ => None,
        }
    }
    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::ZSet(inner) => Some(inner),
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
