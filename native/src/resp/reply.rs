//! Replies.

use super::line::{Cursor, Step, push_bulk, push_header};
use super::{Malformed, Progress, REPLY_DEPTH_MAX};
use crate::command::args::float;
use crate::command::number::format_double;
use crate::keyspace::STRING_BYTES_MAX;
use crate::reply::Reply;
use crate::status::Status;

/// How replies are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Clients that did not say `HELLO 3`.
    Resp2,
    /// Clients that did.
    Resp3,
    /// RESP3, except where it merges kinds that RESP2 tells apart: the null array is `*-1`, and pairs are a push (`>`) of
    /// twice as many replies, those by key an attribute (`|`). What [`decode_reply`] reads.
    Lossless,
}

/// The status lines that replies may have.
const SIMPLE_TEXTS: [&str; 11] = [
    "OK",
    "PONG",
    "QUEUED",
    "none",
    "string",
    "hash",
    "list",
    "set",
    "zset",
    "stream",
    "Background saving started",
];
/// Longest error line that is decoded.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Appends a reply's bytes.
pub fn encode_reply(reply: &Reply, protocol: Protocol, out: &mut Vec<u8>) {
    let all =
        |items: &[Reply], out: &mut Vec<u8>| items.iter().for_each(|item| encode_reply(item, protocol, out));
    match reply {
        Reply::Simple(text) => push_line(out, b'+', text.as_bytes()),
        Reply::Error(status) => push_line(out, b'-', &single_line(&status.text())),
        Reply::Bulk(bytes) => push_bulk(out, bytes),
        Reply::Int(n) => push_header(out, b':', *n),
        Reply::Double(value) => match protocol {
            Protocol::Resp2 => push_bulk(out, format_double(*value).as_bytes()),
            _ => push_line(out, b',', format_double(*value).as_bytes()),
        },
        Reply::Decimal(text) => match protocol {
            Protocol::Resp2 => push_bulk(out, text.as_bytes()),
            _ => push_line(out, b',', text.as_bytes()),
        },
        Reply::Null => out.extend_from_slice(if protocol == Protocol::Resp2 {
            b"$-1\r\n"
        } else {
            b"_\r\n"
        }),
        Reply::NullArray => out.extend_from_slice(if protocol == Protocol::Resp3 {
            b"_\r\n"
        } else {
            b"*-1\r\n"
        }),
        Reply::Array(items) => {
            push_header(out, b'*', items.len() as i64);
            all(items, out);
        }
        Reply::Set(items) => {
            push_header(
                out,
                if protocol == Protocol::Resp2 { b'*' } else { b'~' },
                items.len() as i64,
            );
            all(items, out);
        }
        Reply::Map(pairs) => match protocol {
            Protocol::Resp2 => encode_flat(b'*', 2, pairs, protocol, out),
            _ => encode_flat(b'%', 1, pairs, protocol, out),
        },
        Reply::Pairs(pairs) => match protocol {
            Protocol::Resp2 => encode_flat(b'*', 2, pairs, protocol, out),
            Protocol::Lossless => encode_flat(b'>', 2, pairs, protocol, out),
            Protocol::Resp3 => encode_nested(pairs, protocol, out),
        },
        Reply::ByKey(pairs) => match protocol {
            Protocol::Resp2 => encode_nested(pairs, protocol, out),
            Protocol::Lossless => encode_flat(b'|', 1, pairs, protocol, out),
            Protocol::Resp3 => encode_flat(b'%', 1, pairs, protocol, out),
        },
    }
}

fn encode_nested(pairs: &[(Reply, Reply)], protocol: Protocol, out: &mut Vec<u8>) {
    push_header(out, b'*', pairs.len() as i64);
    for pair in pairs {
        encode_flat(b'*', 2, std::slice::from_ref(pair), protocol, out);
    }
}

fn encode_flat(kind: u8, per_pair: usize, pairs: &[(Reply, Reply)], protocol: Protocol, out: &mut Vec<u8>) {
    push_header(out, kind, (pairs.len() * per_pair) as i64);
    for (first, second) in pairs {
        encode_reply(first, protocol, out);
        encode_reply(second, protocol, out);
    }
}

