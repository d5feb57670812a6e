//! Hashes, packed and as a table, against vectors of fields with their values and when they expire.
//!
//! The order is the one that the hash promises, whatever expires and however its removal is divided, and a hash that is built
//! from all that a snapshot says of it has the same.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::value::HashValue;
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

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

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: Vec<u8>,
    value: Vec<u8>,
    expire_at: Option<i64>,
}

/// From so many hidden fields on, and with so few others, all that are hidden go at once.
const LEFT_BEHIND_MIN: usize = 4096;
const MOVED_MAX: usize = 256;

/// What a hash says that it does. In the packed form all fields are in `first`.
#[derive(Default)]
struct Model {
    is_table: bool,
    /// In order: the last field takes the place of one that goes.
    first: Vec<Field>,
    /// The fields of a table that have or had an expiry, in any order here.
    moved: Vec<Field>,
    /// What is due in a table and has still to be removed.
    hidden: BTreeSet<(i64, Vec<u8>)>,
    /// All up to this instant is hidden.
    horizon: i64,
}

impl Model {
    fn find(&mut self, name: &[u8]) -> Option<&mut Field> {
        let all = self.first.iter_mut().chain(&mut self.moved);
        all.into_iter().find(|field| field.name == name)
    }

    /// The visible fields in the order of the hash.
    fn fields(&self) -> Vec<Field> {
        let mut moved = self.moved.clone();
        moved.sort_by_key(|field| (field.expire_at.unwrap_or(i64::MAX), field.name.clone()));
        [self.first.clone(), moved].concat()
    }

    fn expiries(&self) -> impl Iterator<Item = i64> {
        let all = self.first.iter().chain(&self.moved);
        all.filter_map(|field| field.expire_at)
    }

    /// A packed hash may have become a table, which holds what expires apart.
    fn follow(&mut self, hash: &HashValue) {
        if !self.is_table && !hash.is_packed() {
            self.is_table = true;
            let all = std::mem::take(&mut self.first).into_iter();
            (self.moved, self.first) = all.partition(|field| field.expire_at.is_some());
        }
    }

    fn set(&mut self, hash: &mut HashValue, name: &[u8], value: &[u8], keeps_expiry: bool) {
        let is_new = match keeps_expiry {
            true => hash.set_value(name, value),
            false => hash.set(name, value),
        };
        let known = self.find(name);
        assert_eq!(is_new, known.is_none());
        match known {
            Some(field) => {
                field.value = value.to_vec();
                field.expire_at = field.expire_at.filter(|_| keeps_expiry);
            }
            None => self.first.push(Field {
                name: name.to_vec(),
                value: value.to_vec(),
                expire_at: None,
            }),
        }
        self.follow(hash);
    }

    fn remove(&mut self, name: &[u8]) -> bool {
        for part in [&mut self.first, &mut self.moved] {
            if let Some(at) = part.iter().position(|field| field.name == name) {
                part.swap_remove(at);
                return true;
            }
        }
        false
    }

    fn expire(&mut self, hash: &mut HashValue, name: &[u8], at_ms: Option<i64>) {
        let (is_table, horizon) = (self.is_table, self.horizon);
        // A clock that was set back makes nothing invisible that is given an instant now.
        let at_ms = at_ms.map(|ms| if is_table { ms.max(horizon + 1) } else { ms });
        let known = self.find(name);
        assert_eq!(hash.set_expiry(name, at_ms), known.is_some());
        let Some(field) = known else { return };
        field.expire_at = at_ms;
        let stands_first = self.first.iter().position(|field| field.name == name);
        if let Some(at) = stands_first.filter(|_| is_table && at_ms.is_some()) {
            let field = self.first.swap_remove(at);
            self.moved.push(field);
            self.hidden.retain(|(_, hidden)| hidden != name);
        }
    }

    /// Takes out what is due, the earliest first: of one instant the first in order, or in a table by name. A table hides
    /// all of it at once.
    fn remove_due(&mut self, now_ms: i64, limit: usize) -> usize {
        if self.is_table {
            self.hide(now_ms);
            let swept = limit.min(self.hidden.len());
            (0..swept).for_each(|_| drop(self.hidden.pop_first()));
            return swept;
        }
        for removed in 0..limit {
            let instants = self.first.iter().map(|field| field.expire_at).enumerate();
            let due = instants.filter_map(|(at, ms)| ms.filter(|&ms| ms <= now_ms).map(|ms| (ms, at)));
            let Some((_, first)) = due.min() else {
                return removed;
            };
            self.first.swap_remove(first);
        }
        limit
    }

