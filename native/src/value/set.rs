//! Set values.
use super::{Collection, Value};

/// A set.
#[derive(Debug, Default)]
pub struct SetValue;

impl Collection for SetValue {
    fn into_value(self) -> Value {
        Value::Set(self)
    }
    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Set(inner) => Some(inner),
            _ => None,
        }
    }
    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::Set(inner) => Some(inner),
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