fn push_line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// An error text may quote arguments, and those may hold line ends.
fn single_line(text: &str) -> Vec<u8> {
    text.bytes()
        .map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte })
        .collect()
}

/// Reads one reply in the lossless dialect from the beginning of `bytes`.
///
/// # Errors
/// [`Malformed`] if no further bytes could make it a reply.
pub fn decode_reply(bytes: &[u8]) -> Result<Progress<Reply>, Malformed> {
    let mut cursor = Cursor::new(bytes);
    let reply = reply(&mut cursor, 0);
    cursor.finish(reply)
}

fn reply(cursor: &mut Cursor<'_>, depth: usize) -> Step<Reply> {
    if depth > REPLY_DEPTH_MAX {
        return Err(Malformed::new("too deeply nested"));
    }
    let Some(kind) = cursor.byte() else {
        return Ok(None);
    };
    match kind {
        b'+' => simple(cursor),
        b'-' => {
            let line = cursor.line(ERROR_BYTES_MAX)?;
            Ok(line.map(|line| Reply::Error(Status::Owned(String::from_utf8_lossy(line).into_owned()))))
        }
        b':' => Ok(cursor
            .length(i64::MIN, i64::MAX, "invalid integer")?
            .map(Reply::Int)),
        b',' => {
            let Some(line) = cursor.number_line()? else {
                return Ok(None);
            };
            float(line)
                .map(|value| Some(double(value, line)))
                .map_err(|_| Malformed::new("invalid double"))
        }
        b'_' => match cursor.number_line()? {
            None => Ok(None),
            Some(b"") => Ok(Some(Reply::Null)),
            Some(_) => Err(Malformed::new("invalid null")),
        },
        b'$' => {
            let length = cursor.length(0, STRING_BYTES_MAX as i64, "invalid bulk length")?;
            let Some(length) = length else { return Ok(None) };
            Ok(cursor.bulk(length as usize)?.map(Reply::bulk))
        }
        b'*' | b'~' | b'%' | b'>' | b'|' => aggregate(cursor, kind, depth),
        other => Err(Malformed::new(&format!(
            "unknown type '{}'",
            other.escape_ascii()
        ))),
    }
}

/// A double, which keeps its digits if they are not the usual ones.
fn double(value: f64, line: &[u8]) -> Reply {
    if format_double(value).as_bytes() == line {
        Reply::Double(value)
    } else {
        Reply::Decimal(String::from_utf8_lossy(line).into_owned())
    }
}

fn simple(cursor: &mut Cursor<'_>) -> Step<Reply> {
    let Some(line) = cursor.number_line()? else {
        return Ok(None);
    };
    let known = SIMPLE_TEXTS.into_iter().find(|text| text.as_bytes() == line);
    known
        .map(|text| Some(Reply::Simple(text)))
        .ok_or_else(|| Malformed::new("unknown status line"))
}

fn aggregate(cursor: &mut Cursor<'_>, kind: u8, depth: usize) -> Step<Reply> {
    let min = if kind == b'*' { -1 } else { 0 };
    let Some(count) = cursor.length(min, i64::from(u32::MAX), "invalid aggregate length")? else {
        return Ok(None);
    };
    let Ok(count) = usize::try_from(count) else {
        return Ok(Some(Reply::NullArray));
    };
    let count = if matches!(kind, b'%' | b'|') {
        count * 2
    } else {
        count
    };
    // An element takes three bytes at least, so room is made for no more than can have arrived.
    let mut items = Vec::with_capacity(count.min(cursor.remaining() / 3));
    for _ in 0..count {
        let Some(item) = reply(cursor, depth + 1)? else {
            return Ok(None);
        };
        items.push(item);
    }
    Ok(Some(match kind {
        b'*' => Reply::Array(items),
        b'~' => Reply::Set(items),
        b'%' => Reply::Map(pairs(items)),
        b'|' => Reply::ByKey(pairs(items)),
        _ if !items.len().is_multiple_of(2) => return Err(Malformed::new("odd number of replies in pairs")),
        _ => Reply::Pairs(pairs(items)),
    }))
}

fn pairs(items: Vec<Reply>) -> Vec<(Reply, Reply)> {
    let mut items = items.into_iter();
    std::iter::from_fn(|| items.next().zip(items.next())).collect()
}
