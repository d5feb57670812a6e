//! Hashes: fields with their values, in the order of insertion.
//!
//! Packed (one listpack, field and value in turn) up to [`LIMITS`], then an index map. It never goes back. The removal of
//! a field moves the last one into its place in both forms.

use super::packed::swap_remove;
use super::{Collection, Element, LIMITS, Value};
use crate::structure::index_map::{self, Entry, IndexMap, Pair};
use crate::structure::listpack::{self, Listpack, Position};

#[derive(Debug)]
enum Form {
    Packed(Listpack),
    Table(Box<IndexMap<Pair>>),
}

/// A hash.
#[derive(Debug)]
pub struct HashValue {
    form: Form,
}

impl Default for HashValue {
    fn default() -> Self {
        HashValue::packed()
    }
}

impl HashValue {
    /// An empty hash in the packed form.
    pub fn packed() -> Self {
        HashValue {
            form: Form::Packed(Listpack::new()),
        }
    }

    /// An empty hash in the table form.
    pub fn table() -> Self {
        HashValue {
            form: Form::Table(Box::default()),
        }
    }

    /// Adopts a listpack of fields and values. `None` unless they are pairs, every field comes once, and a packed hash
    /// may have so many elements of such lengths.
    pub fn from_listpack(pack: Listpack) -> Option<Self> {
        let is_long = |element| matches!(element, Element::Bytes(text) if text.len() > LIMITS.element_bytes);
        if !pack.len().is_multiple_of(2) || pack.len() > 2 * LIMITS.hash_entries || pack.iter().any(is_long) {
            return None;
        }
        let mut buffer = itoa::Buffer::new();
        let mut at = pack.first();
        while let Some(field) = at {
            at = pack.next(field).and_then(|value| pack.next(value));
            if at.is_some() && pack.find(pack.get(field).as_bytes(&mut buffer), at, 2).is_some() {
                return None;
            }
        }
        Some(HashValue {
            form: Form::Packed(pack),
        })
    }

    /// The listpack of the packed form.
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Packed(pack) => Some(pack),
            Form::Table(_) => None,
        }
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Packed(pack) => pack.len() / 2,
            Form::Table(map) => map.len(),
        }
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        match &self.form {
            Form::Packed(pack) => pack.is_empty(),
            Form::Table(map) => map.is_empty(),
        }
    }

    /// Announces that one command is about to set so many fields: if they are more than a packed hash may have, it
    /// becomes a table at once, as in Redis, even if some are set twice.
    pub fn prepare(&mut self, fields: usize) {
        if fields > LIMITS.hash_entries {
            self.become_table(fields);
        }
    }

    /// Sets a field. True if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        if field.len() > LIMITS.element_bytes || value.len() > LIMITS.element_bytes {
            self.become_table(1);
        }
        let pack = match &mut self.form {
            Form::Packed(pack) => pack,
            Form::Table(map) => return set_in_table(map, field, value),
        };
        if let Some(at) = find_value(pack, field) {
            pack.replace(at, value);
            return false;
        }
        pack.push_back(field);
        pack.push_back(value);
        if pack.len() / 2 > LIMITS.hash_entries {
            self.become_table(0);
        }
        true
    }

    fn become_table(&mut self, more: usize) {
        if let Form::Packed(pack) = &self.form {
            let mut map = IndexMap::with_capacity(pack.len() / 2 + more);
            let mut buffers = [itoa::Buffer::new(), itoa::Buffer::new()];
            for (field, value) in pairs(pack) {
                let [first, second] = &mut buffers;
                map.insert(Pair::new(field.as_bytes(first), value.as_bytes(second)));
            }
            self.form = Form::Table(Box::new(map));
        }
    }

    /// A field's value.
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        match &self.form {
            Form::Packed(pack) => find_value(pack, field).map(|at| pack.get(at)),
            Form::Table(map) => map.get(field).map(|pair| Element::Bytes(pair.value())),
        }
    }

    /// Removes a field. False if there was none.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.form {
            Form::Packed(pack) => match pack.find(field, pack.first(), 2) {
                Some(at) => {
                    swap_remove(pack, at, 2);
                    true
                }
                None => false,
            },
            Form::Table(map) => map.swap_remove(field).is_some(),
        }
    }

    /// The fields with their values, in order.
    pub fn iter(&self) -> Iter<'_> {
        match &self.form {
            Form::Packed(pack) => Iter::Packed(pack.iter()),
            Form::Table(map) => Iter::Table(map.iter()),
        }
    }

    /// The field at this position, with its value. O(1) in the table form.
    pub fn nth(&self, position: usize) -> Option<(Element<'_>, Element<'_>)> {
        match &self.form {
            Form::Packed(pack) => {
                let field = pack.seek(2 * position)?;
                Some((pack.get(field), pack.get(pack.next(field)?)))
            }
            Form::Table(map) => map.at(position).map(pair_elements),
        }
    }

    /// Visits about `count` fields and gives the cursor to go on with; 0 starts, and 0 says that it is done. A field
    /// that is there during a whole scan is visited at least once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>, Element<'_>)) -> u64 {
        match &self.form {
            Form::Packed(pack) => {
                pairs(pack).for_each(|(field, value)| visit(field, value));
                0
            }
            Form::Table(map) => map.scan(cursor, count, &mut |pair| {
                let (field, value) = pair_elements(pair);
                visit(field, value);
            }),
        }
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn verify(&self) {
        match &self.form {
            Form::Packed(pack) => {
                pack.verify();
                assert!(pack.len().is_multiple_of(2));
                assert!(self.len() <= LIMITS.hash_entries);
                let fields: std::collections::BTreeSet<_> = self.iter().map(|(f, _)| f.to_vec()).collect();
                assert_eq!(fields.len(), self.len(), "every field once");
            }
            Form::Table(map) => map.verify(),
        }
    }
}

