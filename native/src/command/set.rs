//! Set commands.

use super::args::int;
use super::counted::{self, Miscount};
use super::scan::{self, ScanOptions};
use super::{Args, CommandResult, Keys, ONE, REST, Spec, TWO, grow, read, sample, write};
use crate::keyspace::{Db, Expiry};
use crate::reply::Reply;
use crate::status::Status;
use crate::value::{Collection, Element, SetValue};

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("sadd", -3, ONE, sadd),
    write("srem", -3, ONE, srem),
    read("sismember", 3, ONE, sismember),
    read("smismember", -3, ONE, smismember),
    read("smembers", 2, ONE, smembers),
    read("scard", 2, ONE, scard),
    write("smove", 4, TWO, smove),
    write("spop", -2, ONE, spop),
    read("srandmember", -2, ONE, srandmember),
    read("sunion", -2, REST, sunion),
    read("sinter", -2, REST, sinter),
    read("sdiff", -2, REST, sdiff),
    read("sintercard", -3, Keys::Counted { at: 1 }, sintercard),
    grow("sunionstore", -3, REST, sunionstore),
    grow("sinterstore", -3, REST, sinterstore),
    grow("sdiffstore", -3, REST, sdiffstore),
    read("sscan", -3, ONE, sscan),
];

fn sadd(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let members = &words[2..];
    let added = db.upsert(words[1], |set: &mut SetValue| {
        set.prepare(members);
        members.iter().filter(|member| set.add(member)).count()
    })?;
    Ok(Reply::count(added))
}

fn srem(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let removed = db.edit(words[1], |set: &mut SetValue| {
        words[2..].iter().filter(|member| set.remove(member)).count()
    })?;
    Ok(Reply::count(removed.unwrap_or(0)))
}

fn sismember(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let set = db.get::<SetValue>(words[1])?;
    Ok(Reply::flag(set.is_some_and(|set| set.contains(words[2]))))
}

fn smismember(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let set = db.get::<SetValue>(words[1])?;
    let flags = words[2..]
        .iter()
        .map(|member| Reply::flag(set.is_some_and(|set| set.contains(member))));
    Ok(Reply::Array(flags.collect()))
}

fn smembers(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let set = db.get::<SetValue>(words[1])?;
    Ok(Reply::Set(
        set.into_iter()
            .flat_map(SetValue::iter)
            .map(Reply::from)
            .collect(),
    ))
}

fn scard(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let set = db.get::<SetValue>(words[1])?;
    Ok(Reply::count(set.map_or(0, SetValue::len)))
}

fn smove(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (source, destination, member) = (words[1], words[2], words[3]);
    let Some(set) = db.get::<SetValue>(source)? else {
        return Ok(Reply::Int(0));
    };
    let there = set.contains(member);
    db.get::<SetValue>(destination)?;
    if there && source != destination {
        db.upsert(destination, |set: &mut SetValue| set.add(member))?;
        db.edit(source, |set: &mut SetValue| set.remove(member))?;
    }
    Ok(Reply::flag(there))
}

fn spop(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    match words[2..] {
        [] => pop_one(db, words[1]),
        [count] => {
            let count = int(count).ok().and_then(|count| usize::try_from(count).ok());
            pop_many(db, words[1], count.ok_or(Status::OutOfRange)?)
        }
        _ => Err(Status::Syntax),
    }
}

fn pop_one(db: &mut Db<'_>, key: &[u8]) -> CommandResult {
    let Some(len) = db.get::<SetValue>(key)?.map(SetValue::len) else {
        return Ok(Reply::Null);
    };
    let position = db.rng().below(len);
    let member = db.edit(key, |set: &mut SetValue| set.remove_at(position))?;
    Ok(member.flatten().map_or(Reply::Null, Reply::Bulk))
}

fn pop_many(db: &mut Db<'_>, key: &[u8], count: usize) -> CommandResult {
    let Some(set) = db.get::<SetValue>(key)? else {
        return Ok(Reply::Set(Vec::new()));
    };
    let len = set.len();
    if count >= len {
        let members = set.iter().map(Reply::from).collect();
        db.remove(key);
        return Ok(Reply::Set(members));
    }
    if (len - count).saturating_mul(KEPT_APART) <= count {
        return pop_most(db, key, len, len - count);
    }
    let mut positions = db.rng().distinct(len, count);
    // From the back, so that what fills a hole comes from behind every position still to come.
    positions.sort_unstable_by(|a, b| b.cmp(a));
    let members = db.edit(key, |set: &mut SetValue| {
        let removed = positions
            .into_iter()
            .filter_map(|position| set.remove_at(position));
        removed.map(Reply::Bulk).collect()
    })?;
    Ok(Reply::Set(members.unwrap_or_default()))
}

/// SPOP makes a new set of the members that stay if it takes at least so many times as many, as in Redis.
const KEPT_APART: usize = 5;

/// Takes all members but some. Those stay in a set of its own making, which is small again if they are few.
fn pop_most(db: &mut Db<'_>, key: &[u8], len: usize, kept: usize) -> CommandResult {
    let mut positions = db.rng().distinct(len, kept);
    positions.sort_unstable();
    let taken = db.edit(key, |set: &mut SetValue| {
        let mut stays = positions.into_iter().peekable();
        let mut rest = match set.as_intset() {
            Some(_) => SetValue::intset(),
            None => SetValue::packed(),
        }
        .limited(set.limits());
        let mut taken = Vec::with_capacity(len - kept);
        for (position, member) in set.iter().enumerate() {
            if stays.next_if_eq(&position).is_some() {
                add(&mut rest, member);
            } else {
                taken.push(Reply::from(member));
            }
        }
        *set = rest;
        taken
    })?;
    Ok(Reply::Set(taken.unwrap_or_default()))
}

