//! A file of one instant, encoded by several threads side by side.
//!
//! Every thread that calls [`Snapshot::encode`] makes one chunk: first of the pre-images that wait, then of pages of the
//! table. What it has begun and not finished (a segment) is left for whoever comes next, so a thread owns nothing between
//! two calls, and it does no harm if it never comes back. Under the lock of a segment a page is only written down
//! as a draft; it is compressed without the lock.
//!
//! A file may hold its keys in any order, so chunks are joined as they are finished. [`Snapshot::read`] gives them out, sums
//! the checksum, and puts the head before the first and the end behind the last.
//!
//! Between two pages a thread may rest: see [`super::pace`].
//!
//! Memory: [`CHUNKS_MAX`] chunks, which are filled again when they were read, a draft and a chunk per thread, with the long string at
//! hand, if there is one, and the outboxes of the cuts.

use super::encode::{Breath, Encoder, Forms};
use super::pace::Pace;
use super::{EXACT_FIELD, Unwritable, WriteOptions};
use crate::keyspace::cut::{self, Cut, Detached, FrozenEntry, Image, Recorder, Seen};
use crate::keyspace::registry::Registered;
use crate::keyspace::{Keyspace, SEGMENTS};
use crate::rdb::checksum::Checksum;
use crate::rdb::format;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Finished chunks that wait to be read, above which nobody begins another one.
const CHUNKS_MAX: usize = 4;
/// Bytes written down under one hold of a segment's lock.
const DRAFT_BYTES: usize = 64 * 1024;
/// Room for them, and for what the last key has beyond.
const DRAFT_ROOM_BYTES: usize = DRAFT_BYTES + 16 * 1024;
/// Bytes of pre-images taken at a time.
const IMAGES_BYTES: usize = 64 * 1024;
/// Buffers beyond this are not kept for the next chunk.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Who holds a keyspace for a snapshot.
pub trait Source {
    /// The keyspace.
    fn keyspace(&self) -> &Keyspace;
}

impl Source for &Keyspace {
    fn keyspace(&self) -> &Keyspace {
        self
    }
}

impl Source for Arc<Registered> {
    fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }
}

/// Why there is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another one of the same keyspace is not over.
    Busy,
    /// A key that the version cannot hold.
    Unwritable(Unwritable),
}

/// What came of an attempt to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A chunk was finished.
    Worked,
    /// There is nothing to do now: chunks have to be read first, or other threads have the rest in hand.
    Wait,
    /// Everything is encoded, or the snapshot was given up.
    Over,
}

/// What is left to encode.
enum Work {
    /// A segment of a source, from a position on.
    Table(usize, u64),
    /// What was a segment of a source.
    Detached(usize, Detached, u64),
}

struct Progress {
    /// The segment, counted through all sources, that nobody has begun.
    next: usize,
    begun: Vec<Work>,
    /// Threads that are encoding.
    running: usize,
    over: bool,
    finished: VecDeque<Vec<u8>>,
    /// Chunks that were read, to be filled again.
    spare: Vec<Vec<u8>>,
    /// Encoders that nobody uses.
    idle: Vec<Worker>,
}

/// What has been read.
struct Output {
    /// The chunk being read, and how far.
    chunk: Vec<u8>,
    at: usize,
    checksum: Checksum,
    bytes: u64,
    ended: bool,
}

/// See the module.
pub struct Snapshot<S: Source> {
    sources: Vec<(S, Arc<Cut>)>,
    forms: Forms,
    pace: Pace,
    chunk_bytes: usize,
    progress: Mutex<Progress>,
    changed: Condvar,
    output: Mutex<Output>,
    keys: AtomicU64,
    given_up: AtomicBool,
}

impl<S: Source> std::fmt::Debug for Snapshot<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("keys", &self.keys).finish()
    }
}

/// What a thread encodes with.
struct Worker {
    encoder: Encoder,
    drafts: Encoder,
    images: Vec<Image>,
    /// Of the page that the draft is of.
    frozen: Option<Box<FrozenEntry>>,
    keys: u64,
}

