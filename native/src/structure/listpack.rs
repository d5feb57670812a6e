//! A packed sequence of elements in one allocation: the form of small collections, and of a list's nodes.
//!
//! The bytes are a listpack as RDB files hold it, so a snapshot writes [`Listpack::as_bytes`] as it is:
//! `total_bytes:u32 count:u16 entry… 0xFF`, each entry an encoding, its data, and its length to walk backwards.
//!
//! Cost: 7 bytes, and per element its data plus 2 to 10 bytes (an integer from 0 to 127: 2 bytes in all). Both ends, and
//! steps in either direction, are O(1); a position by index is O(n) from the nearer end; a change moves the bytes behind it.
//!
//! Canonical decimal integers are always held as integers, so two equal elements have equal encodings.

mod entry;
#[cfg(test)]
mod tests;

use crate::structure::buffer::Buffer;
use crate::value::Element;
use entry::{Body, back_length_size, body_size, read_back_length, read_entry, skip_size, write_entry};
pub use entry::{canonical_int, entry_size, packed_form};

const HEADER: usize = 6;
const END: u8 = 0xFF;
const EMPTY: [u8; 7] = [7, 0, 0, 0, 0, 0, END];
/// The count that stands for "too many for the field, walk and count".
const COUNT_UNKNOWN: usize = 0xFFFF;
/// Unused bytes that are kept for the next insertions before a removal gives memory back.
const SLACK_BYTES: usize = 64;

/// Where an element begins. Any change of the listpack at or before it makes it meaningless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(usize);

/// A listpack. Its count stands beside the pointer, too, so that a walk over listpacks touches none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Listpack {
    /// Its note is the count, as in the bytes.
    bytes: Buffer,
}

impl Default for Listpack {
    fn default() -> Self {
        Listpack::new()
    }
}

impl Listpack {
    /// An empty listpack.
    pub fn new() -> Listpack {
        Listpack {
            bytes: Buffer::new(&EMPTY, 0),
        }
    }

