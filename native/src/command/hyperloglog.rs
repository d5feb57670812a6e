//! HyperLogLog commands. A sketch is a string; [`crate::structure::hyperloglog`] knows its bytes.
//!
//! `PFCOUNT` is a read: it does not write down the cardinality that it has computed, as Redis does, because a read may run on
//! any peer, and all of them have to hold the same bytes.

use super::{Args, CommandResult, ONE, REST, Spec, grow, read};
use crate::keyspace::{Db, Expiry};
use crate::reply::Reply;
use crate::status::Status;
use crate::structure::hyperloglog::{self as sketch, Encoding, Fault, REGISTERS, Sketch};
use std::slice::from_ref;

/// The family's rows.
pub const COMMANDS: &[Spec] = &[
    grow("pfadd", -2, ONE, pfadd),
    read("pfcount", -2, REST, pfcount),
    grow("pfmerge", -2, REST, pfmerge),
];

fn refused(fault: Fault) -> Status {
    Status::Text(match fault {
        Fault::Foreign => "WRONGTYPE Key is not a valid HyperLogLog string value.",
        Fault::Corrupt => "INVALIDOBJ Corrupted HLL object detected",
    })
}

fn pfadd(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let (key, elements) = (words[1], &words[2..]);
    let held = db.string(key)?;
    let mut sketch = match held {
        None => Sketch::new(),
        Some(bytes) if sketch::encoding(bytes).map_err(refused)? == Encoding::Dense => {
            let (len, place) = (bytes.len(), 0..bytes.len());
            let changed = db.edit_string(key, len, from_ref(&place), |bytes| add_dense(bytes, elements))?;
            return Ok(Reply::flag(changed));
        }
        Some(bytes) => Sketch::read(bytes).map_err(refused)?,
    };
    let mut changed = held.is_none();
    sketch = sketch.limited(db.limits().hll_sparse_bytes);
    for element in elements {
        changed |= sketch.add(element);
    }
    if changed {
        sketch.forget_cardinality();
        db.put_string(key, sketch.bytes(), Expiry::Keep);
    }
    Ok(Reply::flag(changed))
}

fn add_dense(bytes: &mut [u8], elements: &[&[u8]]) -> bool {
    let mut changed = false;
    for element in elements {
        let (register, value) = sketch::place(element);
        changed |= sketch::raise_dense(bytes, register, value);
    }
    if changed {
        sketch::forget_cardinality(bytes);
    }
    changed
}

fn pfcount(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    if let [_, key] = words {
        let count = db.string(key)?.map_or(Ok(0), sketch::cardinality);
        return Ok(Reply::Int(count.map_err(refused)? as i64));
    }
    let mut registers = [0; REGISTERS];
    for key in &words[1..] {
        if let Some(bytes) = db.string(key)? {
            sketch::join(&mut registers, bytes).map_err(refused)?;
        }
    }
    Ok(Reply::Int(sketch::cardinality_of(&registers) as i64))
}

fn pfmerge(db: &mut Db<'_>, words: Args<'_>) -> CommandResult {
    let mut registers = [0; REGISTERS];
    let mut dense = false;
    for key in &words[1..] {
        if let Some(bytes) = db.string(key)? {
            dense |= sketch::join(&mut registers, bytes).map_err(refused)? == Encoding::Dense;
        }
    }
    let destination = words[1];
    let mut merged = db
        .string(destination)?
        .map_or_else(|| Ok(Sketch::new()), Sketch::read)
        .map_err(refused)?
        .limited(db.limits().hll_sparse_bytes);
    if dense {
        merged.make_dense();
    }
    for (register, &value) in registers.iter().enumerate().filter(|(_, value)| **value > 0) {
        merged.raise(register, value);
    }
    merged.forget_cardinality();
    db.put_string(destination, merged.bytes(), Expiry::Keep);
    Ok(Reply::OK)
}

#[cfg(test)]
#[path = "tests/hyperloglog.rs"]
mod tests;
