//! A vector in pieces, so that growing it moves nothing but the first piece, while that is small.

use std::iter::{Chain, Flatten};
use std::slice;

/// Elements of a piece. The first one grows up to it; the others have it from the start.
const CHUNK: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// Full if there are others.
    first: Vec<T>,
    /// All full but the last, which is not empty.
    others: Vec<Vec<T>>,
}

/// The elements from first to last.
pub type Iter<'a, T> = Chain<slice::Iter<'a, T>, Flatten<slice::Iter<'a, Vec<T>>>>;

impl<T> Chunks<T> {
    /// No elements, with room to name the pieces of so many.
    pub(super) fn with_capacity(elements: usize) -> Self {
        Chunks {
            first: Vec::new(),
            others: Vec::with_capacity(elements.div_ceil(CHUNK).saturating_sub(1)),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self.others.last() {
            None => self.first.len(),
            Some(last) => self.others.len() * CHUNK + last.len(),
        }
    }

    /// Bytes on the heap, without what the elements own.
    pub(super) fn memory(&self) -> usize {
        let others = match self.others.last() {
            None => 0,
            Some(last) => (self.others.len() - 1) * CHUNK + last.capacity(),
        };
        self.others.capacity() * size_of::<Vec<T>>() + (self.first.capacity() + others) * size_of::<T>()
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        match at.checked_sub(CHUNK) {
            None => self.first.get(at),
            Some(behind) => self.others.get(behind / CHUNK)?.get(behind % CHUNK),
        }
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match at.checked_sub(CHUNK) {
            None => self.first.get_mut(at),
            Some(behind) => self.others.get_mut(behind / CHUNK)?.get_mut(behind % CHUNK),
        }
    }

    /// Adds an element at the end.
    pub(super) fn push(&mut self, element: T) {
        if self.first.len() < CHUNK {
            if self.first.len() == self.first.capacity() {
                let more = (self.first.len() / 2).max(4).min(CHUNK - self.first.len());
                self.first.reserve_exact(more);
            }
            self.first.push(element);
            return;
        }
        match self.others.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(element),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(element);
                self.others.push(chunk);
            }
        }
    }

    /// Removes the element at `at`, which must be there; the last one takes its place.
    pub(super) fn swap_remove(&mut self, at: usize) -> T {
        let last = self.others.last_mut().unwrap_or(&mut self.first);
        let mut removed = last.pop().expect("an element is there to be removed");
        if self.others.last().is_some_and(Vec::is_empty) {
            self.others.pop();
        }
        if let Some(place) = self.get_mut(at) {
            std::mem::swap(place, &mut removed);
        }
        self.give_back();
        removed
    }

    fn give_back(&mut self) {
        if self.others.capacity() > 8 * self.others.len().max(8) {
            self.others.shrink_to(2 * self.others.len());
        }
        if self.first.capacity() > 8 * self.first.len().max(8) {
            self.first.shrink_to(2 * self.first.len());
        }
    }

    pub(super) fn iter(&self) -> Iter<'_, T> {
        self.first.iter().chain(self.others.iter().flatten())
    }
}

impl<T> std::ops::Index<usize> for Chunks<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        match at.checked_sub(CHUNK) {
            None => &self.first[at],
            Some(behind) => &self.others[behind / CHUNK][behind % CHUNK],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    #[test]
    fn behaves_like_a_vector_across_pieces() {
        let (mut chunks, mut model, mut rng) = (Chunks::with_capacity(0), Vec::new(), Rng::new(3));
        for target in [CHUNK, CHUNK + 1, 3 * CHUNK + 5, 2 * CHUNK, CHUNK - 1, 5000, 1, 0] {
            while model.len() < target {
                let n = rng.next_u64();
                chunks.push(n);
                model.push(n);
            }
            while model.len() > target {
                let at = rng.below(model.len());
                assert_eq!(chunks.swap_remove(at), model.swap_remove(at));
            }
            assert_eq!(chunks.len(), model.len());
            assert!(chunks.iter().eq(model.iter()));
            assert!((0..target).all(|at| chunks[at] == model[at] && chunks.get(at) == Some(&model[at])));
            assert_eq!(chunks.get(target), None);
            let held = chunks.first.capacity() + chunks.others.iter().map(Vec::capacity).sum::<usize>();
            assert_eq!(chunks.memory(), held * 8 + chunks.others.capacity() * 24);
        }
        assert!(chunks.memory() < 64 * 24);
    }
}
