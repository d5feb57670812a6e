//! A part of the table with its own lock.
//!
//! An extendible directory of pages. A page is a hash table of at most [`PAGE_KEYS_MAX`] entries; a full one splits in
//! two by the next bit of the hash, so no insert moves more than one page. Pages hold contiguous ranges of hashes, which
//! gives SCAN its order: a position in hash space stays meaningful whatever splits or shrinks around it.
//!
//! Fields of hashes that expire are found by a second index of due keys: a hash stands in it with its next field's instant
//! until somebody hides what is due (`due_fields`). A hash all of whose fields expire is a key that goes by itself.
//!
//! Cost per key beside its entry: 9 bytes of table at 50 to 86 % load (11 to 18 bytes); with an expiry, 16 to 24
//! more in the index of due keys.
//!
//! Use of the 64 hash bits: 63-56 choose the segment, the bits below choose the page, 31-25 and as many behind them as are
//! needed the place inside a page, and 6-0 are the tag there, so that none of them says again what another has said.

mod due_fields;
mod lent;
mod parts;

use super::Entry;
use super::cut::{Gone, Share, is_long};
use super::due::DueIndex;
use super::hash_of;
use crate::structure::chunk_table::{ChunkTable, Element};
use crate::value::TYPES;
pub use parts::Division;
use std::cell::Cell;
use std::ops::Range;

/// Most entries of a page: six sevenths of the places of 64 chunks of a table. A split reads every key of a page, each from
/// a place of its own in memory: with so many it takes about 35 us.
pub const PAGE_KEYS_MAX: usize = 384;
/// The directory stops doubling here (4,096 pages of one segment); pages then grow beyond their limit.
const DEPTH_MAX: u32 = 12;
/// How far ahead the processor is told of the entries that a walk will look into.
const PLACES_AHEAD: usize = 8;
/// Bits of the hash that chose the segment.
pub const SEGMENT_BITS: u32 = 8;

struct Page {
    /// How many bits of the hash (behind the segment's) all entries here have in common.
    depth: u32,
    entries: ChunkTable<Entry>,
}

fn entry_hash(entry: &Entry) -> u64 {
    hash_of(entry.key())
}

/// Whether a key has an expiry, and when it goes by itself.
type Departure = (bool, i64);

fn departure(entry: &Entry) -> Option<Departure> {
    let expires = entry.expire_at().is_some();
    entry.goes_at().map(|at| (expires, at))
}

fn has_due_field(entry: &Entry, at: i64, hash: u64) -> bool {
    entry.next_due_field() == Some(at) && hash_of(entry.key()) == hash
}

/// The first position behind the page of this depth that holds `position`, unless it is the segment's last.
fn next_page(position: u64, depth: u32) -> Option<u64> {
    let span = 1u64 << (64 - SEGMENT_BITS - depth);
    let next = (position & !(span - 1)).checked_add(span);
    next.filter(|next| next >> (64 - SEGMENT_BITS) == position >> (64 - SEGMENT_BITS))
}

/// See the module. What every look-up needs stands first, in one cache line with the lock.
#[repr(C)]
pub struct Segment {
    /// Bits of the hash that index the directory. No page's depth is larger.
    depth: u32,
    /// `1 << depth` page numbers; a page of depth `d` stands in `1 << (depth - d)` neighbouring places.
    directory: Vec<u32>,
    pages: Vec<Page>,
    /// The first instant in `due_fields`; `i64::MAX` if there is none.
    next_due_field: i64,
    /// Its part in a cut.
    share: Share,
    /// (when it goes, hash) of every key that has an expiry.
    due: DueIndex,
    /// (when it goes, hash) of every key without an expiry that goes by itself: what is to be known of how many are due.
    fading: DueIndex,
    /// (instant of the field that expires next, hash) of every key with fields that expire.
    due_fields: DueIndex,
    /// The hash of every key with hidden fields, and of some that had them.
    unswept: Vec<u64>,
    keys: [usize; TYPES],
    /// Sum of [`Entry::memory`] by type.
    memory: [usize; TYPES],
    /// Heap bytes of the pages' tables.
    page_bytes: usize,
    /// Keys that went because they were due.
    expired: u64,
    /// What the keyspace's budget knows of [`Segment::used`].
    pub reported: usize,
    /// The state of [`Segment::noise`].
    noise: Cell<u32>,
}

