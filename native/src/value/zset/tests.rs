use super::*;
use proptest::prelude::*;

/// The model: members in a plain vector, sorted anew for every look.
#[derive(Clone, Default)]
struct Model(Vec<(f64, Vec<u8>)>);

impl Model {
    fn insert(&mut self, score: f64, member: &[u8]) -> Option<f64> {
        let score = score + 0.0;
        if let Some(pair) = self.0.iter_mut().find(|(_, m)| m == member) {
            let old = pair.0;
            if old != score {
                pair.0 = score;
            }
            self.sort();
            return Some(old);
        }
        self.0.push((score, member.to_vec()));
        self.sort();
        None
    }

    fn sort(&mut self) {
        self.0
            .sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap().then_with(|| a.1.cmp(&b.1)));
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let at = self.0.iter().position(|(_, m)| m == member)?;
        Some(self.0.remove(at).0)
    }

    fn check(&self, zset: &ZSetValue) {
        zset.verify();
        assert_eq!(zset.len(), self.0.len());
        let own = |(member, score): (Element<'_>, f64)| (score, member.to_vec());
        let bits = |(score, member): (f64, Vec<u8>)| (score.to_bits(), member);
        assert!(
            zset.iter()
                .map(own)
                .map(bits)
                .eq(self.0.iter().cloned().map(bits))
        );
        assert!(
            zset.iter_rev()
                .map(own)
                .map(bits)
                .eq(self.0.iter().rev().cloned().map(bits))
        );
        for (rank, (score, member)) in self.0.iter().enumerate() {
            assert_eq!(
                (zset.rank(member), zset.score(member)),
                (Some(rank), Some(*score))
            );
        }
    }
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0u8..40).prop_map(|n| n.to_string().into_bytes()),
        4 => "[a-c]{0,3}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    let special = [
        -0.0,
        0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        9.2e18,
        1e17,
        0.1,
    ];
    prop_oneof![
        5 => (-3i8..4).prop_map(f64::from),
        2 => any::<f64>().prop_filter("a number", |s| !s.is_nan()),
        1 => proptest::sample::select(special.to_vec()),
    ]
}

#[derive(Clone, Debug)]
enum Op {
    Insert(f64, Vec<u8>),
    Remove(Vec<u8>),
    RemoveRange(usize, usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (score(), member()).prop_map(|(s, m)| Op::Insert(s, m)),
        3 => member().prop_map(Op::Remove),
        1 => (0usize..40, 0usize..6).prop_map(|(a, n)| Op::RemoveRange(a, n)),
    ]
}

fn apply(zset: &mut ZSetValue, model: &mut Model, op: &Op) {
    match op {
        Op::Insert(score, member) => assert_eq!(zset.insert(*score, member), model.insert(*score, member)),
        Op::Remove(member) => assert_eq!(zset.remove(member), model.remove(member)),
        Op::RemoveRange(start, count) => {
            let end = (start + count).min(model.0.len());
            let expected = end.saturating_sub(*start);
            assert_eq!(zset.remove_range(*start..start + count), expected);
            if expected > 0 {
                model.0.drain(*start..end);
            }
        }
    }
}

fn run(mut zset: ZSetValue, encoding: &str, ops: &[Op]) {
    let mut model = Model::default();
    for op in ops {
        apply(&mut zset, &mut model, op);
        assert_eq!(zset.encoding(), encoding);
        model.check(&zset);
    }
}

fn filled(mut zset: ZSetValue, pairs: &[(f64, Vec<u8>)]) -> (ZSetValue, Model) {
    let mut model = Model::default();
    for (score, member) in pairs {
        zset.insert(*score, member);
        model.insert(*score, member);
    }
    (zset, model)
}

fn check_bounds(zset: &ZSetValue, model: &Model, bounds: Bounds<'_>, inside: impl Fn(f64, &[u8]) -> bool) {
    let ranks = zset.ranks(&bounds);
    assert_eq!(zset.count(&bounds), ranks.len());
    let found: Vec<_> = zset.range(ranks).map(|(m, s)| (s, m.to_vec())).collect();
    let expected: Vec<_> = model.0.iter().filter(|(s, m)| inside(*s, m)).cloned().collect();
    assert_eq!(found, expected);
}

