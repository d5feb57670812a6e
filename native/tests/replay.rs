//! What makes replication safe: one log of commands, applied to two keyspaces, gives the same replies and the same state,
//! though one of them is saved and restored again and again, and the other frees its due keys at moments of its own.
//!
//! `HOLDFAST_SECONDS=60 cargo test --test replay` runs more seeds.

mod requests;

use holdfast::command::{execute, execute_transaction};
use holdfast::keyspace::{Keyspace, SEGMENTS};
use holdfast::random::Rng;
use holdfast::rdb::{LoadOptions, Loader, Options, Reader, Snapshot, WriteOptions};
use holdfast::reply::Reply;
use holdfast::resp::{Progress, Protocol, decode_reply, encode_reply};
use requests::{Request, Requests, Scene, printed};
use std::collections::HashSet;
use std::time::{Duration, Instant};

const BEGIN_MS: i64 = 1_700_000_000_000;
const STEPS: usize = 4000;
const SEEDS: u64 = 6;
const SEEDS_TO_REACH_ALL: u64 = 30;
/// Steps between two comparisons of everything.
const COMPARED_EVERY: usize = 200;
const STRING_ENCODINGS: [&[u8]; 3] = [b"int", b"embstr", b"raw"];
const SHRINK_TIMEOUT: Duration = Duration::from_secs(30);

/// One step of a log, and what only one of the two peers does beside it.
#[derive(Clone, Debug)]
enum Step {
    /// An entry of the log: a request, or a transaction of several.
    Apply {
        now_ms: i64,
        seed: u64,
        requests: Vec<Request>,
    },
    /// One peer starts again from an exact snapshot.
    Restore,
    /// The other frees up to so many keys that are due.
    Reclaim(usize),
}

fn reply_of(keyspace: &Keyspace, requests: &[Request], now_ms: i64, seed: u64) -> Reply {
    let words: Vec<Vec<&[u8]>> = requests
        .iter()
        .map(|request| request.iter().map(Vec::as_slice).collect())
        .collect();
    let lines: Vec<&[&[u8]]> = words.iter().map(Vec::as_slice).collect();
    let result = match lines[..] {
        [line] => execute(keyspace, line, now_ms, seed),
        _ => execute_transaction(keyspace, &lines, now_ms, seed),
    };
    result.unwrap_or_else(Reply::Error)
}

/// The same content in another keyspace, by way of the snapshot that a follower gets.
fn restored(keyspace: &Keyspace, now_ms: i64) -> Keyspace {
    let options = WriteOptions {
        exact: true,
        ..Default::default()
    };
    let snapshot = Snapshot::take(vec![keyspace], options).expect("nobody else takes one");
    let mut loader = Loader::new(LoadOptions { db: None, now_ms });
    let mut reader = Reader::new(Options {
        refuse_duplicate_keys: false,
    });
    while let Some(chunk) = snapshot.next_chunk() {
        reader.push(&chunk, &mut loader).expect("a snapshot can be read");
    }
    reader.finish().expect("a snapshot has an end");
    let fresh = Keyspace::with_log_clock(now_ms);
    assert!(loader.commit(&fresh), "a snapshot is complete");
    fresh
}

/// Key, encoding and content of everything visible, in the order of the keys. The content shows the order of the elements,
/// which no digest does.
fn contents(keyspace: &Keyspace, now_ms: i64) -> Vec<(Vec<u8>, Reply, Reply)> {
    let mut keys = Vec::new();
    for segment in 0..SEGMENTS {
        keyspace.walk(segment, |key, _, _| keys.push(key.to_vec()));
    }
    keys.sort_unstable();
    let ask = |words: &[&[u8]]| execute(keyspace, words, now_ms, 0).unwrap_or_else(Reply::Error);
    keys.into_iter()
        .map(|key| {
            let encoding = match ask(&[b"OBJECT", b"ENCODING", &key]) {
                // How a string came about is not kept, and decides nothing.
                Reply::Bulk(name) if STRING_ENCODINGS.contains(&&name[..]) => Reply::Null,
                name => name,
            };
            // In order; the payload of a set of integers also shows how wide it has ever been, which decides nothing.
            let content = match &encoding {
                Reply::Bulk(name) if name == b"intset" => ask(&[b"SMEMBERS", &key]),
                _ => ask(&[b"DUMP", &key]),
            };
            (key, encoding, content)
        })
        .collect()
}

