use super::*;
use crate::value::Limits;

const LIMITS: Limits = Limits::DEFAULT;
use proptest::prelude::*;

type Model = Vec<(Vec<u8>, Vec<u8>)>;

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[a-f]{1,2}".prop_map(String::into_bytes),
        8 => (-50i64..50).prop_map(|n| n.to_string().into_bytes()),
        2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        2 => proptest::sample::select(vec!["-0", "00", "+1", "007", "", " 1"]).prop_map(|s| s.into()),
        2 => proptest::collection::vec(any::<u8>(), 0..64),
    ]
}

/// A step: set, or remove.
fn step() -> impl Strategy<Value = (Vec<u8>, Option<Vec<u8>>)> {
    (text(), proptest::option::weighted(0.7, text()))
}

fn held(hash: &HashValue) -> Model {
    hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect()
}

fn apply(hash: &mut HashValue, model: &mut Model, field: &[u8], value: Option<&[u8]>) {
    let at = model.iter().position(|(f, _)| f == field);
    match (value, at) {
        (Some(value), Some(at)) => {
            assert!(!hash.set(field, value));
            model[at].1 = value.to_vec();
        }
        (Some(value), None) => {
            assert!(hash.set(field, value));
            model.push((field.to_vec(), value.to_vec()));
        }
        (None, Some(at)) => {
            assert!(hash.remove(field));
            model.swap_remove(at);
        }
        (None, None) => assert!(!hash.remove(field)),
    }
}

proptest! {
    #[test]
    fn both_forms_have_the_same_order_and_content(
        steps in proptest::collection::vec(step(), 0..150),
        long_at in proptest::option::of(0usize..150),
    ) {
        let (mut packed, mut table) = (HashValue::packed(), HashValue::table());
        let mut model = Model::new();
        for (i, (field, value)) in steps.into_iter().enumerate() {
            let value = value.map(|v| if long_at == Some(i) { vec![b'x'; 65] } else { v });
            apply(&mut packed, &mut model.clone(), &field, value.as_deref());
            apply(&mut table, &mut model, &field, value.as_deref());
            packed.verify();
            table.verify();
            prop_assert_eq!(&held(&packed), &model);
            prop_assert_eq!(&held(&table), &model);
            for hash in [&packed, &table] {
                let expected = model.iter().find(|(f, _)| *f == field).map(|(_, v)| v.clone());
                prop_assert_eq!(hash.get(&field).map(|v| v.to_vec()), expected);
                prop_assert_eq!(hash.len(), model.len());
                prop_assert_eq!(hash.is_empty(), model.is_empty());
                let middle = hash.nth(model.len() / 2).map(|(f, v)| (f.to_vec(), v.to_vec()));
                prop_assert_eq!(middle, model.get(model.len() / 2).cloned());
                let mut scanned = Model::new();
                let mut cursor = 0;
                loop {
                    cursor = hash.scan(cursor, 7, &mut |f, v| scanned.push((f.to_vec(), v.to_vec())));
                    if cursor == 0 {
                        break;
                    }
                }
                scanned.sort();
                let mut sorted = model.clone();
                sorted.sort();
                prop_assert_eq!(scanned, sorted);
            }
        }
    }
}

#[test]
fn stays_packed_up_to_the_limits() {
    let mut hash = HashValue::default();
    let longest = [b'x'; LIMITS.hash_bytes];
    hash.set(&longest, &longest);
    for n in 1..LIMITS.hash_entries {
        hash.set(n.to_string().as_bytes(), b"1");
    }
    assert_eq!((hash.len(), hash.encoding()), (LIMITS.hash_entries, "listpack"));
    hash.set(b"1", b"again");
    assert_eq!(hash.encoding(), "listpack");
    hash.set(b"one more", b"1");
    assert_eq!(
        (hash.len(), hash.encoding()),
        (LIMITS.hash_entries + 1, "hashtable")
    );
    hash.verify();
    assert_eq!(
        hash.nth(LIMITS.hash_entries),
        Some((Element::Bytes(b"one more"), Element::Bytes(b"1")))
    );
}

#[test]
fn a_long_field_or_value_makes_a_table() {
    let long = [b'x'; LIMITS.hash_bytes + 1];
    for (field, value) in [(&long[..], &b"v"[..]), (b"f", &long)] {
        let mut hash = HashValue::default();
        hash.set(b"1", b"2");
        assert!(hash.set(field, value));
        assert_eq!(hash.encoding(), "hashtable");
        assert_eq!(hash.get(b"1"), Some(Element::Bytes(b"2")));
        assert!(hash.remove(field));
        assert_eq!(hash.encoding(), "hashtable", "it never goes back");
    }
}

#[test]
fn many_announced_fields_make_a_table() {
    let mut hash = HashValue::default();
    hash.prepare(LIMITS.hash_entries);
    assert_eq!(hash.encoding(), "listpack");
    hash.prepare(LIMITS.hash_entries + 1);
    assert_eq!(hash.encoding(), "hashtable");
}

