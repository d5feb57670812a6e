//! Lists.

use super::{Collection, Element, LimitsRef, Value};
use crate::structure::listpack::Listpack;
pub use crate::structure::quicklist::End;
use crate::structure::quicklist::{NodeLimits, Quicklist};

/// A list, from head to tail.
#[derive(Debug, Default)]
pub struct ListValue {
    nodes: Quicklist<LimitsRef>,
}

impl NodeLimits for LimitsRef {
    #[inline]
    fn bytes(self) -> usize {
        self.list_node_bytes()
    }

    #[inline]
    fn entries(self) -> usize {
        self.list_node_entries()
    }
}

impl ListValue {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The list as it is now, whatever becomes of this one: see [`Quicklist::freeze`].
    pub fn freeze(&mut self) -> ListValue {
        ListValue {
            nodes: self.nodes.freeze(),
        }
    }

    /// Bytes on the heap without those of nodes that another list shares. O(nodes).
    pub fn memory_alone(&self) -> usize {
        self.nodes.memory_alone()
    }

    /// The nodes from head to tail, as a snapshot stores them.
    pub fn packs(&self) -> impl ExactSizeIterator<Item = &Listpack> {
        self.nodes.packs()
    }

    /// Puts a node of a snapshot behind the tail, as it is, so that a restored list has the nodes of the saved one.
    pub fn push_pack(&mut self, pack: Listpack) {
        self.nodes.push_pack(pack);
    }

    /// Puts an element at an end.
    pub fn push(&mut self, end: End, text: &[u8]) {
        match end {
            End::Head => self.nodes.push_front(text),
            End::Tail => self.nodes.push_back(text),
        }
    }

    /// Puts an element before the head.
    pub fn push_front(&mut self, text: &[u8]) {
        self.push(End::Head, text);
    }

    /// Puts an element behind the tail.
    pub fn push_back(&mut self, text: &[u8]) {
        self.push(End::Tail, text);
    }

    /// Takes the element at an end.
    pub fn pop(&mut self, end: End) -> Option<Vec<u8>> {
        match end {
            End::Head => self.nodes.pop_front(),
            End::Tail => self.nodes.pop_back(),
        }
    }

    /// Takes the head.
    pub fn pop_front(&mut self) -> Option<Vec<u8>> {
        self.pop(End::Head)
    }

    /// Takes the tail.
    pub fn pop_back(&mut self) -> Option<Vec<u8>> {
        self.pop(End::Tail)
    }

    /// The element with this index.
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        self.nodes.get(index)
    }

    /// From head to tail, and back.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Element<'_>> {
        self.nodes.iter()
    }

    /// From tail to head.
    pub fn iter_rev(&self) -> impl Iterator<Item = Element<'_>> {
        self.nodes.iter().rev()
    }

    /// From the element with this index to the tail.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = Element<'_>> {
        self.nodes.iter_from(index)
    }

    /// Puts another element in the place of the one with this index. False if there is none.
    pub fn set(&mut self, index: usize, text: &[u8]) -> bool {
        self.nodes.set(index, text)
    }

    /// Inserts before the element with this index; at the tail if the index is the length, which it must not exceed.
    pub fn insert(&mut self, index: usize, text: &[u8]) {
        self.nodes.insert(index, text);
    }

    /// Removes up to `count` elements from this index on, and gives how many there were.
    pub fn remove_range(&mut self, start: usize, count: usize) -> usize {
        self.nodes.remove_range(start, count)
    }

    /// Removes up to `limit` elements equal to `text`, from one end on, and gives how many there were.
    pub fn remove_equal(&mut self, text: &[u8], limit: usize, end: End) -> usize {
        self.nodes.remove_equal(text, limit, end)
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        self.nodes.verify();
    }
}

impl Collection for ListValue {
    fn limited(self, limits: LimitsRef) -> Self {
        ListValue {
            nodes: self.nodes.limited(limits),
        }
    }

    fn limits(&self) -> LimitsRef {
        self.nodes.limits()
    }

    fn into_value(self) -> Value {
        Value::List(self)
    }

    fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn memory(&self) -> usize {
        self.nodes.memory()
    }

    fn encoding(&self) -> &'static str {
        let mut packs = self.packs();
        let one = packs.len() <= 1;
        let small = packs.all(|pack| pack.as_bytes().len() <= self.nodes.limits().bytes());
        if one && small { "listpack" } else { "quicklist" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> ListValue {
        let mut list = ListValue::default();
        texts.iter().for_each(|text| list.push_back(text.as_bytes()));
        list
    }

    fn texts(list: &ListValue) -> Vec<String> {
        list.iter()
            .map(|element| String::from_utf8(element.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn ends_indexes_and_matches() {
        let mut list = of(&["b", "1", "b"]);
        list.push_front(b"a");
        assert_eq!(texts(&list), ["a", "b", "1", "b"]);
        assert_eq!(list.get(2), Some(Element::Int(1)));
        assert!(list.iter_rev().map(|e| e.to_vec()).eq([b"b", b"1", b"b", b"a"]));
        assert_eq!(list.remove_equal(b"b", 1, End::Tail), 1);
        assert_eq!(texts(&list), ["a", "b", "1"]);
        assert_eq!(
            (list.pop_back(), list.pop_front()),
            (Some(b"1".to_vec()), Some(b"a".to_vec()))
        );
        list.verify();
    }

    #[test]
    fn listpack_until_a_node_is_full() {
        let mut list = of(&["head"]);
        assert_eq!(list.encoding(), "listpack");
        while list.packs().len() == 1 {
            assert_eq!(list.encoding(), "listpack");
            list.push_back(&[b'x'; 100]);
        }
        assert_eq!(list.encoding(), "quicklist");
        assert!((78..82).contains(&list.len()), "8192 bytes of about 103 each");
        list.verify();
    }

    #[test]
    fn one_large_element_is_a_quicklist() {
        let list = of(&[&"x".repeat(9000)]);
        assert_eq!((list.encoding(), list.len()), ("quicklist", 1));
        list.verify();
    }

    #[test]
    fn memory_follows_the_content() {
        let mut list = of(&["a", "b"]);
        assert!(list.memory() <= 16, "{}", list.memory());
        list.push_back(&[b'x'; 100_000]);
        assert!(list.memory() > 100_000);
        list.pop_back();
        assert!(list.memory() <= 16, "{}", list.memory());
    }

    #[test]
    fn a_small_list_costs_its_listpack_and_nothing_else() {
        let elements: Vec<String> = (0..20).map(|n| format!("value of number {n:04}")).collect();
        let list = of(&elements.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(list.memory(), 448, "447 bytes in the next class of sizes");
        assert!(size_of::<ListValue>() <= 24);
    }
}
