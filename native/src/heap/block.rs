//! What is known of each 2 MiB of a range: which of it the allocator uses, and whether it was prepared.
//!
//! Any thread may claim and release at any time, one thread prepares. What a block says may be old by the time it is read: then
//! a block is prepared that is in use already, which changes nothing in it, or it is not prepared.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

/// A huge page.
pub const BLOCK_BYTES: usize = 2 << 20;
/// What the allocator claims and releases: 32 of them are a block.
const SLICE_BYTES: usize = BLOCK_BYTES / 32;
/// Blocks in a row that have to be used before the next is prepared: a heap of little is to stay small.
const USED_BEFORE: usize = 2;
/// Blocks that are prepared ahead of one that is used.
pub const AHEAD: usize = 2;

/// From so many slices of a block on, the next one is used too soon to be prepared.
const LATE_SLICES: u32 = 12;

/// Nobody has touched it.
const FRESH: u8 = 0;
/// It is being prepared.
const PREPARING: u8 = 1;
/// Prepared, and not used.
const READY: u8 = 2;
/// Used; the thread that prepares has not seen it.
const NEW: u8 = 3;
/// Used.
const USED: u8 = 4;

#[derive(Debug, Default)]
pub struct Block {
    /// A bit for every slice that is claimed.
    claimed: AtomicU32,
    state: AtomicU8,
}

/// The blocks of a range, in its order.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a>(pub &'a [Block]);

/// The slices of a block's number between two offsets of the range.
fn slices(block: usize, from: usize, to: usize) -> u32 {
    let within = |offset: usize| offset.saturating_sub(block * BLOCK_BYTES).min(BLOCK_BYTES) / SLICE_BYTES;
    let below = |slice: usize| (1u64 << slice) - 1;
    (below(within(to)) & !below(within(from))) as u32
}

impl Blocks<'_> {
    /// The allocator uses the bytes between these offsets from now on. Whether that begins a block.
    pub fn claim(self, from: usize, to: usize) -> bool {
        let to = to.next_multiple_of(SLICE_BYTES);
        let mut news = false;
        for number in from / BLOCK_BYTES..to.div_ceil(BLOCK_BYTES).min(self.0.len()) {
            let block = &self.0[number];
            block.claimed.fetch_or(slices(number, from, to), Relaxed);
            if block.state.load(Relaxed) < NEW {
                block.state.store(NEW, Relaxed);
                news = true;
            }
        }
        news
    }

    /// The allocator uses none of the bytes between these offsets any more. Gives the numbers of the blocks of which nothing is
    /// used now, to `emptied`.
    pub fn release(self, from: usize, to: usize, mut emptied: impl FnMut(usize)) {
        let from = from.next_multiple_of(SLICE_BYTES);
        for number in from / BLOCK_BYTES..to.div_ceil(BLOCK_BYTES).min(self.0.len()) {
            let block = &self.0[number];
            let freed = slices(number, from, to);
            let before = block.claimed.fetch_and(!freed, Relaxed);
            if before != 0 && before & !freed == 0 {
                emptied(number);
                block.state.store(FRESH, Relaxed);
            }
        }
    }

    /// Prepares what is likely to be needed next: so many blocks behind every one that was begun since the last time. `prepare` is
    /// given the number of a block that nobody has touched, and gives false if it cannot be done. Says how it went.
    pub fn advance(self, ahead: usize, mut prepare: impl FnMut(usize) -> bool) -> Advance {
        let mut advance = Advance::default();
        for number in 0..self.0.len() {
            let state = &self.0[number].state;
            if state.load(Relaxed) != NEW {
                continue;
            }
            let _ = state.compare_exchange(NEW, USED, Relaxed, Relaxed);
            advance.begun_up_to = number + 1;
            let begins = (number + 1).saturating_sub(USED_BEFORE)..number;
            if number + 1 < USED_BEFORE || begins.into_iter().any(|before| !self.is_used(before)) {
                continue;
            }
            let late = self.0[number].claimed.load(Relaxed).count_ones() > LATE_SLICES;
            for next in (number + 1..self.0.len()).take(ahead).skip(usize::from(late)) {
                let state = &self.0[next].state;
                if state
                    .compare_exchange(FRESH, PREPARING, Relaxed, Relaxed)
                    .is_err()
                {
                    continue;
                }
                if !prepare(next) {
                    advance.failed = true;
                    return advance;
                }
                if state
                    .compare_exchange(PREPARING, READY, Relaxed, Relaxed)
                    .is_err()
                {
                    advance.overtaken = true;
                    return advance;
                }
            }
        }
        advance
    }

    fn is_used(self, number: usize) -> bool {
        self.0[number].state.load(Relaxed) >= NEW
    }
}