    /// A listpack of these texts.
    pub fn from_elements<'a>(elements: impl IntoIterator<Item = &'a [u8]>) -> Listpack {
        let mut pack = Listpack::new();
        for element in elements {
            pack.push_back(element);
        }
        pack
    }

    /// Takes a copy of a blob, after checking every byte of it. `None` if it is no listpack, or holds an integer as text or an entry
    /// in a longer form than needed: such a blob is legal in a file, but has to be rebuilt from its elements.
    pub fn from_bytes(bytes: &[u8]) -> Option<Listpack> {
        Listpack::from_bytes_each(bytes, |_| true)
    }

    /// As [`Listpack::from_bytes`], and shows each element on the way. `None`, too, if one does not please.
    pub fn from_bytes_each<'b>(
        bytes: &'b [u8],
        pleases: impl FnMut(Element<'b>) -> bool,
    ) -> Option<Listpack> {
        check(bytes, pleases).is_ok().then(|| Listpack {
            bytes: Buffer::new(bytes, count_field(bytes) as u16),
        })
    }

    /// The blob, as an RDB file holds it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of elements. O(1) below 65535.
    pub fn len(&self) -> usize {
        match self.count() {
            COUNT_UNKNOWN => self.positions().count(),
            n => n,
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == EMPTY.len()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.bytes.room()
    }

    /// The first element's position.
    pub fn first(&self) -> Option<Position> {
        self.at(HEADER)
    }

    /// The last element's position.
    pub fn last(&self) -> Option<Position> {
        self.before(self.end())
    }

    /// Behind the last element: where an insertion appends.
    pub fn end(&self) -> Position {
        Position(self.bytes.len() - 1)
    }

    /// The position after this one.
    pub fn next(&self, at: Position) -> Option<Position> {
        self.at(at.0 + self.size_at(at))
    }

    /// The position before this one, which may be [`Listpack::end`].
    pub fn before(&self, at: Position) -> Option<Position> {
        if at.0 <= HEADER {
            return None;
        }
        let (body, back) = read_back_length(&self.bytes, at.0).expect("back-lengths lead to the front");
        Some(Position(at.0 - back - body))
    }

    /// The position of the element with this index.
    pub fn seek(&self, index: usize) -> Option<Position> {
        let len = self.len();
        if index >= len {
            return None;
        }
        if index <= len / 2 {
            return self.positions().nth(index);
        }
        let mut at = self.end();
        for _ in index..len {
            at = self.before(at)?;
        }
        Some(at)
    }

    /// The element at a position.
    pub fn get(&self, at: Position) -> Element<'_> {
        self.entry(at).0
    }

    /// The element with this index.
    pub fn nth(&self, index: usize) -> Option<Element<'_>> {
        self.seek(index).map(|at| self.get(at))
    }

    /// Finds an element equal to `text` among those at `from` and every `step`th behind it (2: the fields of a hash).
    pub fn find(&self, text: &[u8], from: Option<Position>, step: usize) -> Option<Position> {
        let wanted = Body::of(packed_form(text));
        let mut at = from?;
        loop {
            if wanted.begins(&self.bytes[at.0..]) {
                return Some(at);
            }
            for _ in 0..step {
                at = self.next(at)?;
            }
        }
    }

    /// From the first element to the last.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(self.first())
    }

    /// From this position to the last element.
    pub fn iter_from(&self, from: Option<Position>) -> Iter<'_> {
        Iter {
            pack: self,
            front: from.unwrap_or(self.end()),
            back: self.end(),
        }
    }

    /// From the element at `from` up to, and without, the one at `to`; both may be [`Listpack::end`].
    pub fn iter_between(&self, from: Position, to: Position) -> Iter<'_> {
        Iter {
            pack: self,
            front: from,
            back: to,
        }
    }

    /// The positions from the first to the last.
    pub fn positions(&self) -> impl Iterator<Item = Position> {
        std::iter::successors(self.first(), |&at| self.next(at))
    }

    /// Puts an element in front.
    pub fn push_front(&mut self, text: &[u8]) {
        self.insert(Position(HEADER), text);
    }

    /// Puts an element at the end.
    pub fn push_back(&mut self, text: &[u8]) {
        self.insert(self.end(), text);
    }

    /// Inserts an element before `at`; it is at `at` then.
    pub fn insert(&mut self, at: Position, text: &[u8]) {
        self.insert_packed(at, packed_form(text));
    }

    /// Inserts an element that is in its packed form already, as [`packed_form`] or another listpack gives it.
    pub fn insert_packed(&mut self, at: Position, element: Element<'_>) {
        let count = self.count();
        let size = entry_size(element);
        self.resize_gap(at.0, 0, size);
        write_entry(&mut self.bytes[at.0..at.0 + size], element);
        self.set_count((count + 1).min(COUNT_UNKNOWN));
    }

    /// Puts another element in the place of the one at `at`.
    pub fn replace(&mut self, at: Position, text: &[u8]) {
        self.replace_packed(at, packed_form(text));
    }

    /// As [`Listpack::replace`], with an element that is in its packed form already.
    pub fn replace_packed(&mut self, at: Position, element: Element<'_>) {
        let size = entry_size(element);
        self.resize_gap(at.0, self.size_at(at), size);
        write_entry(&mut self.bytes[at.0..at.0 + size], element);
    }

    /// Removes the element at `at`. What followed it is at `at` then.
    pub fn remove(&mut self, at: Position) {
        self.remove_run(at, 1);
    }

    /// Removes up to `count` elements from `at` on, and gives how many there were.
    pub fn remove_run(&mut self, at: Position, count: usize) -> usize {
        let mut to = at.0;
        let mut removed = 0;
        while removed < count && self.bytes[to] != END {
            to += self.size_at(Position(to));
            removed += 1;
        }
        self.resize_gap(at.0, to - at.0, 0);
        self.subtract(removed);
        removed
    }

    /// Removes up to `count` elements from index `start` on, and gives how many there were.
    pub fn remove_range(&mut self, start: usize, count: usize) -> usize {
        match self.seek(start) {
            Some(at) => self.remove_run(at, count),
            None => 0,
        }
    }

    /// Cuts the listpack before `at` and gives the part from there on.
    pub fn split_off(&mut self, at: Position) -> Listpack {
        let entries = at.0..self.bytes.len() - 1;
        let mut rest = Listpack::new();
        rest.resize_gap(HEADER, 0, entries.len());
        rest.bytes[HEADER..HEADER + entries.len()].copy_from_slice(&self.bytes[entries.clone()]);
        rest.recount();
        let moved = rest.len();
        self.resize_gap(at.0, entries.len(), 0);
        self.subtract(moved);
        rest
    }

    /// Puts a copy of all elements of `other` at the end.
    pub fn append(&mut self, other: &Listpack) {
        let (mine, theirs) = (self.len(), other.len());
        let entries = &other.bytes[HEADER..other.bytes.len() - 1];
        let at = self.end().0;
        self.resize_gap(at, 0, entries.len());
        self.bytes[at..at + entries.len()].copy_from_slice(entries);
        self.set_count((mine + theirs).min(COUNT_UNKNOWN));
    }

    /// Panics if the bytes are not a listpack with every element in its packed form.
    pub fn verify(&self) {
        if let Err(what) = check(&self.bytes, |_| true) {
            panic!("listpack: {what}");
        }
        assert_eq!(self.count(), count_field(&self.bytes), "both counts are one");
    }

    fn at(&self, offset: usize) -> Option<Position> {
        (self.bytes[offset] != END).then_some(Position(offset))
    }

    fn entry(&self, at: Position) -> (Element<'_>, usize) {
        read_entry(&self.bytes[at.0..]).expect("a position is the beginning of an entry")
    }

    fn size_at(&self, at: Position) -> usize {
        skip_size(&self.bytes[at.0..]).expect("a position is the beginning of an entry")
    }

    fn count(&self) -> usize {
        usize::from(self.bytes.note)
    }

    fn set_count(&mut self, count: usize) {
        self.bytes.note = count as u16;
        self.bytes[4..HEADER].copy_from_slice(&(count as u16).to_le_bytes());
    }

    /// Takes removed entries off the count; the unknown count becomes known again where the field can hold it.
    fn subtract(&mut self, removed: usize) {
        match self.count() {
            COUNT_UNKNOWN => self.recount(),
            n => self.set_count(n - removed),
        }
    }

    fn recount(&mut self) {
        let count = self.positions().count();
        self.set_count(count.min(COUNT_UNKNOWN));
    }

    /// Makes the `old` bytes at `at` into `new` bytes, whose content is for the caller to write.
    fn resize_gap(&mut self, at: usize, old: usize, new: usize) {
        let len = self.bytes.len();
        if new > old {
            let total = len + (new - old);
            assert!(total <= u32::MAX as usize, "a listpack holds less than 4 GiB");
            if total > self.bytes.room() {
                self.bytes.set_room(total);
            }
            self.bytes.set_len(total);
            self.bytes.copy_within(at + old..len, at + new);
        } else {
            self.bytes.copy_within(at + old..len, at + new);
            self.bytes.set_len(len - (old - new));
            self.give_back();
        }
        let total = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
    }

    fn give_back(&mut self) {
        let len = self.bytes.len();
        if self.bytes.room() > len + len / 2 + SLACK_BYTES {
            self.bytes.set_room(len + len / 8);
        }
    }
}

