//! A cut: everything that a keyspace held at one instant, kept readable while all threads go on writing.
//!
//! **Begin.** All segments are locked at once, of all keyspaces that the cut is of, which takes tens of microseconds. Under the
//! locks the time is read and each segment's *parity* flipped. An entry carries one bit of parity in its header. An entry
//! whose bit differs from that of its segment is *unsaved*: it belongs to the cut, and nobody has dealt with it yet. What is
//! put in from now on gets the segment's parity, and so do entries that were dealt with. Nothing is copied, and no table of
//! what was saved is needed: when all bits agree again, the cut is over, and the next one flips the parity back.
//!
//! **Pre-images.** A writer that is the first to change an unsaved entry leaves in the cut's outbox what the entry was: a
//! copy before it is changed where it is, the entry itself where it is deleted, expires, is evicted or replaced, and the whole
//! segment where all keys go (FLUSHALL, loading a file). An entry is only ever changed by [`super::segment::Segment`], whose few
//! ways in and out tell its [`Share`], so no command can forget it. Strings are copied as they are, small collections
//! written down in the form of the reader ([`Recorder`]), which takes less time and memory than a second collection; large ones
//! are frozen ([`Frozen`]), and share with the live one what that does not change.
//!
//! **Encoders.** Any number of threads take pages out of the table and pre-images out of the outbox. A page is taken under its
//! segment's lock, entry by entry up to a number of bytes, and each entry's bit is flipped as it is taken. A segment without
//! unsaved entries leaves the cut. When all have, nobody can leave another pre-image, and the cut is over once the outbox is empty.
//!
//! **Invariants.** (1) Without a cut, every entry's parity is its segment's. (2) An unsaved entry is as it was when the cut
//! began. (3) Each key of the cut is taken exactly once: from the table if it was never changed, else from the outbox, because
//! the bit is flipped by whoever takes it or keeps its pre-image, under the segment's lock. (4) What is due at the cut's time,
//! key or field, is not in it; what falls due later is, whoever removes it when.
//!
//! **Costs.** Without a cut: two predictable comparisons per write. With one: the first write to each key pays for its
//! pre-image. The outbox is bounded: a writer that adds to a full one waits, without a lock, for [`WAIT_MAX`] at the most,
//! so the rate of writes adapts to that of the encoders. A cut that is given up keeps no more pre-images; its bits are flipped page by page
//! before the next one may begin.

use super::segment::Segment;
use super::{
    Entry, EntryView, Guard, Keyspace, SEGMENT_BITS, SEGMENTS, discard_entry, duplicate, segment_of,
};
use crate::value::{Frozen, Value};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes of pre-images that always have room.
const OUTBOX_BYTES_MIN: usize = 8 << 20;
/// The part of the data that pre-images may take beyond that.
const OUTBOX_SHARE: usize = 20;
/// How long a writer waits for the encoders.
const WAIT_MAX: Duration = Duration::from_millis(1);

/// A collection, written down as the reader of a cut wants it.
#[derive(Debug, Default)]
pub struct Record {
    /// What was written.
    pub bytes: Vec<u8>,
    /// Position and length of parts that are still to be encoded.
    pub texts: Vec<(usize, usize)>,
}

/// Writes collections down under the lock of their segment, as fast as it can.
pub trait Recorder: Send + Sync {
    /// A key with what it holds.
    fn record(&self, key: &[u8], value: &Value, expire_at: Option<i64>) -> Record;
    /// Whether fields of hashes may expire.
    fn has_expiring_fields(&self) -> bool;
}

/// A key with a large collection as it was.
#[derive(Debug)]
pub struct FrozenEntry {
    /// The key.
    pub key: Box<[u8]>,
    /// What it held.
    pub frozen: Frozen,
    /// When it expires.
    pub expire_at: Option<i64>,
}

impl FrozenEntry {
    /// The entry as it is, if it is a large collection: see [`Frozen`].
    fn of(entry: &mut Entry) -> Option<Box<FrozenEntry>> {
        let frozen = entry.value_mut()?.freeze()?;
        Some(Box::new(FrozenEntry {
            key: entry.key().into(),
            frozen,
            expire_at: entry.expire_at(),
        }))
    }
}

/// What a cut shows of a key.
#[derive(Debug)]
pub enum Seen<'a> {
    /// As it is.
    Entry(&'a [u8], EntryView<'a>, Option<i64>),
    /// As it was written down.
    Record(&'a Record),
    /// As it was, to be kept and encoded without a lock.
    Frozen(Box<FrozenEntry>),
}

enum Content {
    Frozen(Box<FrozenEntry>),
    Entry(Entry),
    Record(Record),
    Segment(Box<Segment>),
}

/// A pre-image.
pub struct Image(Content);

