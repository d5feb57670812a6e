//! Functions bound to the keyspaces of a store's shards.
//!
//! Each function of a handle owns a share of it as its data pointer: no look-up and no unwrapping on the way in.

use super::env::{CLOSED, FAULTED, Failure, Outcome, check, make, throw};
use super::value;
use crate::clock;
use crate::command::route::shard_of;
use crate::keyspace::Keyspace;
use crate::keyspace::registry::Registered;
use napi_sys::{self as sys, napi_callback, napi_callback_info, napi_env, napi_value};
use std::cell::{Ref, RefCell};
use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

/// How a handle may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A keyspace of this process alone: everything.
    Plain,
    /// Reads of a replica that has caught up.
    Local,
    /// Reads of a replica that leads and holds its lease.
    Leased,
}

/// See the module. Used by the thread that made it only.
pub struct Handle {
    /// Empty after `release`.
    shards: RefCell<Vec<Arc<Registered>>>,
    mode: Mode,
    /// Bulks are Buffers.
    pub as_buffer: bool,
}

impl Handle {
    /// A handle on these shards.
    pub fn new(shards: Vec<Arc<Registered>>, mode: Mode, as_buffer: bool) -> Handle {
        Handle {
            shards: RefCell::new(shards),
            mode,
            as_buffer,
        }
    }

    /// Lets go of the keyspaces.
    pub fn release(&self) {
        self.shards.take();
    }

    /// All shards.
    pub fn shards(&self) -> Result<Ref<'_, Vec<Arc<Registered>>>, Failure> {
        let shards = self.shards.borrow();
        if shards.is_empty() {
            Err(CLOSED)
        } else {
            Ok(shards)
        }
    }

    /// The key's shard.
    #[inline]
    pub fn shard(&self, key: &[u8]) -> Result<Ref<'_, Arc<Registered>>, Failure> {
        let shards = self.shards()?;
        let shard = Ref::map(shards, |shards| &shards[shard_of(key, shards.len())]);
        if shard.keyspace.is_faulted() {
            Err(FAULTED)
        } else {
            Ok(shard)
        }
    }

    /// Whether the shard may be read through this handle right now.
    #[inline]
    pub fn may_read(&self, shard: &Registered) -> bool {
        match self.mode {
            Mode::Plain => true,
            Mode::Local => shard.gate.is_ready(),
            Mode::Leased => shard.gate.is_ready() && shard.gate.lease_valid(clock::boottime_ns()),
        }
    }

    /// Refuses writes on a replica, which has one source: its log.
    #[inline]
    pub fn check_write(&self) -> Result<(), Failure> {
        match self.mode {
            Mode::Plain => Ok(()),
            _ => Err(Failure::Type("a local or leased handle only reads".into())),
        }
    }

    fn set_faulted(&self) {
        for shard in self.shards.borrow().iter() {
            shard.keyspace.set_faulted();
        }
    }
}

/// A running call with room for `N` arguments; missing ones are `undefined`.
pub struct Call<'h, const N: usize> {
    /// The thread's environment.
    pub env: napi_env,
    /// The function's handle.
    pub handle: &'h Handle,
    /// The arguments.
    pub args: [napi_value; N],
    /// How many were given; may be more than `N`.
    pub count: usize,
}

/// Runs the body of a native function. A panic faults the handle's keyspaces and becomes an exception.
///
/// # Safety
/// `env` and `info` are those of the running callback, whose data pointer came from [`add_function`].
#[inline(always)]
pub unsafe fn run<const N: usize>(
    env: napi_env,
    info: napi_callback_info,
    body: impl FnOnce(&Call<'_, N>) -> Outcome,
) -> napi_value {
    let (mut args, mut count, mut data) = ([ptr::null_mut(); N], N, ptr::null_mut());
    // SAFETY: there is room for `N` arguments; by the contract above `data` points to a handle that the function owns.
    let handle = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            args.as_mut_ptr(),
            ptr::null_mut(),
            &mut data,
        );
        &*data.cast::<Handle>()
    };
    let call = Call {
        env,
        handle,
        args,
        count,
    };
    match catch_unwind(AssertUnwindSafe(|| body(&call))) {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => throw(env, failure),
        Err(_) => {
            handle.set_faulted();
            throw(env, FAULTED)
        }
    }
}

unsafe extern "C" fn drop_share(_: napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the share that `add_function` leaked; Node calls this once, on the handle's thread.
    drop(unsafe { Rc::from_raw(data.cast::<Handle>()) });
}

/// Adds a function to an object, with a share of the handle as its data.
pub fn add_function(
    env: napi_env,
    object: napi_value,
    name: &CStr,
    callback: napi_callback,
    handle: &Rc<Handle>,
) -> Result<(), Failure> {
    let data = Rc::into_raw(handle.clone()).cast_mut().cast();
    // SAFETY: the data lives until the finalizer has run, which is after the function has gone.
    unsafe {
        let function = make(|out| sys::napi_create_function(env, name.as_ptr(), -1, callback, data, out))?;
        let (hint, reference) = (ptr::null_mut(), ptr::null_mut());
        check(sys::napi_add_finalizer(
            env,
            function,
            data,
            Some(drop_share),
            hint,
            reference,
        ))?;
        value::set(env, object, name, function)
    }
}

/// The keyspaces of shards, as commands over several of them take them.
pub fn keyspaces(shards: &[Arc<Registered>]) -> Vec<&Keyspace> {
    shards.iter().map(|shard| &shard.keyspace).collect()
}
