//! Unions, intersections and differences of sorted sets. Sets take part too: their members have the score 1.
//!
//! As in Redis, unions and intersections visit the smallest input first: sums of doubles depend on the order.

use super::{member_reply, pair_reply};
use crate::command::counted::{self, Miscount, Words};
use crate::command::{Args, CommandResult, Wanted, args};
use crate::keyspace::{Db, EntryView, Expiry};
use crate::reply::Reply;
use crate::status::Status;
use crate::structure::index_map::{Entry as _, IndexMap, Keyed};
use crate::value::{Collection, Element, LimitsRef, SetValue, Value, ZSetValue};

/// What becomes of several inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Union,
    Inter,
    Diff,
}

/// How the scores of a member become one.
#[derive(Clone, Copy, Debug)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn parse(word: &[u8]) -> Result<Aggregate, Status> {
        match word {
            _ if args::is_option(word, "SUM") => Ok(Aggregate::Sum),
            _ if args::is_option(word, "MIN") => Ok(Aggregate::Min),
            _ if args::is_option(word, "MAX") => Ok(Aggregate::Max),
            _ => Err(Status::Syntax),
        }
    }

    /// `score` is a number, and so is the result. Opposite infinities add up to 0. A weight of 0 may have made `other` NaN.
    fn join(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => number_or_zero(score + other),
            Aggregate::Min => score.min(other),
            Aggregate::Max => score.max(other),
        }
    }
}

fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// One input.
#[derive(Clone, Copy, Debug)]
enum Source<'d> {
    Missing,
    Set(&'d SetValue),
    ZSet(&'d ZSetValue),
}

impl<'d> Source<'d> {
    fn find(db: &'d Db<'_>, key: &[u8]) -> Result<Source<'d>, Status> {
        match db.view(key) {
            None => Ok(Source::Missing),
            Some(EntryView::Value(Value::Set(set))) => Ok(Source::Set(set)),
            Some(EntryView::Value(Value::ZSet(zset))) => Ok(Source::ZSet(zset)),
            Some(_) => Err(Status::WrongType),
        }
    }

    fn len(self) -> usize {
        match self {
            Source::Missing => 0,
            Source::Set(set) => set.len(),
            Source::ZSet(zset) => zset.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Source::Missing => None,
            Source::Set(set) => set.contains(member).then_some(1.0),
            Source::ZSet(zset) => zset.score(member),
        }
    }

    fn iter(self) -> Box<dyn Iterator<Item = (Element<'d>, f64)> + 'd> {
        match self {
            Source::Missing => Box::new(std::iter::empty()),
            Source::Set(set) => Box::new(set.iter().map(|member| (member, 1.0))),
            Source::ZSet(zset) => Box::new(zset.iter()),
        }
    }
}

/// The inputs with their weights, and how they become one.
struct Inputs<'d> {
    sources: Vec<(Source<'d>, f64)>,
    aggregate: Aggregate,
    /// Of the result.
    limits: LimitsRef,
}

impl Inputs<'_> {
    /// Visits the members that all inputs have until `visit` says that it has enough.
    fn intersect(&self, visit: &mut dyn FnMut(&[u8], f64) -> bool) {
        let Some(((smallest, weight), others)) = self.sources.split_first() else {
            return;
        };
        let mut buffer = itoa::Buffer::new();
        for (member, score) in smallest.iter() {
            let member = member.as_bytes(&mut buffer);
            let joined =
                others
                    .iter()
                    .try_fold(number_or_zero(score * weight), |joined, (source, weight)| {
                        let score = source.score(member)?;
                        Some(self.aggregate.join(joined, score * weight))
                    });
            if let Some(score) = joined
                && !visit(member, score)
            {
                return;
            }
        }
    }

    fn unite(&self) -> ZSetValue {
        let mut scores: IndexMap<Keyed<f64>> = IndexMap::new();
        let mut buffer = itoa::Buffer::new();
        for (source, weight) in &self.sources {
            for (member, score) in source.iter() {
                let member = member.as_bytes(&mut buffer);
                let score = number_or_zero(score * weight);
                if let Err(there) = scores.insert_with(member, || Keyed::new(member, score)) {
                    scores.edit_at(there, |entry| {
                        entry.payload = self.aggregate.join(entry.payload, score);
                    });
                }
            }
        }
        let mut result = ZSetValue::default().limited(self.limits);
        for entry in scores.iter() {
            result.insert(entry.payload, entry.key());
        }
        result
    }

    /// The members of the first input that no other has, with their scores there.
    fn subtract(&self) -> ZSetValue {
        let mut result = ZSetValue::default().limited(self.limits);
        let Some(((first, _), others)) = self.sources.split_first() else {
            return result;
        };
        let mut buffer = itoa::Buffer::new();
        for (member, score) in first.iter() {
            let member = member.as_bytes(&mut buffer);
            if !others.iter().any(|(source, _)| source.score(member).is_some()) {
                result.insert(score, member);
            }
        }
        result
    }

    fn combine(&self, operation: Operation) -> ZSetValue {
        match operation {
            Operation::Union => self.unite(),
            Operation::Diff => self.subtract(),
            Operation::Inter => {
                let mut result = ZSetValue::default().limited(self.limits);
                self.intersect(&mut |member, score| {
                    result.insert(score, member);
                    true
                });
                result
            }
        }
    }
}

