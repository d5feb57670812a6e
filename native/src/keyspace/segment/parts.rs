//! Segments that several threads fill without a lock, each a part of the pages, and that become one afterwards.

use super::{DEPTH_MAX, PAGE_KEYS_MAX, Page, SEGMENT_BITS, Segment};
use crate::structure::chunk_table::ChunkTable;

/// Keys of a page, on average, up to which a table for a known number of keys is laid out with no more pages.
const PAGE_KEYS_AIMED: usize = PAGE_KEYS_MAX * 3 / 4;

/// How the pages of all segments are laid out and who fills which: they take turns, so that keys that are neighbours in the
/// table come to different threads.
#[derive(Clone, Copy, Debug)]
pub struct Division {
    parts: usize,
    /// Of every page at first. There is a page for every part.
    depth: u32,
    /// Keys that a page has room for from the start.
    room: usize,
}

impl Division {
    /// For so many threads, and about so many keys in all segments together.
    pub fn new(parts: usize, keys: usize) -> Division {
        let keys = keys >> SEGMENT_BITS;
        let is_enough = |depth: &u32| keys >> depth <= PAGE_KEYS_AIMED && 1 << depth >= parts;
        let depth = (0..DEPTH_MAX).find(is_enough).unwrap_or(DEPTH_MAX);
        let mean = keys >> depth;
        // Two standard deviations: few pages need more.
        let room = (mean + 2 * mean.isqrt()).min(PAGE_KEYS_MAX);
        Division { parts, depth, room }
    }

    /// Number of parts.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// The part of a key with this hash.
    #[inline]
    pub fn part_of(&self, hash: u64) -> usize {
        let page = (hash << SEGMENT_BITS).checked_shr(64 - self.depth).unwrap_or(0);
        page as usize % self.parts
    }
}

impl Segment {
    /// An empty segment with room for the keys of one part, which must get no others.
    pub fn part(division: &Division, part: usize) -> Segment {
        let depth = division.depth;
        let page = |number: u32| {
            let is_own = number as usize % division.parts == part;
            let entries = ChunkTable::with_capacity(if is_own { division.room } else { 0 });
            Page { depth, entries }
        };
        let pages: Vec<Page> = (0..1 << depth).map(page).collect();
        Segment {
            depth,
            directory: (0..1 << depth).collect(),
            page_bytes: pages.iter().map(|page| page.entries.memory()).sum(),
            pages,
            ..Segment::default()
        }
    }

    /// One segment of all parts, in their order. O(pages), and O(keys that expire).
    pub fn unite(mut parts: Vec<Segment>, division: &Division) -> Segment {
        debug_assert_eq!(parts.len(), division.parts);
        let depth = parts.iter().map(|part| part.depth).max().unwrap_or(0);
        let mut numbers: Vec<Vec<Option<u32>>> =
            parts.iter().map(|part| vec![None; part.pages.len()]).collect();
        let mut whole = Segment {
            depth,
            directory: Vec::with_capacity(1 << depth),
            pages: Vec::new(),
            ..Segment::default()
        };
        for place in 0..1usize << depth {
            let owner = (place >> (depth - division.depth)) % division.parts;
            let part = &mut parts[owner];
            let own = part.directory[place >> (depth - part.depth)] as usize;
            let number = *numbers[owner][own].get_or_insert_with(|| {
                whole.pages.push(part.pages[own].take());
                whole.pages.len() as u32 - 1
            });
            whole.directory.push(number);
        }
        whole.page_bytes = whole.pages.iter().map(|page| page.entries.memory()).sum();
        parts.iter_mut().for_each(|part| whole.count_in(part));
        whole
    }

    /// Takes over what a part says of its keys.
    fn count_in(&mut self, part: &mut Segment) {
        for kind in 0..self.keys.len() {
            self.keys[kind] += part.keys[kind];
            self.memory[kind] += part.memory[kind];
        }
        part.due.iter().for_each(|due| self.due.insert(due));
        part.fading.iter().for_each(|due| self.fading.insert(due));
        part.due_fields.iter().for_each(|due| self.due_fields.insert(due));
        self.next_due_field = self.next_due_field.min(part.next_due_field);
        self.unswept.append(&mut part.unswept);
    }
}

impl Page {
    /// The page, without the room that it was given for nothing.
    fn take(&mut self) -> Page {
        let entries = std::mem::take(&mut self.entries);
        let mut page = Page { entries, ..*self };
        if page.entries.len() * 4 < page.entries.capacity() {
            page.entries.shrink_to(page.entries.len(), super::entry_hash);
        }
        page
    }
}
