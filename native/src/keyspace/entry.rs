//! One key and what belongs to it, behind one thin pointer.
//!
//! Layout of the allocation: an 8-byte header, the lengths (8 bytes, only if they do not fit the header), the expiry (8
//! bytes, if there is one or the entry is a long one), the box of a collection (8 bytes, only for a collection), the
//! key's bytes, a string's bytes. A string costs one allocation, and a lookup that hits touches one place in memory.
//! In a long entry the key stands behind the string, so that another key leaves the string where it is.
//!
//! Sizes are rounded up to [`size_class`], so that a value that changes a little is overwritten where it is.

mod due;
mod filling;

pub use filling::StringFilling;

use super::EntryView;
use crate::structure::chunk_table::Element;
use crate::structure::size_class::size_class;
use crate::value::Value;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::NonNull;

/// Longest key and longest string: 512 MiB, Redis's `proto-max-bulk-len`.
pub const STRING_BYTES_MAX: usize = 512 * 1024 * 1024;

/// The header's lowest bits: the string's length.
const VALUE_BITS: u32 = 20;
/// The bits above: the key's length.
const KEY_BITS: u32 = 14;
/// Differs from the segment's parity while a cut has not dealt with the entry: see [`super::cut`].
const PARITY: u64 = 1 << 34;
/// A length does not fit: both stand in a word behind the header, and behind them is always room for an expiry, so that
/// a long string is not copied for one.
const LONG: u64 = 1 << 35;
/// There is an expiry.
const EXPIRES: u64 = 1 << 36;
/// A boxed collection instead of a string.
const COLLECTION: u64 = 1 << 37;
/// Every byte of the string is below 128, so it crosses to JavaScript as one-byte characters.
const ASCII: u64 = 1 << 38;
/// Changed in place by APPEND or SETRANGE; OBJECT ENCODING calls that `raw`.
const RAW: u64 = 1 << 39;
/// The topmost 24 bits: when or how often the key was used (see [`super::access`]).
const ACCESS_SHIFT: u32 = 40;
/// What decides where the parts of the allocation lie.
const PARTS: u64 = LONG | EXPIRES | COLLECTION;

const WORD_BYTES: usize = 8;

/// A header with its lengths at hand.
#[derive(Clone, Copy)]
struct Shape {
    header: u64,
    key_len: usize,
    value_len: usize,
}

impl Shape {
    fn new(flags: u64, key_len: usize, value_len: usize) -> Shape {
        let long = key_len >> KEY_BITS != 0 || value_len >> VALUE_BITS != 0;
        let lengths = if long {
            LONG
        } else {
            (key_len as u64) << VALUE_BITS | value_len as u64
        };
        Shape {
            header: flags | lengths,
            key_len,
            value_len,
        }
    }

    fn flags(self) -> u64 {
        self.header & (PARITY | EXPIRES | COLLECTION | ASCII | RAW)
            | self.header >> ACCESS_SHIFT << ACCESS_SHIFT
    }

    fn key_offset(self) -> usize {
        let behind = if self.header & LONG != 0 {
            self.value_len
        } else {
            0
        };
        texts_offset(self.header) + behind
    }

    fn value_offset(self) -> usize {
        let behind = if self.header & LONG != 0 { 0 } else { self.key_len };
        texts_offset(self.header) + behind
    }

    fn total(self) -> usize {
        texts_offset(self.header) + self.key_len + self.value_len
    }

    fn class(self) -> usize {
        size_class(self.total())
    }
}

#[inline]
fn expiry_offset(header: u64) -> usize {
    WORD_BYTES + (header & LONG != 0) as usize * WORD_BYTES
}

#[inline]
fn box_offset(header: u64) -> usize {
    expiry_offset(header) + (header & (EXPIRES | LONG) != 0) as usize * WORD_BYTES
}

#[inline]
fn texts_offset(header: u64) -> usize {
    box_offset(header) + (header & COLLECTION != 0) as usize * WORD_BYTES
}

