//! A run of a stream's entries in one listpack, in the layout that RDB files hold.
//!
//! `live deleted names name… 0`, then for each entry `flags ms seq`, its fields, and the number of its elements before
//! this one, to walk backwards. Milliseconds and sequence are differences from the node's master id, that of its first
//! entry. An entry with the names of the first is flagged so and holds its values alone; any other holds
//! `count field value…`. A deleted entry stays in place with a flag, until the whole node goes.

use super::StreamId;
use crate::structure::listpack::{Listpack, Position, packed_form};
use crate::structure::piece::{Piece, is_left_behind};
use crate::value::Element;

const DELETED: i64 = 1;
const SAME_NAMES: i64 = 2;

/// See the module. A frozen stream shares its nodes.
#[derive(Debug)]
pub struct Node(Piece<Listpack>);

const _: () = assert!(size_of::<Node>() == size_of::<Listpack>());

impl Clone for Node {
    fn clone(&self) -> Self {
        Node(Listpack::clone(&self.0).into())
    }
}

/// An entry of a node.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Its id.
    pub id: StreamId,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Its fields with their values, in their order.
    pub fields: Fields<'a>,
    at: Position,
}

/// The fields of an entry with their values, in their order.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    names: Option<Reader<'a>>,
    rest: Reader<'a>,
    left: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = match &mut self.names {
            Some(names) => names.element()?,
            None => self.rest.element()?,
        };
        Some((name, self.rest.element()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// Reads a listpack element by element.
#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    pack: &'a Listpack,
    at: Option<Position>,
}

impl<'a> Reader<'a> {
    fn element(&mut self) -> Option<Element<'a>> {
        let at = self.at?;
        self.at = self.pack.next(at);
        Some(self.pack.get(at))
    }

    fn int(&mut self) -> Option<i64> {
        match self.element()? {
            Element::Int(n) => Some(n),
            Element::Bytes(_) => None,
        }
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.int()?).ok()
    }

    fn skip(&mut self, elements: usize) -> Option<()> {
        for _ in 0..elements {
            self.at = self.pack.next(self.at?);
        }
        Some(())
    }

    /// The entry at hand; the reader stands behind it then.
    fn item(&mut self, master: StreamId, names: Reader<'a>, name_count: usize) -> Option<Item<'a>> {
        let at = self.at?;
        let (flags, ms, seq) = (self.int()?, self.int()?, self.int()?);
        let same_names = flags & SAME_NAMES != 0;
        let left = if same_names { name_count } else { self.count()? };
        let item = Item {
            id: StreamId {
                ms: master.ms.wrapping_add(ms as u64),
                seq: master.seq.wrapping_add(seq as u64),
            },
            deleted: flags & DELETED != 0,
            fields: Fields {
                names: same_names.then_some(names),
                rest: *self,
                left,
            },
            at,
        };
        self.skip(if same_names { left } else { left.checked_mul(2)? })?;
        let elements = if same_names { 3 + left } else { 4 + 2 * left };
        let sound = self.count()? == elements && flags & !(DELETED | SAME_NAMES) == 0;
        sound.then_some(item)
    }
}

/// What a node that was checked holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Entries that are not deleted.
    pub live: usize,
    /// The first entry's id, deleted or not.
    pub first: StreamId,
    /// The last entry's id, deleted or not.
    pub last: StreamId,
}

impl Node {
    /// A node for a first entry with these fields, which has still to be pushed.
    pub fn new(fields: &[(&[u8], &[u8])]) -> Node {
        let mut pack = Listpack::new();
        for n in [0, 0, fields.len() as i64] {
            pack.insert_packed(pack.end(), Element::Int(n));
        }
        for (name, _) in fields {
            pack.push_back(name);
        }
        pack.insert_packed(pack.end(), Element::Int(0));
        Node(pack.into())
    }

    /// Adopts a listpack of a file, after checking it. `None` unless it is a node with at least one entry, all ids in
    /// ascending order.
    pub fn adopt(master: StreamId, pack: Listpack) -> Option<(Node, Summary)> {
        let node = Node(pack.into());
        let summary = node.check(master)?;
        Some((node, summary))
    }

    /// The listpack.
    pub fn pack(&self) -> &Listpack {
        &self.0
    }

    /// Bytes of the listpack.
    pub fn bytes(&self) -> usize {
        self.0.as_bytes().len()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.0.memory() + self.0.box_bytes()
    }

    /// A node that shares its listpack with this one, until one of them changes it.
    pub(super) fn share(&mut self) -> Node {
        Node(Piece::Shared(self.0.share()))
    }

    /// As [`Node::memory`], but nothing if another node has the listpack, too.
    pub(super) fn memory_alone(&self) -> usize {
        match &self.0 {
            Piece::Shared(shared) if !is_left_behind(shared) => 0,
            _ => self.memory(),
        }
    }

    /// Entries that are not deleted.
    pub fn live(&self) -> usize {
        self.reader().count().unwrap_or(0)
    }

    /// Entries that are deleted.
    pub fn deleted(&self) -> usize {
        let mut reader = self.reader();
        reader.skip(1).and_then(|()| reader.count()).unwrap_or(0)
    }

