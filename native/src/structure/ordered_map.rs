//! An ordered map for keys that mostly arrive in ascending order: sorted runs of entries, and a sorted row of runs.
//!
//! Cost: key and value per entry and about half a byte of headers, in runs of up to [`RUN_ENTRIES_MAX`] that fill
//! completely when keys arrive in ascending order and are half full at worst when they do not. A search is O(log n); an
//! insertion or removal moves at most one run, and now and then the row of runs (one place per run); both ends are O(1).
//! A frozen copy shares the runs.

#[cfg(test)]
mod tests;

use super::piece::{Piece, box_bytes, is_left_behind};
use std::collections::VecDeque;

/// Most entries of a run.
const RUN_ENTRIES_MAX: usize = 64;
/// A run with fewer entries is joined with a neighbour, if both together leave room for more.
const RUN_ENTRIES_MIN: usize = RUN_ENTRIES_MAX / 4;

type Run<K, V> = Vec<(K, V)>;

/// See the module. No run is empty.
#[derive(Debug)]
pub struct OrderedMap<K, V> {
    runs: VecDeque<Piece<Run<K, V>>>,
    len: usize,
    /// Capacities of all runs together, in entries.
    room: usize,
    /// How many runs are in a box to be shared.
    boxed: usize,
}

/// Where an entry stands. The place behind the last entry is `(runs, 0)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    run: usize,
    at: usize,
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        OrderedMap {
            runs: VecDeque::new(),
            len: 0,
            room: 0,
            boxed: 0,
        }
    }
}

impl<K: Clone, V: Clone> Clone for OrderedMap<K, V> {
    /// A copy without spare room.
    fn clone(&self) -> Self {
        let runs: VecDeque<Piece<Run<K, V>>> = self.runs.iter().map(|run| Vec::clone(run).into()).collect();
        OrderedMap {
            len: self.len,
            room: runs.iter().map(|run| run.capacity()).sum(),
            boxed: 0,
            runs,
        }
    }
}

impl<K: Copy, V: Clone> OrderedMap<K, V> {
    /// A copy with what `copy` gives of each value, without spare room. O(n).
    pub fn copied(&mut self, mut copy: impl FnMut(&mut V) -> V) -> Self {
        let (mut room, count) = (0, self.runs.len());
        let copy_run = |run: usize| {
            let run = self.edit(run);
            room += run.len();
            let mut copied = Vec::with_capacity(run.len());
            copied.extend(run.iter_mut().map(|(key, value)| (*key, copy(value))));
            copied.into()
        };
        let runs = (0..count).map(copy_run).collect();
        OrderedMap {
            runs,
            len: self.len,
            room,
            boxed: 0,
        }
    }

    /// A copy that shares the runs until this one changes them. O(runs).
    pub fn freeze(&mut self) -> Self {
        self.boxed = self.runs.len();
        OrderedMap {
            runs: self.runs.iter_mut().map(|run| run.share().into()).collect(),
            len: self.len,
            room: self.room,
            boxed: self.boxed,
        }
    }

    /// A run, to change it. Its capacity counts as it is then.
    fn edit(&mut self, run: usize) -> &mut Run<K, V> {
        let run = &mut self.runs[run];
        if run.is_shared() {
            self.boxed -= 1;
            self.room -= run.capacity();
            self.room += run.edit().capacity();
        }
        run.edit()
    }
}

impl<K, V> OrderedMap<K, V> {
    /// Bytes on the heap that this one never shares. It stays the same as long as nothing changes. O(1).
    pub fn own_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<Piece<Run<K, V>>>()
    }

    /// Bytes on the heap of a frozen copy without those of runs that others share, and of what values own. O(runs).
    pub fn memory_alone(&self) -> usize {
        let alone = |run: &Piece<Run<K, V>>| match run {
            Piece::Shared(shared) if !is_left_behind(shared) => 0,
            run => run.box_bytes() + run.capacity() * size_of::<(K, V)>(),
        };
        self.own_bytes() + self.runs.iter().map(alone).sum::<usize>()
    }
}

