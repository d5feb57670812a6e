//! Several requests as one: nobody sees the state in between.

use super::execute::{KeyList, resolve};
use super::{Args, CommandResult, Spec};
use crate::keyspace::{Keyspace, Scope};
use crate::reply::Reply;
use crate::status::Status;

/// Runs requests under the union of their locks, at the keyspace's own time. The replies stand in an array, a refusal
/// among them as [`Reply::Error`]; the others take effect, as in EXEC.
///
/// # Errors
/// EXECABORT if a command is unknown or has the wrong number of words, or needs memory that is not there. Nothing was run
/// then.
pub fn execute_transaction_now(keyspace: &Keyspace, requests: &[Args<'_>]) -> CommandResult {
    run(keyspace, requests, None)
}

/// As [`execute_transaction_now`], at the time and with the seed that the log has stamped.
///
/// # Errors
/// EXECABORT if a command is unknown or has the wrong number of words. Nothing was run then.
pub fn execute_transaction(
    keyspace: &Keyspace,
    requests: &[Args<'_>],
    now_ms: i64,
    seed: u64,
) -> CommandResult {
    run(keyspace, requests, Some((now_ms, seed)))
}

/// What EXEC answers when a command in it needs memory and there is none left.
pub const TRANSACTION_OUT_OF_MEMORY: Status = Status::Text(
    "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
);

fn run(keyspace: &Keyspace, requests: &[Args<'_>], stamp: Option<(i64, u64)>) -> CommandResult {
    const ABORTED: Status = Status::Text("EXECABORT Transaction discarded because of previous errors.");
    let resolved: Result<Vec<_>, _> = requests.iter().map(|words| resolve(words)).collect();
    let specs = resolved.map_err(|_| ABORTED)?;
    let grows = |(spec, words): (&&Spec, &Args<'_>)| spec.grows(words);
    if stamp.is_none() && specs.iter().zip(requests).any(grows) {
        keyspace.make_room().map_err(|_| TRANSACTION_OUT_OF_MEMORY)?;
    }
    let keys: KeyList<'_> = specs
        .iter()
        .zip(requests)
        .flat_map(|(spec, words)| spec.keys_of(words))
        .collect();
    let needs_all = |(spec, words): (&&Spec, &Args<'_>)| spec.needs_all(words);
    let scope = if specs.iter().zip(requests).any(needs_all) {
        Scope::All
    } else {
        Scope::Keys(&keys)
    };
    let mut db = match stamp {
        Some((now_ms, seed)) => keyspace.db_at(scope, now_ms, seed),
        None => keyspace.db(scope),
    };
    db.hide_due_fields(&keys);
    let replies = specs
        .iter()
        .zip(requests)
        .map(|(spec, words)| (spec.handler)(&mut db, words));
    Ok(Reply::Array(
        replies
            .map(|result| result.unwrap_or_else(Reply::Error))
            .collect(),
    ))
}
