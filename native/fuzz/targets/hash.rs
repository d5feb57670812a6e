//! Hashes, packed and as a table, against a vector of fields with their values and when they expire.
//!
//! What is due goes in the order that the hash promises, however its removal is divided.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::value::HashValue;
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Set(Text, Text),
    SetRun(u16, u8),
    SetValue(Text, Text),
    Remove(Text),
    Get(Text),
    Expire(Text, Option<i8>),
    ExpireNth(u16, Option<i8>),
    ExpireAll(i8),
    RemoveDue(i8, u8),
}

type Field = (Vec<u8>, Vec<u8>, Option<i64>);

/// In the order of the hash: the last field takes the place of one that goes.
type Model = Vec<Field>;

fn position(model: &Model, field: &[u8]) -> Option<usize> {
    model.iter().position(|(known, ..)| known == field)
}

fn set(hash: &mut HashValue, model: &mut Model, field: &[u8], value: &[u8]) {
    let known = position(model, field);
    assert_eq!(hash.set(field, value), known.is_none());
    match known {
        Some(at) => (model[at].1, model[at].2) = (value.to_vec(), None),
        None => model.push((field.to_vec(), value.to_vec(), None)),
    }
}

fn set_value(hash: &mut HashValue, model: &mut Model, field: &[u8], value: &[u8]) {
    let known = position(model, field);
    assert_eq!(hash.set_value(field, value), known.is_none());
    match known {
        Some(at) => model[at].1 = value.to_vec(),
        None => model.push((field.to_vec(), value.to_vec(), None)),
    }
}

fn expire(hash: &mut HashValue, model: &mut Model, field: &[u8], at_ms: Option<i64>) {
    let known = position(model, field);
    assert_eq!(hash.set_expiry(field, at_ms), known.is_some());
    if let Some(at) = known {
        model[at].2 = at_ms;
    }
}

/// Takes out what is due, the earliest first, and of those of one instant the first in order.
fn remove_due(model: &mut Model, now_ms: i64, limit: usize) -> usize {
    for removed in 0..limit {
        let due = model
            .iter()
            .enumerate()
            .filter_map(|(at, (.., expire_at))| expire_at.filter(|&ms| ms <= now_ms).map(|ms| (ms, at)));
        let Some((_, first)) = due.min() else {
            return removed;
        };
        model.swap_remove(first);
    }
    limit
}

fn apply(hash: &mut HashValue, model: &mut Model, op: &Op) {
    match op {
        Op::Set(field, value) => set(hash, model, &field.0, &value.0),
        Op::SetRun(from, count) => {
            for n in 0..u16::from(*count) {
                let field = from.wrapping_add(n).to_string();
                set(hash, model, field.as_bytes(), b"v");
            }
        }
        Op::SetValue(field, value) => set_value(hash, model, &field.0, &value.0),
        Op::Remove(field) => {
            let there = position(model, &field.0);
            assert_eq!(hash.remove(&field.0), there.is_some());
            there.map(|at| model.swap_remove(at));
        }
        Op::Get(field) => {
            let there = position(model, &field.0).map(|at| &model[at]);
            let found = hash.get(&field.0).map(|value| value.to_vec());
            assert_eq!(found.as_ref(), there.map(|(_, value, _)| value));
            assert_eq!(hash.expiry(&field.0), there.map(|(.., expire_at)| *expire_at));
        }
        Op::Expire(field, at_ms) => expire(hash, model, &field.0, at_ms.map(i64::from)),
        Op::ExpireNth(nth, at_ms) => {
            if let Some((field, ..)) = model.get(usize::from(*nth) % model.len().max(1)) {
                let field = field.clone();
                expire(hash, model, &field, at_ms.map(i64::from));
            }
        }
        Op::ExpireAll(at_ms) => {
            for (field, ..) in model.clone() {
                expire(hash, model, &field, Some(i64::from(*at_ms)));
            }
        }
        Op::RemoveDue(now_ms, limit) => {
            let (now_ms, limit) = (i64::from(*now_ms), usize::from(*limit));
            let removed = remove_due(model, now_ms, limit);
            assert_eq!(hash.remove_due(now_ms, limit), removed);
        }
    }
}

fn check(hash: &HashValue, model: &Model) {
    hash.verify();
    assert_eq!(hash.len(), model.len());
    let expiries = || model.iter().filter_map(|(.., expire_at)| *expire_at);
    assert_eq!(hash.expiring(), expiries().count());
    assert_eq!(hash.next_due(), expiries().min());
    let all_expire = !model.is_empty() && expiries().count() == model.len();
    assert_eq!(hash.last_due(), expiries().max().filter(|_| all_expire));
}

fn run(mut hash: HashValue, ops: &[Op]) {
    let mut model = Model::new();
    for op in ops {
        apply(&mut hash, &mut model, op);
        check(&hash, &model);
    }
    let own = hash
        .iter_timed()
        .map(|(field, value, at)| (field.to_vec(), value.to_vec(), at));
    assert_eq!(own.collect::<Model>(), model);
}

fuzz_target!(|ops: Vec<Op>| {
    run(HashValue::packed(), &ops);
    run(HashValue::table(), &ops);
    run(HashValue::with_expiries(true), &ops);
});
