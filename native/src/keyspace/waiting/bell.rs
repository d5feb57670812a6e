//! How a ticket's turn reaches the thread that waits.
//!
//! A bell is a pair of sockets: whoever writes to a key writes one byte, and the event loop of the thread that waits
//! finds it readable. Many turns make one byte. A function that Node calls across threads would do the same, but takes
//! Node before 24.14 down when a worker ends; a socket goes with its event loop.

use super::TicketId;
use parking_lot::Mutex;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The bell of one thread's event loop.
#[derive(Debug)]
pub struct Bell {
    /// Tickets whose turn it is, in the order in which it came.
    turns: Mutex<Vec<TicketId>>,
    /// Whether a byte is under way that nobody has answered.
    rung: AtomicBool,
    sender: UnixStream,
}

impl Bell {
    /// A bell, and the end on which it is heard.
    ///
    /// # Errors
    /// If the system has no sockets left.
    pub fn new() -> io::Result<(Arc<Bell>, UnixStream)> {
        let (sender, heard) = UnixStream::pair()?;
        sender.set_nonblocking(true)?;
        let bell = Bell {
            turns: Mutex::default(),
            rung: AtomicBool::new(false),
            sender,
        };
        Ok((Arc::new(bell), heard))
    }

    pub(super) fn ring(&self, ticket: TicketId) {
        self.turns.lock().push(ticket);
        if !self.rung.swap(true, Ordering::AcqRel) {
            // A full socket rings already, and nobody hears one whose event loop is gone.
            let _ = (&self.sender).write(&[0]);
        }
    }

    /// The tickets whose turn it is, in order of arrival.
    pub fn answer(&self) -> Vec<TicketId> {
        // Before the tickets are taken: one that comes behind them rings again.
        self.rung.store(false, Ordering::Release);
        let mut turns = std::mem::take(&mut *self.turns.lock());
        turns.sort_unstable();
        turns
    }
}