/// A segment that is in no table any more, though the cut is not through with it.
pub struct Detached(Box<Segment>);

#[derive(Default)]
struct Outbox {
    images: VecDeque<Image>,
    bytes: usize,
}

/// See the module. Of one keyspace.
pub struct Cut {
    at_ms: i64,
    keys: usize,
    expires: usize,
    recorder: Arc<dyn Recorder>,
    outbox_bytes_max: usize,
    outbox: Mutex<Outbox>,
    room: Condvar,
    given_up: AtomicBool,
}

impl std::fmt::Debug for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cut")
            .field("at_ms", &self.at_ms)
            .field("keys", &self.keys)
            .finish()
    }
}

/// A segment's part in a cut. Every change of an entry goes by it.
#[derive(Default)]
pub struct Share {
    /// While the segment may have unsaved entries.
    cut: Option<Arc<Cut>>,
    parity: bool,
    /// A pre-image was left in a full outbox, and nobody has waited for that yet.
    crowded: bool,
}

impl Share {
    /// Whether a cut has not dealt with the entry.
    #[inline]
    pub fn is_unsaved(&self, entry: &Entry) -> bool {
        entry.parity() != self.parity
    }

    /// To be called before an entry changes where it is, or leaves the table in order to come back.
    #[inline]
    pub fn before_change(&mut self, entry: &mut Entry) {
        if self.is_unsaved(entry) {
            self.keep_copy(entry);
        }
    }

    /// To be called when an entry was changed, which may have another allocation by now, or is put in.
    #[inline]
    pub fn after_change(&self, entry: &Entry) {
        entry.set_parity(self.parity);
    }

    #[cold]
    fn keep_copy(&mut self, entry: &mut Entry) {
        entry.set_parity(self.parity);
        if let Some(cut) = &self.cut
            && let Some(image) = cut.preserve(entry)
        {
            self.crowded |= cut.keep(image);
        }
    }

    /// To be called with an entry that has left the table for good.
    #[inline]
    pub fn delete(&mut self, entry: Entry) -> Gone {
        if self.is_unsaved(&entry) {
            self.keep_entry(entry)
        } else {
            Gone(Some(entry))
        }
    }

    #[cold]
    fn keep_entry(&mut self, entry: Entry) -> Gone {
        match &self.cut {
            Some(cut) if cut.wants(&entry) => {
                self.crowded |= cut.keep(Image(Content::Entry(entry)));
                Gone(None)
            }
            _ => Gone(Some(entry)),
        }
    }

    /// Makes all entries unsaved.
    fn join_cut(&mut self, cut: Arc<Cut>) {
        self.parity = !self.parity;
        self.cut = Some(cut);
    }

    /// No entry is unsaved any more, or the segment is in no table any more.
    pub fn leave_cut(&mut self) -> Option<Arc<Cut>> {
        self.crowded = false;
        self.cut.take()
    }

    /// Whether there may be unsaved entries.
    pub fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// The cut whose outbox has been filled since this was asked last.
    #[inline]
    pub fn crowded(&mut self) -> Option<Arc<Cut>> {
        if !self.crowded {
            return None;
        }
        self.crowded = false;
        self.cut.clone()
    }
}

/// An entry that is in no table any more, unless a cut has to have it.
#[must_use]
pub struct Gone(Option<Entry>);

impl Gone {
    /// Drops what is left to be dropped.
    pub fn discard(self) {
        if let Some(entry) = self.0 {
            discard_entry(entry);
        }
    }
}

