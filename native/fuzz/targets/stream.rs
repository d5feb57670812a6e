//! Streams against plain maps: entries, what is deleted and trimmed, groups with their consumers and what is pending.
//! Small nodes, and nodes as they are by default; and frozen streams, which stay what they were.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::value::stream::{Group, StreamId, StreamValue, Trim};
use holdfast::value::{Collection, Limits, LimitsRef};
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, BTreeSet};

/// Runs of entries stop here, or a few bytes of input would take seconds.
const ENTRIES_MAX: usize = 600;

#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Append(Gap, Vec<(Text, Text)>),
    /// So many entries with the same fields.
    AppendRun(Gap, u8),
    Delete(Pick),
    /// What XSETID and files do.
    SetLastId(Gap),
    Trim(u16, bool, u8),
    TrimFrom(Pick, bool, u8),
    Range(Pick, Pick, u8),
    PassOn,
    AddGroup(u8, Pick),
    RemoveGroup(u8),
    Assign(u8, u8, Pick),
    Release(u8, Pick),
    RemoveConsumer(u8, u8),
    Freeze,
    /// Drops one of the frozen streams.
    Thaw(u8),
}

/// How far the next id is from the last.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Gap {
    Next,
    Seq(u8),
    Ms(u16, u8),
    Far(u32, u64),
}

/// An id: of an entry that is there, or near one, or any.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Pick {
    Nth(u16),
    Before(u16),
    Behind(u16),
    Any(u16, u8),
    Max,
}

impl Gap {
    fn after(self, last: StreamId) -> Option<StreamId> {
        let StreamId { ms, seq } = last;
        let later = |by: u64, seq| {
            Some(StreamId {
                ms: ms.checked_add(by)?,
                seq,
            })
        };
        match self {
            Gap::Next => last.next(),
            Gap::Seq(by) => Some(StreamId {
                ms,
                seq: seq.checked_add(1 + u64::from(by))?,
            }),
            Gap::Ms(by, seq) => later(1 + u64::from(by), u64::from(seq)),
            Gap::Far(by, seq) => later(1 + u64::from(by) * 1_000_000, seq),
        }
    }
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Clone, Default)]
struct GroupModel {
    /// By id: whose it is, and how often it was delivered.
    pending: BTreeMap<StreamId, (u8, u64)>,
    consumers: BTreeSet<u8>,
}

#[derive(Clone, Default)]
struct Model {
    entries: BTreeMap<StreamId, Fields>,
    last_id: StreamId,
    max_deleted_id: StreamId,
    added: u64,
    groups: BTreeMap<u8, GroupModel>,
}

impl Model {
    fn pick(&self, pick: Pick) -> StreamId {
        let nth = |n: u16| {
            let at = usize::from(n) % self.entries.len().max(1);
            self.entries.keys().nth(at).copied().unwrap_or(self.last_id)
        };
        match pick {
            Pick::Nth(n) => nth(n),
            Pick::Before(n) => nth(n).previous().unwrap_or(StreamId::MIN),
            Pick::Behind(n) => nth(n).next().unwrap_or(StreamId::MAX),
            Pick::Any(ms, seq) => StreamId {
                ms: ms.into(),
                seq: seq.into(),
            },
            Pick::Max => StreamId::MAX,
        }
    }

    fn first_id(&self) -> StreamId {
        self.entries.keys().next().copied().unwrap_or(StreamId::MIN)
    }
}

fn append(stream: &mut StreamValue, model: &mut Model, gap: Gap, fields: &Fields) {
    let Some(id) = gap.after(model.last_id) else {
        return;
    };
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| (&name[..], &value[..]))
        .collect();
    stream.log_mut().append(id, &pairs);
    model.entries.insert(id, fields.clone());
    model.last_id = id;
    model.added += 1;
}

fn trim(stream: &mut StreamValue, model: &mut Model, to: Trim, approximate: bool, limit: u64) {
    let wanted = match to {
        Trim::Length(length) => model.entries.len().saturating_sub(length as usize),
        Trim::From(id) => model.entries.range(..id).count(),
    };
    let trimmed = stream.log_mut().trim(to, approximate, limit);
    if approximate || limit > 0 {
        assert!(trimmed.entries <= wanted);
        assert!(limit == 0 || trimmed.entries as u64 <= limit || !approximate);
    } else {
        assert_eq!(trimmed.entries, wanted);
    }
    for _ in 0..trimmed.entries {
        model.entries.pop_first();
    }
}