impl Worker {
    fn new(forms: Forms) -> Worker {
        let mut drafts = Encoder::of_drafts(forms);
        // Touched now: the first to touch memory may wait for the system, and drafts are written under locks.
        drafts.out.resize(DRAFT_ROOM_BYTES, 1);
        drafts.out.clear();
        Worker {
            encoder: Encoder::new(forms),
            drafts,
            images: Vec::new(),
            frozen: None,
            keys: 0,
        }
    }

    /// Without a lock: encodes what is seen as it is to be.
    fn encode(&mut self, seen: Seen<'_>, breath: Breath<'_>) {
        let mut keys = 1;
        match seen {
            Seen::Entry(key, content, expire_at) => self.encoder.entry(key, content, expire_at),
            Seen::Record(record) => {
                self.encoder.complete(record);
                keys = record.keys;
            }
            Seen::Frozen(entry) => self.encoder.frozen_entry(&entry, breath),
        }
        self.keys += keys;
    }

    /// Under a lock: writes down what is seen, and says whether more fits.
    fn draft(&mut self, seen: Seen<'_>) -> bool {
        self.keys += 1;
        match seen {
            Seen::Entry(key, content, expire_at) => self.drafts.entry(key, content, expire_at),
            Seen::Frozen(entry) => self.frozen = Some(entry),
            Seen::Record(_) => unreachable!("records are in outboxes only"),
        }
        self.frozen.is_none() && self.drafts.out.len() < DRAFT_BYTES
    }

    fn complete_draft(&mut self, breath: Breath<'_>) {
        let mut draft = self.drafts.take_draft(0);
        self.encoder.complete(&draft);
        if draft.bytes.capacity() <= KEPT_BYTES_MAX {
            draft.clear();
            self.drafts.keep_buffers(draft);
        }
        if let Some(entry) = self.frozen.take() {
            self.encoder.frozen_entry(&entry, breath);
        }
    }
}

impl<S: Source> Snapshot<S> {
    /// Takes a snapshot of these keyspaces, which must differ from each other, as they are now.
    ///
    /// # Errors
    /// If another one is not over, or the version cannot hold a key.
    pub fn take(sources: Vec<S>, options: WriteOptions) -> Result<Snapshot<S>, Refusal> {
        debug_assert!(options.exact || super::VERSIONS.contains(&options.version));
        let forms = options.forms();
        let recorder: Arc<dyn Recorder> = Arc::new(forms);
        let keyspaces: Vec<&Keyspace> = sources.iter().map(Source::keyspace).collect();
        let cuts = cut::begin(&keyspaces, &recorder).map_err(|refusal| match refusal {
            cut::Refusal::Busy => Refusal::Busy,
            cut::Refusal::ExpiringField(key) => Refusal::Unwritable(Unwritable {
                key,
                version: forms.version,
            }),
        })?;
        let head = head(&options, forms, &cuts);
        Ok(Snapshot {
            sources: sources.into_iter().zip(cuts).collect(),
            forms,
            pace: Pace::default(),
            chunk_bytes: options.chunk_bytes.max(1),
            progress: Mutex::new(Progress {
                next: 0,
                begun: Vec::new(),
                running: 0,
                over: false,
                finished: VecDeque::from([head]),
                spare: Vec::new(),
                idle: Vec::new(),
            }),
            changed: Condvar::new(),
            output: Mutex::new(Output {
                chunk: Vec::new(),
                at: 0,
                checksum: Checksum::default(),
                bytes: 0,
                ended: false,
            }),
            keys: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
        })
    }

