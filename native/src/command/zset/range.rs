//! Commands over a range of a sorted set: by rank, by score, or by member.

use super::{member_reply, pair_reply};
use crate::command::{Args, CommandResult, args, span};
use crate::keyspace::{Db, Expiry};
use crate::reply::Reply;
use crate::status::Status;
use crate::value::zset::{Bounds, LexBound, ScoreBound};
use crate::value::{Value, ZSetValue};
use std::ops::Range;

const NOT_A_SCORE: Status = Status::Text("ERR min or max is not a float");
const NOT_A_LEX_BOUND: Status = Status::Text("ERR min or max not valid string range item");
const LIMIT_BY_RANK: Status =
    Status::Text("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
const SCORES_BY_LEX: Status =
    Status::Text("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/// In what terms the ends of a range are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// A range as the words give it.
#[derive(Clone, Copy, Debug)]
enum Wanted<'a> {
    Ranks(i64, i64),
    Within(Bounds<'a>),
}

/// What a command of the `ZRANGE` family asks for.
#[derive(Debug)]
struct Query<'a> {
    wanted: Wanted<'a>,
    reverse: bool,
    with_scores: bool,
    /// Matches to pass over, and to give; a negative offset gives nothing, a negative count everything.
    limit: (i64, i64),
}

/// Reads a score, behind a `(` if it is left out itself.
fn score_bound(word: &[u8]) -> Result<ScoreBound, Status> {
    let (open, number) = match word {
        [b'(', number @ ..] => (true, number),
        number => (false, number),
    };
    match args::any_float(args::lenient(number)) {
        Some(score) if !score.is_nan() => Ok(ScoreBound { score, open }),
        _ => Err(NOT_A_SCORE),
    }
}

/// Reads `-`, `+`, or a member behind a `[` or a `(`.
fn lex_bound(word: &[u8]) -> Result<LexBound<'_>, Status> {
    match word {
        [b'-'] => Ok(LexBound::Min),
        [b'+'] => Ok(LexBound::Max),
        [b'[', member @ ..] => Ok(LexBound::Closed(member)),
        [b'(', member @ ..] => Ok(LexBound::Open(member)),
        _ => Err(NOT_A_LEX_BOUND),
    }
}

fn parse_wanted<'a>(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Wanted<'a>, Status> {
    Ok(match by {
        By::Rank => {
            let (start, stop) = span::ends(min, max)?;
            Wanted::Ranks(start, stop)
        }
        By::Score => Wanted::Within(Bounds::Score(score_bound(min)?, score_bound(max)?)),
        By::Lex => Wanted::Within(Bounds::Lex(lex_bound(min)?, lex_bound(max)?)),
    })
}

/// The options behind the ends of a range. What the command's name has fixed already is given, and refused as an option.
struct Options {
    by: Option<By>,
    reverse: Option<bool>,
    with_scores: bool,
    limit: Option<(i64, i64)>,
}

impl Options {
    fn parse(mut self, mut rest: &[&[u8]], scores_allowed: bool) -> Result<Options, Status> {
        while let [word, behind @ ..] = rest {
            rest = behind;
            match *word {
                word if scores_allowed && args::is_option(word, "WITHSCORES") => self.with_scores = true,
                word if args::is_option(word, "LIMIT") => {
                    let [offset, count, behind @ ..] = rest else {
                        return Err(Status::Syntax);
                    };
                    self.limit = Some(span::ends(offset, count)?);
                    rest = behind;
                }
                word if self.reverse.is_none() && args::is_option(word, "REV") => self.reverse = Some(true),
                word if self.by.is_none() && args::is_option(word, "BYSCORE") => self.by = Some(By::Score),
                word if self.by.is_none() && args::is_option(word, "BYLEX") => self.by = Some(By::Lex),
                _ => return Err(Status::Syntax),
            }
        }
        Ok(self)
    }
}

/// Reads the two ends and the options behind them.
fn parse<'a>(
    words: &[&'a [u8]],
    by: Option<By>,
    reverse: Option<bool>,
    scores_allowed: bool,
) -> Result<Query<'a>, Status> {
    let options = Options {
        by,
        reverse,
        with_scores: false,
        limit: None,
    };
    let options = options.parse(&words[2..], scores_allowed)?;
    let by = options.by.unwrap_or(By::Rank);
    let reverse = options.reverse.unwrap_or(false);
    let limit = options.limit.unwrap_or((0, -1));
    if by == By::Rank && limit.1 != -1 {
        return Err(LIMIT_BY_RANK);
    }
    if by == By::Lex && options.with_scores {
        return Err(SCORES_BY_LEX);
    }
    let (min, max) = if reverse && by != By::Rank {
        (words[1], words[0])
    } else {
        (words[0], words[1])
    };
    Ok(Query {
        wanted: parse_wanted(by, min, max)?,
        reverse,
        with_scores: options.with_scores,
        limit: if by == By::Rank { (0, -1) } else { limit },
    })
}

