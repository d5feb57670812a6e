use super::*;
use proptest::prelude::*;

/// The model: entries in a sorted vector, members in a table beside it.
#[derive(Default)]
struct Model {
    members: Table,
    sorted: Vec<(f64, Vec<u8>, Slot)>,
}

#[derive(Default)]
struct Table(Vec<Vec<u8>>);

impl Members for Table {
    fn member(&self, slot: Slot) -> &[u8] {
        &self.0[slot as usize]
    }
}

impl Model {
    fn insert(&mut self, tree: &mut OrderTree, score: f64, member: &[u8]) {
        self.remove(tree, member);
        let slot = self.members.0.len() as Slot;
        self.members.0.push(member.to_vec());
        tree.insert(Entry { score, slot }, &self.members);
        let at = self
            .sorted
            .partition_point(|(s, m, _)| *s < score || (*s == score && **m < *member));
        self.sorted.insert(at, (score, member.to_vec(), slot));
    }

    fn remove(&mut self, tree: &mut OrderTree, member: &[u8]) {
        if let Some(at) = self.sorted.iter().position(|(_, m, _)| m == member) {
            let (score, _, slot) = self.sorted.remove(at);
            assert!(tree.remove(Entry { score, slot }, &self.members));
        }
    }

    fn rename(&mut self, tree: &mut OrderTree, member: &[u8]) {
        let to = self.members.0.len() as Slot;
        if let Some((score, _, slot)) = self.sorted.iter_mut().find(|(_, m, _)| m == member) {
            let from = Entry {
                score: *score,
                slot: *slot,
            };
            assert!(tree.rename(from, to, &self.members));
            *slot = to;
            self.members.0.push(member.to_vec());
        }
    }

    fn check(&self, tree: &OrderTree) {
        tree.verify(&self.members);
        assert_eq!(tree.len(), self.sorted.len());
        let slots = || self.sorted.iter().map(|(_, _, slot)| *slot);
        assert!(tree.iter().map(|e| e.slot).eq(slots()));
        assert!(tree.iter().rev().map(|e| e.slot).eq(slots().rev()));
        for (rank, &(score, _, slot)) in self.sorted.iter().enumerate().step_by(7) {
            assert_eq!(tree.nth(rank), Some(Entry { score, slot }));
            assert_eq!(tree.rank(Entry { score, slot }, &self.members), Some(rank));
        }
        assert_eq!(tree.nth(tree.len()), None);
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(f64, u16),
    Remove(u16),
    Rename(u16),
    InsertRun(i16, u8),
    RemoveRun(u16, u8),
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-3i8..4).prop_map(f64::from),
        2 => any::<f64>().prop_filter("a number", |s| !s.is_nan()),
        1 => proptest::sample::select(vec![-0.0, f64::INFINITY, f64::NEG_INFINITY]),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (score(), 0u16..400).prop_map(|(s, m)| Op::Insert(s, m)),
        2 => (0u16..400).prop_map(Op::Remove),
        1 => (0u16..400).prop_map(Op::Rename),
        1 => (any::<i16>(), any::<u8>()).prop_map(|(s, n)| Op::InsertRun(s, n)),
        1 => (0u16..400, any::<u8>()).prop_map(|(m, n)| Op::RemoveRun(m, n)),
    ]
}

fn apply(tree: &mut OrderTree, model: &mut Model, op: Op) {
    let name = |m: u16| format!("member:{m}").into_bytes();
    match op {
        Op::Insert(score, m) => model.insert(tree, score, &name(m)),
        Op::Remove(m) => model.remove(tree, &name(m)),
        Op::Rename(m) => model.rename(tree, &name(m)),
        Op::InsertRun(from, n) => {
            for i in 0..u16::from(n) {
                model.insert(tree, f64::from(from) + f64::from(i), &name(1000 + i));
            }
        }
        Op::RemoveRun(from, n) => {
            for m in from..from + u16::from(n) {
                model.remove(tree, &name(m));
                model.remove(tree, &name(1000 + m % 256));
            }
        }
    }
}