fn lex(kind: u8, text: &[u8]) -> LexBound<'_> {
    match kind {
        0 => LexBound::Min,
        1 => LexBound::Max,
        2 => LexBound::Open(text),
        _ => LexBound::Closed(text),
    }
}

fn above_min(bound: LexBound<'_>, member: &[u8]) -> bool {
    match bound {
        LexBound::Min => true,
        LexBound::Max => false,
        LexBound::Closed(min) => member >= min,
        LexBound::Open(min) => member > min,
    }
}

fn below_max(bound: LexBound<'_>, member: &[u8]) -> bool {
    match bound {
        LexBound::Min => false,
        LexBound::Max => true,
        LexBound::Closed(max) => member <= max,
        LexBound::Open(max) => member < max,
    }
}

proptest! {
    #[test]
    fn packed_behaves_like_the_model(ops in proptest::collection::vec(op(), 1..80)) {
        run(ZSetValue::packed(), "listpack", &ops);
    }

    #[test]
    fn tree_behaves_like_the_model(ops in proptest::collection::vec(op(), 1..150)) {
        run(ZSetValue::tree(), "skiplist", &ops);
    }

    #[test]
    fn score_bounds(pairs in proptest::collection::vec((score(), member()), 0..60), a in score(), b in score(), open: (bool, bool)) {
        let min = ScoreBound { score: a, open: open.0 };
        let max = ScoreBound { score: b, open: open.1 };
        for zset in [ZSetValue::packed(), ZSetValue::tree()] {
            let (zset, model) = filled(zset, &pairs);
            check_bounds(&zset, &model, Bounds::Score(min, max), |score, _| {
                (score > a || (score == a && !open.0)) && (score < b || (score == b && !open.1))
            });
        }
    }

    #[test]
    fn lex_bounds(members in proptest::collection::vec(member(), 0..60), a in member(), b in member(), kinds in (0u8..6, 0u8..6)) {
        let pairs: Vec<_> = members.into_iter().map(|member| (1.0, member)).collect();
        let (min, max) = (lex(kinds.0, &a), lex(kinds.1, &b));
        for zset in [ZSetValue::packed(), ZSetValue::tree()] {
            let (zset, model) = filled(zset, &pairs);
            check_bounds(&zset, &model, Bounds::Lex(min, max), |_, member| {
                above_min(min, member) && below_max(max, member)
            });
        }
    }

    #[test]
    fn lex_bounds_over_different_scores_give_some_range(pairs in proptest::collection::vec((score(), member()), 0..60), a in member(), b in member()) {
        for zset in [ZSetValue::packed(), ZSetValue::tree()] {
            let (zset, _) = filled(zset, &pairs);
            let ranks = zset.ranks(&Bounds::Lex(LexBound::Closed(&a), LexBound::Open(&b)));
            prop_assert!(ranks.end <= zset.len().max(ranks.start));
            prop_assert_eq!(zset.range(ranks.clone()).count(), ranks.len());
        }
    }

    #[test]
    fn lex_bounds_over_different_scores_do_not_depend_on_how_a_tree_was_built(pairs in proptest::collection::vec((score(), member()), 100..400), a in member(), b in member()) {
        let (built, model) = filled(ZSetValue::tree(), &pairs);
        let (again, _) = filled(ZSetValue::tree(), &model.0);
        let bounds = Bounds::Lex(LexBound::Closed(&a), LexBound::Open(&b));
        prop_assert_eq!(built.ranks(&bounds), again.ranks(&bounds));
    }

    #[test]
    fn packed_is_restored_from_its_listpack(pairs in proptest::collection::vec((score(), member()), 0..60)) {
        let (zset, model) = filled(ZSetValue::packed(), &pairs);
        let restored = ZSetValue::from_pack(zset.as_pack().unwrap().clone()).unwrap();
        model.check(&restored);
    }

    #[test]
    fn a_scan_gives_what_stays(start in 1usize..200, changes in proptest::collection::vec((score(), member()), 0..100)) {
        let mut zset = ZSetValue::tree();
        for i in 0..start {
            zset.insert(1.0, format!("stays {i}").as_bytes());
        }
        let mut seen = std::collections::BTreeSet::new();
        let (mut cursor, mut changes) = (0, changes.into_iter());
        loop {
            cursor = zset.scan(cursor, 7, &mut |member, _| { seen.insert(member.to_vec()); });
            if cursor == 0 {
                break;
            }
            for (score, member) in changes.by_ref().take(3) {
                if zset.remove(&member).is_none() {
                    zset.insert(score, &member);
                }
            }
        }
        zset.verify();
        for i in 0..start {
            let name = format!("stays {i}");
            prop_assert!(seen.contains(name.as_bytes()));
        }
    }
}