impl Default for Segment {
    fn default() -> Self {
        Segment {
            depth: 0,
            directory: vec![0],
            pages: vec![Page {
                depth: 0,
                entries: ChunkTable::default(),
            }],
            next_due_field: i64::MAX,
            share: Share::default(),
            due: DueIndex::default(),
            fading: DueIndex::default(),
            due_fields: DueIndex::default(),
            unswept: Vec::new(),
            keys: [0; TYPES],
            memory: [0; TYPES],
            page_bytes: 0,
            expired: 0,
            reported: 0,
            noise: Cell::new(0x9e37_79b9),
        }
    }
}

impl Segment {
    /// Empties the segment, and gives what it held, unless a cut has to have it. What it counts and has reported stays.
    pub fn clear(&mut self) -> Option<Segment> {
        let empty = Segment {
            expired: self.expired,
            ..Segment::default()
        };
        self.replace(empty)
    }

    /// Puts the content of `other` in the place of this one's, and gives that, unless a cut has to have it. What it has reported
    /// stays.
    pub fn replace(&mut self, other: Segment) -> Option<Segment> {
        let mut replaced = std::mem::replace(self, other);
        self.reported = replaced.reported;
        replaced.give_up_lent();
        match replaced.share.leave_cut() {
            Some(cut) => {
                cut.keep_segment(replaced);
                None
            }
            None => Some(replaced),
        }
    }

    fn page_number(&self, hash: u64) -> usize {
        let index = (hash << SEGMENT_BITS).checked_shr(64 - self.depth).unwrap_or(0);
        self.directory[index as usize] as usize
    }

