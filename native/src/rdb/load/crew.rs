//! The hands that build, and how work comes to them.
//!
//! Whoever reads the file finds out where values end and no more; the bytes of a key and of its value go to the hand that the
//! key's place in the table belongs to. So each hand gets the keys that are equal to each other in the order of the file, and
//! none ever waits for another. A hand gets a thread of its own with the second batch; what is small is done by the reader's.
//!
//! Bounded: a hand has [`BATCHES_MAX`] batches before it, and whoever reads waits for room. A value that does not fit into
//! a batch comes in pieces. After a fault the batches that were handed out before are finished, so that of several faults the first in the
//! file is the one that is told, as if one thread had read everything.

use super::hand::{Batch, Counts, Hand, Key, Task};
use crate::heap::Filling;
use crate::keyspace::{Nursery, NurseryPlan};
use crate::rdb::RdbError;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

/// Bytes of a batch, above which it is handed over. Tests are to see threads at work on little.
const BATCH_BYTES: usize = if cfg!(any(test, fuzzing)) { 1 << 9 } else { 1 << 17 };
/// Bytes of a batch at most. What is between these is for the last value, which is better read as a whole: room is made for no more elements
/// than the bytes at hand can be.
const BATCH_BYTES_MAX: usize = 4 * BATCH_BYTES;
/// Batches that wait for a hand.
const BATCHES_MAX: usize = 8;
/// More hands than this would wait for whoever reads.
const HANDS_MAX: usize = 4;

/// How many hands there may be: as many as processors, whatever else these have to do.
pub fn hands() -> usize {
    let least = if cfg!(any(test, fuzzing)) { 3 } else { 1 };
    thread::available_parallelism()
        .map_or(1, usize::from)
        .clamp(least, HANDS_MAX)
}

/// What a hand's thread is told.
enum Word {
    Hand(Box<Hand>),
    Batch(Batch),
}

/// What hands and whoever reads tell each other at any time.
#[derive(Default)]
struct Signals {
    /// A hand has met a fault.
    fault: AtomicBool,
    /// Nobody wants what is being built.
    given_up: AtomicBool,
}

enum State {
    /// Works when it is handed something, on the thread of who hands it.
    Here(Box<Hand>),
    Thread {
        words: SyncSender<Word>,
        /// Batches that are done with.
        empty: Receiver<Batch>,
        /// How many there are.
        made: usize,
        thread: JoinHandle<Option<Box<Hand>>>,
    },
    /// Between the others.
    Moving,
}

impl State {
    /// Moves a hand to a thread of its own, if one can be had.
    fn give_thread(&mut self, signals: &Arc<Signals>) {
        let hand = match std::mem::replace(self, State::Moving) {
            State::Here(hand) => hand,
            other => {
                *self = other;
                return;
            }
        };
        let (words, heard) = sync_channel(BATCHES_MAX);
        let (done, empty) = channel();
        let signals = signals.clone();
        let spawned = thread::Builder::new()
            .name("holdfast-load".into())
            .spawn(move || work(&heard, &done, &signals));
        *self = match spawned {
            Ok(thread) => {
                // It has room for a word, and listens.
                drop(words.send(Word::Hand(hand)));
                State::Thread {
                    words,
                    empty,
                    made: 1,
                    thread,
                }
            }
            Err(_) => State::Here(hand),
        };
    }

    /// Has the batch done; gives an empty one.
    fn hand(&mut self, batch: Batch, signals: &Signals) -> Batch {
        match self {
            State::Here(hand) => do_batch(hand, batch, signals),
            State::Thread {
                words, empty, made, ..
            } => {
                // A thread that has panicked says so when it is joined.
                drop(words.send(Word::Batch(batch)));
                spare(empty, made)
            }
            State::Moving => Batch::default(),
        }
    }

    /// Ends the thread once it has done what it was told, and has the hand back.
    fn come_back(&mut self) {
        match std::mem::replace(self, State::Moving) {
            State::Thread { words, thread, .. } => {
                drop(words);
                match thread.join() {
                    Ok(hand) => *self = hand.map_or(State::Moving, State::Here),
                    Err(panic) => resume_unwind(panic),
                }
            }
            other => *self = other,
        }
    }
}

/// An empty batch: one that is done with, or another one as long as there may be more. A hand that has gone gives none.
fn spare(empty: &Receiver<Batch>, made: &mut usize) -> Batch {
    let done = empty.try_recv().ok();
    done.unwrap_or_else(|| {
        if *made > BATCHES_MAX {
            return empty.recv().unwrap_or_default();
        }
        *made += 1;
        Batch {
            tasks: Vec::new(),
            bytes: Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 8),
        }
    })
}

fn work(heard: &Receiver<Word>, done: &Sender<Batch>, signals: &Signals) -> Option<Box<Hand>> {
    let Ok(Word::Hand(mut hand)) = heard.recv() else {
        return None;
    };
    while let Ok(Word::Batch(batch)) = heard.recv() {
        if !signals.given_up.load(Ordering::Relaxed) {
            // Whoever reads may have gone.
            drop(done.send(do_batch(&mut hand, batch, signals)));
        }
    }
    Some(hand)
}

