//! What a command sees of a keyspace: the keys it named, locked for as long as it runs.
//!
//! Accounting, expiry and the removal of empty collections happen here and nowhere else. A key that is due is passed over;
//! fields of a hash that are due are hidden before a command begins that names it.

use super::cut::Gone;
use super::waiting::Touched;
use super::{
    Entry, EntryView, Guard, Held, Keyspace, STRING_BYTES_MAX, Segment, discard_entry, hash_of, segment_of,
};
use crate::discard::discard;
use crate::random::Rng;
use crate::status::Status;
use crate::value::{Collection, LimitsRef, Value};
use std::cell::Cell;
use std::ops::Range;
use std::slice::from_ref;

/// Due keys that a write frees in passing, in the segment it has locked anyway.
const RECLAIMED_PER_WRITE: usize = 2;

/// When a key goes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// As it is; never, for a new key.
    Keep,
    /// Never.
    Never,
    /// At this Unix millisecond.
    At(i64),
}

/// See the module.
pub struct Db<'k> {
    pub(super) keyspace: &'k Keyspace,
    held: Held<'k>,
    /// Read from the clock when it is first needed, and fixed from then on.
    now_ms: Cell<Option<i64>>,
    rng: Option<Rng>,
    seed: Option<u64>,
    /// Keys that somebody waits for.
    touched: Option<Box<Touched>>,
}

/// The budget learns what the command has changed. Those who wait see what it has done as a whole: they are called when
/// its locks are released.
impl Drop for Db<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(budget) = &self.keyspace.budget {
            self.held.report(budget);
        }
        if let Some(cut) = self.held.crowded() {
            self.held = Held::All(Vec::new());
            cut.wait_for_room(self.keyspace.follows_log());
        }
        if let Some(touched) = self.touched.take() {
            self.held = Held::All(Vec::new());
            self.keyspace.call_waiting(&touched);
        }
    }
}

