//! Reads of several elements that have a native function of their own.
//!
//! Elements are copied under the key's lock into room that the thread keeps, and become JavaScript values behind it: no
//! lock is held while the engine may collect garbage.

use super::env::{Failure, Maker, Outcome};
use super::handle::{Call, Handle, add_function, run};
use super::hot::{Key, read};
use super::value::{self, Items};
use super::word::{Accept, integer};
use crate::command::span;
use crate::value::{Collection, Element, HashValue, ListValue, SetValue, ZSetValue};
use napi_sys::{napi_callback_info, napi_env, napi_value};
use std::cell::Cell;
use std::rc::Rc;

/// A thread keeps no more room than this for the next elements.
const SPARE_BYTES_MAX: usize = 64 * 1024;

/// What an element is.
#[derive(Clone, Copy)]
enum Kind {
    /// So many bytes, all ASCII.
    Ascii(usize),
    /// So many bytes.
    Bytes(usize),
    Score(f64),
}

/// Copied elements.
#[derive(Default)]
struct Copies {
    bytes: Vec<u8>,
    kinds: Vec<Kind>,
}

thread_local! {
    /// Room from the copies before.
    static SPARE: Cell<Copies> = Cell::default();
}

impl Copies {
    fn push(&mut self, element: Element<'_>) {
        let mut buffer = itoa::Buffer::new();
        let bytes = element.as_bytes(&mut buffer);
        self.bytes.extend_from_slice(bytes);
        self.kinds.push(if bytes.is_ascii() {
            Kind::Ascii(bytes.len())
        } else {
            Kind::Bytes(bytes.len())
        });
    }

    fn push_pair(&mut self, (first, second): (Element<'_>, Element<'_>)) {
        self.push(first);
        self.push(second);
    }

    fn push_scored(&mut self, (member, score): (Element<'_>, f64)) {
        self.push(member);
        self.kinds.push(Kind::Score(score));
    }

    fn items(&self, env: napi_env, as_buffer: bool) -> Result<Items, Failure> {
        let (mut items, mut rest) = (Items::new(env), &self.bytes[..]);
        for &kind in &self.kinds {
            let (len, ascii) = match kind {
                Kind::Ascii(len) => (len, true),
                Kind::Bytes(len) => (len, false),
                Kind::Score(score) => {
                    items.push(value::number(env, score)?)?;
                    continue;
                }
            };
            let (bytes, behind) = rest.split_at(len);
            items.push(value::bulk(env, bytes, ascii, as_buffer)?)?;
            rest = behind;
        }
        Ok(items)
    }
}

/// Runs a read that copies elements of the collection under the first argument; what `give` makes of them, or `undefined`
/// while the handle may not answer.
#[inline]
fn elements<const N: usize, C: Collection>(
    call: &Call<'_, N>,
    copy: impl FnOnce(&C, &mut Copies),
    give: impl FnOnce(Items) -> Outcome,
) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let mut copies = SPARE.take();
    let found = read(call, key, |db| {
        if let Some(collection) = db.get::<C>(key)? {
            copy(collection, &mut copies);
        }
        Ok(())
    });
    let answer = match found {
        Ok(Some(())) => copies.items(call.env, call.handle.as_buffer).and_then(give),
        Ok(None) => value::undefined(call.env),
        Err(failure) => Err(failure),
    };
    if copies.bytes.capacity() + copies.kinds.capacity() * size_of::<Kind>() <= SPARE_BYTES_MAX {
        copies.bytes.clear();
        copies.kinds.clear();
        SPARE.set(copies);
    }
    answer
}

fn hgetall(call: &Call<'_, 1>) -> Outcome {
    let maker = if call.handle.as_buffer {
        Maker::Map
    } else {
        Maker::Fields
    };
    let copy = |hash: &HashValue, copies: &mut Copies| hash.iter().for_each(|pair| copies.push_pair(pair));
    elements(call, copy, |items| items.made(maker))
}

fn smembers(call: &Call<'_, 1>) -> Outcome {
    let copy = |set: &SetValue, copies: &mut Copies| set.iter().for_each(|member| copies.push(member));
    elements(call, copy, Items::finish)
}

/// The second and third argument: where a range begins and ends.
fn ends(call: &Call<'_, 3>) -> Result<(i64, i64), Failure> {
    let start = integer(call.env, call.args[1], "start")?;
    Ok((start, integer(call.env, call.args[2], "stop")?))
}

fn lrange(call: &Call<'_, 3>) -> Outcome {
    let ends = ends(call)?;
    let copy = |list: &ListValue, copies: &mut Copies| {
        let wanted = span::indexes(ends, list.len());
        let found = list.iter_from(wanted.start).take(wanted.len());
        found.for_each(|element| copies.push(element));
    };
    elements(call, copy, Items::finish)
}

/// Members by their ranks, from either end, each handed to `push`.
fn ranked(
    call: &Call<'_, 3>,
    reverse: bool,
    push: impl Fn(&mut Copies, (Element<'_>, f64)),
    give: impl FnOnce(Items) -> Outcome,
) -> Outcome {
    let ends = ends(call)?;
    let copy = |zset: &ZSetValue, copies: &mut Copies| {
        let (len, wanted) = (zset.len(), span::indexes(ends, zset.len()));
        if reverse {
            let found = zset.range(len - wanted.end..len - wanted.start).rev();
            found.for_each(|scored| push(copies, scored));
        } else {
            zset.range(wanted).for_each(|scored| push(copies, scored));
        }
    };
    elements(call, copy, give)
}

fn push_member(copies: &mut Copies, (member, _): (Element<'_>, f64)) {
    copies.push(member);
}

fn zrange(call: &Call<'_, 3>) -> Outcome {
    ranked(call, false, push_member, Items::finish)
}

fn zrevrange(call: &Call<'_, 3>) -> Outcome {
    ranked(call, true, push_member, Items::finish)
}

fn zrange_scored(call: &Call<'_, 3>) -> Outcome {
    ranked(call, false, Copies::push_scored, |items| {
        items.made(Maker::Scored)
    })
}

fn zrevrange_scored(call: &Call<'_, 3>) -> Outcome {
    ranked(call, true, Copies::push_scored, |items| items.made(Maker::Scored))
}

/// Adds every function to the handle's object.
pub fn add_all(env: napi_env, object: napi_value, handle: &Rc<Handle>) -> Result<(), Failure> {
    macro_rules! add {
        ($($name:literal $body:ident;)*) => {$({
            unsafe extern "C" fn entry(env: napi_env, info: napi_callback_info) -> napi_value {
                // SAFETY: called by Node for a function that `add_function` made.
                unsafe { run(env, info, $body) }
            }
            add_function(env, object, $name, Some(entry), handle)?;
        })*};
    }
    add! {
        c"hgetall" hgetall;
        c"smembers" smembers;
        c"lrange" lrange;
        c"zrange" zrange;
        c"zrevrange" zrevrange;
        c"zrangeScored" zrange_scored;
        c"zrevrangeScored" zrevrange_scored;
    }
    Ok(())
}
