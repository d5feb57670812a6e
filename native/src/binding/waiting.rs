//! Tickets of the threads that wait for keys, and their bells. What a thread holds goes with it: one that is terminated
//! leaves no ticket behind.

use super::env::{Failure, Outcome, waits};
use super::exports::registered;
use super::handle::{Call, Handle, add_function, run};
use super::value::{array, integer, number, undefined};
use super::word::{self, Accept, Place, Requests};
use crate::command::route::shard_of;
use crate::keyspace::registry::Registered;
use crate::keyspace::waiting::{Bell, Kind, TICKETS_MAX, TicketId};
use crate::status::Status;
use napi_sys::{self as sys, napi_callback_info, napi_env, napi_value};
use std::collections::HashMap;
use std::os::fd::IntoRawFd;
use std::rc::Rc;
use std::sync::Arc;

const NO_BELL: Failure = Failure::Condition("IO", "this thread has no bell");

/// The tickets of one thread, with the keyspaces that they are of.
#[derive(Default)]
pub struct Waits {
    bell: Option<Arc<Bell>>,
    places: HashMap<TicketId, Arc<Registered>>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        for (id, place) in self.places.drain() {
            place.keyspace.leave(id);
        }
    }
}

/// Gives the thread a bell, and the number of the file on which it is heard. That belongs to the caller.
pub fn open_bell(env: napi_env, []: [napi_value; 0]) -> Outcome {
    let (bell, heard) = Bell::new().map_err(|error| {
        let text = format!("IO no sockets for a thread that waits: {error}");
        Failure::Refused(Status::Owned(text))
    })?;
    waits(env)?.borrow_mut().bell = Some(bell);
    integer(env, i64::from(heard.into_raw_fd()))
}

/// The tickets whose turn it is.
pub fn answer_bell(env: napi_env, []: [napi_value; 0]) -> Outcome {
    let bell = waits(env)?.borrow().bell.clone().ok_or(NO_BELL)?;
    array(env, &bell.answer(), |&id| number(env, id as f64))
}

/// The ticket and its keyspace, if it has not left.
fn ticket(env: napi_env, id: napi_value) -> Result<(TicketId, Option<Arc<Registered>>), Failure> {
    let id = word::integer(env, id, "ticket")? as TicketId;
    Ok((id, waits(env)?.borrow().places.get(&id).cloned()))
}

fn boolean(env: napi_env, value: bool) -> Outcome {
    // SAFETY: `env` is the running call's.
    super::env::make(|out| unsafe { sys::napi_get_boolean(env, value, out) })
}

/// Begins an attempt: the positions of the keys that it may try.
pub fn begin(env: napi_env, [id, first]: [napi_value; 2]) -> Outcome {
    let mut is_first = false;
    // SAFETY: an argument of the running call.
    if unsafe { sys::napi_get_value_bool(env, first, &mut is_first) } != sys::Status::napi_ok {
        return Err(Failure::Type("first must be a boolean".into()));
    }
    let (id, place) = ticket(env, id)?;
    let keys = place.map_or_else(Vec::new, |place| place.keyspace.begin_attempt(id, is_first));
    array(env, &keys, |&at| number(env, at as f64))
}

/// The ticket to which belongs what an attempt for this one has brought.
pub fn first(env: napi_env, [id]: [napi_value; 1]) -> Outcome {
    let (id, place) = ticket(env, id)?;
    let first = place.map_or(id, |place| place.keyspace.first_alike(id));
    number(env, first as f64)
}

/// Ends an attempt that found nothing: whether there has to be another one.
pub fn missed(env: napi_env, [id]: [napi_value; 1]) -> Outcome {
    let (id, place) = ticket(env, id)?;
    boolean(env, place.is_some_and(|place| place.keyspace.missed(id)))
}

/// Gives a ticket back.
pub fn leave(env: napi_env, [id]: [napi_value; 1]) -> Outcome {
    let (id, place) = ticket(env, id)?;
    waits(env)?.borrow_mut().places.remove(&id);
    if let Some(place) = place {
        place.keyspace.leave(id);
    }
    undefined(env)
}

/// The number of tickets of a keyspace, of all threads.
pub fn count(env: napi_env, [id]: [napi_value; 1]) -> Outcome {
    number(env, registered(env, id)?.keyspace.tickets() as f64)
}

/// Takes a ticket for keys of one shard.
fn enter(call: &Call<'_, 3>) -> Outcome {
    let env = call.env;
    let mut place = Place::<16>::new();
    let kind = match place.read(env, call.args[0], Accept::Bytes, "kind")? {
        b"list" => Kind::List,
        b"zset" => Kind::ZSet,
        b"stream" => Kind::Stream,
        b"group" => Kind::Group,
        _ => return Err(Failure::Type("kind must be the kind of a ticket".into())),
    };
    let mut requests = Requests::default();
    requests.read(env, call.args[1], "keys")?;
    let keys = requests.words();
    let Some(first) = keys.first() else {
        return Err(Failure::Range("keys must not be empty".into()));
    };
    let shard = call.handle.shard(first)?;
    let shards = call.handle.shards()?.len();
    let same = |key: &&[u8]| shard_of(key, shards) == shard_of(first, shards);
    if !keys.iter().all(same) {
        let text = "CROSSSLOT Keys in request don't hash to the same slot";
        return Err(Status::Text(text).into());
    }
    let bell = waits(env)?.borrow().bell.clone().ok_or(NO_BELL)?;
    let asks = place.read(env, call.args[2], Accept::Bytes, "asks")?;
    let entered = shard.keyspace.enter(kind, &keys, asks, &bell);
    let id = entered.map_err(|_| {
        let text = format!("BUSY {TICKETS_MAX} calls of this process are waiting for keys already");
        Failure::Refused(Status::Owned(text))
    })?;
    waits(env)?.borrow_mut().places.insert(id, shard.clone());
    number(env, id as f64)
}

/// Adds the function to the handle's object.
pub fn add_all(env: napi_env, object: napi_value, handle: &Rc<Handle>) -> Result<(), Failure> {
    unsafe extern "C" fn enter_entry(env: napi_env, info: napi_callback_info) -> napi_value {
        // SAFETY: called by Node for a function that `add_function` made.
        unsafe { run(env, info, enter) }
    }
    add_function(env, object, c"enter", Some(enter_entry), handle)
}
