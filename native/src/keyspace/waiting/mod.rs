//! Who waits for keys: tickets in order of arrival, and whose turn it is when a key becomes ready.
//!
//! A blocking command takes a ticket first and looks at its keys then, so that nothing slips in between. Whoever changes
//! a key that is waited for notes it, and calls the next tickets when its locks are released: a transaction is seen when it
//! is over. A turn is a hint: the owner of the ticket runs its command, and whether there is something for it is decided
//! there, in a cluster by the log.
//!
//! Of the tickets that want to take something from a key, only as many have a turn as there is to take, from the one that
//! came first on, and a ticket may try a key only when each of those before it has sent an attempt ahead that could as well
//! be its own: their owners are one thread, and ask the same. What such an attempt brings goes to the first of them
//! ([`Keyspace::first_alike`]), whichever it was: where a log decides, an element may come between two attempts, and the
//! earlier one finds nothing. So the order of arrival is the order of service among all tickets of a process. Tickets that
//! only read (streams) all have a turn.
//!
//! Costs of a write: while nobody waits, one relaxed load of a word beside the keyspace's clock. While somebody does, a load
//! of the segment's counter, and a look at the table if that is not 0.

mod bell;
#[cfg(test)]
mod tests;
mod turns;

pub use bell::Bell;

use super::{EntryView, Keyspace, SEGMENTS, hash_of, segment_of};
use crate::value::Value;
use crate::value::stream::StreamId;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Names a ticket in this process. Later tickets have larger numbers.
pub type TicketId = u64;

/// Most tickets of a process.
pub const TICKETS_MAX: usize = 100_000;
/// Most tickets of one key that try at a time; the others follow as those leave.
const TRYING_MAX: usize = 64;

static LAST_TICKET: AtomicU64 = AtomicU64::new(0);
static TICKETS: AtomicUsize = AtomicUsize::new(0);

/// What a ticket waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An element of a list, to take it.
    List,
    /// A member of a sorted set, to take it.
    ZSet,
    /// A new entry of a stream, to read it.
    Stream,
    /// A new entry for a consumer group, or the end of the group.
    Group,
}

const KINDS: [Kind; 4] = [Kind::List, Kind::ZSet, Kind::Stream, Kind::Group];

/// How far a stream is. Attempts that find nothing do not move it, or they would call each other for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    last_id: StreamId,
    groups: usize,
}

/// What a key holds, as far as tickets care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    List(usize),
    ZSet(usize),
    Stream(Mark),
    Other,
}

impl Found {
    fn of(view: EntryView<'_>) -> Found {
        match view {
            EntryView::Value(Value::List(list)) => Found::List(list.len()),
            EntryView::Value(Value::ZSet(zset)) => Found::ZSet(zset.len()),
            EntryView::Value(Value::Stream(stream)) => Found::Stream(Mark {
                last_id: stream.log().last_id(),
                groups: stream.groups().len(),
            }),
            _ => Found::Other,
        }
    }

    /// How many tickets of a kind have a turn.
    fn turns(self, kind: Kind) -> usize {
        match (kind, self) {
            (Kind::List, Found::List(n)) | (Kind::ZSet, Found::ZSet(n)) => n.min(TRYING_MAX),
            (Kind::Stream | Kind::Group, Found::Stream(_)) => usize::MAX,
            // Its group has gone.
            (Kind::Group, _) => usize::MAX,
            _ => 0,
        }
    }
}

impl Kind {
    /// Whether a ticket of this kind takes away what it is given, so that others get none of it.
    fn takes(self) -> bool {
        matches!(self, Kind::List | Kind::ZSet)
    }
}

/// How far a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// It has a turn, of which its owner has not made use yet.
    Called,
    /// Its owner's attempt is under way. `again`: a key has become ready since.
    Trying {
        again: bool,
    },
}

#[derive(Debug)]
struct Ticket {
    kind: Kind,
    keys: SmallVec<[Box<[u8]>; 1]>,
    /// What else its owner asks, beside the keys.
    asks: Box<[u8]>,
    /// What the keys held when the last attempt began, for a ticket that takes nothing.
    seen: SmallVec<[Found; 1]>,
    bell: Arc<Bell>,
    state: State,
}

