//! What a table holds. Copies of entries share their texts.

use crate::structure::text::Text;

/// What an [`IndexMap`] holds: something with a key.
pub trait Entry: Clone {
    /// The key. It must not change while the entry is in a map.
    fn key(&self) -> &[u8];
    /// Bytes that the entry owns on the heap.
    fn heap_bytes(&self) -> usize;
    /// The part of them that no copy shares.
    fn unshared_bytes(&self) -> usize;
}

/// A key with a payload of fixed size beside it. Copies share the key.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyed<P> {
    key: Text,
    /// What belongs to the key.
    pub payload: P,
}

/// A key alone.
pub type Member = Keyed<()>;

impl<P> Keyed<P> {
    /// Copies `key` to the heap.
    pub fn new(key: &[u8], payload: P) -> Self {
        Keyed {
            key: key.into(),
            payload,
        }
    }
}

impl<P: Clone> Entry for Keyed<P> {
    fn key(&self) -> &[u8] {
        self.key.bytes()
    }

    fn heap_bytes(&self) -> usize {
        self.key.heap_bytes()
    }

    fn unshared_bytes(&self) -> usize {
        self.key.unshared_bytes()
    }
}

/// A field and its value in one heap block, which copies share.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    text: Text,
    field_len: u32,
}

impl Pair {
    /// Copies both to the heap. Neither is longer than 512 MiB, so the length of a field fits 32 bits.
    pub fn new(field: &[u8], value: &[u8]) -> Self {
        Pair {
            text: Text::joined(field, value),
            field_len: u32::try_from(field.len()).expect("a field is shorter than 4 GiB"),
        }
    }

    /// The value.
    pub fn value(&self) -> &[u8] {
        &self.text.bytes()[self.field_len as usize..]
    }

    /// Replaces the value, in place if the length is the same and no copy shares it.
    pub fn set_value(&mut self, value: &[u8]) {
        let field_len = self.field_len as usize;
        match self.text.bytes_mut() {
            Some(text) if text.len() - field_len == value.len() => {
                text[field_len..].copy_from_slice(value);
            }
            _ => *self = Pair::new(self.key(), value),
        }
    }
}

impl Entry for Pair {
    fn key(&self) -> &[u8] {
        &self.text.bytes()[..self.field_len as usize]
    }

    fn heap_bytes(&self) -> usize {
        self.text.heap_bytes()
    }

    fn unshared_bytes(&self) -> usize {
        self.text.unshared_bytes()
    }
}
