//! Hashes: fields with their values, in the order of insertion, and the instants at which some of them expire.
//!
//! A hash none of whose fields was ever given an expiry holds nothing for it. Otherwise the instants stand beside the
//! fields, by position.
//!
//! A field that is due is invisible, and the commands never meet one: whoever locks a segment first removes what is due
//! there ([`crate::keyspace`]). That some peers do so earlier than others, or remove a part of what is due while they are
//! idle, must not show, though a removal moves the last field into the hole, and HRANDFIELD and HSCAN choose by
//! position. Hence the invariant: [`HashValue::remove_due`] always removes the field of the earliest instant, the first in
//! order of several, then the next. Each step is decided by the order and the instants alone, so any division of the
//! steps leads to the same order; and no other change comes between steps that are due, because it begins with all of them.

mod fields;
#[cfg(test)]
mod tests;

use super::{Collection, Element, LimitsRef, Value};
use crate::structure::deadlines::Deadlines;
use crate::structure::index_map::{FrozenEntries, Pair};
use crate::structure::listpack::Listpack;
use fields::Fields;
pub use fields::Iter;

/// Fields, and when they expire.
#[derive(Debug)]
struct Timed {
    fields: Fields,
    /// By position in `fields`.
    deadlines: Deadlines,
}

#[derive(Debug)]
enum Form {
    Plain(Fields),
    /// Some field has or had an expiry. It never goes back.
    Timed(Box<Timed>),
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

    /// Adopts a listpack of fields and values. `None` unless they are pairs, every field comes once, and a packed hash
    /// may have so many elements of such lengths.
    pub fn from_listpack(pack: Listpack, limits: LimitsRef) -> Option<Self> {
        let fields = Fields::from_listpack(pack, limits)?;
        Some(HashValue::plain(fields).limited(limits))
    }

    /// The listpack of fields and values of a packed hash. It says nothing of expiries.
    pub fn as_listpack(&self) -> Option<&Listpack> {
        self.fields().as_listpack()
    }

    #[inline]
    fn fields(&self) -> &Fields {
        match &self.form {
            Form::Plain(fields) => fields,
            Form::Timed(timed) => &timed.fields,
        }
    }

    #[inline]
    fn fields_mut(&mut self) -> &mut Fields {
        match &mut self.form {
            Form::Plain(fields) => fields,
            Form::Timed(timed) => &mut timed.fields,
        }
    }

    fn deadlines(&self) -> Option<&Deadlines> {
        match &self.form {
            Form::Plain(_) => None,
            Form::Timed(timed) => Some(&timed.deadlines),
        }
    }

    /// The fields as they are now, whatever becomes of the hash; `None` unless they lie in a table and none has or had an
    /// expiry.
    pub(super) fn freeze(&mut self) -> Option<FrozenHash> {
        match &mut self.form {
            Form::Plain(fields) => fields.freeze().map(FrozenHash),
            Form::Timed(_) => None,
        }
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields().len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields().is_empty()
    }

    /// Whether the fields lie in one listpack.
    pub fn is_packed(&self) -> bool {
        self.as_listpack().is_some()
    }

    /// Announces that one command is about to set so many fields: if they are more than a packed hash may have, it
    /// becomes a table at once, as in Redis, even if some are set twice.
    pub fn prepare(&mut self, fields: usize) {
        let limits = self.limits;
        self.fields_mut().prepare(fields, limits);
    }

