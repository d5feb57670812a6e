//! A keyspace driven by a replicated log: entries go in, in order, and change the keyspace, the sessions and the clock
//! together. Every peer that applies the same log holds the same state, and gives the same replies.
//!
//! One thread applies (the shard's worker); any thread reads the keyspace meanwhile.

mod batch;
mod outcome;
mod request;
mod session;
#[cfg(test)]
mod tests;

pub use batch::{Batch, BatchError, Run};
pub use outcome::Outcomes;
pub use session::{IDLE_MS, SessionId, Sessions};

use std::sync::Arc;

use crate::command;
use crate::keyspace::SEGMENTS;
use crate::keyspace::registry::Registered;
use crate::reply::Reply;
use crate::resp::{self, Protocol};
use request::Request;

/// The name of the request that opens, keeps and closes sessions. It is part of the log, not of the command table.
pub const SESSION: &[u8] = b"HOLDFAST.SESSION";

/// The name of the request with which a leader evicts the keys that it names. Part of the log, too.
pub const EVICT: &[u8] = b"HOLDFAST.EVICT";

/// Why an entry could not be applied. Every cause is a broken invariant: the store that meets one is faulted.
#[derive(Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// The entry does not follow the last one applied.
    OutOfOrder {
        /// The index that would follow.
        expected: u64,
        /// The index that came.
        got: u64,
    },
    /// The entry's bytes are not a batch.
    Malformed(BatchError),
    /// A request's bytes are not a request.
    MalformedRequest,
}

/// Parts of the keyspace whose digests are compared between peers one at a time (rule D6).
pub const SLICES: usize = 64;

/// The state machine of one shard.
#[derive(Debug)]
pub struct Replica {
    place: Arc<Registered>,
    applied: u64,
    stamp_ms: i64,
    sessions: Sessions,
}

impl Replica {
    /// A replica that has applied nothing, over an empty keyspace with a log's clock.
    pub fn new(place: Arc<Registered>) -> Replica {
        Replica {
            place,
            applied: 0,
            stamp_ms: 0,
            sessions: Sessions::default(),
        }
    }

    /// The keyspace and its gate.
    pub fn place(&self) -> &Registered {
        &self.place
    }

    /// The index of the last entry applied.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// The group clock: the newest stamp applied, in Unix milliseconds.
    pub fn stamp_ms(&self) -> i64 {
        self.stamp_ms
    }

    /// Applies an entry that carries no requests (a new leader's no-op).
    ///
    /// # Errors
    /// As [`Replica::apply`].
    pub fn skip(&mut self, index: u64) -> Result<(), ApplyError> {
        self.follow(index)
    }

    /// Applies one batch. What concerns the requests of the session `own` is added to `outcomes`.
    ///
    /// # Errors
    /// If the entry does not follow the last one or cannot be read. Nothing has been changed then.
    pub fn apply(
        &mut self,
        index: u64,
        data: &[u8],
        own: SessionId,
        outcomes: &mut Outcomes,
    ) -> Result<(), ApplyError> {
        let batch = Batch::parse(data).map_err(ApplyError::Malformed)?;
        batch.check_requests()?;
        self.follow(index)?;
        self.advance_clock(batch.stamp_ms);
        let mut ordinal = 0u64;
        for run in batch.runs() {
            let outcomes = (run.session == own).then_some(&mut *outcomes);
            self.apply_run(&run, &batch, &mut ordinal, outcomes);
        }
        Ok(())
    }

    /// What is remembered of the requests of a session from `seq` on: for requests that were in flight when a snapshot
    /// took the place of the entries that held them.
    pub fn remembered(&self, session: SessionId, seq: u64, outcomes: &mut Outcomes) {
        self.sessions.remembered(session, seq, outcomes);
    }

    /// The digest of one of the [`SLICES`] parts of the keyspace, for comparison with the other peers at the same entry.
    pub fn digest_slice(&self, slice: usize) -> u128 {
        let segments = SEGMENTS / SLICES;
        let first = slice % SLICES * segments;
        self.place.keyspace.digest_of(first..first + segments)
    }

