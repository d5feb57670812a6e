//! JSON text, one blank of indentation per level.

use super::text::{escape_bytes, escape_readable};
use std::fmt::Display;
use std::io::Write;

/// Writes brackets, commas and line breaks where they belong.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    depth: usize,
    /// Whether nothing stands yet in the innermost bracket.
    is_first: bool,
    /// Whether bytes are shown as code points, rather than as UTF-8 where they are.
    as_code_points: bool,
}

impl Writer {
    pub fn new(as_code_points: bool) -> Self {
        Writer {
            out: Vec::new(),
            depth: 0,
            is_first: true,
            as_code_points,
        }
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Bytes that have not been taken.
    pub fn size(&self) -> usize {
        self.out.len()
    }

    /// Goes on as if so many brackets were open, with nothing in the innermost.
    pub fn set_depth(&mut self, depth: usize) {
        self.depth = depth;
        self.is_first = true;
    }

    /// Writes finished text.
    pub fn raw(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    /// Begins an element of an array.
    pub fn item(&mut self) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        self.new_line();
    }

    /// Begins a member of an object.
    pub fn name(&mut self, name: &str) {
        self.name_bytes(name.as_bytes());
    }

    pub fn name_bytes(&mut self, name: &[u8]) {
        self.item();
        self.text(name);
        self.out.extend_from_slice(b": ");
    }

    pub fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.depth += 1;
        self.is_first = true;
    }

    pub fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        if !self.is_first {
            self.new_line();
        }
        self.is_first = false;
        self.out.push(bracket);
    }

    pub fn end(&mut self) {
        self.out.push(b'\n');
    }

    pub fn number(&mut self, number: impl Display) {
        // Writing into memory cannot fail.
        let _ = write!(self.out, "{number}");
    }

    pub fn text(&mut self, bytes: &[u8]) {
        if self.as_code_points {
            escape_bytes(bytes, &mut self.out);
        } else {
            escape_readable(bytes, &mut self.out);
        }
    }

    fn new_line(&mut self) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + self.depth, b' ');
    }
}
