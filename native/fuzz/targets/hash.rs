//! Hashes, packed and as a table, against a vector of pairs.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::value::HashValue;
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Set(Text, Text),
    SetRun(u16, u8),
    Remove(Text),
    Get(Text),
}

type Model = Vec<(Vec<u8>, Vec<u8>)>;

fn set(hash: &mut HashValue, model: &mut Model, field: &[u8], value: &[u8]) {
    let known = model.iter_mut().find(|(known, _)| known == field);
    assert_eq!(hash.set(field, value), known.is_none());
    match known {
        Some((_, known)) => *known = value.to_vec(),
        None => model.push((field.to_vec(), value.to_vec())),
    }
}

fn sorted(model: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Model {
    let mut pairs: Model = model.collect();
    pairs.sort();
    pairs
}

fn run(mut hash: HashValue, ops: &[Op]) -> HashValue {
    let mut model = Model::new();
    for op in ops {
        match op {
            Op::Set(field, value) => set(&mut hash, &mut model, &field.0, &value.0),
            Op::SetRun(from, count) => {
                for n in 0..u16::from(*count) {
                    let field = from.wrapping_add(n).to_string();
                    set(&mut hash, &mut model, field.as_bytes(), b"v");
                }
            }
            Op::Remove(field) => {
                let there = model.iter().position(|(known, _)| *known == field.0);
                assert_eq!(hash.remove(&field.0), there.is_some());
                there.map(|at| model.swap_remove(at));
            }
            Op::Get(field) => {
                let there = model.iter().find(|(known, _)| *known == field.0);
                let found = hash.get(&field.0).map(|value| value.to_vec());
                assert_eq!(found.as_ref(), there.map(|(_, value)| value));
            }
        }
        hash.verify();
        assert_eq!(hash.len(), model.len());
    }
    let own = hash.iter().map(|(field, value)| (field.to_vec(), value.to_vec()));
    assert_eq!(sorted(own), sorted(model.into_iter()));
    hash
}

fuzz_target!(|ops: Vec<Op>| {
    let packed = run(HashValue::packed(), &ops);
    let table = run(HashValue::table(), &ops);
    let order = |hash: &HashValue| hash.iter().map(|(field, _)| field.to_vec()).collect::<Vec<_>>();
    assert_eq!(
        order(&packed),
        order(&table),
        "the order does not depend on the form"
    );
});
