//! Geo commands: members of a sorted set whose scores are positions. Searches are in [`search`].
//!
//! A distance is a bulk with four digits behind the point, a coordinate a [`Reply::Decimal`] with as many as 17.

mod query;
mod search;
#[cfg(test)]
mod tests;

use super::{Args, CommandResult, Keys, ONE, Spec, TWO, Wanted, args, grow, read};
use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use crate::structure::geohash::{self, LATITUDE, LONGITUDE, Position};
use crate::value::ZSetValue;
use smallvec::smallvec;

/// The source, and the destination of STORE or STOREDIST.
const STORING: Keys = Keys::Found(storing_keys);

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("geoadd", -5, ONE, geoadd),
    read("geopos", -2, ONE, geopos),
    read("geodist", -4, ONE, geodist),
    read("geohash", -2, ONE, geohash),
    read("geosearch", -7, ONE, search::geosearch),
    grow("geosearchstore", -8, TWO, search::geosearchstore),
    grow("georadius", -6, STORING, search::georadius),
    read("georadius_ro", -6, ONE, search::georadius_ro),
    grow("georadiusbymember", -5, STORING, search::georadiusbymember),
    read("georadiusbymember_ro", -5, ONE, search::georadiusbymember_ro),
];

/// Of several destinations, the last one counts.
fn storing_keys(words: Args<'_>) -> Wanted {
    let mut keys = smallvec![1];
    let mut at = 5;
    while at + 1 < words.len() {
        if args::is_option(words[at], "STORE") || args::is_option(words[at], "STOREDIST") {
            keys.truncate(1);
            keys.push(at + 1);
            at += 1;
        }
        at += 1;
    }
    Wanted::Words(keys)
}

/// Reads a longitude and a latitude.
fn position(longitude: &[u8], latitude: &[u8]) -> Result<Position, Status> {
    let (longitude, latitude) = (args::float(longitude)?, args::float(latitude)?);
    let inside = |degrees: f64, (min, max): (f64, f64)| (min..=max).contains(&degrees);
    if inside(longitude, LONGITUDE) && inside(latitude, LATITUDE) {
        Ok(Position { longitude, latitude })
    } else {
        let text = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        Err(Status::Owned(text))
    }
}

/// Meters of a unit.
fn unit(word: &[u8]) -> Result<f64, Status> {
    match word {
        _ if args::is_option(word, "M") => Ok(1.0),
        _ if args::is_option(word, "KM") => Ok(1000.0),
        _ if args::is_option(word, "FT") => Ok(0.3048),
        _ if args::is_option(word, "MI") => Ok(1609.34),
        _ => Err(Status::Text(
            "ERR unsupported unit provided. please use M, KM, FT, MI",
        )),
    }
}

fn distance_reply(distance: f64) -> Reply {
    Reply::Bulk(format!("{distance:.4}").into_bytes())
}

fn degrees_reply(degrees: f64) -> Reply {
    let text = format!("{degrees:.17}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Reply::Decimal(if text == "-0" { "0" } else { text }.into())
}

fn position_reply(at: Position) -> Reply {
    Reply::Array(vec![degrees_reply(at.longitude), degrees_reply(at.latitude)])
}

fn geoadd(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let is_flag = |word: &&&[u8]| ["NX", "XX", "CH"].iter().any(|flag| args::is_option(word, flag));
    let flags = words[2..].iter().take_while(is_flag).count();
    let (flags, triples) = words[2..].split_at(flags);
    let has = |name| flags.iter().any(|flag| args::is_option(flag, name));
    if triples.is_empty() || !triples.len().is_multiple_of(3) || (has("NX") && has("XX")) {
        return Err(Status::Syntax);
    }
    let scored = |triple: &[&'_ [u8]]| Ok(geohash::encode(position(triple[0], triple[1])?) as f64);
    let scores: Vec<f64> = triples.chunks_exact(3).map(scored).collect::<Result<_, _>>()?;
    let members = triples.chunks_exact(3).map(|triple| triple[2]);
    let (only_new, only_old) = (has("NX"), has("XX"));
    let (added, changed) = db.upsert(words[1], |zset: &mut ZSetValue| {
        let (mut added, mut changed) = (0, 0);
        for (member, &score) in members.zip(&scores) {
            zset.update(member, |old| match old {
                None if only_old => None,
                None => {
                    added += 1;
                    Some(score)
                }
                Some(_) if only_new => None,
                Some(old) => {
                    changed += usize::from(old != score);
                    Some(score)
                }
            });
        }
        (added, changed)
    })?;
    Ok(Reply::count(if has("CH") { added + changed } else { added }))
}

/// The reply for each member, made from its position if it has one.
fn each_position(db: &Db<'_>, words: Args<'_>, reply: impl Fn(Option<Position>) -> Reply) -> CommandResult {
    let zset = db.get::<ZSetValue>(words[1])?;
    let place = |member: &&[u8]| zset.and_then(|zset| zset.score(member)).map(geohash::decode);
    Ok(Reply::Array(
        words[2..].iter().map(|member| reply(place(member))).collect(),
    ))
}

fn geopos(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    each_position(db, words, |at| at.map_or(Reply::NullArray, position_reply))
}

fn geohash(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    each_position(db, words, |at| {
        at.map_or(Reply::Null, |at| Reply::bulk(&geohash::text(at)))
    })
}

fn geodist(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let meters = match words[4..] {
        [] => 1.0,
        [name] => unit(name)?,
        _ => return Err(Status::Syntax),
    };
    let Some(zset) = db.get::<ZSetValue>(words[1])? else {
        return Ok(Reply::Null);
    };
    let place = |member| zset.score(member).map(geohash::decode);
    Ok(match (place(words[2]), place(words[3])) {
        (Some(a), Some(b)) => distance_reply(geohash::distance(a, b) / meters),
        _ => Reply::Null,
    })
}
