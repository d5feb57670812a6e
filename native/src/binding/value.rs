//! Making of JavaScript values.

use super::env::{Failure, Maker, Outcome, call_maker, check, make, refusal};
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

/// How many values the engine is handed at a time.
const HANDED_MAX: usize = 64;

/// An array in the making.
pub struct Items {
    env: napi_env,
    /// The array, once there is one, and behind it the values that are not in it yet.
    waiting: [napi_value; HANDED_MAX + 1],
    count: usize,
    begun: bool,
}

impl Items {
    /// An empty array.
    #[inline]
    pub fn new(env: napi_env) -> Items {
        Items {
            env,
            waiting: [ptr::null_mut(); HANDED_MAX + 1],
            count: 0,
            begun: false,
        }
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: napi_value) -> Result<(), Failure> {
        if self.count == HANDED_MAX {
            self.hand_over()?;
        }
        self.count += 1;
        self.waiting[self.count] = value;
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), Failure> {
        if self.begun {
            call_maker(self.env, Maker::Extend, &self.waiting[..=self.count])?;
        } else {
            self.waiting[0] = call_maker(self.env, Maker::Array, &self.waiting[1..=self.count])?;
            self.begun = true;
        }
        self.count = 0;
        Ok(())
    }

    /// The array.
    #[inline]
    pub fn finish(mut self) -> Outcome {
        if self.count > 0 || !self.begun {
            self.hand_over()?;
        }
        Ok(self.waiting[0])
    }

    /// What a maker makes of the array.
    pub fn made(self, maker: Maker) -> Outcome {
        let env = self.env;
        call_maker(env, maker, &[self.finish()?])
    }
}

/// An array.
pub fn array<T>(env: napi_env, items: &[T], value: impl FnMut(&T) -> Outcome) -> Outcome {
    let mut made = Items::new(env);
    for item in items.iter().map(value) {
        made.push(item?)?;
    }
    made.finish()
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
pub fn set(env: napi_env, object: napi_value, name: &CStr, value: napi_value) -> Result<(), Failure> {
    // SAFETY: two values of this call and a C string.
    check(unsafe { sys::napi_set_named_property(env, object, name.as_ptr(), value) })
}

/// A flat array of pairs.
fn flat(env: napi_env, pairs: &[(Reply, Reply)], as_buffer: bool) -> Result<Items, Failure> {
    let mut items = Items::new(env);
    for (first, second) in pairs {
        items.push(reply(env, first, as_buffer)?)?;
        items.push(reply(env, second, as_buffer)?)?;
    }
    Ok(items)
}

/// A reply.
pub fn reply(env: napi_env, reply_: &Reply, as_buffer: bool) -> Outcome {
    let one = |item: &Reply| reply(env, item, as_buffer);
    match reply_ {
        Reply::Simple(text) => bulk(env, text.as_bytes(), true, false),
        Reply::Bulk(bytes) => bulk(env, bytes, bytes.is_ascii(), as_buffer),
        Reply::Null | Reply::NullArray => null(env),
        Reply::Int(n) => integer(env, *n),
        Reply::Double(value) => number(env, *value),
        // Decimals are made of doubles, and so are numbers.
        Reply::Decimal(text) => number(env, text.parse().unwrap_or(f64::NAN)),
        Reply::Array(items) => array(env, items, one),
        Reply::Pairs(pairs) | Reply::ByKey(pairs) => flat(env, pairs, as_buffer)?.made(Maker::Pairs),
        Reply::Map(pairs) => flat(env, pairs, as_buffer)?.made(Maker::Map),
        Reply::Set(items) => call_maker(env, Maker::Set, &[array(env, items, one)?]),
        Reply::Error(status) => refusal(env, status),
    }
}
