//! A set of integers against a sorted set.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::structure::intset::IntSet;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

#[derive(Arbitrary, Debug)]
enum Op {
    Narrow(i8),
    Insert(i64),
    Remove(i8),
    RemoveWide(i64),
    RemoveAt(u8),
}

fuzz_target!(|ops: Vec<Op>| {
    let (mut set, mut model) = (IntSet::new(), BTreeSet::new());
    for op in ops {
        match op {
            Op::Narrow(member) => assert_eq!(set.insert(member.into()), model.insert(member.into())),
            Op::Insert(member) => assert_eq!(set.insert(member), model.insert(member)),
            Op::Remove(member) => assert_eq!(set.remove(member.into()), model.remove(&member.into())),
            Op::RemoveWide(member) => assert_eq!(set.remove(member), model.remove(&member)),
            Op::RemoveAt(at) if !model.is_empty() => {
                let member = set.remove_at(usize::from(at) % model.len());
                assert!(model.remove(&member));
            }
            Op::RemoveAt(_) => {}
        }
        set.verify();
        assert!(set.iter().eq(model.iter().copied()));
        assert_eq!(set.bounds(), model.first().copied().zip(model.last().copied()));
    }
});
