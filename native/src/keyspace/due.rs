//! Which keys are due next: pairs of a time and a key's hash in ascending order.
//!
//! The pairs lie in blocks of up to [`BLOCK_PAIRS`], so that no operation moves more than a block and the list of
//! blocks. Cost: 16 bytes per pair in full blocks, which ascending times leave behind, and about 24 otherwise.
//! Insert and remove are O(log n) but for those moves; `first` and `nth_about` are O(1).

/// When something is due (Unix milliseconds), and the hash of its key.
pub type Due = (i64, u64);

/// Most pairs of a block.
const BLOCK_PAIRS: usize = 64;

#[derive(Debug)]
struct Block {
    /// Never empty, ascending.
    pairs: Vec<Due>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct DueIndex {
    /// Ascending; every pair of a block stands before all of the next one.
    blocks: Vec<Block>,
    len: usize,
    /// Sum of the blocks' capacities.
    room: usize,
}

impl DueIndex {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.room * size_of::<Due>() + self.blocks.capacity() * size_of::<Block>()
    }

    /// The pair that is due first.
    pub fn first(&self) -> Option<Due> {
        self.blocks.first().map(|block| block.pairs[0])
    }

    /// The first pair that is due after `time`.
    pub fn first_after(&self, time: i64) -> Option<Due> {
        let at = self.blocks.partition_point(|block| last(block).0 <= time);
        let pairs = &self.blocks.get(at)?.pairs;
        pairs.get(pairs.partition_point(|pair| pair.0 <= time)).copied()
    }

    /// Number of pairs that are due at `time` or before.
    pub fn count_until(&self, time: i64) -> usize {
        match (self.first(), self.blocks.last()) {
            (Some(first), _) if first.0 > time => 0,
            (_, Some(block)) if last(block).0 <= time => self.len,
            _ => self
                .blocks
                .iter()
                .take_while(|block| block.pairs[0].0 <= time)
                .map(|block| block.pairs.partition_point(|pair| pair.0 <= time))
                .sum(),
        }
    }

    /// A pair for a number that was drawn at random; all are about as likely.
    pub fn nth_about(&self, random: u64) -> Option<Due> {
        let block = pick(&self.blocks, random >> 32)?;
        pick(&block.pairs, random & 0xffff_ffff).copied()
    }

    /// Adds a pair, unless it is there.
    pub fn insert(&mut self, pair: Due) {
        let at = self.block_for(pair);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(Block { pairs: vec![pair] });
            (self.len, self.room) = (1, 1);
            return;
        };
        let Err(place) = block.pairs.binary_search(&pair) else {
            return;
        };
        self.len += 1;
        let before = block.pairs.capacity();
        if block.pairs.len() < BLOCK_PAIRS {
            grow(&mut block.pairs);
            block.pairs.insert(place, pair);
            self.room += block.pairs.capacity() - before;
            return;
        }
        // Times that ascend leave full blocks behind.
        let cut = if place == BLOCK_PAIRS {
            place
        } else {
            BLOCK_PAIRS / 2
        };
        let mut right = Vec::with_capacity(BLOCK_PAIRS);
        right.extend(block.pairs.drain(cut..));
        if place < cut {
            block.pairs.insert(place, pair);
        } else {
            right.insert(place - cut, pair);
        }
        self.room += right.capacity();
        self.blocks.insert(at + 1, Block { pairs: right });
    }

    /// Removes a pair, if it is there.
    pub fn remove(&mut self, pair: Due) {
        let at = self.block_for(pair);
        let Some(block) = self.blocks.get_mut(at) else {
            return;
        };
        let Ok(place) = block.pairs.binary_search(&pair) else {
            return;
        };
        block.pairs.remove(place);
        self.len -= 1;
        if block.pairs.is_empty() {
            self.room -= block.pairs.capacity();
            self.blocks.remove(at);
            self.give_back();
        } else if block.pairs.len() <= BLOCK_PAIRS / 4 {
            self.merge(at);
        }
    }

    /// The block that holds the pair, or in which it belongs.
    fn block_for(&self, pair: Due) -> usize {
        let behind = self.blocks.partition_point(|block| block.pairs[0] <= pair);
        behind.saturating_sub(1)
    }

    /// Joins a sparse block with the one behind it, if both fill half a block at most.
    fn merge(&mut self, at: usize) {
        let Some(next) = self.blocks.get(at + 1) else {
            return;
        };
        if self.blocks[at].pairs.len() + next.pairs.len() > BLOCK_PAIRS / 2 {
            return;
        }
        let next = self.blocks.remove(at + 1);
        let block = &mut self.blocks[at];
        self.room -= next.pairs.capacity() + block.pairs.capacity();
        block.pairs.extend(next.pairs);
        self.room += block.pairs.capacity();
        self.give_back();
    }

    fn give_back(&mut self) {
        if self.blocks.capacity() > 8 * self.blocks.len().max(1) {
            self.blocks.shrink_to(2 * self.blocks.len());
        }
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        let pairs: Vec<Due> = self.iter().collect();
        assert!(pairs.is_sorted_by(|a, b| a < b));
        assert_eq!(pairs.len(), self.len);
        assert!(self.blocks.iter().all(|block| !block.pairs.is_empty()));
        let room: usize = self.blocks.iter().map(|block| block.pairs.capacity()).sum();
        assert_eq!(room, self.room);
    }

    /// All pairs, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Due> {
        self.blocks.iter().flat_map(|block| block.pairs.iter().copied())
    }
}

