//! Bitmap commands: single bits, counts, searches, and operations of whole strings. Fields of several bits are in
//! [`super::bitfield`].

use super::args::{int, is_option};
use super::{Args, CommandResult, Keys, ONE, Spec, bitfield, grow, read};
use crate::keyspace::{Db, STRING_BYTES_MAX};
use crate::reply::Reply;
use crate::status::Status;
use crate::structure::bits;
use std::ops::Range;
use std::slice::from_ref;

/// `BITOP operation destination source...`
const OPERATION_KEYS: Keys = Keys::Range {
    first: 2,
    last: -1,
    step: 1,
};

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("setbit", 4, ONE, setbit),
    read("getbit", 3, ONE, getbit),
    read("bitcount", -2, ONE, bitcount),
    read("bitpos", -3, ONE, bitpos),
    grow("bitop", -4, OPERATION_KEYS, bitop),
    grow("bitfield", -2, ONE, bitfield::bitfield),
    read("bitfield_ro", -2, ONE, bitfield::bitfield_ro),
];

pub(super) const BAD_OFFSET: Status = Status::Text("ERR bit offset is not an integer or out of range");
const BAD_BIT: Status = Status::Text("ERR bit is not an integer or out of range");

/// An offset in bits that lies inside of a string of the largest size.
pub(super) fn offset(number: i64) -> Result<usize, Status> {
    let offset = usize::try_from(number).map_err(|_| BAD_OFFSET)?;
    if offset / 8 < STRING_BYTES_MAX {
        Ok(offset)
    } else {
        Err(BAD_OFFSET)
    }
}

fn setbit(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let offset = offset(int(words[2]).map_err(|_| BAD_OFFSET)?)?;
    let bit = match words[3] {
        b"0" => false,
        b"1" => true,
        _ => return Err(BAD_BIT),
    };
    let byte = offset / 8;
    let place = byte..byte + 1;
    let old = db.edit_string(words[1], byte + 1, from_ref(&place), |bytes| {
        bits::set(bytes, offset, bit)
    })?;
    Ok(Reply::flag(old))
}

fn getbit(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let offset = offset(int(words[2]).map_err(|_| BAD_OFFSET)?)?;
    let bytes = db.string(words[1])?.unwrap_or_default();
    Ok(Reply::flag(bits::get(bytes, offset)))
}

/// Whether a range is given in bits, by the word that may say so.
fn in_bits(unit: Option<&&[u8]>) -> Result<bool, Status> {
    match unit {
        None => Ok(false),
        Some(word) if is_option(word, "BYTE") => Ok(false),
        Some(word) if is_option(word, "BIT") => Ok(true),
        Some(_) => Err(Status::Syntax),
    }
}

/// The bits from `start` to `end`, both included, of a string of `len` bytes. Negative ends count from the string's end, and
/// stop at its beginning.
fn bit_range(start: i64, end: i64, len: usize, in_bits: bool) -> Range<usize> {
    let unit = if in_bits { 1 } else { 8 };
    let total = (len * 8 / unit) as i64;
    let from_end = |index: i64| if index < 0 { (total + index).max(0) } else { index };
    let (start, end) = (from_end(start), from_end(end).min(total - 1));
    if start > end {
        return 0..0;
    }
    start as usize * unit..(end as usize + 1) * unit
}

fn bitcount(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let Some(bytes) = db.string(words[1])? else {
        return Ok(Reply::Int(0));
    };
    let count = match words[2..] {
        [] => bits::count(bytes),
        [start, end, ref unit @ ..] if unit.len() <= 1 => {
            let (start, end) = (int(start)?, int(end)?);
            if start < 0 && end < 0 && start > end {
                return Ok(Reply::Int(0));
            }
            let range = bit_range(start, end, bytes.len(), in_bits(unit.first())?);
            bits::count_within(bytes, range)
        }
        _ => return Err(Status::Syntax),
    };
    Ok(Reply::Int(count as i64))
}

fn bitpos(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let bit = match int(words[2])? {
        0 => false,
        1 => true,
        _ => return Err(Status::Text("ERR The bit argument must be 1 or 0.")),
    };
    let Some(bytes) = db.string(words[1])? else {
        return Ok(Reply::Int(if bit { -1 } else { 0 }));
    };
    if words.len() > 6 {
        return Err(Status::Syntax);
    }
    let start = words.get(3).map_or(Ok(0), |word| int(word))?;
    let in_bits = in_bits(words.get(5))?;
    let end = words.get(4).map(|word| int(word)).transpose()?;
    let range = bit_range(start, end.unwrap_or(-1), bytes.len(), in_bits);
    let found = bits::find_within(bytes, range.clone(), bit);
    // Without an end, the string goes on with clear bits.
    let padding = !bit && end.is_none() && !range.is_empty();
    let found = found.or(padding.then_some(bytes.len() * 8));
    Ok(found.map_or(Reply::Int(-1), Reply::count))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

impl Operation {
    fn parse(word: &[u8]) -> Result<Operation, Status> {
        match word {
            _ if is_option(word, "AND") => Ok(Operation::And),
            _ if is_option(word, "OR") => Ok(Operation::Or),
            _ if is_option(word, "XOR") => Ok(Operation::Xor),
            _ if is_option(word, "NOT") => Ok(Operation::Not),
            _ => Err(Status::Syntax),
        }
    }

    /// Takes one more string into the result, which is at least as long; what the string lacks counts as zeros.
    fn join(self, result: &mut [u8], source: &[u8]) {
        let (both, beyond) = result.split_at_mut(source.len());
        let pairs = both.iter_mut().zip(source);
        match self {
            Operation::And => {
                pairs.for_each(|(byte, other)| *byte &= other);
                beyond.fill(0);
            }
            Operation::Or => pairs.for_each(|(byte, other)| *byte |= other),
            Operation::Xor => pairs.for_each(|(byte, other)| *byte ^= other),
            Operation::Not => unreachable!("NOT has one source"),
        }
    }
}

fn bitop(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let operation = Operation::parse(words[1])?;
    let (destination, sources) = (words[2], &words[3..]);
    if operation == Operation::Not && sources.len() != 1 {
        return Err(Status::Text(
            "ERR BITOP NOT must be called with a single source key.",
        ));
    }
    let mut len = 0;
    for source in sources {
        len = len.max(db.string(source)?.map_or(0, <[u8]>::len));
    }
    if len == 0 {
        db.remove(destination);
        return Ok(Reply::Int(0));
    }
    let (first, others) = sources.split_first().ok_or(Status::Syntax)?;
    db.put_changed_copy(first, destination, len, |db, result| {
        if operation == Operation::Not {
            result.iter_mut().for_each(|byte| *byte = !*byte);
        }
        for source in others {
            operation.join(result, db.string(source)?.unwrap_or_default());
        }
        Ok(())
    })?;
    Ok(Reply::count(len))
}

#[cfg(test)]
#[path = "tests/bitmap.rs"]
mod tests;
