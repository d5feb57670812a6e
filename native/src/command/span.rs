//! Index ranges and counts, as the words of a request give them.

use super::args;
use crate::status::Status;
use std::ops::Range;

/// Reads the two inclusive ends of a range.
///
/// # Errors
/// [`Status::NotInteger`].
pub fn ends(start: &[u8], stop: &[u8]) -> Result<(i64, i64), Status> {
    Ok((args::int(start)?, args::int(stop)?))
}

/// The part of `0..len` from `start` to `stop`, both inclusive; negative ones count from the end, -1 being the last.
pub fn indexes((start, stop): (i64, i64), len: usize) -> Range<usize> {
    let from_front = |index: i64| match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let start = from_front(start).unwrap_or(0).min(len);
    let end = from_front(stop).map_or(0, |stop| stop.saturating_add(1)).min(len);
    start..end.max(start)
}

/// The place in `0..len` that an index means; `None` if it lies outside.
pub fn index(index: i64, len: usize) -> Option<usize> {
    let found = indexes((index, index), len);
    (found.len() == 1).then_some(found.start)
}

/// Reads how many elements to take: 0 or more.
///
/// # Errors
/// [`Status::OutOfRange`] for everything else.
pub fn count(word: &[u8]) -> Result<usize, Status> {
    let count = args::int(word).map_err(|_| Status::OutOfRange)?;
    usize::try_from(count).map_err(|_| Status::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        for (ends, expected) in [
            ((0, -1), 0..5),
            ((1, 2), 1..3),
            ((-2, -1), 3..5),
            ((-100, 100), 0..5),
            ((3, 1), 3..3),
            ((5, 9), 5..5),
            ((0, -6), 0..0),
            ((i64::MIN, i64::MAX), 0..5),
            ((i64::MAX, i64::MIN), 5..5),
        ] {
            assert_eq!(indexes(ends, 5), expected, "{ends:?}");
        }
        assert_eq!(indexes((0, -1), 0), 0..0);
    }

    #[test]
    fn single_indexes() {
        assert_eq!(
            (index(0, 2), index(-1, 2), index(-2, 2)),
            (Some(0), Some(1), Some(0))
        );
        assert_eq!((index(2, 2), index(-3, 2), index(0, 0)), (None, None, None));
        assert_eq!((index(i64::MAX, 2), index(i64::MIN, 2)), (None, None));
    }

    #[test]
    fn counts() {
        assert_eq!((count(b"0"), count(b"7")), (Ok(0), Ok(7)));
        for word in [&b"-1"[..], b"x", b"", b"99999999999999999999"] {
            assert_eq!(count(word), Err(Status::OutOfRange));
        }
    }
}
