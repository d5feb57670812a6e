//! Whether a file is sound in every respect: the reader checks its structure, this sink that nothing comes twice.

use super::duplicates::Duplicates;
use super::{Failure, Tool, digest, note};
use crate::rdb::event::{ChecksumState, Event, KeyHead, Sink};
use crate::rdb::format::{self, Magic};
use crate::value::Element;
use std::io;
use std::path::PathBuf;

/// The sink. Of keys, and of the members of a value, it holds fingerprints: see [`Duplicates`].
#[derive(Debug)]
pub struct Check {
    keys: Duplicates,
    members: Duplicates,
    /// Whether the members of the value at hand must differ.
    is_unique: bool,
    offset: u64,
    counts: Counts,
    failure: Option<io::Error>,
}

/// What a sound file is said to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whose format it is.
    pub magic: Option<Magic>,
    /// Version of the format.
    pub version: u32,
    /// Keys read.
    pub keys: u64,
    /// Those of them that are in another database than 0.
    pub other_databases: u64,
    /// Libraries of functions.
    pub functions: u64,
    /// Known at the end.
    pub checksum: Option<ChecksumState>,
}

impl Check {
    /// A sink whose files go to this folder.
    pub fn new(folder: PathBuf) -> Self {
        Check {
            keys: Duplicates::new(folder.clone()),
            members: Duplicates::new(folder),
            is_unique: false,
            offset: 0,
            counts: Counts::default(),
            failure: None,
        }
    }

    /// What has been read.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn begin_key(&mut self, head: &KeyHead<'_>) -> Result<(), String> {
        self.is_unique = matches!(format::type_name(head.rdb_type), Some("set" | "zset" | "hash"));
        self.offset = head.offset;
        self.counts.other_databases += u64::from(head.db != 0);
        let known = self.keys.add(digest::of_key(head.db, head.key), head.offset);
        if note(known, &mut self.failure)? {
            return Err(format!("key '{}' comes twice", head.key.escape_ascii()));
        }
        Ok(())
    }

    fn member(&mut self, member: Element<'_>) -> Result<(), String> {
        if !self.is_unique {
            return Ok(());
        }
        let known = self.members.add(digest::of_element(member), self.offset);
        if note(known, &mut self.failure)? {
            return Err(format!("'{}' comes twice", member.to_cow().escape_ascii()));
        }
        Ok(())
    }

    fn end_key(&mut self) -> Result<(), String> {
        self.counts.keys += 1;
        if !self.is_unique {
            return Ok(());
        }
        match note(self.members.finish(), &mut self.failure)? {
            Some(_) => Err("a member or field comes twice".into()),
            None => Ok(()),
        }
    }

    fn end(&mut self, checksum: ChecksumState) -> Result<(), String> {
        self.counts.checksum = Some(checksum);
        match note(self.keys.finish(), &mut self.failure)? {
            Some(offset) => Err(format!("the key at offset {offset} has come before")),
            None => Ok(()),
        }
    }
}

impl Sink for Check {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Header { magic, version } => {
                self.counts.magic = Some(magic);
                self.counts.version = version;
                Ok(())
            }
            Event::Function(_) => {
                self.counts.functions += 1;
                Ok(())
            }
            Event::Key(head) => self.begin_key(&head),
            Event::Element(member) | Event::Scored(member, _) => self.member(member),
            Event::Pair(field, _) | Event::ExpiringPair { field, .. } => self.member(field),
            Event::EndKey => self.end_key(),
            Event::End(checksum) => self.end(checksum),
            _ => Ok(()),
        }
    }
}

impl Tool for Check {
    fn failure(&mut self) -> Option<Failure> {
        self.failure.take().map(Failure::Io)
    }
}
