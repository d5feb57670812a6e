//! Sets.
//!
//! A set of integers only is an [`IntSet`] (ascending) up to a limit; a small set with other members is packed in a
//! listpack, a larger one is an index map, both in the order of insertion. It never goes back. A removal moves the last
//! member into the hole in the latter two forms. The same text is the same member in every form: `1` and `01` are two.

use super::packed::swap_remove;
use super::{Collection, Element, LimitsRef, Value};
use crate::structure::index_map::{self, Entry, FrozenEntries, IndexMap, Member};
use crate::structure::intset::IntSet;
use crate::structure::listpack::{self, Listpack, canonical_int};

#[derive(Debug)]
enum Form {
    Ints(IntSet),
    Packed(Listpack),
    Table(Box<IndexMap<Member>>),
}

/// A set.
#[derive(Debug)]
pub struct SetValue {
    form: Form,
    limits: LimitsRef,
}

impl Default for SetValue {
    fn default() -> Self {
        SetValue::intset()
    }
}

impl SetValue {
    /// An empty set in the form for integers.
    pub fn intset() -> Self {
        SetValue {
            form: Form::Ints(IntSet::new()),
            limits: LimitsRef::default(),
        }
    }

    /// An empty set in the packed form.
    pub fn packed() -> Self {
        SetValue {
            form: Form::Packed(Listpack::new()),
            limits: LimitsRef::default(),
        }
    }

    /// An empty set in the table form.
    pub fn table() -> Self {
        SetValue {
            form: Form::Table(Box::default()),
            limits: LimitsRef::default(),
        }
    }

    /// The integers of the form for integers.
    pub fn as_intset(&self) -> Option<&IntSet> {
        match &self.form {
            Form::Ints(ints) => Some(ints),
            Form::Packed(_) | Form::Table(_) => None,
        }
    }

