//! Bytes behind one word. Copies share them, so a copy of what holds many of them takes a word for each.
//!
//! Two bytes stand before the text, or six before a long one: how many share it, and its length. With the word that is eight
//! bytes less than a `Box<[u8]>` takes, where the allocator rounds up in the same way. A text with as many holders as a
//! byte can count is copied.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering, fence};

/// Bytes before a short text: how many hold it beside the first one, and its length.
const SHORT_HEAD: usize = 2;
/// Bytes before a long one, whose length stands behind the mark.
const LONG_HEAD: usize = SHORT_HEAD + size_of::<u32>();
/// In the place of a length: the text is long.
const LONG: u8 = u8::MAX;

/// See the module. Its bytes change only while nobody shares them.
pub struct Text(NonNull<u8>);

// SAFETY: the bytes are only changed through `&mut` by who holds them alone, and the count is atomic.
unsafe impl Send for Text {}
// SAFETY: as above.
unsafe impl Sync for Text {}

const fn head(length: usize) -> usize {
    if length < LONG as usize {
        SHORT_HEAD
    } else {
        LONG_HEAD
    }
}

fn layout(length: usize) -> Layout {
    Layout::array::<u8>(head(length) + length).expect("a text fits into memory")
}

impl Text {
    /// Copies both parts to the heap, one behind the other. Together they are shorter than 4 GiB.
    pub fn joined(first: &[u8], second: &[u8]) -> Text {
        let length = first.len() + second.len();
        let long = u32::try_from(length).expect("a text is shorter than 4 GiB");
        // SAFETY: the layout is not empty, since a head stands before each text.
        let block = unsafe { alloc(layout(length)) };
        let Some(start) = NonNull::new(block) else {
            handle_alloc_error(layout(length))
        };
        // SAFETY: the block has room for the head, and behind it for both parts; nobody else knows it.
        unsafe {
            block.write(0);
            block.add(1).write(u8::try_from(length).unwrap_or(LONG));
            if head(length) == LONG_HEAD {
                block.add(SHORT_HEAD).cast::<u32>().write_unaligned(long);
            }
            let text = block.add(head(length));
            text.copy_from_nonoverlapping(first.as_ptr(), first.len());
            text.add(first.len())
                .copy_from_nonoverlapping(second.as_ptr(), second.len());
        }
        Text(start)
    }

    fn count(&self) -> &AtomicU8 {
        // SAFETY: the first byte of the block is the count, for as long as anybody holds it, and is used in no other way.
        unsafe { AtomicU8::from_ptr(self.0.as_ptr()) }
    }

    fn length(&self) -> usize {
        // SAFETY: the head was written when the text was made, and does not change.
        unsafe {
            match self.0.add(1).read() {
                LONG => self.0.add(SHORT_HEAD).cast::<u32>().read_unaligned() as usize,
                short => usize::from(short),
            }
        }
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let length = self.length();
        // SAFETY: so many bytes stand behind the head, and nobody changes them while this one is borrowed.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(head(length)), length) }
    }

    /// The bytes, to change them; `None` while others share them.
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        // Behind whatever the last of the others has read.
        if self.count().load(Ordering::Acquire) > 0 {
            return None;
        }
        let length = self.length();
        // SAFETY: as in `bytes`; and nobody else holds them, or can come to, while this one is borrowed.
        Some(unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(head(length)), length) })
    }

    /// Bytes on the heap, whoever shares them.
    pub fn heap_bytes(&self) -> usize {
        let length = self.length();
        head(length) + length
    }

    /// As [`Text::heap_bytes`], but 0 while others share them.
    pub fn unshared_bytes(&self) -> usize {
        match self.count().load(Ordering::Relaxed) {
            0 => self.heap_bytes(),
            _ => 0,
        }
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Text::joined(bytes, &[])
    }
}

impl Clone for Text {
    fn clone(&self) -> Self {
        let more = |count: u8| count.checked_add(1);
        match self
            .count()
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
        {
            Ok(_) => Text(self.0),
            Err(_too_many) => Text::from(self.bytes()),
        }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        let count = self.count();
        // Alone, nobody else can begin to hold it: no need to count.
        if count.load(Ordering::Acquire) > 0 && count.fetch_sub(1, Ordering::Release) > 0 {
            return;
        }
        // Behind whatever the others have read.
        fence(Ordering::Acquire);
        // SAFETY: this was the last one that held the block, which was allocated with this layout.
        unsafe { dealloc(self.0.as_ptr(), layout(self.length())) }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.bytes().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::live_bytes;
    use std::thread;

    #[test]
    fn it_holds_what_it_was_made_of() {
        for length in [0, 1, 14, 253, 254, 255, 256, 70_000] {
            let bytes: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let before = live_bytes();
            let (first, second) = bytes.split_at(length / 3);
            let text = Text::joined(first, second);
            assert_eq!(live_bytes() - before, text.heap_bytes() as isize);
            let copy = text.clone();
            assert_eq!(live_bytes() - before, text.heap_bytes() as isize);
            assert_eq!((text.bytes(), copy.bytes()), (&bytes[..], &bytes[..]));
            drop(text);
            assert_eq!(copy.bytes(), bytes);
            drop(copy);
            assert_eq!(live_bytes(), before);
        }
    }

    #[test]
    fn it_changes_only_for_who_holds_it_alone() {
        let mut text = Text::from(&b"abc"[..]);
        text.bytes_mut().expect("nobody shares it")[0] = b'x';
        let copy = text.clone();
        assert!(text.bytes_mut().is_none());
        drop(copy);
        text.bytes_mut().expect("nobody shares it any more")[1] = b'y';
        assert_eq!(text.bytes(), b"xyc");
    }

    #[test]
    fn more_holders_than_can_be_counted_get_copies() {
        let before = live_bytes();
        let text = Text::from(&b"abc"[..]);
        let bytes = text.heap_bytes() as isize;
        let mut copies: Vec<Text> = Vec::with_capacity(600);
        let room = live_bytes() - before - bytes;
        // The original is the last holder that its own block counts, and each copy that was made beyond stands for itself.
        copies.extend((0..255).map(|_| text.clone()));
        assert_eq!(live_bytes() - before - room, bytes);
        copies.extend((0..300).map(|_| text.clone()));
        assert_eq!(live_bytes() - before - room, 301 * bytes);
        drop(text);
        assert!(copies.iter().all(|copy| copy.bytes() == b"abc"));
        drop(copies);
        assert_eq!(live_bytes(), before);
    }

    #[test]
    fn threads_may_let_go_of_it_side_by_side() {
        for _ in 0..200 {
            let texts: Vec<Text> = (0..50u8).map(|n| Text::from(&[n; 20][..])).collect();
            thread::scope(|scope| {
                for _ in 0..2 {
                    let mine = texts.clone();
                    scope.spawn(move || {
                        for (n, text) in mine.into_iter().enumerate() {
                            assert_eq!(text.bytes(), [n as u8; 20]);
                        }
                    });
                }
            });
            assert!(texts.into_iter().all(|mut text| text.bytes_mut().is_some()));
        }
    }
}
