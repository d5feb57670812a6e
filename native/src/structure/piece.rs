//! A piece of a large structure, which frozen copies of the structure may share until it changes.
//!
//! A frozen copy is made by sharing all pieces, and whoever changes a piece first gets a copy of his own. A piece that is
//! shared by nobody costs nothing beside its content, and a change of it looks at nothing else: that it is shared stands in
//! the piece itself. Sharing moves the content's head into a box with a count, without a look at the content.
//!
//! What is shared is accounted by the live structure, box included, as long as that holds it ([`Piece::box_bytes`]); what it
//! has left behind, by the frozen one ([`is_left_behind`]).

use std::ops::Deref;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub enum Piece<T> {
    /// Nobody else has it.
    Own(T),
    /// Frozen structures may have it, too.
    Shared(Arc<T>),
}

/// Heap bytes of the box around something shared: two counts, and it.
pub const fn box_bytes<T>() -> usize {
    2 * size_of::<usize>() + size_of::<T>()
}

/// Whether the structure that a frozen piece was shared with has it no more, and no other frozen one has.
pub fn is_left_behind<T>(piece: &Arc<T>) -> bool {
    Arc::strong_count(piece) == 1
}

impl<T> Piece<T> {
    /// Bytes on the heap because it is, or was, shared.
    pub fn box_bytes(&self) -> usize {
        if self.is_shared() { box_bytes::<T>() } else { 0 }
    }

    /// Whether it has to be copied before it changes, unless the others have gone.
    #[inline]
    pub fn is_shared(&self) -> bool {
        matches!(self, Piece::Shared(_))
    }
}

impl<T: Clone + Default> Piece<T> {
    /// The content, to change it.
    #[inline]
    pub fn edit(&mut self) -> &mut T {
        if self.is_shared() {
            self.part();
        }
        match self {
            Piece::Own(content) => content,
            Piece::Shared(_) => unreachable!("it has just parted from the others"),
        }
    }

    #[cold]
    fn part(&mut self) {
        if let Piece::Shared(shared) = std::mem::replace(self, Piece::Own(T::default())) {
            // The last one takes it as it is.
            *self = Piece::Own(Arc::try_unwrap(shared).unwrap_or_else(|shared| T::clone(&shared)));
        }
    }

    /// Shares the content.
    pub fn share(&mut self) -> Arc<T> {
        if let Piece::Own(content) = self {
            *self = Piece::Shared(Arc::new(std::mem::take(content)));
        }
        match self {
            Piece::Shared(shared) => shared.clone(),
            Piece::Own(_) => unreachable!("it has just been put into a box"),
        }
    }
}

impl<T> Deref for Piece<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Piece::Own(content) => content,
            Piece::Shared(shared) => shared,
        }
    }
}

impl<T> From<T> for Piece<T> {
    fn from(content: T) -> Self {
        Piece::Own(content)
    }
}

impl<T> From<Arc<T>> for Piece<T> {
    fn from(shared: Arc<T>) -> Self {
        Piece::Shared(shared)
    }
}

impl<T: Default> Default for Piece<T> {
    fn default() -> Self {
        Piece::Own(T::default())
    }
}

impl<'a, T> IntoIterator for &'a Piece<Vec<T>> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_changes_it_leaves_the_others_theirs() {
        let mut piece = Piece::from(vec![1, 2]);
        let (first, second) = (piece.share(), piece.share());
        assert!(piece.is_shared() && !is_left_behind(&first));
        piece.edit().push(3);
        assert_eq!(
            (&*piece, &*first, &*second),
            (&vec![1, 2, 3], &vec![1, 2], &vec![1, 2])
        );
        assert!(!piece.is_shared());
        drop(second);
        assert!(is_left_behind(&first));
    }

    #[test]
    fn the_last_one_copies_nothing() {
        let mut piece = Piece::from(vec![1, 2]);
        let place = piece.as_ptr();
        drop(piece.share());
        assert_eq!(piece.box_bytes(), 40);
        assert_eq!(piece.edit().as_ptr(), place);
        assert_eq!(piece.box_bytes(), 0);
    }
}
