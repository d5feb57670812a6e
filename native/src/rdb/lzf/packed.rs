//! Where a listpack is likely to repeat itself: at the beginning of each entry, what stood at the beginning of the last but one.
//! That is the field before in a hash, the value before it, the member before in a sorted set, or some element of a list; their
//! names mostly begin alike, and always have the same kind of bytes before them.
//!
//! Such places are found without a search. What is no listpack after all only has fewer of them.

use super::{DISTANCE_MAX, word_of};

/// Before the first entry.
const HEADER: usize = 6;
const END: u8 = 0xff;
/// There is nothing to be repeated in fewer bytes.
const BYTES_MIN: usize = 32;
/// The lower bits of each byte.
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// A walk over the entries.
pub(super) struct Repeats<'a> {
    input: &'a [u8],
    /// The entry at hand, the one before it, and the one before that.
    at: usize,
    before: usize,
    before_that: usize,
}

impl<'a> Repeats<'a> {
    /// `None` for what does not look like a listpack.
    pub(super) fn of(input: &'a [u8]) -> Option<Self> {
        let declared = input.first_chunk()?;
        let looks_like_it =
            u32::from_le_bytes(*declared) as usize == input.len() && input.last() == Some(&END);
        if !looks_like_it || input.len() < BYTES_MIN {
            return None;
        }
        let mut repeats = Repeats {
            input,
            at: HEADER,
            before: HEADER,
            before_that: HEADER,
        };
        repeats.pass()?;
        repeats.pass()?;
        Some(repeats)
    }

    /// Goes to the next entry.
    #[inline]
    fn pass(&mut self) -> Option<()> {
        let size = match self.input[self.at..] {
            [0..0x80, ..] => 2,
            [first @ 0x80..0xc0, ..] => usize::from(first & 63) + 2,
            [0xc0..0xe0, ..] => 3,
            [first @ 0xe0..=0xef, second, ..] => {
                let length = (usize::from(first & 15) << 8 | usize::from(second)) + 2;
                length + if length < 128 { 1 } else { 2 }
            }
            [first @ 0xf1..=0xf3, ..] => usize::from(first - 0xf1) + 4,
            [0xf4, ..] => 10,
            _ => return None,
        };
        (self.before_that, self.before, self.at) = (self.before, self.at, self.at + size);
        (self.at < self.input.len()).then_some(())
    }

    /// The next place at which at least three bytes stand for the second time, and how far back they stood for the first.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            // From the last byte of the entry before on, which is its length.
            let (at, earlier) = (self.at - 1, self.before_that - 1);
            let differences = word_of(self.input, at)? ^ word_of(self.input, earlier)?;
            self.pass()?;
            let equal = !((differences & LOW).wrapping_add(LOW) | differences | LOW);
            let three_equal = equal & equal >> 8 & equal >> 16;
            let distance = at - earlier;
            if three_equal != 0 && distance <= DISTANCE_MAX {
                return Some((at + three_equal.trailing_zeros() as usize / 8, distance));
            }
        }
    }
}