/// An owned key with its value.
pub struct Entry(NonNull<u64>);

// SAFETY: an entry owns its allocation alone, and everything inside (bytes, a `Value`) may move between threads.
unsafe impl Send for Entry {}

fn layout(class: usize) -> Layout {
    // Classes are at most 5/4 of a gigabyte and a half: far below `isize::MAX`, so the layout is always valid.
    Layout::from_size_align(class, WORD_BYTES).unwrap_or_else(|_| unreachable!("entry of {class} bytes"))
}

impl Element for Entry {
    #[inline]
    fn prefetch(&self) {
        #[cfg(target_arch = "x86_64")]
        for line in [self.start(), self.start().wrapping_add(64)] {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: every x86-64 has the instruction, and it may be given any address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) };
        }
    }
}

impl Entry {
    /// A string's entry. Neither `key` nor `value` may be longer than [`STRING_BYTES_MAX`].
    pub fn string(key: &[u8], value: &[u8], expire_at: Option<i64>) -> Entry {
        assert!(value.len() <= STRING_BYTES_MAX, "string too long");
        let ascii = if value.is_ascii() { ASCII } else { 0 };
        let (entry, shape) = Entry::allocate(key, ascii, value.len(), expire_at);
        // SAFETY: `allocate` made room for the string's bytes behind the key.
        unsafe {
            entry
                .start()
                .add(shape.value_offset())
                .copy_from_nonoverlapping(value.as_ptr(), value.len())
        };
        entry
    }

    /// A collection's entry.
    pub fn collection(key: &[u8], value: Box<Value>, expire_at: Option<i64>) -> Entry {
        let (entry, _) = Entry::allocate(key, COLLECTION, 0, expire_at);
        // SAFETY: `allocate` left the eight bytes of the box unset, and they lie inside the allocation.
        unsafe { entry.box_place().write(Box::into_raw(value)) };
        entry
    }

    /// Header, lengths, expiry and key are written; the box or the string's bytes are not.
    fn allocate(key: &[u8], flags: u64, value_len: usize, expire_at: Option<i64>) -> (Entry, Shape) {
        assert!(key.len() <= STRING_BYTES_MAX, "key too long");
        let expires = if expire_at.is_some() { EXPIRES } else { 0 };
        let shape = Shape::new(flags | expires, key.len(), value_len);
        let layout = layout(shape.class());
        // SAFETY: a class is never 0.
        let place = unsafe { alloc(layout) };
        let Some(place) = NonNull::new(place.cast::<u64>()) else {
            handle_alloc_error(layout)
        };
        let entry = Entry(place);
        // SAFETY: the allocation has room for the header, the lengths, the expiry and the key, by `total`.
        unsafe {
            entry.write_shape(shape);
            if let Some(at) = expire_at {
                entry
                    .start()
                    .add(expiry_offset(shape.header))
                    .cast::<i64>()
                    .write(at);
            }
            entry
                .start()
                .add(shape.key_offset())
                .copy_from_nonoverlapping(key.as_ptr(), key.len());
        }
        (entry, shape)
    }

    #[inline]
    fn header(&self) -> u64 {
        // SAFETY: the pointer is valid and the header initialised as long as the entry lives.
        unsafe { self.0.read() }
    }

    /// Sets bits of the header that do not change where the parts lie.
    fn write_header(&self, header: u64) {
        debug_assert_eq!(texts_offset(header), texts_offset(self.header()));
        // SAFETY: as in `header`. An entry is not `Sync`, so no other thread reads it meanwhile, and no reference into
        // the allocation covers the header.
        unsafe { self.0.write(header) };
    }

    /// # Safety
    /// The allocation's parts lie where `shape` says, or are about to be written there.
    unsafe fn write_shape(&self, shape: Shape) {
        // SAFETY: every allocation has a header, and a word behind it if the lengths do not fit.
        unsafe {
            self.0.write(shape.header);
            if shape.header & LONG != 0 {
                let lengths = self.0.add(1).cast::<[u32; 2]>();
                lengths.write([shape.key_len as u32, shape.value_len as u32]);
            }
        }
    }

