//! A segment's part in a cut.

use super::lent::{Lent, is_long};
use super::outbox::{Content, Image};
use super::stock::{self, NOTES_BYTES};
use super::{Cut, FrozenEntry, Record, Seen, show};
use crate::keyspace::{Entry, discard_entry};
use std::ops::Range;
use std::sync::Arc;

/// What must still fit behind pre-images that are written down beside each other, in bytes.
const NOTES_SPARE: usize = 512;
/// A longer string is not written down when its entry can be kept.
const NOTED_BYTES_MAX: usize = 4 * 1024;

/// A cut that a segment takes part in.
struct Part {
    cut: Arc<Cut>,
    notes: Record,
}

impl Part {
    /// Keeps what the entry is.
    fn keep_copy(&mut self, entry: &mut Entry) {
        if let Some(frozen) = FrozenEntry::of(entry, self.cut.at_ms) {
            return self.cut.outbox.put(Image(Content::Frozen(frozen)));
        }
        if let Some(bytes) = entry.bytes().filter(|bytes| bytes.len() > NOTED_BYTES_MAX) {
            let copy = Entry::string(entry.key(), bytes, entry.expire_at());
            return self.cut.outbox.put(Image(Content::Entry(copy)));
        }
        self.note(entry);
    }

    /// Keeps what the entry is, which is in no table any more, or gives it back.
    fn keep(&mut self, entry: Entry) -> Option<Entry> {
        if entry.bytes().is_some_and(|bytes| bytes.len() <= NOTED_BYTES_MAX) {
            self.note(&entry);
            return Some(entry);
        }
        self.cut.outbox.put(Image(Content::Entry(entry)));
        None
    }

    fn note(&mut self, entry: &Entry) {
        let notes = &mut self.notes;
        if notes.bytes.capacity() == 0 {
            *notes = stock::take();
        }
        let recorder = &self.cut.recorder;
        show(entry, self.cut.at_ms, |seen| {
            if let Seen::Entry(key, content, expire_at) = seen {
                recorder.record(notes, key, content, expire_at);
            }
        });
        if self.notes.bytes.len() + NOTES_SPARE > NOTES_BYTES {
            self.send_notes();
        }
    }

    fn send_notes(&mut self) {
        if self.notes.keys > 0 {
            let notes = std::mem::take(&mut self.notes);
            self.cut.outbox.put(Image(Content::Record(notes)));
        }
    }
}

/// Every change of an entry goes by it.
#[derive(Default)]
pub struct Share {
    /// While the segment may have unsaved entries.
    part: Option<Box<Part>>,
    parity: bool,
    /// Strings of the table that a cut has not copied yet, and some of one that was given up: nobody else holds those.
    lent: Vec<Arc<Lent>>,
    /// A pre-image was left beside a full outbox, and nobody has waited for that yet.
    crowded: bool,
}

impl Share {
    /// Whether a cut has not dealt with the entry.
    #[inline]
    pub fn is_unsaved(&self, entry: &Entry) -> bool {
        entry.parity() != self.parity
    }

    /// To be called before an entry changes where it is, or leaves the table in order to come back. Of a string: in these places,
    /// or anywhere.
    #[inline]
    pub fn before_change(&mut self, entry: &mut Entry, places: Option<&[Range<usize>]>) {
        if self.is_unsaved(entry) || !self.lent.is_empty() {
            self.keep_before_change(entry, places);
        }
    }

    #[cold]
    fn keep_before_change(&mut self, entry: &mut Entry, places: Option<&[Range<usize>]>) {
        if self.is_unsaved(entry) && !(places.is_some() && is_long(entry) && self.lend(entry)) {
            return self.keep_copy(entry);
        }
        let Some(number) = self.number_of_lent(entry) else {
            return;
        };
        let bytes = entry.bytes().unwrap_or_default();
        match places {
            Some(places) => self.lent[number].keep(bytes, places),
            None => {
                // What was kept of it goes before what it is now.
                let copy = Entry::string(entry.key(), bytes, None);
                self.lent.swap_remove(number).own(copy);
            }
        }
    }

