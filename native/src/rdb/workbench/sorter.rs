//! Rows in the order of their keys, whatever their number, in bounded memory.
//!
//! Rows are collected until they take [`RUN_BYTES`], sorted, and written to a file of their own without a name: a run.
//! [`RUNS_MAX`] runs of a level are merged into one of the next, so that a row is written once for each level and a
//! merge never reads more than `RUNS_MAX` files of a level at a time. Memory: one run's rows (or one row, if that is
//! larger), and a buffer of [`BUFFER_BYTES`] for each run of the last merge. A file without a name is gone when the
//! process is, however it ends.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Rows held before they are written.
const RUN_BYTES: usize = 32 << 20;
/// Runs of a level.
const RUNS_MAX: usize = 32;
const BUFFER_BYTES: usize = 64 << 10;
/// What a row costs beside its bytes.
const ROW_OVERHEAD: usize = size_of::<Place>();

/// A row in the arena: the key, and the payload behind it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    at: usize,
    key: usize,
    payload: usize,
}

/// Takes rows.
#[derive(Debug)]
pub struct Sorter {
    folder: PathBuf,
    run_bytes: usize,
    arena: Vec<u8>,
    places: Vec<Place>,
    /// By level: the runs of each are older than those of the level below.
    levels: Vec<Vec<File>>,
}

impl Sorter {
    /// A sorter that keeps its files in this folder.
    pub fn new(folder: PathBuf) -> Self {
        Sorter::with_run_bytes(folder, RUN_BYTES)
    }

    /// As [`Sorter::new`], with runs of another size.
    pub(super) fn with_run_bytes(folder: PathBuf, run_bytes: usize) -> Self {
        Sorter {
            folder,
            run_bytes,
            arena: Vec::new(),
            places: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn push(&mut self, key: &[u8], payload: &[u8]) -> io::Result<()> {
        let row = key.len() + payload.len() + ROW_OVERHEAD;
        let held = self.arena.len() + self.places.len() * ROW_OVERHEAD;
        if held > 0 && held + row > self.run_bytes {
            self.spill()?;
        }
        self.places.push(Place {
            at: self.arena.len(),
            key: key.len(),
            payload: payload.len(),
        });
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(payload);
        Ok(())
    }

    /// The rows in the order of their keys.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn finish(mut self) -> io::Result<Sorted> {
        if self.levels.is_empty() {
            self.sort();
            return Ok(Sorted::Held {
                arena: self.arena,
                places: self.places.into_iter(),
            });
        }
        self.spill()?;
        // Memory that the rows took is given back before the merge takes its own.
        (self.arena, self.places) = (Vec::new(), Vec::new());
        let runs = self.levels.into_iter().flatten().collect();
        Ok(Sorted::Merged(Merge::new(runs)?))
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        let key = |place: &Place| &arena[place.at..place.at + place.key];
        self.places.sort_by(|a, b| key(a).cmp(key(b)));
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut out = RunWriter::new(&self.folder)?;
        for place in &self.places {
            let (key, payload) =
                self.arena[place.at..place.at + place.key + place.payload].split_at(place.key);
            out.row(key, payload)?;
        }
        self.arena.clear();
        self.arena.shrink_to(self.run_bytes);
        self.places.clear();
        self.add_run(out.finish()?)
    }

    fn add_run(&mut self, run: File) -> io::Result<()> {
        let mut run = Some(run);
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[level].extend(run.take());
            if self.levels[level].len() < RUNS_MAX {
                break;
            }
            let mut merge = Merge::new(std::mem::take(&mut self.levels[level]))?;
            let mut out = RunWriter::new(&self.folder)?;
            while let Some((key, payload)) = merge.next()? {
                out.row(key, payload)?;
            }
            run = Some(out.finish()?);
        }
        Ok(())
    }
}

struct RunWriter(BufWriter<File>);

impl RunWriter {
    fn new(folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        Ok(RunWriter(BufWriter::with_capacity(BUFFER_BYTES, file)))
    }

    fn row(&mut self, key: &[u8], payload: &[u8]) -> io::Result<()> {
        self.0.write_all(&(key.len() as u64).to_le_bytes())?;
        self.0.write_all(&(payload.len() as u64).to_le_bytes())?;
        self.0.write_all(key)?;
        self.0.write_all(payload)
    }

