//! Fields with their values, in the order of insertion, without expiries.
//!
//! Packed (one listpack, field and value in turn) up to the limits, then an index map. It never goes back. The removal of
//! a field moves the last one into its place in both forms.

use super::expiring;
use crate::structure::index_map::{self, Entry, FrozenEntries, IndexMap, Pair};
use crate::structure::listpack::{self, Listpack, Position};
use crate::value::packed::swap_remove;
use crate::value::{Element, LimitsRef};
use smallvec::SmallVec;

/// Which hashes have been met, told by a few of their bits: so that not many hashes that differ are not compared.
#[derive(Default)]
struct Met([u64; 16]);

impl Met {
    /// Notes a hash; false if it is certain that it comes for the first time.
    #[inline]
    fn meet(&mut self, hash: u64) -> bool {
        let (word, bit) = (&mut self.0[(hash >> 60) as usize], 1 << (hash >> 54 & 63));
        let before = *word;
        *word |= bit;
        before & bit != 0
    }
}

fn has_equal(hashes: &mut [u64]) -> bool {
    hashes.sort_unstable();
    hashes.windows(2).any(|pair| pair[0] == pair[1])
}

/// Whether a field comes twice in a listpack of pairs.
#[cold]
fn has_doubled_field(pack: &Listpack) -> bool {
    let mut buffer = itoa::Buffer::new();
    let mut at = pack.first();
    while let Some(field) = at {
        at = pack.next(field).and_then(|value| pack.next(value));
        if at.is_some() && pack.find(pack.get(field).as_bytes(&mut buffer), at, 2).is_some() {
            return true;
        }
    }
    false
}

/// See the module.
#[derive(Debug)]
pub(super) enum Fields {
    Packed(Listpack),
    Table(Box<IndexMap<Pair>>),
}

impl Fields {
    /// Adopts a copy of a listpack of fields and values. `None` unless it is sound, they are pairs, every field comes once, and a
    /// packed hash may have so many elements of such lengths.
    pub(super) fn from_blob(blob: &[u8], limits: LimitsRef) -> Option<Self> {
        let (mut hashes, mut elements) = (SmallVec::<[u64; 32]>::new(), 0);
        let (mut met, mut may_be_doubled) = (Met::default(), false);
        let mut buffer = itoa::Buffer::new();
        let pack = Listpack::from_bytes_each(blob, |element| {
            let text = element.as_bytes(&mut buffer);
            if elements % 2 == 0 {
                let hash = rapidhash::v3::rapidhash_v3(text);
                may_be_doubled |= met.meet(hash);
                hashes.push(hash);
            }
            elements += 1;
            matches!(element, Element::Int(_)) || text.len() <= limits.hash_bytes
        })?;
        if elements % 2 == 1 || elements > 2 * limits.hash_entries {
            return None;
        }
        let is_doubled = may_be_doubled && has_equal(&mut hashes) && has_doubled_field(&pack);
        (!is_doubled).then_some(Fields::Packed(pack))
    }

    /// The listpack of the packed form.
    pub(super) fn as_listpack(&self) -> Option<&Listpack> {
        match self {
            Fields::Packed(pack) => Some(pack),
            Fields::Table(_) => None,
        }
    }

    /// Number of fields.
    pub(super) fn len(&self) -> usize {
        match self {
            Fields::Packed(pack) => pack.len() / 2,
            Fields::Table(map) => map.len(),
        }
    }

    /// The table's fields as they are now; `None` in the packed form.
    pub(super) fn freeze(&mut self) -> Option<FrozenEntries<Pair>> {
        match self {
            Fields::Packed(_) => None,
            Fields::Table(map) => Some(map.freeze()),
        }
    }

    /// Announces that one command is about to set so many fields: if they are more than a packed hash may have, it
    /// becomes a table at once, as in Redis, even if some are set twice.
    pub(super) fn prepare(&mut self, fields: usize, limits: LimitsRef) {
        if fields > limits.hash_entries {
            self.become_table(fields);
        }
    }

    /// Sets a field. True if it is new.
    pub(super) fn set(&mut self, field: &[u8], value: &[u8], limits: LimitsRef) -> bool {
        if field.len() > limits.hash_bytes || value.len() > limits.hash_bytes {
            self.become_table(1);
        }
        let pack = match self {
            Fields::Packed(pack) => pack,
            Fields::Table(map) => return set_in_table(map, field, value),
        };
        if let Some(at) = find_value(pack, field) {
            pack.replace(at, value);
            return false;
        }
        pack.push_back(field);
        pack.push_back(value);
        if pack.len() / 2 > limits.hash_entries {
            self.become_table(0);
        }
        true
    }

    fn become_table(&mut self, more: usize) {
        if let Fields::Packed(pack) = self {
            let mut map = IndexMap::with_capacity(pack.len() / 2 + more);
            let mut buffers = [itoa::Buffer::new(), itoa::Buffer::new()];
            for (field, value) in pairs(pack) {
                let [first, second] = &mut buffers;
                map.insert(Pair::new(field.as_bytes(first), value.as_bytes(second)));
            }
            *self = Fields::Table(Box::new(map));
        }
    }

