//! What one thread's copy of the addon keeps, and how calls fail.

use super::waiting::Waits;
use crate::status::Status;
use napi_sys::{self as sys, napi_env, napi_ref, napi_value};
use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::ptr;

/// Why a call gives no value.
#[derive(Debug)]
pub enum Failure {
    /// A command's refusal: a `HoldfastError` with the first word of its text as code.
    Refused(Status),
    /// An operating condition with this code.
    Condition(&'static str, &'static str),
    /// Misuse: a `TypeError`.
    Type(String),
    /// Misuse: a `RangeError`.
    Range(String),
    /// Node-API has an exception pending, or refused.
    Pending,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Refused(status)
    }
}

/// The result of a native function.
pub type Outcome = Result<napi_value, Failure>;

/// The use of a handle that was released, or an id that was closed.
pub const CLOSED: Failure = Failure::Condition("CLOSED", "the keyspace is closed");
/// Any use of a keyspace in which a command panicked.
pub const FAULTED: Failure = Failure::Condition("FAULTED", "an invariant of the keyspace is broken");

/// Functions of JavaScript that put replies together. The engine makes an array of a call's arguments in a third of the time
/// that setting its elements one by one takes.
#[derive(Clone, Copy)]
pub enum Maker {
    /// An array of the arguments.
    Array,
    /// Appends the arguments behind the first to it, an array.
    Extend,
    /// An array of pairs, from a flat array.
    Pairs,
    /// A Map, from a flat array.
    Map,
    /// A Set, from an array.
    Set,
    /// The fields of a hash as a record, from a flat array.
    Fields,
    /// Members with their scores, from a flat array.
    Scored,
}

/// The makers by name, in the order of [`Maker`].
const MAKERS: [&CStr; 7] = [
    c"array", c"extend", c"pairs", c"map", c"set", c"fields", c"scored",
];

/// What one thread keeps.
struct Instance {
    error_class: napi_ref,
    makers: [napi_ref; MAKERS.len()],
    /// Its tickets go with it, however it ends.
    waits: RefCell<Waits>,
}

unsafe extern "C" fn drop_instance(_: napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `data` is the box that `remember` leaked; Node calls this once.
    drop(unsafe { Box::from_raw(data.cast::<Instance>()) });
}

/// Turns a status of Node-API into a result.
#[inline]
pub fn check(status: sys::napi_status) -> Result<(), Failure> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Failure::Pending)
    }
}

/// Makes a value with a function of Node-API that writes it to its last argument.
#[inline]
pub fn make(create: impl FnOnce(*mut napi_value) -> sys::napi_status) -> Outcome {
    let mut value = ptr::null_mut();
    check(create(&mut value))?;
    Ok(value)
}

fn reference(env: napi_env, value: napi_value) -> Result<napi_ref, Failure> {
    let mut reference = ptr::null_mut();
    // SAFETY: a value of the running call.
    check(unsafe { sys::napi_create_reference(env, value, 1, &mut reference) })?;
    Ok(reference)
}

/// Refuses what is no function.
fn check_function(env: napi_env, value: napi_value, name: &str) -> Result<(), Failure> {
    let mut kind = 0;
    // SAFETY: a value of the running call.
    check(unsafe { sys::napi_typeof(env, value, &mut kind) })?;
    if kind == sys::ValueType::napi_function {
        Ok(())
    } else {
        Err(Failure::Type(format!("{name} must be a function")))
    }
}

/// Remembers the class that command errors are made of, and the functions that make replies.
pub fn remember(env: napi_env, class: napi_value, makers: napi_value) -> Result<(), Failure> {
    check_function(env, class, "errorClass")?;
    let mut instance = Instance {
        error_class: reference(env, class)?,
        makers: [ptr::null_mut(); MAKERS.len()],
        waits: RefCell::default(),
    };
    for (place, name) in instance.makers.iter_mut().zip(MAKERS) {
        // SAFETY: a value of the running call and a C string.
        let maker = make(|out| unsafe { sys::napi_get_named_property(env, makers, name.as_ptr(), out) })?;
        check_function(env, maker, "each maker")?;
        *place = reference(env, maker)?;
    }
    let instance = Box::into_raw(Box::new(instance));
    // SAFETY: the box lives until `drop_instance`.
    check(unsafe { sys::napi_set_instance_data(env, instance.cast(), Some(drop_instance), ptr::null_mut()) })
}