fn compare(steady: &Keyspace, moved: &Keyspace, now_ms: i64) -> Result<(), String> {
    steady.verify();
    moved.verify();
    let (left, right) = (contents(steady, now_ms), contents(moved, now_ms));
    for (left, right) in left.iter().zip(&right) {
        if left != right {
            let key = String::from_utf8_lossy(&left.0);
            return Err(format!("{key} differs:\n  {left:?}\n  {right:?}"));
        }
    }
    if left.len() != right.len() || steady.digest() != moved.digest() {
        return Err(format!("states differ: {} and {} keys", left.len(), right.len()));
    }
    Ok(())
}

/// What a session remembers of a reply, and what a caller gets, are its bytes: they have to say the same again.
fn check_encoding(reply: &Reply) -> Result<(), String> {
    let bytes = |reply: &Reply| {
        let mut bytes = Vec::new();
        encode_reply(reply, Protocol::Lossless, &mut bytes);
        bytes
    };
    let encoded = bytes(reply);
    match decode_reply(&encoded) {
        Ok(Progress::Done(decoded, used)) if used == encoded.len() && bytes(&decoded) == encoded => Ok(()),
        other => Err(format!("a reply is lost on the way: {reply:?} became {other:?}")),
    }
}

/// Applies a log to both peers. The error tells what differed.
fn replay(steps: &[Step]) -> Result<(), String> {
    let steady = Keyspace::with_log_clock(BEGIN_MS);
    let mut moved = Keyspace::with_log_clock(BEGIN_MS);
    let mut clock = BEGIN_MS;
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Apply {
                now_ms,
                seed,
                requests,
            } => {
                clock = *now_ms;
                let replies = [&steady, &moved].map(|keyspace| {
                    keyspace.set_log_ms(clock);
                    reply_of(keyspace, requests, clock, *seed)
                });
                check_encoding(&replies[0])?;
                if replies[0] != replies[1] {
                    return Err(format!("replies differ:\n  {:?}\n  {:?}", replies[0], replies[1]));
                }
            }
            Step::Restore => {
                moved = restored(&moved, clock);
                compare(&steady, &moved, clock).map_err(|error| format!("after a restore, {error}"))?;
            }
            Step::Reclaim(limit) => drop(steady.reclaim(*limit)),
        }
        if at % COMPARED_EVERY == 0 || at + 1 == steps.len() {
            compare(&steady, &moved, clock)?;
        }
    }
    Ok(())
}

/// Makes a log. A keyspace of its own supplies the payloads for RESTORE.
fn log(requests: &Requests, seed: u64, steps: usize) -> Vec<Step> {
    let mut rng = Rng::new(seed);
    let keyspace = Keyspace::with_log_clock(BEGIN_MS);
    let mut now_ms = BEGIN_MS;
    let writes = requests.chosen(|spec| spec.write);
    let all = requests.chosen(|spec| spec.name != "keys");
    let mut log = Vec::new();
    while log.len() < steps {
        log.push(match rng.below(100) {
            0 => Step::Restore,
            1..4 => Step::Reclaim(1 + rng.below(20)),
            _ => {
                let leap = if rng.below(50) == 0 { 2000 } else { 20 };
                now_ms += rng.below(leap) as i64;
                keyspace.set_log_ms(now_ms);
                let dump = |key: &[u8]| match execute(&keyspace, &[b"DUMP", key], now_ms, 0) {
                    Ok(Reply::Bulk(payload)) => payload.to_vec(),
                    _ => b"nothing".to_vec(),
                };
                let scene = Scene { now_ms, dump: &dump };
                let made = match rng.below(12) {
                    0 => (0..2 + rng.below(4))
                        .map(|_| draw(requests, &all, &mut rng, &scene))
                        .collect(),
                    _ => vec![draw(requests, &writes, &mut rng, &scene)],
                };
                let seed = rng.next_u64();
                reply_of(&keyspace, &made, now_ms, seed);
                Step::Apply {
                    now_ms,
                    seed,
                    requests: made,
                }
            }
        });
    }
    log
}