proptest! {
    #[test]
    fn behaves_like_a_sorted_vector(ops in proptest::collection::vec(op(), 1..80)) {
        let (mut tree, mut model) = (OrderTree::default(), Model::default());
        for op in ops {
            apply(&mut tree, &mut model, op);
            model.check(&tree);
        }
    }

    #[test]
    fn ranges_and_bounds(scores in proptest::collection::vec(score(), 0..300), a in 0usize..320, b in 0usize..320, bound in score()) {
        let (mut tree, mut model) = (OrderTree::default(), Model::default());
        for (i, score) in scores.iter().enumerate() {
            model.insert(&mut tree, *score, &i.to_be_bytes());
        }
        let below = scores.iter().filter(|s| **s < bound).count();
        prop_assert_eq!(tree.partition_point(|e| e.score < bound), below);
        let (start, end) = (a.min(scores.len()), b.min(scores.len()));
        let expected: Vec<_> = model.sorted[start..end.max(start)].iter().map(|e| e.2).collect();
        let range = tree.range(a..b);
        prop_assert_eq!(range.len(), expected.len());
        prop_assert!(range.clone().map(|e| e.slot).eq(expected.iter().copied()));
        prop_assert!(range.rev().map(|e| e.slot).eq(expected.into_iter().rev()));
    }
}

#[test]
fn both_ends_meet_in_the_middle() {
    let (mut tree, mut model) = (OrderTree::default(), Model::default());
    for i in 0..500u16 {
        model.insert(&mut tree, 1.0, &i.to_be_bytes());
    }
    let mut range = tree.range(100..400);
    let mut taken = Vec::new();
    while let Some(front) = range.next() {
        taken.push(front.slot);
        taken.extend(range.next_back().map(|e| e.slot));
    }
    taken.sort_unstable();
    assert!(taken.into_iter().eq(100..400));
}

#[test]
fn grows_and_shrinks_through_three_levels() {
    let (mut tree, mut table) = (OrderTree::default(), Table::default());
    let count: u32 = 20_000;
    let score = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) % 5000);
    for i in 0..count {
        table.0.push(i.to_be_bytes().to_vec());
        tree.insert(
            Entry {
                score: score(i),
                slot: i,
            },
            &table,
        );
    }
    tree.verify(&table);
    assert!(tree.memory() < 21 * tree.len(), "{} bytes", tree.memory());
    for i in (0..count).filter(|i| i % 50 != 0) {
        assert!(tree.remove(
            Entry {
                score: score(i),
                slot: i
            },
            &table
        ));
    }
    tree.verify(&table);
    assert_eq!(tree.len(), 400);
    assert!(tree.memory() < 60 * tree.len(), "{} bytes", tree.memory());
    for i in (0..count).step_by(50) {
        assert!(tree.remove(
            Entry {
                score: score(i),
                slot: i
            },
            &table
        ));
    }
    tree.verify(&table);
    assert!(tree.is_empty());
}

#[test]
fn ascending_insertions_fill_the_leaves() {
    let (mut tree, mut table) = (OrderTree::default(), Table::default());
    for i in 0..10_000u32 {
        table.0.push(i.to_be_bytes().to_vec());
        tree.insert(
            Entry {
                score: f64::from(i),
                slot: i,
            },
            &table,
        );
    }
    tree.verify(&table);
    assert!(tree.memory() < 14 * tree.len(), "{} bytes", tree.memory());
}

#[test]
fn zeros_of_both_signs_are_equal() {
    let (mut tree, mut model) = (OrderTree::default(), Model::default());
    model.insert(&mut tree, 0.0, b"b");
    model.insert(&mut tree, -0.0, b"c");
    model.insert(&mut tree, 0.0, b"a");
    let order: Vec<_> = tree
        .iter()
        .map(|e| model.members.member(e.slot).to_vec())
        .collect();
    assert_eq!(order, [b"a", b"b", b"c"]);
}

#[test]
#[should_panic(expected = "a score is a number")]
fn nan_is_refused() {
    let table = Table(vec![b"m".to_vec()]);
    OrderTree::default().insert(
        Entry {
            score: f64::NAN,
            slot: 0,
        },
        &table,
    );
}

#[test]
fn members_that_begin_alike() {
    let mut model = Model::default();
    let mut tree = OrderTree::default();
    // Nothing but zeros, and more bytes in common than a head has.
    for i in 0..300usize {
        let j = i * 7 % 300;
        model.insert(&mut tree, 1.0, &vec![0; j]);
        model.insert(&mut tree, 1.0, format!("a long common beginning {j}").as_bytes());
        model.insert(&mut tree, 1.0, format!("{j}").as_bytes());
    }
    model.check(&tree);
    for i in (0..300usize).step_by(2) {
        model.rename(&mut tree, &vec![0; i]);
        model.remove(&mut tree, format!("a long common beginning {i}").as_bytes());
        model.insert(&mut tree, 2.0, format!("{i}").as_bytes());
    }
    model.check(&tree);
}
