//! From the words of a request to its reply: find the row, check the number of words, lock the keys, run the code.

use super::{Args, CommandResult, FAMILIES, Grows, Keys, Spec, Wanted, args};
use crate::keyspace::{Keyspace, STRING_BYTES_MAX, Scope};
use crate::status::Status;
use hashbrown::HashTable;
use smallvec::SmallVec;
use std::sync::LazyLock;

/// The keys of a request.
pub type KeyList<'a> = SmallVec<[&'a [u8]; 4]>;

/// Longest name in the table, with room to grow.
const NAME_BYTES_MAX: usize = 32;

struct Index(HashTable<&'static Spec>);

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = HashTable::new();
    let hash = |spec: &&'static Spec| rapidhash::v3::rapidhash_v3(spec.name.as_bytes());
    for spec in FAMILIES.iter().copied().flatten() {
        debug_assert!(spec.name.len() <= NAME_BYTES_MAX);
        index.insert_unique(hash(&spec), spec, hash);
    }
    Index(index)
});

/// The row of this name, in whatever case.
pub fn find(name: &[u8]) -> Option<&'static Spec> {
    let mut buffer = [0; NAME_BYTES_MAX];
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let hash = rapidhash::v3::rapidhash_v3(lower);
    INDEX
        .0
        .find(hash, |spec| spec.name.as_bytes() == &*lower)
        .copied()
}

/// The row of a name that is in the table. Panics if it is not.
pub fn known(name: &str) -> &'static Spec {
    find(name.as_bytes()).unwrap_or_else(|| panic!("{name} is not in the table of commands"))
}

/// The row for a request whose number of words fits.
///
/// # Errors
/// [`Status::UnknownCommand`], [`Status::Arity`], [`Status::StringTooLong`].
pub fn resolve(words: Args<'_>) -> Result<&'static Spec, Status> {
    let name = words.first().copied().unwrap_or_default();
    let Some(spec) = find(name) else {
        return Err(unknown(name, words));
    };
    let count = words.len() as i64;
    let arity = i64::from(spec.arity);
    if (arity >= 0 && count != arity) || count < -arity {
        return Err(Status::Arity(spec.name.into()));
    }
    if words.iter().any(|word| word.len() > STRING_BYTES_MAX) {
        return Err(Status::StringTooLong);
    }
    Ok(spec)
}

/// Redis's text for a command it does not know, which quotes up to 128 bytes of the arguments.
fn unknown(name: &[u8], words: Args<'_>) -> Status {
    let line = |bytes: &[u8], max: usize| args::quoted_start(bytes, max).replace(['\r', '\n'], " ");
    let mut quoted = String::new();
    for word in words.iter().skip(1) {
        if quoted.len() >= args::QUOTED_BYTES_MAX {
            break;
        }
        let room = args::QUOTED_BYTES_MAX - quoted.len();
        quoted.push_str(&format!("'{}' ", line(word, room)));
    }
    let name = line(name, args::QUOTED_BYTES_MAX);
    Status::UnknownCommand(format!(
        "ERR unknown command '{name}', with args beginning with: {quoted}"
    ))
}

impl Spec {
    /// The keys among the words of a request whose number of words fits. A key count that is no number, or larger than
    /// what follows, gives as many keys as there are; the command itself refuses it.
    pub fn keys_of<'a>(&self, words: Args<'a>) -> KeyList<'a> {
        match self.keys {
            Keys::None | Keys::All => KeyList::new(),
            Keys::Range {
                first: 1, last: 1, ..
            } => words.get(1).copied().into_iter().collect(),
            Keys::Range { first, last, step } => {
                let last = if last < 0 {
                    words.len() as isize + last
                } else {
                    last
                };
                let behind = usize::try_from(last + 1).unwrap_or(0).min(words.len());
                words
                    .get(first..behind)
                    .unwrap_or_default()
                    .iter()
                    .step_by(step)
                    .copied()
                    .collect()
            }
            Keys::Counted { at } => {
                let count = words.get(at).and_then(|word| args::int(word).ok()).unwrap_or(0);
                let count = usize::try_from(count).unwrap_or(0);
                words.iter().skip(at + 1).take(count).copied().collect()
            }
            Keys::Found(find) => match find(words) {
                Wanted::All => KeyList::new(),
                Wanted::Words(positions) => positions
                    .iter()
                    .filter_map(|&position| words.get(position).copied())
                    .collect(),
            },
        }
    }

    /// Whether this request may need memory.
    #[inline]
    pub fn grows(&self, words: Args<'_>) -> bool {
        match self.grows {
            Grows::Never => false,
            Grows::Always => true,
            Grows::Some(grows) => grows(words),
        }
    }

    /// Whether this request has to see the whole keyspace.
    pub fn needs_all(&self, words: Args<'_>) -> bool {
        match self.keys {
            Keys::All => true,
            Keys::Found(find) => find(words) == Wanted::All,
            _ => false,
        }
    }
}

/// Whether the request may need memory.
pub fn grows(words: Args<'_>) -> bool {
    resolve(words).is_ok_and(|spec| spec.grows(words))
}

/// Runs a request at the keyspace's own time.
///
/// # Errors
/// The command's refusal. The keyspace is unchanged then.
pub fn execute_now(keyspace: &Keyspace, words: Args<'_>) -> CommandResult {
    run(resolve(words)?, keyspace, words, None)
}

/// As [`execute_now`], for a request that [`resolve`] gave this row for.
///
/// # Errors
/// The command's refusal. The keyspace is unchanged then.
pub fn execute_resolved(spec: &Spec, keyspace: &Keyspace, words: Args<'_>) -> CommandResult {
    run(spec, keyspace, words, None)
}

/// Runs a request at the time and with the seed that the log has stamped.
///
/// # Errors
/// The command's refusal. The keyspace is unchanged then.
pub fn execute(keyspace: &Keyspace, words: Args<'_>, now_ms: i64, seed: u64) -> CommandResult {
    run(resolve(words)?, keyspace, words, Some((now_ms, seed)))
}

fn run(spec: &Spec, keyspace: &Keyspace, words: Args<'_>, stamp: Option<(i64, u64)>) -> CommandResult {
    let keys = spec.keys_of(words);
    let scope = if spec.needs_all(words) {
        Scope::All
    } else {
        Scope::Keys(&keys)
    };
    // What a log says runs whatever is free here: all peers do the same.
    if stamp.is_none() && spec.grows(words) {
        keyspace.make_room()?;
    }
    let mut db = match stamp {
        Some((now_ms, seed)) => keyspace.db_at(scope, now_ms, seed),
        None => keyspace.db(scope),
    };
    (spec.handler)(&mut db, words)
}
