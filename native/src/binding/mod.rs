//! The door to Node. The only place that names Node-API.
//!
//! What is called often is a raw callback with the keyspace as its data pointer: reading a key costs one crossing, one
//! copy in, one lock, one copy out. Nothing here decides anything about commands; arguments are checked for their
//! JavaScript type, and refusals become instances of the class that was registered.

mod encoded;
mod env;
mod exports;
mod generic;
mod handle;
mod hot;
mod limit;
mod limits;
mod range;
mod rdb;
mod replica;
mod snapshot;
mod value;
mod waiting;
mod word;
mod workbench;

use napi::bindgen_prelude::{Env, JsValue, Object};
use napi_derive::napi;

/// Called once for every thread that loads the addon.
#[napi(module_exports)]
pub fn register(exports: Object<'_>, env: Env) -> napi::Result<()> {
    let added = exports::add_all(env.raw(), exports.raw());
    added.map_err(|failure| napi::Error::from_reason(format!("{failure:?}")))
}
