//! The wire format of requests and replies: RESP2 and RESP3, and a lossless dialect for replies between threads.
//!
//! A request is an array of bulks, the same bytes on a client's connection, in the log, and in an append-only file.
//! Parsers take what has arrived so far and either say how much of it they used or ask for more; they never look at a
//! byte twice for long, allocate no more than what arrived justifies, and refuse with a text instead of panicking.

mod line;
mod reply;
mod request;

pub use reply::{Protocol, decode_reply, encode_reply};
pub use request::{Words, encode_request, parse_request};

/// Most words of one request.
pub const REQUEST_WORDS_MAX: usize = 1024 * 1024;
/// Deepest nesting of a reply that is decoded.
pub const REPLY_DEPTH_MAX: usize = 16;

/// What a parser made of the bytes so far.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress<T> {
    /// Something complete, and how many bytes it took.
    Done(T, usize),
    /// The bytes are the beginning of something.
    NeedMore,
}

/// Why bytes are not RESP: a text as Redis words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Malformed {
    fn new(reason: &str) -> Malformed {
        Malformed(format!("Protocol error: {reason}"))
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests;
