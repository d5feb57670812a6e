//! What every peer must do alike with the same entries.

use super::*;
use crate::keyspace::Keyspace;
use crate::keyspace::registry::{Registered, register};
use crate::resp::{encode_request, parse_request};

const NOW: i64 = 1_700_000_000_000;

fn request(words: &[&str]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    let mut bytes = Vec::new();
    encode_request(&words, &mut bytes);
    bytes
}

fn transaction(requests: &[&[&str]]) -> Vec<u8> {
    let all = [&[&["MULTI"][..]], requests, &[&["EXEC"][..]]].concat();
    all.iter().flat_map(|words| request(words)).collect()
}

fn place() -> Arc<Registered> {
    register(Keyspace::with_log_clock(0)).1
}

struct Log {
    replica: Replica,
    index: u64,
    stamp_ms: i64,
}

impl Log {
    fn new() -> Log {
        Log {
            replica: Replica::new(place()),
            index: 0,
            stamp_ms: NOW,
        }
    }

    /// Applies an entry with one run of a session, and gives what session 7 hears of it.
    fn run(&mut self, session: u64, first_seq: u64, requests: &[Vec<u8>]) -> String {
        self.run_acked(session, first_seq, first_seq, requests)
    }

    fn run_acked(&mut self, session: u64, first_seq: u64, lowest: u64, requests: &[Vec<u8>]) -> String {
        let requests: Vec<&[u8]> = requests.iter().map(Vec::as_slice).collect();
        let data = batch::write(
            self.stamp_ms,
            self.index,
            &[(session, first_seq, lowest, &requests)],
        );
        self.index += 1;
        let mut outcomes = Outcomes::default();
        self.replica.apply(self.index, &data, 7, &mut outcomes).unwrap();
        readable(outcomes)
    }

    fn open(&mut self, session: u64) {
        self.run(
            0,
            0,
            &[request(&["HOLDFAST.SESSION", "OPEN", &session.to_string()])],
        );
    }

    fn get(&self, key: &str) -> Reply {
        command::execute(
            &self.replica.place.keyspace,
            &[b"GET", key.as_bytes()],
            self.stamp_ms,
            0,
        )
        .unwrap()
    }
}

/// Outcomes as `kind:seq:reply`, one behind the other.
fn readable(outcomes: Outcomes) -> String {
    let bytes = outcomes.into_bytes();
    let mut parts = Vec::new();
    let mut rest = &bytes[..];
    while let [kind, head @ ..] = rest {
        let seq = u64::from_le_bytes(head[..8].try_into().unwrap());
        let length = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        let text = String::from_utf8_lossy(&head[12..12 + length])
            .trim_end()
            .replace("\r\n", " ");
        parts.push(format!("{kind}:{seq}:{text}"));
        rest = &head[12 + length..];
    }
    parts.join(" ")
}

#[test]
fn requests_take_effect_once_whatever_is_sent_again() {
    let mut log = Log::new();
    log.open(7);
    assert_eq!(
        log.run(7, 1, &[request(&["INCR", "n"]), request(&["INCR", "n"])]),
        "0:1::1 0:2::2"
    );
    assert_eq!(
        log.run(7, 1, &[request(&["INCR", "n"]), request(&["INCR", "n"])]),
        ""
    );
    assert_eq!(
        log.run(7, 2, &[request(&["INCR", "n"]), request(&["INCR", "n"])]),
        "0:3::3"
    );
    assert_eq!(log.get("n"), Reply::bulk(b"3"));
}

#[test]
fn requests_behind_a_gap_do_nothing() {
    let mut log = Log::new();
    log.open(7);
    assert_eq!(log.run(7, 2, &[request(&["SET", "k", "v"])]), "2:1:");
    assert_eq!(log.get("k"), Reply::Null);
    assert_eq!(
        log.run(7, 1, &[request(&["SET", "k", "1"]), request(&["SET", "k", "2"])]),
        "0:1:+OK 0:2:+OK"
    );
}

#[test]
fn an_unknown_session_is_told_so_and_nothing_runs() {
    let mut log = Log::new();
    assert_eq!(log.run(7, 1, &[request(&["SET", "k", "v"])]), "3:1:");
    assert_eq!(log.get("k"), Reply::Null);
}

#[test]
fn sessions_of_others_run_without_a_word() {
    let mut log = Log::new();
    log.open(8);
    assert_eq!(log.run(8, 1, &[request(&["SET", "k", "v"])]), "");
    assert_eq!(log.get("k"), Reply::bulk(b"v"));
}

#[test]
fn a_transaction_is_one_request() {
    let mut log = Log::new();
    log.open(7);
    let both = transaction(&[&["INCR", "a"], &["LPUSH", "a", "x"], &["INCR", "b"]]);
    let expected = "0:1:*3 :1 -WRONGTYPE Operation against a key holding the wrong kind of value :1";
    assert_eq!(log.run(7, 1, &[both]), expected);
    assert_eq!(log.run(7, 2, &[transaction(&[])]), "0:2:*0");
}

