//! Hash commands.

pub mod expiry;

use super::args::int;
use super::extended::{self, Parsed};
use super::scan::{self, ScanOptions};
use super::{Args, CommandResult, ONE, Spec, grow, read, sample, write};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::{Element, HashValue};

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("hset", -4, ONE, hset),
    grow("hmset", -4, ONE, hmset),
    grow("hsetnx", 4, ONE, hsetnx),
    read("hget", 3, ONE, hget),
    read("hmget", -3, ONE, hmget),
    read("hgetall", 2, ONE, hgetall),
    read("hkeys", 2, ONE, hkeys),
    read("hvals", 2, ONE, hvals),
    write("hdel", -3, ONE, hdel),
    read("hexists", 3, ONE, hexists),
    read("hlen", 2, ONE, hlen),
    read("hstrlen", 3, ONE, hstrlen),
    grow("hincrby", 4, ONE, hincrby),
    grow("hincrbyfloat", 4, ONE, hincrbyfloat),
    read("hrandfield", -2, ONE, hrandfield),
    read("hscan", -3, ONE, hscan),
];

/// Sets fields and gives how many are new.
fn set_fields(db: &mut Db<'_>, words: Args<'_>, name: &str) -> Result<usize, Status> {
    let fields = &words[2..];
    if !fields.len().is_multiple_of(2) {
        return Err(Status::Arity(name.into()));
    }
    db.upsert(words[1], |hash: &mut HashValue| {
        hash.prepare(fields.len() / 2);
        fields
            .chunks_exact(2)
            .filter(|pair| hash.set(pair[0], pair[1]))
            .count()
    })
}

fn hset(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    set_fields(db, words, "hset").map(Reply::count)
}

fn hmset(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    set_fields(db, words, "hmset").map(|_| Reply::OK)
}

fn hsetnx(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let set = db.upsert(words[1], |hash: &mut HashValue| {
        hash.get(words[2]).is_none() && hash.set(words[2], words[3])
    })?;
    Ok(Reply::flag(set))
}

fn hget(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    Ok(field_reply(db.get(words[1])?, words[2]))
}

fn field_reply(hash: Option<&HashValue>, field: &[u8]) -> Reply {
    hash.and_then(|hash| hash.get(field))
        .map_or(Reply::Null, Reply::from)
}

fn hmget(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let hash = db.get::<HashValue>(words[1])?;
    let values = words[2..].iter().map(|field| field_reply(hash, field));
    Ok(Reply::Array(values.collect()))
}

fn hgetall(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let hash = db.get::<HashValue>(words[1])?;
    Ok(Reply::Map(
        hash.into_iter().flat_map(HashValue::iter).map(pair).collect(),
    ))
}

fn pair((field, value): (Element<'_>, Element<'_>)) -> (Reply, Reply) {
    (field.into(), value.into())
}

fn hkeys(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let hash = db.get::<HashValue>(words[1])?;
    let fields = hash
        .into_iter()
        .flat_map(HashValue::iter)
        .map(|(field, _)| field.into());
    Ok(Reply::Array(fields.collect()))
}

fn hvals(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let hash = db.get::<HashValue>(words[1])?;
    let values = hash
        .into_iter()
        .flat_map(HashValue::iter)
        .map(|(_, value)| value.into());
    Ok(Reply::Array(values.collect()))
}

fn hdel(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let removed = db.edit(words[1], |hash: &mut HashValue| {
        words[2..].iter().filter(|field| hash.remove(field)).count()
    })?;
    Ok(Reply::count(removed.unwrap_or(0)))
}

fn hexists(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let hash = db.get::<HashValue>(words[1])?;
    Ok(Reply::flag(hash.is_some_and(|hash| hash.get(words[2]).is_some())))
}

fn hlen(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let hash = db.get::<HashValue>(words[1])?;
    Ok(Reply::count(hash.map_or(0, HashValue::len)))
}

fn hstrlen(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let hash = db.get::<HashValue>(words[1])?;
    let value = hash.and_then(|hash| hash.get(words[2]));
    let mut buffer = itoa::Buffer::new();
    Ok(Reply::count(
        value.map_or(0, |value| value.as_bytes(&mut buffer).len()),
    ))
}

fn hincrby(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (field, by) = (words[2], int(words[3])?);
    let sum = db.upsert(words[1], |hash: &mut HashValue| {
        let sum = integer_of(hash.get(field))?
            .checked_add(by)
            .ok_or(Status::Overflow)?;
        hash.set_value(field, itoa::Buffer::new().format(sum).as_bytes());
        Ok(sum)
    })?;
    sum.map(Reply::Int)
}

fn integer_of(value: Option<Element<'_>>) -> Result<i64, Status> {
    match value {
        None => Ok(0),
        Some(Element::Int(n)) => Ok(n),
        Some(Element::Bytes(text)) => int(text).map_err(|_| Status::Text("ERR hash value is not an integer")),
    }
}

fn hincrbyfloat(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let field = words[2];
    let Parsed::Finite(by) = extended::parse(words[3])? else {
        return Err(Status::Text("ERR value is NaN or Infinity"));
    };
    let sum = db.upsert(words[1], |hash: &mut HashValue| {
        let old = hash.get(field).unwrap_or(Element::Int(0));
        let old = extended::parse(old.as_bytes(&mut itoa::Buffer::new()))
            .map_err(|_| Status::Text("ERR hash value is not a float"))?;
        let sum = match old {
            Parsed::Finite(old) => old.plus(by).ok_or(Status::NotFinite)?.format().into_bytes(),
            Parsed::Infinite => return Err(Status::NotFinite),
        };
        hash.set_value(field, &sum);
        Ok(sum)
    })?;
    sum.map(Reply::Bulk)
}

fn hrandfield(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (count, with_values) = sample::count_and_option(&words[2..], "WITHVALUES")?;
    let len = db.get::<HashValue>(words[1])?.map_or(0, HashValue::len);
    let positions = sample::positions(db.rng(), len, count.unwrap_or(1))?;
    let hash = db.get::<HashValue>(words[1])?;
    let mut chosen = positions.into_iter().filter_map(|position| hash?.nth(position));
    Ok(match count {
        None => chosen.next().map_or(Reply::Null, |(field, _)| field.into()),
        Some(_) if with_values => Reply::Pairs(chosen.map(pair).collect()),
        Some(_) => Reply::Array(chosen.map(|(field, _)| field.into()).collect()),
    })
}

fn hscan(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let cursor = scan::cursor(words[2])?;
    let Some(hash) = db.get::<HashValue>(words[1])? else {
        return scan::reply(0, Vec::new());
    };
    let options = ScanOptions::parse(&words[3..])?;
    let mut found = Vec::new();
    let next = hash.scan(cursor, options.count, &mut |field, value| {
        if options.wants(field.as_bytes(&mut itoa::Buffer::new())) {
            found.extend([field.into(), value.into()]);
        }
    });
    scan::reply(next, found)
}

#[cfg(test)]
#[path = "tests/hash.rs"]
mod tests;