    /// Lends a long string to the cut, if it has to have it. In any case nobody has to deal with the entry any more.
    pub fn lend(&mut self, entry: &mut Entry) -> bool {
        entry.set_parity(self.parity);
        let Some(part) = self.part_for(entry) else {
            return false;
        };
        let lent = Arc::new(Lent::of(entry));
        part.cut.outbox.put(Image(Content::Lent(lent.clone())));
        // One of a cut that was given up may still be at hand.
        self.lent.retain(|other| other.key != lent.key);
        self.lent.push(lent);
        true
    }

    /// Whether a long string may be lent, or have to be.
    #[inline]
    pub fn may_lend(&self) -> bool {
        self.part.is_some() || !self.lent.is_empty()
    }

    fn number_of_lent(&mut self, entry: &Entry) -> Option<usize> {
        if self.lent.is_empty() || !is_long(entry) {
            return None;
        }
        self.lent.iter().position(|lent| *lent.key == *entry.key())
    }

    /// A string has been copied.
    pub(super) fn forget_lent(&mut self, copied: &Lent) {
        self.lent.retain(|lent| !std::ptr::eq(&**lent, copied));
    }

    /// The strings that are still lent. The table has to give up their entries.
    pub(in crate::keyspace) fn take_lent(&mut self) -> Vec<Arc<Lent>> {
        std::mem::take(&mut self.lent)
    }

    /// To be called when an entry was changed, which may have another allocation by now, or is put in.
    #[inline]
    pub fn after_change(&self, entry: &Entry) {
        entry.set_parity(self.parity);
    }

    /// The cut, if it has to have the entry.
    fn part_for(&mut self, entry: &Entry) -> Option<&mut Part> {
        let part = self.part.as_deref_mut().filter(|part| part.cut.wants(entry))?;
        self.crowded |= part.cut.outbox.is_full();
        Some(part)
    }

    #[cold]
    fn keep_copy(&mut self, entry: &mut Entry) {
        entry.set_parity(self.parity);
        if let Some(part) = self.part_for(entry) {
            part.keep_copy(entry);
        }
    }

    /// To be called with an entry that has left the table for good.
    #[inline]
    pub fn delete(&mut self, entry: Entry) -> Gone {
        if self.is_unsaved(&entry) || !self.lent.is_empty() {
            self.keep_entry(entry)
        } else {
            Gone(Some(entry))
        }
    }

    #[cold]
    fn keep_entry(&mut self, entry: Entry) -> Gone {
        if !self.is_unsaved(&entry) {
            return match self.number_of_lent(&entry) {
                Some(number) => {
                    self.lent.swap_remove(number).own(entry);
                    Gone(None)
                }
                None => Gone(Some(entry)),
            };
        }
        match self.part_for(&entry) {
            Some(part) => Gone(part.keep(entry)),
            None => Gone(Some(entry)),
        }
    }

    /// Makes all entries unsaved.
    pub(super) fn join_cut(&mut self, cut: Arc<Cut>) {
        self.parity = !self.parity;
        self.part = Some(Box::new(Part {
            cut,
            notes: Record::default(),
        }));
    }

    /// No entry is unsaved any more, or the segment is in no table any more.
    pub fn leave_cut(&mut self) -> Option<Arc<Cut>> {
        self.crowded = false;
        self.lent.retain(|lent| Arc::strong_count(lent) > 1);
        let mut part = self.part.take()?;
        part.send_notes();
        Some(part.cut)
    }

    /// Whether there may be unsaved entries.
    pub fn is_cut(&self) -> bool {
        self.part.is_some()
    }

    /// The cut whose full outbox has got even more since this was asked last.
    #[inline]
    pub fn crowded(&mut self) -> Option<Arc<Cut>> {
        if !self.crowded {
            return None;
        }
        self.crowded = false;
        self.part.as_ref().map(|part| part.cut.clone())
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