    /// Keys encoded so far.
    pub fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed)
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.output.lock().bytes
    }

    /// Which part is encoded, from 0 to 1.
    pub fn progress(&self) -> f64 {
        let total: usize = self.sources.iter().map(|(_, cut)| cut.counts().0).sum();
        (self.keys() as f64 / total.max(1) as f64).min(1.0)
    }

    /// Nobody wants the snapshot any more. Threads that encode stop with their next page.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        self.sources.iter().for_each(|(_, cut)| cut.give_up());
        self.changed.notify_all();
    }

    /// Encodes one chunk.
    pub fn encode(&self) -> Step {
        let mut worker = {
            let mut progress = self.progress.lock();
            if progress.over || self.given_up.load(Ordering::Relaxed) {
                return Step::Over;
            }
            if progress.finished.len() >= CHUNKS_MAX {
                return Step::Wait;
            }
            progress.running += 1;
            let spare = progress.spare.pop().unwrap_or_default();
            let idle = progress.idle.pop();
            drop(progress);
            let mut worker = idle.unwrap_or_else(|| Worker::new(self.forms));
            worker.encoder.out = spare;
            worker
        };
        worker.encoder.out.reserve(self.chunk_bytes + DRAFT_BYTES);
        let (mut work, mut shift) = (None, self.pace.shift());
        let mut breath = || shift.pause(self.crowding());
        while worker.encoder.out.len() < self.chunk_bytes
            && !self.given_up.load(Ordering::Relaxed)
            && self.advance(&mut worker, &mut work, &mut breath)
        {
            breath();
            worker.encoder.hurries = self.pace.is_behind(self.crowding());
        }
        drop(shift);
        let chunk = std::mem::take(&mut worker.encoder.out);
        self.keys
            .fetch_add(std::mem::take(&mut worker.keys), Ordering::Relaxed);
        let worked = !chunk.is_empty();
        let mut progress = self.progress.lock();
        progress.running -= 1;
        progress.idle.push(worker);
        progress.begun.extend(work);
        progress.finished.extend(worked.then_some(chunk));
        self.look_for_the_end(&mut progress);
        self.changed.notify_all();
        match progress.over {
            _ if worked => Step::Worked,
            true => Step::Over,
            false => Step::Wait,
        }
    }

    /// How full the fullest outbox is.
    fn crowding(&self) -> f64 {
        self.sources.iter().map(|(_, cut)| cut.fill()).fold(0.0, f64::max)
    }

    /// Encodes some pre-images, or else a page. False: there is nothing to do.
    fn advance(&self, worker: &mut Worker, work: &mut Option<Work>, breath: Breath<'_>) -> bool {
        if self.drain(worker, work, breath) {
            return true;
        }
        let Some(at_hand) = work.take().or_else(|| self.claim()) else {
            return false;
        };
        *work = match at_hand {
            Work::Table(number, position) => {
                let (source, cut) = &self.sources[number];
                let next = source
                    .keyspace()
                    .save_page(cut, position, |seen| worker.draft(seen));
                next.map(|next| Work::Table(number, next))
            }
            Work::Detached(number, mut segment, position) => {
                let cut = &self.sources[number].1;
                let next = segment.save_page(cut, position, |seen| worker.draft(seen));
                next.map(|next| Work::Detached(number, segment, next))
            }
        };
        worker.complete_draft(breath);
        true
    }

    /// Encodes some of the pre-images that wait. Whether there were any.
    fn drain(&self, worker: &mut Worker, work: &mut Option<Work>, breath: Breath<'_>) -> bool {
        for (number, (source, cut)) in self.sources.iter().enumerate() {
            let mut images = std::mem::take(&mut worker.images);
            cut.take(IMAGES_BYTES, &mut images);
            let found = !images.is_empty();
            for image in images.drain(..) {
                if let Some(segment) = image.show(source.keyspace(), cut, |seen| worker.encode(seen, breath))
                {
                    self.progress.lock().begun.extend(work.take());
                    *work = Some(Work::Detached(number, segment, 0));
                }
            }
            worker.images = images;
            if found {
                return true;
            }
        }
        false
    }

    fn claim(&self) -> Option<Work> {
        let mut progress = self.progress.lock();
        let begun = progress.begun.pop();
        begun.or_else(|| {
            let next = progress.next;
            (next < self.sources.len() * SEGMENTS).then(|| {
                progress.next += 1;
                Work::Table(next / SEGMENTS, cut::first_position(next % SEGMENTS))
            })
        })
    }

    /// When every segment has left its cut, nobody adds to the outboxes any more.
    fn look_for_the_end(&self, progress: &mut MutexGuard<'_, Progress>) {
        let idle = progress.running == 0 && progress.begun.is_empty();
        if progress.over || !idle || progress.next < self.sources.len() * SEGMENTS {
            return;
        }
        if self.sources.iter().all(|(_, cut)| cut.is_drained()) {
            progress.over = true;
            self.sources
                .iter()
                .for_each(|(source, _)| source.keyspace().end_cut());
        }
    }

    /// Copies the next bytes into `target`, and says how many: 0 while no chunk is finished, `None` behind the end.
    pub fn read(&self, target: &mut [u8]) -> Option<usize> {
        let (mut output, mut copied) = (self.output.lock(), 0);
        while copied < target.len() && self.fill(&mut output) {
            let rest = &output.chunk[output.at..];
            let count = rest.len().min(target.len() - copied);
            target[copied..copied + count].copy_from_slice(&rest[..count]);
            copied += count;
            output.at += count;
        }
        output.bytes += copied as u64;
        self.pace.note_other_work();
        (copied > 0 || !output.ended).then_some(copied)
    }

    /// Sees to it that a chunk is at hand. False: there is none.
    fn fill(&self, output: &mut Output) -> bool {
        if output.at < output.chunk.len() {
            return true;
        }
        let mut read = std::mem::take(&mut output.chunk);
        read.clear();
        let (finished, over) = {
            let mut progress = self.progress.lock();
            if progress.spare.len() < CHUNKS_MAX && read.capacity() <= KEPT_BYTES_MAX {
                progress.spare.push(read);
            }
            (progress.finished.pop_front(), progress.over)
        };
        let chunk = match finished {
            Some(chunk) => {
                self.changed.notify_all();
                output.checksum.update(&chunk);
                chunk
            }
            None if over && !output.ended => {
                output.ended = true;
                let mut end = vec![format::EOF];
                output.checksum.update(&end);
                end.extend_from_slice(&output.checksum.value().to_le_bytes());
                end
            }
            None => {
                output.at = 0;
                return false;
            }
        };
        (output.chunk, output.at) = (chunk, 0);
        true
    }

    /// Waits until a thread has finished a chunk or one was read, for so long at the most.
    pub fn wait(&self, at_most: Duration) {
        let mut progress = self.progress.lock();
        if !progress.over && !self.given_up.load(Ordering::Relaxed) {
            self.changed.wait_for(&mut progress, at_most);
        }
    }

    /// The next chunk, for who does all the work alone; `None` behind the end.
    pub fn next_chunk(&self) -> Option<Vec<u8>> {
        loop {
            let mut chunk = vec![0; self.chunk_bytes];
            let copied = self.read(&mut chunk)?;
            if copied > 0 {
                chunk.truncate(copied);
                return Some(chunk);
            }
            self.encode();
        }
    }
}

