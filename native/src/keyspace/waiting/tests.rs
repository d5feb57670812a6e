use super::{Bell, Kind, TicketId};
use crate::command::{execute_now, execute_transaction_now};
use crate::keyspace::Keyspace;
use crate::reply::Reply;
use std::sync::Arc;

fn run(keyspace: &Keyspace, line: &str) -> Reply {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    execute_now(keyspace, &words).unwrap_or_else(Reply::Error)
}

fn bell() -> Arc<Bell> {
    Bell::new().expect("sockets").0
}

/// A ticket whose owner has tried, and found nothing.
fn waits(keyspace: &Keyspace, kind: Kind, keys: &[&str], bell: &Arc<Bell>) -> TicketId {
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    let id = keyspace.enter(kind, &keys, b"", bell).expect("room");
    keyspace.begin_attempt(id, true);
    assert!(!keyspace.missed(id));
    id
}

fn tried(keyspace: &Keyspace, id: TicketId) -> Vec<usize> {
    keyspace.begin_attempt(id, false)
}

#[test]
fn as_many_are_called_as_there_is_to_take_in_order_of_arrival() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let ids: Vec<_> = (0..5)
        .map(|_| waits(&keyspace, Kind::List, &["q"], &bell))
        .collect();
    run(&keyspace, "RPUSH q a b");
    assert_eq!(bell.answer(), ids[..2]);
    run(&keyspace, "RPUSH q c");
    assert_eq!(bell.answer(), ids[2..3]);
    assert_eq!(
        tried(&keyspace, ids[1]),
        [0; 0],
        "the first one has not tried yet"
    );
    assert_eq!(tried(&keyspace, ids[0]), [0]);
    assert_eq!(tried(&keyspace, ids[1]), [0]);
    assert_eq!(tried(&keyspace, ids[4]), [0; 0], "there is nothing for the fifth");
}

#[test]
fn one_that_leaves_passes_its_turn_on() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let ids: Vec<_> = (0..3)
        .map(|_| waits(&keyspace, Kind::List, &["q"], &bell))
        .collect();
    run(&keyspace, "RPUSH q a");
    assert_eq!(bell.answer(), ids[..1]);
    keyspace.leave(ids[0]);
    assert_eq!(bell.answer(), ids[1..2]);
    assert_eq!(tried(&keyspace, ids[1]), [0]);
    run(&keyspace, "LPOP q");
    keyspace.leave(ids[1]);
    assert_eq!(bell.answer(), [0; 0], "nothing is left to take");
    keyspace.leave(ids[2]);
    assert_eq!(keyspace.tickets(), 0);
}

#[test]
fn what_happens_during_an_attempt_is_another_turn() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let id = waits(&keyspace, Kind::List, &["q"], &bell);
    run(&keyspace, "RPUSH q a");
    assert_eq!(bell.answer(), [id]);
    assert_eq!(tried(&keyspace, id), [0]);
    run(&keyspace, "DEL q");
    run(&keyspace, "RPUSH q b");
    assert_eq!(bell.answer(), [0; 0], "it is at work");
    assert!(keyspace.missed(id), "and has to look again");
    assert_eq!(tried(&keyspace, id), [0]);
    assert!(!keyspace.missed(id));
    run(&keyspace, "RPUSH q c");
    assert_eq!(bell.answer(), [id]);
}

#[test]
fn an_attempt_that_is_older_than_what_came_is_not_overtaken() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let first = keyspace.enter(Kind::List, &[b"q"], b"", &bell).expect("room");
    keyspace.begin_attempt(first, true);
    let second = waits(&keyspace, Kind::List, &["q"], &bell);
    run(&keyspace, "RPUSH q a b");
    assert_eq!(bell.answer(), [second]);
    assert_eq!(tried(&keyspace, second), [0; 0]);
    assert!(!keyspace.missed(second));
    assert!(keyspace.missed(first), "it may have found nothing");
    assert_eq!(tried(&keyspace, first), [0]);
    run(&keyspace, "LPOP q");
    keyspace.leave(first);
    assert_eq!(bell.answer(), [second]);
}

#[test]
fn tickets_of_another_thread_wait_until_those_before_them_have_left() {
    let keyspace = Keyspace::new();
    let (one, other) = (bell(), bell());
    let first = waits(&keyspace, Kind::List, &["q"], &one);
    let second = waits(&keyspace, Kind::List, &["q"], &other);
    run(&keyspace, "RPUSH q a b");
    assert_eq!((one.answer(), other.answer()), (vec![first], vec![]));
    assert_eq!(tried(&keyspace, first), [0]);
    assert_eq!(tried(&keyspace, second), [0; 0]);
    assert!(!keyspace.missed(second));
    run(&keyspace, "LPOP q");
    keyspace.leave(first);
    assert_eq!(other.answer(), [second]);
}

