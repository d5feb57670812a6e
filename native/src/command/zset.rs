//! Sorted set commands: members and scores here, ranges in [`range`].
//!
//! A score is a [`Reply::Double`]. Members with their scores are [`Reply::Pairs`], which is flat in RESP2 and an array of
//! pairs in RESP3; a single member with its score (`ZPOPMIN` without a count) is a flat array in both. `ZSCAN` gives
//! scores as bulks, as Redis does in both.

mod combine;
mod range;
#[cfg(test)]
mod tests;

use super::counted::Pop;
use super::{Args, CommandResult, Keys, ONE, Spec, TWO, args, grow, number, read, sample, scan, span, write};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::value::{Element, ZSetValue};
use combine::Operation;
use smallvec::SmallVec;

const BEHIND_COUNT: Keys = Keys::Counted { at: 1 };

const BEHIND_DESTINATION: Keys = Keys::Found(combine::keys_behind_destination);

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("zadd", -4, ONE, zadd),
    grow("zincrby", 4, ONE, zincrby),
    write("zrem", -3, ONE, zrem),
    read("zscore", 3, ONE, zscore),
    read("zmscore", -3, ONE, zmscore),
    read("zcard", 2, ONE, zcard),
    read("zrank", -3, ONE, |db, words| rank(db, words, "zrank", false)),
    read("zrevrank", -3, ONE, |db, words| rank(db, words, "zrevrank", true)),
    write("zpopmin", -2, ONE, |db, words| pop(db, words, false)),
    write("zpopmax", -2, ONE, |db, words| pop(db, words, true)),
    write("zmpop", -4, BEHIND_COUNT, zmpop),
    read("zrandmember", -2, ONE, zrandmember),
    read("zscan", -3, ONE, zscan),
    read("zcount", 4, ONE, range::zcount),
    read("zlexcount", 4, ONE, range::zlexcount),
    read("zrange", -4, ONE, range::zrange),
    read("zrangebyscore", -4, ONE, range::zrangebyscore),
    read("zrevrange", -4, ONE, range::zrevrange),
    read("zrevrangebyscore", -4, ONE, range::zrevrangebyscore),
    read("zrangebylex", -4, ONE, range::zrangebylex),
    read("zrevrangebylex", -4, ONE, range::zrevrangebylex),
    grow("zrangestore", -5, TWO, range::zrangestore),
    read("zunion", -3, BEHIND_COUNT, |db, words| {
        combine::reply(db, words, Operation::Union)
    }),
    read("zinter", -3, BEHIND_COUNT, |db, words| {
        combine::reply(db, words, Operation::Inter)
    }),
    read("zdiff", -3, BEHIND_COUNT, |db, words| {
        combine::reply(db, words, Operation::Diff)
    }),
    read("zintercard", -3, BEHIND_COUNT, combine::zintercard),
    grow("zunionstore", -4, BEHIND_DESTINATION, |db, words| {
        combine::store(db, words, Operation::Union)
    }),
    grow("zinterstore", -4, BEHIND_DESTINATION, |db, words| {
        combine::store(db, words, Operation::Inter)
    }),
    grow("zdiffstore", -4, BEHIND_DESTINATION, |db, words| {
        combine::store(db, words, Operation::Diff)
    }),
    write("zremrangebyrank", 4, ONE, range::zremrangebyrank),
    write("zremrangebyscore", 4, ONE, range::zremrangebyscore),
    write("zremrangebylex", 4, ONE, range::zremrangebylex),
];

const NOT_A_NUMBER: Status = Status::Text("ERR resulting score is not a number (NaN)");

fn member_reply(member: Element<'_>) -> Reply {
    Reply::Bulk(member.to_vec())
}

