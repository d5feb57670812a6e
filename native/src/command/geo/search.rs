//! Searches around a position: at most nine ranges of scores, one for each cell that the shape may reach into.

use super::query::{Form, Order, Query};
use super::{distance_reply, position_reply};
use crate::command::{Args, CommandResult};
use crate::keyspace::{Db, Expiry};
use crate::reply::Reply;
use crate::structure::geohash::{self, Cell, Position};
use crate::value::zset::{Bounds, ScoreBound};
use crate::value::{Element, Value, ZSetValue};
use std::cmp::Ordering;

/// A member inside of the shape.
struct Match<'z> {
    member: Element<'z>,
    score: f64,
    at: Position,
    /// Meters from the middle.
    distance: f64,
    /// How many were found before it.
    found_before: usize,
}

impl Match<'_> {
    /// Those of equal distance stay in the order in which they were found.
    fn compare(&self, other: &Match<'_>, order: Order) -> Ordering {
        let by_distance = self.distance.total_cmp(&other.distance);
        let by_distance = match order {
            Order::Ascending => by_distance,
            Order::Descending => by_distance.reverse(),
        };
        by_distance.then(self.found_before.cmp(&other.found_before))
    }
}

fn scores_of(cell: Cell) -> Bounds<'static> {
    let scores = cell.scores();
    let bound = |score: u64, open| ScoreBound {
        score: score as f64,
        open,
    };
    Bounds::Score(bound(scores.start, false), bound(scores.end, true))
}

/// The matches, cell by cell, at most `limit`.
fn matches<'z>(source: &'z ZSetValue, query: &Query<'_>, limit: usize) -> Vec<Match<'z>> {
    let shape = query.shape();
    let cells = geohash::cells(shape, query.middle).into_iter();
    let candidates = cells.flat_map(|cell| source.range(source.ranks(&scores_of(cell))));
    let inside = |(member, score)| {
        let at = geohash::decode(score);
        let distance = shape.distance_within(query.middle, at)?;
        Some(Match {
            member,
            score,
            at,
            distance,
            found_before: 0,
        })
    };
    let numbered = |(found_before, found)| Match {
        found_before,
        ..found
    };
    let found = candidates.filter_map(inside).take(limit);
    found.enumerate().map(numbered).collect()
}

/// The matches that are asked for, in the order that is asked for.
fn find<'z>(source: &'z ZSetValue, query: &Query<'_>) -> Vec<Match<'z>> {
    let count = query.count.unwrap_or(usize::MAX);
    let mut found = matches(source, query, if query.any { count } else { usize::MAX });
    // The nearest, if not all are wanted, unless any will do.
    let nearest = (query.count.is_some() && !query.any).then_some(Order::Ascending);
    if let Some(order) = query.order.or(nearest) {
        if count < found.len() {
            found.select_nth_unstable_by(count, |a, b| a.compare(b, order));
            found.truncate(count);
        }
        found.sort_unstable_by(|a, b| a.compare(b, order));
    }
    found
}

fn reply(found: Vec<Match<'_>>, query: &Query<'_>) -> Reply {
    let detailed = query.with_distance || query.with_hash || query.with_position;
    let one = |found: Match<'_>| {
        let member = Reply::from(found.member);
        if !detailed {
            return member;
        }
        let mut parts = vec![member];
        if query.with_distance {
            parts.push(distance_reply(found.distance / query.unit));
        }
        if query.with_hash {
            parts.push(Reply::Int(found.score as i64));
        }
        if query.with_position {
            parts.push(position_reply(found.at));
        }
        Reply::Array(parts)
    };
    Reply::Array(found.into_iter().map(one).collect())
}

/// Fills an empty sorted set with what was found.
fn stored(found: Vec<Match<'_>>, query: &Query<'_>, mut zset: ZSetValue) -> ZSetValue {
    for one in found {
        let score = if query.store_distance {
            one.distance / query.unit
        } else {
            one.score
        };
        zset.insert(score, &one.member.to_cow());
    }
    zset
}

fn run(db: &mut Db<'_>, words: Args<'_>, key: &[u8], form: Form) -> CommandResult {
    let source = db.get::<ZSetValue>(key)?;
    let query = Query::parse(words, form, source)?;
    let found = source.map_or(Vec::new(), |source| find(source, &query));
    let Some(destination) = query.destination else {
        return Ok(reply(found, &query));
    };
    let zset = stored(found, &query, db.create());
    let count = zset.len();
    db.put(destination, Value::ZSet(zset), Expiry::Never);
    Ok(Reply::count(count))
}

pub(super) fn geosearch(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    run(db, words, words[1], Form::Search)
}

pub(super) fn geosearchstore(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    run(db, words, words[2], Form::SearchStore)
}

pub(super) fn georadius(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    run(db, words, words[1], Form::Radius { stores: true })
}

pub(super) fn georadius_ro(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    run(db, words, words[1], Form::Radius { stores: false })
}

pub(super) fn georadiusbymember(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    run(db, words, words[1], Form::RadiusByMember { stores: true })
}

pub(super) fn georadiusbymember_ro(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    run(db, words, words[1], Form::RadiusByMember { stores: false })
}
