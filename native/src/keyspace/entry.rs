//! One key and what belongs to it, behind one thin pointer.
//!
//! Layout of the allocation: an 8-byte header, the expiry (8 bytes, only if there is one), the box of a collection
//! (8 bytes, only for a collection), the key's bytes, a string's bytes. A string costs one allocation, and a lookup
//! that hits touches one place in memory.
//!
//! Sizes are rounded up to [`size_class`], so that a value that changes a little is overwritten where it is.

use super::EntryView;
use crate::value::{HashValue, Value};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::NonNull;

/// Longest key and longest string: 512 MiB, Redis's `proto-max-bulk-len`. Both fit the header's 30-bit lengths.
pub const STRING_BYTES_MAX: usize = 512 * 1024 * 1024;

const LEN_MASK: u32 = (1 << 30) - 1;
/// In the key's word: an expiry follows the header.
const EXPIRES: u32 = 1 << 30;
/// In the key's word: a boxed collection instead of a string.
const COLLECTION: u32 = 1 << 31;
/// In the value's word: every byte is below 128, so the string crosses to JavaScript as one-byte characters.
const ASCII: u32 = 1 << 30;
/// In the value's word: changed in place by APPEND or SETRANGE; OBJECT ENCODING calls that `raw`.
const RAW: u32 = 1 << 31;

const HEADER_BYTES: usize = size_of::<Header>();
const ALIGN: usize = 8;

#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    key: u32,
    value: u32,
}

impl Header {
    fn key_len(self) -> usize {
        (self.key & LEN_MASK) as usize
    }

    fn value_len(self) -> usize {
        (self.value & LEN_MASK) as usize
    }

    fn expiry_bytes(self) -> usize {
        if self.key & EXPIRES != 0 { 8 } else { 0 }
    }

    fn box_bytes(self) -> usize {
        if self.key & COLLECTION != 0 { 8 } else { 0 }
    }

    fn key_offset(self) -> usize {
        HEADER_BYTES + self.expiry_bytes() + self.box_bytes()
    }

    fn value_offset(self) -> usize {
        self.key_offset() + self.key_len()
    }

    fn total(self) -> usize {
        self.value_offset() + self.value_len()
    }

    fn class(self) -> usize {
        size_class(self.total())
    }
}

/// The allocation that holds `bytes`: multiples of 8 up to 64, then four steps per doubling. These are the steps of the
/// allocator itself, so what is accounted is what is used.
pub fn size_class(bytes: usize) -> usize {
    if bytes <= 64 {
        return bytes.next_multiple_of(8);
    }
    let step = 1usize << ((bytes - 1).ilog2() - 2);
    bytes.next_multiple_of(step)
}

/// An owned key with its value.
pub struct Entry(NonNull<Header>);

// SAFETY: an entry owns its allocation alone, and everything inside (bytes, a `Value`) may move between threads.
unsafe impl Send for Entry {}

fn layout(class: usize) -> Layout {
    // Classes are at most 5/4 of a gigabyte and a half: far below `isize::MAX`, so the layout is always valid.
    Layout::from_size_align(class, ALIGN).unwrap_or_else(|_| unreachable!("entry of {class} bytes"))
}

impl Entry {
    /// A string's entry. Neither `key` nor `value` may be longer than [`STRING_BYTES_MAX`].
    pub fn string(key: &[u8], value: &[u8], expire_at: Option<i64>) -> Entry {
        assert!(value.len() <= STRING_BYTES_MAX, "string too long");
        let ascii = if value.is_ascii() { ASCII } else { 0 };
        let entry = Entry::allocate(key, 0, value.len() as u32 | ascii, expire_at);
        let offset = entry.header().value_offset();
        // SAFETY: `allocate` made room for the string's bytes behind the key.
        unsafe {
            entry
                .start()
                .add(offset)
                .copy_from_nonoverlapping(value.as_ptr(), value.len())
        };
        entry
    }

    /// A collection's entry.
    pub fn collection(key: &[u8], value: Box<Value>, expire_at: Option<i64>) -> Entry {
        let entry = Entry::allocate(key, COLLECTION, 0, expire_at);
        // SAFETY: `allocate` left the eight bytes of the box unset, and they lie inside the allocation.
        unsafe { entry.box_place().write_unaligned(Box::into_raw(value)) };
        entry
    }