#[test]
fn the_clock_is_the_logs_and_never_runs_backwards() {
    let mut log = Log::new();
    log.open(7);
    log.run(7, 1, &[request(&["SET", "k", "v", "PX", "100"])]);
    log.stamp_ms = NOW - 1_000_000;
    assert_eq!(log.run(7, 2, &[request(&["PTTL", "k"])]), "0:2::100");
    log.stamp_ms = NOW + 99;
    assert_eq!(log.run(7, 3, &[request(&["EXISTS", "k"])]), "0:3::1");
    log.stamp_ms = NOW + 100;
    assert_eq!(log.run(7, 4, &[request(&["EXISTS", "k"])]), "0:4::0");
}

#[test]
fn a_session_that_is_silent_too_long_is_forgotten() {
    let mut log = Log::new();
    log.open(7);
    log.open(8);
    log.stamp_ms += IDLE_MS / 2;
    log.run(0, 0, &[request(&["HOLDFAST.SESSION", "TOUCH", "8"])]);
    log.stamp_ms += IDLE_MS / 2;
    assert_eq!(log.run(7, 1, &[request(&["SET", "k", "v"])]), "3:1:");
    log.run(8, 1, &[request(&["SET", "k", "8"])]);
    assert_eq!(log.get("k"), Reply::bulk(b"8"));
}

#[test]
fn replies_are_remembered_until_they_are_acknowledged() {
    let mut log = Log::new();
    log.open(7);
    let long = "x".repeat(2_000);
    log.run(
        7,
        1,
        &[
            request(&["SET", "k", &long]),
            request(&["GET", "k"]),
            request(&["INCR", "n"]),
        ],
    );
    let remembered = |log: &Log, from| {
        let mut outcomes = Outcomes::default();
        log.replica.remembered(7, from, &mut outcomes);
        readable(outcomes)
    };
    assert_eq!(remembered(&log, 1), "0:1:+OK 1:2: 0:3::1");
    assert_eq!(remembered(&log, 3), "0:3::1");
    log.run_acked(7, 4, 3, &[request(&["INCR", "n"])]);
    assert_eq!(remembered(&log, 1), "0:3::1 0:4::2");
}

#[test]
fn sessions_survive_a_snapshot() {
    let mut log = Log::new();
    log.open(7);
    log.open(9);
    log.run(
        7,
        1,
        &[request(&["SET", "k", &"x".repeat(2_000)]), request(&["GET", "k"])],
    );
    let saved = log.replica.save_sessions();
    let mut other = Replica::new(place());
    other.restore(log.index, log.replica.stamp_ms(), &saved).unwrap();
    assert_eq!(other.applied(), log.index);
    assert_eq!(other.save_sessions(), saved);
    let (mut a, mut b) = (Outcomes::default(), Outcomes::default());
    log.replica.remembered(7, 1, &mut a);
    other.remembered(7, 1, &mut b);
    assert_eq!(readable(a), readable(b));
    for end in 0..saved.len() {
        assert!(
            Replica::new(place()).restore(1, 0, &saved[..end]).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn what_cannot_be_read_changes_nothing() {
    let mut log = Log::new();
    log.open(7);
    let good = request(&["SET", "k", "v"]);
    let bad: [&[u8]; 4] = [
        b"",
        b"SET k v",
        b"*1\r\n$3\r\nGET",
        b"*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n",
    ];
    for request in bad {
        let data = batch::write(NOW, 1, &[(7, 1, 1, &[&good, request])]);
        let result = log
            .replica
            .apply(log.index + 1, &data, 7, &mut Outcomes::default());
        assert_eq!(result, Err(ApplyError::MalformedRequest));
    }
    let whole = batch::write(NOW, 1, &[(7, 1, 1, &[&good])]);
    for end in 0..whole.len() {
        let result = log
            .replica
            .apply(log.index + 1, &whole[..end], 7, &mut Outcomes::default());
        assert!(matches!(result, Err(ApplyError::Malformed(_))), "cut at {end}");
    }
    let result = log
        .replica
        .apply(log.index + 2, &whole, 7, &mut Outcomes::default());
    assert_eq!(
        result,
        Err(ApplyError::OutOfOrder {
            expected: log.index + 1,
            got: log.index + 2
        })
    );
    assert_eq!(log.get("k"), Reply::Null);
    assert_eq!(log.replica.applied(), log.index);
}

#[test]
fn random_choices_come_from_the_entry() {
    let build = || {
        let mut log = Log::new();
        log.open(7);
        let members: Vec<String> = (0..300).map(|n| format!("m{n}")).collect();
        let words: Vec<&str> = ["SADD", "s"]
            .into_iter()
            .chain(members.iter().map(String::as_str))
            .collect();
        log.run(7, 1, &[request(&words)]);
        log.run(
            7,
            2,
            &[request(&["SPOP", "s", "20"]), request(&["SRANDMEMBER", "s"])],
        )
    };
    assert_eq!(build(), build());
}

#[test]
fn requests_are_read_as_the_codec_reads_them() {
    let bytes = request(&["GET", "k"]);
    assert!(parse_request(&bytes).is_ok());
    assert!(matches!(Request::parse(&bytes), Some(Request::Command(words)) if words.len() == 2));
    assert!(Request::parse(&[bytes.clone(), bytes].concat()).is_none());
}