    /// Sets a field, which does not expire then. True if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        match &mut self.form {
            Form::Plain(fields) => fields.set(field, value, self.limits),
            Form::Timed(timed) => timed.set(field, value, false, self.limits),
        }
    }

    /// As [`HashValue::set`]; a field that is there keeps its expiry.
    pub fn set_value(&mut self, field: &[u8], value: &[u8]) -> bool {
        match &mut self.form {
            Form::Plain(fields) => fields.set(field, value, self.limits),
            Form::Timed(timed) => timed.set(field, value, true, self.limits),
        }
    }

    /// A field's value.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        self.fields().get(field)
    }

    /// Removes a field. False if there was none.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.form {
            Form::Plain(fields) => fields.remove(field),
            Form::Timed(timed) => match timed.fields.find(field) {
                Some((position, _)) => {
                    timed.remove_at(position);
                    true
                }
                None => false,
            },
        }
    }

    /// When a field expires: `Some(None)` is never, `None` says that there is no such field.
    pub fn expiry(&self, field: &[u8]) -> Option<Option<i64>> {
        match &self.form {
            Form::Plain(fields) => fields.get(field).map(|_| None),
            Form::Timed(timed) => {
                let (position, _) = timed.fields.find(field)?;
                Some(timed.deadlines.get(position))
            }
        }
    }

    /// Sets when a field expires: at a Unix millisecond, or never. False if there is no such field.
    pub fn set_expiry(&mut self, field: &[u8], expire_at: Option<i64>) -> bool {
        let Some((position, _)) = self.fields().find(field) else {
            return false;
        };
        match (&mut self.form, expire_at) {
            (Form::Plain(_), None) => {}
            (Form::Plain(_), Some(_)) => self.timed().deadlines.set(position, expire_at),
            (Form::Timed(timed), _) => timed.deadlines.set(position, expire_at),
        }
        true
    }

    /// Makes room for expiries.
    fn timed(&mut self) -> &mut Timed {
        if let Form::Plain(fields) = &mut self.form {
            let fields = std::mem::replace(fields, Fields::Packed(Listpack::new()));
            self.form = Form::Timed(Box::new(Timed {
                fields,
                deadlines: Deadlines::default(),
            }));
        }
        match &mut self.form {
            Form::Timed(timed) => timed,
            Form::Plain(_) => unreachable!("made so above"),
        }
    }

    /// An empty hash with room for expiries, packed or not.
    pub fn with_expiries(packed: bool) -> Self {
        let mut hash = if packed {
            HashValue::packed()
        } else {
            HashValue::table()
        };
        hash.timed();
        hash
    }

    /// Whether there is room for expiries: some field has or had one.
    pub fn has_expiries(&self) -> bool {
        self.deadlines().is_some()
    }

    /// Number of fields that expire.
    pub fn expiring(&self) -> usize {
        self.deadlines().map_or(0, Deadlines::len)
    }

    /// When the next field expires. O(1).
    #[inline]
    pub fn next_due(&self) -> Option<i64> {
        match &self.form {
            Form::Plain(_) => None,
            Form::Timed(timed) => timed.deadlines.earliest(),
        }
    }

    /// Whether every field is due at this Unix millisecond.
    pub fn is_due(&self, now_ms: i64) -> bool {
        self.deadlines().is_some_and(|deadlines| {
            deadlines.len() == self.len() && deadlines.latest().is_some_and(|latest| latest <= now_ms)
        })
    }

    /// Removes up to `limit` fields that are due at this Unix millisecond, and says how many. See the module.
    pub fn remove_due(&mut self, now_ms: i64, limit: usize) -> usize {
        let Form::Timed(timed) = &mut self.form else {
            return 0;
        };
        let mut removed = 0;
        while removed < limit && timed.deadlines.earliest().is_some_and(|at| at <= now_ms) {
            let first = timed.deadlines.first();
            timed.remove_at(first.expect("the earliest instant has a position"));
            removed += 1;
        }
        removed
    }

    /// The fields with their values, in order.
    pub fn iter(&self) -> Iter<'_> {
        self.fields().iter()
    }

    /// The fields with their values and when they expire, in order.
    pub fn iter_timed(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>, Option<i64>)> {
        let deadlines = self.deadlines();
        let with_expiry = move |(position, (field, value))| {
            let expire_at = deadlines.and_then(|deadlines| deadlines.get(position));
            (field, value, expire_at)
        };
        self.iter().enumerate().map(with_expiry)
    }

    /// The field at this position, with its value. O(1) in the table form.
    pub fn nth(&self, position: usize) -> Option<(Element<'_>, Element<'_>)> {
        self.fields().nth(position)
    }

    /// Visits about `count` fields and gives the cursor to go on with; 0 starts, and 0 says that it is done. A field
    /// that is there during a whole scan is visited at least once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>, Element<'_>)) -> u64 {
        self.fields().scan(cursor, count, visit)
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn verify(&self) {
        self.fields().verify(self.limits);
        if let Some(deadlines) = self.deadlines() {
            deadlines.verify();
            let held = self.iter_timed().filter(|(_, _, expire_at)| expire_at.is_some());
            assert_eq!(
                held.count(),
                deadlines.len(),
                "no instant lies behind the last field"
            );
        }
    }
}

impl Timed {
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
}

/// The fields that a large hash had at some time.
#[derive(Debug)]
pub struct FrozenHash(FrozenEntries<Pair>);

impl FrozenHash {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>)> {
        self.0.iter().map(fields::pair_elements)
    }

    /// Bytes on the heap that the hash does not account for. O(fields).
    pub fn memory(&self) -> usize {
        self.0.memory()
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
            Form::Timed(timed) => size_of::<Timed>() + timed.fields.memory() + timed.deadlines.memory(),
        }
    }

    fn encoding(&self) -> &'static str {
        match (self.is_packed(), &self.form) {
            (true, Form::Plain(_)) => "listpack",
            (true, Form::Timed(_)) => "listpackex",
            (false, _) => "hashtable",
        }
    }
}
