//! The sparse form: runs of registers of one value, one after the other.
//!
//! | Bits of a run | Meaning |
//! |---|---|
//! | `00nnnnnn` | `n + 1` registers are zero |
//! | `01nnnnnn nnnnnnnn` | the same, for more of them |
//! | `1vvvvvnn` | `n + 1` registers have the value `v + 1` |

use super::{Fault, HEADER_BYTES, REGISTERS, Registers};
use smallvec::SmallVec;

const SHORT_ZEROS_MAX: usize = 64;
const VALUES_MAX: usize = 4;
const VALUE_MAX: u8 = 32;
/// Runs that are looked at for neighbours of the same value, after a change.
const MERGED_RUNS_MAX: usize = 5;

/// The first run and its first register.
pub(super) const START: (usize, usize) = (HEADER_BYTES, 0);

/// Registers of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// 0 for zeros.
    pub value: u8,
    /// Number of registers.
    pub len: usize,
    /// Length of the run in bytes: 1 or 2.
    bytes: usize,
}

/// What became of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    Yes,
    No,
    /// The sparse form has no place for the value. Nothing was changed.
    TooLarge,
}

/// The run that begins at `at`, if there is a whole one.
fn run_at(bytes: &[u8], at: usize) -> Option<Run> {
    let first = *bytes.get(at)?;
    Some(match first >> 6 {
        0 => Run {
            value: 0,
            len: usize::from(first & 63) + 1,
            bytes: 1,
        },
        1 => Run {
            value: 0,
            len: (usize::from(first & 63) << 8 | usize::from(*bytes.get(at + 1)?)) + 1,
            bytes: 2,
        },
        _ => Run {
            value: (first >> 2 & 31) + 1,
            len: usize::from(first & 3) + 1,
            bytes: 1,
        },
    })
}

/// All runs of a sketch without its header.
///
/// # Errors
/// [`Fault::Corrupt`] if they do not make up all registers.
pub(super) fn runs(body: &[u8]) -> Result<impl Iterator<Item = Run>, Fault> {
    let iterate = || {
        let mut at = 0;
        std::iter::from_fn(move || {
            let run = run_at(body, at)?;
            at += run.bytes;
            Some(run)
        })
    };
    let (mut registers, mut bytes) = (0, 0);
    for run in iterate() {
        registers += run.len;
        bytes += run.bytes;
        if registers > REGISTERS {
            break;
        }
    }
    if registers == REGISTERS && bytes == body.len() {
        Ok(iterate())
    } else {
        Err(Fault::Corrupt)
    }
}

/// As [`super::join`], for the runs of a sketch.
pub(super) fn join(registers: &mut Registers, body: &[u8]) -> Result<(), Fault> {
    let mut register = 0;
    for run in runs(body)? {
        if run.value > 0 {
            for held in &mut registers[register..register + run.len] {
                *held = run.value.max(*held);
            }
        }
        register += run.len;
    }
    Ok(())
}

/// Appends a run of `len` zeros, 1 to [`REGISTERS`].
pub(super) fn push_zeros(bytes: &mut impl Extend<u8>, len: usize) {
    let n = len - 1;
    if len <= SHORT_ZEROS_MAX {
        bytes.extend([n as u8]);
    } else {
        bytes.extend([0x40 | (n >> 8) as u8, n as u8]);
    }
}

fn values(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len - 1) as u8
}

/// Appends a run of any value, unless it is empty.
fn push_run(bytes: &mut SmallVec<[u8; 8]>, value: u8, len: usize) {
    match (value, len) {
        (_, 0) => {}
        (0, len) => push_zeros(bytes, len),
        (value, len) => bytes.push(values(value, len)),
    }
}

/// A run that holds a register.
struct Found {
    /// Where the run before it begins, and that run's first register; `None` at the beginning of the search.
    before: Option<(usize, usize)>,
    at: usize,
    first: usize,
    run: Run,
}

fn find(bytes: &[u8], from: (usize, usize), register: usize) -> Option<Found> {
    let (mut at, mut first) = from;
    let mut before = None;
    loop {
        let run = run_at(bytes, at)?;
        if register < first + run.len {
            return Some(Found {
                before,
                at,
                first,
                run,
            });
        }
        before = Some((at, first));
        at += run.bytes;
        first += run.len;
    }
}

/// Raises a register of a sound sketch to `value`, by the same changes of the runs that Redis makes. `hint` names a run and its
/// first register, and is moved on.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    hint: &mut (usize, usize),
    (register, value): (usize, u8),
    bytes_max: usize,
) -> Raised {
    if value > VALUE_MAX {
        return Raised::TooLarge;
    }
    let near = if hint.1 <= register {
        // The run before the one that is found has to be known, too.
        find(bytes, *hint, register).filter(|found| found.before.is_some())
    } else {
        None
    };
    let Some(found) = near.or_else(|| find(bytes, START, register)) else {
        return Raised::No;
    };
    let Found { at, first, run, .. } = found;
    if run.value >= value {
        return Raised::No;
    }
    let mut split = SmallVec::<[u8; 8]>::new();
    push_run(&mut split, run.value, register - first);
    split.push(values(value, 1));
    push_run(&mut split, run.value, first + run.len - 1 - register);
    if split.len() > run.bytes && bytes.len() + split.len() - run.bytes > bytes_max {
        return Raised::TooLarge;
    }
    bytes.splice(at..at + run.bytes, split);
    *hint = found.before.unwrap_or(START);
    merge(bytes, hint.0);
    super::forget_cardinality(bytes);
    Raised::Yes
}

/// Joins neighbours of the same value, from a run on.
fn merge(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..MERGED_RUNS_MAX {
        let Some(run) = run_at(bytes, at) else { return };
        let next = run_at(bytes, at + run.bytes);
        match next {
            Some(next) if run.value > 0 && next.value == run.value && run.len + next.len <= VALUES_MAX => {
                bytes[at] = values(run.value, run.len + next.len);
                bytes.remove(at + 1);
            }
            _ => at += run.bytes,
        }
    }
}
