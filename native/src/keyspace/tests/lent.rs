use super::Lent;
use crate::command::execute;
use crate::keyspace::{Entry, EntryView, Keyspace, SEGMENTS};
use crate::random::Rng;
use crate::rdb::load::{LoadOptions, Loader};
use crate::rdb::write::Step;
use crate::rdb::{Options, Reader, Snapshot, WriteOptions};
use crate::reply::Reply;
use std::thread;

const NOW_MS: i64 = 1_700_000_000_000;

/// Writes between the slices: what is copied is what was there at first.
#[test]
fn slices_and_pages_make_up_what_was_there() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let first: Vec<u8> = (0..48 + rng.below(300)).map(|_| rng.next_u64() as u8).collect();
        let mut live = first.clone();
        let lent = Lent::of(&Entry::string(b"k", &first, None));
        let (mut copied, mut is_owned) = (Vec::new(), false);
        while copied.len() < first.len() {
            for _ in 0..rng.below(4) {
                let start = rng.below(live.len() + 20);
                let place = start..start + rng.below(60);
                if is_owned {
                    break;
                }
                lent.keep(&live, std::slice::from_ref(&place));
                live.resize(live.len().max(place.end), 0);
                live[place].fill(rng.next_u64() as u8);
            }
            if !is_owned && rng.below(20) == 0 {
                lent.own(Entry::string(b"k", &live, None));
                is_owned = true;
            }
            lent.copy_slice((!is_owned).then_some(&live), &mut copied);
        }
        assert_eq!(copied, first, "seed {seed}");
    }
}

fn run(keyspace: &Keyspace, words: &[&[u8]]) -> Reply {
    execute(keyspace, words, NOW_MS, 1).expect("the command is right")
}

fn held(keyspace: &Keyspace) -> Vec<(Vec<u8>, Vec<u8>, Option<i64>)> {
    let mut held = Vec::new();
    for segment in 0..SEGMENTS {
        keyspace.walk(segment, |key, view, expire_at| {
            let EntryView::Str(bytes) = view else { return };
            held.push((key.to_vec(), bytes.to_vec(), expire_at));
        });
    }
    held.sort();
    held
}

fn loaded(file: &[u8]) -> Keyspace {
    let keyspace = Keyspace::with_log_clock(NOW_MS);
    let options = LoadOptions {
        db: None,
        now_ms: NOW_MS,
    };
    let (mut reader, mut loader) = (
        Reader::new(Options::default()),
        Loader::for_keyspace(options, &keyspace),
    );
    reader.push(file, &mut loader).expect("the file is sound");
    assert!(loader.commit(&keyspace));
    keyspace
}

/// One of the ways in which a string changes or goes.
fn change(keyspace: &Keyspace, rng: &mut Rng) {
    let key = [b'a' + rng.below(4) as u8];
    let other = [b'a' + rng.below(4) as u8];
    let offset = rng.below(500).to_string();
    let text = vec![rng.next_u64() as u8; 1 + rng.below(90)];
    let long = vec![rng.next_u64() as u8; 100 + rng.below(400)];
    let words: &[&[u8]] = match rng.below(24) {
        0..6 => &[b"SETRANGE", &key, offset.as_bytes(), &text],
        6..10 => &[b"SETBIT", &key, offset.as_bytes(), b"1"],
        10..12 => &[
            b"BITFIELD",
            &key,
            b"SET",
            b"u16",
            offset.as_bytes(),
            b"77",
            b"INCRBY",
            b"i8",
            b"3",
            b"1",
        ],
        12..15 => &[b"APPEND", &key, &text],
        15..18 => &[b"SET", &key, &long],
        18 => &[b"DEL", &key],
        19 if rng.below(2) == 0 => &[b"FLUSHALL"],
        20 if matches!(run(keyspace, &[b"EXISTS", &key]), Reply::Int(1)) => &[b"RENAME", &key, &other],
        21 => &[b"BITOP", b"NOT", &key, &other],
        22 => &[b"PEXPIREAT", &key, b"1700000900000"],
        _ => &[b"PERSIST", &key],
    };
    run(keyspace, words);
}

fn options(rng: &mut Rng) -> WriteOptions {
    WriteOptions {
        version: 10,
        exact: false,
        compress: rng.below(2) == 0,
        aux: Vec::new(),
        chunk_bytes: 1 << (6 + rng.below(6)),
    }
}

fn read_all(snapshot: &Snapshot<&Keyspace>, mut between: impl FnMut()) -> Vec<u8> {
    let (mut file, mut buffer) = (Vec::new(), [0; 100]);
    loop {
        between();
        if snapshot.encode() == Step::Wait {
            thread::yield_now();
        }
        match snapshot.read(&mut buffer) {
            Some(count) => file.extend_from_slice(&buffer[..count]),
            None => return file,
        }
    }
}

#[test]
fn a_snapshot_shows_long_strings_as_they_were() {
    let keyspace = Keyspace::with_log_clock(NOW_MS);
    let mut rng = Rng::new(7);
    for round in 0..400 {
        (0..6).for_each(|_| change(&keyspace, &mut rng));
        let before = held(&keyspace);
        let options = options(&mut rng);
        let snapshot = Snapshot::take(vec![&keyspace], options).expect("one at a time");
        if rng.below(8) == 0 {
            snapshot.encode();
            (0..3).for_each(|_| change(&keyspace, &mut rng));
            continue;
        }
        let file = read_all(&snapshot, || {
            (0..rng.below(3)).for_each(|_| change(&keyspace, &mut rng));
        });
        keyspace.verify();
        assert_eq!(held(&loaded(&file)), before, "round {round}");
    }
}

/// Writers on threads of their own come between the slices.
#[test]
fn threads_write_into_long_strings_while_they_are_copied() {
    let keyspace = Keyspace::with_log_clock(NOW_MS);
    for round in 0..40u64 {
        for key in [b"a", b"b", b"c", b"d"] {
            let long: Vec<u8> = (0..20_000).map(|i| (i * 7 + round) as u8).collect();
            run(&keyspace, &[b"SET", key, &long]);
        }
        let before = held(&keyspace);
        let options = options(&mut Rng::new(round));
        let snapshot = Snapshot::take(vec![&keyspace], options).expect("one at a time");
        let file = thread::scope(|scope| {
            for seed in [1, 2] {
                let (keyspace, mut rng) = (&keyspace, Rng::new(round * 2 + seed));
                scope.spawn(move || (0..300).for_each(|_| change_far(keyspace, &mut rng)));
            }
            read_all(&snapshot, || {})
        });
        assert_eq!(held(&loaded(&file)), before, "round {round}");
        drop(snapshot);
    }
}

fn change_far(keyspace: &Keyspace, rng: &mut Rng) {
    let key = [b'a' + rng.below(4) as u8];
    let offset = rng.below(20_000).to_string();
    if rng.below(60) == 0 {
        change(keyspace, rng);
    } else {
        run(
            keyspace,
            &[b"SETRANGE", &key, offset.as_bytes(), b"something else"],
        );
    }
}
