//! How far a value reaches, found without a look at what it says: for a sink that gives its bytes to somebody else.
//!
//! A value is a row of parts, some of which repeat a row of their own: the rows below are the layouts of all types. Only
//! lengths are read, and refused where [`super::value`] would refuse them too; a value that is sound reaches as far here as there.

use crate::rdb::cursor::{Cursor, Parsed, Stop};
use crate::rdb::format::{self, Magic};
use smallvec::{SmallVec, smallvec};

/// One part of a value.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// A string.
    Text,
    /// A number in the length encoding.
    Length,
    /// So many bytes.
    Bytes(u64),
    /// A score as text.
    Score,
    /// A count, and so many of the row.
    Many(&'static [Part]),
    /// So many of the row.
    Times(u64, &'static [Part]),
}

use Part::{Bytes, Length, Many, Score, Text, Times};

/// Fields with values, and nodes of streams.
const PAIRS: Part = Many(&[Text, Text]);
const PENDING: Part = Many(&[Bytes(24), Length]);
const OWNED: Part = Many(&[Bytes(16)]);
const CONSUMERS: Part = Many(&[Text, Bytes(8), OWNED]);
const CONSUMERS_3: Part = Many(&[Text, Bytes(16), OWNED]);

/// The layout of a type; `None` for those that are not passed by their lengths alone.
fn layout(rdb_type: u8, magic: Magic) -> Option<&'static [Part]> {
    Some(match (rdb_type, magic) {
        (format::LIST | format::SET | format::LIST_QUICKLIST, _) => &[Many(&[Text])],
        (format::HASH, _) => &[PAIRS],
        (format::ZSET, _) => &[Many(&[Text, Score])],
        (format::ZSET_2, _) => &[Many(&[Text, Bytes(8)])],
        (format::LIST_QUICKLIST_2, _) => &[Many(&[Length, Text])],
        (format::HASH_METADATA, _) => &[Bytes(8), Many(&[Length, Text, Text])],
        (format::HASH_METADATA_PRE_GA, Magic::Redis) => &[Many(&[Length, Text, Text])],
        (format::HASH_METADATA_PRE_GA, Magic::Valkey) => &[Many(&[Text, Text, Bytes(8)])],
        (format::HASH_LISTPACK_EX, _) => &[Bytes(8), Text],
        (format::STREAM, _) => &[
            PAIRS,
            Times(3, &[Length]),
            Many(&[Text, Times(2, &[Length]), PENDING, CONSUMERS]),
        ],
        (format::STREAM_2, _) => &[
            PAIRS,
            Times(8, &[Length]),
            Many(&[Text, Times(3, &[Length]), PENDING, CONSUMERS]),
        ],
        (format::STREAM_3, _) => &[
            PAIRS,
            Times(8, &[Length]),
            Many(&[Text, Times(3, &[Length]), PENDING, CONSUMERS_3]),
        ],
        (format::MODULE_PRE_GA | format::MODULE_2, _) => return None,
        // Strings, and structures that are packed into one.
        _ => &[Text],
    })
}

/// Goes over the parts of a row, each of which is short and whole; otherwise somewhere, and false.
#[inline]
fn pass_row(parts: &[Part], cursor: &mut Cursor<'_>) -> bool {
    parts.iter().all(|part| match part {
        Text => cursor.pass_short_text(),
        Bytes(count) => cursor.pass_whole(*count as usize),
        _ => false,
    })
}

/// A row that is being passed.
#[derive(Clone, Copy, Debug)]
struct Row {
    parts: &'static [Part],
    at: usize,
    /// How often it is still to come, this time included.
    left: u64,
}

impl Row {
    /// Goes over all but the last time of the row in one go, as far as nothing asks for care.
    #[inline]
    fn pass_whole_ones(&mut self, cursor: &mut Cursor<'_>) {
        while self.left > 1 {
            let mark = cursor.read();
            if !pass_row(self.parts, cursor) {
                return cursor.rewind(mark);
            }
            self.left -= 1;
        }
    }
}

/// A place in a value.
#[derive(Debug)]
pub struct Span {
    rdb_type: u8,
    /// The rows that the place lies in, each inside of the one before.
    rows: SmallVec<[Row; 3]>,
    /// Bytes to pass before anything is read again.
    pass: u64,
}

impl Span {
    /// At the first byte of a value; `None` if only its reader knows where it ends.
    #[inline]
    pub fn new(rdb_type: u8, magic: Magic) -> Option<Span> {
        let parts = layout(rdb_type, magic)?;
        Some(Span {
            rdb_type,
            rows: smallvec![Row {
                parts,
                at: 0,
                left: 1
            }],
            pass: 0,
        })
    }

    pub fn rdb_type(&self) -> u8 {
        self.rdb_type
    }

    /// Goes as far as the bytes do, or up to a fault; true at the end of the value. It stops without having read anything only
    /// for more bytes, or at a fault.
    pub fn step(&mut self, cursor: &mut Cursor<'_>) -> Parsed<bool> {
        loop {
            self.pass -= cursor.pass(self.pass);
            if self.pass > 0 {
                return if cursor.read() > 0 {
                    Ok(false)
                } else {
                    Err(Stop::Need(1))
                };
            }
            let Some(row) = self.rows.last_mut() else {
                return Ok(true);
            };
            if row.at == 0 {
                row.pass_whole_ones(cursor);
            }
            let Some(part) = row.parts.get(row.at) else {
                (row.at, row.left) = (0, row.left - 1);
                if row.left == 0 {
                    self.rows.pop();
                }
                continue;
            };
            let mark = cursor.read();
            match self.read(*part, cursor) {
                Ok(()) => {}
                // What lies before belongs to the value: it is carried first.
                Err(_) if mark > 0 => {
                    cursor.rewind(mark);
                    return Ok(false);
                }
                Err(stop) => return Err(stop),
            }
        }
    }

    /// Reads what a part begins with.
    #[inline]
    fn read(&mut self, part: Part, cursor: &mut Cursor<'_>) -> Parsed<()> {
        let mut inner = None;
        match part {
            Text => self.pass = cursor.text_head()?,
            Length => {
                cursor.length()?;
            }
            Bytes(count) => self.pass = count,
            Score => {
                self.pass = Some(cursor.u8()?)
                    .filter(|&length| length < 253)
                    .map_or(0, u64::from)
            }
            Many(parts) => {
                let left = cursor.length()?;
                inner = (left > 0).then_some(Row { parts, at: 0, left });
            }
            Times(left, parts) => inner = Some(Row { parts, at: 0, left }),
        }
        if let Some(row) = self.rows.last_mut() {
            row.at += 1;
        }
        self.rows.extend(inner);
        Ok(())
    }
}