fn count_field(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[4], bytes[5]]))
}

/// A small integer, or a short text that is none, which `bytes` begin with, and its size: most entries are one of these. `None`
/// for any other, sound or not.
#[inline]
fn small_entry(bytes: &[u8]) -> Option<(Element<'_>, usize)> {
    let (first, behind) = bytes.split_first()?;
    let (element, body) = match first {
        0..=0x7F => (Element::Int(i64::from(*first)), 1),
        0x80..=0xBF => {
            let text = behind.get(..usize::from(first & 0x3F))?;
            if matches!(text.first(), Some(b'-' | b'0'..=b'9')) {
                return None;
            }
            (Element::Bytes(text), 1 + text.len())
        }
        _ => return None,
    };
    let back = *bytes.get(body)?;
    (usize::from(back) == body).then_some((element, body + 1))
}

/// What is wrong with a blob, or with the bytes of a listpack.
fn check<'b>(bytes: &'b [u8], mut pleases: impl FnMut(Element<'b>) -> bool) -> Result<(), &'static str> {
    if bytes.len() < EMPTY.len() || bytes.len() > u32::MAX as usize {
        return Err("length out of range");
    }
    if bytes[..4] != (bytes.len() as u32).to_le_bytes() {
        return Err("total_bytes is not the length");
    }
    let end = bytes.len() - 1;
    let (mut at, mut count) = (HEADER, 0);
    while at < end {
        if let Some((element, size)) = small_entry(&bytes[at..end]) {
            if !pleases(element) {
                return Err("an element does not please");
            }
            at += size;
            count += 1;
            continue;
        }
        let (element, body) = read_entry(&bytes[at..end]).ok_or("invalid entry")?;
        if let Element::Bytes(text) = element
            && canonical_int(text).is_some()
        {
            return Err("integer held as text");
        }
        if body_size(element) != body {
            return Err("entry longer than needed");
        }
        at += body + back_length_size(body);
        if at > end || read_back_length(bytes, at) != Some((body, back_length_size(body))) {
            return Err("back-length is not the length");
        }
        if !pleases(element) {
            return Err("an element does not please");
        }
        count += 1;
    }
    if bytes[end] != END {
        return Err("no end");
    }
    let field = count_field(bytes);
    if field != count && (field != COUNT_UNKNOWN || count < COUNT_UNKNOWN) {
        return Err("count is not the number of entries");
    }
    Ok(())
}

impl std::fmt::Debug for Listpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The elements of a listpack, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    pack: &'a Listpack,
    front: Position,
    back: Position,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (element, body) = self.pack.entry(self.front);
        self.front = Position(self.front.0 + body + back_length_size(body));
        Some(element)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        self.back = self.pack.before(self.back)?;
        Some(self.pack.get(self.back))
    }
}
