//! The addon's exports.

use super::env::{CLOSED, Failure, Outcome, remember, text, throw};
use super::handle::{Handle, Mode};
use super::value::{array, boolean, integer, null, number, object, undefined};
use super::word::{self, Accept, Place, Requests, each_element};
use super::{encoded, generic, hot, range, waiting};
use crate::clock;
use crate::command::route::SHARDS_MAX;
use crate::command::{FAMILIES, Grows, Keys, Spec, resolve};
use crate::keyspace::registry::{self, Registered};
use crate::keyspace::slot::slot_of;
use crate::keyspace::{Keyspace, Policy, Statistics};
use napi_derive::napi;
use napi_sys::{self as sys, napi_callback_info, napi_env, napi_value};
use std::panic::catch_unwind;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

/// Runs the body of a function without a handle. A panic becomes an exception.
unsafe fn run<const N: usize>(
    env: napi_env,
    info: napi_callback_info,
    body: fn(napi_env, [napi_value; N]) -> Outcome,
) -> napi_value {
    let (mut args, mut count) = ([ptr::null_mut(); N], N);
    // SAFETY: there is room for `N` arguments.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            args.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    let outcome = catch_unwind(|| body(env, args));
    let fault = Failure::Condition("FAULTED", "an invariant of the native code is broken");
    outcome
        .unwrap_or(Err(fault))
        .unwrap_or_else(|failure| throw(env, failure))
}

fn register(env: napi_env, [class, makers]: [napi_value; 2]) -> Outcome {
    remember(env, class, makers)?;
    undefined(env)
}

/// The keyspace of an id that JavaScript gave.
pub fn registered(env: napi_env, id: napi_value) -> Result<Arc<Registered>, Failure> {
    let id = word::integer(env, id, "id")?;
    u32::try_from(id).ok().and_then(registry::get).ok_or(CLOSED)
}

fn attach(env: napi_env, [ids, mode, as_buffer]: [napi_value; 3]) -> Outcome {
    let mut shards = Vec::new();
    each_element(env, ids, "ids", |id| {
        shards.push(registered(env, id)?);
        Ok(())
    })?;
    if shards.is_empty() || shards.len() > SHARDS_MAX {
        return Err(Failure::Range(format!("ids must be 1 to {SHARDS_MAX} keyspaces")));
    }
    let mut place = Place::<16>::new();
    let mode = match place.read(env, mode, Accept::Bytes, "mode")? {
        b"plain" => Mode::Plain,
        b"local" => Mode::Local,
        b"leased" => Mode::Leased,
        _ => return Err(Failure::Type("mode must be 'plain', 'local' or 'leased'".into())),
    };
    let mut buffers = false;
    // SAFETY: an argument of the running call.
    if unsafe { sys::napi_get_value_bool(env, as_buffer, &mut buffers) } != sys::Status::napi_ok {
        return Err(Failure::Type("bytes must be a boolean".into()));
    }
    let handle = Rc::new(Handle::new(shards, mode, buffers));
    let functions = object(env, &[])?;
    hot::add_all(env, functions, &handle)?;
    range::add_all(env, functions, &handle)?;
    generic::add_all(env, functions, &handle)?;
    waiting::add_all(env, functions, &handle)?;
    encoded::add_all(env, functions, &handle)?;
    Ok(functions)
}

fn keyspace_close(env: napi_env, [id]: [napi_value; 1]) -> Outcome {
    let id = word::integer(env, id, "id")?;
    u32::try_from(id).ok().and_then(registry::close).ok_or(CLOSED)?;
    undefined(env)
}

fn statistics(env: napi_env, [id]: [napi_value; 1]) -> Outcome {
    let place = registered(env, id)?;
    let statistics = place.keyspace.statistics();
    let memory = statistics.memory();
    let Statistics {
        keys,
        expires,
        memory_by_type,
        expired,
        evicted,
        ..
    } = statistics;
    let count = |n: usize| number(env, n as f64);
    let [string, hash, list, set, zset, stream] = memory_by_type.map(count);
    let by_type = object(
        env,
        &[
            (c"string", string?),
            (c"hash", hash?),
            (c"list", list?),
            (c"set", set?),
            (c"zset", zset?),
            (c"stream", stream?),
        ],
    )?;
    let (keys, expires, memory) = (count(keys)?, count(expires)?, count(memory)?);
    let (expired, evicted) = (count(expired as usize)?, count(evicted as usize)?);
    let snapshot = count(place.keyspace.preimage_bytes())?;
    let (limit, policy) = limit_of(env, &place.keyspace)?;
    object(
        env,
        &[
            (c"keys", keys),
            (c"expires", expires),
            (c"memoryBytes", memory),
            (c"memoryByType", by_type),
            (c"expiredKeys", expired),
            (c"evictedKeys", evicted),
            (c"snapshotBytes", snapshot),
            (c"maxMemory", limit),
            (c"maxMemoryPolicy", policy),
        ],
    )
}

