//! How SRANDMEMBER, HRANDFIELD and their like choose: by position, and by the command's own random numbers alone.

use super::args;
use crate::random::Rng;
use crate::status::Status;

/// Elements that a request for repetitions may ask for. Redis has no such limit, and runs out of memory instead.
const REPEATED_MAX: u64 = 1 << 22;

/// Reads a count: positive for different elements, negative for elements that may repeat.
///
/// # Errors
/// [`Status::NotInteger`], and Redis's text for the one integer that cannot be negated.
pub fn count(word: &[u8]) -> Result<i64, Status> {
    match args::int(word)? {
        i64::MIN => Err(Status::Text(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        )),
        count => Ok(count),
    }
}

/// Reads `[count [OPTION]]`: the count if there is one, and whether the option is there, which doubles the reply.
///
/// # Errors
/// As [`count`]; Redis's refusals of other words, and of counts whose double leaves the 64-bit range.
pub fn count_and_option(words: &[&[u8]], option: &str) -> Result<(Option<i64>, bool), Status> {
    let [number, options @ ..] = words else {
        return Ok((None, false));
    };
    let number = count(number)?;
    match options {
        [] => Ok((Some(number), false)),
        [word] if args::is_option(word, option) => {
            if number.unsigned_abs() > i64::MAX as u64 / 2 {
                return Err(Status::Text("ERR value is out of range"));
            }
            Ok((Some(number), true))
        }
        _ => Err(Status::Syntax),
    }
}

/// The positions chosen among `len` elements: all of them, in order, if the count is not below `len`.
///
/// # Errors
/// A refusal if more than [`REPEATED_MAX`] repetitions are asked for.
pub fn positions(rng: &mut Rng, len: usize, count: i64) -> Result<Vec<usize>, Status> {
    if len == 0 {
        return Ok(Vec::new());
    }
    if count < 0 {
        let count = count.unsigned_abs();
        if count > REPEATED_MAX {
            return Err(Status::Text("ERR value is out of range"));
        }
        return Ok((0..count).map(|_| rng.below(len)).collect());
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(if count >= len {
        (0..len).collect()
    } else {
        rng.distinct(len, count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(count(b"-9223372036854775807"), Ok(-i64::MAX));
        assert!(matches!(count(b"-9223372036854775808"), Err(Status::Text(_))));
        assert_eq!(count(b"two"), Err(Status::NotInteger));
    }

    #[test]
    fn counts_with_an_option() {
        let read = |words| count_and_option(words, "WITHSCORES");
        assert_eq!(read(&[]), Ok((None, false)));
        assert_eq!(read(&[b"-3"]), Ok((Some(-3), false)));
        assert_eq!(read(&[b"3", b"withScores"]), Ok((Some(3), true)));
        assert_eq!(read(&[b"3", b"WITHVALUES"]), Err(Status::Syntax));
        assert_eq!(read(&[b"3", b"WITHSCORES", b"x"]), Err(Status::Syntax));
        assert_eq!(read(&[b"x", b"WITHSCORES", b"x"]), Err(Status::NotInteger));
        assert_eq!(
            read(&[b"-9223372036854775807", b"WITHSCORES"]),
            Err(Status::Text("ERR value is out of range"))
        );
    }

    #[test]
    fn a_positive_count_never_repeats() {
        let rng = &mut Rng::new(1);
        assert_eq!(positions(rng, 3, 3), Ok(vec![0, 1, 2]));
        assert_eq!(positions(rng, 3, i64::MAX), Ok(vec![0, 1, 2]));
        assert_eq!(positions(rng, 3, 0), Ok(vec![]));
        let two = positions(rng, 3, 2).unwrap();
        assert!(two.len() == 2 && two[0] != two[1]);
    }

    #[test]
    fn a_negative_count_repeats_up_to_the_limit() {
        let rng = &mut Rng::new(1);
        assert_eq!(positions(rng, 1, -5), Ok(vec![0; 5]));
        assert_eq!(positions(rng, 0, -5), Ok(vec![]));
        assert!(positions(rng, 1, -i64::MAX).is_err());
    }
}
