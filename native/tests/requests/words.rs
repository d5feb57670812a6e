//! The words that templates ask for. Few keys and few texts, so that commands meet; lengths and counts around the limits
//! of the encodings.

use holdfast::random::Rng;

/// How long new entries of streams have the same milliseconds in their ids.
const SPAN_MS: i64 = 50_000;
/// Keys of each pool.
const KEYS: usize = 4;
const POOLS: [&str; 8] = ["string", "hash", "list", "set", "zset", "stream", "geo", "hll"];
const TEXTS: [&str; 14] = [
    "", "a", "b", "c", "foo", "bar", "1", "2", "3", "-1", "10", "007", "ü", "x y",
];
const INTEGERS: [&str; 12] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "100",
    "-32769",
    "32768",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "x",
];
const FLOATS: [&str; 12] = [
    "0", "-0", "1", "-1", "0.5", "3.25", "1e3", "-2.75", "inf", "-inf", "0.1", "1e17",
];

/// What a request may refer to.
pub struct Scene<'a> {
    /// The time that the request will run at, Unix milliseconds.
    pub now_ms: i64,
    /// The payload of a key, as `DUMP` gives it; something else if the key is not there.
    pub dump: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

fn pick<'a>(rng: &mut Rng, choices: &[&'a str]) -> &'a str {
    choices[rng.below(choices.len())]
}

fn number(value: impl ToString) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// A key of any pool.
pub fn any_key(rng: &mut Rng) -> Vec<u8> {
    key(pick(rng, &POOLS), rng)
}

fn key(pool: &str, rng: &mut Rng) -> Vec<u8> {
    format!("{pool}:{}", rng.below(KEYS)).into_bytes()
}

fn pool_key(pool: &str, rng: &mut Rng) -> Vec<u8> {
    if pool == "any" || rng.below(10) == 0 {
        any_key(rng)
    } else {
        key(pool, rng)
    }
}

/// Mostly short; sometimes any bytes, sometimes too long for a packed collection.
fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(24) {
        0 => (0..rng.below(6)).map(|_| rng.next_u64() as u8).collect(),
        1 => "long".repeat(10 + rng.below(20)).into_bytes(),
        2 => number(rng.next_u64() as i64 >> rng.below(60)),
        3..12 => number(rng.below(300)),
        _ => pick(rng, &TEXTS).into(),
    }
}

fn float(rng: &mut Rng) -> Vec<u8> {
    match rng.below(3) {
        0 => number(rng.below(2000) as f64 / 8.0 - 100.0),
        _ => pick(rng, &FLOATS).into(),
    }
}

fn bound(rng: &mut Rng) -> Vec<u8> {
    let mut bound = if rng.below(3) == 0 {
        b"(".to_vec()
    } else {
        Vec::new()
    };
    bound.extend(float(rng));
    bound
}

fn lex_bound(rng: &mut Rng) -> Vec<u8> {
    match rng.below(6) {
        0 => b"-".to_vec(),
        1 => b"+".to_vec(),
        n => [if n.is_multiple_of(2) { &b"["[..] } else { b"(" }, &text(rng)].concat(),
    }
}

/// The milliseconds of most ids: few enough that commands meet each other's entries.
fn begun_span(now_ms: i64) -> i64 {
    now_ms - now_ms % SPAN_MS
}

fn stream_id(rng: &mut Rng, now_ms: i64) -> Vec<u8> {
    match rng.below(4) {
        0 => number(rng.below(100)),
        1 => format!("{}-{}", rng.below(100), rng.below(4)).into_bytes(),
        _ => format!(
            "{}-{}",
            begun_span(now_ms) - SPAN_MS * rng.below(2) as i64,
            rng.below(5)
        )
        .into_bytes(),
    }
}

/// `count` and so many of what `make` gives.
fn counted(rng: &mut Rng, mut make: impl FnMut(&mut Rng) -> Vec<u8>) -> Vec<Vec<u8>> {
    let count = 1 + rng.below(3);
    let mut words = vec![number(count)];
    words.extend((0..count).map(|_| make(rng)));
    words
}

/// The word, or the words, of a kind.
pub fn word(kind: &str, pool: &str, rng: &mut Rng, scene: &Scene<'_>) -> Vec<Vec<u8>> {
    let now_ms = scene.now_ms;
    let one = match kind {
        "key" => pool_key(pool, rng),
        "any" => any_key(rng),
        "keys" => return counted(rng, |rng| pool_key(pool, rng)),
        "fields" => return counted(rng, |rng| pick(rng, &TEXTS).into()),
        "text" => text(rng),
        "int" => pick(rng, &INTEGERS).into(),
        "float" => float(rng),
        "bound" => bound(rng),
        "lex" => lex_bound(rng),
        "index" => number(rng.below(24) as i64 - 12),
        "count" => number(rng.below(12)),
        "many" => number(rng.below(400)),
        "bit" => number(rng.below(3000)),
        "ms" => number(1 + rng.below(4000)),
        "seconds" => number(1 + rng.below(5)),
        "at-ms" => number(now_ms + rng.below(4000) as i64 - 100),
        "at-seconds" => number(now_ms / 1000 + rng.below(5) as i64),
        "id" => stream_id(rng, now_ms),
        "new-id" => format!("{}-*", begun_span(now_ms)).into_bytes(),
        "group" => pick(rng, &["0", "0", "0", "1"]).into(),
        "consumer" => pick(rng, &["ann", "bob", "carl"]).into(),
        "longitude" => number(rng.below(3600) as f64 / 10.0 - 180.0),
        "latitude" => number(rng.below(1700) as f64 / 10.0 - 85.0),
        "payload" => (scene.dump)(&any_key(rng)),
        "pattern" => pick(rng, &["*", "[a-c]*", "*:1", "?", "[^x]"]).into(),
        _ => panic!("no words of the kind {kind}"),
    };
    vec![one]
}