    fn hide(&mut self, now_ms: i64) {
        if self
            .moved
            .iter()
            .filter_map(|field| field.expire_at)
            .min()
            .is_none_or(|ms| ms > now_ms)
        {
            return;
        }
        self.horizon = self.horizon.max(now_ms);
        let is_due = |field: &Field| field.expire_at.is_some_and(|ms| ms <= now_ms);
        let (due, rest) = std::mem::take(&mut self.moved).into_iter().partition(is_due);
        self.moved = rest;
        let due: Vec<Field> = due;
        let names = due
            .into_iter()
            .map(|field| (field.expire_at.unwrap_or(0), field.name));
        self.hidden.extend(names);
        if self.hidden.len() >= LEFT_BEHIND_MIN && self.moved.len() <= MOVED_MAX {
            self.hidden.clear();
        }
    }

    /// When the last field is due, if all are: those that are hidden count.
    fn last_due(&self) -> Option<i64> {
        let lasts = self
            .first
            .iter()
            .chain(&self.moved)
            .any(|field| field.expire_at.is_none());
        let hidden = self.hidden.iter().map(|(ms, _)| *ms);
        self.expiries().chain(hidden).max().filter(|_| !lasts)
    }
}

fn apply(hash: &mut HashValue, model: &mut Model, op: &Op) {
    match op {
        Op::Set(field, value) => model.set(hash, &field.0, &value.0, false),
        Op::SetRun(from, count) => {
            for n in 0..u16::from(*count) {
                let field = from.wrapping_add(n).to_string();
                model.set(hash, field.as_bytes(), b"v", false);
            }
        }
        Op::SetValue(field, value) => model.set(hash, &field.0, &value.0, true),
        Op::Remove(field) => assert_eq!(hash.remove(&field.0), model.remove(&field.0)),
        Op::Get(field) => {
            let there = model.find(&field.0);
            let found = hash.get(&field.0).map(|value| value.to_vec());
            assert_eq!(found.as_ref(), there.as_ref().map(|there| &there.value));
            assert_eq!(hash.expiry(&field.0), there.map(|there| there.expire_at));
        }
        Op::Expire(field, at_ms) => model.expire(hash, &field.0, at_ms.map(i64::from)),
        Op::ExpireNth(nth, at_ms) => {
            let fields = model.fields();
            if let Some(field) = fields.get(usize::from(*nth) % fields.len().max(1)) {
                model.expire(hash, &field.name, at_ms.map(i64::from));
            }
        }
        Op::ExpireAll(at_ms) => {
            for field in model.fields() {
                model.expire(hash, &field.name, Some(i64::from(*at_ms)));
            }
        }
        Op::RemoveDue(now_ms, limit) => {
            let (now_ms, limit) = (i64::from(*now_ms), usize::from(*limit));
            assert_eq!(hash.remove_due(now_ms, limit), model.remove_due(now_ms, limit));
        }
    }
}

fn check(hash: &HashValue, model: &Model) {
    hash.verify();
    assert_eq!(hash.len(), model.first.len() + model.moved.len());
    assert_eq!(hash.expiring(), model.expiries().count());
    assert_eq!(hash.next_due(), model.expiries().min());
    assert_eq!(hash.last_due(), model.last_due());
    assert_eq!(hash.has_hidden(), !model.hidden.is_empty());
}

fn held(hash: &HashValue) -> Vec<Field> {
    let fields = hash.iter_timed().map(|(name, value, expire_at)| Field {
        name: name.to_vec(),
        value: value.to_vec(),
        expire_at,
    });
    fields.collect()
}

/// What a snapshot brings to another peer.
fn rebuilt(hash: &HashValue) -> HashValue {
    let mut other = match hash.has_expiries() {
        true => HashValue::with_expiries(hash.is_packed()),
        false if hash.is_packed() => HashValue::packed(),
        false => HashValue::table(),
    };
    for (name, value, expire_at) in hash.iter_exact() {
        let name = name.to_vec();
        other.set(&name, &value.to_vec());
        if expire_at.is_some() {
            other.set_expiry(&name, expire_at);
        }
    }
    other
}

fn run(mut hash: HashValue, ops: &[Op]) {
    let mut model = Model {
        is_table: !hash.is_packed(),
        horizon: i64::MIN,
        ..Model::default()
    };
    for op in ops {
        apply(&mut hash, &mut model, op);
        check(&hash, &model);
    }
    assert_eq!(held(&hash), model.fields());
    let nth = (0..hash.len())
        .filter_map(|at| hash.nth(at))
        .map(|(name, _)| name.to_vec());
    assert_eq!(
        nth.collect::<Vec<_>>(),
        model
            .fields()
            .into_iter()
            .map(|field| field.name)
            .collect::<Vec<_>>()
    );
    let other = rebuilt(&hash);
    assert_eq!(held(&other), held(&hash));
    assert_eq!(other.is_packed(), hash.is_packed());
}

fuzz_target!(|ops: Vec<Op>| {
    run(HashValue::packed(), &ops);
    run(HashValue::table(), &ops);
    run(HashValue::with_expiries(true), &ops);
    run(HashValue::with_expiries(false), &ops);
});
