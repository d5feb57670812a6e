//! Hashes: fields with their values, in the order of insertion, and the instants at which some of them expire.
//!
//! A hash none of whose fields was ever given an expiry holds nothing for it. In a packed hash the instants stand beside the
//! fields, by position. In a table, a field that is given an expiry moves to a part of its own ([`expiring`]) where it stays
//! for as long as it lives, and which comes behind the others in every order.
//!
//! A field that is due is invisible, and the commands never meet one: what is due in the hashes that a command names is
//! hidden before it begins ([`crate::keyspace`]), in no more time for a million fields than for one. What is hidden in a
//! table is removed later, a few fields at a time. That some peers do so earlier than others must not show, though HRANDFIELD
//! and HSCAN choose by position. Hence two invariants:
//!
//! * The order of a table's expiring fields is decided by their instants and names alone, so that it is the same however
//!   much of the hidden prefix is still there. No removal there moves another field, nor any of those that last.
//! * [`HashValue::remove_due`] removes from a packed hash the field of the earliest instant, the first in order of several,
//!   then the next. Each step is decided by the order and the instants alone, so any division of the steps leads to the
//!   same order; and no other change comes between steps that are due, because it begins with all of them.
//!
//! A scan visits the lasting fields first and then the expiring ones in the order of a hash of their names. A field moves
//! from the first part to the second and never back, and keeps its place there whatever its instant becomes: a field
//! that is there during a whole scan is visited, on whichever peers. How many are visited at a time may differ.

mod due;
pub(crate) mod expiring;
mod fields;
#[cfg(test)]
mod tests;

use super::{Collection, Element, LimitsRef, Value};
use crate::structure::deadlines::Deadlines;
use crate::structure::index_map::{Entry as _, FrozenEntries, IndexMap, Pair};
use crate::structure::listpack::Listpack;
use expiring::{Expiring, FrozenExpiring, NEVER};
use fields::Fields;
pub use fields::Iter;

/// A packed hash, and when its fields expire.
#[derive(Debug)]
struct TimedPack {
    fields: Fields,
    /// By position in `fields`.
    deadlines: Deadlines,
}

/// A table. No visible field is in both parts.
#[derive(Debug, Default)]
struct TimedTable {
    lasting: IndexMap<Pair>,
    expiring: Expiring,
}

#[derive(Debug)]
enum Form {
    Plain(Fields),
    /// Some field has or had an expiry. Neither of these goes back.
    Pack(Box<TimedPack>),
    Table(Box<TimedTable>),
}

/// A hash.
#[derive(Debug)]
pub struct HashValue {
    form: Form,
    limits: LimitsRef,
}

// The expiries must cost nothing where there are none.
const _: () = assert!(size_of::<Form>() == size_of::<Listpack>());

impl Default for HashValue {
    fn default() -> Self {
        HashValue::packed()
    }
}

impl HashValue {
    fn plain(fields: Fields) -> Self {
        HashValue {
            form: Form::Plain(fields),
            limits: LimitsRef::default(),
        }
    }

    /// An empty hash in the packed form.
    pub fn packed() -> Self {
        HashValue::plain(Fields::Packed(Listpack::new()))
    }

    /// An empty hash in the table form.
    pub fn table() -> Self {
        HashValue::plain(Fields::Table(Box::default()))
    }

    /// Adopts a copy of a listpack of fields and values. `None` unless it is sound, they are pairs, every field comes once, and a
    /// packed hash may have so many elements of such lengths.
    pub fn from_blob(blob: &[u8], limits: LimitsRef) -> Option<Self> {
        let fields = Fields::from_blob(blob, limits)?;
        Some(HashValue::plain(fields).limited(limits))
    }