/// What this thread has remembered; `None` before it has.
fn instance<'a>(env: napi_env) -> Option<&'a Instance> {
    let mut data = ptr::null_mut();
    // SAFETY: the instance data is null or an `Instance` that lives as long as the environment, longer than any call.
    unsafe {
        sys::napi_get_instance_data(env, &mut data);
        data.cast::<Instance>().as_ref()
    }
}

fn referenced(env: napi_env, reference: napi_ref) -> Option<napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: a strong reference of this environment.
    unsafe { sys::napi_get_reference_value(env, reference, &mut value) };
    (!value.is_null()).then_some(value)
}

/// The tickets of this thread.
pub fn waits<'a>(env: napi_env) -> Result<&'a RefCell<Waits>, Failure> {
    Ok(&instance(env).ok_or(Failure::Pending)?.waits)
}

fn error_class(env: napi_env) -> Option<napi_value> {
    referenced(env, instance(env)?.error_class)
}

/// Calls one of the functions that make replies.
pub fn call_maker(env: napi_env, maker: Maker, arguments: &[napi_value]) -> Outcome {
    let function = instance(env).and_then(|instance| referenced(env, instance.makers[maker as usize]));
    let Some(function) = function else {
        return Err(Failure::Type(
            "the functions that make replies are not registered".into(),
        ));
    };
    // SAFETY: `env` is the running call's.
    let nothing = make(|out| unsafe { sys::napi_get_undefined(env, out) })?;
    let (start, count) = (arguments.as_ptr(), arguments.len());
    // SAFETY: a function and values of this call.
    make(|out| unsafe { sys::napi_call_function(env, nothing, function, count, start, out) })
}

/// A UTF-8 string.
pub fn text(env: napi_env, text: &str) -> Outcome {
    // SAFETY: pointer and length are those of `text`.
    make(|out| unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, out) })
}

/// An instance of the registered error class.
pub fn error(env: napi_env, code: &str, message: &str) -> Outcome {
    let (code, message) = (text(env, code)?, text(env, message)?);
    let arguments = [code, message];
    let Some(class) = error_class(env) else {
        // SAFETY: two values of this call.
        return make(|out| unsafe { sys::napi_create_error(env, code, message, out) });
    };
    // SAFETY: a constructor and two values of this call.
    make(|out| unsafe { sys::napi_new_instance(env, class, 2, arguments.as_ptr(), out) })
}

/// The error value of a command's refusal.
pub fn refusal(env: napi_env, status: &Status) -> Outcome {
    let text = status.text();
    let code = text.split(' ').next().unwrap_or("ERR");
    error(env, code, &text)
}

/// Throws, and gives what a callback has to return then.
#[cold]
pub fn throw(env: napi_env, failure: Failure) -> napi_value {
    let message = |text: &str| std::ffi::CString::new(text.replace('\0', " ")).unwrap_or_default();
    let error = match failure {
        Failure::Refused(status) => refusal(env, &status),
        Failure::Condition(code, message) => error(env, code, message),
        Failure::Type(text) => {
            // SAFETY: a C string that outlives the call.
            unsafe { sys::napi_throw_type_error(env, ptr::null(), message(&text).as_ptr()) };
            return ptr::null_mut();
        }
        Failure::Range(text) => {
            // SAFETY: a C string that outlives the call.
            unsafe { sys::napi_throw_range_error(env, ptr::null(), message(&text).as_ptr()) };
            return ptr::null_mut();
        }
        Failure::Pending => Err(Failure::Pending),
    };
    match error {
        // SAFETY: a value of this call.
        Ok(error) => unsafe { sys::napi_throw(env, error) },
        Err(_) => throw_unless_pending(env),
    };
    ptr::null_mut()
}

fn throw_unless_pending(env: napi_env) -> sys::napi_status {
    const REASON: &CStr = c"the engine refused a value";
    let mut pending = false;
    // SAFETY: `env` is the running call's.
    unsafe {
        sys::napi_is_exception_pending(env, &mut pending);
        if pending {
            sys::Status::napi_ok
        } else {
            sys::napi_throw_error(env, ptr::null(), REASON.as_ptr())
        }
    }
}
