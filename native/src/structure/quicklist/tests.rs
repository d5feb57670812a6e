use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, Default)]
struct Nodes<const BYTES: usize, const ENTRIES: usize>;

impl<const BYTES: usize, const ENTRIES: usize> NodeLimits for Nodes<BYTES, ENTRIES> {
    fn bytes(self) -> usize {
        BYTES
    }

    fn entries(self) -> usize {
        ENTRIES
    }
}

/// Nodes small enough for a few elements to split them.
type Small = Quicklist<Nodes<64, 12>>;

/// Nodes as they are by default.
type Usual = Quicklist<Nodes<8192, { usize::MAX }>>;

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "[a-c]{0,6}".prop_map(String::into_bytes),
        3 => any::<i32>().prop_map(|n| n.to_string().into_bytes()),
        3 => (0u8..3).prop_map(|n| vec![b'0' + n]),
        1 => (40usize..90).prop_map(|n| vec![b'x'; n]),
    ]
}

#[derive(Clone, Debug)]
enum Op {
    PushFront(Vec<u8>),
    PushBack(Vec<u8>),
    PopFront,
    PopBack,
    Set(usize, Vec<u8>),
    Insert(usize, Vec<u8>),
    RemoveRange(usize, usize),
    RemoveEqual(Vec<u8>, usize, End),
    PushPack(Vec<Vec<u8>>),
    Freeze,
    Thaw,
}

fn op() -> impl Strategy<Value = Op> {
    let end = prop_oneof![Just(End::Head), Just(End::Tail)];
    prop_oneof![
        4 => text().prop_map(Op::PushFront),
        4 => text().prop_map(Op::PushBack),
        2 => Just(Op::PopFront),
        2 => Just(Op::PopBack),
        3 => (0usize..60, text()).prop_map(|(i, t)| Op::Set(i, t)),
        8 => (0usize..60, text()).prop_map(|(i, t)| Op::Insert(i, t)),
        2 => (0usize..60, 0usize..20).prop_map(|(i, n)| Op::RemoveRange(i, n)),
        2 => (text(), 0usize..5, end).prop_map(|(t, n, e)| Op::RemoveEqual(t, n, e)),
        1 => Just(Op::Freeze),
        1 => Just(Op::Thaw),
        1 => proptest::collection::vec("[a-c]{0,3}".prop_map(String::into_bytes), 0..8).prop_map(Op::PushPack),
    ]
}

fn remove_equal(model: &mut Vec<Vec<u8>>, text: &[u8], limit: usize, end: End) -> usize {
    let mut hits: Vec<usize> = (0..model.len()).filter(|&i| model[i] == text).collect();
    if end == End::Tail {
        hits.reverse();
    }
    hits.truncate(limit);
    hits.sort_unstable();
    for &i in hits.iter().rev() {
        model.remove(i);
    }
    hits.len()
}

fn apply(list: &mut Small, model: &mut Vec<Vec<u8>>, op: Op) {
    match op {
        Op::PushFront(text) => {
            list.push_front(&text);
            model.insert(0, text);
        }
        Op::PushBack(text) => {
            list.push_back(&text);
            model.push(text);
        }
        Op::PopFront => {
            let expected = (!model.is_empty()).then(|| model.remove(0));
            assert_eq!(list.pop_front(), expected);
        }
        Op::PopBack => assert_eq!(list.pop_back(), model.pop()),
        Op::Set(index, text) => {
            assert_eq!(list.set(index, &text), index < model.len());
            if let Some(place) = model.get_mut(index) {
                *place = text;
            }
        }
        Op::Insert(index, text) => {
            let index = index.min(model.len());
            list.insert(index, &text);
            model.insert(index, text);
        }
        Op::RemoveRange(start, count) => {
            let end = (start + count).min(model.len());
            let expected = end.saturating_sub(start);
            assert_eq!(list.remove_range(start, count), expected);
            if expected > 0 {
                model.drain(start..end);
            }
        }
        Op::RemoveEqual(text, limit, end) => {
            let removed = list.remove_equal(&text, limit, end);
            assert_eq!(removed, remove_equal(model, &text, limit, end));
        }
        Op::PushPack(texts) => {
            list.push_pack(Listpack::from_elements(texts.iter().map(Vec::as_slice)));
            model.extend(texts);
        }
        Op::Freeze | Op::Thaw => {}
    }
}

