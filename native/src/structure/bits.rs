//! Strings as rows of bits, the most significant bit of a byte first.
//!
//! Counting and searching look at many bytes at a time; what reads or writes a single bit or a field touches at most nine
//! bytes.

use std::ops::Range;

/// Bytes that a search compares at once.
const BLOCK_BYTES: usize = 32;

/// Bytes that hold any field of 64 bits, wherever in a byte it begins; more than needed, to make a number of them.
const WINDOW_BYTES: usize = 16;

/// The bit at `offset`; bits behind the end are clear.
pub fn get(bytes: &[u8], offset: usize) -> bool {
    let byte = bytes.get(offset / 8).copied().unwrap_or(0);
    byte & (0x80 >> (offset % 8)) != 0
}

/// Gives the bit at `offset`, which must be inside, another value. The one it had.
pub fn set(bytes: &mut [u8], offset: usize, bit: bool) -> bool {
    let mask = 0x80 >> (offset % 8);
    let byte = &mut bytes[offset / 8];
    let old = *byte & mask != 0;
    *byte = if bit { *byte | mask } else { *byte & !mask };
    old
}

#[inline(always)]
fn count_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let whole: u64 = words
        .iter()
        .map(|&word| u64::from(u64::from_ne_bytes(word).count_ones()))
        .sum();
    whole + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn count_wide(bytes: &[u8]) -> u64 {
    count_words(bytes)
}

/// How many bits are set.
pub fn count(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { count_wide(bytes) };
    }
    count_words(bytes)
}

/// How many bits of a range, which must be inside, are set.
pub fn count_within(bytes: &[u8], range: Range<usize>) -> u64 {
    if range.is_empty() {
        return 0;
    }
    let (first, last) = (range.start / 8, (range.end - 1) / 8);
    let before = bytes[first] & !(0xff >> (range.start % 8));
    let behind = bytes[last] & (0x7f >> ((range.end - 1) % 8));
    count(&bytes[first..=last]) - u64::from(before.count_ones() + behind.count_ones())
}

/// The first byte that is not `byte`.
fn find_other(bytes: &[u8], byte: u8) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<BLOCK_BYTES>();
    let same = blocks
        .iter()
        .position(|block| *block != [byte; BLOCK_BYTES])
        .unwrap_or(blocks.len())
        * BLOCK_BYTES;
    let found = bytes[same..].iter().position(|&other| other != byte)?;
    Some(same + found)
}

/// The first bit of this value in a range, which must be inside.
pub fn find_within(bytes: &[u8], range: Range<usize>, bit: bool) -> Option<usize> {
    if range.is_empty() {
        return None;
    }
    // Without the wanted bit, every byte is this one.
    let without = if bit { 0 } else { 0xff };
    let (first, last) = (range.start / 8, (range.end - 1) / 8);
    let place = |at: usize, wanted: u8| at * 8 + wanted.leading_zeros() as usize;
    let head = (bytes[first] ^ without) & (0xff >> (range.start % 8));
    let found = if head != 0 {
        place(first, head)
    } else {
        let at = first + 1 + find_other(&bytes[first + 1..=last], without)?;
        place(at, bytes[at] ^ without)
    };
    (found < range.end).then_some(found)
}

/// The bytes around a field as one number, its first byte the most significant, zeros behind the end of the string.
fn window(bytes: &[u8], offset: usize) -> u128 {
    let from = bytes.get(offset / 8..).unwrap_or_default();
    let mut window = [0; WINDOW_BYTES];
    let len = from.len().min(WINDOW_BYTES);
    window[..len].copy_from_slice(&from[..len]);
    u128::from_be_bytes(window)
}

/// The `width` bits (1 to 64) from `offset` on as a number; bits behind the end are clear.
pub fn field(bytes: &[u8], offset: usize, width: u32) -> u64 {
    (window(bytes, offset) << (offset % 8) >> (u128::BITS - width)) as u64
}

/// Writes the low `width` bits (1 to 64) of a number at `offset`. All of them must be inside.
pub fn set_field(bytes: &mut [u8], offset: usize, width: u32, value: u64) {
    debug_assert!(offset + width as usize <= bytes.len() * 8);
    let shift = u128::BITS - width;
    let mask = u128::MAX << shift >> (offset % 8);
    let bits = u128::from(value) << shift >> (offset % 8);
    let changed = (window(bytes, offset) & !mask | bits).to_be_bytes();
    let into = &mut bytes[offset / 8..];
    let len = into.len().min(WINDOW_BYTES);
    into[..len].copy_from_slice(&changed[..len]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    fn random_bytes(rng: &mut Rng, len: usize) -> Vec<u8> {
        // Mostly runs of equal bits, so that searches have something to pass over.
        let kind = rng.below(4);
        (0..len)
            .map(|_| match (kind, rng.below(20)) {
                (0, 1..) => 0,
                (1, 1..) => 0xff,
                (_, draw) => (draw * 13) as u8,
            })
            .collect()
    }

    #[test]
    fn ranges_agree_with_single_bits() {
        let mut rng = Rng::new(7);
        for _ in 0..2000 {
            let len = 1 + rng.below(100);
            let bytes = random_bytes(&mut rng, len);
            let end = 1 + rng.below(len * 8);
            let range = rng.below(end)..end;
            let bits = || range.clone().map(|at| get(&bytes, at));
            assert_eq!(
                count_within(&bytes, range.clone()),
                bits().filter(|&bit| bit).count() as u64
            );
            for bit in [false, true] {
                let expected = range.clone().find(|&at| get(&bytes, at) == bit);
                assert_eq!(find_within(&bytes, range.clone(), bit), expected);
            }
        }
        assert_eq!(count_within(&[], 0..0), 0);
        assert_eq!(find_within(&[], 0..0, false), None);
    }

    #[test]
    fn both_ways_to_count_agree() {
        let mut rng = Rng::new(8);
        for len in 0..300 {
            let bytes = random_bytes(&mut rng, len);
            assert_eq!(count(&bytes), count_words(&bytes));
        }
    }

    #[test]
    fn fields_agree_with_single_bits() {
        let mut rng = Rng::new(9);
        for _ in 0..2000 {
            let len = 9 + rng.below(20);
            let mut bytes = random_bytes(&mut rng, len);
            let width = 1 + rng.below(64) as u32;
            let offset = rng.below(len * 8 - width as usize + 1);
            let value = rng.next_u64();
            let before = bytes.clone();
            set_field(&mut bytes, offset, width, value);
            let inside = offset..offset + width as usize;
            for at in 0..len * 8 {
                let expected = if inside.contains(&at) {
                    value >> (inside.end - 1 - at) & 1 == 1
                } else {
                    get(&before, at)
                };
                assert_eq!(get(&bytes, at), expected);
            }
            let low = value & (u64::MAX >> (64 - width));
            assert_eq!(field(&bytes, offset, width), low);
        }
        assert_eq!(field(b"\xff", 4, 8), 0xf0);
        assert_eq!(field(b"", 1 << 40, 64), 0);
    }

    #[test]
    fn setting_a_bit_tells_what_it_was() {
        let mut bytes = [0, 0];
        assert!(!set(&mut bytes, 9, true));
        assert!(set(&mut bytes, 9, true));
        assert_eq!(bytes, [0, 0x40]);
        assert!(set(&mut bytes, 9, false));
        assert!(!get(&bytes, 9) && !get(&bytes, 16));
    }
}
