use super::{Group, StreamId, StreamValue, Trim};
use crate::random::Rng;
use crate::value::{Collection, Limits, Value};
use std::collections::BTreeMap;

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId { ms, seq }
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn append(stream: &mut StreamValue, id: StreamId, fields: &Fields) {
    let fields: Vec<_> = fields.iter().map(|(f, v)| (&f[..], &v[..])).collect();
    stream.log_mut().append(id, &fields);
}

fn listed(stream: &StreamValue, from: StreamId, to: StreamId) -> Vec<(StreamId, Fields)> {
    let entries = stream.log().range(from, to);
    entries
        .map(|entry| {
            let fields = entry.fields.map(|(f, v)| (f.to_vec(), v.to_vec())).collect();
            (entry.id, fields)
        })
        .collect()
}

fn draw_fields(rng: &mut Rng) -> Fields {
    let shapes: [&[&[u8]]; 4] = [&[b"a", b"b"], &[b"a"], &[b"7", b"a", b"a"], &[b""]];
    let draw = |name: &&[u8], rng: &mut Rng| {
        let value = match rng.below(5) {
            0 => rng.below(1_000_000).to_string().into_bytes(),
            1 => vec![b'x'; rng.below(300)],
            _ => vec![rng.below(256) as u8; rng.below(6)],
        };
        (name.to_vec(), value)
    };
    let shape = shapes[if rng.below(4) > 0 { 0 } else { rng.below(4) }];
    shape.iter().map(|name| draw(name, rng)).collect()
}

#[test]
fn entries_behave_as_a_plain_map() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let (mut stream, mut model) = (StreamValue::default(), BTreeMap::new());
        let mut last = StreamId::MIN;
        for step in 0..3000 {
            match rng.below(12) {
                0..7 => {
                    last = if rng.below(2) == 0 {
                        id(last.ms + rng.below(5000) as u64 + 1, rng.below(3) as u64)
                    } else {
                        last.next().unwrap()
                    };
                    let fields = draw_fields(&mut rng);
                    append(&mut stream, last, &fields);
                    model.insert(last, fields);
                }
                7..10 if !model.is_empty() => {
                    let nth = rng.below(model.len());
                    let doomed = *model.keys().nth(nth).unwrap();
                    assert!(stream.log_mut().delete(doomed) && !stream.log_mut().delete(doomed));
                    model.remove(&doomed);
                }
                10 if rng.below(20) == 0 => trim(&mut stream, &mut model, &mut rng),
                _ => check_range(&stream, &model, &mut rng),
            }
            if step % 100 == 0 {
                stream.verify();
                assert!(
                    listed(&stream, StreamId::MIN, StreamId::MAX)
                        .into_iter()
                        .eq(model.clone())
                );
            }
        }
        stream.verify();
        let copy = stream.clone();
        copy.verify();
        assert_eq!(listed(&copy, StreamId::MIN, StreamId::MAX).len(), model.len());
    }
}

fn trim(stream: &mut StreamValue, model: &mut BTreeMap<StreamId, Fields>, rng: &mut Rng) {
    let keep = rng.below(model.len() + 1);
    let from = model.keys().rev().nth(keep.saturating_sub(1)).copied();
    let from = from.filter(|_| keep > 0).unwrap_or(StreamId::MAX);
    let to = if rng.below(2) == 0 {
        Trim::Length(keep as u64)
    } else {
        Trim::From(from)
    };
    let gone = stream.log_mut().trim(to, false, 0).entries;
    assert_eq!(gone, model.len() - keep);
    *model = model.split_off(&from);
    stream.verify();
}

fn check_range(stream: &StreamValue, model: &BTreeMap<StreamId, Fields>, rng: &mut Rng) {
    let mut bound = || match model.keys().nth(rng.below(model.len() + 1)) {
        Some(&key) if rng.below(2) == 0 => key,
        Some(&key) => id(key.ms, key.seq + 1),
        None => StreamId::MAX,
    };
    let (a, b) = (bound(), bound());
    let (from, to) = (a.min(b), a.max(b));
    let expected: Vec<_> = model
        .range(from..=to)
        .map(|(id, fields)| (*id, fields.clone()))
        .collect();
    assert_eq!(listed(stream, from, to), expected);
    let back: Vec<_> = stream.log().range(from, to).rev().map(|entry| entry.id).collect();
    assert!(back.iter().rev().eq(expected.iter().map(|(id, _)| id)));
    assert_eq!(stream.log().contains(from), model.contains_key(&from));
    let (mut both, mut ids) = (stream.log().range(from, to), Vec::new());
    while let Some(entry) = if ids.len() % 2 == 0 {
        both.next()
    } else {
        both.next_back()
    } {
        ids.push(entry.id);
    }
    ids.sort_unstable();
    assert!(ids.iter().eq(expected.iter().map(|(id, _)| id)));
}