    fn finish(self) -> io::Result<File> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// The next row of a run.
#[derive(Debug)]
struct Head {
    key: Vec<u8>,
    payload: Vec<u8>,
    /// Number of the run: older ones come first among equal keys.
    run: usize,
    rest: BufReader<File>,
}

impl Head {
    /// Reads the next row; false at the run's end.
    fn advance(&mut self) -> io::Result<bool> {
        if self.rest.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let (key, payload) = (self.length()?, self.length()?);
        self.key.resize(key, 0);
        self.rest.read_exact(&mut self.key)?;
        self.payload.resize(payload, 0);
        self.rest.read_exact(&mut self.payload)?;
        Ok(true)
    }

    fn length(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 8];
        self.rest.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes) as usize)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then(self.run.cmp(&other.run))
    }
}

/// Several runs as one.
#[derive(Debug)]
pub struct Merge {
    heads: BinaryHeap<Reverse<Head>>,
    /// The row that was given last, in buffers that change places with those of the heads.
    row: (Vec<u8>, Vec<u8>),
}

impl Merge {
    fn new(runs: Vec<File>) -> io::Result<Self> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (run, file) in runs.into_iter().enumerate() {
            let mut head = Head {
                key: Vec::new(),
                payload: Vec::new(),
                run,
                rest: BufReader::with_capacity(BUFFER_BYTES, file),
            };
            if head.advance()? {
                heads.push(Reverse(head));
            }
        }
        Ok(Merge {
            heads,
            row: (Vec::new(), Vec::new()),
        })
    }

    fn next(&mut self) -> io::Result<Option<(&[u8], &[u8])>> {
        let Some(mut least) = self.heads.peek_mut() else {
            return Ok(None);
        };
        std::mem::swap(&mut self.row.0, &mut least.0.key);
        std::mem::swap(&mut self.row.1, &mut least.0.payload);
        if !least.0.advance()? {
            PeekMut::pop(least);
        }
        Ok(Some((&self.row.0, &self.row.1)))
    }
}

/// Gives rows.
#[derive(Debug)]
pub enum Sorted {
    /// All of them fitted into memory.
    Held {
        /// Keys and payloads.
        arena: Vec<u8>,
        /// Where they are.
        places: std::vec::IntoIter<Place>,
    },
    /// They are in files.
    Merged(Merge),
}

impl Sorted {
    /// The next row: key and payload.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn next(&mut self) -> io::Result<Option<(&[u8], &[u8])>> {
        match self {
            Sorted::Held { arena, places } => Ok(places
                .next()
                .map(|place| arena[place.at..place.at + place.key + place.payload].split_at(place.key))),
            Sorted::Merged(merge) => merge.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    fn sorted(rows: &[(Vec<u8>, Vec<u8>)], run_bytes: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut sorter = Sorter::with_run_bytes(std::env::temp_dir(), run_bytes);
        for (key, payload) in rows {
            sorter.push(key, payload).expect("is written");
        }
        let mut sorted = sorter.finish().expect("is read");
        let mut found = Vec::new();
        while let Some((key, payload)) = sorted.next().expect("is read") {
            found.push((key.to_vec(), payload.to_vec()));
        }
        found
    }

    #[test]
    fn rows_come_in_order_from_memory_from_runs_and_from_merged_runs() {
        let mut rng = Rng::new(3);
        let rows: Vec<_> = (0..5000u32)
            .map(|i| {
                let key = rng.below(2000).to_string().into_bytes();
                (key, [&i.to_be_bytes()[..], &vec![7; rng.below(90)]].concat())
            })
            .collect();
        let mut wanted = rows.clone();
        wanted.sort_by(|a, b| a.0.cmp(&b.0));
        // The last size makes more runs than a level holds.
        for run_bytes in [RUN_BYTES, 100_000, 2_000] {
            let mut found = sorted(&rows, run_bytes);
            assert!(found.is_sorted_by(|a, b| a.0 <= b.0));
            found.sort();
            let mut wanted = wanted.clone();
            wanted.sort();
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_row_may_be_larger_than_a_run() {
        let rows = [(vec![2], vec![0; 5000]), (vec![1], vec![1; 9])];
        assert_eq!(sorted(&rows, 100), [rows[1].clone(), rows[0].clone()]);
        assert_eq!(sorted(&[], 100), []);
    }
}
