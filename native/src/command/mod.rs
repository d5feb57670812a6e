//! The table of commands: one row each, read by dispatch, by the slot router, by the replication filter and by the
//! TypeScript side, which has no second copy of these facts.
//!
//! A command is a deterministic function `(state, arguments, time, seed) -> reply, changes`: it reads no clock, draws
//! only from [`Db::rng`], and lets no hash-table order decide a result (DESIGN 4.2).

pub mod args;
mod bitfield;
mod bitmap;
mod blocking;
pub mod counted;
mod execute;
mod expiry;
pub mod extended;
mod geo;
pub mod glob;
mod hash;
mod hexadecimal;
mod hyperloglog;
pub mod key;
mod lcs;
#[cfg(test)]
#[path = "tests/limits.rs"]
mod limits;
mod list;
pub mod number;
mod object;
mod rdb;
pub mod route;
mod sample;
pub mod scan;
mod server;
mod set;
mod sort;
pub mod span;
mod stream;
pub mod string;
#[cfg(test)]
pub mod testing;
mod transaction;
mod zset;

pub use crate::keyspace::OUT_OF_MEMORY;
pub use execute::{KeyList, execute, execute_now, execute_resolved, find, grows, known, resolve};
pub use transaction::{TRANSACTION_OUT_OF_MEMORY, execute_transaction, execute_transaction_now};

use crate::keyspace::Db;
use crate::reply::Reply;
use crate::status::Status;
use smallvec::SmallVec;

/// The words of a request, the command's name first.
pub type Args<'a> = &'a [&'a [u8]];

/// What a command gives back.
pub type CommandResult = Result<Reply, Status>;

/// A command's code. The number of arguments has been checked against [`Spec::arity`], and every key that
/// [`Spec::keys`] names is locked in the [`Db`].
pub type Handler = fn(&mut Db<'_>, Args<'_>) -> CommandResult;

/// Where the keys stand among the words of a request.
#[derive(Clone, Copy, Debug)]
pub enum Keys {
    /// The command names no key.
    None,
    /// The command may touch any key (`KEYS`, `FLUSHALL`, ...): the whole keyspace is locked.
    All,
    /// From word `first` to word `last` (negative: from the end, -1 the last), every `step`th.
    Range {
        /// First key's word.
        first: usize,
        /// Last key's word.
        last: isize,
        /// Distance between keys.
        step: usize,
    },
    /// A word that counts the keys right behind it (`SINTERCARD numkeys ...`).
    Counted {
        /// The counting word.
        at: usize,
    },
    /// In places that depend on the other words. The function never refuses: what is wrong with the words is for the
    /// command to say.
    Found(fn(Args<'_>) -> Wanted),
}

/// What [`Keys::Found`] has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The request may touch any key.
    All,
    /// The positions of the keys among the words.
    Words(SmallVec<[usize; 4]>),
}

/// One key, the first word after the name.
pub const ONE: Keys = Keys::Range {
    first: 1,
    last: 1,
    step: 1,
};
/// The first two words after the name.
pub const TWO: Keys = Keys::Range {
    first: 1,
    last: 2,
    step: 1,
};
/// Every word after the name.
pub const REST: Keys = Keys::Range {
    first: 1,
    last: -1,
    step: 1,
};

/// Whether a request may need memory.
#[derive(Clone, Copy, Debug)]
pub enum Grows {
    /// None does.
    Never,
    /// All may.
    Always,
    /// Those that the function says, of a command with subcommands.
    Some(fn(Args<'_>) -> bool),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Lower case.
    pub name: &'static str,
    /// Number of words with the name; negative: at least so many (Redis's convention).
    pub arity: i32,
    /// Whether the command may change the state, and so has to go through the log.
    pub write: bool,
    /// Whether the command may need memory, and so is refused when there is none left (Redis's flag `denyoom`).
    pub grows: Grows,
    /// Which words are keys.
    pub keys: Keys,
    /// The code.
    pub handler: Handler,
}

/// Short form of a [`Spec`] that only reads.
pub const fn read(name: &'static str, arity: i32, keys: Keys, handler: Handler) -> Spec {
    Spec {
        name,
        arity,
        write: false,
        grows: Grows::Never,
        keys,
        handler,
    }
}

/// Short form of a [`Spec`] that may write.
pub const fn write(name: &'static str, arity: i32, keys: Keys, handler: Handler) -> Spec {
    Spec {
        name,
        arity,
        write: true,
        grows: Grows::Never,
        keys,
        handler,
    }
}

/// Short form of a [`Spec`] that may write and need memory.
pub const fn grow(name: &'static str, arity: i32, keys: Keys, handler: Handler) -> Spec {
    Spec {
        grows: Grows::Always,
        ..write(name, arity, keys, handler)
    }
}

/// The families. Each is a `pub const COMMANDS: &[Spec]` of its module.
pub const FAMILIES: &[&[Spec]] = &[
    string::COMMANDS,
    bitmap::COMMANDS,
    hyperloglog::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hash::expiry::COMMANDS,
    list::COMMANDS,
    set::COMMANDS,
    zset::COMMANDS,
    blocking::COMMANDS,
    stream::COMMANDS,
    key::COMMANDS,
    sort::COMMANDS,
    object::COMMANDS,
    rdb::COMMANDS,
    server::COMMANDS,
];