#[test]
fn tickets_that_ask_something_else_wait_until_those_before_them_have_left() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let ask = |asks: &[u8], keys: &[&[u8]]| {
        let id = keyspace.enter(Kind::List, keys, asks, &bell).expect("room");
        keyspace.begin_attempt(id, true);
        keyspace.missed(id);
        id
    };
    let q: &[&[u8]] = &[b"q"];
    let ids = [
        ask(b"left", q),
        ask(b"left", q),
        ask(b"right", q),
        ask(b"left", q),
    ];
    let wider = ask(b"left", &[b"q", b"p"]);
    run(&keyspace, "RPUSH q a b c d e");
    assert_eq!(bell.answer(), ids[..2]);
    assert_eq!(
        (tried(&keyspace, ids[0]), tried(&keyspace, ids[1])),
        (vec![0], vec![0])
    );
    assert_eq!(tried(&keyspace, ids[2]), [0; 0]);
    keyspace.missed(ids[2]);
    for (left, called) in [
        (ids[0], vec![]),
        (ids[1], vec![ids[2]]),
        (ids[2], vec![ids[3]]),
        (ids[3], vec![wider]),
    ] {
        run(&keyspace, "LPOP q");
        keyspace.leave(left);
        assert_eq!(bell.answer(), called);
    }
}

#[test]
fn what_an_attempt_brings_is_for_the_first_that_asks_the_same() {
    let keyspace = Keyspace::new();
    let (one, other) = (bell(), bell());
    let enter = |asks: &[u8], keys: &[&[u8]], bell| {
        let entered = keyspace.enter(Kind::List, keys, asks, bell);
        entered.expect("room")
    };
    let first = enter(b"left", &[b"q", b"p"], &one);
    let second = enter(b"left", &[b"q", b"p"], &one);
    assert_eq!(keyspace.first_alike(second), first);
    assert_eq!(keyspace.first_alike(first), first);
    let others = [
        enter(b"right", &[b"q", b"p"], &one),
        enter(b"left", &[b"p", b"q"], &one),
        enter(b"left", &[b"q"], &one),
        enter(b"left", &[b"q", b"p"], &other),
    ];
    for id in others {
        assert_eq!(keyspace.first_alike(id), id);
    }
    keyspace.leave(first);
    assert_eq!(keyspace.first_alike(second), second);
    assert_eq!(keyspace.first_alike(first), first, "it has left");
    let beside = enter(b"left", &[b"p"], &one);
    keyspace.leave(second);
    let [right, ..] = others;
    keyspace.leave(right);
    assert_eq!(keyspace.first_alike(beside), beside);
}

#[test]
fn only_tickets_that_fit_are_called() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let list = waits(&keyspace, Kind::List, &["k"], &bell);
    let zset = waits(&keyspace, Kind::ZSet, &["k"], &bell);
    run(&keyspace, "SET k v");
    run(&keyspace, "DEL k");
    run(&keyspace, "HSET k f v");
    run(&keyspace, "DEL k");
    assert_eq!(bell.answer(), [0; 0]);
    run(&keyspace, "ZADD k 1 m");
    assert_eq!(bell.answer(), [zset]);
    run(&keyspace, "DEL k");
    run(&keyspace, "LPUSH k v");
    assert_eq!(bell.answer(), [list]);
}

#[test]
fn every_way_in_which_a_key_appears_calls() {
    let ways = [
        "RENAME l q",
        "COPY l q",
        "LMOVE l q LEFT LEFT",
        "RPOPLPUSH l q",
        "RPUSH q v",
    ];
    for way in ways {
        let (keyspace, bell) = (Keyspace::new(), bell());
        run(&keyspace, "RPUSH l v");
        let id = waits(&keyspace, Kind::List, &["q"], &bell);
        assert!(!matches!(run(&keyspace, way), Reply::Error(_)), "{way}");
        assert_eq!(bell.answer(), [id], "{way}");
    }
    let (keyspace, bell) = (Keyspace::new(), bell());
    let id = waits(&keyspace, Kind::ZSet, &["q"], &bell);
    run(&keyspace, "ZADD z 1 m");
    run(&keyspace, "ZRANGESTORE q z 0 -1");
    assert_eq!(bell.answer(), [id]);
    let other = Keyspace::new();
    run(&other, "ZADD q 1 m");
    keyspace.begin_attempt(id, false);
    keyspace.missed(id);
    keyspace.replace_with(other);
    assert_eq!(
        bell.answer(),
        [id],
        "as when a snapshot takes the place of everything"
    );
}

#[test]
fn a_transaction_is_seen_when_it_is_over() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let id = waits(&keyspace, Kind::List, &["q"], &bell);
    let together: [&[&[u8]]; 2] = [&[b"RPUSH", b"q", b"a"], &[b"LPOP", b"q"]];
    execute_transaction_now(&keyspace, &together).expect("both fit");
    assert_eq!(bell.answer(), [0; 0]);
    let together: [&[&[u8]]; 2] = [&[b"RPUSH", b"q", b"a"], &[b"RPUSH", b"q", b"b"]];
    execute_transaction_now(&keyspace, &together).expect("both fit");
    assert_eq!(bell.answer(), [id]);
}