fn pair_reply((member, score): (Element<'_>, f64)) -> (Reply, Reply) {
    (member_reply(member), Reply::Double(score))
}

/// When `ZADD` changes a score.
#[derive(Clone, Copy, Debug, Default)]
struct Conditions {
    only_new: bool,
    only_old: bool,
    greater: bool,
    less: bool,
}

impl Conditions {
    /// The score to set, given the present one; `None` leaves the member as it is.
    fn decide(self, old: Option<f64>, increment: bool, given: f64) -> Result<Option<f64>, Status> {
        let Some(old) = old else {
            return Ok((!self.only_old).then_some(given));
        };
        if self.only_new {
            return Ok(None);
        }
        let new = if increment { old + given } else { given };
        if new.is_nan() {
            return Err(NOT_A_NUMBER);
        }
        let kept = (self.greater && new <= old) || (self.less && new >= old);
        Ok((!kept).then_some(new))
    }
}

/// What the words before the first score of `ZADD` ask for.
#[derive(Debug, Default)]
struct AddOptions {
    conditions: Conditions,
    /// `CH`: count changed scores too.
    changed: bool,
    increment: bool,
}

/// Gives the options, and the words behind them.
fn parse_add<'w, 'a>(words: &'w [&'a [u8]]) -> Result<(AddOptions, &'w [&'a [u8]]), Status> {
    let mut options = AddOptions::default();
    let conditions = &mut options.conditions;
    let mut rest = words;
    while let [word, behind @ ..] = rest {
        match *word {
            word if args::is_option(word, "NX") => conditions.only_new = true,
            word if args::is_option(word, "XX") => conditions.only_old = true,
            word if args::is_option(word, "GT") => conditions.greater = true,
            word if args::is_option(word, "LT") => conditions.less = true,
            word if args::is_option(word, "CH") => options.changed = true,
            word if args::is_option(word, "INCR") => options.increment = true,
            _ => break,
        }
        rest = behind;
    }
    let Conditions {
        only_new,
        only_old,
        greater,
        less,
    } = options.conditions;
    if rest.is_empty() || !rest.len().is_multiple_of(2) {
        return Err(Status::Syntax);
    }
    if only_new && only_old {
        return Err(Status::Text(
            "ERR XX and NX options at the same time are not compatible",
        ));
    }
    if (greater && less) || (only_new && (greater || less)) {
        return Err(Status::Text(
            "ERR GT, LT, and/or NX options at the same time are not compatible",
        ));
    }
    if options.increment && rest.len() > 2 {
        return Err(Status::Text(
            "ERR INCR option supports a single increment-element pair",
        ));
    }
    Ok((options, rest))
}

/// Most requests carry one pair, and need no allocation.
type Pairs<'a> = SmallVec<[(f64, &'a [u8]); 2]>;

fn parse_pairs<'a>(words: &[&'a [u8]]) -> Result<Pairs<'a>, Status> {
    let pair = |pair: &[&'a [u8]]| Ok((args::float(pair[0])?, pair[1]));
    words.chunks_exact(2).map(pair).collect()
}

fn zadd(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (options, rest) = parse_add(&words[2..])?;
    if options.increment {
        let score = op_increment(db, words[1], args::float(rest[0])?, rest[1], options.conditions)?;
        return Ok(score.map_or(Reply::Null, Reply::Double));
    }
    let pairs = parse_pairs(rest)?;
    let (added, changed) = op_add(db, words[1], &pairs, options.conditions)?;
    Ok(Reply::count(if options.changed {
        added + changed
    } else {
        added
    }))
}

/// Gives how many members were added, and how many old ones have another score now.
fn op_add(
    db: &mut Db<'_>,
    key: &[u8],
    pairs: &[(f64, &[u8])],
    conditions: Conditions,
) -> Result<(usize, usize), Status> {
    db.upsert(key, |zset: &mut ZSetValue| {
        zset.prepare(pairs.len());
        let (mut added, mut changed) = (0, 0);
        for &(score, member) in pairs {
            zset.update(member, |old| {
                // Only an increment can be refused.
                let new = conditions.decide(old, false, score).ok().flatten()?;
                match old {
                    None => added += 1,
                    Some(old) => changed += usize::from(old != new),
                }
                Some(new)
            });
        }
        (added, changed)
    })
}

/// Gives the member's new score, unless the conditions leave it as it is.
fn op_increment(
    db: &mut Db<'_>,
    key: &[u8],
    by: f64,
    member: &[u8],
    conditions: Conditions,
) -> Result<Option<f64>, Status> {
    db.upsert(key, |zset: &mut ZSetValue| {
        let mut decided = Ok(None);
        zset.update(member, |old| {
            decided = conditions.decide(old, true, by);
            decided.as_ref().ok().copied().flatten()
        });
        decided
    })?
}

fn zincrby(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let by = args::float(words[2])?;
    let score = op_increment(db, words[1], by, words[3], Conditions::default())?;
    Ok(score.map_or(Reply::Null, Reply::Double))
}

fn zrem(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let removed = db.edit(words[1], |zset: &mut ZSetValue| {
        words[2..]
            .iter()
            .filter(|member| zset.remove(member).is_some())
            .count()
    })?;
    Ok(Reply::count(removed.unwrap_or(0)))
}

fn zscore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let score = db
        .get::<ZSetValue>(words[1])?
        .and_then(|zset| zset.score(words[2]));
    Ok(score.map_or(Reply::Null, Reply::Double))
}

fn zmscore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let zset = db.get::<ZSetValue>(words[1])?;
    let score = |member: &&[u8]| zset.and_then(|zset| zset.score(member));
    let replies = words[2..]
        .iter()
        .map(|member| score(member).map_or(Reply::Null, Reply::Double));
    Ok(Reply::Array(replies.collect()))
}

