//! LCS: the longest common subsequence of two strings.
//!
//! The table of lengths is kept one row at a time; what is kept of the rest is a bit for each pair of bytes, which tells the way
//! back through the table: an eighth of a byte where Redis needs four. The limit of memory, all the same, is Redis's.

use super::args::{int, is_option};
use super::{Args, CommandResult};
use crate::keyspace::{Db, STRING_BYTES_MAX};
use crate::reply::Reply;
use crate::status::Status;
use crate::structure::bits;

/// Bytes of a cell in Redis's table, which the limit is made for.
const CELL_BYTES: usize = 4;

#[derive(Debug, Default)]
struct Options {
    length: bool,
    matches: bool,
    match_lengths: bool,
    match_length_min: usize,
}

impl Options {
    fn parse(mut rest: &[&[u8]]) -> Result<Options, Status> {
        let mut options = Options::default();
        while let [word, behind @ ..] = rest {
            rest = behind;
            match *word {
                word if is_option(word, "IDX") => options.matches = true,
                word if is_option(word, "LEN") => options.length = true,
                word if is_option(word, "WITHMATCHLEN") => options.match_lengths = true,
                word if is_option(word, "MINMATCHLEN") => {
                    let [length, behind @ ..] = rest else {
                        return Err(Status::Syntax);
                    };
                    options.match_length_min = usize::try_from(int(length)?).unwrap_or(0);
                    rest = behind;
                }
                _ => return Err(Status::Syntax),
            }
        }
        if options.length && options.matches {
            return Err(Status::Text(
                "ERR If you want both the length and indexes, please just use IDX.",
            ));
        }
        Ok(options)
    }
}

/// What is known of the common subsequences of all beginnings of two strings.
struct Table {
    /// Length of the longest one of the whole strings.
    length: usize,
    /// Whether, for `i` bytes of the one and `j` of the other string, it takes a byte less of the first to have the longest
    /// one: bit `i * columns + j`, both counted from 0 for the first byte.
    shorter_first: Vec<u8>,
    columns: usize,
}

impl Table {
    /// `way_back`: not the length alone is needed.
    fn new(first: &[u8], second: &[u8], way_back: bool) -> Table {
        let columns = second.len();
        let cells = if way_back { first.len() * columns } else { 0 };
        let mut shorter_first = vec![0; cells.div_ceil(8)];
        // Lengths for one byte of the first string less, in place of which this row's are written.
        let mut row = vec![0u32; columns + 1];
        for (i, byte) in first.iter().enumerate() {
            let mut diagonal = 0;
            for (j, other) in second.iter().enumerate() {
                let (above, left) = (row[j + 1], row[j]);
                row[j + 1] = if byte == other {
                    diagonal + 1
                } else {
                    above.max(left)
                };
                if way_back && above > left {
                    bits::set(&mut shorter_first, i * columns + j, true);
                }
                diagonal = above;
            }
        }
        Table {
            length: row[columns] as usize,
            shorter_first,
            columns,
        }
    }

    /// Calls `visit` with the places of the bytes of the longest common subsequence, from its last to its first.
    fn walk(&self, first: &[u8], second: &[u8], mut visit: impl FnMut(usize, usize)) {
        let (mut i, mut j) = (first.len(), second.len());
        while i > 0 && j > 0 {
            if first[i - 1] == second[j - 1] {
                visit(i - 1, j - 1);
                (i, j) = (i - 1, j - 1);
            } else if bits::get(&self.shorter_first, (i - 1) * self.columns + j - 1) {
                i -= 1;
            } else {
                j -= 1;
            }
        }
    }
}

/// A piece that both strings have: where it begins in each, and its length.
#[derive(Clone, Copy, Debug)]
struct Piece {
    first: usize,
    second: usize,
    length: usize,
}

/// The pieces that a longest common subsequence consists of, from the last to the first.
fn pieces(table: &Table, first: &[u8], second: &[u8]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    table.walk(first, second, |i, j| match pieces.last_mut() {
        Some(piece) if piece.first == i + 1 && piece.second == j + 1 => {
            *piece = Piece {
                first: i,
                second: j,
                length: piece.length + 1,
            };
        }
        _ => pieces.push(Piece {
            first: i,
            second: j,
            length: 1,
        }),
    });
    pieces
}

fn matches_reply(table: &Table, first: &[u8], second: &[u8], options: &Options) -> Reply {
    let span = |start: usize, length: usize| {
        Reply::Array(vec![Reply::count(start), Reply::count(start + length - 1)])
    };
    let one = |piece: Piece| {
        let mut parts = vec![span(piece.first, piece.length), span(piece.second, piece.length)];
        if options.match_lengths {
            parts.push(Reply::count(piece.length));
        }
        Reply::Array(parts)
    };
    let long_enough = |piece: &Piece| piece.length >= options.match_length_min;
    let pieces = pieces(table, first, second);
    let matches = pieces.into_iter().filter(long_enough).map(one).collect();
    Reply::Map(vec![
        (Reply::bulk(b"matches"), Reply::Array(matches)),
        (Reply::bulk(b"len"), Reply::count(table.length)),
    ])
}

pub(super) fn lcs(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let string = |key: &[u8]| {
        let bytes = db
            .string(key)
            .map_err(|_| Status::Text("ERR The specified keys must contain string values"))?;
        Ok(bytes.unwrap_or_default())
    };
    let (first, second) = (string(words[1])?, string(words[2])?);
    let options = Options::parse(&words[3..])?;
    let cells = (first.len() as u128 + 1) * (second.len() as u128 + 1);
    if cells * CELL_BYTES as u128 > STRING_BYTES_MAX as u128 {
        return Err(Status::Text(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    let table = Table::new(first, second, !options.length);
    if options.length {
        return Ok(Reply::count(table.length));
    }
    if options.matches {
        return Ok(matches_reply(&table, first, second, &options));
    }
    let mut common = Vec::with_capacity(table.length);
    table.walk(first, second, |i, _| common.push(first[i]));
    common.reverse();
    Ok(Reply::Bulk(common))
}

#[cfg(test)]
#[path = "tests/lcs.rs"]
mod tests;
