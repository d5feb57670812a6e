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
fn a_packed_hash_is_the_same_however_the_removal_is_divided() {
    for fields in [1, 5, 40] {
        let (mut at_once, mut in_steps) = (timed(true, fields), timed(true, fields));
        let encoding = if fields > 1 { "listpackex" } else { "listpack" };
        assert_eq!(at_once.encoding(), encoding);
        let removed = at_once.hide_due(8);
        let mut removed_in_steps = 0;
        for now_ms in [-1, 0, 3, 3, 7, 8] {
            for limit in [2, 0, 1, 9, usize::MAX] {
                removed_in_steps += in_steps.remove_due(now_ms, limit);
                in_steps.verify();
            }
        }
        assert_eq!(removed, removed_in_steps);
        at_once.verify();
        assert_eq!(held_timed(&at_once), held_timed(&in_steps));
        assert_eq!(at_once.next_due(), in_steps.next_due());
        assert!(at_once.next_due().is_none_or(|at| at > 8));
    }
}

#[test]
fn a_table_shows_nothing_of_what_is_due_and_still_there() {
    let (mut hash, mut swept) = (timed(false, 200), timed(false, 200));
    let memory = hash.memory();
    assert_eq!(hash.hide_due(8), 0);
    let left = (0..200).filter(|n| n % 3 == 0 || n * 7 % 11 > 8).count();
    assert_eq!(swept.remove_due(8, usize::MAX), 200 - left);
    assert!(hash.has_hidden() && !swept.has_hidden() && swept.memory() < memory);
    for hash in [&hash, &swept] {
        hash.verify();
        assert_eq!((hash.len(), hash.iter().count()), (left, left));
        assert!(hash.get(b"0").is_some() && hash.get(b"2").is_some() == (2 * 7 % 11 > 8));
        assert!((0..left).all(|at| hash.nth(at).is_some()) && hash.nth(left).is_none());
    }
    assert_eq!(held_timed(&hash), held_timed(&swept));
    // What was due is new when it is set again, and expires again.
    let gone = (0..200i64)
        .find(|n| n % 3 != 0 && n * 7 % 11 <= 8)
        .map(|n| n.to_string());
    let gone = gone.unwrap().into_bytes();
    assert_eq!(hash.expiry(&gone), None);
    assert!(!hash.remove(&gone) && !hash.set_expiry(&gone, Some(99)));
    assert!(hash.set(&gone, b"again") && hash.set_expiry(&gone, Some(99)));
    assert_eq!(hash.expiry(&gone), Some(Some(99)));
    hash.verify();
    assert_eq!(hash.sweep(usize::MAX), 200 - left - 1);
    assert_eq!(hash.len(), left + 1);
    hash.verify();
}

#[test]
fn the_few_that_stay_leave_many_hidden_ones_behind() {
    let mut hash = HashValue::table();
    for n in 0..6000i64 {
        let field = n.to_string().into_bytes();
        hash.set(&field, b"v");
        hash.set_expiry(&field, Some(if n < 100 { 20 } else { 10 }));
    }
    let memory = hash.memory();
    assert_eq!((hash.hide_due(10), hash.len()), (0, 100));
    assert!(!hash.has_hidden() && hash.memory() < memory / 20);
    assert_eq!((hash.next_due(), hash.last_due()), (Some(20), Some(20)));
    hash.verify();
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

/// Instants are told from the clock on, which stands where the last step of time has left it.
fn apply_change(hash: &mut HashValue, change: &Change, clock: i64) {
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
            let (known, at) = (hash.get(field).is_some(), at.map(|at| clock + 1 + at));
            assert_eq!(hash.set_expiry(field, at), known);
            assert_eq!(hash.expiry(field), known.then_some(at));
        }
        Change::Due(_) => {
            hash.hide_due(clock);
            assert!(hash.next_due().is_none_or(|at| at > clock));
        }
    }
}

fn move_clock(clock: &mut i64, change: &Change) {
    if let Change::Due(ms) = change {
        *clock += ms;
    }
}

fn sorted(hash: &HashValue) -> Vec<(Vec<u8>, Option<i64>)> {
    let mut fields = held_timed(hash);
    fields.sort();
    fields
}

proptest! {
    #[test]
    fn expiries_follow_their_fields(
        changes in proptest::collection::vec((change(), 0usize..4), 0..200),
    ) {
        let (mut packed, mut table, mut lazy) = (HashValue::packed(), HashValue::table(), HashValue::table());
        let mut clock = 0;
        for (change, swept) in &changes {
            move_clock(&mut clock, change);
            for hash in [&mut packed, &mut table, &mut lazy] {
                apply_change(hash, change, clock);
            }
            table.sweep(usize::MAX);
            lazy.sweep(*swept);
            for hash in [&packed, &table, &lazy] {
                hash.verify();
                prop_assert_eq!(hash.len(), held(hash).len());
                prop_assert_eq!(hash.nth(hash.len()), None);
            }
            prop_assert_eq!(sorted(&packed), sorted(&table));
            prop_assert_eq!(held(&table), held(&lazy));
            prop_assert_eq!(held_timed(&table), held_timed(&lazy));
            prop_assert!((0..lazy.len()).map(|at| lazy.nth(at)).eq(table.iter().map(Some)));
            prop_assert_eq!((packed.next_due(), packed.expiring()), (table.next_due(), table.expiring()));
            prop_assert_eq!((lazy.next_due(), lazy.expiring()), (table.next_due(), table.expiring()));
            let instants: Option<Vec<i64>> = sorted(&packed).iter().map(|(_, at)| *at).collect();
            let last = instants.and_then(|instants| instants.into_iter().max());
            for hash in [&packed, &table, &lazy] {
                prop_assert!(hash.is_empty() || hash.last_due() == last);
            }
        }
    }

    #[test]
    fn a_scan_that_goes_from_peer_to_peer_visits_all_that_stays(
        expiring in 0usize..150,
        count in 1usize..20,
        changes in proptest::collection::vec((change(), 0usize..4), 0..100),
    ) {
        let mut peers = [HashValue::table(), HashValue::table()];
        for peer in &mut peers {
            for n in 0..150usize {
                let field = format!("stays {n}").into_bytes();
                peer.set(&field, b"v");
                peer.set_expiry(&field, (n < expiring).then_some(1 << 40));
            }
        }
        let (mut seen, mut cursor, mut ordinal, mut clock) = (std::collections::BTreeSet::new(), 0, 0, 0);
        loop {
            for (change, swept) in changes.iter().cycle().skip(ordinal * 3).take(changes.len().min(3)) {
                move_clock(&mut clock, change);
                for (peer, swept) in peers.iter_mut().zip([usize::MAX, *swept]) {
                    apply_change(peer, change, clock);
                    let moving = format!("stays {}", (ordinal * 7) % 150).into_bytes();
                    peer.set_expiry(&moving, Some((1 << 40) - ordinal as i64));
                    peer.sweep(swept);
                }
            }
            let visit = &mut |field: Element<'_>, _: Element<'_>| {
                seen.insert(field.to_vec());
            };
            cursor = peers[ordinal % 2].scan(cursor, count, visit);
            ordinal += 1;
            if cursor == 0 {
                break;
            }
        }
        let stays = |n: usize| format!("stays {n}").into_bytes();
        prop_assert!((0..150).all(|n| seen.contains(&stays(n))));
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
    assert_eq!(hash.last_due(), Some(1));
    hash.set(b"f", b"w");
    assert_eq!(
        (hash.encoding(), hash.expiring(), hash.next_due()),
        ("listpackex", 0, None)
    );
    assert_eq!(hash.last_due(), None);
}
