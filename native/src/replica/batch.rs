//! The bytes of an entry: a header (stamp, seed) and runs of requests, each run the requests of one session in order.
//!
//! ```text
//! batch: kind u8, stamp i64, seed u64, runs u32, run*      kind 1: requests, 2: a comparison of digests, without runs,
//!                                                          3: requests, of which those that need memory are refused
//! run:   session u64, first_seq u64, lowest_unacked u64, count u32, request*
//! request: length u32, RESP (one array, or MULTI, arrays, EXEC)
//! ```
//! Integers are little endian. A run is made where the requests are made and travels unchanged: a leader puts runs behind
//! a header and does not look inside.

use super::ApplyError;
use super::request::Request;
use super::session::SessionId;

const REQUESTS: u8 = 1;
const COMPARISON: u8 = 2;
const REQUESTS_WHILE_FULL: u8 = 3;
const HEADER_BYTES: usize = 1 + 8 + 8 + 4;

/// What is wrong with an entry's bytes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchError {
    /// Offset of the first byte that does not fit.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

/// A batch whose lengths have been checked to the last byte.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The leader's group clock, Unix milliseconds.
    pub stamp_ms: i64,
    /// What every random choice of the batch is drawn from.
    pub seed: u64,
    /// The leader had no memory left: requests that need some are refused, on every peer.
    pub full: bool,
    count: u32,
    body: &'a [u8],
}

/// Consecutive requests of one session.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// 0: requests of the group itself.
    pub session: SessionId,
    /// Sequence number of the first request.
    pub first_seq: u64,
    /// Everything below has been acknowledged to the caller and need not be remembered.
    pub lowest_unacked: u64,
    count: u32,
    body: &'a [u8],
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize, expected: &'static str) -> Result<&'a [u8], BatchError> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(BatchError {
            offset: self.at,
            expected,
        })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], BatchError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, expected)?);
        Ok(array)
    }

    fn u32(&mut self, expected: &'static str) -> Result<u32, BatchError> {
        Ok(u32::from_le_bytes(self.array(expected)?))
    }

    fn u64(&mut self, expected: &'static str) -> Result<u64, BatchError> {
        Ok(u64::from_le_bytes(self.array(expected)?))
    }

    fn run(&mut self) -> Result<Run<'a>, BatchError> {
        let session = self.u64("session")?;
        let first_seq = self.u64("first sequence number")?;
        let lowest_unacked = self.u64("lowest unacknowledged sequence number")?;
        let count = self.u32("number of requests")?;
        let start = self.at;
        for _ in 0..count {
            let length = self.u32("length of a request")?;
            self.take(length as usize, "request")?;
        }
        Ok(Run {
            session,
            first_seq,
            lowest_unacked,
            count,
            body: &self.bytes[start..self.at],
        })
    }
}

impl<'a> Batch<'a> {
    /// Reads the header and checks every length.
    ///
    /// # Errors
    /// If the bytes are not exactly one batch.
    pub fn parse(bytes: &'a [u8]) -> Result<Batch<'a>, BatchError> {
        let mut cursor = Cursor { bytes, at: 0 };
        let [kind] = cursor.array("kind")?;
        if !matches!(kind, REQUESTS | COMPARISON | REQUESTS_WHILE_FULL) {
            return Err(BatchError {
                offset: 0,
                expected: "kind 1 to 3",
            });
        }
        let stamp_ms = i64::from_le_bytes(cursor.array("stamp")?);
        let seed = cursor.u64("seed")?;
        let count = cursor.u32("number of runs")?;
        for _ in 0..count {
            cursor.run()?;
        }
        if cursor.at != bytes.len() {
            return Err(BatchError {
                offset: cursor.at,
                expected: "end",
            });
        }
        Ok(Batch {
            stamp_ms,
            seed,
            full: kind == REQUESTS_WHILE_FULL,
            count,
            body: &bytes[HEADER_BYTES..],
        })
    }

    /// The runs, in order.
    pub fn runs(&self) -> impl Iterator<Item = Run<'a>> + use<'a> {
        let mut cursor = Cursor {
            bytes: self.body,
            at: 0,
        };
        (0..self.count).map_while(move |_| cursor.run().ok())
    }
}

impl Batch<'_> {
    /// Whether every request can be read, so that nothing can fail half way through the batch.
    pub(super) fn check_requests(&self) -> Result<(), ApplyError> {
        match self
            .runs()
            .all(|run| run.requests().all(|request| Request::parse(request).is_some()))
        {
            true => Ok(()),
            false => Err(ApplyError::MalformedRequest),
        }
    }
}

impl<'a> Run<'a> {
    /// The requests, in order.
    pub fn requests(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut cursor = Cursor {
            bytes: self.body,
            at: 0,
        };
        (0..self.count).map_while(move |_| {
            let length = cursor.u32("length of a request").ok()?;
            cursor.take(length as usize, "request").ok()
        })
    }
}

/// Writes a batch of runs that hold these requests. The TypeScript side has the writer in use; this one is for tests.
#[cfg(test)]
pub fn write(stamp_ms: i64, seed: u64, runs: &[(SessionId, u64, u64, &[&[u8]])]) -> Vec<u8> {
    let mut out = vec![REQUESTS];
    out.extend(stamp_ms.to_le_bytes());
    out.extend(seed.to_le_bytes());
    out.extend((runs.len() as u32).to_le_bytes());
    for (session, first_seq, lowest_unacked, requests) in runs {
        out.extend(session.to_le_bytes());
        out.extend(first_seq.to_le_bytes());
        out.extend(lowest_unacked.to_le_bytes());
        out.extend((requests.len() as u32).to_le_bytes());
        for request in *requests {
            out.extend((request.len() as u32).to_le_bytes());
            out.extend(*request);
        }
    }
    out
}