    /// Header, expiry and key are written; the box or the string's bytes are not.
    fn allocate(key: &[u8], kind: u32, value: u32, expire_at: Option<i64>) -> Entry {
        assert!(key.len() <= STRING_BYTES_MAX, "key too long");
        let expires = if expire_at.is_some() { EXPIRES } else { 0 };
        let header = Header {
            key: key.len() as u32 | kind | expires,
            value,
        };
        let layout = layout(header.class());
        // SAFETY: a class is never 0.
        let place = unsafe { alloc(layout) };
        let Some(place) = NonNull::new(place.cast::<Header>()) else {
            handle_alloc_error(layout)
        };
        // SAFETY: the allocation has room for the header, the expiry and the key at these offsets, by `total`.
        unsafe {
            place.write(header);
            let start = place.as_ptr().cast::<u8>();
            if let Some(at) = expire_at {
                start.add(HEADER_BYTES).cast::<i64>().write(at);
            }
            start
                .add(header.key_offset())
                .copy_from_nonoverlapping(key.as_ptr(), key.len());
        }
        Entry(place)
    }

    fn header(&self) -> Header {
        // SAFETY: the pointer is valid and the header initialised as long as the entry lives.
        unsafe { self.0.read() }
    }

    fn start(&self) -> *mut u8 {
        self.0.as_ptr().cast()
    }

    fn box_place(&self) -> *mut *mut Value {
        let header = self.header();
        // SAFETY: the offset lies inside the allocation.
        unsafe { self.start().add(HEADER_BYTES + header.expiry_bytes()).cast() }
    }

    fn is_collection(&self) -> bool {
        self.header().key & COLLECTION != 0
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let header = self.header();
        // SAFETY: `allocate` wrote that many bytes there.
        unsafe { std::slice::from_raw_parts(self.start().add(header.key_offset()), header.key_len()) }
    }

    /// The Unix millisecond from which on the key is gone.
    #[inline]
    pub fn expire_at(&self) -> Option<i64> {
        if self.header().key & EXPIRES == 0 {
            return None;
        }
        // SAFETY: the flag says that the expiry is there, 8 bytes behind an 8-aligned start.
        Some(unsafe { self.start().add(HEADER_BYTES).cast::<i64>().read() })
    }

    /// The string, if it is one.
    #[inline]
    pub fn bytes(&self) -> Option<&[u8]> {
        let header = self.header();
        if header.key & COLLECTION != 0 {
            return None;
        }
        // SAFETY: the string's bytes were written when the entry was made, or by `resize`.
        Some(unsafe {
            std::slice::from_raw_parts(self.start().add(header.value_offset()), header.value_len())
        })
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        let header = self.header();
        debug_assert!(header.key & COLLECTION == 0);
        // SAFETY: as in `bytes`; for a collection the length is 0.
        unsafe { std::slice::from_raw_parts_mut(self.start().add(header.value_offset()), header.value_len()) }
    }

    /// The collection, if it is one.
    pub fn value(&self) -> Option<&Value> {
        // SAFETY: the box was made by `Box::into_raw` and belongs to this entry.
        self.is_collection()
            .then(|| unsafe { &*self.box_place().read_unaligned() })
    }

    /// As [`Entry::value`], to change it.
    pub fn value_mut(&mut self) -> Option<&mut Value> {
        // SAFETY: as in `value`, and the entry is borrowed mutably.
        self.is_collection()
            .then(|| unsafe { &mut *self.box_place().read_unaligned() })
    }

    /// When the next field of a hash expires.
    pub fn next_due_field(&self) -> Option<i64> {
        match self.value() {
            Some(Value::Hash(hash)) => hash.next_due(),
            _ => None,
        }
    }

    /// The hash, if it is one, to change it.
    pub fn hash_mut(&mut self) -> Option<&mut HashValue> {
        match self.value_mut() {
            Some(Value::Hash(hash)) => Some(hash),
            _ => None,
        }
    }

