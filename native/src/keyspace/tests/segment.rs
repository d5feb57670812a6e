use super::*;

fn key(i: u32) -> Vec<u8> {
    format!("key:{i}").into_bytes()
}

#[test]
fn pages_split_and_everything_stays_reachable() {
    let mut segment = Segment::default();
    for i in 0..20_000 {
        let expire_at = (i % 3 == 0).then_some(i64::from(i / 10));
        segment.insert(hash_of(&key(i)), Entry::string(&key(i), b"v", expire_at));
    }
    segment.verify();
    assert!(segment.pages.len() > 20);
    for i in (0..20_000).step_by(2) {
        assert!(segment.delete(hash_of(&key(i)), &key(i)).is_some());
    }
    segment.verify();
    assert_eq!(segment.len(), 10_000);
    let due = segment.due_count(500);
    assert_eq!(segment.reclaim(500, 1 << 20, drop), due);
    assert_eq!(segment.expired(), due as u64);
    segment.verify();
}

#[test]
fn churn_does_not_make_tables_grow() {
    let mut segment = Segment::default();
    let mut seed = 7u32;
    let mut draw = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        key(seed >> 12 & 2047)
    };
    for _ in 0..100_000 {
        let key = draw();
        if segment.delete(hash_of(&key), &key).is_none() {
            segment.insert(hash_of(&key), Entry::string(&key, b"", None));
        }
    }
    segment.verify();
    let room = |page: &Page| page.entries.capacity();
    assert!(segment.pages.iter().all(|page| room(page) <= PAGE_KEYS_MAX));
}

#[test]
fn positions_walk_every_entry_in_the_order_of_hashes() {
    let mut segment = Segment::default();
    let here = |hash: &u64| hash >> (64 - SEGMENT_BITS) == 7;
    let keys: Vec<_> = (0..400_000).map(key).filter(|key| here(&hash_of(key))).collect();
    for key in &keys {
        segment.insert(hash_of(key), Entry::string(key, b"", None));
    }
    let (mut position, mut seen, mut last) = (Some(7 << (64 - SEGMENT_BITS)), 0, 0);
    while let Some(at) = position {
        let (entries, next) = segment.page_from(at);
        for (hash, _) in entries {
            assert!(hash >= last);
            last = hash;
            seen += 1;
        }
        position = next;
    }
    assert_eq!(seen, keys.len());
}
