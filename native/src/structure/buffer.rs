//! The one allocation of a packed structure, held in 16 bytes: collections hold such structures in place, and most collections
//! are small.

use crate::structure::size_class::SizeClass;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A byte of which only one value is used: enums around a buffer keep their variants in the others.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Spare {
    Unused = 0,
}

/// Bytes, and a number that belongs to them. There is always an allocation.
pub(super) struct Buffer {
    /// An allocation of `class`, whose first `len` bytes are initialised.
    place: NonNull<u8>,
    len: u32,
    /// Whatever the owner wants to have at hand.
    pub(super) note: u16,
    /// Of at least one byte and at least `len`.
    class: SizeClass,
    _spare: Spare,
}

const _: () = assert!(size_of::<Buffer>() == 16 && size_of::<Option<Option<Buffer>>>() == 16);

// SAFETY: a buffer owns its allocation alone, and there are only bytes in it.
unsafe impl Send for Buffer {}
// SAFETY: as above; without `&mut` nothing changes.
unsafe impl Sync for Buffer {}

/// Least size of a new buffer: a smaller one would be outgrown by the first element.
const ROOM_MIN: usize = 16;

fn layout(class: SizeClass) -> Layout {
    // The largest class is the one of `u32::MAX` bytes, far below `isize::MAX`.
    Layout::from_size_align(class.bytes(), 1).unwrap_or_else(|_| unreachable!("a buffer of {class:?}"))
}

impl Buffer {
    /// A copy of these bytes, of which there must be less than 4 GiB.
    pub(super) fn new(content: &[u8], note: u16) -> Buffer {
        let mut buffer = Buffer::with_room(content.len(), note);
        // SAFETY: the allocation has room for the content, and is nobody else's.
        unsafe {
            buffer
                .place
                .copy_from_nonoverlapping(NonNull::from(content).cast(), content.len());
        }
        buffer.len = content.len() as u32;
        buffer
    }

    /// An empty buffer.
    fn with_room(room: usize, note: u16) -> Buffer {
        assert!(room <= u32::MAX as usize, "a buffer holds less than 4 GiB");
        let class = SizeClass::of(room.max(ROOM_MIN));
        // SAFETY: no class is smaller than `ROOM_MIN`.
        let place = NonNull::new(unsafe { alloc(layout(class)) });
        Buffer {
            place: place.unwrap_or_else(|| handle_alloc_error(layout(class))),
            len: 0,
            note,
            class,
            _spare: Spare::Unused,
        }
    }

    /// Bytes of the allocation.
    pub(super) fn room(&self) -> usize {
        self.class.bytes()
    }

    /// Makes it an allocation of the class for `room` bytes, which must not be less than the length.
    pub(super) fn set_room(&mut self, room: usize) {
        assert!(room >= self.len() && room <= u32::MAX as usize);
        let class = SizeClass::of(room.max(ROOM_MIN));
        if class == self.class {
            return;
        }
        // SAFETY: the allocation has the layout of its class, and the new size is not 0.
        let place = unsafe { realloc(self.place.as_ptr(), layout(self.class), class.bytes()) };
        self.place = NonNull::new(place).unwrap_or_else(|| handle_alloc_error(layout(class)));
        self.class = class;
    }

    /// Cuts bytes off, or appends zeros, for which there must be room.
    pub(super) fn set_len(&mut self, len: usize) {
        assert!(len <= self.room() && len <= u32::MAX as usize);
        if let Some(more) = len.checked_sub(self.len()) {
            // SAFETY: the bytes from the old length to the new one lie inside of the allocation.
            unsafe { self.place.add(self.len()).write_bytes(0, more) };
        }
        self.len = len as u32;
    }

    fn len(&self) -> usize {
        self.len as usize
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes are initialised, and nobody changes them while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.place.as_ptr(), self.len as usize) }
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.place.as_ptr(), self.len as usize) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the allocation has the layout of its class.
        unsafe { dealloc(self.place.as_ptr(), layout(self.class)) };
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Buffer {
        Buffer::new(self, self.note)
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Buffer) -> bool {
        **self == **other
    }
}

impl Eq for Buffer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_survives_every_size() {
        let mut buffer = Buffer::new(b"begin", 7);
        let mut model = b"begin".to_vec();
        for len in [5, 16, 17, 100, 4000, 4096, 4097, 70_000, 33, 3] {
            if len > buffer.room() {
                buffer.set_room(len);
            }
            buffer.set_len(len);
            model.resize(len, 0);
            assert_eq!(*buffer, *model);
            buffer[len - 1] = len as u8;
            model[len - 1] = len as u8;
        }
        buffer.set_room(3);
        assert_eq!((buffer.room(), buffer.note), (ROOM_MIN, 7));
        let copy = buffer.clone();
        buffer[0] = b'B';
        assert!(copy != buffer && *copy == *model && copy.note == 7);
    }
}