impl<'k> Snapshot<&'k Keyspace> {
    /// A whole file.
    ///
    /// # Errors
    /// As [`Snapshot::take`].
    pub fn whole(keyspace: &'k Keyspace, options: WriteOptions) -> Result<Vec<u8>, Refusal> {
        let (snapshot, mut bytes) = (Snapshot::take(vec![keyspace], options)?, Vec::new());
        while let Some(chunk) = snapshot.next_chunk() {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

impl<S: Source> Drop for Snapshot<S> {
    /// What was given up is swept, which takes a while: every key is looked at.
    fn drop(&mut self) {
        if !self.progress.get_mut().over {
            self.sources.iter().for_each(|(_, cut)| cut.give_up());
            self.sources
                .iter()
                .for_each(|(source, _)| source.keyspace().sweep_cut());
        }
    }
}

fn head(options: &WriteOptions, forms: Forms, cuts: &[Arc<Cut>]) -> Vec<u8> {
    let mut encoder = Encoder::new(forms);
    encoder
        .out
        .extend_from_slice(format!("REDIS{:04}", forms.version).as_bytes());
    // First, so that a reader knows what to make of the rest.
    let exact = options.exact.then_some((EXACT_FIELD, &b"1"[..]));
    let others = options.aux.iter().map(|(key, value)| (&key[..], &value[..]));
    for (key, value) in exact.into_iter().chain(others) {
        encoder.out.push(format::AUX);
        encoder.text(key);
        encoder.text(value);
    }
    let count = |of: fn(&Cut) -> usize| cuts.iter().map(|cut| of(cut) as u64).sum::<u64>();
    let keys = count(|cut| cut.counts().0);
    if keys > 0 {
        encoder
            .out
            .extend_from_slice(&[format::SELECT_DB, 0, format::RESIZE_DB]);
        encoder.length(keys);
        encoder.length(count(|cut| cut.counts().1));
    }
    encoder.out
}
