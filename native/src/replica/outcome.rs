//! What becomes of the requests of this process's own session, as bytes that cross to the caller's thread in one piece.
//!
//! ```text
//! outcome: kind u8, seq u64, length u32, bytes     (little endian)
//! ```

const REPLY: u8 = 0;
const GONE: u8 = 1;
const GAP: u8 = 2;
const EXPIRED: u8 = 3;

/// A growing list of outcomes.
#[derive(Debug, Default)]
pub struct Outcomes(Vec<u8>);

impl Outcomes {
    /// The request took effect, and this is its reply in RESP3.
    pub fn reply(&mut self, seq: u64, resp: &[u8]) {
        self.push(REPLY, seq, resp);
    }

    /// The request took effect, but its reply was too long to be remembered.
    pub fn gone(&mut self, seq: u64) {
        self.push(GONE, seq, &[]);
    }

    /// Requests came too early and did nothing: all from `expected` on have to be sent again, in order.
    pub fn gap(&mut self, expected: u64) {
        self.push(GAP, expected, &[]);
    }

    /// There is no such session (any more): it is not known what became of the requests from `seq` on.
    pub fn expired(&mut self, seq: u64) {
        self.push(EXPIRED, seq, &[]);
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, kind: u8, seq: u64, bytes: &[u8]) {
        self.0.push(kind);
        self.0.extend(seq.to_le_bytes());
        self.0.extend((bytes.len() as u32).to_le_bytes());
        self.0.extend(bytes);
    }
}
