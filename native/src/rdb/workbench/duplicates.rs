//! Whether something comes twice among any number of things, in bounded memory.
//!
//! Things are known by fingerprints of 128 bits. The first [`HELD_MAX`] are held, and a thing that equals one of them
//! is noticed at once. Of the others the fingerprints are sorted on disk, and two that are equal are noticed at the end.

use super::sorter::Sorter;
use hashbrown::HashTable;
use std::io;
use std::path::PathBuf;

/// Fingerprints that are held: about 20 MB of them.
const HELD_MAX: usize = 1 << 20;
/// Largest table that is used again.
const HELD_KEPT: usize = 1 << 10;

/// What has been seen.
#[derive(Debug)]
pub struct Duplicates {
    folder: PathBuf,
    held_max: usize,
    held: HashTable<u128>,
    spilled: Option<Sorter>,
}

impl Duplicates {
    /// Nothing yet. Files go to this folder.
    pub fn new(folder: PathBuf) -> Self {
        Duplicates {
            folder,
            held_max: HELD_MAX,
            held: HashTable::new(),
            spilled: None,
        }
    }

    /// Adds a thing that stands at this offset. Says whether it is known to have been there before.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn add(&mut self, fingerprint: u128, offset: u64) -> io::Result<bool> {
        let hash = fingerprint as u64;
        if self.held.find(hash, |held| *held == fingerprint).is_some() {
            return Ok(true);
        }
        if self.held.len() < self.held_max {
            self.held.insert_unique(hash, fingerprint, |held| *held as u64);
            return Ok(false);
        }
        let spilled = self
            .spilled
            .get_or_insert_with(|| Sorter::new(self.folder.clone()));
        spilled.push(&fingerprint.to_be_bytes(), &offset.to_be_bytes())?;
        Ok(false)
    }

    /// The offset of a thing that came twice, the first such; nothing is known afterwards.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn finish(&mut self) -> io::Result<Option<u64>> {
        // Clearing costs what the table could hold: a large one is not kept for the next few things.
        if self.held.capacity() > HELD_KEPT {
            self.held = HashTable::new();
        }
        self.held.clear();
        let Some(sorter) = self.spilled.take() else {
            return Ok(None);
        };
        let (mut sorted, mut last) = (sorter.finish()?, [0; 16]);
        let (mut is_first, mut found) = (true, None::<u64>);
        while let Some((fingerprint, offset)) = sorted.next()? {
            if !is_first && fingerprint == last {
                let offset = u64::from_be_bytes(offset.try_into().unwrap_or_default());
                found = Some(found.map_or(offset, |found| found.min(offset)));
            }
            last.copy_from_slice(fingerprint);
            is_first = false;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_noticed_at_once_and_what_is_not_at_the_end() {
        let mut seen = Duplicates::new(std::env::temp_dir());
        seen.held_max = 2;
        let mut add = |n: u128, offset| seen.add(n, offset).expect("is written");
        assert!(!add(1, 10));
        assert!(!add(2, 20));
        assert!(add(1, 30));
        assert!(!add(3, 40));
        assert!(!add(4, 50));
        assert!(!add(4, 60));
        assert!(!add(3, 70));
        assert!(add(2, 80));
        assert_eq!(seen.finish().expect("is read"), Some(60));
        assert_eq!(seen.finish().expect("is read"), None);
    }
}
