//! Buffers for what writers write down, made before a cut begins by those who are in no hurry, and used again.
//!
//! Memory that nobody has used yet costs who touches it first much more than what it is touched for: a system that gives it in
//! pages of 2 MiB clears them whole, which has been seen to take 5 ms. That must not fall on a writer.

use super::Record;
use crate::keyspace::SEGMENTS;
#[cfg(not(test))]
use parking_lot::Mutex;

/// Bytes that pre-images of a segment may take before they are put into the outbox.
pub(super) const NOTES_BYTES: usize = 8 * 1024;
/// Room for as many texts as are usual in them.
const NOTES_TEXTS: usize = 128;
/// One for each segment, and some on their way.
const BUFFERS_MAX: usize = SEGMENTS + SEGMENTS / 2;
/// The part of the data that the buffers may take.
const DATA_SHARE: usize = 50;

#[cfg(not(test))]
fn with_stock<R>(change: impl FnOnce(&mut Vec<Record>) -> R) -> R {
    static STOCK: Mutex<Vec<Record>> = Mutex::new(Vec::new());
    change(&mut STOCK.lock())
}

/// Tests count what their threads allocate and free: none is to get another's buffers.
#[cfg(test)]
fn with_stock<R>(change: impl FnOnce(&mut Vec<Record>) -> R) -> R {
    thread_local! {
        static STOCK: std::cell::RefCell<Vec<Record>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    STOCK.with_borrow_mut(change)
}

/// Makes as many as a cut of so many bytes of data may need.
pub fn prepare(data_bytes: usize) {
    let wanted = (data_bytes / DATA_SHARE / NOTES_BYTES).min(BUFFERS_MAX);
    let more = wanted.saturating_sub(with_stock(|stock| stock.len()));
    let made: Vec<Record> = (0..more).map(|_| touched()).collect();
    with_stock(|stock| stock.extend(made));
}

fn touched() -> Record {
    let mut record = Record::with_capacity(NOTES_BYTES, NOTES_TEXTS);
    // Not with zeros: memory that is known to hold them need not be touched.
    record.bytes.resize(NOTES_BYTES, 1);
    record.clear();
    record
}

/// An empty one.
pub(super) fn take() -> Record {
    let found = with_stock(Vec::pop);
    found.unwrap_or_else(|| Record::with_capacity(NOTES_BYTES, NOTES_TEXTS))
}

/// For others, as it is.
pub(super) fn put(mut record: Record) {
    let is_usual = (NOTES_BYTES..=2 * NOTES_BYTES).contains(&record.bytes.capacity());
    record.clear();
    with_stock(|stock| {
        if is_usual && stock.len() < BUFFERS_MAX {
            stock.push(record);
        }
    });
}

/// Drops them all: no cut needs them for now.
pub fn clear() {
    let dropped = with_stock(std::mem::take);
    drop(dropped);
}