proptest! {
    #[test]
    fn behaves_like_a_vector(ops in proptest::collection::vec(op(), 1..120)) {
        let (mut list, mut model) = (Small::default(), Vec::new());
        let mut frozen: VecDeque<(Small, Vec<Vec<u8>>)> = VecDeque::new();
        for op in ops {
            match op {
                Op::Freeze => frozen.push_back((list.freeze(), model.clone())),
                Op::Thaw => drop(frozen.pop_front()),
                op => apply(&mut list, &mut model, op),
            }
            for (frozen, model) in &frozen {
                frozen.verify();
                prop_assert!(frozen.iter().map(|e| e.to_vec()).eq(model.iter().cloned()));
            }
            list.verify();
            prop_assert_eq!(list.len(), model.len());
            let forwards: Vec<_> = list.iter().map(|e| e.to_vec()).collect();
            prop_assert_eq!(&forwards, &model);
            prop_assert!(list.iter().rev().map(|e| e.to_vec()).eq(model.iter().rev().cloned()));
            for index in 0..=model.len() {
                prop_assert_eq!(list.get(index).map(|e| e.to_vec()), model.get(index).cloned());
                prop_assert!(list.iter_from(index).map(|e| e.to_vec()).eq(model[index..].iter().cloned()));
            }
        }
    }
}

#[test]
fn an_element_larger_than_a_node_stands_alone() {
    let mut list = Small::default();
    let large = [b'x'; 100];
    for i in 0..10 {
        list.push_back(format!("{i}").as_bytes());
    }
    list.insert(5, &large);
    list.verify();
    assert_eq!(list.packs().map(Listpack::len).collect::<Vec<_>>(), [5, 1, 5]);
    assert!(list.set(5, b"small"));
    list.verify();
    assert_eq!(
        list.packs().count(),
        2,
        "a small node merges with a small neighbour"
    );
}

#[test]
fn inserting_in_the_middle_keeps_nodes_filled() {
    let mut list = Usual::default();
    for i in 0..20_000 {
        let middle = list.len() / 2;
        list.insert(middle, format!("element {i}").as_bytes());
    }
    list.verify();
    let bytes: usize = list.packs().map(|pack| pack.as_bytes().len()).sum();
    assert!(
        list.packs().count() * 8192 < bytes * 3,
        "nodes are a third full at least"
    );
}

#[test]
fn emptied_list_gives_its_memory_back() {
    let mut list = Usual::default();
    for i in 0..100_000 {
        list.push_back(format!("element {i}").as_bytes());
    }
    assert!(list.memory() > 1_000_000);
    assert_eq!(list.remove_range(3, 99_990), 99_990);
    list.verify();
    assert_eq!(list.packs().count(), 1);
    while list.pop_back().is_some() {}
    list.verify();
    assert!(list.memory() < 1024, "{} bytes", list.memory());
}

#[test]
fn one_node_stands_in_place_and_several_in_a_deque() {
    let mut list = Usual::default();
    let packs = |list: &Usual| list.packs().map(Listpack::memory).sum::<usize>();
    for round in 0..3 {
        while list.packs().len() < 2 {
            list.push_back(b"some element of a list");
            let beside = list.memory() - packs(&list);
            assert_eq!(beside == 0, list.packs().len() == 1);
            assert!(beside <= 100, "{beside} bytes beside the nodes");
        }
        list.verify();
        match round {
            0 => drop(list.pop_back()),
            1 => drop(list.remove_range(0, list.len() - 1)),
            _ => drop(list.remove_equal(b"some element of a list", 300, End::Tail)),
        }
        list.verify();
        assert_eq!((list.packs().len(), list.memory()), (1, packs(&list)));
    }
}