impl Query<'_> {
    /// The ranks, counted from the lowest score, of the members that are asked for.
    fn ranks(&self, zset: &ZSetValue) -> Range<usize> {
        let found = match self.wanted {
            Wanted::Within(bounds) => zset.ranks(&bounds),
            Wanted::Ranks(start, stop) => {
                let ranks = span::indexes((start, stop), zset.len());
                if self.reverse {
                    zset.len() - ranks.end..zset.len() - ranks.start
                } else {
                    ranks
                }
            }
        };
        let (offset, count) = self.limit;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(found.len());
        let count = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(found.len() - offset);
        if self.reverse {
            let end = found.end - offset;
            end - count..end
        } else {
            let start = found.start + offset;
            start..start + count
        }
    }

    fn reply(&self, zset: &ZSetValue) -> Reply {
        let found = zset.range(self.ranks(zset));
        match (self.with_scores, self.reverse) {
            (true, false) => Reply::Pairs(found.map(pair_reply).collect()),
            (true, true) => Reply::Pairs(found.rev().map(pair_reply).collect()),
            (false, false) => Reply::Array(found.map(|(member, _)| member_reply(member)).collect()),
            (false, true) => Reply::Array(found.rev().map(|(member, _)| member_reply(member)).collect()),
        }
    }
}

fn answer(db: &mut Db<'_>, words: Args<'_>, by: Option<By>, reverse: Option<bool>) -> CommandResult {
    let query = parse(&words[2..], by, reverse, true)?;
    let zset = db.get::<ZSetValue>(words[1])?;
    Ok(zset.map_or(Reply::Array(Vec::new()), |zset| query.reply(zset)))
}

pub(super) fn zrange(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    answer(db, words, None, None)
}

pub(super) fn zrevrange(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    answer(db, words, Some(By::Rank), Some(true))
}

pub(super) fn zrangebyscore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    answer(db, words, Some(By::Score), Some(false))
}

pub(super) fn zrevrangebyscore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    answer(db, words, Some(By::Score), Some(true))
}

pub(super) fn zrangebylex(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    answer(db, words, Some(By::Lex), Some(false))
}

pub(super) fn zrevrangebylex(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    answer(db, words, Some(By::Lex), Some(true))
}

pub(super) fn zrangestore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let query = parse(&words[3..], None, None, false)?;
    let mut stored: ZSetValue = db.create();
    if let Some(zset) = db.get::<ZSetValue>(words[2])? {
        for (member, score) in zset.range(query.ranks(zset)) {
            stored.insert(score, &member.to_cow());
        }
    }
    let count = stored.len();
    db.put(words[1], Value::ZSet(stored), Expiry::Never);
    Ok(Reply::count(count))
}

fn count(db: &mut Db<'_>, words: Args<'_>, by: By) -> CommandResult {
    let Wanted::Within(bounds) = parse_wanted(by, words[2], words[3])? else {
        return Err(Status::Syntax);
    };
    let zset = db.get::<ZSetValue>(words[1])?;
    Ok(Reply::count(zset.map_or(0, |zset| zset.count(&bounds))))
}

pub(super) fn zcount(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    count(db, words, By::Score)
}

pub(super) fn zlexcount(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    count(db, words, By::Lex)
}

fn remove(db: &mut Db<'_>, words: Args<'_>, by: By) -> CommandResult {
    let wanted = parse_wanted(by, words[2], words[3])?;
    let removed = db.edit(words[1], |zset: &mut ZSetValue| {
        let ranks = match wanted {
            Wanted::Within(bounds) => zset.ranks(&bounds),
            Wanted::Ranks(start, stop) => span::indexes((start, stop), zset.len()),
        };
        zset.remove_range(ranks)
    })?;
    Ok(Reply::count(removed.unwrap_or(0)))
}

pub(super) fn zremrangebyrank(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    remove(db, words, By::Rank)
}

pub(super) fn zremrangebyscore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    remove(db, words, By::Score)
}

pub(super) fn zremrangebylex(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    remove(db, words, By::Lex)
}