/// Shows what of an entry belongs to a cut of this time.
fn show<R>(entry: &Entry, at_ms: i64, show: impl FnOnce(Seen<'_>) -> R) -> Option<R> {
    let expire_at = entry.expire_at();
    if entry.goes_at().is_some_and(|at| at <= at_ms) {
        return None;
    }
    if entry.next_due_field().is_some_and(|at| at <= at_ms)
        && let Some(value) = entry.value()
    {
        let Value::Hash(mut hash) = duplicate::duplicate(value) else {
            unreachable!("only hashes have fields that expire")
        };
        hash.hide_due(at_ms);
        let value = Value::Hash(hash);
        return Some(show(Seen::Entry(
            entry.key(),
            EntryView::Value(&value),
            expire_at,
        )));
    }
    Some(show(Seen::Entry(entry.key(), entry.view(), expire_at)))
}

/// As [`show`], of an entry in the table: a large collection is frozen. Whether more is wanted.
fn take_out(entry: &mut Entry, cut: &Cut, mut see: impl FnMut(Seen<'_>) -> bool) -> bool {
    if cut.wants(entry)
        && let Some(frozen) = FrozenEntry::of(entry)
    {
        return see(Seen::Frozen(frozen));
    }
    show(entry, cut.at_ms, see).unwrap_or(true)
}

impl Cut {
    /// The cut's instant, Unix milliseconds.
    pub fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// Number of keys, and how many of them expire.
    pub fn counts(&self) -> (usize, usize) {
        (self.keys, self.expires)
    }

    fn wants(&self, entry: &Entry) -> bool {
        !self.given_up.load(Ordering::Relaxed) && entry.goes_at().is_none_or(|at| at > self.at_ms)
    }

    /// What is kept of an entry that is about to change.
    fn preserve(&self, entry: &mut Entry) -> Option<Image> {
        if !self.wants(entry) {
            return None;
        }
        if let Some(bytes) = entry.bytes() {
            let copy = Entry::string(entry.key(), bytes, entry.expire_at());
            return Some(Image(Content::Entry(copy)));
        }
        if let Some(frozen) = FrozenEntry::of(entry) {
            return Some(Image(Content::Frozen(frozen)));
        }
        let record = |seen: Seen<'_>| match seen {
            Seen::Entry(key, EntryView::Value(value), expire_at) => {
                Some(self.recorder.record(key, value, expire_at))
            }
            _ => None,
        };
        show(entry, self.at_ms, record)
            .flatten()
            .map(|record| Image(Content::Record(record)))
    }

    /// Whether the outbox is fuller than it should be.
    fn keep(&self, image: Image) -> bool {
        let bytes = image.bytes();
        let mut outbox = self.outbox.lock();
        outbox.bytes += bytes;
        outbox.images.push_back(image);
        outbox.bytes > self.outbox_bytes_max
    }

    /// Keeps a segment that has left the table. It was the table's memory before: nobody has to wait for it.
    pub(super) fn keep_segment(&self, segment: Segment) {
        if self.given_up.load(Ordering::Relaxed) {
            let bytes = segment.used();
            return crate::discard::discard(segment, bytes);
        }
        let image = Image(Content::Segment(Box::new(segment)));
        self.outbox.lock().images.push_back(image);
    }

    /// Waits for the encoders a little, if the outbox is too full. To be called without a lock.
    #[cold]
    pub(super) fn wait_for_room(&self) {
        let mut outbox = self.outbox.lock();
        if outbox.bytes > self.outbox_bytes_max {
            self.room.wait_for(&mut outbox, WAIT_MAX);
        }
    }

    /// Takes pre-images of about so many bytes out of the outbox, the oldest first.
    pub fn take(&self, bytes: usize, images: &mut Vec<Image>) {
        let mut outbox = self.outbox.lock();
        let (before, mut taken) = (outbox.bytes, 0);
        while taken < bytes
            && let Some(image) = outbox.images.pop_front()
        {
            taken += image.bytes();
            images.push(image);
        }
        outbox.bytes -= taken;
        if before > self.outbox_bytes_max && outbox.bytes <= self.outbox_bytes_max {
            self.room.notify_all();
        }
    }

    /// Whether no pre-image waits.
    pub fn is_drained(&self) -> bool {
        self.outbox.lock().images.is_empty()
    }

    /// Bytes of pre-images that wait.
    pub fn outbox_bytes(&self) -> usize {
        self.outbox.lock().bytes
    }

    /// Nobody wants the cut any more: no more pre-images are kept.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        let dropped = std::mem::take(&mut *self.outbox.lock());
        self.room.notify_all();
        drop(dropped);
    }
}

impl Image {
    /// What it takes beside the table.
    fn bytes(&self) -> usize {
        match &self.0 {
            Content::Entry(entry) => entry.memory(),
            Content::Record(record) => record.bytes.capacity() + record.texts.capacity() * 16,
            Content::Frozen(entry) => entry.key.len() + entry.frozen.own_bytes(),
            Content::Segment(_) => 0,
        }
    }

