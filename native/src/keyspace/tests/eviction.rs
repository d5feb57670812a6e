//! What goes when memory is limited, and what does not.

use super::run;
use crate::command::execute;
use crate::keyspace::{Budget, Keyspace, MemoryLimit, Policy, Pressure, registry};
use crate::reply::Reply;
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

fn limited(bytes: usize, policy: Policy) -> Keyspace {
    let limit = MemoryLimit {
        bytes,
        policy,
        samples: 5,
    };
    Keyspace::new().with_budget(Budget::new(limit))
}

/// Sets keys until the limit has been passed well.
fn fill(keyspace: &Keyspace, keys: usize, option: &str) {
    for n in 0..keys {
        let value = "v".repeat(100);
        let reply = run(keyspace, &format!("SET key:{n} {value}{option}"));
        assert_eq!(reply, Reply::OK);
    }
}

fn used(keyspace: &Keyspace) -> usize {
    keyspace.statistics().memory()
}

#[test]
fn every_policy_that_evicts_keeps_the_limit() {
    for (name, policy) in Policy::ALL {
        assert_eq!(Policy::named(name.as_bytes()), Some(policy));
        if policy == Policy::NoEviction {
            continue;
        }
        let keyspace = limited(2 * MIB, policy);
        fill(&keyspace, 30_000, " EX 1000");
        assert!(
            used(&keyspace) < 2 * MIB + 64 * 1024,
            "{name}: {}",
            used(&keyspace)
        );
        let statistics = keyspace.statistics();
        assert!(statistics.keys > 5_000, "{name}: {}", statistics.keys);
        assert_eq!(statistics.evicted as usize, 30_000 - statistics.keys);
        keyspace.verify();
    }
    assert_eq!(Policy::named(b"allkeys"), None);
}

#[test]
fn without_eviction_what_needs_memory_is_refused_before_anything_changes() {
    let keyspace = limited(MIB, Policy::NoEviction);
    run(&keyspace, "SET counter 1");
    let value = "v".repeat(1000);
    let refused = (0..).find(|n| run(&keyspace, &format!("SET key:{n} {value}")) != Reply::OK);
    let keys = keyspace.statistics().keys;
    assert_eq!(keys, refused.expect("some time it is full") + 1);
    let refusals = [
        "SET key:0 x",
        "INCR counter",
        "LPUSH l a",
        "HSET h f v",
        "COPY key:0 key:new",
    ];
    for line in refusals {
        let Reply::Error(status) = run(&keyspace, line) else {
            panic!("{line} was not refused")
        };
        assert_eq!(
            status.text(),
            "OOM command not allowed when used memory > 'maxmemory'."
        );
    }
    let requests: [&[&[u8]]; 2] = [&[b"DEL", b"key:1"], &[b"INCR", b"counter"]];
    let refusal = crate::command::execute_transaction_now(&keyspace, &requests).unwrap_err();
    assert_eq!(
        refusal.text(),
        "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'."
    );
    assert_eq!(keyspace.statistics().keys, keys);
    assert_eq!(run(&keyspace, "GET counter"), Reply::bulk(b"1"));
    for n in 0..100 {
        assert_eq!(run(&keyspace, &format!("DEL key:{n}")), Reply::Int(1));
    }
    assert_eq!(run(&keyspace, "INCR counter"), Reply::Int(2));
    assert_eq!(keyspace.statistics().evicted, 0);
}

#[test]
fn only_subcommands_that_add_are_refused_when_full() {
    let keyspace = limited(2 * MIB, Policy::NoEviction);
    run(&keyspace, "XGROUP CREATE s g 0 MKSTREAM");
    let value = "v".repeat(1000);
    let full = (0..).find(|n| run(&keyspace, &format!("SET key:{n} {value}")) != Reply::OK);
    assert!(full.is_some());
    let answer = |line: &str| match run(&keyspace, line) {
        Reply::Error(status) => status.text().into_owned(),
        reply => format!("{reply:?}"),
    };
    const REFUSAL: &str = "OOM command not allowed when used memory > 'maxmemory'.";
    assert_eq!(answer("XGROUP CREATE s new $"), REFUSAL);
    assert_eq!(answer("xgroup createconsumer s g c"), REFUSAL);
    assert_eq!(
        answer("XGROUP CREATECONSUMER s g"),
        "ERR wrong number of arguments for 'xgroup|createconsumer' command"
    );
    assert_eq!(run(&keyspace, "XGROUP SETID s g 5"), Reply::OK);
    assert_eq!(run(&keyspace, "XGROUP DELCONSUMER s g c"), Reply::Int(0));
    let transaction: [&[&[u8]]; 1] = [&[b"XGROUP", b"CREATE", b"s", b"new", b"$"]];
    assert!(crate::command::execute_transaction_now(&keyspace, &transaction).is_err());
    assert_eq!(run(&keyspace, "XGROUP DESTROY s g"), Reply::Int(1));
}

#[test]
fn keys_without_an_expiry_stay_with_a_volatile_policy() {
    for policy in [
        Policy::VolatileLru,
        Policy::VolatileLfu,
        Policy::VolatileRandom,
        Policy::VolatileTtl,
    ] {
        let keyspace = limited(2 * MIB, policy);
        fill(&keyspace, 2_000, "");
        for n in 0..20_000 {
            let line = format!("SET volatile:{n} {} EX {}", "v".repeat(100), 100 + n);
            assert_eq!(run(&keyspace, &line), Reply::OK);
        }
        let kept = (0..2_000).filter(|n| run(&keyspace, &format!("EXISTS key:{n}")) == Reply::Int(1));
        assert_eq!(kept.count(), 2_000, "{policy:?}");
        let Reply::Error(_) = (0..)
            .map(|n| run(&keyspace, &format!("SET more:{n} {}", "v".repeat(1000))))
            .find(|reply| *reply != Reply::OK)
            .expect("nothing volatile is left some time")
        else {
            panic!("no refusal")
        };
    }
}