impl Ticket {
    /// Whether what an attempt for the one brings is good for the other.
    fn is_alike(&self, other: &Ticket) -> bool {
        self.kind == other.kind
            && Arc::ptr_eq(&self.bell, &other.bell)
            && self.asks == other.asks
            && self.keys == other.keys
    }

    /// Whether a stream is as it was when the last attempt began.
    fn has_seen(&self, key: &[u8], found: Found) -> bool {
        let mut seen = self.keys.iter().zip(&self.seen);
        matches!(found, Found::Stream(_)) && seen.any(|(other, seen)| **other == *key && *seen == found)
    }
}

/// Those who wait for one key, by kind.
#[derive(Debug, Default)]
struct Queue {
    lines: [BTreeSet<TicketId>; KINDS.len()],
}

#[derive(Debug, Default)]
struct Table {
    tickets: HashMap<TicketId, Ticket>,
    /// By hash, then by key.
    queues: HashMap<u64, BTreeMap<Box<[u8]>, Queue>>,
}

/// The tickets of one keyspace.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Keys of all tickets.
    waited: AtomicUsize,
    /// Tickets of kind [`Kind::Group`], the only ones that care when a key goes.
    groups: AtomicUsize,
    waited_by_segment: Box<[AtomicU32]>,
    table: Mutex<Table>,
}

/// Keys that a command has changed and somebody waits for, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Touched {
    hashes: BTreeSet<u64>,
    /// Any other key may have gone.
    gone: bool,
    /// Any key may have changed.
    all: bool,
}

/// There are [`TICKETS_MAX`] tickets already.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyTickets;

impl Default for Waiting {
    fn default() -> Self {
        Waiting {
            waited: AtomicUsize::new(0),
            groups: AtomicUsize::new(0),
            waited_by_segment: (0..SEGMENTS).map(|_| AtomicU32::new(0)).collect(),
            table: Mutex::default(),
        }
    }
}

impl Waiting {
    /// Whether anybody waits. A ticket that was taken before a key's lock is seen by all who take that lock later.
    #[inline]
    pub fn any(&self) -> bool {
        self.waited.load(Ordering::Relaxed) != 0
    }

    /// Notes a change of a key, under its lock.
    #[cold]
    pub fn note(&self, touched: &mut Option<Box<Touched>>, hash: u64) {
        if self.waited_by_segment[segment_of(hash)].load(Ordering::Relaxed) != 0 {
            touched.get_or_insert_default().hashes.insert(hash);
        }
    }

    /// Notes that any key may have changed.
    pub fn note_all(&self, touched: &mut Option<Box<Touched>>) {
        if self.any() {
            touched.get_or_insert_default().all = true;
        }
    }

    /// Notes that keys have gone, whichever.
    pub fn note_gone(&self, touched: &mut Option<Box<Touched>>) {
        if self.groups.load(Ordering::Relaxed) != 0 {
            touched.get_or_insert_default().gone = true;
        }
    }

    /// Counts a ticket. `by`: 1, or -1, which the counters take by wrapping.
    fn count(&self, kind: Kind, keys: &[Box<[u8]>], by: isize) {
        for key in keys {
            self.waited_by_segment[segment_of(hash_of(key))].fetch_add(by as u32, Ordering::Relaxed);
            self.waited.fetch_add(by as usize, Ordering::Relaxed);
        }
        if kind == Kind::Group {
            self.groups.fetch_add(by as usize, Ordering::Relaxed);
        }
    }

    fn keys(&self, touched: &Touched) -> Vec<Box<[u8]>> {
        let table = self.table.lock();
        if touched.all || touched.gone {
            let of_groups = |queue: &Queue| !queue.lines[Kind::Group as usize].is_empty();
            let wanted = |hash, queue| touched.all || touched.hashes.contains(hash) || of_groups(queue);
            let queues = table
                .queues
                .iter()
                .flat_map(|(hash, queues)| queues.iter().map(move |(key, queue)| (hash, key, queue)));
            let wanted = queues.filter(|(hash, _, queue)| wanted(hash, queue));
            return wanted.map(|(_, key, _)| key.clone()).collect();
        }
        let queues = touched.hashes.iter().filter_map(|hash| table.queues.get(hash));
        queues.flat_map(BTreeMap::keys).cloned().collect()
    }
}