fn find_value(pack: &Listpack, field: &[u8]) -> Option<Position> {
    pack.find(field, pack.first(), 2).and_then(|at| pack.next(at))
}

fn set_in_table(map: &mut IndexMap<Pair>, field: &[u8], value: &[u8]) -> bool {
    match map.insert_with(field, || Pair::new(field, value)) {
        Ok(()) => true,
        Err(at) => {
            map.edit_at(at, |pair| pair.set_value(value));
            false
        }
    }
}

fn pair_elements(pair: &Pair) -> (Element<'_>, Element<'_>) {
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
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Iter::Packed(elements) => Some((elements.next()?, elements.next()?)),
            Iter::Table(entries) => entries.next().map(pair_elements),
        }
    }
}

impl Collection for HashValue {
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
            Form::Packed(pack) => pack.memory(),
            Form::Table(map) => size_of::<IndexMap<Pair>>() + map.memory(),
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Packed(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Model = Vec<(Vec<u8>, Vec<u8>)>;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            8 => "[a-f]{1,2}".prop_map(String::into_bytes),
            8 => (-50i64..50).prop_map(|n| n.to_string().into_bytes()),
            2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
            2 => proptest::sample::select(vec!["-0", "00", "+1", "007", "", " 1"]).prop_map(|s| s.into()),
            2 => proptest::collection::vec(any::<u8>(), 0..64),
        ]
    }

    /// A step: set, or remove.
    fn step() -> impl Strategy<Value = (Vec<u8>, Option<Vec<u8>>)> {
        (text(), proptest::option::weighted(0.7, text()))
    }

    fn held(hash: &HashValue) -> Model {
        hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect()
    }

    fn apply(hash: &mut HashValue, model: &mut Model, field: &[u8], value: Option<&[u8]>) {
        let at = model.iter().position(|(f, _)| f == field);
        match (value, at) {
            (Some(value), Some(at)) => {
                assert!(!hash.set(field, value));
                model[at].1 = value.to_vec();
            }
            (Some(value), None) => {
                assert!(hash.set(field, value));
                model.push((field.to_vec(), value.to_vec()));
            }
            (None, Some(at)) => {
                assert!(hash.remove(field));
                model.swap_remove(at);
            }
            (None, None) => assert!(!hash.remove(field)),
        }
    }

    proptest! {
        #[test]
        fn both_forms_have_the_same_order_and_content(
            steps in proptest::collection::vec(step(), 0..150),
            long_at in proptest::option::of(0usize..150),
        ) {
            let (mut packed, mut table) = (HashValue::packed(), HashValue::table());
            let mut model = Model::new();
            for (i, (field, value)) in steps.into_iter().enumerate() {
                let value = value.map(|v| if long_at == Some(i) { vec![b'x'; 65] } else { v });
                apply(&mut packed, &mut model.clone(), &field, value.as_deref());
                apply(&mut table, &mut model, &field, value.as_deref());
                packed.verify();
                table.verify();
                prop_assert_eq!(&held(&packed), &model);
                prop_assert_eq!(&held(&table), &model);
                for hash in [&packed, &table] {
                    let expected = model.iter().find(|(f, _)| *f == field).map(|(_, v)| v.clone());
                    prop_assert_eq!(hash.get(&field).map(|v| v.to_vec()), expected);
                    prop_assert_eq!(hash.len(), model.len());
                    prop_assert_eq!(hash.is_empty(), model.is_empty());
                    let middle = hash.nth(model.len() / 2).map(|(f, v)| (f.to_vec(), v.to_vec()));
                    prop_assert_eq!(middle, model.get(model.len() / 2).cloned());
                    let mut scanned = Model::new();
                    let mut cursor = 0;
                    loop {
                        cursor = hash.scan(cursor, 7, &mut |f, v| scanned.push((f.to_vec(), v.to_vec())));
                        if cursor == 0 {
                            break;
                        }
                    }
                    scanned.sort();
                    let mut sorted = model.clone();
                    sorted.sort();
                    prop_assert_eq!(scanned, sorted);
                }
            }
        }
    }

    #[test]
    fn stays_packed_up_to_the_limits() {
        let mut hash = HashValue::default();
        let longest = [b'x'; LIMITS.element_bytes];
        hash.set(&longest, &longest);
        for n in 1..LIMITS.hash_entries {
            hash.set(n.to_string().as_bytes(), b"1");
        }
        assert_eq!((hash.len(), hash.encoding()), (LIMITS.hash_entries, "listpack"));
        hash.set(b"1", b"again");
        assert_eq!(hash.encoding(), "listpack");
        hash.set(b"one more", b"1");
        assert_eq!(
            (hash.len(), hash.encoding()),
            (LIMITS.hash_entries + 1, "hashtable")
        );
        hash.verify();
        assert_eq!(
            hash.nth(LIMITS.hash_entries),
            Some((Element::Bytes(b"one more"), Element::Bytes(b"1")))
        );
    }

    #[test]
    fn a_long_field_or_value_makes_a_table() {
        let long = [b'x'; LIMITS.element_bytes + 1];
        for (field, value) in [(&long[..], &b"v"[..]), (b"f", &long)] {
            let mut hash = HashValue::default();
            hash.set(b"1", b"2");
            assert!(hash.set(field, value));
            assert_eq!(hash.encoding(), "hashtable");
            assert_eq!(hash.get(b"1"), Some(Element::Bytes(b"2")));
            assert!(hash.remove(field));
            assert_eq!(hash.encoding(), "hashtable", "it never goes back");
        }
    }

    #[test]
    fn many_announced_fields_make_a_table() {
        let mut hash = HashValue::default();
        hash.prepare(LIMITS.hash_entries);
        assert_eq!(hash.encoding(), "listpack");
        hash.prepare(LIMITS.hash_entries + 1);
        assert_eq!(hash.encoding(), "hashtable");
    }

    #[test]
    fn memory_follows_the_content() {
        let mut hash = HashValue::table();
        let empty = hash.memory();
        hash.set(b"field", &[0; 10_000]);
        assert!(hash.memory() > empty + 10_000);
        hash.set(b"field", b"short");
        assert!(hash.memory() < empty + 1000);
    }
}