/// A request of one of these rows; all keys are seldom flushed.
fn draw(requests: &Requests, rows: &[usize], rng: &mut Rng, scene: &Scene<'_>) -> Request {
    loop {
        let row = rows[rng.below(rows.len())];
        if !requests.rows[row].spec.name.starts_with("flush") || rng.below(20) == 0 {
            return requests.make(row, rng, scene);
        }
    }
}

/// Leaves out of a log what its difference does not need: halves first, then smaller parts.
fn shrunk(mut steps: Vec<Step>) -> Vec<Step> {
    let begin = Instant::now();
    let mut size = steps.len().div_ceil(2);
    while size > 0 {
        let mut from = steps.len();
        while from > 0 && begin.elapsed() < SHRINK_TIMEOUT {
            let to = from.min(steps.len());
            from = to.saturating_sub(size);
            let fewer = [&steps[..from], &steps[to..]].concat();
            if replay(&fewer).is_err() {
                steps = fewer;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    steps
}

fn told(steps: &[Step]) -> String {
    let lines = steps.iter().map(|step| match step {
        Step::Apply {
            now_ms,
            seed,
            requests,
        } => {
            let requests: Vec<String> = requests.iter().map(printed).collect();
            format!("  at {now_ms} with {seed}: {}", requests.join(" ; "))
        }
        other => format!("  {other:?}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn check(seed: u64, steps: Vec<Step>) {
    if let Err(error) = replay(&steps) {
        let few = shrunk(steps);
        let error = replay(&few).err().unwrap_or(error);
        panic!("seed {seed}: after {} steps, {error}\n{}", few.len(), told(&few));
    }
}

#[test]
fn every_command_that_writes_gives_the_same_state_on_a_restored_peer() {
    let requests = Requests::new();
    let seconds = std::env::var("HOLDFAST_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let first = std::env::var("HOLDFAST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    for seed in first.. {
        match end {
            Some(end) if Instant::now() > end => break,
            None if seed >= first + SEEDS => break,
            _ => check(seed, log(&requests, seed, STEPS)),
        }
    }
}

/// Adds the names of the commands that changed something in the course of a log.
fn changing(steps: Vec<Step>, names: &mut HashSet<String>) {
    let keyspace = Keyspace::with_log_clock(BEGIN_MS);
    for step in steps {
        let Step::Apply {
            now_ms,
            seed,
            requests,
        } = step
        else {
            continue;
        };
        keyspace.set_log_ms(now_ms);
        let before = keyspace.digest();
        reply_of(&keyspace, &requests, now_ms, seed);
        if let ([request], true) = (&requests[..], keyspace.digest() != before) {
            names.insert(String::from_utf8_lossy(&request[0]).to_ascii_lowercase());
        }
    }
}

#[test]
fn the_logs_reach_every_command_and_change_something_with_each() {
    let requests = Requests::new();
    let writes = requests.chosen(|spec| spec.write);
    let (mut changed, mut idle) = (HashSet::new(), Vec::new());
    for seed in 1..=SEEDS_TO_REACH_ALL {
        changing(log(&requests, seed, STEPS), &mut changed);
        let names = writes.iter().map(|&row| requests.rows[row].spec.name);
        idle = names.filter(|name| !changed.contains(*name)).collect();
        if idle.is_empty() {
            return;
        }
    }
    panic!("{idle:?} never changed anything: their templates have to be better");
}

#[test]
fn a_difference_is_noticed_and_made_small() {
    let apply = |now_ms, words: &[&str]| Step::Apply {
        now_ms,
        seed: 1,
        requests: vec![words.iter().map(|word| word.as_bytes().to_vec()).collect()],
    };
    let mut steps: Vec<Step> = (0..50)
        .map(|n| apply(BEGIN_MS + n, &["SET", "k", &n.to_string()]))
        .collect();
    // No entry of a log may run at an earlier time than the one before it: what was freed would be there again.
    steps.insert(20, apply(BEGIN_MS, &["SET", "due", "v", "PX", "5"]));
    steps.insert(30, Step::Reclaim(1));
    steps.push(apply(BEGIN_MS, &["GET", "due"]));
    assert!(replay(&steps).is_err());
    let few = shrunk(steps);
    assert!((3..=4).contains(&few.len()), "{}", told(&few));
}