    /// The listpack of the packed form.
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Packed(pack) => Some(pack),
            Form::Ints(_) | Form::Table(_) => None,
        }
    }

    /// The members as they are now, whatever becomes of the set; `None` unless they lie in a table.
    pub(super) fn freeze(&mut self) -> Option<FrozenSet> {
        match &mut self.form {
            Form::Ints(_) | Form::Packed(_) => None,
            Form::Table(map) => Some(FrozenSet(map.freeze())),
        }
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Ints(ints) => ints.len(),
            Form::Packed(pack) => pack.len(),
            Form::Table(map) => map.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Announces that one command is about to add these members: if they are more than the form may have, the set
    /// becomes a table at once, as in Redis, even if some are the same.
    pub fn prepare(&mut self, members: &[&[u8]]) {
        let limit = match &self.form {
            Form::Ints(ints)
                if ints.is_empty() && members.first().is_some_and(|m| canonical_int(m).is_none()) =>
            {
                self.limits.set_entries
            }
            Form::Ints(_) => self.limits.intset_entries,
            Form::Packed(_) => self.limits.set_entries,
            Form::Table(_) => return,
        };
        if members.len() > limit {
            self.become_table(members.len());
        }
    }

    /// Adds a member. False if it was one.
    pub fn add(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Ints(ints) => {
                if let Some(n) = canonical_int(member) {
                    let added = ints.insert(n);
                    if ints.len() > self.limits.intset_entries {
                        self.become_table(0);
                    }
                    return added;
                }
            }
            Form::Packed(pack) => {
                if pack.find(member, pack.first(), 1).is_some() {
                    return false;
                }
            }
            Form::Table(map) => return map.insert_with(member, || Member::new(member, ())).is_ok(),
        }
        self.append(member);
        true
    }

    /// Appends what is no member and no integer among integers.
    fn append(&mut self, member: &[u8]) {
        if self.len() < self.limits.set_entries && member.len() <= self.limits.set_bytes {
            self.become_packed().push_back(member);
        } else {
            self.become_table(1).insert(Member::new(member, ()));
        }
    }

    /// Leaves the form for integers. The set must not be a table.
    fn become_packed(&mut self) -> &mut Listpack {
        if let Form::Ints(ints) = &self.form {
            let mut pack = Listpack::new();
            for n in ints.iter() {
                pack.insert_packed(pack.end(), Element::Int(n));
            }
            self.form = Form::Packed(pack);
        }
        match &mut self.form {
            Form::Packed(pack) => pack,
            Form::Ints(_) | Form::Table(_) => unreachable!("a table is never packed again"),
        }
    }

    fn become_table(&mut self, more: usize) -> &mut IndexMap<Member> {
        if !matches!(self.form, Form::Table(_)) {
            let mut map = IndexMap::with_capacity(self.len() + more);
            let mut buffer = itoa::Buffer::new();
            for member in self.iter() {
                map.insert(Member::new(member.as_bytes(&mut buffer), ()));
            }
            self.form = Form::Table(Box::new(map));
        }
        match &mut self.form {
            Form::Table(map) => map,
            Form::Ints(_) | Form::Packed(_) => unreachable!("the form has just been made a table"),
        }
    }

    /// Removes a member. False if it was none.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Ints(ints) => canonical_int(member).is_some_and(|n| ints.remove(n)),
            Form::Packed(pack) => match pack.find(member, pack.first(), 1) {
                Some(at) => {
                    swap_remove(pack, at, 1);
                    true
                }
                None => false,
            },
            Form::Table(map) => map.swap_remove(member).is_some(),
        }
    }

    /// Removes the member at this position, as [`SetValue::remove`] would, and gives its text.
    pub fn remove_at(&mut self, position: usize) -> Option<Vec<u8>> {
        let member = self.nth(position)?.to_vec();
        match &mut self.form {
            Form::Ints(ints) => {
                ints.remove_at(position);
            }
            Form::Packed(pack) => {
                let at = pack.seek(position)?;
                swap_remove(pack, at, 1);
            }
            Form::Table(map) => {
                map.swap_remove_at(position);
            }
        }
        Some(member)
    }

    /// Whether it is a member.
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.form {
            Form::Ints(ints) => canonical_int(member).is_some_and(|n| ints.contains(n)),
            Form::Packed(pack) => pack.find(member, pack.first(), 1).is_some(),
            Form::Table(map) => map.contains(member),
        }
    }

    /// Whether the element of another set is a member. Saves printing and parsing integers.
    pub fn contains_element(&self, element: Element<'_>) -> bool {
        match (element, &self.form) {
            (Element::Int(n), Form::Ints(ints)) => ints.contains(n),
            _ => self.contains(element.as_bytes(&mut itoa::Buffer::new())),
        }
    }

    /// The members in order.
    pub fn iter(&self) -> Iter<'_> {
        match &self.form {
            Form::Ints(ints) => Iter::Ints(ints, 0),
            Form::Packed(pack) => Iter::Packed(pack.iter()),
            Form::Table(map) => Iter::Table(map.iter()),
        }
    }

    /// The member at this position. O(1), but in the packed form.
    pub fn nth(&self, position: usize) -> Option<Element<'_>> {
        match &self.form {
            Form::Ints(ints) => ints.nth(position).map(Element::Int),
            Form::Packed(pack) => pack.nth(position),
            Form::Table(map) => map.at(position).map(member_element),
        }
    }

    /// Visits about `count` members and gives the cursor to go on with; 0 starts, and 0 says that it is done. A member
    /// that is there during a whole scan is visited at least once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>)) -> u64 {
        match &self.form {
            Form::Ints(_) | Form::Packed(_) => {
                self.iter().for_each(visit);
                0
            }
            Form::Table(map) => map.scan(cursor, count, &mut |entry| visit(member_element(entry))),
        }
    }

    /// Checks the structure.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn verify(&self) {
        match &self.form {
            Form::Ints(ints) => {
                ints.verify();
                assert!(ints.len() <= self.limits.intset_entries);
            }
            Form::Packed(pack) => {
                pack.verify();
                assert!(pack.len() <= self.limits.set_entries);
                let members: std::collections::BTreeSet<_> = pack.iter().map(|e| e.to_vec()).collect();
                assert_eq!(members.len(), pack.len(), "every member once");
            }
            Form::Table(map) => map.verify(),
        }
    }
}

fn member_element(entry: &Member) -> Element<'_> {
    Element::Bytes(entry.key())
}

/// The members that a large set had at some time.
#[derive(Debug)]
pub struct FrozenSet(FrozenEntries<Member>);

impl FrozenSet {
    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        self.0.iter().map(member_element)
    }

    /// Bytes on the heap that were never those of the set. O(1).
    pub fn own_bytes(&self) -> usize {
        self.0.own_bytes()
    }

    /// Bytes on the heap that the set does not account for. O(members).
    pub fn memory(&self) -> usize {
        self.0.memory()
    }
}