#[test]
fn grows_into_a_tree_by_count() {
    let (mut zset, mut model) = (ZSetValue::default(), Model::default());
    for i in 0..crate::value::Limits::DEFAULT.zset_entries {
        zset.insert(1.5, i.to_string().as_bytes());
        model.insert(1.5, i.to_string().as_bytes());
    }
    assert_eq!(zset.encoding(), "listpack");
    assert_eq!(
        zset.insert(2.5, b"7"),
        Some(1.5),
        "a new score for an old member takes no place"
    );
    model.insert(2.5, b"7");
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(0.0, b"one too many");
    model.insert(0.0, b"one too many");
    assert_eq!(zset.encoding(), "skiplist");
    model.check(&zset);
}

#[test]
fn grows_into_a_tree_by_size() {
    let mut zset = ZSetValue::default();
    zset.insert(1.0, &[b'x'; 64]);
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(1.0, &[b'x'; 65]);
    assert_eq!(zset.encoding(), "skiplist");
    zset.verify();
}

#[test]
fn a_zero_has_no_sign() {
    for mut zset in [ZSetValue::packed(), ZSetValue::tree()] {
        zset.insert(-0.0, b"m");
        assert!(zset.score(b"m").is_some_and(f64::is_sign_positive));
        assert_eq!(zset.insert(-0.0, b"m"), Some(0.0));
        assert!(zset.score(b"m").is_some_and(f64::is_sign_positive));
    }
}

#[test]
fn an_update_may_leave_things_as_they_are() {
    for mut zset in [ZSetValue::packed(), ZSetValue::tree()] {
        assert_eq!(
            zset.update(b"m", |old| {
                assert_eq!(old, None);
                None
            }),
            None
        );
        assert!(zset.is_empty());
        zset.insert(1.5, b"m");
        assert_eq!(zset.update(b"m", |_| None), Some(1.5));
        assert_eq!(zset.update(b"m", |old| old.map(|score| score + 1.0)), Some(1.5));
        assert_eq!(zset.score(b"m"), Some(2.5));
        zset.verify();
    }
}

#[test]
fn packs_that_are_no_sorted_set() {
    let refused: [&[&[u8]]; 6] = [
        &[b"a"],
        &[b"a", b"x"],
        &[b"a", b"nan"],
        &[b"a", b"2", b"b", b"1"],
        &[b"b", b"1", b"a", b"1"],
        &[b"a", b"1", b"a", b"2"],
    ];
    for elements in refused {
        assert!(
            ZSetValue::from_pack(Listpack::from_elements(elements.iter().copied())).is_none(),
            "{elements:?}"
        );
    }
}

#[test]
fn memory_per_member_stays_small() {
    let mut zset = ZSetValue::default();
    for i in 0..100_000u32 {
        zset.insert(
            f64::from(i.wrapping_mul(2_654_435_761) >> 8),
            format!("user:{i:08}").as_bytes(),
        );
    }
    zset.verify();
    let per_member = zset.memory() / zset.len();
    assert!(per_member < 13 + 70, "{per_member} bytes");
    assert_eq!(zset.remove_range(10..100_000), 99_990);
    zset.verify();
    assert!(zset.memory() < 20_000, "{} bytes", zset.memory());
}
