//! List commands.

#[cfg(test)]
mod tests;

use super::counted::Pop;
use super::{Args, CommandResult, Keys, ONE, Spec, TWO, args, grow, read, span, write};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::structure::listpack::packed_form;
use crate::value::ListValue;
use crate::value::list::End;

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("lpush", -3, ONE, |db, words| push(db, words, End::Head)),
    grow("rpush", -3, ONE, |db, words| push(db, words, End::Tail)),
    grow("lpushx", -3, ONE, |db, words| push_if_there(db, words, End::Head)),
    grow("rpushx", -3, ONE, |db, words| push_if_there(db, words, End::Tail)),
    write("lpop", -2, ONE, |db, words| pop(db, words, "lpop", End::Head)),
    write("rpop", -2, ONE, |db, words| pop(db, words, "rpop", End::Tail)),
    write("lmpop", -4, Keys::Counted { at: 1 }, lmpop),
    read("llen", 2, ONE, llen),
    read("lrange", 4, ONE, lrange),
    read("lindex", 3, ONE, lindex),
    grow("lset", 4, ONE, lset),
    write("lrem", 4, ONE, lrem),
    write("ltrim", 4, ONE, ltrim),
    grow("linsert", 5, ONE, linsert),
    grow("lmove", 5, TWO, lmove),
    grow("rpoplpush", 3, TWO, rpoplpush),
    read("lpos", -3, ONE, lpos),
];

fn push_all(list: &mut ListValue, texts: &[&[u8]], end: End) -> usize {
    texts.iter().for_each(|text| list.push(end, text));
    list.len()
}

fn push(db: &mut Db<'_>, words: Args<'_>, end: End) -> CommandResult {
    let len = db.upsert(words[1], |list| push_all(list, &words[2..], end))?;
    Ok(Reply::count(len))
}

fn push_if_there(db: &mut Db<'_>, words: Args<'_>, end: End) -> CommandResult {
    let len = db.edit(words[1], |list| push_all(list, &words[2..], end))?;
    Ok(Reply::count(len.unwrap_or(0)))
}

fn pop(db: &mut Db<'_>, words: Args<'_>, name: &str, end: End) -> CommandResult {
    let count = match words[2..] {
        [] => {
            let taken = db.edit(words[1], |list: &mut ListValue| list.pop(end))?;
            return Ok(taken.flatten().map_or(Reply::Null, Reply::Bulk));
        }
        [count] => span::count(count)?,
        _ => return Err(Status::Arity(name.into())),
    };
    let taken = db.edit(words[1], |list: &mut ListValue| op_pop(list, count, end))?;
    Ok(taken.map_or(Reply::NullArray, Reply::Array))
}

fn op_pop(list: &mut ListValue, count: usize, end: End) -> Vec<Reply> {
    let taken = std::iter::from_fn(|| list.pop(end)).take(count);
    taken.map(Reply::Bulk).collect()
}

/// What `LMPOP` calls the ends.
pub(super) const ENDS: [&str; 2] = ["LEFT", "RIGHT"];

fn lmpop(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    op_pop_any(db, &Pop::parse(&words[1..], ENDS)?)
}

/// Takes from the first list there is. Keys behind it are not looked at, whatever they hold.
pub(super) fn op_pop_any(db: &mut Db<'_>, pop: &Pop<'_, '_>) -> CommandResult {
    let end = if pop.from_second { End::Tail } else { End::Head };
    for key in pop.keys {
        let taken = db.edit(key, |list: &mut ListValue| op_pop(list, pop.count, end))?;
        if let Some(taken) = taken {
            return Ok(Reply::Array(vec![Reply::bulk(key), Reply::Array(taken)]));
        }
    }
    Ok(Reply::NullArray)
}

fn llen(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let list = db.get::<ListValue>(words[1])?;
    Ok(Reply::count(list.map_or(0, ListValue::len)))
}

