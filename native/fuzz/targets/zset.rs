//! Sorted sets, packed and as a tree, against a sorted vector.
#![no_main]

use arbitrary::Arbitrary;
use holdfast::value::ZSetValue;
use holdfast::value::zset::{Bounds, LexBound, ScoreBound};
use holdfast_fuzz::Text;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Insert(i8, Text),
    InsertAny(f64, Text),
    InsertRun(i16, u8),
    Remove(Text),
    RemoveRange(u8, u8),
    Rank(Text),
    Scores(f64, f64, bool, bool),
    Lex(Text, Text),
}

type Model = Vec<(f64, Vec<u8>)>;

fn insert(zset: &mut ZSetValue, model: &mut Model, score: f64, member: &[u8]) {
    if score.is_nan() {
        return;
    }
    let known = model.iter().position(|(_, known)| known == member);
    let old = known.map(|at| model.remove(at).0);
    assert_eq!(zset.insert(score, member), old);
    let before =
        |(other, text): &(f64, Vec<u8>)| *other < score || (*other == score && text.as_slice() < member);
    model.insert(model.partition_point(before), (score, member.to_vec()));
}

fn apply(zset: &mut ZSetValue, model: &mut Model, op: &Op) {
    match op {
        Op::Insert(score, member) => insert(zset, model, f64::from(*score), &member.0),
        Op::InsertAny(score, member) => insert(zset, model, *score, &member.0),
        Op::InsertRun(from, count) => {
            for n in 0..i16::from(*count) {
                let member = from.wrapping_add(n).to_string();
                insert(zset, model, f64::from(*from) + f64::from(n), member.as_bytes());
            }
        }
        Op::Remove(member) => {
            let known = model.iter().position(|(_, known)| *known == member.0);
            assert_eq!(zset.remove(&member.0), known.map(|at| model.remove(at).0));
        }
        Op::RemoveRange(start, count) => {
            let start = usize::from(*start).min(model.len());
            let end = (start + usize::from(*count)).min(model.len());
            assert_eq!(zset.remove_range(start..start + usize::from(*count)), end - start);
            model.drain(start..end);
        }
        Op::Rank(member) => {
            assert_eq!(
                zset.rank(&member.0),
                model.iter().position(|(_, known)| *known == member.0)
            );
        }
        Op::Scores(min, max, min_open, max_open) => {
            if min.is_nan() || max.is_nan() {
                return;
            }
            let bounds = Bounds::Score(
                ScoreBound {
                    score: *min,
                    open: *min_open,
                },
                ScoreBound {
                    score: *max,
                    open: *max_open,
                },
            );
            let inside = |(score, _): &&(f64, Vec<u8>)| {
                (score > min || (score == min && !min_open)) && (score < max || (score == max && !max_open))
            };
            assert_eq!(zset.count(&bounds), model.iter().filter(inside).count());
        }
        Op::Lex(min, max) => {
            let ranks = zset.ranks(&Bounds::Lex(LexBound::Closed(&min.0), LexBound::Open(&max.0)));
            assert_eq!(zset.range(ranks.clone()).count(), ranks.len());
        }
    }
}

fn run(mut zset: ZSetValue, ops: &[Op]) {
    let mut model = Model::new();
    for op in ops {
        apply(&mut zset, &mut model, op);
        zset.verify();
        assert_eq!(zset.len(), model.len());
    }
    let own: Vec<_> = zset
        .iter()
        .map(|(member, score)| (score, member.to_vec()))
        .collect();
    assert_eq!(own, model);
}

fuzz_target!(|ops: Vec<Op>| {
    run(ZSetValue::packed(), &ops);
    run(ZSetValue::tree(), &ops);
});
