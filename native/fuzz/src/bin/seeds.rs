//! Writes inputs to begin with: `seeds FOLDER` makes `FOLDER/rdb`, `FOLDER/payload`, `FOLDER/commands` and `FOLDER/resp`
//! out of keyspaces that random requests have filled, so that every type and every form is among them.

#[path = "../../../tests/requests/mod.rs"]
mod requests;

use holdfast::command::{FAMILIES, execute};
use holdfast::keyspace::{Keyspace, SEGMENTS};
use holdfast::random::Rng;
use holdfast::rdb::{Snapshot, WriteOptions};
use holdfast::reply::Reply;
use holdfast::resp::{Protocol, encode_reply, encode_request};
use requests::{Request, Requests, Scene};
use std::fs;
use std::path::Path;

const KEYSPACES: u64 = 12;
const NOW_MS: i64 = 1_700_000_000_000;
/// Behind type and value of a payload.
const FOOTER_BYTES: usize = 10;
const CHECKSUM_BYTES: usize = 8;
const LINES: usize = 12;

fn ask(keyspace: &Keyspace, request: &[&[u8]]) -> Reply {
    execute(keyspace, request, NOW_MS, 1).unwrap_or_else(Reply::Error)
}

fn draw(requests: &Requests, rng: &mut Rng, keyspace: &Keyspace) -> Request {
    let dump = |key: &[u8]| match ask(keyspace, &[b"DUMP", key]) {
        Reply::Bulk(payload) => payload,
        _ => Vec::new(),
    };
    let scene = Scene {
        now_ms: NOW_MS,
        dump: &dump,
    };
    requests.make(rng.below(requests.rows.len()), rng, &scene)
}

fn write(folder: &Path, target: &str, name: &str, bytes: &[u8]) {
    let folder = folder.join(target);
    fs::create_dir_all(&folder).expect("the folder can be made");
    fs::write(folder.join(name), bytes).expect("the seed can be written");
}

fn file(keyspace: &Keyspace, options: WriteOptions) -> Vec<u8> {
    // Nothing for a version that cannot hold what is there.
    let mut bytes = Snapshot::whole(keyspace, options).unwrap_or_default();
    bytes.truncate(bytes.len().saturating_sub(CHECKSUM_BYTES));
    bytes
}

/// A line as the target `commands` reads it.
fn line(request: &[&[u8]]) -> Vec<u8> {
    let row = FAMILIES
        .iter()
        .copied()
        .flatten()
        .position(|spec| spec.name.as_bytes().eq_ignore_ascii_case(request[0]));
    let mut line = vec![row.unwrap_or_default() as u8];
    line.extend(request[1..].join(&b' '));
    line
}

fn main() {
    let folder = std::env::args().nth(1).expect("usage: seeds FOLDER");
    let (folder, requests) = (Path::new(&folder), Requests::new());
    for seed in 0..KEYSPACES {
        let (keyspace, mut rng) = (Keyspace::with_log_clock(NOW_MS), Rng::new(seed));
        let (mut lines, mut resp) = (Vec::new(), Vec::new());
        for n in 0..300 {
            let request = draw(&requests, &mut rng, &keyspace);
            let words: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
            let reply = ask(&keyspace, &words);
            lines.push(line(&words));
            resp.clear();
            encode_request(&words, &mut resp);
            write(folder, "resp", &format!("request-{seed}-{}", n % LINES), &resp);
            resp.clear();
            encode_reply(&reply, Protocol::Lossless, &mut resp);
            write(folder, "resp", &format!("reply-{seed}-{}", n % LINES), &resp);
        }
        for (n, some) in lines.chunks(LINES).enumerate() {
            write(folder, "commands", &format!("{seed}-{n}"), &some.join(&b'\n'));
        }
        for version in [9, 10, 11] {
            let options = WriteOptions {
                version,
                compress: seed % 2 == 0,
                exact: false,
                aux: Vec::new(),
            };
            write(
                folder,
                "rdb",
                &format!("{seed}-{version}"),
                &file(&keyspace, options),
            );
        }
        for segment in 0..SEGMENTS {
            let mut keys = Vec::new();
            keyspace.walk(segment, |key, _, _| keys.push(key.to_vec()));
            for key in keys {
                if let Reply::Bulk(payload) = ask(&keyspace, &[b"DUMP", &key]) {
                    let name = format!("{seed}-{}", String::from_utf8_lossy(&key).replace(':', "-"));
                    write(folder, "payload", &name, &payload[..payload.len() - FOOTER_BYTES]);
                }
            }
        }
    }
}
