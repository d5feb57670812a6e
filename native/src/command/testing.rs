//! A keyspace for tests of commands, on a clock that the test moves.

use super::execute;
use crate::keyspace::{Keyspace, Scope};
use crate::reply::Reply;
use crate::status::Status;
use crate::value::{HashValue, ListValue, SetValue, ZSetValue};
use std::cell::Cell;

/// After so many requests the invariants are checked only now and then: a check visits every key.
const VERIFIED_REQUESTS: u64 = 200;

/// See the module. The clock starts at one million milliseconds; the seed changes with every request.
pub struct TestDb {
    /// The keyspace under test.
    pub keyspace: Keyspace,
    now_ms: Cell<i64>,
    seed: Cell<u64>,
}

impl Default for TestDb {
    fn default() -> Self {
        TestDb::new()
    }
}

impl TestDb {
    /// An empty keyspace.
    pub fn new() -> TestDb {
        let now_ms = 1_000_000;
        TestDb {
            keyspace: Keyspace::with_log_clock(now_ms),
            now_ms: Cell::new(now_ms),
            seed: Cell::new(0),
        }
    }

    /// The reply of a request, [`Reply::Error`] if it was refused. Checks the keyspace's invariants afterwards.
    pub fn run(&self, words: &[&str]) -> Reply {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.run_bytes(&words)
    }

    /// As [`TestDb::run`], for words that are not text.
    pub fn run_bytes(&self, words: &[&[u8]]) -> Reply {
        self.seed.set(self.seed.get() + 1);
        let result = execute::execute(&self.keyspace, words, self.now_ms.get(), self.seed.get());
        if self.seed.get() < VERIFIED_REQUESTS || self.seed.get().is_multiple_of(VERIFIED_REQUESTS) {
            self.keyspace.verify();
        }
        result.unwrap_or_else(Reply::Error)
    }

    /// The refusal's text. Panics if the request was not refused.
    pub fn error(&self, words: &[&str]) -> String {
        match self.run(words) {
            Reply::Error(status) => status.text().into_owned(),
            reply => panic!("{words:?} gave {reply:?}"),
        }
    }

    /// The refusal. Panics if the request was not refused.
    pub fn status(&self, words: &[&str]) -> Status {
        match self.run(words) {
            Reply::Error(status) => status,
            reply => panic!("{words:?} gave {reply:?}"),
        }
    }

    /// The bulk, or the bulks of an array, as text; `(nil)` for null. Panics on any other reply.
    pub fn texts(&self, words: &[&str]) -> Vec<String> {
        flatten(self.run(words))
    }

    /// The integer. Panics on any other reply.
    pub fn int(&self, words: &[&str]) -> i64 {
        match self.run(words) {
            Reply::Int(n) => n,
            reply => panic!("{words:?} gave {reply:?}"),
        }
    }

    /// Puts a small collection of the type that `TYPE` calls so under `key`.
    pub fn put_collection(&self, kind: &str, key: &str) {
        let mut db = self.keyspace.db_for(key.as_bytes());
        let put = match kind {
            "hash" => db.upsert(key.as_bytes(), |hash: &mut HashValue| hash.set(b"f", b"v")),
            "list" => db
                .upsert(key.as_bytes(), |list: &mut ListValue| list.push_back(b"x"))
                .map(|()| true),
            "set" => db.upsert(key.as_bytes(), |set: &mut SetValue| set.add(b"1")),
            _ => db.upsert(key.as_bytes(), |zset: &mut ZSetValue| {
                zset.insert(1.0, b"m").is_none()
            }),
        };
        put.expect("another type is there");
    }

    /// Moves the clock.
    pub fn advance(&self, ms: i64) {
        self.now_ms.set(self.now_ms.get() + ms);
        self.keyspace.set_log_ms(self.now_ms.get());
    }

    /// Where the clock stands.
    pub fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }
}

/// The texts of a reply, nested ones in order.
pub fn flatten(reply: Reply) -> Vec<String> {
    match reply {
        Reply::Bulk(bytes) => vec![String::from_utf8(bytes).expect("text")],
        Reply::Simple(text) => vec![text.into()],
        Reply::Null | Reply::NullArray => vec!["(nil)".into()],
        Reply::Int(n) => vec![n.to_string()],
        Reply::Decimal(text) => vec![text],
        Reply::Double(value) => vec![super::number::format_double(value)],
        Reply::Array(items) | Reply::Set(items) => items.into_iter().flat_map(flatten).collect(),
        Reply::Map(pairs) | Reply::Pairs(pairs) | Reply::ByKey(pairs) => pairs
            .into_iter()
            .flat_map(|(key, value)| [key, value])
            .flat_map(flatten)
            .collect(),
        Reply::Error(status) => panic!("refused: {}", status.text()),
    }
}

fn split(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// As [`TestDb::run`], for words with single spaces between them.
pub fn run(db: &TestDb, line: &str) -> Reply {
    db.run(&split(line))
}

/// As [`TestDb::error`], for words with single spaces between them.
pub fn error(db: &TestDb, line: &str) -> String {
    db.error(&split(line))
}

/// As [`TestDb::int`], for words with single spaces between them.
pub fn int(db: &TestDb, line: &str) -> i64 {
    db.int(&split(line))
}

/// As [`TestDb::texts`], for words with single spaces between them.
pub fn texts(db: &TestDb, line: &str) -> Vec<String> {
    db.texts(&split(line))
}

/// As [`texts`], in one line with single spaces between them.
pub fn text(db: &TestDb, line: &str) -> String {
    texts(db, line).join(" ")
}

/// A keyspace on which these lines were run, none of which may be refused.
pub fn with(lines: &[&str]) -> TestDb {
    let db = TestDb::new();
    lines.iter().for_each(|line| drop(texts(&db, line)));
    db
}

/// What `OBJECT ENCODING` says of a key, if it is there.
pub fn encoding(db: &TestDb, key: &str) -> Option<&'static str> {
    let key = key.as_bytes();
    db.keyspace.db(Scope::Keys(&[key])).encoding(key)
}
