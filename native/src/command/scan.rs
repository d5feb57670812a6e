//! What the commands of the SCAN family have in common.

use super::{CommandResult, args, glob};
use crate::reply::Reply;
use crate::status::Status;

/// Elements that one call visits if it does not say.
const COUNT_DEFAULT: usize = 10;

/// The options of a command of the SCAN family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions<'a> {
    /// What an element has to fit.
    pattern: Option<&'a [u8]>,
    /// About how many elements to visit; at least 1.
    pub count: usize,
}

impl<'a> ScanOptions<'a> {
    /// Reads `MATCH pattern` and `COUNT n`, in any order; the last of each counts.
    ///
    /// # Errors
    /// [`Status::Syntax`] for anything else and for a count below 1, [`Status::NotInteger`] for a count that is none.
    pub fn parse(words: &[&'a [u8]]) -> Result<Self, Status> {
        let mut options = ScanOptions {
            pattern: None,
            count: COUNT_DEFAULT,
        };
        for option in words.chunks(2) {
            match option {
                [name, pattern] if args::is_option(name, "MATCH") => options.pattern = Some(pattern),
                [name, count] if args::is_option(name, "COUNT") => {
                    options.count = usize::try_from(args::int(count)?)
                        .ok()
                        .filter(|&n| n > 0)
                        .ok_or(Status::Syntax)?;
                }
                _ => return Err(Status::Syntax),
            }
        }
        Ok(options)
    }

    /// Whether the element is to be returned.
    pub fn wants(&self, element: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, element))
    }
}

/// Reads a cursor.
///
/// # Errors
/// A refusal unless the word is a number of 64 bits.
pub fn cursor(word: &[u8]) -> Result<u64, Status> {
    let digits = std::str::from_utf8(word)
        .ok()
        .filter(|_| word.iter().all(u8::is_ascii_digit));
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or(Status::Text("ERR invalid cursor"))
}

/// The reply: where to go on, and what was found.
pub fn reply(cursor: u64, found: Vec<Reply>) -> CommandResult {
    let cursor = itoa::Buffer::new().format(cursor).as_bytes().to_vec();
    Ok(Reply::Array(vec![Reply::Bulk(cursor), Reply::Array(found)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_in_any_order_and_case() {
        let options = ScanOptions::parse(&[b"count", b"5", b"Match", b"a*"]).unwrap();
        assert_eq!(options.count, 5);
        assert!(options.wants(b"abc") && !options.wants(b"bc"));
        let options = ScanOptions::parse(&[]).unwrap();
        assert_eq!(options.count, 10);
        assert!(options.wants(b"") && options.wants(b"\xff"));
    }

    #[test]
    fn wrong_options() {
        let cases: [(&[&[u8]], Status); 6] = [
            (&[b"COUNT"], Status::Syntax),
            (&[b"COUNT", b"0"], Status::Syntax),
            (&[b"COUNT", b"-1"], Status::Syntax),
            (&[b"COUNT", b"x"], Status::NotInteger),
            (&[b"MATCH", b"a", b"LIMIT"], Status::Syntax),
            (&[b"TYPE", b"hash"], Status::Syntax),
        ];
        for (words, status) in cases {
            assert_eq!(ScanOptions::parse(words), Err(status));
        }
    }

    #[test]
    fn cursors() {
        assert_eq!(cursor(b"0"), Ok(0));
        assert_eq!(cursor(b"18446744073709551615"), Ok(u64::MAX));
        for word in [
            &b""[..],
            b"-1",
            b"+1",
            b"1 ",
            b"18446744073709551616",
            b"x",
            b"\xff",
        ] {
            assert_eq!(cursor(word), Err(Status::Text("ERR invalid cursor")));
        }
    }
}
