//! A huge page that the system gets hold of before it is needed.
//!
//! Between the moment when a block is marked for a huge page and the moment when it has one, everybody who touches it gets one for it
//! and zeroes that. In a virtual machine that gives free memory back to its host, the first touch of a page is what takes long, 5 ms:
//! the host has to find memory for it. So that is done elsewhere, and the page given up at once: the system
//! hands out first what it got last, and zeroes it in 0.1 ms.

use super::arena::{Mapping, advise, map, provide};
use super::block::BLOCK_BYTES;

/// Room for one block, wherever it begins.
const ROOM_BYTES: usize = 2 * BLOCK_BYTES;

/// See the module. Of one thread.
#[derive(Default)]
pub struct Spare {
    room: Option<Mapping>,
    /// Whether the page is there.
    filled: bool,
}

impl Spare {
    /// The block that the page stands in.
    fn block(&self) -> Option<usize> {
        self.room
            .as_ref()
            .map(|room| room.start.next_multiple_of(BLOCK_BYTES))
    }

    /// Gets a page, unless it is there. Without room for it there is none, and who needs a page waits for it.
    pub fn fill(&mut self) {
        if self.filled {
            return;
        }
        if self.room.is_none() {
            self.room = map(ROOM_BYTES);
        }
        self.filled = self.block().is_some_and(provide);
    }

    /// Gives the page back to the system.
    pub fn give_up(&mut self) {
        if let Some(block) = self.block().filter(|_| self.filled) {
            advise(block, BLOCK_BYTES, libc::MADV_DONTNEED);
        }
        self.filled = false;
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::tests::is_provided;
    use super::*;

    #[test]
    fn a_page_is_held_until_it_is_given_up() {
        let mut spare = Spare::default();
        spare.give_up();
        spare.fill();
        let block = spare.block().expect("address space");
        assert!(is_provided(block) && is_provided(block + BLOCK_BYTES - 1));
        spare.give_up();
        assert!(!is_provided(block) && !is_provided(block + BLOCK_BYTES - 1));
        spare.fill();
        assert_eq!(spare.block(), Some(block), "in the same place");
        assert!(is_provided(block));
    }
}