impl<K: Copy + Ord, V: Clone> OrderedMap<K, V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes on the heap, without those that values own. O(1).
    pub fn memory(&self) -> usize {
        self.own_bytes() + self.room * size_of::<(K, V)>() + self.boxed * box_bytes::<Run<K, V>>()
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        let place = self.find(key)?;
        Some(&self.runs[place.run][place.at].1)
    }

    /// As [`OrderedMap::get`], to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.find(key)?;
        Some(&mut self.edit(place.run)[place.at].1)
    }

    /// The entry with the least key.
    pub fn first(&self) -> Option<(K, &V)> {
        let (key, value) = self.runs.front()?.first()?;
        Some((*key, value))
    }

    /// The entry with the greatest key.
    pub fn last(&self) -> Option<(K, &V)> {
        let (key, value) = self.runs.back()?.last()?;
        Some((*key, value))
    }

    /// As [`OrderedMap::last`], to change the value.
    pub fn last_mut(&mut self) -> Option<(K, &mut V)> {
        let last = self.runs.len().checked_sub(1)?;
        let (key, value) = self.edit(last).last_mut()?;
        Some((*key, value))
    }

    /// The entry with the greatest key that is not greater than this one.
    pub fn floor(&self, key: &K) -> Option<(K, &V)> {
        let run = self.runs.partition_point(|run| run[0].0 <= *key).checked_sub(1)?;
        let run = &self.runs[run];
        let at = run.partition_point(|(held, _)| held <= key).checked_sub(1)?;
        Some((run[at].0, &run[at].1))
    }

    /// Gives a key this value, and gives back the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let place = self.place_of(&key);
        if self.entry(place).is_some_and(|(held, _)| *held == key) {
            let old = &mut self.edit(place.run)[place.at].1;
            return Some(std::mem::replace(old, value));
        }
        self.len += 1;
        let place = self.make_room(place);
        self.change(place.run, |run| run.insert(place.at, (key, value)));
        None
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.find(key)?;
        Some(self.take(place).1)
    }

    /// Removes the entry with the least key.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        if self.is_empty() {
            return None;
        }
        Some(self.take(Place { run: 0, at: 0 }))
    }

    /// The entries in the order of keys.
    pub fn iter(&self) -> Range<'_, K, V> {
        Range {
            runs: &self.runs,
            front: Place { run: 0, at: 0 },
            back: self.end(),
        }
    }

    /// The entries whose keys lie between these two, both included.
    pub fn range(&self, from: &K, to: &K) -> Range<'_, K, V> {
        let mut back = self.place_of(to);
        if self.entry(back).is_some_and(|(held, _)| held == to) {
            back.at += 1;
            back = self.normal(back);
        }
        Range {
            runs: &self.runs,
            front: self.place_of(from),
            back,
        }
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        assert!(
            self.runs
                .iter()
                .all(|run| (1..=RUN_ENTRIES_MAX).contains(&run.len()))
        );
        let sum = |of: fn(&Run<K, V>) -> usize| self.runs.iter().map(|run| of(run)).sum::<usize>();
        assert_eq!((sum(Vec::len), sum(Vec::capacity)), (self.len, self.room));
        let boxed = self.runs.iter().filter(|run| run.is_shared()).count();
        assert_eq!(boxed, self.boxed);
        assert!(self.iter().map(|(key, _)| key).is_sorted_by(|a, b| a < b));
    }

    fn end(&self) -> Place {
        Place {
            run: self.runs.len(),
            at: 0,
        }
    }

    fn normal(&self, place: Place) -> Place {
        match self.runs.get(place.run) {
            Some(run) if place.at >= run.len() => Place {
                run: place.run + 1,
                at: 0,
            },
            _ => place,
        }
    }

    /// The place of the first entry whose key is not less.
    fn place_of(&self, key: &K) -> Place {
        let run = self
            .runs
            .partition_point(|run| run.last().is_some_and(|(last, _)| last < key));
        let at = self
            .runs
            .get(run)
            .map_or(0, |run| run.partition_point(|(held, _)| held < key));
        Place { run, at }
    }

    fn find(&self, key: &K) -> Option<Place> {
        let place = self.place_of(key);
        self.entry(place)
            .is_some_and(|(held, _)| held == key)
            .then_some(place)
    }

    fn entry(&self, place: Place) -> Option<&(K, V)> {
        self.runs.get(place.run)?.get(place.at)
    }

    /// Changes a run and keeps the books.
    fn change<R>(&mut self, run: usize, change: impl FnOnce(&mut Run<K, V>) -> R) -> R {
        let run = self.edit(run);
        let before = run.capacity();
        let result = change(run);
        let after = run.capacity();
        self.room = self.room - before + after;
        result
    }

    /// Where to insert instead of at `place`, in a run that is not full.
    fn make_room(&mut self, place: Place) -> Place {
        let Place { run, at } = place;
        if run == self.runs.len() {
            let last = run
                .checked_sub(1)
                .filter(|&last| self.runs[last].len() < RUN_ENTRIES_MAX);
            if let Some(last) = last {
                return Place {
                    run: last,
                    at: self.runs[last].len(),
                };
            }
            self.runs.push_back(Piece::default());
            return place;
        }
        if self.runs[run].len() < RUN_ENTRIES_MAX {
            return place;
        }
        const HALF: usize = RUN_ENTRIES_MAX / 2;
        let upper = self.change(run, |run| {
            let upper = run.split_off(HALF);
            run.shrink_to_fit();
            upper
        });
        self.room += upper.capacity();
        self.runs.insert(run + 1, upper.into());
        if at <= HALF {
            place
        } else {
            Place {
                run: run + 1,
                at: at - HALF,
            }
        }
    }

    fn take(&mut self, place: Place) -> (K, V) {
        self.len -= 1;
        let (entry, left) = self.change(place.run, |run| {
            let entry = run.remove(place.at);
            if run.len() * 4 <= run.capacity() {
                run.shrink_to(run.len() * 2);
            }
            (entry, run.len())
        });
        if left == 0 {
            self.remove_run(place.run);
        } else if left < RUN_ENTRIES_MIN {
            self.join(place.run);
        }
        entry
    }

    fn remove_run(&mut self, run: usize) -> Run<K, V> {
        let removed = std::mem::take(self.edit(run));
        self.runs.remove(run);
        self.room -= removed.capacity();
        if self.runs.len() * 4 <= self.runs.capacity() {
            self.runs.shrink_to(self.runs.len() * 2);
        }
        removed
    }

    /// Joins a small run with the one behind it, or else the one before it.
    fn join(&mut self, run: usize) {
        let left = if run + 1 < self.runs.len() {
            run
        } else {
            match run.checked_sub(1) {
                Some(before) => before,
                None => return,
            }
        };
        if self.runs[left].len() + self.runs[left + 1].len() <= RUN_ENTRIES_MAX / 2 {
            let right = self.remove_run(left + 1);
            self.change(left, |run| run.extend(right));
        }
    }
}

/// Entries in the order of keys, from either end.
#[derive(Debug)]
pub struct Range<'a, K, V> {
    runs: &'a VecDeque<Piece<Run<K, V>>>,
    front: Place,
    /// Behind the last entry.
    back: Place,
}

impl<'a, K: Copy, V> Iterator for Range<'a, K, V> {
    type Item = (K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let run = self.runs.get(self.front.run)?;
        let (key, value) = run.get(self.front.at)?;
        self.front.at += 1;
        if self.front.at == run.len() {
            self.front = Place {
                run: self.front.run + 1,
                at: 0,
            };
        }
        Some((*key, value))
    }
}

impl<K: Copy, V> DoubleEndedIterator for Range<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        if self.back.at == 0 {
            let run = self.back.run.checked_sub(1)?;
            self.back = Place {
                run,
                at: self.runs.get(run)?.len(),
            };
        }
        self.back.at -= 1;
        let (key, value) = self.runs.get(self.back.run)?.get(self.back.at)?;
        Some((*key, value))
    }
}
