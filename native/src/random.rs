//! A small seeded generator. Every random choice of a command draws from one, so that the seed in a log entry fixes it.

use std::collections::HashSet;

/// SplitMix64: passes BigCrush, needs eight bytes of state, and any seed is a good seed.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator that always gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An index below `n`. `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// `count` different indices below `n`, each choice of them with the same probability, in no particular order.
    /// `count` must not be above `n`. Time and memory grow with `count` alone (Floyd's method).
    pub fn distinct(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut chosen = Vec::with_capacity(count);
        let mut seen = HashSet::with_capacity(count);
        for last in n - count..n {
            let drawn = self.below(last + 1);
            let index = if seen.contains(&drawn) { last } else { drawn };
            seen.insert(index);
            chosen.push(index);
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_indices_are_distinct_and_in_range() {
        let mut rng = Rng::new(7);
        for (n, count) in [(0, 0), (1, 1), (5, 0), (5, 5), (100, 3), (100, 99), (1 << 40, 10)] {
            let mut chosen = rng.distinct(n, count);
            assert!(chosen.iter().all(|&index| index < n));
            chosen.sort_unstable();
            chosen.dedup();
            assert_eq!(chosen.len(), count);
        }
    }

    #[test]
    fn distinct_indices_are_all_as_likely() {
        let mut rng = Rng::new(1);
        let mut hits = [0u32; 10];
        for _ in 0..10_000 {
            rng.distinct(10, 3).into_iter().for_each(|index| hits[index] += 1);
        }
        assert!(hits.iter().all(|hits| (2800..3200).contains(hits)), "{hits:?}");
    }

    #[test]
    fn a_seed_fixes_everything() {
        assert_eq!(Rng::new(3).distinct(1000, 20), Rng::new(3).distinct(1000, 20));
    }
}