    /// Puts an entry behind the last.
    pub fn push(&mut self, master: StreamId, id: StreamId, fields: &[(&[u8], &[u8])]) {
        let same_names = self.has_names(fields);
        let int = |pack: &mut Listpack, n: i64| pack.insert_packed(pack.end(), Element::Int(n));
        let pack = self.0.edit();
        int(pack, if same_names { SAME_NAMES } else { 0 });
        int(pack, id.ms.wrapping_sub(master.ms) as i64);
        int(pack, id.seq.wrapping_sub(master.seq) as i64);
        if !same_names {
            int(pack, fields.len() as i64);
        }
        for (name, value) in fields {
            if !same_names {
                pack.push_back(name);
            }
            pack.push_back(value);
        }
        let elements = if same_names {
            3 + fields.len()
        } else {
            4 + 2 * fields.len()
        };
        int(pack, elements as i64);
        self.count(1, 0);
    }

    fn has_names(&self, fields: &[(&[u8], &[u8])]) -> bool {
        let (mut names, count) = self.names();
        let same = |name: &[u8]| names.element() == Some(packed_form(name));
        count == fields.len() && fields.iter().map(|(name, _)| *name).all(same)
    }

    /// Marks entries of this node, which are not deleted, as deleted.
    pub fn delete(&mut self, items: &[Position]) {
        let pack = self.0.edit();
        for &item in items {
            let Element::Int(flags) = pack.get(item) else {
                unreachable!("an entry begins with its flags")
            };
            // Flags take the same two bytes in all their states, so that no other position moves.
            pack.replace_packed(item, Element::Int(flags | DELETED));
        }
        let count = items.len() as i64;
        self.count(-count, count);
    }

    /// Gives up the places of entries behind this id, all of which must be deleted.
    pub fn forget_behind(&mut self, master: StreamId, id: StreamId) {
        let behind = self.items(master).skip_while(|item| item.id <= id);
        let places: Vec<_> = behind.map(|item| item.at).collect();
        if let Some(&first) = places.first() {
            self.0.edit().split_off(first);
            self.count(0, -(places.len() as i64));
        }
    }

    /// Adds to the counts of the head.
    fn count(&mut self, live: i64, deleted: i64) {
        let counts = [self.live() as i64 + live, self.deleted() as i64 + deleted];
        let pack = self.0.edit();
        let mut at = pack.first();
        for n in counts {
            let Some(place) = at else { return };
            pack.replace_packed(place, Element::Int(n));
            at = pack.next(place);
        }
    }

    /// Every entry, deleted ones included.
    pub fn items(&self, master: StreamId) -> Items<'_> {
        let (names, name_count) = self.names();
        let mut first = names;
        // Behind the names stands a zero.
        let _ = first.skip(name_count + 1);
        Items {
            master,
            names,
            name_count,
            front: first,
            back: self.0.end(),
        }
    }

    /// The entry with this id, unless it is deleted.
    pub fn find(&self, master: StreamId, id: StreamId) -> Option<Item<'_>> {
        self.items(master)
            .find(|item| item.id >= id)
            .filter(|item| item.id == id && !item.deleted)
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            pack: &self.0,
            at: self.0.first(),
        }
    }

    /// A reader of the first entry's names, and their number.
    fn names(&self) -> (Reader<'_>, usize) {
        let mut reader = self.reader();
        let count = reader.skip(2).and_then(|()| reader.count()).unwrap_or(0);
        (reader, count)
    }

    /// Looks at everything without trusting anything.
    fn check(&self, master: StreamId) -> Option<Summary> {
        let mut reader = self.reader();
        let (live, deleted, name_count) = (reader.count()?, reader.count()?, reader.count()?);
        let names = reader;
        // A name takes two bytes at least: a count that cannot be right ends here and not in a long walk.
        if name_count > self.bytes() {
            return None;
        }
        reader.skip(name_count)?;
        if reader.int()? != 0 {
            return None;
        }
        let (mut found, mut first, mut last) = ([0, 0], None, None);
        while reader.at.is_some() {
            let item = reader.item(master, names, name_count)?;
            if last.is_some_and(|last| last >= item.id) {
                return None;
            }
            found[usize::from(item.deleted)] += 1;
            first = first.or(Some(item.id));
            last = Some(item.id);
        }
        let summary = Summary {
            live,
            first: first?,
            last: last?,
        };
        (found == [live, deleted]).then_some(summary)
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self, master: StreamId) -> Summary {
        self.0.verify();
        let summary = self.check(master).expect("a stream's node");
        assert!(summary.live > 0, "a node without a live entry is left");
        let backwards: Vec<_> = self.items(master).rev().map(|item| item.id).collect();
        assert!(
            self.items(master)
                .map(|item| item.id)
                .eq(backwards.into_iter().rev())
        );
        summary
    }
}

impl Item<'_> {
    /// Where the entry begins, for [`Node::delete`].
    pub fn position(&self) -> Position {
        self.at
    }
}

/// The entries of a node, deleted ones included, from either end.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    master: StreamId,
    names: Reader<'a>,
    name_count: usize,
    front: Reader<'a>,
    back: Position,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.front.at? >= self.back {
            return None;
        }
        self.front.item(self.master, self.names, self.name_count)
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let front = self.front.at?;
        if front >= self.back {
            return None;
        }
        let pack = self.names.pack;
        let mut at = pack.before(self.back)?;
        let Element::Int(elements) = pack.get(at) else {
            unreachable!("an entry ends with the number of its elements")
        };
        for _ in 0..elements {
            at = pack.before(at)?;
        }
        self.back = at;
        let mut reader = Reader { pack, at: Some(at) };
        reader.item(self.master, self.names, self.name_count)
    }
}
