//! Sessions: what makes a request that is sent again take effect once (rules X1 to X5).
//!
//! A process opens a session and numbers its requests from 1. The table remembers the last number executed and the
//! replies that the process may still ask for. It is part of the replicated state: it changes only by applying entries.

use std::collections::{BTreeMap, VecDeque};

use super::batch::BatchError;
use super::outcome::Outcomes;

/// Names a session. 0 is the group itself.
pub type SessionId = u64;

/// A session that has been silent for so long, by the group clock, is forgotten (rule X4).
pub const IDLE_MS: i64 = 10 * 60 * 1000;
/// How often, by the group clock, silent sessions are looked for.
const SWEEP_MS: i64 = 60 * 1000;
/// A longer reply is not remembered; that the request took effect is.
const REMEMBERED_BYTES_MAX: usize = 1024;

#[derive(Debug, Default, PartialEq, Eq)]
struct Session {
    /// Number of the last request executed.
    last_seq: u64,
    /// Replies of the requests up to `last_seq`, the newest last. `None`: too long to be kept.
    replies: VecDeque<Option<Box<[u8]>>>,
    touched_ms: i64,
}

impl Session {
    fn oldest_remembered(&self) -> u64 {
        self.last_seq + 1 - self.replies.len() as u64
    }
}

/// The sessions of one shard. Ordered, so that every peer's table has the same bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    table: BTreeMap<SessionId, Session>,
    swept_ms: i64,
}

impl Sessions {
    /// Opens a session; does nothing if it is there already.
    pub fn open(&mut self, id: SessionId, now_ms: i64) {
        self.table.entry(id).or_insert_with(|| Session {
            touched_ms: now_ms,
            ..Session::default()
        });
    }

    /// Keeps a session alive.
    pub fn touch(&mut self, id: SessionId, now_ms: i64) {
        if let Some(session) = self.table.get_mut(&id) {
            session.touched_ms = now_ms;
        }
    }

    /// Forgets the sessions that have been silent for [`IDLE_MS`].
    pub fn expire(&mut self, now_ms: i64) {
        if now_ms - self.swept_ms < SWEEP_MS {
            return;
        }
        self.swept_ms = now_ms;
        self.table
            .retain(|_, session| now_ms - session.touched_ms < IDLE_MS);
    }

    /// Takes note of a run of requests: drops the replies that nobody will ask for. False if there is no such session.
    pub fn begin(&mut self, id: SessionId, lowest_unacked: u64, now_ms: i64) -> bool {
        let Some(session) = self.table.get_mut(&id) else {
            return false;
        };
        session.touched_ms = now_ms;
        while !session.replies.is_empty() && session.oldest_remembered() < lowest_unacked {
            session.replies.pop_front();
        }
        true
    }

    /// The number that the session's next request must have.
    pub fn expected(&self, id: SessionId) -> u64 {
        self.table.get(&id).map_or(1, |session| session.last_seq + 1)
    }

    /// Notes the reply of the session's next request.
    pub fn remember(&mut self, id: SessionId, reply: Vec<u8>) {
        if let Some(session) = self.table.get_mut(&id) {
            session.last_seq += 1;
            let kept = reply.len() <= REMEMBERED_BYTES_MAX;
            session.replies.push_back(kept.then(|| reply.into_boxed_slice()));
        }
    }

    /// Tells what became of the requests from `seq` on that have been executed.
    pub fn remembered(&self, id: SessionId, seq: u64, outcomes: &mut Outcomes) {
        let Some(session) = self.table.get(&id) else {
            outcomes.expired(seq);
            return;
        };
        for (n, reply) in (session.oldest_remembered()..).zip(&session.replies) {
            match reply {
                _ if n < seq => {}
                Some(bytes) => outcomes.reply(n, bytes),
                None => outcomes.gone(n),
            }
        }
    }

    /// The table as bytes, for a snapshot.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.swept_ms.to_le_bytes());
        out.extend((self.table.len() as u32).to_le_bytes());
        for (id, session) in &self.table {
            out.extend(id.to_le_bytes());
            out.extend(session.last_seq.to_le_bytes());
            out.extend(session.touched_ms.to_le_bytes());
            out.extend((session.replies.len() as u32).to_le_bytes());
            for reply in &session.replies {
                let length = reply.as_ref().map_or(u32::MAX, |bytes| bytes.len() as u32);
                out.extend(length.to_le_bytes());
                out.extend(reply.iter().flatten());
            }
        }
        out
    }

    /// The table from its bytes.
    ///
    /// # Errors
    /// If the bytes are not exactly one table.
    pub fn load(bytes: &[u8]) -> Result<Sessions, BatchError> {
        let mut reader = Reader { bytes, at: 0 };
        let mut sessions = Sessions {
            swept_ms: reader.u64()? as i64,
            ..Sessions::default()
        };
        for _ in 0..reader.u32()? {
            let id = reader.u64()?;
            let mut session = Session {
                last_seq: reader.u64()?,
                touched_ms: reader.u64()? as i64,
                ..Session::default()
            };
            for _ in 0..reader.u32()? {
                session.replies.push_back(reader.reply()?);
            }
            if session.replies.len() as u64 > session.last_seq {
                return Err(reader.error("no more replies than requests"));
            }
            sessions.table.insert(id, session);
        }
        match reader.at == bytes.len() {
            true => Ok(sessions),
            false => Err(reader.error("end of the sessions")),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn error(&self, expected: &'static str) -> BatchError {
        BatchError {
            offset: self.at,
            expected,
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BatchError> {
        let bytes = self
            .bytes
            .get(self.at..self.at + N)
            .ok_or(self.error("a session's field"))?;
        self.at += N;
        let mut array = [0; N];
        array.copy_from_slice(bytes);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, BatchError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, BatchError> {
        self.array().map(u64::from_le_bytes)
    }

    fn reply(&mut self) -> Result<Option<Box<[u8]>>, BatchError> {
        let length = match self.u32()? {
            u32::MAX => return Ok(None),
            length => length as usize,
        };
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(self.error("a remembered reply"))?;
        let reply = self.bytes[self.at..end].into();
        self.at = end;
        Ok(Some(reply))
    }
}