/// The keys that the word at `count` counts, and the options behind them.
fn split<'w, 'a>(words: Words<'w, 'a>, count: usize) -> Result<(Words<'w, 'a>, Words<'w, 'a>), Status> {
    counted::split(&words[count..]).map_err(|miscount| match miscount {
        Miscount::NotInteger => Status::NotInteger,
        Miscount::NotPositive => Status::Owned(format!(
            "ERR at least 1 input key is needed for '{}' command",
            String::from_utf8_lossy(words[0]).to_lowercase()
        )),
        Miscount::TooMany => Status::Syntax,
    })
}

/// The words behind the keys.
struct Options {
    weights: Option<Vec<f64>>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl Options {
    fn parse(
        mut rest: Args<'_>,
        keys: usize,
        operation: Operation,
        scores_allowed: bool,
    ) -> Result<Options, Status> {
        let mut options = Options {
            weights: None,
            aggregate: Aggregate::Sum,
            with_scores: false,
        };
        let joins = operation != Operation::Diff;
        while let [word, behind @ ..] = rest {
            rest = behind;
            if joins && behind.len() >= keys && args::is_option(word, "WEIGHTS") {
                let (weights, behind) = behind.split_at(keys);
                options.weights = Some(parse_weights(weights)?);
                rest = behind;
            } else if joins && args::is_option(word, "AGGREGATE") {
                let (aggregate, behind) = behind.split_first().ok_or(Status::Syntax)?;
                options.aggregate = Aggregate::parse(aggregate)?;
                rest = behind;
            } else if scores_allowed && args::is_option(word, "WITHSCORES") {
                options.with_scores = true;
            } else {
                return Err(Status::Syntax);
            }
        }
        Ok(options)
    }
}

fn parse_weights(words: Args<'_>) -> Result<Vec<f64>, Status> {
    let weight =
        |word: &&[u8]| args::float(word).map_err(|_| Status::Text("ERR weight value is not a float"));
    words.iter().map(weight).collect()
}

/// The result of an operation over the keys behind the word at `count`, and whether scores were asked for.
fn op_combine(
    db: &Db<'_>,
    words: Args<'_>,
    count: usize,
    operation: Operation,
    scores_allowed: bool,
) -> Result<(ZSetValue, bool), Status> {
    let (keys, rest) = split(words, count)?;
    let sources: Vec<Source<'_>> = keys
        .iter()
        .map(|key| Source::find(db, key))
        .collect::<Result<_, _>>()?;
    let options = Options::parse(rest, keys.len(), operation, scores_allowed)?;
    let weights = options.weights.unwrap_or_else(|| vec![1.0; keys.len()]);
    let mut sources: Vec<_> = sources.into_iter().zip(weights).collect();
    if operation != Operation::Diff {
        sources.sort_by_key(|(source, _)| source.len());
    }
    let inputs = Inputs {
        sources,
        aggregate: options.aggregate,
        limits: db.limits(),
    };
    Ok((inputs.combine(operation), options.with_scores))
}

pub(super) fn reply(db: &mut Db<'_>, words: Args<'_>, operation: Operation) -> CommandResult {
    let (result, with_scores) = op_combine(db, words, 1, operation, true)?;
    let found = result.iter();
    Ok(if with_scores {
        Reply::Pairs(found.map(pair_reply).collect())
    } else {
        Reply::Array(found.map(|(member, _)| member_reply(member)).collect())
    })
}

pub(super) fn store(db: &mut Db<'_>, words: Args<'_>, operation: Operation) -> CommandResult {
    let (result, _) = op_combine(db, words, 2, operation, false)?;
    let count = result.len();
    db.put(words[1], Value::ZSet(result), Expiry::Never);
    Ok(Reply::count(count))
}

/// The keys of `ZUNIONSTORE destination numkeys key [key ...]`.
pub(super) fn keys_behind_destination(words: Args<'_>) -> Wanted {
    let count = words.get(2).and_then(|word| args::int(word).ok()).unwrap_or(0);
    let end = usize::try_from(count)
        .unwrap_or(0)
        .saturating_add(3)
        .min(words.len());
    Wanted::Words(std::iter::once(1).chain(3..end).collect())
}

pub(super) fn zintercard(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (keys, options) = split(words, 1)?;
    let source = |key: &&[u8]| Ok((Source::find(db, key)?, 1.0));
    let mut sources: Vec<_> = keys.iter().map(source).collect::<Result<_, Status>>()?;
    sources.sort_by_key(|(source, _)| source.len());
    let limit = counted::limit(options)?;
    let inputs = Inputs {
        sources,
        aggregate: Aggregate::Max,
        limits: db.limits(),
    };
    let mut count = 0;
    inputs.intersect(&mut |_, _| {
        count += 1;
        count < limit
    });
    Ok(Reply::count(count))
}

#[cfg(test)]
mod tests;