    /// The listpack of fields and values of a packed hash. It says nothing of expiries.
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Plain(fields) => fields.as_listpack(),
            Form::Pack(pack) => pack.fields.as_listpack(),
            Form::Table(_) => None,
        }
    }

    /// The fields as they are now, whatever becomes of the hash; `None` unless they lie in a table.
    pub(super) fn freeze(&mut self) -> Option<FrozenHash> {
        let (lasting, expiring) = match &mut self.form {
            Form::Plain(fields) => (fields.freeze()?, None),
            Form::Table(table) => (table.lasting.freeze(), Some(table.expiring.freeze())),
            Form::Pack(_) => return None,
        };
        Some(FrozenHash { lasting, expiring })
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Plain(fields) => fields.len(),
            Form::Pack(pack) => pack.fields.len(),
            Form::Table(table) => table.lasting.len() + table.expiring.len(),
        }
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the fields lie in one listpack.
    pub fn is_packed(&self) -> bool {
        self.as_listpack().is_some()
    }

    /// Announces that one command is about to set so many fields: if they are more than a packed hash may have, it
    /// becomes a table at once, as in Redis, even if some are set twice.
    pub fn prepare(&mut self, fields: usize) {
        let limits = self.limits;
        match &mut self.form {
            Form::Plain(plain) => plain.prepare(fields, limits),
            Form::Pack(pack) => pack.fields.prepare(fields, limits),
            Form::Table(_) => {}
        }
        self.part_if_grown();
    }

    /// Sets a field, which does not expire then. True if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        self.set_and(field, value, false)
    }

    /// As [`HashValue::set`]; a field that is there keeps its expiry.
    pub fn set_value(&mut self, field: &[u8], value: &[u8]) -> bool {
        self.set_and(field, value, true)
    }

    #[inline]
    fn set_and(&mut self, field: &[u8], value: &[u8], keeps_expiry: bool) -> bool {
        match &mut self.form {
            Form::Plain(fields) => fields.set(field, value, self.limits),
            Form::Pack(pack) => {
                let is_new = pack.set(field, value, keeps_expiry, self.limits);
                self.part_if_grown();
                is_new
            }
            Form::Table(table) => table.set(field, value, keeps_expiry),
        }
    }

    /// A field's value.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        match &self.form {
            Form::Plain(fields) => fields.get(field),
            Form::Pack(pack) => pack.fields.get(field),
            Form::Table(table) => match table.lasting.get(field) {
                Some(pair) => Some(Element::Bytes(pair.value())),
                None => table.expiring.get(field),
            },
        }
    }

    /// Removes a field. False if there was none.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.form {
            Form::Plain(fields) => fields.remove(field),
            Form::Pack(pack) => match pack.fields.find(field) {
                Some((position, _)) => {
                    pack.remove_at(position);
                    true
                }
                None => false,
            },
            Form::Table(table) => table.remove(field),
        }
    }

    /// When a field expires: `Some(None)` is never, `None` says that there is no such field.
    pub fn expiry(&self, field: &[u8]) -> Option<Option<i64>> {
        match &self.form {
            Form::Plain(fields) => fields.get(field).map(|_| None),
            Form::Pack(pack) => {
                let (position, _) = pack.fields.find(field)?;
                Some(pack.deadlines.get(position))
            }
            Form::Table(table) if table.lasting.contains(field) => Some(None),
            Form::Table(table) => {
                let position = table.expiring.position(field)?;
                Some(table.expiring.expiry_at(position))
            }
        }
    }

    /// Sets when a field expires: at a Unix millisecond, or never. False if there is no such field.
    pub fn set_expiry(&mut self, field: &[u8], expire_at: Option<i64>) -> bool {
        if expire_at.is_some() && !self.has_expiries() && self.get(field).is_some() {
            self.make_timed();
        }
        match &mut self.form {
            Form::Plain(fields) => fields.get(field).is_some(),
            Form::Pack(pack) => {
                let found = pack.fields.find(field).map(|(position, _)| position);
                found.inspect(|&position| pack.deadlines.set(position, expire_at));
                found.is_some()
            }
            Form::Table(table) => table.set_expiry(field, expire_at),
        }
    }

    /// Makes room for expiries.
    fn make_timed(&mut self) {
        if let Form::Plain(fields) = &mut self.form {
            let fields = std::mem::replace(fields, Fields::Packed(Listpack::new()));
            self.form = match fields {
                Fields::Packed(_) => Form::Pack(Box::new(TimedPack {
                    fields,
                    deadlines: Deadlines::default(),
                })),
                Fields::Table(lasting) => Form::Table(Box::new(TimedTable {
                    lasting: *lasting,
                    expiring: Expiring::default(),
                })),
            };
        }
    }

    /// Parts the fields of a packed hash that has become a table, in their order.
    fn part_if_grown(&mut self) {
        let Form::Pack(pack) = &mut self.form else { return };
        let Fields::Table(map) = &mut pack.fields else {
            return;
        };
        let mut table = TimedTable::default();
        for (position, pair) in std::mem::take(&mut **map).iter().enumerate() {
            match pack.deadlines.get(position) {
                Some(at) => table.expiring.insert(pair.clone(), at),
                None => drop(table.lasting.insert(pair.clone())),
            }
        }
        self.form = Form::Table(Box::new(table));
    }

    /// An empty hash with room for expiries, packed or not.
    pub fn with_expiries(packed: bool) -> Self {
        let mut hash = if packed {
            HashValue::packed()
        } else {
            HashValue::table()
        };
        hash.make_timed();
        hash
    }

    /// Whether there is room for expiries: some field has or had one.
    pub fn has_expiries(&self) -> bool {
        !matches!(self.form, Form::Plain(_))
    }

    /// The fields with their values, in order.
    pub fn iter(&self) -> Iter<'_> {
        match &self.form {
            Form::Plain(fields) => fields.iter(),
            Form::Pack(pack) => pack.fields.iter(),
            Form::Table(table) => Iter::Apart(table.lasting.iter(), table.expiring.iter()),
        }
    }

    /// The fields with their values and when they expire, in order.
    pub fn iter_timed(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>, Option<i64>)> {
        self.iter_exact()
            .map(|(field, value, at)| (field, value, at.filter(|&at| at != NEVER)))
    }

    /// As [`HashValue::iter_timed`], but the fields of a table that had an expiry once are at [`NEVER`]: all that it takes to
    /// build the same hash again.
    pub fn iter_exact(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>, Option<i64>)> {
        let (first, deadlines, rest) = match &self.form {
            Form::Plain(fields) => (fields.iter(), None, None),
            Form::Pack(pack) => (pack.fields.iter(), Some(&pack.deadlines), None),
            Form::Table(table) => (
                Iter::Table(table.lasting.iter()),
                None,
                Some(table.expiring.iter()),
            ),
        };
        let with_expiry = move |(position, (field, value))| {
            let expire_at = deadlines.and_then(|deadlines: &Deadlines| deadlines.get(position));
            (field, value, expire_at)
        };
        let rest = rest.into_iter().flatten();
        first
            .enumerate()
            .map(with_expiry)
            .chain(rest.map(|(field, value, at)| (Element::Bytes(field), Element::Bytes(value), Some(at))))
    }

    /// The field at this position, with its value. O(1) in the table form, O(log n) among those that expire.
    pub fn nth(&self, position: usize) -> Option<(Element<'_>, Element<'_>)> {
        match &self.form {
            Form::Plain(fields) => fields.nth(position),
            Form::Pack(pack) => pack.fields.nth(position),
            Form::Table(table) => match position.checked_sub(table.lasting.len()) {
                None => table.lasting.at(position).map(fields::pair_elements),
                Some(rank) => table.expiring.nth(rank),
            },
        }
    }

    /// Visits about `count` fields and gives the cursor to go on with; 0 starts, and 0 says that it is done. A field
    /// that is there during a whole scan is visited at least once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>, Element<'_>)) -> u64 {
        match &self.form {
            Form::Plain(fields) => fields.scan(cursor, count, visit),
            Form::Pack(pack) => pack.fields.scan(cursor, count, visit),
            Form::Table(table) => table.scan(cursor, count, visit),
        }
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn verify(&self) {
        match &self.form {
            Form::Plain(fields) => fields.verify(self.limits),
            Form::Pack(pack) => pack.verify(self.limits),
            Form::Table(table) => {
                table.lasting.verify();
                table.expiring.verify();
                let in_both = |pair: &Pair| table.expiring.position(pair.key()).is_some();
                assert!(!table.lasting.iter().any(in_both));
            }
        }
    }
}