/// The members of a set in order.
#[derive(Clone, Debug)]
pub enum Iter<'a> {
    /// Of the form for integers: the set and the next position.
    Ints(&'a IntSet, usize),
    /// Of the packed form.
    Packed(listpack::Iter<'a>),
    /// Of the table form.
    Table(index_map::Iter<'a, Member>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        match self {
            Iter::Ints(ints, position) => {
                let member = ints.nth(*position)?;
                *position += 1;
                Some(Element::Int(member))
            }
            Iter::Packed(elements) => elements.next(),
            Iter::Table(entries) => entries.next().map(member_element),
        }
    }
}

impl Collection for SetValue {
    fn limited(self, limits: LimitsRef) -> Self {
        SetValue { limits, ..self }
    }

    fn limits(&self) -> LimitsRef {
        self.limits
    }

    fn into_value(self) -> Value {
        Value::Set(self)
    }

    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Set(inner) => Some(inner),
            _ => None,
        }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::Set(inner) => Some(inner),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn memory(&self) -> usize {
        match &self.form {
            Form::Ints(ints) => ints.memory(),
            Form::Packed(pack) => pack.memory(),
            Form::Table(map) => size_of::<IndexMap<Member>>() + map.memory(),
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Ints(_) => "intset",
            Form::Packed(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            8 => "[a-f]{1,2}".prop_map(String::into_bytes),
            8 => (-50i64..50).prop_map(|n| n.to_string().into_bytes()),
            2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
            2 => proptest::sample::select(vec!["-0", "00", "+1", "007", "", " 1"]).prop_map(|s| s.into()),
            2 => proptest::collection::vec(any::<u8>(), 0..70),
        ]
    }

    fn integer() -> impl Strategy<Value = Vec<u8>> {
        any::<i16>().prop_map(|n| (n % 700).to_string().into_bytes())
    }

    fn held(set: &SetValue) -> Vec<Vec<u8>> {
        set.iter().map(|m| m.to_vec()).collect()
    }

    fn scanned(set: &SetValue) -> Vec<Vec<u8>> {
        let (mut seen, mut cursor) = (Vec::new(), 0);
        loop {
            cursor = set.scan(cursor, 7, &mut |m| seen.push(m.to_vec()));
            if cursor == 0 {
                seen.sort();
                return seen;
            }
        }
    }

    proptest! {
        #[test]
        fn packed_and_table_have_the_same_order_and_content(
            steps in proptest::collection::vec((text(), proptest::bool::weighted(0.7)), 0..200),
        ) {
            let mut sets = [SetValue::packed(), SetValue::table()];
            let mut model: Vec<Vec<u8>> = Vec::new();
            for (member, add) in steps {
                let at = model.iter().position(|m| *m == member);
                for set in &mut sets {
                    let changed = if add { set.add(&member) } else { set.remove(&member) };
                    prop_assert_eq!(changed, add == at.is_none());
                    set.verify();
                }
                match at {
                    None if add => model.push(member.clone()),
                    Some(at) if !add => {
                        model.swap_remove(at);
                    }
                    _ => {}
                }
                for set in &sets {
                    prop_assert_eq!(&held(set), &model);
                    prop_assert_eq!(set.contains(&member), add);
                    prop_assert_eq!(set.nth(model.len() / 2).map(|m| m.to_vec()), model.get(model.len() / 2).cloned());
                }
            }
            model.sort();
            prop_assert_eq!(scanned(&sets[0]), model.clone());
            prop_assert_eq!(scanned(&sets[1]), model);
        }

        #[test]
        fn any_form_behaves_like_a_set(
            integers in proptest::collection::vec((integer(), proptest::bool::weighted(0.8)), 0..700),
            mixed in proptest::collection::vec((text(), any::<bool>()), 0..50),
        ) {
            let mut set = SetValue::default();
            let mut model = BTreeSet::new();
            for (i, (member, add)) in integers.into_iter().chain(mixed).enumerate() {
                if add {
                    prop_assert_eq!(set.add(&member), model.insert(member.clone()));
                } else {
                    prop_assert_eq!(set.remove(&member), model.remove(&member));
                }
                prop_assert_eq!(set.len(), model.len());
                prop_assert_eq!(set.contains(&member), add);
                if i % 16 == 0 {
                    set.verify();
                }
            }
            set.verify();
            let elements: BTreeSet<_> = held(&set).into_iter().collect();
            prop_assert_eq!(elements, model);
            prop_assert!(set.iter().all(|member| set.contains_element(member)));
        }

        #[test]
        fn removal_by_position_is_removal_of_the_member(
            members in proptest::collection::vec(text(), 1..200),
            integers in any::<bool>(),
            table in any::<bool>(),
            picks in proptest::collection::vec(any::<usize>(), 0..50),
        ) {
            let form = || if table { SetValue::table() } else { SetValue::default() };
            let (mut a, mut b) = (form(), form());
            for member in members.iter().filter(|m| !integers || canonical_int(m).is_some()) {
                a.add(member);
                b.add(member);
            }
            for pick in picks {
                if a.is_empty() {
                    break;
                }
                let member = a.remove_at(pick % a.len()).unwrap();
                prop_assert!(b.remove(&member));
                prop_assert_eq!(held(&a), held(&b));
                a.verify();
            }
            prop_assert_eq!(a.remove_at(a.len()), None);
        }
    }

    fn of_integers(n: usize) -> SetValue {
        let mut set = SetValue::default();
        (0..n).for_each(|n| assert!(set.add(n.to_string().as_bytes())));
        set
    }

    #[test]
    fn integers_stay_packed_up_to_their_limit() {
        let mut set = of_integers(512);
        assert_eq!(set.encoding(), "intset");
        assert!(!set.add(b"7"));
        assert_eq!(set.encoding(), "intset");
        assert!(set.add(b"-1"));
        assert_eq!((set.len(), set.encoding()), (513, "hashtable"));
        assert_eq!(set.nth(0), Some(Element::Bytes(b"-1")), "ascending, as it was");
    }

    #[test]
    fn a_text_packs_few_integers_and_tables_many() {
        for (integers, encoding) in [(127, "listpack"), (128, "hashtable"), (300, "hashtable")] {
            let mut set = of_integers(integers);
            assert!(set.add(b"text"));
            assert_eq!(set.encoding(), encoding);
            assert!(set.contains(b"text") && set.contains(b"126"));
            set.verify();
        }
    }

    #[test]
    fn a_long_text_makes_a_table() {
        let mut set = SetValue::default();
        set.add(b"a");
        set.add(&[b'x'; 64]);
        assert_eq!(set.encoding(), "listpack");
        set.add(&[b'x'; 65]);
        assert_eq!(set.encoding(), "hashtable");
        let mut set = of_integers(1);
        set.add(&[b'x'; 65]);
        assert_eq!(set.encoding(), "hashtable");
    }

    #[test]
    fn many_texts_make_a_table() {
        let mut set = SetValue::default();
        for n in 0..128 {
            set.add(format!("m{n}").as_bytes());
        }
        assert_eq!(set.encoding(), "listpack");
        set.add(b"m128");
        assert_eq!((set.len(), set.encoding()), (129, "hashtable"));
    }

    #[test]
    fn announced_members_decide_the_form() {
        let cases: [(&[u8], usize, &str); 5] = [
            (b"1", 512, "intset"),
            (b"1", 513, "hashtable"),
            (b"a", 128, "intset"),
            (b"a", 129, "hashtable"),
            (b"01", 129, "hashtable"),
        ];
        for (member, count, encoding) in cases {
            let mut set = SetValue::default();
            set.prepare(&vec![member; count]);
            assert_eq!(set.encoding(), encoding, "{count} times {member:?}");
        }
        let mut set = SetValue::packed();
        set.prepare(&vec![&b"1"[..]; 129]);
        assert_eq!(set.encoding(), "hashtable");
    }

    #[test]
    fn a_canonical_integer_is_the_same_member_in_every_form() {
        for mut set in [SetValue::intset(), SetValue::packed(), SetValue::table()] {
            assert!(set.add(b"10"));
            assert!(!set.add(b"10"));
            assert!(set.add(b"010") && set.add(b"+10") && set.add(b"10 ") && set.add(b"-0"));
            assert!(set.contains(b"10") && set.contains_element(Element::Int(10)));
            assert!(!set.contains(b"0") && !set.contains_element(Element::Int(0)));
            assert!(set.remove(b"10") && set.contains(b"010"));
        }
    }
}
