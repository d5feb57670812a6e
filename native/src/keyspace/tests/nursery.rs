use super::*;
use crate::value::{Collection, SetValue};

fn key(i: usize) -> Vec<u8> {
    format!("key:{i}").into_bytes()
}

/// What nurseries for `expected` keys hold when they have got `keys` is what a keyspace holds.
fn agrees(parts: usize, expected: usize, keys: usize) {
    let (plain, target) = (Keyspace::with_log_clock(0), Keyspace::with_log_clock(0));
    let plan = target.plan_nurseries(parts, expected);
    let mut nurseries = plan.nurseries();
    for i in 0..keys {
        let (key, hash) = (key(i), hash_of(&key(i)));
        let expiry = if i % 3 == 0 {
            Expiry::At(5 + i as i64 / 4)
        } else {
            Expiry::Never
        };
        let nursery = &mut nurseries[plan.part_of(hash)];
        assert!(!nursery.contains(hash, &key));
        if i % 7 == 0 {
            let mut set = SetValue::default();
            set.add(&key);
            nursery.put_value(hash, &key, set.into_value(), expiry, None);
            let mut set = SetValue::default();
            set.add(&key);
            plain.db_for(&key).put(&key, set.into_value(), expiry);
        } else {
            nursery.put_string(hash, &key, b"value", expiry, Some(Usage::IdleSeconds(9)));
            plain.db_for(&key).put_string(&key, b"value", expiry);
        }
        assert!(nursery.contains(hash, &key));
    }
    target.replace_with_nurseries(nurseries);
    target.verify();
    assert_eq!(target.digest(), plain.digest());
    let (found, wanted) = (target.statistics(), plain.statistics());
    assert_eq!(
        (found.keys, found.expires, found.memory_by_type),
        (wanted.keys, wanted.expires, wanted.memory_by_type)
    );
    assert!(found.table_bytes <= 2 * wanted.table_bytes + (64 << 10) * parts);
    // Everything goes on as if nothing had been put together.
    (0..keys).step_by(2).for_each(|i| {
        assert!(target.db_for(&key(i)).remove(&key(i)));
        target
            .db_for(&key(i + keys))
            .put_string(&key(i + keys), b"new", Expiry::Never);
    });
    target.set_log_ms(20);
    target.reclaim(usize::MAX);
    target.verify();
}

#[test]
fn nurseries_become_what_a_keyspace_holds() {
    for parts in [1, 2, 3, 4] {
        for (expected, keys) in [
            (0, 0),
            (0, 50),
            (0, 150_000),
            (150_000, 150_000),
            (1_000_000, 10_000),
        ] {
            agrees(parts, expected, keys);
        }
    }
}

#[test]
fn the_use_of_a_key_is_remembered() {
    let target = Keyspace::with_log_clock(1_000_000);
    let mut nurseries = target.plan_nurseries(1, 1).nurseries();
    nurseries[0].put_string(
        hash_of(b"k"),
        b"k",
        b"v",
        Expiry::Never,
        Some(Usage::IdleSeconds(77)),
    );
    target.replace_with_nurseries(nurseries);
    assert_eq!(target.db_for(b"k").usage(b"k"), Some(Usage::IdleSeconds(77)));
}
