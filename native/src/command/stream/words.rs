//! Ids and trimming options among the words of a request, and entries among its replies.

use super::super::args::{self, int, is_option};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::stream::{Entry, EntryLog, StreamId, Trim, Trimmed};
use crate::value::{Collection, StreamValue};

const INVALID_ID: Status = Status::Text("ERR Invalid stream ID specified as stream command argument");
/// Longest text of an id.
const ID_BYTES_MAX: usize = 127;

/// A number as Redis reads it in an id: spaces before it, a plus sign and leading zeros are all right.
fn number(word: &[u8]) -> Option<u64> {
    let text = word.trim_ascii_start();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |n, digit| {
        let value = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        n.checked_mul(10)?.checked_add(value)
    })
}

/// The halves of an id; the second may be missing.
fn halves(word: &[u8]) -> Result<(u64, Option<&[u8]>), Status> {
    if word.len() > ID_BYTES_MAX {
        return Err(INVALID_ID);
    }
    let (ms, seq) = match word.iter().position(|&byte| byte == b'-') {
        Some(dash) => (&word[..dash], Some(&word[dash + 1..])),
        None => (word, None),
    };
    Ok((number(ms).ok_or(INVALID_ID)?, seq))
}

/// An id; `missing_seq` stands in for a sequence number that is not there.
///
/// # Errors
/// Redis's text for what is no id.
pub fn id(word: &[u8], missing_seq: u64) -> Result<StreamId, Status> {
    let (ms, seq) = halves(word)?;
    let seq = match seq {
        Some(seq) => number(seq).ok_or(INVALID_ID)?,
        None => missing_seq,
    };
    Ok(StreamId { ms, seq })
}

/// Ids without anything else.
///
/// # Errors
/// As [`id`].
pub fn ids(words: &[&[u8]]) -> Result<Vec<StreamId>, Status> {
    words.iter().map(|word| id(word, 0)).collect()
}

/// As [`id`], where `-` and `+` stand for the least and the greatest.
///
/// # Errors
/// As [`id`].
pub fn id_or_end(word: &[u8], missing_seq: u64) -> Result<StreamId, Status> {
    match word {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => id(word, missing_seq),
    }
}

/// Where an interval begins; a round bracket leaves the id itself out.
///
/// # Errors
/// As [`id`], and when no id follows one that is left out.
pub fn interval_start(word: &[u8]) -> Result<StreamId, Status> {
    match word {
        [b'(', rest @ ..] if !rest.is_empty() => id(rest, 0)?
            .next()
            .ok_or(Status::Text("ERR invalid start ID for the interval")),
        _ => id_or_end(word, 0),
    }
}

/// Where an interval ends; a round bracket leaves the id itself out.
///
/// # Errors
/// As [`id`], and when no id comes before one that is left out.
pub fn interval_end(word: &[u8]) -> Result<StreamId, Status> {
    match word {
        [b'(', rest @ ..] if !rest.is_empty() => id(rest, u64::MAX)?
            .previous()
            .ok_or(Status::Text("ERR invalid end ID for the interval")),
        _ => id_or_end(word, u64::MAX),
    }
}

/// The id that XADD is to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// The time, or just behind the last one.
    Auto,
    /// The next of this millisecond.
    InMs(u64),
    /// This one.
    Exactly(StreamId),
}

impl NewId {
    fn parse(word: &[u8]) -> Result<NewId, Status> {
        match halves(word)? {
            (ms, Some(b"*")) => Ok(NewId::InMs(ms)),
            _ => id(word, 0).map(NewId::Exactly),
        }
    }

    /// The id, behind the last one of the stream.
    ///
    /// # Errors
    /// When there is none.
    pub fn resolve(self, log: &EntryLog, now_ms: i64) -> Result<StreamId, Status> {
        const NOT_GREATER: Status =
            Status::Text("ERR The ID specified in XADD is equal or smaller than the target stream top item");
        let last_id = log.last_id();
        let following = last_id.next().ok_or(Status::Text(
            "ERR The stream has exhausted the last possible ID, unable to add more items",
        ))?;
        let id = match self {
            NewId::Auto => {
                let ms = u64::try_from(now_ms).unwrap_or(0);
                return Ok(following.max(StreamId { ms, seq: 0 }));
            }
            NewId::InMs(ms) if ms == last_id.ms => match last_id.seq.checked_add(1) {
                Some(seq) => StreamId { ms, seq },
                None => return Err(NOT_GREATER),
            },
            NewId::InMs(ms) => StreamId { ms, seq: 0 },
            NewId::Exactly(id) => id,
        };
        if id <= last_id { Err(NOT_GREATER) } else { Ok(id) }
    }
}

/// What to delete from the front of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimming {
    /// What is left.
    pub to: Trim,
    /// Whole nodes only.
    pub approximate: bool,
    /// Most entries to delete; 0 is no limit, `None` what is usual.
    pub limit: Option<u64>,
}

impl Trimming {
    /// Deletes the entries.
    pub fn run(&self, stream: &mut StreamValue) -> Trimmed {
        let usual = if self.approximate {
            usual_limit(stream.limits().stream_node_entries)
        } else {
            0
        };
        let limit = self.limit.unwrap_or(usual);
        stream.log_mut().trim(self.to, self.approximate, limit)
    }
}

