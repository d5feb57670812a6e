//! A list of small nodes, and one of usual nodes, against a vector; and frozen lists, which stay what they were.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::structure::quicklist::{End, NodeLimits, Quicklist};
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;

/// Nodes of so many bytes and elements.
#[derive(Clone, Copy, Default)]
struct Nodes(usize, usize);

impl NodeLimits for Nodes {
    fn bytes(self) -> usize {
        self.0
    }

    fn entries(self) -> usize {
        self.1
    }
}

#[derive(Arbitrary, Clone, Debug)]
enum Op {
    PushFront(Text),
    PushBack(Text),
    PopFront,
    PopBack,
    Set(u8, Text),
    Insert(u8, Text),
    RemoveRange(u8, u8),
    RemoveEqual(Text, u8, bool),
    Freeze,
    /// Drops one of the frozen lists.
    Thaw(u8),
}

fn remove_equal(model: &mut Vec<Vec<u8>>, text: &[u8], limit: usize, from_tail: bool) -> usize {
    let mut at: Vec<usize> = (0..model.len()).filter(|&at| model[at] == text).collect();
    if from_tail {
        at.reverse();
    }
    at.truncate(limit);
    at.sort_unstable();
    at.iter().rev().for_each(|&at| drop(model.remove(at)));
    at.len()
}

fn apply<L: NodeLimits>(list: &mut Quicklist<L>, model: &mut Vec<Vec<u8>>, op: Op) {
    let len = model.len();
    match op {
        Op::PushFront(text) => {
            list.push_front(&text.0);
            model.insert(0, text.0);
        }
        Op::PushBack(text) => {
            list.push_back(&text.0);
            model.push(text.0);
        }
        Op::PopFront => assert_eq!(list.pop_front(), (len > 0).then(|| model.remove(0))),
        Op::PopBack => assert_eq!(list.pop_back(), model.pop()),
        Op::Set(at, text) => {
            let at = usize::from(at);
            assert_eq!(list.set(at, &text.0), at < len);
            if at < len {
                model[at] = text.0;
            }
        }
        Op::Insert(at, text) => {
            let at = usize::from(at) % (len + 1);
            list.insert(at, &text.0);
            model.insert(at, text.0);
        }
        Op::RemoveRange(start, count) => {
            let start = usize::from(start).min(len);
            let end = (start + usize::from(count)).min(len);
            assert_eq!(list.remove_range(start, usize::from(count)), end - start);
            model.drain(start..end);
        }
        Op::RemoveEqual(text, limit, from_tail) => {
            let end = if from_tail { End::Tail } else { End::Head };
            let limit = usize::from(limit);
            let removed = remove_equal(model, &text.0, limit, from_tail);
            assert_eq!(list.remove_equal(&text.0, limit, end), removed);
        }
        Op::Freeze | Op::Thaw(_) => {}
    }
}

/// Frozen lists at a time.
const FROZEN_MAX: usize = 3;

fn run(nodes: Nodes, ops: &[Op]) {
    let (mut list, mut model) = (Quicklist::<Nodes>::default().limited(nodes), Vec::new());
    let mut frozen: Vec<(Quicklist<Nodes>, Vec<Vec<u8>>)> = Vec::new();
    for op in ops {
        match op {
            Op::Freeze if frozen.len() < FROZEN_MAX => frozen.push((list.freeze(), model.clone())),
            Op::Thaw(at) if !frozen.is_empty() => drop(frozen.swap_remove(usize::from(*at) % frozen.len())),
            op => apply(&mut list, &mut model, op.clone()),
        }
        for (frozen, model) in &frozen {
            frozen.verify();
            assert!(
                frozen
                    .iter()
                    .map(|element| element.to_vec())
                    .eq(model.iter().cloned())
            );
        }
        list.verify();
        assert_eq!(list.len(), model.len());
        assert!(
            list.iter()
                .map(|element| element.to_vec())
                .eq(model.iter().cloned())
        );
        assert!(
            list.iter()
                .rev()
                .map(|element| element.to_vec())
                .eq(model.iter().rev().cloned())
        );
        for at in 0..=model.len().min(8) {
            assert_eq!(
                list.get(at).map(|element| element.to_vec()).as_ref(),
                model.get(at)
            );
        }
    }
}

fuzz_target!(|ops: Vec<Op>| {
    run(Nodes(64, 12), &ops);
    run(Nodes(8192, usize::MAX), &ops);
});
