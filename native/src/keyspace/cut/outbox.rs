//! Pre-images on their way from those who write to those who encode.

use super::lent::Lent;
use super::{Cut, Detached, FrozenEntry, Record, Seen, show, stock};
use crate::clock;
use crate::keyspace::segment::Segment;
use crate::keyspace::{Entry, EntryView, Keyspace, discard_entry};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// How long a writer waits for the encoders.
const WAIT_MAX: Duration = Duration::from_millis(1);
/// How long who applies a log does not wait again.
const NO_WAIT_NS: u64 = 4_000_000;
/// Those who wait go on when so many eighths of the room are taken.
const ROOM_AGAIN: usize = 7;

pub(super) enum Content {
    Frozen(Box<FrozenEntry>),
    Entry(Entry),
    Record(Record),
    Lent(Arc<Lent>),
    Segment(Box<Segment>),
}

/// A pre-image, or several.
pub struct Image(pub(super) Content);

impl Image {
    /// What it takes beside the table.
    fn bytes(&self) -> usize {
        match &self.0 {
            Content::Entry(entry) => entry.memory(),
            Content::Record(record) => record.memory(),
            Content::Frozen(entry) => entry.key.len() + entry.frozen.own_bytes(),
            Content::Lent(_) | Content::Segment(_) => 0,
        }
    }

    /// Shows what belongs to the cut, which is one of this keyspace; gives a whole segment back, which is to be taken page by page.
    pub fn show(self, keyspace: &Keyspace, cut: &Cut, see: impl FnOnce(Seen<'_>)) -> Option<Detached> {
        match self.0 {
            Content::Entry(entry) => {
                show(&entry, cut.at_ms, see);
                discard_entry(entry);
            }
            Content::Record(record) => {
                see(Seen::Record(&record));
                stock::put(record);
            }
            Content::Frozen(entry) => see(Seen::Frozen(entry)),
            Content::Lent(lent) => {
                if let Some(string) = keyspace.copy_lent(cut, &lent) {
                    see(Seen::Entry(&lent.key, EntryView::Str(&string), lent.expire_at));
                }
            }
            Content::Segment(segment) => return Some(Detached(segment)),
        }
        None
    }
}

/// Images in the order in which they are to be encoded.
#[derive(Default)]
struct Images {
    /// What is large and in use. It goes first, because writers leave more and more behind in it.
    large: VecDeque<Image>,
    others: VecDeque<Image>,
}

impl Images {
    fn push(&mut self, image: Image) {
        match image.0 {
            Content::Frozen(_) | Content::Lent(_) => self.large.push_back(image),
            _ => self.others.push_back(image),
        }
    }

    fn pop(&mut self) -> Option<Image> {
        self.large.pop_front().or_else(|| self.others.pop_front())
    }

    fn is_empty(&self) -> bool {
        self.large.is_empty() && self.others.is_empty()
    }
}

/// See the module of the cut for its bound.
pub(super) struct Outbox {
    images: Mutex<Images>,
    room: Condvar,
    bytes_max: usize,
    /// Bytes of the images. Changed under their lock.
    bytes: Arc<AtomicUsize>,
    /// When who applies a log has waited last.
    waited_ns: AtomicU64,
}

impl Outbox {
    /// An empty one. What it holds is told in `bytes`.
    pub(super) fn new(bytes_max: usize, bytes: Arc<AtomicUsize>) -> Outbox {
        bytes.store(0, Ordering::Relaxed);
        Outbox {
            images: Mutex::default(),
            room: Condvar::new(),
            bytes_max,
            bytes,
            waited_ns: AtomicU64::new(0),
        }
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.bytes() > self.bytes_max
    }

    /// How much of its room is taken, from 0 on; more than 1 is possible.
    pub(super) fn fill(&self) -> f64 {
        self.bytes() as f64 / self.bytes_max as f64
    }

    pub(super) fn put(&self, image: Image) {
        let bytes = image.bytes();
        let mut images = self.images.lock();
        images.push(image);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes images of about so many bytes out, or what one large value was: those first, and the oldest of either.
    pub(super) fn take(&self, bytes: usize, images: &mut Vec<Image>) {
        let mut waiting = self.images.lock();
        let mut taken = 0;
        let mut is_large = false;
        while taken < bytes
            && !is_large
            && let Some(image) = waiting.pop()
        {
            taken += image.bytes();
            is_large = matches!(image.0, Content::Frozen(_) | Content::Lent(_));
            images.push(image);
        }
        let before = self.bytes.fetch_sub(taken, Ordering::Relaxed);
        let enough = self.bytes_max / 8 * ROOM_AGAIN;
        if before > enough && before - taken <= enough {
            self.room.notify_all();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.images.lock().is_empty()
    }

    /// Waits a little, if it is full.
    pub(super) fn wait_for_room(&self) {
        let mut images = self.images.lock();
        if self.is_full() {
            self.room.wait_for(&mut images, WAIT_MAX);
        }
    }

    /// As [`Outbox::wait_for_room`], but not all the time.
    pub(super) fn wait_now_and_then(&self) {
        if clock::boottime_ns() > self.waited_ns.load(Ordering::Relaxed) + NO_WAIT_NS {
            self.wait_for_room();
            self.waited_ns.store(clock::boottime_ns(), Ordering::Relaxed);
        }
    }

    /// Drops what it holds, and lets everybody go on.
    pub(super) fn clear(&self) {
        let mut images = self.images.lock();
        let dropped = std::mem::take(&mut *images);
        self.bytes.store(0, Ordering::Relaxed);
        self.room.notify_all();
        drop(images);
        drop(dropped);
    }
}
