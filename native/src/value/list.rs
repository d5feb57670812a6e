//! List values.
use super::{Collection, Value};

/// A list.
#[derive(Debug, Default)]
pub struct ListValue;

impl Collection for ListValue {
    fn into_value(self) -> Value {
        Value::List(self)
    }
    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::List(inner) => Some(inner),
            _ => None,
        }
    }
    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::List(inner) => Some(inner),
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
