//! How fast it is. `cargo test --release rdb::tests::speed -- --ignored --nocapture` prints it.

use super::writing::write;
use crate::keyspace::{Expiry, Keyspace, Scope};
use crate::random::Rng;
use crate::rdb::{Inspect, LoadOptions, Loader, Options, Reader, WriteOptions};
use crate::value::{HashValue, ListValue, Value, ZSetValue};

fn strings() -> Keyspace {
    let (keyspace, mut rng) = (Keyspace::with_log_clock(0), Rng::new(1));
    for i in 0..1_000_000 {
        let key = format!("key:{i}");
        let value: Vec<u8> = (0..100).map(|_| b' ' + rng.below(90) as u8).collect();
        keyspace
            .db_for(key.as_bytes())
            .put_string(key.as_bytes(), &value, Expiry::Never);
    }
    keyspace
}

fn mixed() -> Keyspace {
    let (keyspace, mut rng) = (Keyspace::with_log_clock(0), Rng::new(2));
    let put = |key: String, value: Value| {
        keyspace
            .db(Scope::Keys(&[key.as_bytes()]))
            .put(key.as_bytes(), value, Expiry::Never);
    };
    for i in 0..200_000 {
        let mut hash = HashValue::default();
        for field in 0..10 {
            hash.set(
                format!("field{field}").as_bytes(),
                format!("value:{}", rng.below(1 << 20)).as_bytes(),
            );
        }
        put(format!("hash:{i}"), Value::Hash(hash));
    }
    for i in 0..100 {
        let mut zset = ZSetValue::default();
        for _ in 0..10_000 {
            let member = format!("member:{}", rng.below(1 << 30));
            zset.insert(rng.below(1 << 20) as f64 / 4.0, member.as_bytes());
        }
        put(format!("zset:{i}"), Value::ZSet(zset));
    }
    for i in 0..100_000 {
        let mut list = ListValue::default();
        (0..20).for_each(|_| list.push_back(format!("element:{}", rng.below(1 << 20)).as_bytes()));
        put(format!("list:{i}"), Value::List(list));
    }
    keyspace
}

/// Seconds that this thread has had a processor: other work on the machine does not count.
fn processor_s() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn rate(bytes: usize, start_s: f64) -> f64 {
    bytes as f64 / 1e6 / (processor_s() - start_s)
}

#[test]
#[ignore = "measures; run it by name in release"]
fn speed() {
    for (name, keyspace) in [("strings", strings()), ("mixed", mixed())] {
        for compress in [true, false] {
            let start = processor_s();
            let bytes = write(
                &keyspace,
                WriteOptions {
                    compress,
                    ..Default::default()
                },
                1 << 20,
            );
            println!(
                "{name} compress={compress}: save {:.0} MB/s of {} bytes",
                rate(bytes.len(), start),
                bytes.len()
            );
            let start = processor_s();
            let mut reader = Reader::new(Options {
                refuse_duplicate_keys: false,
            });
            let mut loader = Loader::new(LoadOptions { db: None, now_ms: 0 });
            for piece in bytes.chunks(1 << 20) {
                reader.push(piece, &mut loader).expect("is sound");
            }
            let target = Keyspace::new();
            assert!(loader.commit(&target));
            println!(
                "{name} compress={compress}: load {:.0} MB/s",
                rate(bytes.len(), start)
            );
            let start = processor_s();
            let mut inspect = Inspect::new(0);
            Reader::default().push(&bytes, &mut inspect).expect("is sound");
            println!(
                "{name} compress={compress}: inspect {:.0} MB/s",
                rate(bytes.len(), start)
            );
        }
    }
}