impl<'k> Db<'k> {
    #[inline]
    pub(super) fn new(
        keyspace: &'k Keyspace,
        held: Held<'k>,
        keys: &[&[u8]],
        now_ms: Option<i64>,
        seed: Option<u64>,
    ) -> Db<'k> {
        let mut db = Db {
            keyspace,
            held,
            now_ms: Cell::new(now_ms),
            rng: None,
            seed,
            touched: None,
        };
        db.hide_due_fields(keys);
        db
    }

    /// Hides the due fields of the hashes among these keys, so that no command meets one. Without this, a command that has
    /// locked all meets them.
    #[inline]
    pub fn hide_due_fields(&mut self, keys: &[&[u8]]) {
        // The clock is read where an expiry is near, and then for all segments at once.
        let may_be_there = match &self.held {
            Held::One(_, guard) => guard.has_due_fields(|| self.now_ms()),
            Held::Many(guards) => guards
                .iter()
                .any(|(_, guard)| guard.has_due_fields(|| self.now_ms())),
            Held::All(_) => !keys.is_empty(),
        };
        if may_be_there {
            self.hide_found_fields(keys);
        }
    }

    #[cold]
    fn hide_found_fields(&mut self, keys: &[&[u8]]) {
        let now_ms = self.now_ms();
        for key in keys {
            let hash = hash_of(key);
            self.locked_mut(hash).hide_due_fields_of(hash, key, now_ms);
        }
    }

    /// Whether what the entry holds may be read or changed: nothing in it is due.
    fn is_settled(&self, entry: &Entry) -> bool {
        entry.next_due_field().is_none_or(|at| at > self.now_ms())
    }

    /// The time of this command, Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        if let Some(now_ms) = self.now_ms.get() {
            return now_ms;
        }
        let now_ms = self.keyspace.now_ms();
        self.now_ms.set(Some(now_ms));
        now_ms
    }

    /// The time to tell a reader (see [`Keyspace::reading_ms`]); that of its entry for a command of a log.
    pub fn reading_ms(&self) -> i64 {
        match self.seed {
            Some(_) => self.now_ms(),
            None => self.keyspace.reading_ms(),
        }
    }

    /// The limits of collections.
    pub fn limits(&self) -> LimitsRef {
        self.keyspace.limits()
    }

    /// An empty collection with the keyspace's limits, for [`Db::put`].
    pub fn create<C: Collection>(&self) -> C {
        C::default().limited(self.limits())
    }

    /// The command's random numbers.
    pub fn rng(&mut self) -> &mut Rng {
        let seed = self.seed;
        let keyspace = self.keyspace;
        self.rng
            .get_or_insert_with(|| Rng::new(seed.unwrap_or_else(|| keyspace.draw_seed())))
    }

    fn segment(&self, hash: u64) -> &Segment {
        let wanted = segment_of(hash);
        match &self.held {
            Held::One(segment, guard) if *segment == wanted => guard,
            Held::All(guards) => &guards[wanted],
            Held::Many(guards) => match guards.binary_search_by_key(&wanted, |(segment, _)| *segment) {
                Ok(found) => &guards[found].1,
                Err(_) => not_locked(),
            },
            Held::One(..) => not_locked(),
        }
    }

    /// To change a key. Nobody changes one any other way, so that no command can forget those who wait for it.
    pub(super) fn segment_mut(&mut self, hash: u64) -> &mut Segment {
        if self.keyspace.waiting.any() {
            self.keyspace.waiting.note(&mut self.touched, hash);
        }
        self.locked_mut(hash)
    }

    fn locked_mut(&mut self, hash: u64) -> &mut Segment {
        let wanted = segment_of(hash);
        match &mut self.held {
            Held::One(segment, guard) if *segment == wanted => guard,
            Held::All(guards) => &mut guards[wanted],
            Held::Many(guards) => match guards.binary_search_by_key(&wanted, |(segment, _)| *segment) {
                Ok(found) => &mut guards[found].1,
                Err(_) => not_locked(),
            },
            Held::One(..) => not_locked(),
        }
    }

    /// All segments, in order. Panics unless the command has locked all.
    pub(super) fn all(&mut self) -> &mut [Guard<'k>] {
        match &mut self.held {
            Held::All(guards) => guards,
            _ => not_locked(),
        }
    }

    pub(super) fn alive(&self, entry: &Entry) -> bool {
        entry.goes_at().is_none_or(|at| at > self.now_ms())
    }

    #[inline]
    pub(super) fn entry(&self, key: &[u8]) -> Option<&Entry> {
        let hash = hash_of(key);
        let segment = self.segment(hash);
        let entry = segment.find(hash, key).filter(|entry| self.alive(entry))?;
        self.touch_entry(segment, entry);
        Some(entry)
    }

    /// The key's entry, without this counting as a use of the key.
    pub(super) fn peek(&self, key: &[u8]) -> Option<&Entry> {
        let hash = hash_of(key);
        self.segment(hash)
            .find(hash, key)
            .filter(|entry| self.alive(entry))
    }

    /// Remembers that the key was used. Writes only what changes: most lines stay as clean as they were.
    #[inline]
    fn touch_entry(&self, segment: &Segment, entry: &Entry) {
        let keyspace = self.keyspace;
        let used = keyspace
            .tracking
            .used(entry.access(), keyspace.access_s(), || segment.noise());
        if used != entry.access() {
            entry.set_access(used);
        }
    }

    /// Adds an entry whose key is not there.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, entry: Entry) {
        entry.set_access(self.keyspace.tracking.fresh(self.keyspace.access_s()));
        self.segment_mut(hash).insert(hash, entry);
    }

    /// Prepares a change of `key`: frees it if it is due, and a few other due keys with it. Whether the key is there.
    pub(super) fn settle(&mut self, hash: u64, key: &[u8]) -> bool {
        let segment = self.segment(hash);
        let found = segment.find(hash, key);
        let there = found.is_some_and(|entry| self.alive(entry));
        if let Some(entry) = found {
            if there {
                self.touch_entry(segment, entry);
            } else if let Some(gone) = self.segment_mut(hash).delete_expired(hash, key) {
                gone.discard();
            }
        }
        let segment = self.segment(hash);
        if !self.keyspace.follows_log() && (segment.next_due().is_some() || segment.is_unswept()) {
            let now_ms = self.now_ms();
            let reclaimed = self
                .segment_mut(hash)
                .reclaim(now_ms, RECLAIMED_PER_WRITE, Gone::discard);
            if reclaimed > 0 {
                self.keyspace.waiting.note_gone(&mut self.touched);
            }
        }
        there
    }

    /// The collection under `key`, to read it.
    ///
    /// # Errors
    /// [`Status::WrongType`] if the key holds another type.
    pub fn get<C: Collection>(&self, key: &[u8]) -> Result<Option<&C>, Status> {
        let Some(entry) = self.entry(key) else {
            return Ok(None);
        };
        debug_assert!(self.is_settled(entry));
        entry.value().and_then(C::of).map(Some).ok_or(Status::WrongType)
    }

    /// Changes the collection under `key`, if it is there. The key goes if nothing is left in it.
    ///
    /// # Errors
    /// [`Status::WrongType`] if the key holds another type.
    pub fn edit<C: Collection, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut C) -> R,
    ) -> Result<Option<R>, Status> {
        let hash = hash_of(key);
        if !self.settle(hash, key) {
            return Ok(None);
        }
        debug_assert!(self.peek(key).is_none_or(|entry| self.is_settled(entry)));
        let segment = self.segment_mut(hash);
        let edited = segment.update(hash, key, |entry| {
            let collection = entry.value_mut().and_then(C::of_mut).ok_or(Status::WrongType)?;
            let result = change(collection);
            Ok((result, collection.is_empty()))
        });
        let Some(edited) = edited else { return Ok(None) };
        let (result, empty) = edited?;
        if empty && let Some(emptied) = segment.delete(hash, key) {
            emptied.discard();
        }
        Ok(Some(result))
    }

    /// As [`Db::edit`], and creates the collection if the key is not there.
    ///
    /// # Errors
    /// [`Status::WrongType`] if the key holds another type; [`Status::StringTooLong`] if the key cannot be created.
    pub fn upsert<C: Collection, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut C) -> R,
    ) -> Result<R, Status> {
        check_length(key)?;
        let mut change = Some(change);
        let once = |collection: &mut C| change.take().map(|change| change(collection));
        if let Some(result) = self.edit(key, once)?.flatten() {
            return Ok(result);
        }
        let mut collection: C = self.create();
        let Some(change) = change.take() else {
            unreachable!("a change ran and gave nothing")
        };
        let result = change(&mut collection);
        if !collection.is_empty() {
            let hash = hash_of(key);
            let entry = Entry::collection(key, Box::new(collection.into_value()), None);
            self.insert(hash, entry);
        }
        Ok(result)
    }

    /// Stores a collection that [`Db::create`] has made, whatever was there. An empty one removes the key.
    pub fn put(&mut self, key: &[u8], mut value: Value, expiry: Expiry) {
        if let Value::Hash(hash) = &mut value
            && hash.next_due().is_some()
        {
            hash.hide_due(self.now_ms());
        }
        debug_assert_eq!(value.limits(), self.limits());
        let expire_at = self.resolve(key, expiry);
        self.remove(key);
        let empty = match &value {
            Value::Hash(hash) => hash.is_empty(),
            Value::List(list) => list.is_empty(),
            Value::Set(set) => set.is_empty(),
            Value::ZSet(zset) => zset.is_empty(),
            Value::Stream(stream) => stream.is_empty(),
        };
        if !empty {
            let hash = hash_of(key);
            self.insert(hash, Entry::collection(key, Box::new(value), expire_at));
        }
    }

    fn resolve(&self, key: &[u8], expiry: Expiry) -> Option<i64> {
        match expiry {
            Expiry::At(at) => Some(at),
            Expiry::Never => None,
            Expiry::Keep => self.peek(key).and_then(Entry::expire_at),
        }
    }

    /// Removes a key. Whether it was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let hash = hash_of(key);
        if !self.settle(hash, key) {
            return false;
        }
        if let Some(gone) = self.segment_mut(hash).delete(hash, key) {
            gone.discard();
        }
        true
    }

    /// Whether the key is there. Does not count as a use of it; nor do the questions about a key below.
    pub fn exists(&self, key: &[u8]) -> bool {
        self.peek(key).is_some()
    }

    /// What `TYPE` answers for the key.
    pub fn type_name(&self, key: &[u8]) -> Option<&'static str> {
        self.peek(key)
            .map(|entry| entry.value().map_or("string", Value::type_name))
    }

    /// What `OBJECT ENCODING` answers for the key.
    pub fn encoding(&self, key: &[u8]) -> Option<&'static str> {
        let entry = self.peek(key)?;
        Some(match entry.view() {
            EntryView::Str(bytes) => string_encoding(bytes, entry.is_raw()),
            EntryView::Value(Value::Hash(hash)) => hash.encoding(),
            EntryView::Value(Value::List(list)) => list.encoding(),
            EntryView::Value(Value::Set(set)) => set.encoding(),
            EntryView::Value(Value::ZSet(zset)) => zset.encoding(),
            EntryView::Value(Value::Stream(stream)) => stream.encoding(),
        })
    }

    /// What the key holds, of whatever type. In a hash that the command has not named, fields may be due.
    pub fn view(&self, key: &[u8]) -> Option<EntryView<'_>> {
        self.entry(key).map(Entry::view)
    }

    /// The string under `key`.
    ///
    /// # Errors
    /// [`Status::WrongType`] if the key holds a collection.
    pub fn string(&self, key: &[u8]) -> Result<Option<&[u8]>, Status> {
        let Some(entry) = self.entry(key) else {
            return Ok(None);
        };
        entry.bytes().map(Some).ok_or(Status::WrongType)
    }

    /// As [`Db::string`], with whether the string is known to be ASCII.
    ///
    /// # Errors
    /// [`Status::WrongType`] if the key holds a collection.
    #[inline]
    pub fn text(&self, key: &[u8]) -> Result<Option<(&[u8], bool)>, Status> {
        let Some(entry) = self.entry(key) else {
            return Ok(None);
        };
        entry
            .bytes()
            .map(|bytes| Some((bytes, entry.is_ascii())))
            .ok_or(Status::WrongType)
    }

    /// Stores a string, whatever was there. Key and string must not be longer than [`STRING_BYTES_MAX`].
    #[inline]
    pub fn put_string(&mut self, key: &[u8], value: &[u8], expiry: Expiry) {
        let hash = hash_of(key);
        let there = self.settle(hash, key);
        let segment = self.segment_mut(hash);
        if there {
            let resolve = |entry: &Entry| match expiry {
                Expiry::At(at) => Some(at),
                Expiry::Never => None,
                Expiry::Keep => entry.expire_at(),
            };
            if segment.lends(hash, key) {
                let expire_at = segment.find(hash, key).and_then(resolve);
                let gone = segment.supplant(hash, Entry::string(key, value, expire_at));
                return gone.into_iter().for_each(Gone::discard);
            }
            let replaced = segment.update(hash, key, |entry| entry.overwrite(value, resolve(entry)));
            if let Some(replaced) = replaced.flatten() {
                discard_entry(replaced);
            }
        } else {
            let expire_at = if let Expiry::At(at) = expiry {
                Some(at)
            } else {
                None
            };
            self.insert(hash, Entry::string(key, value, expire_at));
        }
    }

    /// Writes `patch` into the string at `offset` (`None`: at its end), with zeros in a gap, creating it if need be.
    /// Gives the new length.
    ///
    /// # Errors
    /// [`Status::WrongType`] if the key holds a collection; [`Status::StringTooLong`] if the end would lie too far.
    pub fn patch_string(&mut self, key: &[u8], offset: Option<usize>, patch: &[u8]) -> Result<usize, Status> {
        let len = self.string(key)?.map(<[u8]>::len);
        let offset = offset.unwrap_or(len.unwrap_or(0));
        if offset
            .checked_add(patch.len())
            .is_none_or(|end| end > STRING_BYTES_MAX)
        {
            return Err(Status::StringTooLong);
        }
        let hash = self.ensure_string(key)?;
        let place = offset..offset + patch.len();
        let patched = self
            .segment_mut(hash)
            .update_string(hash, key, from_ref(&place), |entry| entry.patch(offset, patch));
        Ok(patched.unwrap_or(0))
    }

    /// Changes bytes of the string under `key` where they are, only in these places and behind its end, lengthened with zeros to at
    /// least `len`, creating it if need be. Growing bit by bit costs amortized O(1): lengths are rounded up by a share of themselves.
    ///
    /// # Errors
    /// [`Status::WrongType`] if the key holds a collection; [`Status::StringTooLong`] for a length that no string has.
    pub fn edit_string<R>(
        &mut self,
        key: &[u8],
        len: usize,
        places: &[Range<usize>],
        change: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<R, Status> {
        self.string(key)?;
        if len > STRING_BYTES_MAX {
            return Err(Status::StringTooLong);
        }
        let hash = self.ensure_string(key)?;
        let edited = self
            .segment_mut(hash)
            .update_string(hash, key, places, |entry| entry.edit(len, change));
        match edited {
            Some(result) => Ok(result),
            None => unreachable!("the key was found, or created just before"),
        }
    }

    /// Creates an empty string unless the key is there, and gives the key's hash.
    fn ensure_string(&mut self, key: &[u8]) -> Result<u64, Status> {
        let hash = hash_of(key);
        if !self.settle(hash, key) {
            check_length(key)?;
            self.insert(hash, Entry::string(key, b"", None));
        }
        Ok(hash)
    }

    /// When the key goes ([`Expiry::Never`] or [`Expiry::At`]), if it is there.
    pub fn expire_at(&self, key: &[u8]) -> Option<Expiry> {
        self.peek(key)
            .map(|entry| entry.expire_at().map_or(Expiry::Never, Expiry::At))
    }

    /// Sets when the key goes. Whether it is there.
    pub fn set_expiry(&mut self, key: &[u8], expiry: Expiry) -> bool {
        let hash = hash_of(key);
        if !self.settle(hash, key) {
            return false;
        }
        let expire_at = match expiry {
            Expiry::Keep => return true,
            Expiry::Never => None,
            Expiry::At(at) => Some(at),
        };
        self.segment_mut(hash)
            .update_string(hash, key, &[], |entry| entry.set_expiry(expire_at));
        true
    }

    /// Moves what `from` holds, with its expiry, to `to`, whatever was there. `from` must be there.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) {
        if !self.touch(from) || from == to {
            return;
        }
        let hash = hash_of(from);
        let Some(entry) = self.segment_mut(hash).take(hash, from) else {
            return;
        };
        self.remove(to);
        let hash = hash_of(to);
        self.segment_mut(hash).insert(hash, entry.rename(to));
    }

    /// Empties the keyspace. The command must have locked all.
    pub fn clear(&mut self) {
        self.keyspace.waiting.note_all(&mut self.touched);
        let emptied: Vec<Segment> = self.all().iter_mut().filter_map(|guard| guard.clear()).collect();
        let bytes = emptied.iter().map(Segment::used).sum();
        discard(emptied, bytes);
    }
}

/// # Errors
/// [`Status::StringTooLong`] if no key or string may be that long.
pub(crate) fn check_length(bytes: &[u8]) -> Result<(), Status> {
    if bytes.len() > STRING_BYTES_MAX {
        Err(Status::StringTooLong)
    } else {
        Ok(())
    }
}

/// Redis's names for the ways it would hold this string.
fn string_encoding(bytes: &[u8], raw: bool) -> &'static str {
    const EMBEDDED_BYTES_MAX: usize = 44;
    if raw {
        return "raw";
    }
    if bytes.len() <= 20 && crate::command::args::int(bytes).is_ok() {
        return "int";
    }
    if bytes.len() <= EMBEDDED_BYTES_MAX {
        "embstr"
    } else {
        "raw"
    }
}

#[cold]
fn not_locked() -> ! {
    panic!("a command reached for a key that it had not named")
}