    /// Shows what belongs to the cut; gives a whole segment back, which is to be taken page by page.
    pub fn show(self, cut: &Cut, see: impl FnOnce(Seen<'_>)) -> Option<Detached> {
        match self.0 {
            Content::Entry(entry) => {
                show(&entry, cut.at_ms, see);
                discard_entry(entry);
            }
            Content::Record(record) => see(Seen::Record(&record)),
            Content::Frozen(entry) => see(Seen::Frozen(entry)),
            Content::Segment(segment) => return Some(Detached(segment)),
        }
        None
    }
}

impl Detached {
    /// As [`Keyspace::save_page`], from position 0 on.
    pub fn save_page(
        &mut self,
        cut: &Cut,
        position: u64,
        mut see: impl FnMut(Seen<'_>) -> bool,
    ) -> Option<u64> {
        let save = |entry: &mut Entry| show(entry, cut.at_ms, &mut see).unwrap_or(true);
        self.0.save_page(position, save)
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        let segment = std::mem::take(&mut *self.0);
        let bytes = segment.used();
        crate::discard::discard(segment, bytes);
    }
}

/// Why there is no cut.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An earlier one is not over.
    Busy,
    /// This key has fields that expire, which the recorder has no form for.
    ExpiringField(Vec<u8>),
}

/// Cuts all these keyspaces, which must differ from each other, at the same instant.
///
/// # Errors
/// If that is not possible now. Nothing has changed then.
pub fn begin(keyspaces: &[&Keyspace], recorder: &Arc<dyn Recorder>) -> Result<Vec<Arc<Cut>>, Refusal> {
    for (number, keyspace) in keyspaces.iter().enumerate() {
        if keyspace.cutting.swap(true, Ordering::AcqRel) {
            keyspaces[..number].iter().for_each(|entered| entered.end_cut());
            return Err(Refusal::Busy);
        }
    }
    // Nobody else holds the locks of two keyspaces at once, and those who do so here come in one order.
    let mut order: Vec<usize> = (0..keyspaces.len()).collect();
    order.sort_by_key(|&number| std::ptr::from_ref(keyspaces[number]));
    let mut held: Vec<(usize, Vec<Guard<'_>>)> = order
        .into_iter()
        .map(|number| (number, keyspaces[number].lock_all()))
        .collect();
    held.sort_by_key(|(number, _)| *number);
    let refused = held
        .iter_mut()
        .find_map(|(number, guards)| unfit(guards, keyspaces[*number], recorder));
    if let Some(key) = refused {
        drop(held);
        keyspaces.iter().for_each(|keyspace| keyspace.end_cut());
        return Err(Refusal::ExpiringField(key));
    }
    let cut = |(number, guards): &mut (usize, Vec<Guard<'_>>)| {
        let cut = Arc::new(measured(guards, keyspaces[*number].now_ms(), recorder));
        guards
            .iter_mut()
            .for_each(|guard| guard.share().join_cut(cut.clone()));
        cut
    };
    Ok(held.iter_mut().map(cut).collect())
}

/// A key that the recorder has no form for.
fn unfit(guards: &[Guard<'_>], keyspace: &Keyspace, recorder: &Arc<dyn Recorder>) -> Option<Vec<u8>> {
    if recorder.has_expiring_fields() {
        return None;
    }
    let now = keyspace.now_ms();
    guards
        .iter()
        .find_map(|guard| guard.expiring_field(now).map(<[u8]>::to_vec))
}

fn measured(guards: &[Guard<'_>], at_ms: i64, recorder: &Arc<dyn Recorder>) -> Cut {
    let (mut keys, mut expires, mut bytes) = (0, 0, 0);
    for guard in guards {
        keys += guard.len() - guard.due_count(at_ms);
        expires += guard.expires() - guard.due_expires(at_ms);
        bytes += guard.used();
    }
    Cut {
        at_ms,
        keys,
        expires,
        recorder: recorder.clone(),
        outbox_bytes_max: OUTBOX_BYTES_MIN.max(bytes / OUTBOX_SHARE),
        outbox: Mutex::default(),
        room: Condvar::new(),
        given_up: AtomicBool::new(false),
    }
}

/// The first position of a segment, to take its pages from.
pub fn first_position(segment: usize) -> u64 {
    (segment as u64) << (64 - SEGMENT_BITS)
}

impl Keyspace {
    /// Takes unsaved entries out of the page that holds `position`, and has `see` look at each under the lock of its segment, until it
    /// has enough. Says where to go on; `None`: the segment has no more, and has left the cut.
    pub fn save_page(&self, cut: &Cut, position: u64, mut see: impl FnMut(Seen<'_>) -> bool) -> Option<u64> {
        let mut guard = self.lock(segment_of(position));
        let save = |entry: &mut Entry| take_out(entry, cut, &mut see);
        let next = guard.save_page(position, save);
        if next.is_none() {
            guard.share().leave_cut();
        }
        next
    }

    /// Deals with all entries of a cut that was given up.
    pub fn sweep_cut(&self) {
        for segment in 0..SEGMENTS {
            let mut position = Some(first_position(segment));
            while let Some(at) = position {
                let mut guard = self.lock(segment);
                position = guard.save_page(at, |_| true);
                if position.is_none() {
                    guard.share().leave_cut();
                }
            }
        }
        self.end_cut();
    }

    /// The next cut may begin: every segment has left the last one.
    pub fn end_cut(&self) {
        self.cutting.store(false, Ordering::Release);
    }

    /// Whether a cut is not over.
    pub fn is_cut(&self) -> bool {
        self.cutting.load(Ordering::Acquire)
    }
}
