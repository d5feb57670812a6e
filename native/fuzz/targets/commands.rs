//! Requests of any command, run on one keyspace: nothing panics, every invariant holds, and a restored snapshot is the
//! same state.
//!
//! The input is lines. The first byte of a line names a row of the table of commands (or moves the clock, or frees due
//! keys); the words of the rest stand between spaces.
#![no_main]

use holdfast::command::{FAMILIES, Spec, execute};
use holdfast::keyspace::Keyspace;
use holdfast_fuzz::{restored, snapshot};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const BEGIN_MS: i64 = 1_700_000_000_000;
const CLOCK: u8 = 255;
const RECLAIM: u8 = 254;
const LINES_MAX: usize = 64;

static ROWS: LazyLock<Vec<&'static Spec>> = LazyLock::new(|| {
    let rows: Vec<_> = FAMILIES.iter().copied().flatten().collect();
    assert!(rows.len() <= usize::from(RECLAIM), "a byte names every row");
    rows
});

fuzz_target!(|input: &[u8]| {
    let keyspace = Keyspace::with_log_clock(BEGIN_MS);
    let mut now_ms = BEGIN_MS;
    for (seed, line) in input.split(|byte| *byte == b'\n').take(LINES_MAX).enumerate() {
        let Some((&head, rest)) = line.split_first() else {
            continue;
        };
        match head {
            CLOCK => {
                now_ms += 1 + rest.len() as i64 * 100;
                keyspace.set_log_ms(now_ms);
            }
            RECLAIM => drop(keyspace.reclaim(1 + rest.len())),
            _ => {
                let spec = ROWS[usize::from(head) % ROWS.len()];
                let mut words = vec![spec.name.as_bytes()];
                words.extend(rest.split(|byte| *byte == b' ').filter(|_| !rest.is_empty()));
                let _ = execute(&keyspace, &words, now_ms, seed as u64);
            }
        }
    }
    keyspace.verify();
    let again = restored(&snapshot(&keyspace), now_ms);
    again.verify();
    assert_eq!(keyspace.digest(), again.digest());
});
