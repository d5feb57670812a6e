//! SORT and SORT_RO: the elements of a list, set or sorted set by their own value, or by what other keys hold.
//!
//! Elements are ordered by their weight, and those of equal weight by their bytes, so that the order is the same on every
//! peer. A pattern with a `*` reads keys that the request does not name: the whole keyspace is locked then.

use super::{Args, CommandResult, Keys, Spec, Wanted, args, grow, read, span};
use crate::keyspace::{Db, EntryView, Expiry};
use crate::reply::Reply;
use crate::status::Status;
use crate::value::{Element, ListValue, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("sort", -2, Keys::Found(|words| keys(words, true)), |db, words| {
        sort(db, words, true)
    }),
    read(
        "sort_ro",
        -2,
        Keys::Found(|words| keys(words, false)),
        |db, words| sort(db, words, false),
    ),
];

const NOT_A_WEIGHT: Status = Status::Text("ERR One or more scores can't be converted into double");

/// What the words behind the key ask for.
#[derive(Debug, Default)]
struct Options<'a> {
    by: Option<&'a [u8]>,
    gets: Vec<&'a [u8]>,
    limit: Option<(i64, i64)>,
    descending: bool,
    /// By bytes, not by number.
    alpha: bool,
    /// The word that names where to store the result.
    store: Option<usize>,
}

impl<'a> Options<'a> {
    fn parse(words: &[&'a [u8]], store_allowed: bool) -> Result<Options<'a>, Status> {
        let mut options = Options::default();
        let mut at = 2;
        while let Some(word) = words.get(at) {
            at += match (*word, &words[at + 1..]) {
                (word, _) if args::is_option(word, "ASC") => {
                    options.descending = false;
                    1
                }
                (word, _) if args::is_option(word, "DESC") => {
                    options.descending = true;
                    1
                }
                (word, _) if args::is_option(word, "ALPHA") => {
                    options.alpha = true;
                    1
                }
                (word, [offset, count, ..]) if args::is_option(word, "LIMIT") => {
                    options.limit = Some(span::ends(offset, count)?);
                    3
                }
                (word, [_, ..]) if store_allowed && args::is_option(word, "STORE") => {
                    options.store = Some(at + 1);
                    2
                }
                (word, [pattern, ..]) if args::is_option(word, "BY") => {
                    options.by = Some(pattern);
                    2
                }
                (word, [pattern, ..]) if args::is_option(word, "GET") => {
                    options.gets.push(pattern);
                    2
                }
                _ => return Err(Status::Syntax),
            };
        }
        Ok(options)
    }

    /// Whether keys are read that the request does not name.
    fn looks_up(&self) -> bool {
        self.by.iter().chain(&self.gets).any(|pattern| has_star(pattern))
    }
}

fn has_star(pattern: &[u8]) -> bool {
    pattern.contains(&b'*')
}

fn keys(words: Args<'_>, store_allowed: bool) -> Wanted {
    match Options::parse(words, store_allowed) {
        Ok(options) if options.looks_up() => Wanted::All,
        Ok(options) => Wanted::Words(std::iter::once(1).chain(options.store).collect()),
        Err(_) => Wanted::Words(std::iter::once(1).collect()),
    }
}

/// The value that a pattern names for an element: the element itself for `#`; else the string under the key, or the field
/// of the hash behind `->`, where the element's text stands for the first `*`.
fn look_up<'d>(db: &'d Db<'_>, pattern: &[u8], element: Element<'d>) -> Option<Cow<'d, [u8]>> {
    if pattern == b"#" {
        return Some(element.to_cow());
    }
    let star = pattern.iter().position(|&byte| byte == b'*')?;
    let (prefix, rest) = (&pattern[..star], &pattern[star + 1..]);
    let arrow = rest.windows(2).position(|two| two == b"->");
    let (suffix, field) = match arrow.map(|arrow| (&rest[..arrow], &rest[arrow + 2..])) {
        Some((suffix, field)) if !field.is_empty() => (suffix, Some(field)),
        _ => (rest, None),
    };
    let key = [prefix, &element.to_cow(), suffix].concat();
    match (db.view(&key)?, field) {
        (EntryView::Str(bytes), None) => Some(Cow::Borrowed(bytes)),
        (EntryView::Value(Value::Hash(hash)), Some(field)) => {
            let is_due = hash.expiry(field).flatten().is_some_and(|at| at <= db.now_ms());
            hash.get(field).filter(|_| !is_due).map(|value| value.to_cow())
        }
        _ => None,
    }
}

fn weight(text: &[u8]) -> Result<f64, Status> {
    args::float(args::lenient(text)).map_err(|_| NOT_A_WEIGHT)
}

