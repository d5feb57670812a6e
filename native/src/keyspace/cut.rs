//! A cut: everything that a keyspace held at one instant, kept readable while all threads go on writing.
//!
//! **Begin.** All segments are locked at once, of all keyspaces that the cut is of, which takes tens of microseconds. Under the
//! locks the time is read and each segment's *parity* flipped. An entry carries one bit of parity in its header. An entry
//! whose bit differs from that of its segment is *unsaved*: it belongs to the cut, and nobody has dealt with it yet. What is
//! put in from now on gets the segment's parity, and so do entries that were dealt with. Nothing is copied, and no table of
//! what was saved is needed: when all bits agree again, the cut is over, and the next one flips the parity back.
//!
//! **Pre-images.** A writer that is the first to change an unsaved entry leaves to the cut what the entry was. An entry is only
//! ever changed by [`super::segment::Segment`], whose few ways in and out tell its [`Share`], so no command can forget it. Short
//! strings and small collections are written down in the form of the reader ([`Recorder`]), one behind the other in a buffer of
//! the segment, which goes to the outbox when it is full: that takes a fraction of the time and memory of a second entry. Longer
//! strings are copied; long ones stay where they are, and are lent to the cut ([`lent`]): of those a writer leaves the pages that it writes
//! into. Large collections are frozen ([`Frozen`]), and share with the live one what that does not change. What is
//! long and goes away (is deleted, expires, is evicted) is kept itself, and so is a whole segment where all keys go
//! (FLUSHALL, loading a file).
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
//! pre-image, about 50 ns for a short string.
//!
//! **Memory.** The outbox has room for a fortieth of the data, and for 4 MiB at least. A writer that adds to a full one waits
//! behind its command, without a lock, for 1 ms at the most, so the rate of writes adapts to that of the encoders; and so does
//! who evicts. What one command changes fits always. Who applies a log waits for a fifth of its time at most, because others
//! count on its heartbeats: if its encoders cannot go on (the disk does not take their file), its pre-images may come to what the log
//! changes of the data meanwhile. What a live collection leaves behind in a frozen one is not counted: of a table a word or two
//! per entry, since texts stay shared while both have them; of a list or a stream the nodes that change. So frozen collections
//! are encoded before all other pre-images, and go at once; so do long strings, of each of which an encoder makes one copy, and writers leave
//! the pages that they come to before it does. None of this counts for `maxMemory`: what counts there decides
//! which keys go, and no key shall go because of a save.
//!
//! **Giving up.** A cut that is given up keeps no more pre-images; its bits are flipped page by page before the next one may
//! begin.

mod lent;
mod outbox;
mod record;
mod share;
pub mod stock;

pub use lent::is_long;
pub use outbox::Image;
pub use record::{Record, Recorder, Texts};
pub use share::{Gone, Share};

use super::segment::Segment;
use super::{
    Entry, EntryView, Guard, Keyspace, SEGMENT_BITS, SEGMENTS, discard_entry, duplicate, hash_of, segment_of,
};
use crate::value::{Frozen, Value};
use lent::Lent;
use outbox::{Content, Outbox};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of pre-images that always have room.
const OUTBOX_BYTES_MIN: usize = 4 << 20;
/// The part of the data that pre-images may take beyond that.
const OUTBOX_SHARE: usize = 40;

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
    /// The entry as it is at this Unix millisecond, if it is a large collection: see [`Frozen`].
    fn of(entry: &mut Entry, at_ms: i64) -> Option<Box<FrozenEntry>> {
        let mut frozen = entry.value_mut()?.freeze()?;
        frozen.hide_due(at_ms);
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

/// A segment that is in no table any more, though the cut is not through with it.
pub struct Detached(Box<Segment>);

/// See the module. Of one keyspace.
pub struct Cut {
    at_ms: i64,
    keys: usize,
    expires: usize,
    recorder: Arc<dyn Recorder>,
    outbox: Outbox,
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
        && let Some(frozen) = FrozenEntry::of(entry, cut.at_ms)
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

    /// Keeps a segment that has left the table. It was the table's memory before: nobody has to wait for it.
    pub(super) fn keep_segment(&self, segment: Segment) {
        if self.given_up.load(Ordering::Relaxed) {
            let bytes = segment.used();
            return crate::discard::discard(segment, bytes);
        }
        self.outbox.put(Image(Content::Segment(Box::new(segment))));
    }

    /// Waits for the encoders a little, if the outbox is too full. To be called without a lock.
    #[cold]
    pub(super) fn wait_for_room(&self, applies_log: bool) {
        if applies_log {
            self.outbox.wait_now_and_then();
        } else {
            self.outbox.wait_for_room();
        }
    }

    /// Takes pre-images of about so many bytes out of the outbox, or one large collection: those first.
    pub fn take(&self, bytes: usize, images: &mut Vec<Image>) {
        self.outbox.take(bytes, images);
    }

    /// Whether no pre-image waits.
    pub fn is_drained(&self) -> bool {
        self.outbox.is_empty()
    }

    /// How much of the room for pre-images is taken: 1 is all of it.
    pub fn fill(&self) -> f64 {
        self.outbox.fill()
    }

    /// Nobody wants the cut any more: no more pre-images are kept.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        self.outbox.clear();
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
        let cut = Arc::new(measured(guards, keyspaces[*number], recorder));
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

fn measured(guards: &[Guard<'_>], keyspace: &Keyspace, recorder: &Arc<dyn Recorder>) -> Cut {
    let at_ms = keyspace.now_ms();
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
        outbox: Outbox::new(
            OUTBOX_BYTES_MIN.max(bytes / OUTBOX_SHARE),
            keyspace.preimage_bytes.clone(),
        ),
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

    /// A string that was lent to the cut. `None`: nobody wants it any more.
    fn copy_lent(&self, cut: &Cut, lent: &Lent) -> Option<Vec<u8>> {
        let hash = hash_of(&lent.key);
        let mut copied = Vec::with_capacity(lent.len());
        while copied.len() < lent.len() {
            let segment = self.lock(segment_of(hash));
            if cut.given_up.load(Ordering::Relaxed) {
                return None;
            }
            let live = segment.find(hash, &lent.key).and_then(Entry::bytes);
            lent.copy_slice(live, &mut copied);
        }
        self.lock(segment_of(hash)).share().forget_lent(lent);
        lent.take_owned().into_iter().for_each(discard_entry);
        Some(copied)
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

    /// Bytes of pre-images that wait to be encoded, without those that segments have just written down: less than 10 KiB each.
    pub fn preimage_bytes(&self) -> usize {
        self.preimage_bytes.load(Ordering::Relaxed)
    }

    /// Whether a cut is not over.
    pub fn is_cut(&self) -> bool {
        self.cutting.load(Ordering::Acquire)
    }
}
