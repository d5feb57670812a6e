//! Keys behind a word that counts them, as in `LMPOP numkeys key [key ...]`.

use super::args;
use crate::status::Status;

/// Some of the words of a request.
pub type Words<'w, 'a> = &'w [&'a [u8]];

/// What may be wrong with the word that counts the keys. Commands refuse each of these in their own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miscount {
    /// It is no integer.
    NotInteger,
    /// It is below 1.
    NotPositive,
    /// Fewer words follow.
    TooMany,
}

/// The keys that the first word counts, and the words behind them.
///
/// # Errors
/// A [`Miscount`].
pub fn split<'w, 'a>(words: Words<'w, 'a>) -> Result<(Words<'w, 'a>, Words<'w, 'a>), Miscount> {
    let (count, rest) = words.split_first().ok_or(Miscount::NotInteger)?;
    let count = args::int(count).map_err(|_| Miscount::NotInteger)?;
    if count < 1 {
        return Err(Miscount::NotPositive);
    }
    let count = usize::try_from(count).map_err(|_| Miscount::TooMany)?;
    rest.split_at_checked(count).ok_or(Miscount::TooMany)
}

/// Redis's text of the commands that refuse every number of keys below 1 alike.
pub const NO_KEYS: Status = Status::Text("ERR numkeys should be greater than 0");

/// Reads the options of the commands that count an intersection: how far to count.
///
/// # Errors
/// Redis's refusals.
pub fn limit(options: Words<'_, '_>) -> Result<usize, Status> {
    let mut limit = usize::MAX;
    for option in options.chunks(2) {
        match option {
            [name, n] if args::is_option(name, "LIMIT") => {
                limit = args::limit(n, "ERR LIMIT can't be negative")?
            }
            _ => return Err(Status::Syntax),
        }
    }
    Ok(limit)
}

/// What `LMPOP` and `ZMPOP` ask for: to take something from the first of several keys that holds anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pop<'w, 'a> {
    /// Where to look, in this order.
    pub keys: Words<'w, 'a>,
    /// Whether to take from the second of the two ends.
    pub from_second: bool,
    /// How much to take at most; above 0.
    pub count: usize,
}

impl<'w, 'a> Pop<'w, 'a> {
    /// Reads `numkeys key [key ...] end [COUNT count]`, where the two ends have these names.
    ///
    /// # Errors
    /// Redis's refusals.
    pub fn parse(words: Words<'w, 'a>, ends: [&str; 2]) -> Result<Self, Status> {
        let (keys, rest) = split(words).map_err(|miscount| match miscount {
            Miscount::TooMany => Status::Syntax,
            Miscount::NotInteger | Miscount::NotPositive => NO_KEYS,
        })?;
        let (end, options) = rest.split_first().ok_or(Status::Syntax)?;
        let from_second = ends.iter().position(|name| args::is_option(end, name));
        let from_second = from_second.ok_or(Status::Syntax)? == 1;
        let count = match options {
            [] => 1,
            [name, count, ..] if args::is_option(name, "COUNT") => {
                args::at_least(count, 1, "ERR count should be greater than 0")?
            }
            _ => return Err(Status::Syntax),
        };
        if options.len() > 2 {
            return Err(Status::Syntax);
        }
        Ok(Pop {
            keys,
            from_second,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted() {
        let words: Words<'_, '_> = &[b"2", b"a", b"b", b"c"];
        assert_eq!(split(words), Ok((&words[1..3], &words[3..])));
        assert_eq!(split(&words[..3]), Ok((&words[1..3], &words[3..3])));
        assert_eq!(split(&words[..2]), Err(Miscount::TooMany));
        assert_eq!(split(&[b"9223372036854775807", b"a"]), Err(Miscount::TooMany));
        assert_eq!(split(&[b"0", b"a"]), Err(Miscount::NotPositive));
        assert_eq!(split(&[b"-1", b"a"]), Err(Miscount::NotPositive));
        assert_eq!(split(&[b"x", b"a"]), Err(Miscount::NotInteger));
        assert_eq!(split(&[]), Err(Miscount::NotInteger));
    }

    fn pop(line: &str) -> Result<(usize, bool, usize), String> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        Pop::parse(&words, ["MIN", "MAX"])
            .map(|pop| (pop.keys.len(), pop.from_second, pop.count))
            .map_err(|status| status.text().into_owned())
    }

    #[test]
    fn pops_from_an_end() {
        assert_eq!(pop("1 a MIN"), Ok((1, false, 1)));
        assert_eq!(pop("2 a b max count 10"), Ok((2, true, 10)));
        assert_eq!(
            pop("1 a MIN COUNT 9223372036854775807"),
            Ok((1, false, i64::MAX as usize))
        );
        for line in [
            "1 a",
            "1",
            "2 a MIN",
            "1 a LEFT",
            "1 a MIN COUNT",
            "1 a MIN 5",
            "1 a MIN COUNT 1 COUNT 1",
        ] {
            assert_eq!(pop(line), Err("ERR syntax error".into()), "{line}");
        }
        for line in ["0 a MIN", "-1 a MIN", "x a MIN", "1.5 a"] {
            assert_eq!(
                pop(line),
                Err("ERR numkeys should be greater than 0".into()),
                "{line}"
            );
        }
        for count in ["0", "-1", "x", "9223372036854775808"] {
            assert_eq!(
                pop(&format!("1 a MIN COUNT {count}")),
                Err("ERR count should be greater than 0".into())
            );
        }
    }
}
