//! A vector in pieces, so that growing it moves nothing but the first piece, while that is small. A frozen copy shares the
//! full pieces.

use crate::structure::piece::{Piece, box_bytes, is_left_behind};
use std::iter::{Chain, Flatten};
use std::slice;
use std::sync::Arc;

/// Elements of a piece. The first one grows up to it; the others have it from the start. A change of a shared piece copies
/// this many elements, but not the texts that they name: these are shared on, one by one.
const CHUNK: usize = 512;

/// See the module.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// Full if there are others. Never shared.
    first: Vec<T>,
    /// All full but the last, which is not empty. One that is shared is full.
    others: Vec<Piece<Vec<T>>>,
    /// How many of them are in a box to be shared.
    boxed: usize,
}

/// The elements from first to last.
pub type Iter<'a, T> = Chain<slice::Iter<'a, T>, Flatten<slice::Iter<'a, Piece<Vec<T>>>>>;

impl<T: Clone> Chunks<T> {
    /// No elements, with room to name the pieces of so many.
    pub(super) fn with_capacity(elements: usize) -> Self {
        Chunks {
            first: Vec::new(),
            others: Vec::with_capacity(elements.div_ceil(CHUNK).saturating_sub(1)),
            boxed: 0,
        }
    }

    /// Makes room for so many elements, of which there are none yet, as far as that is not made piece by piece.
    pub(super) fn reserve(&mut self, elements: usize) {
        self.first.reserve_exact(elements.min(CHUNK));
        self.others
            .reserve_exact(elements.div_ceil(CHUNK).saturating_sub(1));
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
        self.others.capacity() * size_of::<Piece<Vec<T>>>()
            + (self.first.capacity() + others) * size_of::<T>()
            + self.boxed * box_bytes::<Vec<T>>()
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
            Some(behind) => self.edit(behind / CHUNK)?.get_mut(behind % CHUNK),
        }
    }

    /// One of the others, to change it.
    fn edit(&mut self, other: usize) -> Option<&mut Vec<T>> {
        let piece = self.others.get_mut(other)?;
        self.boxed -= usize::from(piece.is_shared());
        Some(piece.edit())
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
        match self.others.last_mut() {
            // Nobody shares it, since it is not full.
            Some(Piece::Own(last)) if last.len() < CHUNK => last.push(element),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(element);
                self.others.push(chunk.into());
            }
        }
    }

    /// Removes the element at `at`, which must be there; the last one takes its place.
    pub(super) fn swap_remove(&mut self, at: usize) -> T {
        let removed = match self.others.len().checked_sub(1) {
            None => self.first.pop(),
            Some(last) => self.edit(last).and_then(Vec::pop),
        };
        let mut removed = removed.expect("an element is there to be removed");
        if self.others.last().is_some_and(|last| last.is_empty()) {
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

    /// A copy that shares the full pieces, but for the first. O(pieces).
    pub(super) fn freeze(&mut self) -> FrozenChunks<T> {
        let is_last_full = self.others.last().is_none_or(|last| last.len() == CHUNK);
        let full = self.others.len() - usize::from(!is_last_full);
        let (shared, last) = self.others.split_at_mut(full);
        self.boxed = full;
        FrozenChunks {
            first: self.first.clone(),
            full: shared.iter_mut().map(Piece::share).collect(),
            last: last.first().map_or_else(Vec::new, |last| Vec::clone(last)),
        }
    }

    /// Panics if an invariant is broken.
    pub(super) fn verify(&self) {
        assert!(self.first.len() <= CHUNK);
        assert!(self.others.is_empty() || self.first.len() == CHUNK);
        let full = |piece: &Piece<Vec<T>>| piece.len() == CHUNK && piece.capacity() == CHUNK;
        if let Some((last, before)) = self.others.split_last() {
            assert!(before.iter().all(full) && !last.is_empty());
            assert!(full(last) || !last.is_shared());
        }
        let boxed = self.others.iter().filter(|piece| piece.is_shared()).count();
        assert_eq!(boxed, self.boxed);
    }
}

/// The elements of an earlier time, whatever becomes of those they were copied from.
#[derive(Debug)]
pub(super) struct FrozenChunks<T> {
    first: Vec<T>,
    full: Vec<Arc<Vec<T>>>,
    last: Vec<T>,
}

impl<T> FrozenChunks<T> {
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.full.len() * CHUNK + self.last.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let full = self.full.iter().flat_map(|piece| piece.iter());
        self.first.iter().chain(full).chain(&self.last)
    }

    /// Bytes on the heap that were never the live elements', without what elements own. O(1).
    pub(super) fn own_bytes(&self) -> usize {
        let copied = self.first.capacity() + self.last.capacity();
        self.full.capacity() * size_of::<Arc<Vec<T>>>() + copied * size_of::<T>()
    }

    /// Bytes on the heap that the live elements do not account for; `owned` says what an element owns alone. O(elements).
    pub(super) fn memory(&self, owned: impl Fn(&T) -> usize) -> usize {
        let content =
            |piece: &Vec<T>| piece.capacity() * size_of::<T>() + piece.iter().map(&owned).sum::<usize>();
        let left_behind = self.full.iter().filter(|piece| is_left_behind(piece));
        self.full.capacity() * size_of::<Arc<Vec<T>>>()
            + content(&self.first)
            + content(&self.last)
            + left_behind
                .map(|piece| box_bytes::<Vec<T>>() + content(piece))
                .sum::<usize>()
    }
}

impl<T> std::ops::Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
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
            chunks.verify();
            assert_eq!(chunks.len(), model.len());
            assert!(chunks.iter().eq(model.iter()));
            assert!((0..target).all(|at| chunks[at] == model[at] && chunks.get(at) == Some(&model[at])));
            assert_eq!(chunks.get(target), None);
            let held =
                chunks.first.capacity() + chunks.others.iter().map(|piece| piece.capacity()).sum::<usize>();
            assert_eq!(chunks.memory(), held * 8 + chunks.others.capacity() * 24);
        }
        assert!(chunks.memory() < 64 * 24);
    }

    #[test]
    fn frozen_elements_stay_what_they_were() {
        let (mut chunks, mut rng) = (Chunks::with_capacity(0), Rng::new(4));
        let mut frozen: Vec<(FrozenChunks<u64>, Vec<u64>)> = Vec::new();
        for step in 0..30_000 {
            let len = chunks.len();
            match rng.below(4) {
                0 if len > 0 => drop(chunks.swap_remove(rng.below(len))),
                1 if len > 0 => *chunks.get_mut(rng.below(len)).expect("below the length") = step,
                _ => chunks.push(step),
            }
            if step % 700 == 0 {
                frozen.push((chunks.freeze(), chunks.iter().copied().collect()));
                if frozen.len() > 3 {
                    drop(frozen.swap_remove(rng.below(3)));
                }
                chunks.verify();
                for (frozen, model) in &frozen {
                    assert!(frozen.iter().eq(model) && frozen.len() == model.len());
                }
            }
        }
    }
}