fn lrange(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let ends = span::ends(words[2], words[3])?;
    let Some(list) = db.get::<ListValue>(words[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    let wanted = span::indexes(ends, list.len());
    let mut found = Vec::with_capacity(wanted.len());
    let elements = list.iter_from(wanted.start).take(wanted.len());
    found.extend(elements.map(|element| Reply::Bulk(element.to_vec())));
    Ok(Reply::Array(found))
}

fn lindex(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    // As in Redis, an index that is none is refused only where there is a list.
    let Some(list) = db.get::<ListValue>(words[1])? else {
        return Ok(Reply::Null);
    };
    let found = span::index(args::int(words[2])?, list.len()).and_then(|index| list.get(index));
    Ok(found.map_or(Reply::Null, |element| Reply::Bulk(element.to_vec())))
}

fn lset(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let Some(list) = db.get::<ListValue>(words[1])? else {
        return Err(Status::NoSuchKey);
    };
    let index = span::index(args::int(words[2])?, list.len()).ok_or(Status::IndexOutOfRange)?;
    db.edit(words[1], |list: &mut ListValue| list.set(index, words[3]))?;
    Ok(Reply::OK)
}

fn lrem(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let count = args::int(words[2])?;
    let end = if count < 0 { End::Tail } else { End::Head };
    let limit = match usize::try_from(count.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit,
    };
    let removed = db.edit(words[1], |list: &mut ListValue| {
        list.remove_equal(words[3], limit, end)
    })?;
    Ok(Reply::count(removed.unwrap_or(0)))
}

fn ltrim(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let ends = span::ends(words[2], words[3])?;
    db.edit(words[1], |list: &mut ListValue| {
        let kept = span::indexes(ends, list.len());
        list.remove_range(kept.end, usize::MAX);
        list.remove_range(0, kept.start);
    })?;
    Ok(Reply::OK)
}

fn linsert(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let behind = match words[2] {
        word if args::is_option(word, "BEFORE") => 0,
        word if args::is_option(word, "AFTER") => 1,
        _ => return Err(Status::Syntax),
    };
    let pivot = packed_form(words[3]);
    let len = db.edit(words[1], |list: &mut ListValue| {
        let found = list.iter().position(|element| element == pivot)?;
        list.insert(found + behind, words[4]);
        Some(list.len())
    })?;
    Ok(match len {
        None => Reply::Int(0),
        Some(None) => Reply::Int(-1),
        Some(Some(len)) => Reply::count(len),
    })
}

fn end_of(word: &[u8]) -> Result<End, Status> {
    match word {
        word if args::is_option(word, "LEFT") => Ok(End::Head),
        word if args::is_option(word, "RIGHT") => Ok(End::Tail),
        _ => Err(Status::Syntax),
    }
}

/// Where `LMOVE` takes the element from, and where it puts it.
pub(super) fn ends(words: Args<'_>) -> Result<(End, End), Status> {
    Ok((end_of(words[3])?, end_of(words[4])?))
}

pub(super) fn lmove(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (from, to) = ends(words)?;
    op_move(db, words[1], words[2], from, to)
}

pub(super) fn rpoplpush(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    op_move(db, words[1], words[2], End::Tail, End::Head)
}

/// Copies the element to its new place before it leaves the old one, so that a refusal changes nothing, and so that a
/// list of one element, rotated, never is empty in between and keeps its expiry.
fn op_move(db: &mut Db<'_>, source: &[u8], target: &[u8], from: End, to: End) -> CommandResult {
    let Some(list) = db.get::<ListValue>(source)? else {
        return Ok(Reply::Null);
    };
    let index = match from {
        End::Head => 0,
        End::Tail => list.len() - 1,
    };
    let Some(text) = list.get(index).map(|element| element.to_vec()) else {
        return Ok(Reply::Null);
    };
    if source == target {
        db.edit(source, |list: &mut ListValue| {
            list.pop(from);
            list.push(to, &text);
        })?;
    } else {
        db.upsert(target, |list: &mut ListValue| list.push(to, &text))?;
        db.edit(source, |list: &mut ListValue| list.pop(from))?;
    }
    Ok(Reply::Bulk(text))
}

const RANK_ZERO: Status = Status::Text(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
     or use negative to start from the end of the list",
);
const RANK_WITHOUT_OPPOSITE: Status = Status::Text(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);

/// What `LPOS` looks for.
struct Search {
    backwards: bool,
    /// Matches to pass over first.
    skip: usize,
    /// Matches to report; the reply is an array if it is given.
    count: Option<usize>,
    /// Elements to compare.
    compared_max: usize,
}

fn parse_search(options: &[&[u8]]) -> Result<Search, Status> {
    let mut search = Search {
        backwards: false,
        skip: 0,
        count: None,
        compared_max: usize::MAX,
    };
    for option in options.chunks(2) {
        match option {
            [name, rank] if args::is_option(name, "RANK") => {
                let rank = args::int(rank)?;
                if rank == i64::MIN {
                    return Err(RANK_WITHOUT_OPPOSITE);
                }
                search.backwards = rank < 0;
                let skip = rank.unsigned_abs().checked_sub(1).ok_or(RANK_ZERO)?;
                search.skip = usize::try_from(skip).unwrap_or(usize::MAX);
            }
            [name, count] if args::is_option(name, "COUNT") => {
                search.count = Some(args::limit(count, "ERR COUNT can't be negative")?);
            }
            [name, max] if args::is_option(name, "MAXLEN") => {
                search.compared_max = args::limit(max, "ERR MAXLEN can't be negative")?;
            }
            _ => return Err(Status::Syntax),
        }
    }
    Ok(search)
}

fn op_search(list: &ListValue, text: &[u8], search: &Search) -> Vec<usize> {
    let wanted = packed_form(text);
    let limit = search.count.unwrap_or(1);
    let matches = |(index, element)| (element == wanted).then_some(index);
    if search.backwards {
        let last = list.len() - 1;
        let elements = list.iter_rev().enumerate().take(search.compared_max);
        let found = elements.filter_map(matches).skip(search.skip).take(limit);
        found.map(|back| last - back).collect()
    } else {
        let elements = list.iter().enumerate().take(search.compared_max);
        elements
            .filter_map(matches)
            .skip(search.skip)
            .take(limit)
            .collect()
    }
}

fn lpos(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let search = parse_search(&words[3..])?;
    let list = db.get::<ListValue>(words[1])?;
    let found = list.map_or(Vec::new(), |list| op_search(list, words[2], &search));
    let mut found = found.into_iter().map(Reply::count);
    Ok(match search.count {
        Some(_) => Reply::Array(found.collect()),
        None => found.next().unwrap_or(Reply::Null),
    })
}