fn check_range(stream: &StreamValue, model: &Model, from: StreamId, to: StreamId, turns: u8) {
    let (from, to) = (from.min(to), from.max(to));
    let mut expected: Vec<StreamId> = model.entries.range(from..=to).map(|(id, _)| *id).collect();
    let mut range = stream.log().range(from, to);
    // From both ends, in an order that the input gives.
    for turn in 0.. {
        let (own, plain) = if turns >> (turn % 8) & 1 == 0 {
            let plain = (!expected.is_empty()).then(|| expected.remove(0));
            (range.next(), plain)
        } else {
            (range.next_back(), expected.pop())
        };
        assert_eq!(own.map(|entry| entry.id), plain);
        if plain.is_none() {
            break;
        }
    }
    assert_eq!(stream.log().contains(from), model.entries.contains_key(&from));
}

fn apply_to_entries(stream: &mut StreamValue, model: &mut Model, op: &Op) {
    match op {
        Op::Append(gap, fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.0.clone(), value.0.clone()));
            append(stream, model, *gap, &fields.collect());
        }
        Op::AppendRun(gap, count) => {
            let fields = vec![
                (b"name".to_vec(), b"value".to_vec()),
                (b"n".to_vec(), b"12".to_vec()),
            ];
            let room = ENTRIES_MAX.saturating_sub(model.entries.len());
            (0..usize::from(*count).min(room)).for_each(|_| append(stream, model, *gap, &fields));
        }
        Op::Delete(pick) => {
            let id = model.pick(*pick);
            let there = model.entries.remove(&id).is_some();
            assert_eq!(stream.log_mut().delete(id), there);
            if there {
                model.max_deleted_id = model.max_deleted_id.max(id);
            }
        }
        Op::SetLastId(gap) => {
            // From the last live entry on: ids that were given to deleted ones may come again.
            let live = model.entries.keys().next_back().copied().unwrap_or(StreamId::MIN);
            model.last_id = gap.after(live).unwrap_or(live);
            model.added += 1;
            stream
                .log_mut()
                .set_counters(model.last_id, model.max_deleted_id, model.added);
        }
        Op::Trim(length, approximate, limit) => {
            let to = Trim::Length(u64::from(*length) % 256);
            trim(stream, model, to, *approximate, u64::from(*limit));
        }
        Op::TrimFrom(pick, approximate, limit) => {
            let to = Trim::From(model.pick(*pick));
            trim(stream, model, to, *approximate, u64::from(*limit));
        }
        Op::Range(from, to, turns) => {
            check_range(stream, model, model.pick(*from), model.pick(*to), *turns);
        }
        _ => apply_to_groups(stream, model, op),
    }
}

/// A copy, and a stream of the same nodes as a file gives them.
fn pass_on(stream: &mut StreamValue, model: &Model) {
    stream.clone().verify();
    let mut copy = StreamValue::default().limited(stream.limits());
    for (master, pack) in stream.log().nodes() {
        assert!(copy.log_mut().push_node(master, pack.clone()));
    }
    copy.log_mut()
        .set_counters(model.last_id, model.max_deleted_id, model.added);
    for group in stream.groups() {
        assert!(copy.add_group(group.clone()));
    }
    *stream = copy;
}

