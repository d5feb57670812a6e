//! `call`, `transaction` and `release`: any command, by its words.

use super::env::{FAULTED, Failure, Outcome};
use super::handle::{Call, Handle, add_function, keyspaces, run};
use super::value;
use super::word::{Requests, each_element};
use crate::command::route::{Route, execute_over, execute_transaction_over, route, route_transaction};
use crate::command::{Args, execute_resolved, resolve};
use crate::keyspace::registry::Registered;
use crate::reply::Reply;
use napi_sys::{napi_callback_info, napi_env, napi_value};
use std::rc::Rc;
use std::sync::Arc;

/// Refuses faulted shards; gives whether all may be read.
fn check_shards<'s>(
    handle: &Handle,
    shards: impl Iterator<Item = &'s Arc<Registered>>,
) -> Result<bool, Failure> {
    let mut readable = true;
    for shard in shards {
        if shard.keyspace.is_faulted() {
            return Err(FAULTED);
        }
        readable &= handle.may_read(shard);
    }
    Ok(readable)
}

/// Runs the command of these arguments (see [`Requests::read_arguments`]); `None` where the handle may not read.
pub fn reply_of(env: napi_env, handle: &Handle, arguments: &[napi_value]) -> Result<Option<Reply>, Failure> {
    Requests::with(|requests| {
        requests.read_arguments(env, arguments)?;
        reply_to(handle, &requests.words())
    })
}

fn reply_to(handle: &Handle, words: Args<'_>) -> Result<Option<Reply>, Failure> {
    let spec = resolve(words)?;
    if spec.write {
        handle.check_write()?;
    }
    let shards = handle.shards()?;
    let readable = match route(spec, words, shards.len())? {
        Route::One(shard) => {
            if !check_shards(handle, shards[shard..=shard].iter())? {
                return Ok(None);
            }
            return Ok(Some(execute_resolved(spec, &shards[shard].keyspace, words)?));
        }
        Route::Any => true,
        Route::Every => check_shards(handle, shards.iter())?,
    };
    if !readable {
        return Ok(None);
    }
    Ok(Some(execute_over(&keyspaces(&shards), words)?))
}

/// Runs commands as one; `None` where the handle may not read.
pub fn transaction_reply_of(
    env: napi_env,
    handle: &Handle,
    requests_value: napi_value,
) -> Result<Option<Reply>, Failure> {
    let mut requests = Requests::default();
    each_element(env, requests_value, "requests", |words| {
        requests.read(env, words, "each request")
    })?;
    let words = requests.words();
    let requests: Vec<Args<'_>> = requests.split(&words);
    if requests
        .iter()
        .filter_map(|words| resolve(words).ok())
        .any(|spec| spec.write)
    {
        handle.check_write()?;
    }
    let shards = handle.shards()?;
    let shard = route_transaction(&requests, shards.len())?;
    if !check_shards(handle, shards[shard..=shard].iter())? {
        return Ok(None);
    }
    Ok(Some(execute_transaction_over(&keyspaces(&shards), &requests)?))
}

/// Most words that may be arguments of their own, instead of elements of an array.
const ARGUMENTS_MAX: usize = 16;

fn call(call: &Call<'_, ARGUMENTS_MAX>) -> Outcome {
    let Some(arguments) = call.args.get(..call.count) else {
        return Err(Failure::Range(format!(
            "at most {ARGUMENTS_MAX} words may be arguments"
        )));
    };
    match reply_of(call.env, call.handle, arguments)? {
        Some(reply) => value::reply(call.env, &reply, call.handle.as_buffer),
        None => value::undefined(call.env),
    }
}

fn transaction(call: &Call<'_, 1>) -> Outcome {
    let one = |reply: &Reply| value::reply(call.env, reply, call.handle.as_buffer);
    match transaction_reply_of(call.env, call.handle, call.args[0])? {
        Some(Reply::Array(replies)) => value::array(call.env, &replies, one),
        Some(other) => one(&other),
        None => value::undefined(call.env),
    }
}

fn release(call: &Call<'_, 0>) -> Outcome {
    call.handle.release();
    value::undefined(call.env)
}

/// What a bug in a command would do, with a lock held. For tests of what becomes of it.
fn panic_on_purpose(call: &Call<'_, 0>) -> Outcome {
    let shard = call.handle.shard(b"")?;
    let _held = shard.keyspace.db_for(b"");
    panic!("on purpose")
}

/// Adds the functions to the handle's object.
pub fn add_all(env: napi_env, object: napi_value, handle: &Rc<Handle>) -> Result<(), Failure> {
    unsafe extern "C" fn call_entry(env: napi_env, info: napi_callback_info) -> napi_value {
        // SAFETY: called by Node for a function that `add_function` made; so are those below.
        unsafe { run(env, info, call) }
    }
    unsafe extern "C" fn transaction_entry(env: napi_env, info: napi_callback_info) -> napi_value {
        // SAFETY: see `call_entry`.
        unsafe { run(env, info, transaction) }
    }
    unsafe extern "C" fn release_entry(env: napi_env, info: napi_callback_info) -> napi_value {
        // SAFETY: see `call_entry`.
        unsafe { run(env, info, release) }
    }
    unsafe extern "C" fn panic_entry(env: napi_env, info: napi_callback_info) -> napi_value {
        // SAFETY: see `call_entry`.
        unsafe { run(env, info, panic_on_purpose) }
    }
    add_function(env, object, c"call", Some(call_entry), handle)?;
    add_function(env, object, c"transaction", Some(transaction_entry), handle)?;
    add_function(env, object, c"panic", Some(panic_entry), handle)?;
    add_function(env, object, c"release", Some(release_entry), handle)
}
