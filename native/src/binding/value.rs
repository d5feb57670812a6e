//! Making of JavaScript values.

use super::env::{Outcome, check, make, refusal};
use super::word::SAFE_INTEGER_MAX;
use crate::reply::Reply;
use napi_sys::{self as sys, napi_env, napi_value};
use std::ffi::CStr;
use std::ptr;

/// `undefined`.
pub fn undefined(env: napi_env) -> Outcome {
    // SAFETY: `env` is the running call's, here and below.
    make(|out| unsafe { sys::napi_get_undefined(env, out) })
}

/// `null`.
pub fn null(env: napi_env) -> Outcome {
    // SAFETY: see `undefined`.
    make(|out| unsafe { sys::napi_get_null(env, out) })
}

/// `true` or `false`.
pub fn boolean(env: napi_env, yes: bool) -> Outcome {
    // SAFETY: see `undefined`.
    make(|out| unsafe { sys::napi_get_boolean(env, yes, out) })
}

/// A number.
pub fn number(env: napi_env, number: f64) -> Outcome {
    // SAFETY: see `undefined`.
    make(|out| unsafe { sys::napi_create_double(env, number, out) })
}

/// A number, or a bigint beyond the safe integers.
#[inline]
pub fn integer(env: napi_env, n: i64) -> Outcome {
    if let Ok(small) = i32::try_from(n) {
        // SAFETY: see `undefined`.
        return make(|out| unsafe { sys::napi_create_int32(env, small, out) });
    }
    if n.unsigned_abs() <= SAFE_INTEGER_MAX as u64 {
        return number(env, n as f64);
    }
    // SAFETY: see `undefined`.
    make(|out| unsafe { sys::napi_create_bigint_int64(env, n, out) })
}

/// A bulk: a Buffer, or a string (from one-byte characters if the bytes are known to be ASCII).
#[inline]
pub fn bulk(env: napi_env, bytes: &[u8], ascii: bool, as_buffer: bool) -> Outcome {
    let (start, len) = (bytes.as_ptr(), bytes.len());
    if as_buffer {
        // SAFETY: pointer and length are those of `bytes`; Node copies them.
        return make(|out| unsafe {
            sys::napi_create_buffer_copy(env, len, start.cast(), ptr::null_mut(), out)
        });
    }
    if ascii {
        // SAFETY: as above.
        return make(|out| unsafe { sys::napi_create_string_latin1(env, start.cast(), len as isize, out) });
    }
    // SAFETY: as above; what is not UTF-8 becomes replacement characters.
    make(|out| unsafe { sys::napi_create_string_utf8(env, start.cast(), len as isize, out) })
}

/// An array.
pub fn array<T>(env: napi_env, items: &[T], mut value: impl FnMut(&T) -> Outcome) -> Outcome {
    // SAFETY: see `undefined`.
    let array = make(|out| unsafe { sys::napi_create_array_with_length(env, items.len(), out) })?;
    for (i, item) in items.iter().enumerate() {
        let value = value(item)?;
        // SAFETY: both are values of this call.
        check(unsafe { sys::napi_set_element(env, array, i as u32, value) })?;
    }
    Ok(array)
}

/// An object.
pub fn object(env: napi_env, properties: &[(&CStr, napi_value)]) -> Outcome {
    // SAFETY: see `undefined`.
    let object = make(|out| unsafe { sys::napi_create_object(env, out) })?;
    for (name, value) in properties {
        set(env, object, name, *value)?;
    }
    Ok(object)
}

/// Sets a property.
pub fn set(
    env: napi_env,
    object: napi_value,
    name: &CStr,
    value: napi_value,
) -> Result<(), super::env::Failure> {
    // SAFETY: two values of this call and a C string.
    check(unsafe { sys::napi_set_named_property(env, object, name.as_ptr(), value) })
}

/// What a global constructor makes of one argument.
fn construct(env: napi_env, class: &CStr, argument: napi_value) -> Outcome {
    // SAFETY: values of this call and a C string.
    unsafe {
        let global = make(|out| sys::napi_get_global(env, out))?;
        let class = make(|out| sys::napi_get_named_property(env, global, class.as_ptr(), out))?;
        make(|out| sys::napi_new_instance(env, class, 1, &argument, out))
    }
}

/// A reply.
pub fn reply(env: napi_env, reply_: &Reply, as_buffer: bool) -> Outcome {
    let one = |item: &Reply| reply(env, item, as_buffer);
    let pair = |(first, second): &(Reply, Reply)| array(env, &[first, second], |item| one(item));
    match reply_ {
        Reply::Simple(text) => bulk(env, text.as_bytes(), true, false),
        Reply::Bulk(bytes) => bulk(env, bytes, bytes.is_ascii(), as_buffer),
        Reply::Null | Reply::NullArray => null(env),
        Reply::Int(n) => integer(env, *n),
        Reply::Double(value) => number(env, *value),
        Reply::Array(items) => array(env, items, one),
        Reply::Pairs(pairs) => array(env, pairs, pair),
        Reply::Map(pairs) => construct(env, c"Map", array(env, pairs, pair)?),
        Reply::Set(items) => construct(env, c"Set", array(env, items, one)?),
        Reply::Error(status) => refusal(env, status),
    }
}
