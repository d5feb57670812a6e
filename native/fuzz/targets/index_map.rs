//! An index map against a vector of pairs; a scan beside the changes, which gives whatever stays; and frozen maps, which
//! stay what they were.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::structure::index_map::{Entry, FrozenEntries, IndexMap, Pair};
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

#[derive(Arbitrary, Debug)]
enum Op {
    Insert(Text, Text),
    /// So many fields by number.
    InsertRun(u16, u8),
    Remove(Text),
    RemoveRun(u16, u8),
    RemoveAt(u16),
    Edit(u16, Text),
    Scan(u8),
    Freeze,
    /// Drops one of the frozen maps.
    Thaw(u8),
}

#[derive(Default)]
struct Scan {
    cursor: u64,
    running: bool,
    /// What was there at the beginning and is still there, and what was seen.
    stays: BTreeSet<Vec<u8>>,
    seen: BTreeSet<Vec<u8>>,
}

type Model = Vec<(Vec<u8>, Vec<u8>)>;

fn insert(map: &mut IndexMap<Pair>, model: &mut Model, field: &[u8], value: &[u8]) {
    let old = map.insert(Pair::new(field, value));
    match model.iter_mut().find(|(known, _)| known == field) {
        Some((_, known)) => {
            assert_eq!(
                old.expect("it was there").value(),
                std::mem::replace(known, value.to_vec())
            );
        }
        None => {
            assert!(old.is_none());
            model.push((field.to_vec(), value.to_vec()));
        }
    }
}

fn remove(map: &mut IndexMap<Pair>, model: &mut Model, scan: &mut Scan, field: &[u8]) {
    let at = model.iter().position(|(known, _)| known == field);
    assert_eq!(map.swap_remove(field).is_some(), at.is_some());
    if let Some(at) = at {
        model.swap_remove(at);
    }
    scan.stays.remove(field);
}

fn advance(map: &IndexMap<Pair>, model: &Model, scan: &mut Scan, count: usize) {
    if !scan.running {
        scan.running = true;
        scan.seen.clear();
        scan.stays = model.iter().map(|(field, _)| field.clone()).collect();
    }
    let seen = &mut scan.seen;
    scan.cursor = map.scan(scan.cursor, count, &mut |pair| {
        seen.insert(pair.key().to_vec());
    });
    if scan.cursor == 0 {
        scan.running = false;
        assert!(scan.stays.is_subset(&scan.seen), "a scan has missed what stayed");
    }
}

/// Frozen maps at a time.
const FROZEN_MAX: usize = 3;

fn is(pairs: impl Iterator<Item = impl std::ops::Deref<Target = Pair>>, model: &Model) -> bool {
    let mut expected = model.iter();
    let same =
        |pair: &Pair, (field, value): &(Vec<u8>, Vec<u8>)| pair.key() == field && pair.value() == value;
    pairs
        .into_iter()
        .all(|pair| expected.next().is_some_and(|expected| same(&pair, expected)))
        && expected.next().is_none()
}

fuzz_target!(|ops: Vec<Op>| {
    let (mut map, mut model, mut scan) = (IndexMap::<Pair>::new(), Model::new(), Scan::default());
    let mut frozen: Vec<(FrozenEntries<Pair>, Model)> = Vec::new();
    for op in ops {
        let len = model.len();
        match op {
            Op::Insert(field, value) => insert(&mut map, &mut model, &field.0, &value.0),
            Op::InsertRun(from, count) => {
                for n in 0..u16::from(count) {
                    let field = from.wrapping_add(n).to_string();
                    insert(&mut map, &mut model, field.as_bytes(), b"v");
                }
            }
            Op::Remove(field) => remove(&mut map, &mut model, &mut scan, &field.0),
            Op::RemoveRun(from, count) => {
                for n in 0..u16::from(count) {
                    let field = from.wrapping_add(n).to_string();
                    remove(&mut map, &mut model, &mut scan, field.as_bytes());
                }
            }
            Op::RemoveAt(at) if len > 0 => {
                let gone = map.swap_remove_at(usize::from(at) % len);
                model.swap_remove(usize::from(at) % len);
                scan.stays.remove(gone.key());
            }
            Op::Edit(at, value) if len > 0 => {
                map.edit_at(usize::from(at) % len, |pair| pair.set_value(&value.0));
                model[usize::from(at) % len].1 = value.0;
            }
            Op::RemoveAt(_) | Op::Edit(..) => {}
            Op::Scan(count) => advance(&map, &model, &mut scan, usize::from(count)),
            Op::Freeze if frozen.len() < FROZEN_MAX => frozen.push((map.freeze(), model.clone())),
            Op::Thaw(at) if !frozen.is_empty() => drop(frozen.swap_remove(usize::from(at) % frozen.len())),
            Op::Freeze | Op::Thaw(_) => {}
        }
        map.verify();
        assert!(is(map.iter(), &model));
        for (frozen, model) in &frozen {
            assert!(is(frozen.iter(), model));
        }
    }
});
