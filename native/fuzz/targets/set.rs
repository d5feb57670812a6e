//! Sets in every form against a sorted set.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::value::SetValue;
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Add(Text),
    AddRun(i16, u8),
    Remove(Text),
    RemoveAt(u16),
    Contains(Text),
}

fn run(mut set: SetValue, ops: &[Op]) -> SetValue {
    let mut model = BTreeSet::new();
    for op in ops {
        match op {
            Op::Add(text) => assert_eq!(set.add(&text.0), model.insert(text.0.clone())),
            Op::AddRun(from, count) => {
                for n in 0..i16::from(*count) {
                    let member = from.wrapping_add(n).to_string().into_bytes();
                    assert_eq!(set.add(&member), model.insert(member));
                }
            }
            Op::Remove(text) => assert_eq!(set.remove(&text.0), model.remove(&text.0)),
            Op::RemoveAt(at) => {
                let member = set.remove_at(usize::from(*at) % model.len().max(1));
                assert_eq!(member.is_some(), !model.is_empty());
                if let Some(member) = member {
                    assert!(model.remove(&member));
                }
            }
            Op::Contains(text) => assert_eq!(set.contains(&text.0), model.contains(&text.0)),
        }
        set.verify();
        assert_eq!(set.len(), model.len());
    }
    assert_eq!(
        set.iter().map(|member| member.to_vec()).collect::<BTreeSet<_>>(),
        model
    );
    set
}

fuzz_target!(|ops: Vec<Op>| {
    run(SetValue::intset(), &ops);
    let packed = run(SetValue::packed(), &ops);
    let table = run(SetValue::table(), &ops);
    assert!(
        packed
            .iter()
            .map(|member| member.to_vec())
            .eq(table.iter().map(|member| member.to_vec()))
    );
});