    /// A field's value.
    pub(super) fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        match self {
            Fields::Packed(pack) => find_value(pack, field).map(|at| pack.get(at)),
            Fields::Table(map) => map.get(field).map(|pair| Element::Bytes(pair.value())),
        }
    }

    /// Where a field stands, and its value.
    pub(super) fn find(&self, field: &[u8]) -> Option<(usize, Element<'_>)> {
        match self {
            Fields::Packed(pack) => {
                let at = pack.find(field, pack.first(), 2)?;
                let position = pack
                    .positions()
                    .step_by(2)
                    .take_while(|&before| before < at)
                    .count();
                Some((position, pack.get(pack.next(at)?)))
            }
            Fields::Table(map) => {
                let position = map.position(field)?;
                map.at(position)
                    .map(|pair| (position, Element::Bytes(pair.value())))
            }
        }
    }

    /// Replaces the value of the field at a position, which must be there.
    pub(super) fn replace_at(&mut self, position: usize, value: &[u8], limits: LimitsRef) {
        if value.len() > limits.hash_bytes {
            self.become_table(0);
        }
        match self {
            Fields::Packed(pack) => {
                let at = pack
                    .seek(2 * position + 1)
                    .expect("the position is that of a field");
                pack.replace(at, value);
            }
            Fields::Table(map) => map.edit_at(position, |pair| pair.set_value(value)),
        }
    }

    /// Removes the field at a position, which must be there; the last one takes its place.
    pub(super) fn remove_at(&mut self, position: usize) {
        match self {
            Fields::Packed(pack) => {
                let at = pack.seek(2 * position).expect("the position is that of a field");
                swap_remove(pack, at, 2);
            }
            Fields::Table(map) => drop(map.swap_remove_at(position)),
        }
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        match self {
            Fields::Packed(pack) => pack.memory(),
            Fields::Table(map) => size_of::<IndexMap<Pair>>() + map.memory(),
        }
    }

    /// Removes a field. False if there was none.
    pub(super) fn remove(&mut self, field: &[u8]) -> bool {
        match self {
            Fields::Packed(pack) => match pack.find(field, pack.first(), 2) {
                Some(at) => {
                    swap_remove(pack, at, 2);
                    true
                }
                None => false,
            },
            Fields::Table(map) => map.swap_remove(field).is_some(),
        }
    }

    /// The fields with their values, in order.
    pub(super) fn iter(&self) -> Iter<'_> {
        match self {
            Fields::Packed(pack) => Iter::Packed(pack.iter()),
            Fields::Table(map) => Iter::Table(map.iter()),
        }
    }

    /// The field at this position, with its value. O(1) in the table form.
    pub(super) fn nth(&self, position: usize) -> Option<(Element<'_>, Element<'_>)> {
        match self {
            Fields::Packed(pack) => {
                let field = pack.seek(2 * position)?;
                Some((pack.get(field), pack.get(pack.next(field)?)))
            }
            Fields::Table(map) => map.at(position).map(pair_elements),
        }
    }

    /// Visits about `count` fields and gives the cursor to go on with; 0 starts, and 0 says that it is done. A field
    /// that is there during a whole scan is visited at least once.
    pub(super) fn scan(
        &self,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(Element<'_>, Element<'_>),
    ) -> u64 {
        match self {
            Fields::Packed(pack) => {
                pairs(pack).for_each(|(field, value)| visit(field, value));
                0
            }
            Fields::Table(map) => map.scan(cursor, count, &mut |pair| {
                let (field, value) = pair_elements(pair);
                visit(field, value);
            }),
        }
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub(super) fn verify(&self, limits: LimitsRef) {
        match self {
            Fields::Packed(pack) => {
                pack.verify();
                assert!(pack.len().is_multiple_of(2));
                assert!(self.len() <= limits.hash_entries);
                let fields: std::collections::BTreeSet<_> =
                    self.iter().map(|(field, _)| field.to_vec()).collect();
                assert_eq!(fields.len(), self.len(), "every field once");
            }
            Fields::Table(map) => map.verify(),
        }
    }
}

fn find_value(pack: &Listpack, field: &[u8]) -> Option<Position> {
    pack.find(field, pack.first(), 2).and_then(|at| pack.next(at))
}

pub(super) fn set_in_table(map: &mut IndexMap<Pair>, field: &[u8], value: &[u8]) -> bool {
    match map.insert_with(field, || Pair::new(field, value)) {
        Ok(()) => true,
        Err(at) => {
            map.edit_at(at, |pair| pair.set_value(value));
            false
        }
    }
}

pub(super) fn pair_elements(pair: &Pair) -> (Element<'_>, Element<'_>) {
    (Element::Bytes(pair.key()), Element::Bytes(pair.value()))
}

fn pairs(pack: &Listpack) -> Iter<'_> {
    Iter::Packed(pack.iter())
}

/// The fields of a hash with their values, in order.
#[derive(Clone, Debug)]
pub enum Iter<'a> {
    /// Of the packed form.
    Packed(listpack::Iter<'a>),
    /// Of the table form.
    Table(index_map::Iter<'a, Pair>),
    /// Of the table form with the fields that expire apart, which come last.
    Apart(index_map::Iter<'a, Pair>, expiring::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Iter::Packed(elements) => Some((elements.next()?, elements.next()?)),
            Iter::Table(entries) => entries.next().map(pair_elements),
            Iter::Apart(lasting, expiring) => {
                let next = lasting.next().map(pair_elements);
                next.or_else(|| {
                    let (field, value, _) = expiring.next()?;
                    Some((Element::Bytes(field), Element::Bytes(value)))
                })
            }
        }
    }
}