/// Does a batch, and gives it back without its content.
fn do_batch(hand: &mut Hand, mut batch: Batch, signals: &Signals) -> Batch {
    // Not for longer: a file may come slowly, and commands go on meanwhile.
    let filling = Filling::begin();
    hand.take(&batch);
    drop(filling);
    if hand.fault().is_some() {
        signals.fault.store(true, Ordering::Relaxed);
    }
    batch.tasks.clear();
    batch.bytes.clear();
    batch
}

struct Post {
    state: State,
    /// What is still to be handed over.
    batch: Batch,
    handed: bool,
}

/// See the module.
pub struct Crew {
    plan: NurseryPlan,
    posts: Vec<Post>,
    /// Where the key at hand goes.
    at: usize,
    signals: Arc<Signals>,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").field("plan", &self.plan).finish()
    }
}

impl Crew {
    /// A hand for each nursery of the plan, for a file of at most so many bytes; 0 if nobody knows.
    pub fn new(plan: NurseryPlan, file_bytes: u64) -> Self {
        let post = |nursery| Post {
            state: State::Here(Box::new(Hand::new(nursery, file_bytes))),
            batch: Batch::default(),
            handed: false,
        };
        Crew {
            plan,
            posts: plan.nurseries().into_iter().map(post).collect(),
            at: 0,
            signals: Arc::default(),
        }
    }

    /// Whether reading on is of no use.
    pub fn is_over(&self) -> bool {
        self.signals.fault.load(Ordering::Relaxed)
    }

    /// The next value belongs to this key. It begins with the next bytes.
    #[inline]
    pub fn begin(&mut self, key: Key, name: &[u8]) {
        self.at = self.plan.part_of(key.hash);
        let batch = &mut self.posts[self.at].batch;
        batch.bytes.extend_from_slice(name);
        batch.tasks.push(Task {
            key: Some(key),
            bytes: name.len(),
            ends: false,
        });
    }

    /// More bytes of the value, of which the first has this offset in the file.
    #[inline]
    pub fn more(&mut self, offset: u64, mut bytes: &[u8]) {
        loop {
            let batch = &mut self.posts[self.at].batch;
            let room = BATCH_BYTES_MAX.saturating_sub(batch.bytes.len()).max(1);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            batch.bytes.extend_from_slice(now);
            if let Some(task) = batch.tasks.last_mut() {
                if let Some(key) = task.key.as_mut().filter(|key| key.bytes == task.bytes) {
                    key.value_offset = offset;
                }
                task.bytes += now.len();
            }
            if later.is_empty() {
                return;
            }
            bytes = later;
            self.hand_over(self.at);
            self.posts[self.at].batch.tasks.push(Task {
                key: None,
                bytes: 0,
                ends: false,
            });
        }
    }

    /// The value is complete.
    #[inline]
    pub fn end(&mut self) {
        let batch = &mut self.posts[self.at].batch;
        if let Some(task) = batch.tasks.last_mut() {
            task.ends = true;
        }
        if batch.bytes.len() >= BATCH_BYTES {
            self.hand_over(self.at);
        }
    }

    fn hand_over(&mut self, at: usize) {
        let post = &mut self.posts[at];
        if post.batch.tasks.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut post.batch);
        if post.handed && batch.bytes.len() >= BATCH_BYTES {
            post.state.give_thread(&self.signals);
        }
        post.handed = true;
        post.batch = post.state.hand(batch, &self.signals);
    }

    /// Waits until everything that was handed over is done, and gives the first fault.
    ///
    /// # Panics
    /// If a hand has.
    pub fn finish(&mut self) -> Result<(), RdbError> {
        for at in 0..self.posts.len() {
            self.hand_over(at);
        }
        for post in &mut self.posts {
            post.state.come_back();
        }
        let faults = self.hands().filter_map(Hand::fault);
        let first = faults.min_by_key(|(offset, _)| *offset);
        match first {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }

    fn hands(&self) -> impl Iterator<Item = &Hand> {
        self.posts.iter().filter_map(|post| match &post.state {
            State::Here(hand) => Some(&**hand),
            _ => None,
        })
    }

    /// What became of the keys, once all is done.
    pub fn counts(&self) -> Counts {
        self.hands().fold(Counts::default(), |sum, hand| Counts {
            keys: sum.keys + hand.counts().keys,
            empty: sum.empty + hand.counts().empty,
        })
    }

    /// What was built, once all is done.
    pub fn into_nurseries(mut self) -> Vec<Nursery> {
        let posts = std::mem::take(&mut self.posts);
        let nursery = |post: Post| match post.state {
            State::Here(hand) => Some(hand.into_nursery()),
            _ => None,
        };
        posts.into_iter().filter_map(nursery).collect()
    }
}

impl Drop for Crew {
    /// No thread is left behind. What was built goes away in the background.
    fn drop(&mut self) {
        self.signals.given_up.store(true, Ordering::Relaxed);
        for post in &mut self.posts {
            if let State::Thread { words, thread, .. } = std::mem::replace(&mut post.state, State::Moving) {
                drop(words);
                drop(thread.join());
            }
        }
    }
}