    #[inline]
    fn shape(&self) -> Shape {
        let header = self.header();
        if header & LONG != 0 {
            return self.long_shape(header);
        }
        Shape {
            header,
            key_len: (header >> VALUE_BITS) as usize & ((1 << KEY_BITS) - 1),
            value_len: header as usize & ((1 << VALUE_BITS) - 1),
        }
    }

    #[cold]
    fn long_shape(&self, header: u64) -> Shape {
        // SAFETY: the flag says that the lengths stand behind the header.
        let [key_len, value_len] = unsafe { self.0.add(1).cast::<[u32; 2]>().read() };
        Shape {
            header,
            key_len: key_len as usize,
            value_len: value_len as usize,
        }
    }

    #[inline]
    fn start(&self) -> *mut u8 {
        self.0.as_ptr().cast()
    }

    fn box_place(&self) -> *mut *mut Value {
        // SAFETY: the offset lies inside the allocation.
        unsafe { self.start().add(box_offset(self.header())).cast() }
    }

    fn is_collection(&self) -> bool {
        self.header() & COLLECTION != 0
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: `allocate` wrote that many bytes there.
        unsafe { std::slice::from_raw_parts(self.start().add(shape.key_offset()), shape.key_len) }
    }

    /// The Unix millisecond from which on the key is gone.
    #[inline]
    pub fn expire_at(&self) -> Option<i64> {
        let header = self.header();
        if header & EXPIRES == 0 {
            return None;
        }
        // SAFETY: the flag says that the expiry is there, at a multiple of 8 behind an 8-aligned start.
        Some(unsafe { self.start().add(expiry_offset(header)).cast::<i64>().read() })
    }

    /// When or how often the key was used: 24 bits, whose meaning the keyspace knows.
    #[inline]
    pub fn access(&self) -> u32 {
        (self.header() >> ACCESS_SHIFT) as u32
    }

    /// Changes [`Entry::access`]. Of `access` the lower 24 bits count.
    #[inline]
    pub fn set_access(&self, access: u32) {
        let rest = self.header() & ((1 << ACCESS_SHIFT) - 1);
        self.write_header(rest | u64::from(access) << ACCESS_SHIFT);
    }

    /// What [`super::cut`] tells the entries apart by.
    #[inline]
    pub fn parity(&self) -> bool {
        self.header() & PARITY != 0
    }

    /// Changes [`Entry::parity`]. Writes only what changes.
    #[inline]
    pub fn set_parity(&self, parity: bool) {
        let differs = self.parity() != parity;
        differs.then(|| self.write_header(self.header() ^ PARITY));
    }

    /// The string, if it is one.
    #[inline]
    pub fn bytes(&self) -> Option<&[u8]> {
        let shape = self.shape();
        if shape.header & COLLECTION != 0 {
            return None;
        }
        // SAFETY: the string's bytes were written when the entry was made, or by `resize`.
        Some(unsafe { std::slice::from_raw_parts(self.start().add(shape.value_offset()), shape.value_len) })
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        let shape = self.shape();
        debug_assert!(shape.header & COLLECTION == 0);
        // SAFETY: as in `bytes`; for a collection the length is 0.
        unsafe { std::slice::from_raw_parts_mut(self.start().add(shape.value_offset()), shape.value_len) }
    }

    /// The collection, if it is one.
    pub fn value(&self) -> Option<&Value> {
        // SAFETY: the box was made by `Box::into_raw` and belongs to this entry.
        self.is_collection().then(|| unsafe { &*self.box_place().read() })
    }

    /// As [`Entry::value`], to change it.
    pub fn value_mut(&mut self) -> Option<&mut Value> {
        // SAFETY: as in `value`, and the entry is borrowed mutably.
        self.is_collection()
            .then(|| unsafe { &mut *self.box_place().read() })
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
        self.header() & ASCII != 0
    }