/// What came of preparing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// A block was used while it was being prepared: memory is needed faster than it can be had.
    pub overtaken: bool,
    /// The system refused.
    pub failed: bool,
    /// The blocks up to the last one that was begun; 0 if none was.
    pub begun_up_to: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    fn blocks(count: usize) -> Vec<Block> {
        (0..count).map(|_| Block::default()).collect()
    }

    fn prepared(blocks: Blocks<'_>) -> Vec<usize> {
        let mut prepared = Vec::new();
        blocks.advance(AHEAD, |number| {
            prepared.push(number);
            true
        });
        prepared
    }

    #[test]
    fn the_blocks_behind_two_used_ones_are_prepared_once() {
        let held = blocks(8);
        let blocks = Blocks(&held);
        assert!(blocks.claim(0, 64 * KIB));
        assert!(!blocks.claim(64 * KIB, 128 * KIB), "the block has begun already");
        assert_eq!(prepared(blocks), [0; 0], "one block is little");
        assert!(blocks.claim(BLOCK_BYTES, BLOCK_BYTES + 1));
        assert_eq!(prepared(blocks), [2, 3]);
        assert_eq!(prepared(blocks), [0; 0]);
        assert!(
            blocks.claim(2 * BLOCK_BYTES, 3 * BLOCK_BYTES),
            "ready is not begun"
        );
        assert_eq!(prepared(blocks), [4], "3 is ready");
    }

    #[test]
    fn what_would_be_overtaken_is_left_out() {
        let held = blocks(8);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + 12 * SLICE_BYTES);
        assert_eq!(prepared(blocks), [2, 3]);
        let held = self::blocks(8);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + 13 * SLICE_BYTES);
        assert_eq!(prepared(blocks), [3]);
    }

    #[test]
    fn a_claim_of_several_blocks_begins_them_all_and_the_end_of_the_range_is_its_end() {
        let held = blocks(4);
        let blocks = Blocks(&held);
        assert!(blocks.claim(BLOCK_BYTES / 2, 4 * BLOCK_BYTES));
        assert_eq!(prepared(blocks), [0; 0]);
        assert_eq!(held[0].claimed.load(Relaxed), 0xffff_0000);
        assert_eq!(held[3].claimed.load(Relaxed), u32::MAX);
    }

    #[test]
    fn a_block_is_empty_when_its_last_slice_goes() {
        let held = blocks(4);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + 64 * KIB);
        let emptied = |from, to| {
            let mut numbers = Vec::new();
            blocks.release(from, to, |number| numbers.push(number));
            numbers
        };
        assert_eq!(emptied(64 * KIB, BLOCK_BYTES), [0; 0]);
        assert_eq!(emptied(0, 63 * KIB), [0; 0], "not all of the slice");
        assert_eq!(emptied(0, 64 * KIB), [0]);
        assert_eq!(emptied(0, 64 * KIB), [0; 0], "it was empty before");
        assert_eq!(emptied(BLOCK_BYTES, 2 * BLOCK_BYTES), [1]);
        assert!(blocks.claim(0, 1), "begins again");
    }

    #[test]
    fn blocks_are_seen_to_begin_when_none_is_to_be_prepared() {
        let held = blocks(4);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + 1);
        let advance = blocks.advance(0, |_| unreachable!("nothing was asked for"));
        assert_eq!(advance.begun_up_to, 2);
        assert_eq!(prepared(blocks), [0; 0], "they are seen once");
    }

    #[test]
    fn who_is_overtaken_and_who_is_refused_stops() {
        let held = blocks(8);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + 1);
        let advance = blocks.advance(AHEAD, |number| {
            blocks.claim(number * BLOCK_BYTES, number * BLOCK_BYTES + 1);
            true
        });
        assert_eq!(
            (advance.overtaken, advance.failed, advance.begun_up_to),
            (true, false, 2)
        );
        let advance = blocks.advance(AHEAD, |_| false);
        assert_eq!(
            (advance.overtaken, advance.failed, advance.begun_up_to),
            (false, true, 3)
        );
        assert_eq!(held[3].state.load(Relaxed), PREPARING, "and is not tried again");
    }
}