#[test]
fn a_ticket_of_several_keys_tries_those_where_it_is_its_turn() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let first = waits(&keyspace, Kind::List, &["b"], &bell);
    let second = waits(&keyspace, Kind::List, &["b", "a", "b"], &bell);
    run(&keyspace, "RPUSH a 1");
    run(&keyspace, "RPUSH b 1");
    assert_eq!(bell.answer(), [first, second]);
    assert_eq!(tried(&keyspace, second), [1]);
    assert_eq!(tried(&keyspace, first), [0]);
    keyspace.leave(second);
    keyspace.leave(first);
    assert_eq!(keyspace.tickets(), 0);
    assert!(!keyspace.waiting.any());
}

#[test]
fn the_first_attempt_is_made_unless_somebody_waits_already() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let first = keyspace.enter(Kind::List, &[b"q"], b"", &bell).expect("room");
    assert_eq!(
        keyspace.begin_attempt(first, true).len(),
        1,
        "a log may know more"
    );
    keyspace.missed(first);
    let second = keyspace.enter(Kind::List, &[b"q"], b"", &bell).expect("room");
    assert_eq!(keyspace.begin_attempt(second, true).len(), 0);
    run(&keyspace, "SET s v");
    let third = keyspace.enter(Kind::List, &[b"s"], b"", &bell).expect("room");
    assert_eq!(
        keyspace.begin_attempt(third, true).len(),
        1,
        "to be told of the type"
    );
}

#[test]
fn the_end_of_a_stream_calls_those_who_wait_for_a_group() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let group = waits(&keyspace, Kind::Group, &["s"], &bell);
    waits(&keyspace, Kind::Stream, &["s"], &bell);
    run(&keyspace, "SET s v PX 1");
    assert_eq!(bell.answer(), [group]);
    tried(&keyspace, group);
    keyspace.missed(group);
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(keyspace.reclaim(10), 1);
    assert_eq!(bell.answer(), [group]);
    tried(&keyspace, group);
    keyspace.missed(group);
    run(&keyspace, "FLUSHALL");
    assert_eq!(bell.answer(), [group]);
}

#[test]
fn a_new_entry_calls_all_who_read_a_stream() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let ids =
        [Kind::Stream, Kind::Group, Kind::Stream].map(|kind| waits(&keyspace, kind, &["t", "s"], &bell));
    run(&keyspace, "XGROUP CREATE s g $ MKSTREAM");
    assert_eq!(bell.answer(), ids);
    for id in ids {
        assert_eq!(tried(&keyspace, id), [0, 1]);
        assert!(!keyspace.missed(id));
    }
    assert_eq!(
        run(&keyspace, "XREADGROUP GROUP g c STREAMS s >"),
        Reply::NullArray
    );
    assert_eq!(bell.answer(), [0; 0], "who finds nothing calls nobody");
    run(&keyspace, "XADD s 1-0 f v");
    assert_eq!(bell.answer(), ids);
    for id in ids {
        tried(&keyspace, id);
        keyspace.missed(id);
    }
    run(&keyspace, "XGROUP DESTROY s g");
    assert_eq!(bell.answer(), ids);
}

#[test]
fn a_fault_calls_everyone() {
    let (keyspace, bell) = (Keyspace::new(), bell());
    let ids = [Kind::List, Kind::ZSet, Kind::Stream].map(|kind| waits(&keyspace, kind, &["k"], &bell));
    keyspace.set_faulted();
    assert_eq!(bell.answer(), ids);
}

#[test]
fn threads_that_push_and_take_lose_nothing() {
    const TAKERS: usize = 4;
    const EACH: usize = 2_000;
    let keyspace = Keyspace::new();
    let taken: usize = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..TAKERS)
            .map(|_| scope.spawn(|| take(&keyspace, EACH)))
            .collect();
        scope.spawn(|| (0..TAKERS * EACH).for_each(|i| drop(run(&keyspace, &format!("RPUSH q{} v", i % 3)))));
        takers
            .into_iter()
            .map(|taker| taker.join().expect("no panic"))
            .sum()
    });
    assert_eq!((taken, keyspace.tickets()), (TAKERS * EACH, 0));
}

/// Takes so many elements, each with a ticket of its own, as a thread with an event loop does.
fn take(keyspace: &Keyspace, elements: usize) -> usize {
    use std::io::Read;
    let (bell, mut heard) = Bell::new().expect("sockets");
    heard
        .set_read_timeout(Some(std::time::Duration::from_secs(10)))
        .expect("a timeout");
    let keys: [&[u8]; 3] = [b"q0", b"q1", b"q2"];
    for _ in 0..elements {
        let id = keyspace.enter(Kind::List, &keys, b"", &bell).expect("room");
        let mut first = true;
        loop {
            let tried = keyspace.begin_attempt(id, first);
            first = false;
            if tried
                .iter()
                .any(|&at| execute_now(keyspace, &[b"LPOP", keys[at]]) != Ok(Reply::Null))
            {
                break;
            }
            if keyspace.missed(id) {
                continue;
            }
            while !bell.answer().contains(&id) {
                assert!(heard.read(&mut [0; 64]).is_ok(), "a turn never came");
            }
        }
        keyspace.leave(id);
    }
    elements
}
