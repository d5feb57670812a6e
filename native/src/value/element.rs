//! An element as it lies in a packed structure: bytes, or an integer that stands for its decimal text.

use std::borrow::Cow;

/// A borrowed element of a collection. Equality is that of the text.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// The canonical decimal text of this integer.
    Int(i64),
}

impl<'a> Element<'a> {
    /// The element's bytes, formatted into `buffer` if it is held as an integer.
    pub fn as_bytes<'b>(&self, buffer: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match *self {
            Element::Bytes(bytes) => bytes,
            Element::Int(n) => buffer.format(n).as_bytes(),
        }
    }

    /// The element's bytes, owned if it is held as an integer.
    pub fn to_cow(&self) -> Cow<'a, [u8]> {
        match *self {
            Element::Bytes(bytes) => Cow::Borrowed(bytes),
            Element::Int(n) => Cow::Owned(itoa::Buffer::new().format(n).as_bytes().to_vec()),
        }
    }

    /// A copy of the element's bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.to_cow().into_owned()
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Element::Bytes(a), Element::Bytes(b)) => a == b,
            (Element::Int(a), Element::Int(b)) => a == b,
            _ => self.to_cow() == other.to_cow(),
        }
    }
}