/// How much an approximate trimming deletes at most: a hundred nodes.
fn usual_limit(node_entries: usize) -> u64 {
    const NODES: u64 = 100;
    const ENTRIES_MAX: u64 = 1_000_000;
    match node_entries {
        0 => 10_000,
        entries => (NODES * entries as u64).min(ENTRIES_MAX),
    }
}

/// The options of XADD and XTRIM.
#[derive(Debug)]
pub struct Options<'a> {
    /// XADD: whether only a stream that is there is added to.
    pub no_mkstream: bool,
    /// Which entries go.
    pub trimming: Option<Trimming>,
    /// XADD: the new entry's id.
    pub id: NewId,
    /// XADD: the words behind the id.
    pub fields: &'a [&'a [u8]],
}

#[derive(Default)]
struct Parser {
    no_mkstream: bool,
    to: Option<Trim>,
    approximate: bool,
    limit: Option<u64>,
}

/// Reads the options of XADD (`with_id`) or XTRIM from the words behind the key.
///
/// # Errors
/// In the words of Redis.
pub fn options<'a>(words: &'a [&'a [u8]], with_id: bool) -> Result<Options<'a>, Status> {
    let (mut parser, mut rest, mut id) = (Parser::default(), words, NewId::Auto);
    while let Some((&word, tail)) = rest.split_first() {
        rest = tail;
        if with_id && word == b"*" {
            break;
        }
        if let (true, [_, ..]) = (is_trimming(word), tail) {
            rest = parser.trimming(word, tail)?;
        } else if let (true, [limit, tail @ ..]) = (is_option(word, "LIMIT"), tail) {
            let limit = int(limit)?;
            let negative = Status::Text("ERR The LIMIT argument must be >= 0.");
            parser.limit = Some(u64::try_from(limit).map_err(|_| negative)?);
            rest = tail;
        } else if with_id && is_option(word, "NOMKSTREAM") {
            parser.no_mkstream = true;
        } else if with_id {
            id = NewId::parse(word)?;
            break;
        } else {
            return Err(Status::Syntax);
        }
    }
    Ok(Options {
        no_mkstream: parser.no_mkstream,
        trimming: parser.finish(with_id)?,
        id,
        fields: rest,
    })
}

fn is_trimming(word: &[u8]) -> bool {
    is_option(word, "MAXLEN") || is_option(word, "MINID")
}

impl Parser {
    /// Reads what follows MAXLEN or MINID, and gives the words behind that.
    fn trimming<'a>(&mut self, option: &[u8], words: &'a [&'a [u8]]) -> Result<&'a [&'a [u8]], Status> {
        if self.to.is_some() {
            return Err(Status::Text(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        let (sign, threshold, rest) = match words {
            [sign @ (b"~" | b"="), threshold, rest @ ..] => (Some(*sign), *threshold, rest),
            [threshold, rest @ ..] => (None, *threshold, rest),
            [] => return Err(Status::Syntax),
        };
        self.approximate = sign == Some(b"~");
        self.to = Some(if is_option(option, "MINID") {
            Trim::From(id(threshold, 0)?)
        } else {
            let negative = Status::Text("ERR The MAXLEN argument must be >= 0.");
            Trim::Length(u64::try_from(int(threshold)?).map_err(|_| negative)?)
        });
        Ok(rest)
    }

    fn finish(&self, with_id: bool) -> Result<Option<Trimming>, Status> {
        let Some(to) = self.to else {
            return match self.limit {
                Some(1..) => Err(Status::Text(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
                )),
                _ if !with_id => Err(Status::Text(
                    "ERR syntax error, XTRIM must be called with a trimming strategy",
                )),
                Some(0) => Err(LIMIT_IS_APPROXIMATE),
                None => Ok(None),
            };
        };
        if self.limit.is_some() && !self.approximate {
            return Err(LIMIT_IS_APPROXIMATE);
        }
        Ok(Some(Trimming {
            to,
            approximate: self.approximate,
            limit: self.limit,
        }))
    }
}

const LIMIT_IS_APPROXIMATE: Status =
    Status::Text("ERR syntax error, LIMIT cannot be used without the special ~ option");

/// The refusal of a group that is not there, in the words of most commands.
pub fn no_key_or_group(key: &[u8], group: &[u8], behind: &str) -> Status {
    let (key, group) = (args::quoted(key), args::quoted(group));
    Status::Owned(format!(
        "NOGROUP No such key '{key}' or consumer group '{group}'{behind}"
    ))
}

/// The refusal of a group that is not there, in the words of XGROUP and XINFO.
pub fn no_group(key: &[u8], group: &[u8]) -> Status {
    let (key, group) = (args::quoted(key), args::quoted(group));
    Status::Owned(format!(
        "NOGROUP No such consumer group '{group}' for key name '{key}'"
    ))
}

/// An id as a reply.
pub fn id_reply(id: StreamId) -> Reply {
    Reply::Bulk(id.to_string().into_bytes())
}

/// An entry as a reply: its id, and its fields with their values.
pub fn entry_reply(entry: Entry<'_>) -> Reply {
    let mut texts = Vec::with_capacity(2 * entry.fields.len());
    for (field, value) in entry.fields {
        texts.push(Reply::from(field));
        texts.push(Reply::from(value));
    }
    Reply::Array(vec![id_reply(entry.id), Reply::Array(texts)])
}

/// How long ago an instant is for a reader; 0 if it is to come.
pub fn elapsed_ms(db: &Db<'_>, then_ms: i64) -> i64 {
    db.reading_ms().saturating_sub(then_ms).max(0)
}