    /// Whether the string was changed in place.
    pub fn is_raw(&self) -> bool {
        self.header() & RAW != 0
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
        let class = self.shape().class();
        match self.value() {
            None => class,
            Some(value) => class + size_of::<Value>() + value.memory(),
        }
    }

    /// Makes this entry a string of these bytes with this expiry, in place if the allocation's class stays the same;
    /// otherwise gives what it was before.
    pub fn overwrite(&mut self, value: &[u8], expire_at: Option<i64>) -> Option<Entry> {
        let old = self.shape();
        let access = self.access();
        let flags = if expire_at.is_some() { EXPIRES } else { 0 } | if value.is_ascii() { ASCII } else { 0 };
        let new = Shape::new(
            flags | old.header & PARITY | u64::from(access) << ACCESS_SHIFT,
            old.key_len,
            value.len(),
        );
        let same_place = (old.header ^ new.header) & PARTS == 0 && old.class() == new.class();
        if !same_place || value.len() > STRING_BYTES_MAX {
            let new = Entry::string(self.key(), value, expire_at);
            new.set_access(access);
            return Some(std::mem::replace(self, new));
        }
        // SAFETY: key, parts and class are as they were, so the texts begin where they did, and the new total fits the class.
        unsafe {
            self.write_shape(new);
            self.move_key(old, new);
            if let Some(at) = expire_at {
                self.start()
                    .add(expiry_offset(new.header))
                    .cast::<i64>()
                    .write(at);
            }
            self.start()
                .add(new.value_offset())
                .copy_from_nonoverlapping(value.as_ptr(), value.len());
        }
        None
    }

    /// Writes `patch` into a string at `offset`, with zeros in a gap, and marks it `raw`. The end must not lie beyond
    /// [`STRING_BYTES_MAX`]. Gives the new length.
    pub fn patch(&mut self, offset: usize, patch: &[u8]) -> usize {
        let end = offset + patch.len();
        assert!(end <= STRING_BYTES_MAX, "string too long");
        let len = self.shape().value_len.max(end);
        if len > self.shape().value_len {
            self.resize(len);
        }
        self.bytes_mut()[offset..end].copy_from_slice(patch);
        let kept = if patch.is_ascii() { !0 } else { !ASCII };
        self.write_header(self.header() & kept | RAW);
        len
    }

    /// Changes the bytes of a string, lengthened with zeros to at least `len`, where they are, and marks it `raw`. `len` must
    /// not be above [`STRING_BYTES_MAX`].
    pub fn edit<R>(&mut self, len: usize, change: impl FnOnce(&mut [u8]) -> R) -> R {
        assert!(len <= STRING_BYTES_MAX, "string too long");
        if len > self.shape().value_len {
            self.resize(len);
        }
        let result = change(self.bytes_mut());
        self.write_header(self.header() & !ASCII | RAW);
        result
    }

    /// Lengthens a string with zeros.
    fn resize(&mut self, len: usize) {
        let old = self.shape();
        let new = Shape::new(old.flags(), old.key_len, len);
        if (old.header ^ new.header) & LONG != 0 {
            let lengthened = [self.bytes().unwrap_or_default(), &vec![0; len - old.value_len]].concat();
            let access = self.access();
            *self = Entry::string(self.key(), &lengthened, self.expire_at());
            self.write_header(self.header() & !ASCII | old.header & ASCII);
            self.set_access(access);
            return;
        }
        // SAFETY: the new class is larger. The allocation then holds `new.total()` bytes, its parts lie where they did, and so
        // does the string once the key has made room.
        unsafe {
            self.reallocate(old, new);
            self.write_shape(new);
            self.move_key(old, new);
            self.start()
                .add(new.value_offset() + old.value_len)
                .write_bytes(0, len - old.value_len);
        }
    }

