//! Patterns against a plain matcher that tries everything.
#![no_main]

use holdfast::command::glob::matches;
use libfuzzer_sys::fuzz_target;

const PATTERN_BYTES_MAX: usize = 12;
const TEXT_BYTES_MAX: usize = 12;

/// Whether a byte is in the class that begins behind `[`, and what of the pattern follows the class.
fn class(mut pattern: &[u8], byte: u8) -> (bool, &[u8]) {
    let negated = pattern.first() == Some(&b'^');
    if negated {
        pattern = &pattern[1..];
    }
    let mut found = false;
    loop {
        pattern = match *pattern {
            [] => break,
            [b']', ref rest @ ..] => {
                pattern = rest;
                break;
            }
            [b'\\', escaped, ref rest @ ..] => {
                found |= escaped == byte;
                rest
            }
            [low, b'-', high, ref rest @ ..] => {
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                rest
            }
            [one, ref rest @ ..] => {
                found |= one == byte;
                rest
            }
        };
    }
    (found != negated, pattern)
}

fn plain(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|from| plain(rest, &text[from..])),
        (_, []) => false,
        ([b'?', rest @ ..], [_, tail @ ..]) => plain(rest, tail),
        ([b'[', rest @ ..], [byte, tail @ ..]) => {
            let (found, rest) = class(rest, *byte);
            found && plain(rest, tail)
        }
        ([b'\\', one, rest @ ..] | [one, rest @ ..], [byte, tail @ ..]) => one == byte && plain(rest, tail),
    }
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let (pattern, text) = input;
    let found = matches(pattern, text);
    if pattern.len() <= PATTERN_BYTES_MAX && text.len() <= TEXT_BYTES_MAX {
        assert_eq!(found, plain(pattern, text));
    }
});
