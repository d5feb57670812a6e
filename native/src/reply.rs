//! What a command answers, in the kinds that Redis distinguishes, until the last moment.

use crate::status::Status;
use crate::value::Element;

/// One reply. RESP2 and RESP3 encodings, and JavaScript values, are made from it at the edges.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A status line such as `OK`.
    Simple(&'static str),
    /// Bytes.
    Bulk(Vec<u8>),
    /// No value: the null bulk of RESP2.
    Null,
    /// No array: the null array of RESP2.
    NullArray,
    /// An integer.
    Int(i64),
    /// A double (a bulk in RESP2).
    Double(f64),
    /// A double with digits of its own (a bulk in RESP2).
    Decimal(String),
    /// An ordered list of replies.
    Array(Vec<Reply>),
    /// Pairs (a flat array in RESP2).
    Map(Vec<(Reply, Reply)>),
    /// Pairs in an order that matters, or with repetitions: an array of pairs (a flat array in RESP2).
    Pairs(Vec<(Reply, Reply)>),
    /// Pairs of a key and its reply: a map in RESP3, an array of arrays in RESP2.
    ByKey(Vec<(Reply, Reply)>),
    /// Unordered and without duplicates (an array in RESP2).
    Set(Vec<Reply>),
    /// A refusal inside a transaction's array.
    Error(Status),
}

impl Reply {
    /// The `OK` status.
    pub const OK: Reply = Reply::Simple("OK");

    /// A bulk of a copy of these bytes.
    pub fn bulk(bytes: &[u8]) -> Reply {
        Reply::Bulk(bytes.to_vec())
    }

    /// 1 or 0.
    pub fn flag(yes: bool) -> Reply {
        Reply::Int(i64::from(yes))
    }

    /// A count. Counts never come near 2^63.
    pub fn count(n: usize) -> Reply {
        Reply::Int(n as i64)
    }
}

impl From<Element<'_>> for Reply {
    fn from(element: Element<'_>) -> Reply {
        Reply::Bulk(element.to_vec())
    }
}
