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
const LATE_SLICES: u32 = 28;

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

    /// Prepares what is likely to be needed next: so many blocks behind every one that was begun since the last time. Says how it
    /// went.
    pub fn advance(self, ahead: usize, provider: &mut impl Provider) -> Advance {
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
            for next in (number + 1..self.0.len()).take(ahead) {
                match self.prepare(next, provider) {
                    Prepared::Ready | Prepared::LeftOut => {}
                    Prepared::Overtaken => advance.overtaken = true,
                    Prepared::Failed => advance.failed = true,
                }
                if advance.overtaken || advance.failed {
                    return advance;
                }
            }
        }
        advance
    }

    /// Prepares a block, which is not the first, if nobody has touched it and nobody is about to.
    fn prepare(self, number: usize, provider: &mut impl Provider) -> Prepared {
        let state = &self.0[number].state;
        if state.load(Relaxed) != FRESH {
            return Prepared::LeftOut;
        }
        provider.make_ready();
        // That has taken its time.
        let is_late = self.0[number - 1].claimed.load(Relaxed).count_ones() > LATE_SLICES;
        let change = |from, to| state.compare_exchange(from, to, Relaxed, Relaxed).is_ok();
        if is_late || !change(FRESH, PREPARING) {
            return Prepared::LeftOut;
        }
        if !provider.provide(number) {
            return Prepared::Failed;
        }
        if change(PREPARING, READY) {
            Prepared::Ready
        } else {
            Prepared::Overtaken
        }
    }

    fn is_used(self, number: usize) -> bool {
        self.0[number].state.load(Relaxed) >= NEW
    }
}

/// Has memory provided.
pub trait Provider {
    /// Does what takes long and does not depend on the block: who comes to a block while it is being prepared may have to wait.
    fn make_ready(&mut self);
    /// Prepares the block with this number, which nobody has touched. False if it cannot be done.
    fn provide(&mut self, number: usize) -> bool;
}

/// What became of a block.
enum Prepared {
    Ready,
    LeftOut,
    Overtaken,
    Failed,
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

    /// Notes what is provided, and does something while it gets ready and while it provides.
    struct Noting<M, D> {
        provided: Vec<usize>,
        meanwhile: M,
        during: D,
    }

    impl<M: FnMut(), D: FnMut(usize) -> bool> Provider for Noting<M, D> {
        fn make_ready(&mut self) {
            (self.meanwhile)();
        }

        fn provide(&mut self, number: usize) -> bool {
            self.provided.push(number);
            (self.during)(number)
        }
    }

    fn advance(blocks: Blocks<'_>, ahead: usize, during: impl FnMut(usize) -> bool) -> (Advance, Vec<usize>) {
        advance_while(blocks, ahead, || {}, during)
    }

    fn advance_while(
        blocks: Blocks<'_>,
        ahead: usize,
        meanwhile: impl FnMut(),
        during: impl FnMut(usize) -> bool,
    ) -> (Advance, Vec<usize>) {
        let mut provider = Noting {
            provided: Vec::new(),
            meanwhile,
            during,
        };
        let advance = blocks.advance(ahead, &mut provider);
        (advance, provider.provided)
    }

    fn prepared(blocks: Blocks<'_>) -> Vec<usize> {
        advance(blocks, AHEAD, |_| true).1
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
        blocks.claim(0, BLOCK_BYTES + 28 * SLICE_BYTES);
        assert_eq!(prepared(blocks), [2, 3]);
        let held = self::blocks(8);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + 29 * SLICE_BYTES);
        assert_eq!(prepared(blocks), [3]);
    }

    #[test]
    fn what_was_used_while_the_provider_got_ready_is_left_out() {
        let held = blocks(8);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + SLICE_BYTES);
        let up_to = 2 * BLOCK_BYTES + SLICE_BYTES;
        let meanwhile = || {
            blocks.claim(BLOCK_BYTES, up_to);
        };
        let (advance, provided) = advance_while(blocks, AHEAD, meanwhile, |_| true);
        assert_eq!(
            (provided, advance.overtaken),
            (vec![3, 4], false),
            "4 for the new one"
        );
        // Almost at the next one.
        let held = self::blocks(8);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + SLICE_BYTES);
        let meanwhile = || {
            blocks.claim(BLOCK_BYTES, 2 * BLOCK_BYTES - SLICE_BYTES);
        };
        assert_eq!(advance_while(blocks, AHEAD, meanwhile, |_| true).1, [3]);
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
        let (advance, _) = advance(blocks, 0, |_| unreachable!("nothing was asked for"));
        assert_eq!(advance.begun_up_to, 2);
        assert_eq!(prepared(blocks), [0; 0], "they are seen once");
    }

    #[test]
    fn who_is_overtaken_and_who_is_refused_stops() {
        let held = blocks(8);
        let blocks = Blocks(&held);
        blocks.claim(0, BLOCK_BYTES + 1);
        let (told, _) = advance(blocks, AHEAD, |number| {
            blocks.claim(number * BLOCK_BYTES, number * BLOCK_BYTES + 1);
            true
        });
        assert_eq!((told.overtaken, told.failed, told.begun_up_to), (true, false, 2));
        let (told, _) = advance(blocks, AHEAD, |_| false);
        assert_eq!((told.overtaken, told.failed, told.begun_up_to), (false, true, 3));
        assert_eq!(held[3].state.load(Relaxed), PREPARING, "and is not tried again");
    }
}
