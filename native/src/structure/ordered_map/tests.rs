use super::OrderedMap;
use crate::counting::live_bytes;
use crate::random::Rng;
use std::collections::BTreeMap;

fn equal(map: &OrderedMap<u64, u64>, model: &BTreeMap<u64, u64>) {
    map.verify();
    assert_eq!(map.len(), model.len());
    assert!(
        map.iter()
            .map(|(k, v)| (k, *v))
            .eq(model.iter().map(|(k, v)| (*k, *v)))
    );
    let back = map.iter().rev().map(|(k, v)| (k, *v));
    assert!(back.eq(model.iter().rev().map(|(k, v)| (*k, *v))));
}

#[test]
fn behaves_as_a_plain_map() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let (mut map, mut model) = (OrderedMap::default(), BTreeMap::new());
        let keys = [50, 400, 5000][seed as usize % 3];
        for step in 0..4000u64 {
            let key = rng.below(keys) as u64;
            match rng.below(if step < 2500 { 6 } else { 12 }) {
                0..4 => assert_eq!(map.insert(key, step), model.insert(key, step)),
                4 => {
                    let to = key + rng.below(keys) as u64 / 4;
                    let found: Vec<_> = map.range(&key, &to).map(|(k, _)| k).collect();
                    assert!(found.iter().copied().eq(model.range(key..=to).map(|(k, _)| *k)));
                    let back: Vec<_> = map.range(&key, &to).rev().map(|(k, _)| k).collect();
                    assert!(back.iter().rev().eq(&found));
                    let floor = model.range(..=key).next_back().map(|(k, _)| *k);
                    assert_eq!(map.floor(&key).map(|(k, _)| k), floor);
                }
                5 => assert_eq!(map.pop_first(), model.pop_first()),
                _ => assert_eq!(map.remove(&key), model.remove(&key)),
            }
            assert_eq!(map.get(&key), model.get(&key));
            assert_eq!(map.first().map(|(k, _)| k), model.keys().next().copied());
            assert_eq!(map.last().map(|(k, _)| k), model.keys().next_back().copied());
            if step % 50 == 0 {
                equal(&map, &model);
            }
        }
        equal(&map, &model);
        while let Some(entry) = map.pop_first() {
            assert_eq!(Some(entry), model.pop_first());
        }
        map.verify();
    }
}

#[test]
fn ascending_keys_fill_runs_and_removals_give_memory_back() {
    let mut map = OrderedMap::default();
    for key in 0..100_000u64 {
        map.insert(key, ());
    }
    assert!(map.memory() < 100_000 * 8 * 11 / 10 + 65_536, "{}", map.memory());
    for key in (0..100_000).filter(|key| key % 50 != 0) {
        map.remove(&key);
    }
    map.verify();
    assert!(map.memory() < 2_000 * 8 * 8, "{}", map.memory());
}

#[test]
fn a_range_the_wrong_way_round_is_empty() {
    let mut map = OrderedMap::default();
    for key in 0..200u64 {
        map.insert(key, ());
    }
    assert_eq!(
        map.range(&150, &20).count() + map.range(&150, &20).rev().count(),
        0
    );
    assert_eq!(map.range(&1000, &2000).count(), 0);
}

#[test]
fn frozen_entries_stay_what_they_were() {
    let (mut map, mut rng) = (OrderedMap::default(), Rng::new(9));
    let mut frozen: Vec<(OrderedMap<u64, u64>, BTreeMap<u64, u64>)> = Vec::new();
    let mut model = BTreeMap::new();
    for step in 0..40_000 {
        let key = rng.below(3000) as u64;
        match rng.below(6) {
            0 => assert_eq!(map.remove(&key), model.remove(&key)),
            1 if key.is_multiple_of(40) => assert_eq!(map.pop_first(), model.pop_first()),
            2 => assert_eq!(
                map.get_mut(&key).map(std::mem::take),
                model.get_mut(&key).map(std::mem::take)
            ),
            _ => assert_eq!(map.insert(key, step), model.insert(key, step)),
        }
        if step % 700 == 0 {
            frozen.push((map.freeze(), model.clone()));
            if frozen.len() > 3 {
                drop(frozen.swap_remove(rng.below(3)));
            }
            map.verify();
            frozen.iter().for_each(|(frozen, model)| equal(frozen, model));
        }
    }
    equal(&map, &model);
}

#[test]
fn every_byte_of_frozen_entries_is_accounted_once() {
    let mut map = OrderedMap::default();
    for n in 0..5000u64 {
        map.insert(n * 3, n);
    }
    let base = live_bytes() - map.memory() as isize;
    let frozen = map.freeze();
    for n in 0..3000 {
        map.insert(n * 5, n);
        map.remove(&(n * 4));
        let said = map.memory() + frozen.memory_alone();
        assert_eq!(said as isize, live_bytes() - base, "after {n} steps");
    }
    drop(frozen);
    assert_eq!(map.memory() as isize, live_bytes() - base);
}