    /// # Safety
    /// The entry has the class of `old`, and what lies behind the class of `new`, if that is smaller, is not needed.
    unsafe fn reallocate(&mut self, old: Shape, new: Shape) {
        if old.class() == new.class() {
            return;
        }
        // SAFETY: the entry was allocated with the layout of its class, and no class is 0.
        let place = unsafe { realloc(self.start(), layout(old.class()), new.class()) };
        let Some(place) = NonNull::new(place.cast()) else {
            handle_alloc_error(layout(new.class()))
        };
        self.0 = place;
    }

    /// Moves the key to where another length of the string has it.
    ///
    /// # Safety
    /// The shapes differ in that length alone, and the allocation holds both.
    unsafe fn move_key(&self, old: Shape, new: Shape) {
        // SAFETY: both places lie inside of the allocation, and may overlap.
        unsafe {
            let (from, to) = (
                self.start().add(old.key_offset()),
                self.start().add(new.key_offset()),
            );
            from.copy_to(to, old.key_len);
        }
    }

    /// Gives the key another expiry. In place if there was one and there is one.
    pub fn set_expiry(&mut self, expire_at: Option<i64>) {
        let header = self.header();
        match expire_at {
            // SAFETY: the flags say that there is room for an expiry.
            Some(at) if header & (EXPIRES | LONG) != 0 => unsafe {
                self.start().add(expiry_offset(header)).cast::<i64>().write(at);
                self.0.write(header | EXPIRES);
            },
            None if header & EXPIRES == 0 => {}
            None if header & LONG != 0 => self.write_header(header & !EXPIRES),
            _ => {
                let value = self.take_box();
                *self = self.moved(value, self.key(), expire_at);
            }
        }
    }

    /// The same value under another key.
    pub fn rename(mut self, key: &[u8]) -> Entry {
        assert!(key.len() <= STRING_BYTES_MAX, "key too long");
        let old = self.shape();
        let new = Shape::new(old.flags(), key.len(), old.value_len);
        if old.header & new.header & LONG != 0 && !self.is_collection() {
            // SAFETY: the string stands before the key and stays; the new class has room for both.
            unsafe {
                self.reallocate(old, new);
                self.write_shape(new);
                self.start()
                    .add(new.key_offset())
                    .copy_from_nonoverlapping(key.as_ptr(), key.len());
            }
            return self;
        }
        let value = self.take_box();
        self.moved(value, key, self.expire_at())
    }

    /// A new entry with what this one holds, whose collection has been taken out.
    fn moved(&self, value: Option<Box<Value>>, key: &[u8], expire_at: Option<i64>) -> Entry {
        let moved = match value {
            Some(value) => Entry::collection(key, value, expire_at),
            None => Entry::string(key, self.bytes().unwrap_or_default(), expire_at),
        };
        moved.write_header(moved.header() | self.header() & RAW);
        moved.set_access(self.access());
        moved
    }

    /// Marks a string as changed in place.
    pub fn set_raw(&mut self) {
        self.write_header(self.header() | RAW);
    }

    /// Takes the collection out. After that the entry may only be asked for its key, expiry and access, and dropped.
    fn take_box(&mut self) -> Option<Box<Value>> {
        if !self.is_collection() {
            return None;
        }
        // SAFETY: the box belongs to this entry; a null in its place marks it as taken for `drop`.
        unsafe {
            let place = self.box_place();
            let value = place.read();
            place.write(std::ptr::null_mut());
            Some(Box::from_raw(value))
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let shape = self.shape();
        if self.is_collection() {
            // SAFETY: the box is this entry's, unless `take_box` left null.
            unsafe {
                let value = self.box_place().read();
                if !value.is_null() {
                    drop(Box::from_raw(value));
                }
            }
        }
        // SAFETY: allocated with the layout of this class.
        unsafe { dealloc(self.start(), layout(shape.class())) };
    }
}

#[cfg(test)]
#[path = "tests/entry.rs"]
mod tests;