#[test]
fn nodes_fill_and_go_whole() {
    let mut stream = StreamValue::default();
    let fields = vec![(b"field".to_vec(), b"value".to_vec())];
    for ms in 1..=250 {
        append(&mut stream, id(ms, 0), &fields);
    }
    assert_eq!(stream.log().node_count(), 3);
    assert_eq!(
        stream.log_mut().trim(Trim::Length(120), true, 0).entries,
        Limits::DEFAULT.stream_node_entries
    );
    assert_eq!(stream.log_mut().trim(Trim::From(id(202, 0)), true, 99).entries, 0);
    assert_eq!(
        stream.log_mut().trim(Trim::From(id(202, 0)), true, 100).entries,
        100
    );
    assert_eq!((stream.length(), stream.log().first_id()), (50, id(201, 0)));
    stream.verify();
    let large = vec![(b"f".to_vec(), vec![b'x'; 5000])];
    append(&mut stream, id(251, 0), &large);
    append(&mut stream, id(252, 0), &fields);
    assert_eq!(stream.log().node_count(), 3);
    stream.verify();
}

#[test]
fn groups_behave_as_plain_maps() {
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let mut stream = StreamValue::default();
        assert!(stream.add_group(Group::new(b"g", StreamId::MIN, None)));
        assert!(!stream.add_group(Group::new(b"g", StreamId::MIN, Some(0))));
        let mut model: BTreeMap<StreamId, (Vec<u8>, i64)> = BTreeMap::new();
        for step in 0..2000 {
            let (entry, name) = (id(rng.below(300) as u64, 0), vec![b'a' + rng.below(5) as u8]);
            let action = rng.below(40);
            stream.edit_group(b"g", |_, group| match action {
                0 => {
                    let removed = group.remove_consumer(&name);
                    let owned = model.values().filter(|(owner, _)| *owner == name).count();
                    assert_eq!(removed.map_or(0, |removed| removed.pending_count()), owned);
                    model.retain(|_, (owner, _)| *owner != name);
                }
                1..25 => {
                    let (slot, _) = group.create_consumer(&name, step);
                    group.assign(entry, slot, step, 1);
                    model.insert(entry, (name, step));
                }
                _ => assert_eq!(group.release(entry), model.remove(&entry).is_some()),
            });
            stream.verify();
        }
        let group = stream.group(b"g").unwrap();
        let held: Vec<_> = group
            .pending_between(StreamId::MIN, StreamId::MAX)
            .map(|(id, pending)| {
                let owner = group.consumer(pending.consumer()).name().to_vec();
                (id, (owner, pending.delivered_at_ms))
            })
            .collect();
        assert!(held.into_iter().eq(model));
        stream.clone().verify();
        assert!(stream.remove_group(b"g").is_some() && stream.remove_group(b"g").is_none());
        stream.verify();
    }
}

#[test]
fn memory_follows_what_is_held() {
    let mut stream = StreamValue::default();
    let empty = stream.memory();
    let fields = vec![
        (b"temperature".to_vec(), b"20".to_vec()),
        (b"city".to_vec(), b"Turin".to_vec()),
    ];
    for ms in 1..=100_000 {
        append(&mut stream, id(ms, 0), &fields);
    }
    let per_entry = (stream.memory() - empty) as f64 / 100_000.0;
    assert!((15.0..22.0).contains(&per_entry), "{per_entry} bytes per entry");
    stream.log_mut().trim(Trim::Length(0), false, 0);
    assert!(stream.memory() < empty + 1000, "{}", stream.memory());
    assert!(!stream.is_empty(), "the key stays");
}

#[test]
fn a_value_with_a_stream_is_no_larger_than_others() {
    assert!(size_of::<Value>() < size_of::<StreamValue>());
}

#[test]
fn what_was_pending_for_a_removed_consumer_is_given_away_to_be_freed() {
    const ENTRIES: u64 = 20_000;
    // Every so many entries are another consumer's: none, a few, half, nearly all.
    for (mine, every) in [(ENTRIES, 0), (ENTRIES - 20, 1000), (ENTRIES / 2, 2), (20, 1000)] {
        let mut group = Group::new(b"g", StreamId::MIN, None);
        let (me, _) = group.create_consumer(b"me", 1);
        let (other, _) = group.create_consumer(b"other", 1);
        let empty = group.memory() + 100;
        for n in 0..ENTRIES {
            let marked = every > 0 && n % every == 0;
            let is_mine = marked == (mine == 20);
            group.assign(id(n, 0), if is_mine { me } else { other }, 5, 1);
        }
        let before = group.memory();
        let removed = group.remove_consumer(b"me").unwrap();
        group.verify();
        assert_eq!(removed.pending_count() as u64, mine);
        assert_eq!(group.pending_count() as u64, ENTRIES - mine);
        assert!(
            group
                .pending_between(StreamId::MIN, StreamId::MAX)
                .all(|(_, pending)| pending.consumer() == other)
        );
        if every == 0 {
            assert!(group.memory() < empty && removed.memory() > before - empty);
        }
    }
}