fn apply_to_groups(stream: &mut StreamValue, model: &mut Model, op: &Op) {
    match op {
        Op::PassOn => pass_on(stream, model),
        Op::AddGroup(name, pick) => {
            let (name, last_id) = (name % 4, model.pick(*pick));
            let is_new = !model.groups.contains_key(&name);
            assert_eq!(stream.add_group(Group::new(&[name], last_id, None)), is_new);
            model.groups.entry(name).or_default();
        }
        Op::RemoveGroup(name) => {
            let there = model.groups.remove(&(name % 4)).is_some();
            assert_eq!(stream.remove_group(&[name % 4]).is_some(), there);
        }
        Op::Assign(name, consumer, pick) => {
            let (consumer, id) = (consumer % 8, model.pick(*pick));
            let known = model.groups.get_mut(&(name % 4));
            let edited = stream.edit_group(&[name % 4], |_, group| {
                let (slot, _) = group.create_consumer(&[consumer], 1);
                let deliveries = group.pending(id).map_or(1, |pending| pending.deliveries + 1);
                group.assign(id, slot, 1, deliveries);
            });
            assert_eq!(edited.is_some(), known.is_some());
            if let Some(known) = known {
                known.consumers.insert(consumer);
                let pending = known.pending.entry(id).or_insert((consumer, 0));
                *pending = (consumer, pending.1 + 1);
            }
        }
        Op::Release(name, pick) => {
            let id = model.pick(*pick);
            let known = model.groups.get_mut(&(name % 4));
            let there = known.map(|known| known.pending.remove(&id).is_some());
            assert_eq!(
                stream.edit_group(&[name % 4], |_, group| group.release(id)),
                there
            );
        }
        Op::RemoveConsumer(name, consumer) => {
            let consumer = consumer % 8;
            let known = model.groups.get_mut(&(name % 4));
            let owned = known.map(|known| {
                let before = known.pending.len();
                known.pending.retain(|_, (owner, _)| *owner != consumer);
                let owned = before - known.pending.len();
                known.consumers.remove(&consumer).then_some(owned)
            });
            let removed = stream.edit_group(&[name % 4], |_, group| group.remove_consumer(&[consumer]));
            let removed = removed.map(|removed| removed.map(|removed| removed.pending_count()));
            assert_eq!(removed, owned);
        }
        Op::Freeze | Op::Thaw(_) => {}
        _ => unreachable!("the others change entries"),
    }
}

fn check(stream: &StreamValue, model: &Model) {
    stream.verify();
    let log = stream.log();
    assert_eq!(log.length(), model.entries.len());
    assert_eq!(log.first_id(), model.first_id());
    assert_eq!(log.last_id(), model.last_id);
    assert_eq!(log.max_deleted_id(), model.max_deleted_id);
    assert_eq!(log.entries_added(), model.added);
    assert_eq!(log.last_live_id(), model.entries.keys().next_back().copied());
    assert_eq!(stream.groups().len(), model.groups.len());
}

fn check_all(stream: &StreamValue, model: &Model) {
    let entries = stream.log().range(StreamId::MIN, StreamId::MAX).map(|entry| {
        let fields: Fields = entry
            .fields
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        (entry.id, fields)
    });
    assert!(entries.eq(model.entries.clone()));
    for (group, (name, known)) in stream.groups().iter().zip(&model.groups) {
        assert_eq!(group.name(), [*name]);
        let names = group.consumers().map(|(_, consumer)| consumer.name().to_vec());
        assert!(names.eq(known.consumers.iter().map(|consumer| vec![*consumer])));
        let pending = group
            .pending_between(StreamId::MIN, StreamId::MAX)
            .map(|(id, pending)| {
                let owner = group.consumer(pending.consumer()).name()[0];
                (id, (owner, pending.deliveries))
            });
        assert!(pending.eq(known.pending.clone()));
    }
}

/// Frozen streams at a time.
const FROZEN_MAX: usize = 2;

fn run(limits: Limits, ops: &[Op]) {
    let limits = LimitsRef::of(limits).expect("there are only two");
    let (mut stream, mut model) = (StreamValue::default().limited(limits), Model::default());
    let mut frozen: Vec<(StreamValue, Model)> = Vec::new();
    let check_frozen = |(frozen, model): (StreamValue, Model)| {
        check(&frozen, &model);
        check_all(&frozen, &model);
    };
    for op in ops {
        match op {
            Op::Freeze if frozen.len() < FROZEN_MAX => frozen.push((stream.freeze(), model.clone())),
            Op::Thaw(at) if !frozen.is_empty() => {
                check_frozen(frozen.swap_remove(usize::from(*at) % frozen.len()));
            }
            op => apply_to_entries(&mut stream, &mut model, op),
        }
        check(&stream, &model);
    }
    check_all(&stream, &model);
    frozen.into_iter().for_each(check_frozen);
}

fuzz_target!(|ops: Vec<Op>| {
    run(
        Limits {
            stream_node_bytes: 200,
            stream_node_entries: 5,
            ..Limits::DEFAULT
        },
        &ops,
    );
    run(Limits::DEFAULT, &ops);
});