    /// What the key holds.
    pub fn view(&self) -> EntryView<'_> {
        match self.value() {
            Some(value) => EntryView::Value(value),
            None => EntryView::Str(self.bytes().unwrap_or_default()),
        }
    }

    /// Whether the string is known to be ASCII.
    #[inline]
    pub fn is_ascii(&self) -> bool {
        self.header().value & ASCII != 0
    }

    /// Whether the string was changed in place.
    pub fn is_raw(&self) -> bool {
        self.header().value & RAW != 0
    }

    /// Index of the type in statistics: string, hash, list, set, sorted set, stream.
    pub fn kind(&self) -> usize {
        match self.value() {
            None => 0,
            Some(Value::Hash(_)) => 1,
            Some(Value::List(_)) => 2,
            Some(Value::Set(_)) => 3,
            Some(Value::ZSet(_)) => 4,
            Some(Value::Stream(_)) => 5,
        }
    }

    /// Bytes on the heap, the collection's included.
    pub fn memory(&self) -> usize {
        let class = self.header().class();
        match self.value() {
            None => class,
            Some(value) => class + size_of::<Value>() + super::value_memory(value),
        }
    }

    /// Makes this entry a string of these bytes with this expiry, in place if the allocation's class stays the same.
    pub fn overwrite(&mut self, value: &[u8], expire_at: Option<i64>) {
        let old = self.header();
        let expires = if expire_at.is_some() { EXPIRES } else { 0 };
        let ascii = if value.is_ascii() { ASCII } else { 0 };
        let new = Header {
            key: old.key & LEN_MASK | expires,
            value: value.len() as u32 | ascii,
        };
        let same_place = old.key == new.key && old.class() == new.class();
        if !same_place || value.len() > STRING_BYTES_MAX {
            *self = Entry::string(self.key(), value, expire_at);
            return;
        }
        // SAFETY: key, flags and class are as they were, so every offset is, and the new total fits the class.
        unsafe {
            self.0.write(new);
            if let Some(at) = expire_at {
                self.start().add(HEADER_BYTES).cast::<i64>().write(at);
            }
            self.start()
                .add(new.value_offset())
                .copy_from_nonoverlapping(value.as_ptr(), value.len());
        }
    }

    /// Writes `patch` into a string at `offset`, with zeros in a gap, and marks it `raw`. The end must not lie beyond
    /// [`STRING_BYTES_MAX`]. Gives the new length.
    pub fn patch(&mut self, offset: usize, patch: &[u8]) -> usize {
        let end = offset + patch.len();
        assert!(end <= STRING_BYTES_MAX, "string too long");
        let old = self.header();
        let len = old.value_len().max(end);
        if len > old.value_len() {
            self.resize(len);
        }
        self.bytes_mut()[offset..end].copy_from_slice(patch);
        let ascii = old.value & ASCII & if patch.is_ascii() { ASCII } else { 0 };
        let header = Header {
            key: old.key,
            value: len as u32 | ascii | RAW,
        };
        // SAFETY: the entry is borrowed mutably, and `resize` made the allocation fit this length.
        unsafe { self.0.write(header) };
        len
    }

    /// Changes the bytes of a string, lengthened with zeros to at least `len`, where they are, and marks it `raw`. `len` must
    /// not be above [`STRING_BYTES_MAX`].
    pub fn edit<R>(&mut self, len: usize, change: impl FnOnce(&mut [u8]) -> R) -> R {
        assert!(len <= STRING_BYTES_MAX, "string too long");
        if len > self.header().value_len() {
            self.resize(len);
        }
        let result = change(self.bytes_mut());
        let header = self.header();
        // SAFETY: the entry is borrowed mutably, and the length stays as it is.
        unsafe {
            self.0.write(Header {
                key: header.key,
                value: header.value & !ASCII | RAW,
            })
        };
        result
    }

    /// Lengthens a string with zeros.
    fn resize(&mut self, len: usize) {
        let old = self.header();
        let new = Header {
            key: old.key,
            value: old.value & !LEN_MASK | len as u32,
        };
        if old.class() != new.class() {
            // SAFETY: the entry was allocated with the layout of its class; the new class is larger and not 0.
            let place = unsafe { realloc(self.start(), layout(old.class()), new.class()) };
            let Some(place) = NonNull::new(place.cast()) else {
                handle_alloc_error(layout(new.class()))
            };
            self.0 = place;
        }
        // SAFETY: the allocation now holds `new.total()` bytes.
        unsafe {
            self.0.write(new);
            self.start()
                .add(old.total())
                .write_bytes(0, new.total() - old.total());
        }
    }

    /// Gives the key another expiry. In place if there was one and there is one.
    pub fn set_expiry(&mut self, expire_at: Option<i64>) {
        if let (Some(at), true) = (expire_at, self.header().key & EXPIRES != 0) {
            // SAFETY: the flag says that the expiry is there.
            unsafe { self.start().add(HEADER_BYTES).cast::<i64>().write(at) };
            return;
        }
        if expire_at.is_none() && self.header().key & EXPIRES == 0 {
            return;
        }
        let raw = self.header().value & RAW;
        let moved = match self.take_box() {
            Some(value) => Entry::collection(self.key(), value, expire_at),
            None => Entry::string(self.key(), self.bytes().unwrap_or_default(), expire_at),
        };
        let header = moved.header();
        // SAFETY: `moved` is this function's own.
        unsafe {
            moved.0.write(Header {
                key: header.key,
                value: header.value | raw,
            })
        };
        *self = moved;
    }

    /// The same value under another key.
    pub fn rename(mut self, key: &[u8]) -> Entry {
        let raw = self.header().value & RAW;
        let moved = match self.take_box() {
            Some(value) => Entry::collection(key, value, self.expire_at()),
            None => Entry::string(key, self.bytes().unwrap_or_default(), self.expire_at()),
        };
        let header = moved.header();
        // SAFETY: `moved` is this function's own.
        unsafe {
            moved.0.write(Header {
                key: header.key,
                value: header.value | raw,
            })
        };
        moved
    }

    /// Marks a string as changed in place.
    pub fn set_raw(&mut self) {
        let header = self.header();
        // SAFETY: the entry is borrowed mutably.
        unsafe {
            self.0.write(Header {
                key: header.key,
                value: header.value | RAW,
            })
        };
    }

    /// Takes the collection out. After that the entry may only be asked for its key and expiry, and dropped.
    fn take_box(&mut self) -> Option<Box<Value>> {
        if !self.is_collection() {
            return None;
        }
        // SAFETY: the box belongs to this entry; a null in its place marks it as taken for `drop`.
        unsafe {
            let place = self.box_place();
            let value = place.read_unaligned();
            place.write_unaligned(std::ptr::null_mut());
            Some(Box::from_raw(value))
        }
    }

    /// Takes the collection out of an entry that goes.
    pub fn into_value(mut self) -> Option<Box<Value>> {
        self.take_box()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let header = self.header();
        if self.is_collection() {
            // SAFETY: the box is this entry's, unless `take_box` left null.
            unsafe {
                let value = self.box_place().read_unaligned();
                if !value.is_null() {
                    drop(Box::from_raw(value));
                }
            }
        }
        // SAFETY: allocated with the layout of this class.
        unsafe { dealloc(self.start(), layout(header.class())) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_say_and_waste_at_most_a_quarter() {
        for bytes in 1..10_000 {
            let class = size_class(bytes);
            assert!(class >= bytes && class.is_multiple_of(8));
            assert!(bytes < 32 || (class - bytes) * 4 <= bytes, "{bytes} -> {class}");
            assert_eq!(size_class(class), class);
        }
    }

    #[test]
    fn a_string_survives_every_change_of_expiry_and_length() {
        let mut entry = Entry::string(b"key", b"value", None);
        for expire_at in [Some(5), Some(6), None, Some(7)] {
            entry.set_expiry(expire_at);
            assert_eq!(
                (entry.key(), entry.bytes(), entry.expire_at()),
                (&b"key"[..], Some(&b"value"[..]), expire_at)
            );
        }
        for len in [0, 1, 8, 7, 100, 5000, 3] {
            let value = vec![b'x'; len];
            entry.overwrite(&value, Some(len as i64));
            assert_eq!(
                (entry.bytes(), entry.expire_at()),
                (Some(&value[..]), Some(len as i64))
            );
        }
        assert_eq!(entry.patch(5, b"yz"), 7);
        assert_eq!(entry.bytes(), Some(&b"xxx\0\0yz"[..]));
        assert!(entry.is_ascii() && entry.is_raw());
        entry.patch(0, &[200]);
        assert!(!entry.is_ascii());
        let entry = entry.rename(b"other key");
        assert_eq!((entry.key(), entry.is_raw()), (&b"other key"[..], true));
    }

    #[test]
    fn a_string_is_edited_where_it_is() {
        let mut entry = Entry::string(b"k", b"ab", Some(9));
        entry.edit(1, |bytes| bytes[0] = 200);
        assert_eq!(entry.bytes(), Some(&b"\xc8b"[..]));
        assert!(!entry.is_ascii() && entry.is_raw());
        assert_eq!(entry.edit(5000, |bytes| bytes.len()), 5000);
        let bytes = entry.bytes().unwrap();
        assert!(bytes[2..].iter().all(|&byte| byte == 0));
        assert_eq!((&bytes[..2], entry.expire_at()), (&b"\xc8b"[..], Some(9)));
    }

    #[test]
    fn appending_byte_by_byte_keeps_the_content() {
        let mut entry = Entry::string(b"k", b"", None);
        for i in 0..3000 {
            assert_eq!(entry.patch(i, &[b'a' + (i % 26) as u8]), i + 1);
        }
        let bytes = entry.bytes().unwrap();
        assert!(bytes.iter().enumerate().all(|(i, &b)| b == b'a' + (i % 26) as u8));
    }

    #[test]
    fn a_collection_moves_with_its_entry() {
        let value = Box::new(Value::Hash(Default::default()));
        let mut entry = Entry::collection(b"h", value, None);
        entry.set_expiry(Some(1));
        let entry = entry.rename(b"g");
        assert!(entry.value().is_some() && entry.bytes().is_none() && entry.expire_at() == Some(1));
        assert!(entry.into_value().is_some());
    }
}
