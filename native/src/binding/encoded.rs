//! Replies as the bytes that a client of the Redis protocol is sent: kinds that JavaScript does not have (statuses, doubles,
//! pairs) never turn into its values. Refusals of commands are replies here, not exceptions.

use super::env::{Failure, Outcome, make};
use super::generic;
use super::handle::{Call, Handle, add_function, run};
use super::value;
use super::word::{Accept, append, number};
use crate::reply::Reply;
use crate::resp::{Progress, Protocol, decode_reply, encode_reply};
use napi_sys::{self as sys, napi_callback_info, napi_env, napi_value};
use std::rc::Rc;

/// Replies up to this length are given as strings of one-byte characters, which are cheaper to make and to join than Buffers.
const TEXT_BYTES_MAX: usize = 4096;

fn protocol(env: napi_env, value: napi_value) -> Result<Protocol, Failure> {
    match number(env, value, "protocol")? {
        2.0 => Ok(Protocol::Resp2),
        3.0 => Ok(Protocol::Resp3),
        _ => Err(Failure::Range("protocol must be 2 or 3".into())),
    }
}

/// One byte to a character, or a Buffer.
fn bytes(env: napi_env, bytes: &[u8]) -> Outcome {
    if bytes.len() > TEXT_BYTES_MAX {
        return value::bulk(env, bytes, false, true);
    }
    let (start, len) = (bytes.as_ptr().cast(), bytes.len() as isize);
    // SAFETY: pointer and length are those of `bytes`; Node copies them.
    make(|out| unsafe { sys::napi_create_string_latin1(env, start, len, out) })
}

fn encoded(env: napi_env, reply: &Reply, protocol: Protocol) -> Outcome {
    let mut out = Vec::new();
    encode_reply(reply, protocol, &mut out);
    bytes(env, &out)
}

/// `undefined` where the handle may not read, as for `call`.
fn answer(call: &Call<'_, 2>, reply: Result<Option<Reply>, Failure>) -> Outcome {
    let protocol = protocol(call.env, call.args[1])?;
    match reply {
        Ok(Some(reply)) => encoded(call.env, &reply, protocol),
        Ok(None) => value::undefined(call.env),
        Err(Failure::Refused(status)) => encoded(call.env, &Reply::Error(status), protocol),
        Err(failure) => Err(failure),
    }
}

fn call_encoded(call: &Call<'_, 2>) -> Outcome {
    answer(call, generic::reply_of(call.env, call.handle, &call.args[..1]))
}

fn transaction_encoded(call: &Call<'_, 2>) -> Outcome {
    let reply = generic::transaction_reply_of(call.env, call.handle, call.args[0]);
    answer(call, reply)
}

/// The bytes for a client, from a reply that went through the log.
pub fn transcode(env: napi_env, [reply, wanted]: [napi_value; 2]) -> Outcome {
    let mut lossless = Vec::new();
    append(env, reply, &mut lossless, Accept::Bytes, "reply")?;
    match decode_reply(&lossless) {
        Ok(Progress::Done(reply, used)) if used == lossless.len() => {
            encoded(env, &reply, protocol(env, wanted)?)
        }
        _ => Err(Failure::Range("reply must be one complete reply".into())),
    }
}

/// Adds the functions to the handle's object.
pub fn add_all(env: napi_env, object: napi_value, handle: &Rc<Handle>) -> Result<(), Failure> {
    unsafe extern "C" fn call_entry(env: napi_env, info: napi_callback_info) -> napi_value {
        // SAFETY: called by Node for a function that `add_function` made; so is the next.
        unsafe { run(env, info, call_encoded) }
    }
    unsafe extern "C" fn transaction_entry(env: napi_env, info: napi_callback_info) -> napi_value {
        // SAFETY: see `call_entry`.
        unsafe { run(env, info, transaction_encoded) }
    }
    add_function(env, object, c"callEncoded", Some(call_entry), handle)?;
    add_function(
        env,
        object,
        c"transactionEncoded",
        Some(transaction_entry),
        handle,
    )
}