impl TimedPack {
    fn set(&mut self, field: &[u8], value: &[u8], keeps_expiry: bool, limits: LimitsRef) -> bool {
        let Some((position, _)) = self.fields.find(field) else {
            return self.fields.set(field, value, limits);
        };
        self.fields.replace_at(position, value, limits);
        if !keeps_expiry {
            self.deadlines.set(position, None);
        }
        false
    }

    fn remove_at(&mut self, position: usize) {
        let last = self.fields.len() - 1;
        self.fields.remove_at(position);
        self.deadlines.swap_remove(position, last);
    }

    fn remove_due(&mut self, now_ms: i64, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit && self.deadlines.earliest().is_some_and(|at| at <= now_ms) {
            let first = self.deadlines.first();
            self.remove_at(first.expect("the earliest instant has a position"));
            removed += 1;
        }
        removed
    }

    fn verify(&self, limits: LimitsRef) {
        assert!(self.fields.as_listpack().is_some());
        self.fields.verify(limits);
        self.deadlines.verify();
        let held = (0..self.fields.len()).filter(|&position| self.deadlines.get(position).is_some());
        assert_eq!(
            held.count(),
            self.deadlines.len(),
            "no instant lies behind the last field"
        );
    }
}

/// Cursors from here on are in the expiring part.
const EXPIRING_CURSOR: u64 = 1 << expiring::SCAN_BITS;

impl TimedTable {
    fn set(&mut self, field: &[u8], value: &[u8], keeps_expiry: bool) -> bool {
        let Some(position) = self.expiring.position(field) else {
            return fields::set_in_table(&mut self.lasting, field, value);
        };
        self.expiring.set_value_at(position, value);
        if !keeps_expiry {
            self.expiring.set_expiry_at(position, NEVER);
        }
        false
    }

