//! A listpack against a vector; and noise, which is refused or a listpack.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::structure::listpack::Listpack;
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Op {
    PushFront(Text),
    PushBack(Text),
    Insert(u8, Text),
    Replace(u8, Text),
    Remove(u8),
    RemoveRange(u8, u8),
    SplitAndAppend(u8),
    Find(Text, bool),
}

fn apply(pack: &mut Listpack, model: &mut Vec<Vec<u8>>, op: Op) {
    let len = model.len();
    match op {
        Op::PushFront(text) => {
            pack.push_front(&text.0);
            model.insert(0, text.0);
        }
        Op::PushBack(text) => {
            pack.push_back(&text.0);
            model.push(text.0);
        }
        Op::Insert(at, text) => {
            let at = usize::from(at) % (len + 1);
            let position = pack.seek(at).unwrap_or(pack.end());
            pack.insert(position, &text.0);
            model.insert(at, text.0);
        }
        Op::Replace(at, text) => {
            if let Some(position) = pack.seek(usize::from(at) % len.max(1)) {
                pack.replace(position, &text.0);
                model[usize::from(at) % len] = text.0;
            }
        }
        Op::Remove(at) => {
            if let Some(position) = pack.seek(usize::from(at) % len.max(1)) {
                pack.remove(position);
                model.remove(usize::from(at) % len);
            }
        }
        Op::RemoveRange(start, count) => {
            let start = usize::from(start).min(len);
            let end = (start + usize::from(count)).min(len);
            assert_eq!(pack.remove_range(start, usize::from(count)), end - start);
            model.drain(start..end);
        }
        Op::SplitAndAppend(at) => {
            if let Some(position) = pack.seek(usize::from(at) % len.max(1)) {
                let tail = pack.split_off(position);
                tail.verify();
                pack.append(&tail);
            }
        }
        Op::Find(text, pairs) => {
            let step = if pairs && len.is_multiple_of(2) { 2 } else { 1 };
            let found = pack.find(&text.0, pack.first(), step);
            let expected = model.iter().step_by(step).position(|one| *one == text.0);
            assert_eq!(found, expected.and_then(|at| pack.seek(at * step)));
        }
    }
}

fuzz_target!(|input: (Vec<Op>, Vec<u8>)| {
    let (ops, noise) = input;
    let (mut pack, mut model) = (Listpack::new(), Vec::new());
    for op in ops {
        apply(&mut pack, &mut model, op);
        pack.verify();
        assert_eq!(pack.len(), model.len());
        assert!(
            pack.iter()
                .map(|element| element.to_vec())
                .eq(model.iter().cloned())
        );
        assert!(
            pack.iter()
                .rev()
                .map(|element| element.to_vec())
                .eq(model.iter().rev().cloned())
        );
    }
    let again = Listpack::from_bytes(pack.as_bytes()).expect("its own bytes are a listpack");
    assert_eq!(again.as_bytes(), pack.as_bytes());
    if let Some(pack) = Listpack::from_bytes(&noise) {
        pack.verify();
    }
});