/// The limit in bytes, 0 for none, and the name of the policy.
fn limit_of(env: napi_env, keyspace: &Keyspace) -> Result<(napi_value, napi_value), Failure> {
    let (bytes, policy) = match keyspace.limit() {
        Some(limit) => (limit.bytes, limit.policy),
        None => (usize::MAX, Policy::NoEviction),
    };
    let bytes = if bytes == usize::MAX { 0 } else { bytes };
    Ok((number(env, bytes as f64)?, text(env, policy.name())?))
}

fn digest(env: napi_env, [id]: [napi_value; 1]) -> Outcome {
    text(env, &format!("{:032x}", registered(env, id)?.keyspace.digest()))
}

fn fact(env: napi_env, spec: &Spec) -> Outcome {
    let count = |n: i64| number(env, n as f64);
    let keys = match spec.keys {
        Keys::None => text(env, "none")?,
        Keys::All => text(env, "all")?,
        Keys::Found(_) => text(env, "found")?,
        Keys::Counted { at } => object(env, &[(c"counted", count(at as i64)?)])?,
        Keys::Range { first, last, step } => {
            let (first, last, step) = (count(first as i64)?, count(last as i64)?, count(step as i64)?);
            object(env, &[(c"first", first), (c"last", last), (c"step", step)])?
        }
    };
    let (write, grows) = (
        boolean(env, spec.write)?,
        boolean(env, matches!(spec.grows, Grows::Always))?,
    );
    let (name, arity) = (text(env, spec.name)?, count(i64::from(spec.arity))?);
    object(
        env,
        &[
            (c"name", name),
            (c"arity", arity),
            (c"write", write),
            (c"grows", grows),
            (c"keys", keys),
        ],
    )
}

fn command_table(env: napi_env, []: [napi_value; 0]) -> Outcome {
    let specs: Vec<&Spec> = FAMILIES.iter().copied().flatten().collect();
    array(env, &specs, |spec| fact(env, spec))
}

fn slot(env: napi_env, [key]: [napi_value; 1]) -> Outcome {
    let mut place = Place::<256>::new();
    let key = place.read(env, key, Accept::Bytes, "key")?;
    integer(env, i64::from(slot_of(key)))
}

/// The slots of a request's keys; null if it may touch any.
fn slots(env: napi_env, [words]: [napi_value; 1]) -> Outcome {
    let mut requests = Requests::default();
    requests.read(env, words, "words")?;
    let words = requests.words();
    let spec = resolve(&words)?;
    if spec.needs_all(&words) {
        return null(env);
    }
    let keys = spec.keys_of(&words);
    array(env, keys.as_slice(), |key: &&[u8]| {
        integer(env, i64::from(slot_of(key)))
    })
}

/// The lease clock, milliseconds with a fraction.
#[napi(js_name = "boottimeMs")]
pub fn boottime_ms() -> f64 {
    clock::boottime_ns() as f64 / 1e6
}

/// Adds every export that needs no handle.
pub fn add_all(env: napi_env, exports: napi_value) -> Result<(), Failure> {
    macro_rules! add {
        ($($name:literal $body:path;)*) => {$({
            unsafe extern "C" fn entry(env: napi_env, info: napi_callback_info) -> napi_value {
                // SAFETY: called by Node for the function made below.
                unsafe { run(env, info, $body) }
            }
            // SAFETY: a C string, and a callback that lives as long as the addon.
            let function = super::env::make(|out| unsafe {
                sys::napi_create_function(env, $name.as_ptr(), -1, Some(entry), ptr::null_mut(), out)
            })?;
            super::value::set(env, exports, $name, function)?;
        })*};
    }
    add! {
        c"register" register;
        c"attach" attach;
        c"keyspaceClose" keyspace_close;
        c"statistics" statistics;
        c"digest" digest;
        c"commandTable" command_table;
        c"slotOf" slot;
        c"slotsOf" slots;
        c"transcodeReply" encoded::transcode;
        c"bellOpen" waiting::open_bell;
        c"bellAnswer" waiting::answer_bell;
        c"ticketBegin" waiting::begin;
        c"ticketFirst" waiting::first;
        c"ticketMissed" waiting::missed;
        c"ticketLeave" waiting::leave;
        c"ticketCount" waiting::count;
    }
    Ok(())
}