    /// The sessions, for a snapshot (rule X5).
    pub fn save_sessions(&self) -> Vec<u8> {
        self.sessions.save()
    }

    /// Continues from a snapshot whose keys are in the keyspace already.
    ///
    /// # Errors
    /// If the bytes of the sessions cannot be read; the replica is as before.
    pub fn restore(&mut self, index: u64, stamp_ms: i64, sessions: &[u8]) -> Result<(), BatchError> {
        self.sessions = Sessions::load(sessions)?;
        self.applied = index;
        self.stamp_ms = stamp_ms;
        self.place.keyspace.set_log_ms(stamp_ms);
        Ok(())
    }

    fn follow(&mut self, index: u64) -> Result<(), ApplyError> {
        let expected = self.applied + 1;
        if index != expected {
            return Err(ApplyError::OutOfOrder { expected, got: index });
        }
        self.applied = index;
        Ok(())
    }

    /// Stamps never run backwards (rule D3): an entry from a leader whose clock is behind does not turn time back.
    fn advance_clock(&mut self, stamp_ms: i64) {
        self.stamp_ms = self.stamp_ms.max(stamp_ms);
        self.place.keyspace.set_log_ms(self.stamp_ms);
        self.sessions.expire(self.stamp_ms);
    }

    fn apply_run(
        &mut self,
        run: &Run<'_>,
        batch: &Batch<'_>,
        ordinal: &mut u64,
        mut own: Option<&mut Outcomes>,
    ) {
        if run.session == 0 {
            for request in run.requests() {
                self.control(request);
            }
            return;
        }
        if !self
            .sessions
            .begin(run.session, run.lowest_unacked, self.stamp_ms)
        {
            if let Some(outcomes) = own {
                outcomes.expired(run.first_seq);
            }
            return;
        }
        for (seq, request) in (run.first_seq..).zip(run.requests()) {
            *ordinal += 1;
            let expected = self.sessions.expected(run.session);
            if seq > expected {
                if let Some(outcomes) = own {
                    outcomes.gap(expected);
                }
                return;
            }
            if seq < expected {
                continue;
            }
            let seed = batch
                .seed
                .wrapping_add(ordinal.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let reply = self.execute(request, seed, batch.full);
            let mut bytes = Vec::new();
            resp::encode_reply(&reply, Protocol::Lossless, &mut bytes);
            if let Some(outcomes) = own.as_deref_mut() {
                outcomes.reply(seq, &bytes);
            }
            self.sessions.remember(run.session, bytes);
        }
    }

    fn execute(&self, request: &[u8], seed: u64, full: bool) -> Reply {
        let keyspace = &self.place.keyspace;
        let result = match Request::parse(request) {
            Some(Request::Command(words)) if full && command::grows(&words) => Err(command::OUT_OF_MEMORY),
            Some(Request::Command(words)) => command::execute(keyspace, &words, self.stamp_ms, seed),
            Some(Request::Transaction(requests)) => {
                let requests: Vec<_> = requests.iter().map(|words| words.as_slice()).collect();
                if full && requests.iter().any(|words| command::grows(words)) {
                    Err(command::TRANSACTION_OUT_OF_MEMORY)
                } else {
                    command::execute_transaction(keyspace, &requests, self.stamp_ms, seed)
                }
            }
            None => unreachable!("requests are checked before the entry is applied"),
        };
        result.unwrap_or_else(Reply::Error)
    }

    /// Opens and touches sessions, and evicts. Anything else of session 0 is of a newer version, and ignored by this
    /// one.
    fn control(&mut self, request: &[u8]) {
        let Some(Request::Command(words)) = Request::parse(request) else {
            return;
        };
        if let [EVICT, keys @ ..] = &words[..] {
            for key in keys {
                self.place.keyspace.evict_named(key);
            }
        }
        let [SESSION, verb, id] = words[..] else { return };
        let Some(id) = std::str::from_utf8(id).ok().and_then(|text| text.parse().ok()) else {
            return;
        };
        match verb {
            b"OPEN" => self.sessions.open(id, self.stamp_ms),
            b"TOUCH" => self.sessions.touch(id, self.stamp_ms),
            _ => {}
        }
    }
}
