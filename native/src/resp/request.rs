//! Requests: arrays of bulks.

use super::line::{Cursor, Step, push_bulk, push_header};
use super::{Malformed, Progress, REQUEST_WORDS_MAX};
use crate::keyspace::STRING_BYTES_MAX;
use smallvec::SmallVec;

/// The words of a request, borrowed from its bytes.
pub type Words<'a> = SmallVec<[&'a [u8]; 8]>;

/// Appends a request's bytes.
pub fn encode_request(words: &[&[u8]], out: &mut Vec<u8>) {
    out.reserve(16 + words.iter().map(|word| word.len() + 16).sum::<usize>());
    push_header(out, b'*', words.len() as i64);
    for word in words {
        push_bulk(out, word);
    }
}

/// Reads one request from the beginning of `bytes`.
///
/// # Errors
/// [`Malformed`] if no further bytes could make it a request.
pub fn parse_request(bytes: &[u8]) -> Result<Progress<Words<'_>>, Malformed> {
    let mut cursor = Cursor::new(bytes);
    let words = words(&mut cursor);
    cursor.finish(words)
}

fn words<'a>(cursor: &mut Cursor<'a>) -> Step<Words<'a>> {
    match cursor.byte() {
        None => return Ok(None),
        Some(b'*') => {}
        Some(other) => return Err(unexpected('*', other)),
    }
    let Some(count) = cursor.length(1, REQUEST_WORDS_MAX as i64, "invalid multibulk length")? else {
        return Ok(None);
    };
    let mut words = Words::new();
    for _ in 0..count {
        match cursor.byte() {
            None => return Ok(None),
            Some(b'$') => {}
            Some(other) => return Err(unexpected('$', other)),
        }
        let Some(length) = cursor.length(0, STRING_BYTES_MAX as i64, "invalid bulk length")? else {
            return Ok(None);
        };
        let Some(word) = cursor.bulk(length as usize)? else {
            return Ok(None);
        };
        words.push(word);
    }
    Ok(Some(words))
}

fn unexpected(wanted: char, got: u8) -> Malformed {
    Malformed::new(&format!("expected '{wanted}', got '{}'", got.escape_ascii()))
}
