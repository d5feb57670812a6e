//! How recently or how often a key was used, in the 24 bits that its entry has for it.
//!
//! For LRU: the second of the last use, modulo 2^24 (half a year). For LFU: the minute of the last change, modulo 2^16,
//! and a counter of 8 bits that grows with the logarithm of the number of uses and falls with the minutes that pass.
//! Local to a process: it decides what a limit of memory evicts, and is no part of the state that peers share.

/// The bits that an entry has.
const BITS: u32 = 24;
const MASK: u32 = (1 << BITS) - 1;
/// The counter of a new key, so that it is not the first to go.
const COUNTER_NEW: u32 = 5;
const COUNTER_MAX: u32 = 255;
/// How many uses one step of the counter stands for, times the counter (Redis's `lfu-log-factor`).
const LOG_FACTOR: u32 = 10;
/// Minutes without use that cost the counter one (Redis's `lfu-decay-time`).
const DECAY_MINUTES: u32 = 1;

/// What a keyspace remembers of the use of its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracking {
    /// When a key was used last.
    #[default]
    Recency,
    /// How often a key was used.
    Frequency,
}

impl Tracking {
    /// The bits of a key that is made now.
    #[inline]
    pub fn fresh(self, now_s: u32) -> u32 {
        match self {
            Tracking::Recency => now_s & MASK,
            Tracking::Frequency => with_counter(now_s, COUNTER_NEW),
        }
    }

    /// The bits of a key that is used now. `random` is asked only where frequency counts.
    #[inline]
    pub fn used(self, bits: u32, now_s: u32, random: impl FnOnce() -> u32) -> u32 {
        match self {
            Tracking::Recency => now_s & MASK,
            Tracking::Frequency => with_counter(now_s, counted(frequency(bits, now_s), random())),
        }
    }
}

/// Seconds since the last use.
pub fn idle_s(bits: u32, now_s: u32) -> u32 {
    now_s.wrapping_sub(bits) & MASK
}

/// The bits of a key that was used so many seconds ago.
pub fn used_before(idle_s: u64, now_s: u32) -> u32 {
    now_s.wrapping_sub(idle_s.min(u64::from(MASK)) as u32) & MASK
}

/// The counter, after what it has lost since.
pub fn frequency(bits: u32, now_s: u32) -> u32 {
    let elapsed = minutes(now_s).wrapping_sub(bits >> 8) & 0xffff;
    (bits & COUNTER_MAX).saturating_sub(elapsed / DECAY_MINUTES)
}

/// The bits of a key with this counter.
pub fn with_counter(now_s: u32, counter: u32) -> u32 {
    minutes(now_s) << 8 | counter.min(COUNTER_MAX)
}

fn minutes(now_s: u32) -> u32 {
    (now_s / 60) & 0xffff
}

/// One more use: the counter grows with the probability 1 / (steps above a new key's * factor + 1).
fn counted(counter: u32, random: u32) -> u32 {
    let steps = counter.saturating_sub(COUNTER_NEW);
    let grows = counter < COUNTER_MAX && random.is_multiple_of(steps * LOG_FACTOR + 1);
    counter + u32::from(grows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    #[test]
    fn idle_time_counts_across_the_turn_of_the_clock() {
        let bits = Tracking::Recency.fresh(0x00ff_fff0);
        assert_eq!(idle_s(bits, 0x00ff_fff0), 0);
        assert_eq!(idle_s(bits, 0x0100_0010), 0x20);
        assert_eq!(idle_s(used_before(77, 1_000), 1_000), 77);
        assert_eq!(idle_s(used_before(u64::MAX, 1_000), 1_000), MASK);
    }

    /// The figures that Redis documents for the factor 10.
    #[test]
    fn the_counter_grows_with_the_logarithm_of_uses() {
        let mut rng = Rng::new(1);
        let mut use_times = |times: u32| {
            let start = Tracking::Frequency.fresh(0);
            let step = |bits, _| Tracking::Frequency.used(bits, 0, || rng.next_u64() as u32);
            frequency((0..times).fold(start, step), 0)
        };
        assert!((8..=14).contains(&use_times(100)));
        assert!((14..=24).contains(&use_times(1000)));
        assert!((120..=175).contains(&use_times(100_000)));
        assert_eq!(use_times(10_000_000), 255);
    }

    #[test]
    fn the_counter_falls_with_the_minutes() {
        let bits = with_counter(0, 100);
        assert_eq!(frequency(bits, 59), 100);
        assert_eq!(frequency(bits, 60 * 30), 70);
        assert_eq!(frequency(bits, 60 * 300), 0);
        let near_the_turn = with_counter(0xffff * 60, 9);
        assert_eq!(frequency(near_the_turn, 0x1_0001 * 60), 7);
    }
}