    fn remove(&mut self, field: &[u8]) -> bool {
        if self.lasting.swap_remove(field).is_some() {
            return true;
        }
        let found = self.expiring.position(field);
        found.inspect(|&position| self.expiring.remove_at(position));
        found.is_some()
    }

    fn set_expiry(&mut self, field: &[u8], expire_at: Option<i64>) -> bool {
        if let Some(position) = self.expiring.position(field) {
            self.expiring.set_expiry_at(position, expire_at.unwrap_or(NEVER));
            return true;
        }
        let Some(at) = expire_at else {
            return self.lasting.contains(field);
        };
        let pair = self.lasting.swap_remove(field);
        let found = pair.is_some();
        pair.into_iter().for_each(|pair| self.expiring.insert(pair, at));
        found
    }

    fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>, Element<'_>)) -> u64 {
        let mut left = count.max(1);
        if cursor < EXPIRING_CURSOR && !self.lasting.is_empty() {
            let next = self.lasting.scan(cursor, count, &mut |pair| {
                let (field, value) = fields::pair_elements(pair);
                visit(field, value);
                left -= 1;
            });
            if next != 0 {
                return next;
            }
        }
        match left {
            _ if self.expiring.len() == 0 => 0,
            0 => EXPIRING_CURSOR,
            _ => {
                let from = cursor.saturating_sub(EXPIRING_CURSOR);
                let next = self.expiring.scan(from, left, visit);
                next.map_or(0, |hash| EXPIRING_CURSOR | hash)
            }
        }
    }
}

/// The fields that a large hash had at some time.
#[derive(Debug)]
pub struct FrozenHash {
    lasting: FrozenEntries<Pair>,
    /// If there was room for expiries.
    expiring: Option<FrozenExpiring>,
}

impl FrozenHash {
    /// Hides what is due at this Unix millisecond. O(1).
    pub fn hide_due(&mut self, now_ms: i64) {
        self.expiring
            .iter_mut()
            .for_each(|expiring| expiring.hide(now_ms));
    }

    /// Number of fields. O(fields that expire).
    pub fn len(&self) -> usize {
        self.lasting.len() + self.expiring.as_ref().map_or(0, FrozenExpiring::len)
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As [`HashValue::has_expiries`].
    pub fn has_expiries(&self) -> bool {
        self.expiring.is_some()
    }

    /// When the next field expires. O(fields that expire).
    pub fn next_due(&self) -> Option<i64> {
        self.expiring.as_ref().and_then(FrozenExpiring::next_due)
    }

    /// As [`HashValue::iter_timed`]. O(n log n) before the first one that expires.
    pub fn iter_timed(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>, Option<i64>)> {
        self.iter_exact()
            .map(|(field, value, at)| (field, value, at.filter(|&at| at != NEVER)))
    }

    /// As [`HashValue::iter_exact`]. O(n log n) before the first one that expires.
    pub fn iter_exact(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>, Option<i64>)> {
        let lasting = self.lasting.iter().map(|pair| {
            let (field, value) = fields::pair_elements(pair);
            (field, value, None)
        });
        let expiring = self.expiring.iter().flat_map(FrozenExpiring::in_order);
        lasting.chain(
            expiring.map(|(field, value, at)| (Element::Bytes(field), Element::Bytes(value), Some(at))),
        )
    }

    /// Bytes on the heap that were never those of the hash. O(1).
    pub fn own_bytes(&self) -> usize {
        self.lasting.own_bytes() + self.expiring.as_ref().map_or(0, FrozenExpiring::own_bytes)
    }

    /// Bytes on the heap that the hash does not account for. O(fields).
    pub fn memory(&self) -> usize {
        self.lasting.memory() + self.expiring.as_ref().map_or(0, FrozenExpiring::memory)
    }
}

impl Collection for HashValue {
    fn limited(self, limits: LimitsRef) -> Self {
        HashValue { limits, ..self }
    }

    fn limits(&self) -> LimitsRef {
        self.limits
    }

    fn into_value(self) -> Value {
        Value::Hash(self)
    }

    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Hash(inner) => Some(inner),
            _ => None,
        }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::Hash(inner) => Some(inner),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn memory(&self) -> usize {
        match &self.form {
            Form::Plain(fields) => fields.memory(),
            Form::Pack(pack) => size_of::<TimedPack>() + pack.fields.memory() + pack.deadlines.memory(),
            Form::Table(table) => size_of::<TimedTable>() + table.lasting.memory() + table.expiring.memory(),
        }
    }

    fn encoding(&self) -> &'static str {
        match (self.is_packed(), &self.form) {
            (true, Form::Plain(_)) => "listpack",
            (true, _) => "listpackex",
            (false, _) => "hashtable",
        }
    }
}