#[test]
fn memory_follows_the_content() {
    let mut hash = HashValue::table();
    let empty = hash.memory();
    hash.set(b"field", &[0; 10_000]);
    assert!(hash.memory() > empty + 10_000);
    hash.set(b"field", b"short");
    assert!(hash.memory() < empty + 1000);
}

/// A hash of fields `0..fields`, those at multiples of 3 without an expiry, the others with one of a few instants.
fn timed(packed: bool, fields: i64) -> HashValue {
    let mut hash = if packed {
        HashValue::packed()
    } else {
        HashValue::table()
    };
    for n in 0..fields {
        let field = n.to_string().into_bytes();
        hash.set(&field, b"v");
        if n % 3 != 0 {
            assert!(hash.set_expiry(&field, Some(n * 7 % 11)));
        }
    }
    hash
}

fn held_timed(hash: &HashValue) -> Vec<(Vec<u8>, Option<i64>)> {
    hash.iter_timed().map(|(f, _, at)| (f.to_vec(), at)).collect()
}

#[test]
fn both_forms_remove_due_fields_in_the_same_order_however_the_removal_is_divided() {
    for fields in [1, 5, 40, 200] {
        let mut at_once = timed(true, fields);
        let encoding = if fields > 1 { "listpackex" } else { "listpack" };
        assert_eq!(at_once.encoding(), encoding);
        let mut in_steps = timed(false, fields);
        let due = at_once
            .iter_timed()
            .filter(|(_, _, at)| at.is_some_and(|at| at <= 8))
            .count();
        assert_eq!(at_once.remove_due(8, usize::MAX), due);
        let mut removed = 0;
        for now_ms in [-1, 0, 3, 3, 7, 8] {
            for limit in [2, 0, 1, 9, usize::MAX] {
                removed += in_steps.remove_due(now_ms, limit);
                in_steps.verify();
            }
        }
        assert_eq!(removed, due);
        at_once.verify();
        assert_eq!(held_timed(&at_once), held_timed(&in_steps));
        assert_eq!(at_once.next_due(), in_steps.next_due());
        assert!(at_once.next_due().is_none_or(|at| at > 8));
    }
}

/// A step with expiries: set, set and keep the expiry, remove, or expire.
#[derive(Clone, Debug)]
enum Change {
    Set(Vec<u8>, Vec<u8>),
    SetValue(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Expire(Vec<u8>, Option<i64>),
    Due(i64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (text(), text()).prop_map(|(f, v)| Change::Set(f, v)),
        1 => (text(), text()).prop_map(|(f, v)| Change::SetValue(f, v)),
        1 => text().prop_map(Change::Remove),
        4 => (text(), proptest::option::weighted(0.8, 0i64..40)).prop_map(|(f, at)| Change::Expire(f, at)),
        1 => (0i64..30).prop_map(Change::Due),
    ]
}

fn apply_change(hash: &mut HashValue, change: &Change) {
    match change {
        Change::Set(field, value) => {
            hash.set(field, value);
            assert_eq!(hash.expiry(field), Some(None));
        }
        Change::SetValue(field, value) => {
            let before = hash.expiry(field).flatten();
            hash.set_value(field, value);
            assert_eq!(hash.expiry(field), Some(before));
        }
        Change::Remove(field) => assert_eq!(hash.get(field).is_some(), hash.remove(field)),
        Change::Expire(field, at) => {
            let known = hash.get(field).is_some();
            assert_eq!(hash.set_expiry(field, *at), known);
            assert_eq!(hash.expiry(field), known.then_some(*at));
        }
        Change::Due(now_ms) => {
            hash.remove_due(*now_ms, usize::MAX);
            assert!(hash.next_due().is_none_or(|at| at > *now_ms));
        }
    }
}

proptest! {
    #[test]
    fn expiries_follow_their_fields(changes in proptest::collection::vec(change(), 0..200)) {
        let (mut packed, mut table) = (HashValue::packed(), HashValue::table());
        for change in &changes {
            for hash in [&mut packed, &mut table] {
                apply_change(hash, change);
                hash.verify();
            }
            prop_assert_eq!(held(&packed), held(&table));
            prop_assert_eq!(held_timed(&packed), held_timed(&table));
            prop_assert_eq!(packed.next_due(), table.next_due());
            prop_assert_eq!(packed.is_due(20), held_timed(&packed).iter().all(|(_, at)| at.is_some_and(|at| at <= 20)) && !packed.is_empty());
        }
    }
}

#[test]
fn a_hash_without_expiries_holds_nothing_for_them() {
    let mut hash = HashValue::default();
    hash.set(b"f", b"v");
    assert!(hash.set_expiry(b"f", None) && !hash.set_expiry(b"g", Some(1)));
    assert!(!hash.has_expiries() && hash.as_listpack().is_some());
    assert!(hash.set_expiry(b"f", Some(1)));
    assert_eq!((hash.encoding(), hash.expiring()), ("listpackex", 1));
    assert!(hash.is_due(1) && !hash.is_due(0));
    hash.set(b"f", b"w");
    assert_eq!(
        (hash.encoding(), hash.expiring(), hash.next_due()),
        ("listpackex", 0, None)
    );
    assert!(!hash.is_due(1));
}