    /// The key's entry, expired or not.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<&Entry> {
        let page = &self.pages[self.page_number(hash)];
        page.entries.find(hash, |entry| entry.key() == key)
    }

    /// Changes the key's entry, if it is there, and keeps the books.
    #[inline]
    pub fn update<R>(&mut self, hash: u64, key: &[u8], change: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        self.update_where(hash, |entry| entry.key() == key, None, change)
    }

    #[inline]
    fn update_where<R>(
        &mut self,
        hash: u64,
        is_it: impl Fn(&Entry) -> bool,
        places: Option<&[Range<usize>]>,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        let number = self.page_number(hash);
        let entries = &mut self.pages[number].entries;
        let entry = entries.find_mut(hash, is_it)?;
        let (kind, memory, goes) = (entry.kind(), entry.memory(), departure(entry));
        let field = entry.next_due_field();
        self.share.before_change(entry, places);
        let result = change(entry);
        self.share.after_change(entry);
        let (new_kind, new_memory, new_goes) = (entry.kind(), entry.memory(), departure(entry));
        let new_field = entry.next_due_field();
        if kind != new_kind {
            self.keys[kind] -= 1;
            self.keys[new_kind] += 1;
        }
        self.memory[kind] -= memory;
        self.memory[new_kind] += new_memory;
        if goes != new_goes {
            self.move_due(hash, goes, new_goes);
        }
        if field != new_field {
            self.move_due_field(hash, field, new_field);
        }
        Some(result)
    }

    /// Adds an entry whose key is not there.
    pub fn insert(&mut self, hash: u64, entry: Entry) {
        debug_assert!(self.find(hash, entry.key()).is_none());
        let mut number = self.page_number(hash);
        while self.pages[number].entries.len() >= PAGE_KEYS_MAX && self.split(number, hash) {
            number = self.page_number(hash);
        }
        self.share.after_change(&entry);
        let kind = entry.kind();
        self.keys[kind] += 1;
        self.memory[kind] += entry.memory();
        if let Some((expires, at)) = departure(&entry) {
            self.index(expires).insert((at, hash));
        }
        if let Some(at) = entry.next_due_field() {
            self.move_due_field(hash, None, Some(at));
        }
        if entry.has_hidden_fields() {
            self.unswept.push(hash);
        }
        let page = &mut self.pages[number];
        let before = page.entries.memory();
        page.entries.insert(hash, entry, entry_hash);
        self.page_bytes = self.page_bytes - before + page.entries.memory();
    }

    /// Takes the key's entry out, to be put in elsewhere.
    pub fn take(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let mut entry = self.remove_where(hash, |entry| entry.key() == key)?;
        self.share.before_change(&mut entry, None);
        Some(entry)
    }

    /// Deletes the key, if it is there.
    pub fn delete(&mut self, hash: u64, key: &[u8]) -> Option<Gone> {
        self.delete_where(hash, |entry| entry.key() == key)
    }

    fn delete_where(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> Option<Gone> {
        let entry = self.remove_where(hash, is_it)?;
        Some(self.share.delete(entry))
    }

    /// The entry leaves the table: only for those who see to it that a cut has it.
    fn remove_where(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let number = self.page_number(hash);
        let entries = &mut self.pages[number].entries;
        let entry = entries.remove(hash, is_it)?;
        if entries.capacity() > 64 && entries.len() * 8 < entries.capacity() {
            let before = entries.memory();
            entries.shrink_to(entries.len() * 2, entry_hash);
            self.page_bytes = self.page_bytes - before + entries.memory();
        }
        let kind = entry.kind();
        self.keys[kind] -= 1;
        self.memory[kind] -= entry.memory();
        if let Some(goes) = departure(&entry) {
            self.move_due(hash, Some(goes), None);
        }
        if let Some(at) = entry.next_due_field() {
            self.move_due_field(hash, Some(at), None);
        }
        Some(entry)
    }

    fn index(&mut self, expires: bool) -> &mut DueIndex {
        if expires { &mut self.due } else { &mut self.fading }
    }

    /// Keeps the indexes of due keys. Two keys with one hash and one departure share an element, which stays as long as
    /// either of them is there.
    fn move_due(&mut self, hash: u64, old: Option<Departure>, new: Option<Departure>) {
        if let Some((expires, at)) = old
            && self.find_due(hash, (expires, at)).is_none()
        {
            self.index(expires).remove((at, hash));
        }
        if let Some((expires, at)) = new {
            self.index(expires).insert((at, hash));
        }
    }

    fn find_due(&self, hash: u64, goes: Departure) -> Option<&Entry> {
        self.find_where(hash, |entry| {
            departure(entry) == Some(goes) && hash_of(entry.key()) == hash
        })
    }

    /// As `move_due`, for the index of fields.
    #[cold]
    fn move_due_field(&mut self, hash: u64, old: Option<i64>, new: Option<i64>) {
        if let Some(at) = old
            && self
                .find_where(hash, |entry| has_due_field(entry, at, hash))
                .is_none()
        {
            self.due_fields.remove((at, hash));
        }
        if let Some(at) = new {
            self.due_fields.insert((at, hash));
        }
        self.next_due_field = self.due_fields.first().map_or(i64::MAX, |(at, _)| at);
    }

    fn find_where(&self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> Option<&Entry> {
        let page = &self.pages[self.page_number(hash)];
        page.entries.find(hash, is_it)
    }

    /// Splits the page that `hash` belongs to by the next bit. False when no bit is left to split by.
    fn split(&mut self, number: usize, hash: u64) -> bool {
        let depth = self.pages[number].depth + 1;
        if depth > DEPTH_MAX {
            return false;
        }
        if depth > self.depth {
            self.directory = self.directory.iter().flat_map(|&page| [page, page]).collect();
            self.depth = depth;
        }
        let bit = 1u64 << (64 - SEGMENT_BITS - depth);
        let page = &mut self.pages[number];
        page.depth = depth;
        let before = page.entries.memory();
        let room = page.entries.len() / 2 + page.entries.len() / 16;
        let (mut lower, mut upper) = (ChunkTable::with_capacity(room), ChunkTable::with_capacity(room));
        page.entries.take_each(entry_hash, |hash, entry| {
            let half = if hash & bit == 0 { &mut lower } else { &mut upper };
            half.insert(hash, entry, entry_hash);
        });
        self.page_bytes = self.page_bytes - before + lower.memory() + upper.memory();
        page.entries = lower;
        let new_number = self.pages.len() as u32;
        self.pages.push(Page {
            depth,
            entries: upper,
        });
        let places = 1usize << (self.depth - depth);
        let first = ((hash << SEGMENT_BITS) >> (64 - self.depth)) as usize & !(2 * places - 1);
        self.directory[first + places..first + 2 * places].fill(new_number);
        true
    }

    /// Takes up to `limit` keys and fields out whose expiry is not after `now`, and says how many. Whoever drops them does it without
    /// the lock.
    pub fn reclaim(&mut self, now: i64, limit: usize, mut taken: impl FnMut(Gone)) -> usize {
        let fields = self.remove_due_fields(now, limit);
        for reclaimed in fields..limit {
            let Some((at, hash)) = self.due.first().filter(|&(at, _)| at <= now) else {
                return reclaimed;
            };
            let due = |entry: &Entry| departure(entry) == Some((true, at)) && hash_of(entry.key()) == hash;
            let removed = self.delete_where(hash, due);
            debug_assert!(
                removed.is_some(),
                "the index of due keys names only keys that are there"
            );
            self.expired += 1;
            removed.map(&mut taken);
        }
        limit
    }

    /// Takes the key out because it is due.
    pub fn delete_expired(&mut self, hash: u64, key: &[u8]) -> Option<Gone> {
        self.expired += 1;
        self.delete(hash, key)
    }

    /// The earliest expiry of a key or a field.
    pub fn next_due(&self) -> Option<i64> {
        let first = |index: &DueIndex| index.first().map(|(at, _)| at);
        first(&self.due).into_iter().chain(first(&self.due_fields)).min()
    }

    /// The earliest expiry of a key or a field after `time`.
    pub fn next_due_after(&self, time: i64) -> Option<i64> {
        let first = |index: &DueIndex| index.first_after(time).map(|(at, _)| at);
        first(&self.due).into_iter().chain(first(&self.due_fields)).min()
    }

    /// Number of keys, due ones included, until they are reclaimed.
    pub fn len(&self) -> usize {
        self.keys.iter().sum()
    }

    /// Number of keys with an expiry.
    pub fn expires(&self) -> usize {
        self.due.len()
    }

    /// Keys with an expiry that are gone at `now`, whether they are still here or not.
    pub fn due_expires(&self, now: i64) -> usize {
        self.due.count_until(now)
    }

    /// Keys that are gone at `now`, whether they are still here or not.
    pub fn due_count(&self, now: i64) -> usize {
        self.due.count_until(now) + self.fading.count_until(now)
    }

    /// Keys that went because they were due.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Bytes of the entries by type, and bytes of the table itself.
    pub fn memory(&self) -> ([usize; TYPES], usize) {
        let fixed = self.pages.capacity() * size_of::<Page>() + self.directory.capacity() * 4;
        let dues = self.due.memory() + self.fading.memory() + self.due_fields.memory();
        let unswept = self.unswept.capacity() * size_of::<u64>();
        (self.memory, self.page_bytes + fixed + dues + unswept)
    }

    /// All heap bytes.
    pub fn used(&self) -> usize {
        let (by_type, table) = self.memory();
        by_type.iter().sum::<usize>() + table
    }

    /// A number that differs from call to call. Not for results that peers share.
    #[inline]
    pub fn noise(&self) -> u32 {
        let mut noise = self.noise.get();
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        self.noise.set(noise);
        noise
    }

    /// Visits up to `count` entries that stand together in the table, from a place that `position` and `random` name. The
    /// segment is the one of `position`.
    pub fn sample(&self, position: u64, random: u64, count: usize, mut visit: impl FnMut(&Entry)) {
        let first = self.page_number(position);
        let pages = self.pages[first..].iter().chain(&self.pages[..first]);
        let mut left = count;
        for page in pages {
            let places = page.entries.places();
            for step in 0..places {
                if left == 0 {
                    return;
                }
                let place = (random as usize).wrapping_add(step) % places;
                if let Some(entry) = page.entries.at(place) {
                    visit(entry);
                    left -= 1;
                }
            }
        }
    }

    /// An entry with an expiry: the one that is due first, or one for the random number.
    pub fn sample_due(&self, random: Option<u64>) -> Option<&Entry> {
        let (at, hash) = match random {
            Some(random) => self.due.nth_about(random)?,
            None => self.due.first()?,
        };
        self.find_due(hash, (true, at))
    }

    /// Every entry, expired ones included.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.pages.iter().flat_map(|page| page.entries.iter())
    }

    /// The `n`th entry in an arbitrary order. `n` must be less than [`Segment::len`].
    pub fn nth(&self, mut n: usize) -> Option<&Entry> {
        for page in &self.pages {
            if n < page.entries.len() {
                return page.entries.iter().nth(n);
            }
            n -= page.entries.len();
        }
        None
    }

    /// The entries of the page that holds `position` and have no lower hash, with their hashes, ascending; and the first
    /// position behind that page, or `None` if it is the segment's last.
    pub fn page_from(&self, position: u64) -> (Vec<(u64, &Entry)>, Option<u64>) {
        let page = &self.pages[self.page_number(position)];
        let with_hash = page.entries.iter().map(|entry| (hash_of(entry.key()), entry));
        let mut found: Vec<_> = with_hash.filter(|(hash, _)| *hash >= position).collect();
        found.sort_unstable_by_key(|(hash, _)| *hash);
        (found, next_page(position, page.depth))
    }

    /// Its part in a cut.
    pub fn share(&mut self) -> &mut Share {
        &mut self.share
    }

    /// A key with fields that expire after `now`, if there is one.
    pub fn expiring_field(&self, now: i64) -> Option<&[u8]> {
        let find = |(at, hash)| self.find_where(hash, |entry| has_due_field(entry, at, hash));
        if let Some(found) = self.due_fields.first_after(now).and_then(find) {
            return Some(found.key());
        }
        // What is left has a field that is due, and perhaps others that are not.
        let mut rest = self.due_fields.iter().filter_map(find);
        rest.find(|entry| entry.has_field_after(now)).map(Entry::key)
    }

    /// Marks entries of the page that holds `position` as saved, which gives each of them to `save`, until it has enough. Says where
    /// to go on: there, or at the first position behind the page; `None` behind the segment's last one.
    pub fn save_page(&mut self, position: u64, mut save: impl FnMut(&mut Entry) -> bool) -> Option<u64> {
        let number = self.page_number(position);
        let page = &mut self.pages[number];
        let places = page.entries.places();
        for place in 0..places {
            if place + PLACES_AHEAD < places {
                page.entries.at(place + PLACES_AHEAD).map(Element::prefetch);
            }
            let entry = page.entries.at_mut(place);
            let Some(entry) = entry.filter(|entry| self.share.is_unsaved(entry)) else {
                continue;
            };
            if is_long(entry) && self.share.lend(entry) {
                continue;
            }
            self.share.after_change(entry);
            let (kind, before) = (entry.kind(), entry.memory());
            let goes_on = save(entry);
            // A collection that was frozen takes more room.
            self.memory[kind] = self.memory[kind] - before + entry.memory();
            if !goes_on {
                return Some(position);
            }
        }
        next_page(position, page.depth)
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        use std::collections::BTreeSet;
        assert_eq!(self.directory.len(), 1 << self.depth);
        let (mut keys, mut memory, mut dues) = ([0; TYPES], [0; TYPES], [BTreeSet::new(), BTreeSet::new()]);
        let mut due_fields = BTreeSet::new();
        let page_bytes: usize = self.pages.iter().map(|page| page.entries.memory()).sum();
        assert_eq!(page_bytes, self.page_bytes);
        for (number, page) in self.pages.iter().enumerate() {
            let places = self.directory.iter().filter(|&&n| n as usize == number).count();
            assert_eq!(places, 1 << (self.depth - page.depth));
            for entry in page.entries.iter() {
                let hash = hash_of(entry.key());
                assert_eq!(self.page_number(hash), number);
                assert!(std::ptr::eq(
                    entry,
                    self.find(hash, entry.key()).expect("found by its key")
                ));
                keys[entry.kind()] += 1;
                memory[entry.kind()] += entry.memory();
                if let Some((expires, at)) = departure(entry) {
                    dues[usize::from(expires)].insert((at, hash));
                }
                due_fields.extend(entry.next_due_field().map(|at| (at, hash)));
                assert!(self.share.is_cut() || !self.share.is_unsaved(entry));
                assert!(!entry.has_hidden_fields() || self.unswept.contains(&hash));
            }
        }
        assert_eq!((keys, memory), (self.keys, self.memory));
        for (index, held) in [&self.fading, &self.due].into_iter().zip(dues) {
            index.verify();
            assert!(index.iter().eq(held));
        }
        let first = due_fields.first().map_or(i64::MAX, |&(at, _)| at);
        assert_eq!(first, self.next_due_field);
        self.due_fields.verify();
        assert!(self.due_fields.iter().eq(due_fields));
    }
}

#[cfg(test)]
#[path = "tests/segment.rs"]
mod tests;
