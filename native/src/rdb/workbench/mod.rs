//! What can be done with a file beside loading it: [`Check`], [`Side`] and [`Diff`], [`Convert`]; [`Facts`] and
//! [`Compose`] for programs that read and write keys by themselves.
//!
//! Nothing here grows with the number of keys: what has to be compared or put in order goes through a
//! [`sorter::Sorter`], which spills to files without names. What is held beside it is one value, at most.

mod check;
mod compose;
mod convert;
mod diff;
mod digest;
mod duplicates;
pub(in crate::rdb) mod facts;
mod file;
pub(super) mod sorter;
#[cfg(test)]
mod tests;

pub use check::Check;
pub use compose::{Compose, ComposeOptions};
pub use convert::{Convert, ConvertOptions};
pub use diff::{Diff, Side};
pub use facts::Facts;

/// Why a sink ended the reading, other than for what is wrong with the file.
#[derive(Debug)]
pub enum Failure {
    /// A temporary file could not be read or written.
    Io(std::io::Error),
    /// The wanted version has no form for something.
    Refused(String),
}

/// A sink that can fail by itself.
pub trait Tool: super::event::Sink {
    /// Why its last refusal was not the file's fault, if it was not.
    fn failure(&mut self) -> Option<Failure> {
        None
    }
}

impl Tool for super::Inspect {}

impl Tool for super::Json {
    fn failure(&mut self) -> Option<Failure> {
        self.take_failure().map(Failure::Io)
    }
}

/// Keeps the failure, and gives the words for the reader.
fn note<T>(result: std::io::Result<T>, failure: &mut Option<std::io::Error>) -> Result<T, String> {
    result.map_err(|error| {
        let text = format!("temporary file: {error}");
        *failure = Some(error);
        text
    })
}
