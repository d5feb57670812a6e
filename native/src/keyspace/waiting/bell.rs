//! How a ticket's turn reaches the thread that waits.
//!
//! A bell is a pair of sockets: whoever writes to a key writes one byte, and the event loop of the thread that waits
//! finds it readable. Many turns make one byte. A function that Node calls across threads would do the same, but takes
//! Node before 24.14 down when a worker ends; a socket goes with its event loop.

use super::TicketId;
use super::turns::Turns;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// The bell of one thread's event loop.
#[derive(Debug)]
pub struct Bell {
    turns: Turns<TicketId>,
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
            turns: Turns::new(),
            sender,
        };
        Ok((Arc::new(bell), heard))
    }

    pub(super) fn ring(&self, ticket: TicketId) {
        if self.turns.add(ticket) {
            // A full socket rings already, and nobody hears one whose event loop is gone.
            let _ = (&self.sender).write(&[0]);
        }
    }

    /// The tickets whose turn it is, in order of arrival.
    pub fn answer(&self) -> Vec<TicketId> {
        let mut turns = self.turns.take();
        turns.sort_unstable();
        turns
    }
}