#[test]
fn what_was_used_lately_or_often_stays() {
    for policy in [Policy::AllKeysLru, Policy::AllKeysLfu] {
        let keyspace = Keyspace::with_log_clock(1_000_000).with_budget(Budget::new(MemoryLimit {
            bytes: 4 * MIB,
            policy,
            samples: 10,
        }));
        let set = |n: usize| {
            keyspace.make_room().expect("there is something to evict");
            let (key, value) = (format!("key:{n}"), "v".repeat(100));
            execute(
                &keyspace,
                &[b"SET", key.as_bytes(), value.as_bytes()],
                keyspace.now_ms(),
                1,
            )
        };
        (0..15_000).for_each(|n| drop(set(n)));
        keyspace.set_log_ms(1_100_000);
        for _ in 0..20 {
            for n in 0..3_000 {
                run(&keyspace, &format!("GET key:{n}"));
            }
        }
        keyspace.set_log_ms(1_200_000);
        for n in 15_000..25_000 {
            set(n).expect("there is something to evict");
        }
        let kept = (0..3_000).filter(|n| run(&keyspace, &format!("EXISTS key:{n}")) == Reply::Int(1));
        let kept = kept.count();
        assert!(kept > 2_700, "{policy:?} kept {kept} of 3000");
    }
}

#[test]
fn volatile_ttl_takes_what_expires_first() {
    let keyspace = limited(2 * MIB, Policy::VolatileTtl);
    for n in 0..20_000 {
        let seconds = if n % 2 == 0 { 100 } else { 100_000 };
        let line = format!("SET key:{n} {} EX {seconds}", "v".repeat(100));
        run(&keyspace, &line);
    }
    let left = (0..20_000).filter(|n| run(&keyspace, &format!("EXISTS key:{n}")) == Reply::Int(1));
    let (even, odd): (Vec<usize>, Vec<usize>) = left.partition(|n| n % 2 == 0);
    assert!(odd.len() > 9_900, "{} and {}", odd.len(), even.len());
}

#[test]
fn victims_of_a_log_are_named_and_stay_until_it_says_so() {
    let limit = MemoryLimit {
        bytes: 2 * MIB,
        policy: Policy::AllKeysLru,
        samples: 5,
    };
    let budget = Budget::new(limit);
    let (left, right) = (
        Keyspace::with_log_clock(1).with_budget(budget.share()),
        Keyspace::with_log_clock(1).with_budget(budget),
    );
    assert_eq!(left.choose_victims().1, Pressure::Fits);
    let value = "v".repeat(100);
    for n in 0..20_000 {
        let keyspace = if n % 4 == 0 { &left } else { &right };
        let key = format!("key:{n}");
        execute(keyspace, &[b"SET", key.as_bytes(), value.as_bytes()], 1, 1).expect("a log is not refused");
    }
    let keys = (left.statistics().keys, right.statistics().keys);
    for _ in 0..1000 {
        for keyspace in [&left, &right] {
            let (victims, pressure) = keyspace.choose_victims();
            assert_ne!(pressure, Pressure::Full);
            assert!(victims.iter().all(|key| keyspace.evict_named(key)));
        }
    }
    assert!(used(&left) + used(&right) < 2 * MIB + 64 * 1024);
    let gone = (keys.0 - left.statistics().keys, keys.1 - right.statistics().keys);
    assert!(gone.0 > 100 && gone.1 > 100, "{gone:?}");
}

#[test]
fn loading_and_flushing_are_known_to_the_budget() {
    let keyspace = limited(MIB, Policy::NoEviction);
    let other = Keyspace::new();
    fill(&other, 20_000, "");
    keyspace.replace_with(other);
    assert!(matches!(run(&keyspace, "SET k v"), Reply::Error(_)));
    assert_eq!(run(&keyspace, "FLUSHALL"), Reply::OK);
    assert_eq!(run(&keyspace, "SET k v"), Reply::OK);
}

#[test]
fn due_keys_go_without_anybody_asking() {
    let (id, place) = registry::register(Keyspace::new());
    fill(&place.keyspace, 20_000, " PX 50");
    run(&place.keyspace, "SET stays 1");
    let started = Instant::now();
    while place.keyspace.statistics().keys > 1 {
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(place.keyspace.statistics().expired, 20_000);
    registry::close(id);
}

#[test]
fn threads_that_evict_at_once_keep_the_limit_and_the_books() {
    let keyspace = limited(2 * MIB, Policy::AllKeysLru);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let keyspace = &keyspace;
            scope.spawn(move || {
                for n in 0..8_000 {
                    let line = format!("SET {thread}:{n} {}", "v".repeat(n % 300));
                    assert_eq!(run(keyspace, &line), Reply::OK);
                    run(keyspace, &format!("GET {}:{}", (thread + 1) % 3, n / 2));
                    if n % 3 == 0 {
                        run(keyspace, &format!("RPUSH list:{} {n}", n % 50));
                    }
                }
            });
        }
    });
    keyspace.verify();
    let known = keyspace.budget.as_ref().expect("it is limited").used();
    assert!(used(&keyspace).abs_diff(known) < 2 * MIB / 256 + 1);
    assert!(used(&keyspace) < 2 * MIB + 64 * 1024);
}
