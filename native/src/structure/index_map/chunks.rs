//! A vector in pieces, so that growing it moves nothing but the first piece, while that is small.

/// Elements of a piece. The first one grows up to it; the others have it from the start.
const CHUNK: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// All full but the last, which is not empty.
    chunks: Vec<Vec<T>>,
}

/// The elements from first to last.
pub type Iter<'a, T> = std::iter::Flatten<std::slice::Iter<'a, Vec<T>>>;

impl<T> Chunks<T> {
    /// No elements, with room to name the pieces of so many.
    pub(super) fn with_capacity(elements: usize) -> Self {
        Chunks {
            chunks: Vec::with_capacity(elements.div_ceil(CHUNK)),
        }
    }

    pub(super) fn len(&self) -> usize {
        let Some(last) = self.chunks.last() else {
            return 0;
        };
        (self.chunks.len() - 1) * CHUNK + last.len()
    }

    /// Bytes on the heap, without what the elements own.
    pub(super) fn memory(&self) -> usize {
        let ends = self.chunks.first().map_or(0, Vec::capacity) + self.chunks.last().map_or(0, Vec::capacity);
        let room = match self.chunks.len() {
            0 => 0,
            1 => ends / 2,
            n => ends + (n - 2) * CHUNK,
        };
        self.chunks.capacity() * size_of::<Vec<T>>() + room * size_of::<T>()
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    /// Adds an element at the end.
    pub(super) fn push(&mut self, element: T) {
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => {
                if last.len() == last.capacity() {
                    let more = (last.len() / 2).max(4).min(CHUNK - last.len());
                    last.reserve_exact(more);
                }
                last.push(element);
            }
            None => {
                let mut chunk = Vec::with_capacity(if self.chunks.is_empty() { 4 } else { CHUNK });
                chunk.push(element);
                self.chunks.push(chunk);
            }
        }
    }

    /// Removes the element at `at`, which must be there; the last one takes its place.
    pub(super) fn swap_remove(&mut self, at: usize) -> T {
        let last_chunk = self.chunks.last_mut().expect("an element is there to be removed");
        let mut removed = last_chunk.pop().expect("the last piece is not empty");
        if last_chunk.is_empty() {
            self.chunks.pop();
        }
        if let Some(place) = self.get_mut(at) {
            std::mem::swap(place, &mut removed);
        }
        self.give_back();
        removed
    }

    fn give_back(&mut self) {
        if self.chunks.capacity() > 8 * self.chunks.len().max(8) {
            self.chunks.shrink_to(2 * self.chunks.len());
        }
        if let [only] = &mut self.chunks[..]
            && only.capacity() > 8 * only.len().max(8)
        {
            only.shrink_to(2 * only.len());
        }
    }

    pub(super) fn iter(&self) -> Iter<'_, T> {
        self.chunks.iter().flatten()
    }
}

impl<T> std::ops::Index<usize> for Chunks<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.chunks[at / CHUNK][at % CHUNK]
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
            let held: usize = chunks.chunks.iter().map(Vec::capacity).sum();
            assert_eq!(chunks.memory(), held * 8 + chunks.chunks.capacity() * 24);
        }
        assert!(chunks.memory() < 64 * 24);
    }
}