fn last(block: &Block) -> Due {
    block.pairs[block.pairs.len() - 1]
}

/// The element for a random number of 32 bits.
fn pick<T>(of: &[T], random: u64) -> Option<&T> {
    of.get(((random * of.len() as u64) >> 32) as usize)
}

/// Room for one more pair: doubling, up to a block.
fn grow(pairs: &mut Vec<Due>) {
    if pairs.len() == pairs.capacity() {
        pairs.reserve_exact(pairs.len().clamp(1, BLOCK_PAIRS - pairs.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn behaves_like_an_ordered_set() {
        let (mut index, mut model, mut rng) = (DueIndex::default(), BTreeSet::new(), Rng::new(11));
        for round in 0..40_000 {
            let pair = (rng.below(500) as i64, rng.below(20) as u64);
            // Fills up, then drains.
            if rng.below(40_000) > round {
                index.insert(pair);
                model.insert(pair);
            } else {
                index.remove(pair);
                model.remove(&pair);
            }
            assert_eq!(
                (index.len(), index.first()),
                (model.len(), model.first().copied())
            );
            if round % 500 == 0 {
                index.verify();
                assert!(index.iter().eq(model.iter().copied()));
                for time in [-1, 0, 100, 250, 499, 500] {
                    let until = model.range(..=(time, u64::MAX)).count();
                    assert_eq!(index.count_until(time), until);
                    let after = model.range((time + 1, 0)..).next().copied();
                    assert_eq!(index.first_after(time), after);
                }
            }
        }
        for pair in model {
            index.remove(pair);
        }
        assert_eq!((index.len(), index.first(), index.room), (0, None, 0));
    }

    #[test]
    fn ascending_times_fill_their_blocks() {
        let mut index = DueIndex::default();
        (0..10_000).for_each(|n| index.insert((n, 0)));
        assert!(index.memory() < 10_000 * 18, "{}", index.memory());
        (0..9_990).for_each(|n| index.remove((n, 0)));
        index.verify();
        assert!(index.memory() < 4096, "{}", index.memory());
    }

    #[test]
    fn every_pair_can_be_drawn() {
        let (mut index, mut rng) = (DueIndex::default(), Rng::new(3));
        assert_eq!(index.nth_about(rng.next_u64()), None);
        (0..200).for_each(|n| index.insert((n, 0)));
        let drawn: BTreeSet<_> = (0..20_000)
            .filter_map(|_| index.nth_about(rng.next_u64()))
            .collect();
        assert_eq!(drawn.len(), 200);
    }
}