fn srandmember(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let count = match words[2..] {
        [] => None,
        [count] => Some(sample::count(count)?),
        _ => return Err(Status::Syntax),
    };
    let len = db.get::<SetValue>(words[1])?.map_or(0, SetValue::len);
    let positions = sample::positions(db.rng(), len, count.unwrap_or(1))?;
    let set = db.get::<SetValue>(words[1])?;
    let mut chosen = positions
        .into_iter()
        .filter_map(|position| set?.nth(position))
        .map(Reply::from);
    Ok(match count {
        None => chosen.next().unwrap_or(Reply::Null),
        Some(_) => Reply::Array(chosen.collect()),
    })
}

/// The sets under these keys, `None` for a missing one. Every key's type is checked, whatever the others are.
fn sets<'d>(db: &'d Db<'_>, keys: Args<'_>) -> Result<Vec<Option<&'d SetValue>>, Status> {
    keys.iter().map(|key| db.get(key)).collect()
}

/// The members of the first set in any, in the order of the sets and in their own.
fn union(db: &Db<'_>, keys: Args<'_>) -> Result<SetValue, Status> {
    let mut result: SetValue = db.create();
    for member in sets(db, keys)?.into_iter().flatten().flat_map(SetValue::iter) {
        add(&mut result, member);
    }
    Ok(result)
}

fn add(set: &mut SetValue, member: Element<'_>) {
    set.add(member.as_bytes(&mut itoa::Buffer::new()));
}

/// Calls `visit` with each member that all sets have, up to `limit` of them, in the order of the smallest set (the first
/// of the smallest ones).
fn intersect(sets: Vec<Option<&SetValue>>, limit: usize, visit: impl FnMut(Element<'_>)) {
    let Some(mut sets) = sets.into_iter().collect::<Option<Vec<_>>>() else {
        return;
    };
    sets.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sets.split_first() else {
        return;
    };
    let in_all = |member: &Element<'_>| others.iter().all(|set| set.contains_element(*member));
    smallest.iter().filter(in_all).take(limit).for_each(visit);
}

/// Calls `visit` with each member of the first set that no other has, in the order of the first.
fn subtract(sets: &[Option<&SetValue>], visit: impl FnMut(Element<'_>)) {
    let Some((Some(first), others)) = sets.split_first() else {
        return;
    };
    let mut others: Vec<_> = others.iter().flatten().collect();
    // The largest is the likeliest to have the member.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let in_none = |member: &Element<'_>| !others.iter().any(|set| set.contains_element(*member));
    first.iter().filter(in_none).for_each(visit);
}

fn sunion(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let result = union(db, &words[1..])?;
    Ok(Reply::Set(result.iter().map(Reply::from).collect()))
}

fn sinter(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let mut found = Vec::new();
    intersect(sets(db, &words[1..])?, usize::MAX, |member| {
        found.push(member.into())
    });
    Ok(Reply::Set(found))
}

fn sdiff(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let mut found = Vec::new();
    subtract(&sets(db, &words[1..])?, |member| found.push(member.into()));
    Ok(Reply::Set(found))
}

fn store(db: &mut Db<'_>, key: &[u8], result: SetValue) -> CommandResult {
    let len = result.len();
    db.put(key, result.into_value(), Expiry::Never);
    Ok(Reply::count(len))
}

fn sunionstore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let result = union(db, &words[2..])?;
    store(db, words[1], result)
}

fn sinterstore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let mut result: SetValue = db.create();
    intersect(sets(db, &words[2..])?, usize::MAX, |member| {
        add(&mut result, member)
    });
    store(db, words[1], result)
}

/// Whether it is less work to copy the first set and to take the members of the others away than to look each of its
/// members up in them. A stored difference has the encoding that the way of its making leaves, so this is Redis's estimate.
fn copies_first(sets: &[Option<&SetValue>]) -> bool {
    let Some(Some(first)) = sets.first() else {
        return false;
    };
    let there = || sets.iter().flatten();
    let visited: usize = there().map(|set| set.len()).sum();
    first.len().saturating_mul(there().count()) / 2 > visited
}

fn sdiffstore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let sets = sets(db, &words[2..])?;
    let mut result: SetValue = db.create();
    if copies_first(&sets) {
        let mut sets = sets.into_iter().flatten();
        let first = sets.next().into_iter().flat_map(SetValue::iter);
        first.for_each(|member| add(&mut result, member));
        let mut buffer = itoa::Buffer::new();
        for member in sets.flat_map(SetValue::iter) {
            result.remove(member.as_bytes(&mut buffer));
        }
    } else {
        subtract(&sets, |member| add(&mut result, member));
    }
    store(db, words[1], result)
}

fn sintercard(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (keys, options) = counted::split(&words[1..]).map_err(|miscount| match miscount {
        Miscount::TooMany => Status::Text("ERR Number of keys can't be greater than number of args"),
        Miscount::NotInteger | Miscount::NotPositive => counted::NO_KEYS,
    })?;
    let limit = counted::limit(options)?;
    let mut count = 0;
    intersect(sets(db, keys)?, limit, |_| count += 1);
    Ok(Reply::Int(count))
}

fn sscan(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let cursor = scan::cursor(words[2])?;
    let Some(set) = db.get::<SetValue>(words[1])? else {
        return scan::reply(0, Vec::new());
    };
    let options = ScanOptions::parse(&words[3..])?;
    let mut found = Vec::new();
    let next = set.scan(cursor, options.count, &mut |member| {
        if options.wants(member.as_bytes(&mut itoa::Buffer::new())) {
            found.push(member.into());
        }
    });
    scan::reply(next, found)
}

#[cfg(test)]
#[path = "tests/set.rs"]
mod tests;