/// The elements in the order in which they lie there, or, of a list or a sorted set, from its end.
fn elements<'d>(db: &'d Db<'_>, key: &[u8], reversed: bool) -> Result<Vec<Element<'d>>, Status> {
    Ok(match db.view(key) {
        None => Vec::new(),
        Some(EntryView::Value(Value::List(list))) if reversed => list.iter_rev().collect(),
        Some(EntryView::Value(Value::List(list))) => list.iter().collect(),
        Some(EntryView::Value(Value::Set(set))) => set.iter().collect(),
        Some(EntryView::Value(Value::ZSet(zset))) if reversed => {
            zset.iter_rev().map(|(member, _)| member).collect()
        }
        Some(EntryView::Value(Value::ZSet(zset))) => zset.iter().map(|(member, _)| member).collect(),
        Some(_) => return Err(Status::WrongType),
    })
}

/// Sorts by a key made once for each element. Equal ones stand in the order of their bytes.
fn sort_by_key<'d, K>(
    elements: Vec<Element<'d>>,
    descending: bool,
    key_of: impl Fn(Element<'d>) -> Result<K, Status>,
    compare: impl Fn(&K, &K) -> Ordering,
) -> Result<Vec<Element<'d>>, Status> {
    let keyed = elements
        .into_iter()
        .map(|element| Ok((key_of(element)?, element.to_cow(), element)));
    let mut keyed = keyed.collect::<Result<Vec<_>, Status>>()?;
    keyed.sort_by(|a, b| {
        let order = compare(&a.0, &b.0).then_with(|| a.1.cmp(&b.1));
        if descending { order.reverse() } else { order }
    });
    Ok(keyed.into_iter().map(|(_, _, element)| element).collect())
}

fn sorted<'d>(
    db: &'d Db<'_>,
    elements: Vec<Element<'d>>,
    by: Option<&[u8]>,
    options: &Options<'_>,
    alpha: bool,
) -> Result<Vec<Element<'d>>, Status> {
    let value_of = |element: Element<'d>| match by {
        Some(pattern) => look_up(db, pattern, element),
        None => Some(element.to_cow()),
    };
    if alpha {
        // What is missing stands before everything.
        return sort_by_key(
            elements,
            options.descending,
            |element| Ok(value_of(element)),
            Ord::cmp,
        );
    }
    let number_of = |element: Element<'d>| value_of(element).map_or(Ok(0.0), |text| weight(&text));
    let compare = |a: &f64, b: &f64| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    sort_by_key(elements, options.descending, number_of, compare)
}

/// The part of `elements` that a limit leaves: from an offset (a negative one is 0), so many (all, if negative).
fn cut<T>(elements: &[T], limit: Option<(i64, i64)>) -> &[T] {
    let (offset, count) = limit.unwrap_or((0, -1));
    let offset = usize::try_from(offset.max(0)).unwrap_or(usize::MAX);
    let rest = elements.get(offset..).unwrap_or_default();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    &rest[..count.min(rest.len())]
}

/// The values of the reply, `None` where a pattern names nothing.
fn op_sort(db: &Db<'_>, key: &[u8], options: &Options<'_>) -> Result<Vec<Option<Vec<u8>>>, Status> {
    let is_set = matches!(db.view(key), Some(EntryView::Value(Value::Set(_))));
    let mut unsorted = options.by.is_some_and(|pattern| !has_star(pattern));
    // A stored set has to come in an order that everybody agrees on.
    let forced = unsorted && is_set && options.store.is_some();
    unsorted = unsorted && !forced;
    let mut elements = elements(db, key, unsorted && options.descending)?;
    if !unsorted {
        let by = options.by.filter(|_| !forced);
        elements = sorted(db, elements, by, options, options.alpha || forced)?;
    }
    let chosen = cut(&elements, options.limit).iter();
    Ok(if options.gets.is_empty() {
        chosen.map(|element| Some(element.to_vec())).collect()
    } else {
        let values = |element: &Element<'_>| {
            let found = options.gets.iter().map(|pattern| look_up(db, pattern, *element));
            found.map(|value| value.map(Cow::into_owned)).collect::<Vec<_>>()
        };
        chosen.flat_map(values).collect()
    })
}

fn sort(db: &mut Db<'_>, words: Args<'_>, store_allowed: bool) -> CommandResult {
    let options = Options::parse(words, store_allowed)?;
    let found = op_sort(db, words[1], &options)?;
    let Some(destination) = options.store else {
        let replies = found
            .into_iter()
            .map(|value| value.map_or(Reply::Null, Reply::Bulk));
        return Ok(Reply::Array(replies.collect()));
    };
    let mut list: ListValue = db.create();
    found
        .iter()
        .for_each(|value| list.push_back(value.as_deref().unwrap_or_default()));
    let count = list.len();
    db.put(words[destination], Value::List(list), Expiry::Never);
    Ok(Reply::count(count))
}

#[cfg(test)]
#[path = "tests/sort.rs"]
mod tests;