impl Table {
    fn line(&self, key: &[u8], kind: Kind) -> impl Iterator<Item = (TicketId, &Ticket)> {
        let queue = self.queues.get(&hash_of(key)).and_then(|queues| queues.get(key));
        let line = queue.map(|queue| &queue.lines[kind as usize]);
        line.into_iter()
            .flatten()
            .filter_map(|id| self.tickets.get(id).map(|ticket| (*id, ticket)))
    }

    fn insert(&mut self, id: TicketId, ticket: Ticket) {
        for key in &ticket.keys {
            let queues = self.queues.entry(hash_of(key)).or_default();
            let queue = queues.entry(key.clone()).or_default();
            queue.lines[ticket.kind as usize].insert(id);
        }
        self.tickets.insert(id, ticket);
    }

    fn remove(&mut self, id: TicketId) -> Option<Ticket> {
        let ticket = self.tickets.remove(&id)?;
        for key in &ticket.keys {
            let hash = hash_of(key);
            let Some(queues) = self.queues.get_mut(&hash) else {
                continue;
            };
            if let Some(queue) = queues.get_mut(key) {
                queue.lines[ticket.kind as usize].remove(&id);
                if queue.lines.iter().all(BTreeSet::is_empty) {
                    queues.remove(key);
                }
            }
            if queues.is_empty() {
                self.queues.remove(&hash);
            }
        }
        Some(ticket)
    }

    /// Those whose turn it is, now that a key holds this. Tickets that are alike have their turns together, since their thread
    /// makes its attempts in their order; others have to wait until those before them have left.
    fn next(&self, key: &[u8], found: Found) -> Vec<TicketId> {
        let mut next = Vec::new();
        for kind in KINDS {
            let mut first = None;
            for (id, ticket) in self.line(key, kind).take(found.turns(kind)) {
                let first: &Ticket = first.get_or_insert(ticket);
                if kind.takes() && !first.is_alike(ticket) {
                    break;
                }
                if !ticket.has_seen(key, found) {
                    next.push(id);
                }
            }
        }
        next
    }

    fn call(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get_mut(&id) else {
            return;
        };
        match &mut ticket.state {
            State::Idle => {
                ticket.state = State::Called;
                ticket.bell.ring(id);
            }
            State::Called => {}
            State::Trying { again } => *again = true,
        }
    }

    /// Whether a ticket may try to take from a key: each one before it is alike and has an attempt ahead of it, and not one that
    /// is older than what there is to take.
    fn may_take(&self, id: TicketId, ticket: &Ticket, key: &[u8], turns: usize) -> bool {
        for (other_id, other) in self.line(key, ticket.kind).take(turns) {
            if other_id == id {
                return true;
            }
            let is_ahead = other.state == State::Trying { again: false };
            if !is_ahead || !other.is_alike(ticket) {
                return false;
            }
        }
        false
    }
}