fn zcard(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let zset = db.get::<ZSetValue>(words[1])?;
    Ok(Reply::count(zset.map_or(0, ZSetValue::len)))
}

fn rank(db: &mut Db<'_>, words: Args<'_>, name: &str, reverse: bool) -> CommandResult {
    let with_score = match words[3..] {
        [] => false,
        [word] if args::is_option(word, "WITHSCORE") => true,
        [_] => return Err(Status::Syntax),
        _ => return Err(Status::Arity(name.into())),
    };
    let absent = if with_score { Reply::NullArray } else { Reply::Null };
    let Some(zset) = db.get::<ZSetValue>(words[1])? else {
        return Ok(absent);
    };
    let Some(rank) = zset.rank(words[2]) else {
        return Ok(absent);
    };
    let rank = if reverse { zset.len() - 1 - rank } else { rank };
    Ok(match zset.score(words[2]) {
        Some(score) if with_score => Reply::Array(vec![Reply::count(rank), Reply::Double(score)]),
        _ => Reply::count(rank),
    })
}

fn pop(db: &mut Db<'_>, words: Args<'_>, from_end: bool) -> CommandResult {
    let count = match words[2..] {
        [] => None,
        [count] => Some(span::count(count)?),
        _ => return Err(Status::Syntax),
    };
    let taken = db.edit(words[1], |zset: &mut ZSetValue| {
        op_pop(zset, count.unwrap_or(1), from_end)
    })?;
    let taken = taken.unwrap_or_default();
    Ok(match count {
        Some(_) => Reply::Pairs(taken),
        None => Reply::Array(
            taken
                .into_iter()
                .flat_map(|(member, score)| [member, score])
                .collect(),
        ),
    })
}

fn op_pop(zset: &mut ZSetValue, count: usize, from_end: bool) -> Vec<(Reply, Reply)> {
    let len = zset.len();
    let count = count.min(len);
    let ranks = if from_end { len - count..len } else { 0..count };
    let found = zset.range(ranks.clone());
    let taken = if from_end {
        found.rev().map(pair_reply).collect()
    } else {
        found.map(pair_reply).collect()
    };
    zset.remove_range(ranks);
    taken
}

/// What `ZMPOP` calls the ends.
pub(super) const ENDS: [&str; 2] = ["MIN", "MAX"];

fn zmpop(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    op_pop_any(db, &Pop::parse(&words[1..], ENDS)?)
}

/// Takes from the first sorted set there is. Keys behind it are not looked at, whatever they hold.
pub(super) fn op_pop_any(db: &mut Db<'_>, pop: &Pop<'_, '_>) -> CommandResult {
    for key in pop.keys {
        let taken = db.edit(key, |zset: &mut ZSetValue| {
            op_pop(zset, pop.count, pop.from_second)
        })?;
        if let Some(taken) = taken {
            // Pairs are nested in both protocols here.
            let pairs = taken
                .into_iter()
                .map(|(member, score)| Reply::Array(vec![member, score]));
            return Ok(Reply::Array(vec![
                Reply::bulk(key),
                Reply::Array(pairs.collect()),
            ]));
        }
    }
    Ok(Reply::NullArray)
}

fn zrandmember(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (count, with_scores) = sample::count_and_option(&words[2..], "WITHSCORES")?;
    let len = db.get::<ZSetValue>(words[1])?.map_or(0, ZSetValue::len);
    let positions = sample::positions(db.rng(), len, count.unwrap_or(1))?;
    let zset = db.get::<ZSetValue>(words[1])?;
    let mut chosen = positions.into_iter().filter_map(|rank| zset?.nth(rank));
    Ok(match count {
        None => chosen
            .next()
            .map_or(Reply::Null, |(member, _)| member_reply(member)),
        Some(_) if with_scores => Reply::Pairs(chosen.map(pair_reply).collect()),
        Some(_) => Reply::Array(chosen.map(|(member, _)| member_reply(member)).collect()),
    })
}

fn zscan(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let cursor = scan::cursor(words[2])?;
    let Some(zset) = db.get::<ZSetValue>(words[1])? else {
        return scan::reply(0, Vec::new());
    };
    let options = scan::ScanOptions::parse(&words[3..])?;
    let mut found = Vec::new();
    let next = zset.scan(cursor, options.count, &mut |member, score| {
        if options.wants(&member.to_cow()) {
            found.push(member_reply(member));
            found.push(Reply::Bulk(number::format_double(score).into_bytes()));
        }
    });
    scan::reply(next, found)
}
