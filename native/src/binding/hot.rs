//! The commands that have a native function of their own: arguments on the stack, no request, no reply in between.

use super::env::{Failure, Outcome};
use super::handle::{Call, Handle, add_function, run};
use super::value;
use super::word::{Accept, Place, integer, number};
use crate::command::key::{expire_in, expiry_number, remaining_ms};
use crate::command::{self, Spec, string};
use crate::keyspace::{Db, Expiry, Keyspace};
use crate::reply::Reply;
use crate::status::Status;
use crate::value::{Collection, Element, HashValue, ListValue, SetValue, ZSetValue};
use napi_sys::{napi_callback_info, napi_env, napi_value};
use std::rc::Rc;
use std::sync::LazyLock;

/// Longest key, field or member that stays on the stack.
const KEY_BYTES: usize = 256;
/// Longest value that stays on the stack.
const VALUE_BYTES: usize = 1024;

pub(super) type Key = Place<KEY_BYTES>;
type Value = Place<VALUE_BYTES>;

/// Runs a read under the key's lock. `None`: the handle may not answer now.
#[inline]
pub(super) fn read<const N: usize, R>(
    call: &Call<'_, N>,
    key: &[u8],
    op: impl FnOnce(&Db<'_>) -> Result<R, Status>,
) -> Result<Option<R>, Failure> {
    let shard = call.handle.shard(key)?;
    if !call.handle.may_read(&shard) {
        return Ok(None);
    }
    Ok(Some(op(&shard.keyspace.db_for(key))?))
}

/// Runs a write under the key's lock.
#[inline]
fn write<const N: usize, R>(
    call: &Call<'_, N>,
    key: &[u8],
    op: impl FnOnce(&mut Db<'_>) -> Result<R, Status>,
) -> Result<R, Failure> {
    write_after(call, key, |_| Ok(()), op)
}

/// As [`write`], for what may need memory.
#[inline]
fn grow<const N: usize, R>(
    call: &Call<'_, N>,
    key: &[u8],
    op: impl FnOnce(&mut Db<'_>) -> Result<R, Status>,
) -> Result<R, Failure> {
    write_after(call, key, Keyspace::make_room, op)
}

#[inline]
fn write_after<const N: usize, R>(
    call: &Call<'_, N>,
    key: &[u8],
    prepare: impl FnOnce(&Keyspace) -> Result<(), Status>,
    op: impl FnOnce(&mut Db<'_>) -> Result<R, Status>,
) -> Result<R, Failure> {
    call.handle.check_write()?;
    let shard = call.handle.shard(key)?;
    prepare(&shard.keyspace)?;
    Ok(op(&mut shard.keyspace.db_for(key))?)
}

/// A read whose result is a count; `undefined` while the handle may not answer.
#[inline]
fn count<const N: usize>(
    call: &Call<'_, N>,
    key: &[u8],
    op: impl FnOnce(&Db<'_>) -> Result<i64, Status>,
) -> Outcome {
    match read(call, key, op)? {
        Some(n) => value::integer(call.env, n),
        None => value::undefined(call.env),
    }
}

/// The number of elements of a collection.
fn length<C: Collection>(call: &Call<'_, 1>, len: impl FnOnce(&C) -> usize) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    count(call, key, |db| Ok(db.get::<C>(key)?.map_or(0, len) as i64))
}

/// Bytes copied out of the keyspace under its lock, so that the JavaScript value is made after it.
struct Copied {
    place: Place<VALUE_BYTES>,
    len: usize,
    ascii: bool,
}

impl Copied {
    #[inline]
    fn new() -> Copied {
        Copied {
            place: Place::new(),
            len: 0,
            ascii: false,
        }
    }

    #[inline]
    fn take(&mut self, bytes: &[u8], ascii: bool) {
        self.place.write(bytes);
        (self.len, self.ascii) = (bytes.len(), ascii);
    }

    #[inline]
    fn give(&self, env: napi_env, handle: &Handle) -> Outcome {
        value::bulk(env, self.place.written(self.len), self.ascii, handle.as_buffer)
    }
}

fn get(call: &Call<'_, 1>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let mut copied = Copied::new();
    let found = read(call, key, |db| {
        let text = db.text(key)?;
        Ok(text.map(|(bytes, ascii)| copied.take(bytes, ascii)).is_some())
    })?;
    bulk(call, found, &copied)
}

/// What a read gives that has copied a bulk, has found none, or was not allowed.
#[inline]
fn bulk<const N: usize>(call: &Call<'_, N>, found: Option<bool>, copied: &Copied) -> Outcome {
    match found {
        Some(true) => copied.give(call.env, call.handle),
        Some(false) => value::null(call.env),
        None => value::undefined(call.env),
    }
}

fn set(call: &Call<'_, 2>) -> Outcome {
    let (mut key, mut value) = (Key::new(), Value::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let bytes = value.read(call.env, call.args[1], Accept::Words, "value")?;
    grow(call, key, |db| {
        db.put_string(key, bytes, Expiry::Never);
        Ok(())
    })?;
    value::undefined(call.env)
}

fn del(call: &Call<'_, 1>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    value::integer(call.env, i64::from(write(call, key, |db| Ok(db.remove(key)))?))
}

fn exists(call: &Call<'_, 1>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    count(call, key, |db| Ok(i64::from(db.exists(key))))
}

fn strlen(call: &Call<'_, 1>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    count(call, key, |db| Ok(db.string(key)?.map_or(0, <[u8]>::len) as i64))
}

fn incrby(call: &Call<'_, 2>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let by = integer(call.env, call.args[1], "by")?;
    value::integer(call.env, grow(call, key, |db| string::increment(db, key, by))?)
}

fn pexpire(call: &Call<'_, 2>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let ms = integer(call.env, call.args[1], "ms")?;
    value::integer(
        call.env,
        i64::from(write(call, key, |db| expire_in(db, key, ms))?),
    )
}

fn pttl(call: &Call<'_, 1>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    count(call, key, |db| Ok(expiry_number(db, key, remaining_ms)))
}

/// Runs a command of the table that takes a key and further words, and answers with an integer.
#[inline]
fn table_write<const N: usize>(call: &Call<'_, N>, spec: &Spec, words: &[&[u8]]) -> Outcome {
    let run = |db: &mut Db<'_>| (spec.handler)(db, words);
    let reply = if spec.grows(words) {
        grow(call, words[1], run)?
    } else {
        write(call, words[1], run)?
    };
    match reply {
        Reply::Int(n) => value::integer(call.env, n),
        other => value::reply(call.env, &other, call.handle.as_buffer),
    }
}

/// Defines a write of a key and one word that runs the command of the table.
macro_rules! table_writes {
    ($($name:ident $text:literal $word:literal $accept:expr;)*) => {$(
        fn $name(call: &Call<'_, 2>) -> Outcome {
            static SPEC: LazyLock<&Spec> = LazyLock::new(|| command::known($text));
            let (mut key, mut word) = (Key::new(), Value::new());
            let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
            let word = word.read(call.env, call.args[1], $accept, $word)?;
            table_write(call, &SPEC, &[$text.as_bytes(), key, word])
        }
    )*};
}

table_writes! {
    hdel "hdel" "field" Accept::Bytes;
    lpush "lpush" "value" Accept::Words;
    rpush "rpush" "value" Accept::Words;
    sadd "sadd" "member" Accept::Words;
    srem "srem" "member" Accept::Words;
    zrem "zrem" "member" Accept::Bytes;
}

fn hset(call: &Call<'_, 3>) -> Outcome {
    static SPEC: LazyLock<&Spec> = LazyLock::new(|| command::known("hset"));
    let (mut key, mut field, mut value) = (Key::new(), Key::new(), Value::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let field = field.read(call.env, call.args[1], Accept::Bytes, "field")?;
    let value = value.read(call.env, call.args[2], Accept::Words, "value")?;
    table_write(call, &SPEC, &[b"hset", key, field, value])
}

fn hget(call: &Call<'_, 2>) -> Outcome {
    let (mut key, mut field) = (Key::new(), Key::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let field = field.read(call.env, call.args[1], Accept::Bytes, "field")?;
    let mut copied = Copied::new();
    let found = read(call, key, |db| {
        let value = db.get::<HashValue>(key)?.and_then(|hash| hash.get(field));
        Ok(value.map(|value| copy_element(&mut copied, value)).is_some())
    })?;
    bulk(call, found, &copied)
}

fn copy_element(copied: &mut Copied, element: Element<'_>) {
    let mut buffer = itoa::Buffer::new();
    let bytes = element.as_bytes(&mut buffer);
    copied.take(bytes, bytes.is_ascii());
}

fn hexists(call: &Call<'_, 2>) -> Outcome {
    let (mut key, mut field) = (Key::new(), Key::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let field = field.read(call.env, call.args[1], Accept::Bytes, "field")?;
    count(call, key, |db| {
        let hash = db.get::<HashValue>(key)?;
        Ok(i64::from(hash.is_some_and(|hash| hash.get(field).is_some())))
    })
}

fn hlen(call: &Call<'_, 1>) -> Outcome {
    length(call, HashValue::len)
}

fn llen(call: &Call<'_, 1>) -> Outcome {
    length(call, ListValue::len)
}

fn scard(call: &Call<'_, 1>) -> Outcome {
    length(call, SetValue::len)
}

fn zcard(call: &Call<'_, 1>) -> Outcome {
    length(call, ZSetValue::len)
}

fn pop(call: &Call<'_, 1>, from: impl FnOnce(&mut ListValue) -> Option<Vec<u8>>) -> Outcome {
    let mut key = Key::new();
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    match write(call, key, |db| Ok(db.edit(key, from)?.flatten()))? {
        Some(bytes) => value::bulk(call.env, &bytes, bytes.is_ascii(), call.handle.as_buffer),
        None => value::null(call.env),
    }
}

fn lpop(call: &Call<'_, 1>) -> Outcome {
    pop(call, ListValue::pop_front)
}

fn rpop(call: &Call<'_, 1>) -> Outcome {
    pop(call, ListValue::pop_back)
}

fn sismember(call: &Call<'_, 2>) -> Outcome {
    let (mut key, mut member) = (Key::new(), Key::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let member = member.read(call.env, call.args[1], Accept::Words, "member")?;
    count(call, key, |db| {
        let set = db.get::<SetValue>(key)?;
        Ok(i64::from(set.is_some_and(|set| set.contains(member))))
    })
}

fn zadd(call: &Call<'_, 3>) -> Outcome {
    let (mut key, mut member) = (Key::new(), Key::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let score = number(call.env, call.args[1], "score")?;
    let member = member.read(call.env, call.args[2], Accept::Bytes, "member")?;
    if score.is_nan() {
        return Err(Status::NotFloat.into());
    }
    let new = grow(call, key, |db| {
        db.upsert(key, |zset: &mut ZSetValue| zset.insert(score, member).is_none())
    })?;
    value::integer(call.env, i64::from(new))
}

fn zincrby(call: &Call<'_, 3>) -> Outcome {
    let (mut key, mut member) = (Key::new(), Key::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let by = number(call.env, call.args[1], "by")?;
    let member = member.read(call.env, call.args[2], Accept::Bytes, "member")?;
    if by.is_nan() {
        return Err(Status::NotFloat.into());
    }
    let score = grow(call, key, |db| {
        let add = |zset: &mut ZSetValue| {
            let score = zset.score(member).unwrap_or(0.0) + by;
            if score.is_nan() {
                return Err(Status::Text("ERR resulting score is not a number (NaN)"));
            }
            zset.insert(score, member);
            Ok(score)
        };
        db.upsert(key, add)?
    })?;
    value::number(call.env, score)
}

/// A read of a sorted set's member: a number, or null if it is not there.
fn member_number(call: &Call<'_, 2>, of: impl FnOnce(&ZSetValue, &[u8]) -> Option<f64>) -> Outcome {
    let (mut key, mut member) = (Key::new(), Key::new());
    let key = key.read(call.env, call.args[0], Accept::Bytes, "key")?;
    let member = member.read(call.env, call.args[1], Accept::Bytes, "member")?;
    let found = read(call, key, |db| {
        Ok(db.get::<ZSetValue>(key)?.and_then(|zset| of(zset, member)))
    })?;
    match found {
        Some(Some(number)) => value::number(call.env, number),
        Some(None) => value::null(call.env),
        None => value::undefined(call.env),
    }
}

fn zscore(call: &Call<'_, 2>) -> Outcome {
    member_number(call, ZSetValue::score)
}

fn zrank(call: &Call<'_, 2>) -> Outcome {
    member_number(call, |zset, member| zset.rank(member).map(|rank| rank as f64))
}

/// Adds every function to the handle's object.
pub fn add_all(env: napi_env, object: napi_value, handle: &Rc<Handle>) -> Result<(), Failure> {
    macro_rules! add {
        ($($name:ident)*) => {$({
            unsafe extern "C" fn entry(env: napi_env, info: napi_callback_info) -> napi_value {
                // SAFETY: called by Node for a function that `add_function` made.
                unsafe { run(env, info, $name) }
            }
            const NAME: &[u8] = concat!(stringify!($name), "\0").as_bytes();
            // `concat!` put exactly one zero at the end.
            let name = std::ffi::CStr::from_bytes_with_nul(NAME).unwrap_or_default();
            add_function(env, object, name, Some(entry), handle)?;
        })*};
    }
    add! {
        get set del exists strlen incrby pexpire pttl hset hget hdel hexists hlen lpush rpush lpop rpop llen
        sadd srem sismember scard zadd zincrby zscore zrank zcard zrem
    }
    Ok(())
}