impl Keyspace {
    /// Takes a ticket for these keys. Its owner has to try at once ([`Keyspace::begin_attempt`]). `asks`: what else it asks;
    /// owners that ask the same of the same keys can make use of each other's attempts.
    ///
    /// # Errors
    /// If there are [`TICKETS_MAX`] in the process.
    pub fn enter(
        &self,
        kind: Kind,
        keys: &[&[u8]],
        asks: &[u8],
        bell: &Arc<Bell>,
    ) -> Result<TicketId, TooManyTickets> {
        let admitted = TICKETS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
            (n < TICKETS_MAX).then_some(n + 1)
        });
        admitted.map_err(|_| TooManyTickets)?;
        let waiting = &self.waiting;
        let keys: SmallVec<[Box<[u8]>; 1]> = keys.iter().map(|&key| key.into()).collect();
        waiting.count(kind, &keys, 1);
        let mut table = waiting.table.lock();
        // Numbered under the lock, so that the lines of a key are in the order in which tickets were taken.
        let id = LAST_TICKET.fetch_add(1, Ordering::Relaxed) + 1;
        let ticket = Ticket {
            kind,
            keys,
            asks: asks.into(),
            seen: SmallVec::new(),
            bell: bell.clone(),
            state: State::Called,
        };
        table.insert(id, ticket);
        Ok(id)
    }

    /// The owner of a ticket begins an attempt. Gives the positions of the keys that it may try; if there are none, the attempt
    /// has failed.
    ///
    /// `first`: nobody has called the ticket. Then what this process's memory holds is no reason not to try: where a log
    /// decides, it may be behind.
    pub fn begin_attempt(&self, id: TicketId, first: bool) -> Vec<usize> {
        let (kind, keys) = {
            let mut table = self.waiting.table.lock();
            let Some(ticket) = table.tickets.get_mut(&id) else {
                return Vec::new();
            };
            // Before the keys are looked at: what happens to them from here on is another turn.
            ticket.state = State::Trying { again: false };
            (ticket.kind, ticket.keys.clone())
        };
        let found: SmallVec<[Found; 1]> = keys.iter().map(|key| self.find(key)).collect();
        let mut table = self.waiting.table.lock();
        let Some(ticket) = table.tickets.get_mut(&id) else {
            return Vec::new();
        };
        if !kind.takes() {
            ticket.seen = found;
            return (0..keys.len()).collect();
        }
        let Some(ticket) = table.tickets.get(&id) else {
            return Vec::new();
        };
        let may_try = |&at: &usize| {
            let (key, found) = (&keys[at], found[at]);
            match found.turns(kind) {
                0 if found == Found::Nothing => first && table.may_take(id, ticket, key, 1),
                // The key holds another type: nothing can be taken, and the command says so.
                0 => first,
                turns => table.may_take(id, ticket, key, turns),
            }
        };
        (0..keys.len()).filter(may_try).collect()
    }

    /// The first of those that are like this ticket, if it stands in front of a key: whose it is what an attempt for one of them
    /// has taken. Otherwise the ticket itself.
    pub fn first_alike(&self, id: TicketId) -> TicketId {
        let table = self.waiting.table.lock();
        let Some(ticket) = table.tickets.get(&id) else {
            return id;
        };
        // Whoever tries a key has only such before it.
        let mut fronts = ticket
            .keys
            .iter()
            .filter_map(|key| table.line(key, ticket.kind).next());
        let first = fronts.find(|(_, front)| front.is_alike(ticket));
        first.map_or(id, |(first, _)| first)
    }

    /// An attempt found nothing. Whether there has to be another one, because a key has become ready meanwhile.
    pub fn missed(&self, id: TicketId) -> bool {
        let mut table = self.waiting.table.lock();
        let Some(ticket) = table.tickets.get_mut(&id) else {
            return false;
        };
        let again = ticket.state == State::Trying { again: true };
        ticket.state = if again { State::Called } else { State::Idle };
        again
    }

    /// Gives a ticket back. If there is something left for those behind it, it is their turn.
    pub fn leave(&self, id: TicketId) {
        let waiting = &self.waiting;
        let Some(ticket) = waiting.table.lock().remove(id) else {
            return;
        };
        waiting.count(ticket.kind, &ticket.keys, -1);
        TICKETS.fetch_sub(1, Ordering::Relaxed);
        if ticket.kind.takes() {
            for key in &ticket.keys {
                self.call_next(key);
            }
        }
    }

    /// Number of tickets.
    pub fn tickets(&self) -> usize {
        self.waiting.table.lock().tickets.len()
    }

    /// Calls those whose turn it is. The caller holds no lock.
    pub(super) fn call_waiting(&self, touched: &Touched) {
        for key in self.waiting.keys(touched) {
            self.call_next(&key);
        }
    }

    /// As [`Keyspace::call_waiting`], when any key may have changed, or (`gone`) keys have gone.
    pub(super) fn call_all_waiting(&self, gone: bool) {
        let mut touched = None;
        if gone {
            self.waiting.note_gone(&mut touched);
        } else {
            self.waiting.note_all(&mut touched);
        }
        if let Some(touched) = touched {
            self.call_waiting(&touched);
        }
    }

    /// Calls every ticket: whatever its owner tries now tells what is wrong.
    pub(super) fn call_everyone(&self) {
        let mut table = self.waiting.table.lock();
        let ids: Vec<TicketId> = table.tickets.keys().copied().collect();
        ids.into_iter().for_each(|id| table.call(id));
    }

    fn call_next(&self, key: &[u8]) {
        let found = self.find(key);
        let mut table = self.waiting.table.lock();
        for id in table.next(key, found) {
            table.call(id);
        }
    }

    fn find(&self, key: &[u8]) -> Found {
        self.db_for(key).view(key).map_or(Found::Nothing, Found::of)
    }
}
