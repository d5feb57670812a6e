//! One request of the log: a command, or several between `MULTI` and `EXEC`, as Redis writes them to its AOF.

use crate::resp::{self, Progress, Words};

/// The words of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// One command.
    Command(Words<'a>),
    /// Several, to be run as one.
    Transaction(Vec<Words<'a>>),
}

impl<'a> Request<'a> {
    /// Reads a request that fills the bytes exactly. `None` if they are not one.
    pub fn parse(bytes: &'a [u8]) -> Option<Request<'a>> {
        let mut arrays = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let Ok(Progress::Done(words, consumed)) = resp::parse_request(rest) else {
                return None;
            };
            arrays.push(words);
            rest = &rest[consumed..];
        }
        if arrays.len() == 1 {
            return arrays.pop().map(Request::Command);
        }
        let transaction = arrays.len() > 1
            && arrays
                .first()
                .is_some_and(|words| words[..] == [b"MULTI".as_slice()])
            && arrays
                .last()
                .is_some_and(|words| words[..] == [b"EXEC".as_slice()]);
        transaction.then(|| {
            arrays.pop();
            arrays.remove(0);
            Request::Transaction(arrays)
        })
    }
}
