//! Writes inputs to begin with: `seeds FOLDER` makes a folder for each target that has any, out of keyspaces that random
//! requests have filled, so that every type and every form is among them, and of the small files of real servers where they
//! are at hand (in `HOLDFAST_RDB_FIXTURES`, or beside the checkout), sound and broken ones.

#[path = "../../../tests/requests/mod.rs"]
mod requests;

use holdfast::command::{FAMILIES, execute};
use holdfast::keyspace::{Keyspace, SEGMENTS};
use holdfast::random::Rng;
use holdfast::rdb::parts::Blob;
use holdfast::rdb::{Snapshot, WriteOptions};
use holdfast::reply::Reply;
use holdfast::resp::{Protocol, encode_reply, encode_request};
use holdfast_fuzz::blob::pack;
use holdfast_fuzz::rdb::length;
use requests::{Request, Requests, Scene};
use std::fs;
use std::path::{Path, PathBuf};

const KEYSPACES: u64 = 12;
const NOW_MS: i64 = 1_700_000_000_000;
/// Behind type and value of a payload.
const FOOTER_BYTES: usize = 10;
/// The targets that take whole files.
const FILE_TARGETS: [&str; 3] = ["rdb", "rdb_load", "rdb_workbench"];
/// Larger ones make a target slow, and say nothing that small ones cannot say.
const SEED_BYTES_MAX: usize = 1 << 10;
/// The words of streams' nodes.
const NODES: [&str; 3] = [
    "1 0 1 f 0 2 0 0 v 4",
    "2 1 2 a b 0 2 0 0 1 2 5 3 0 1 1 2 5 0 5 0 1 x y 6",
    "1 0 0 0 0 3 -1 2 f v g w 8",
];
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
    Snapshot::whole(keyspace, options).unwrap_or_default()
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
            write(
                folder,
                "cut",
                &format!("{seed}-{n}"),
                &with_snapshots(some, &mut rng),
            );
        }
        for segment in 0..SEGMENTS {
            let mut keys = Vec::new();
            keyspace.walk(segment, |key, _, _| keys.push(key.to_vec()));
            for key in keys {
                if let Reply::Bulk(payload) = ask(&keyspace, &[b"DUMP", &key]) {
                    value_seeds(folder, &format!("{seed}-{segment}"), &payload);
                }
            }
        }
    }
    blob_seeds(folder);
    fixture_seeds(folder);
}

/// Lines for the target `cut`: these, with snapshots and what else may happen between them.
fn with_snapshots(lines: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    const FIRST: u8 = 247;
    let mut all = Vec::new();
    for line in lines {
        all.push(line.clone());
        for _ in 0..rng.below(3) {
            let mut other = vec![FIRST + rng.below(9) as u8];
            other.extend((0..rng.below(12)).map(|_| b'a' + rng.below(5) as u8));
            all.push(other);
        }
    }
    all.join(&b'\n')
}

/// What a payload gives: itself if it is small, and a file of this one key in every version.
fn value_seeds(folder: &Path, name: &str, payload: &[u8]) {
    if payload.len() > SEED_BYTES_MAX {
        return;
    }
    write(folder, "payload", name, &payload[..payload.len() - FOOTER_BYTES]);
    for version in 9..=12 {
        let keyspace = Keyspace::with_log_clock(NOW_MS);
        ask(&keyspace, &[b"RESTORE", b"k", b"0", payload]);
        ask(&keyspace, &[b"PEXPIREAT", b"k", b"1800000000000"]);
        ask(&keyspace, &[b"SET", b"another", b"12"]);
        let options = WriteOptions {
            version,
            compress: version != 9,
            exact: version == 12,
            ..Default::default()
        };
        let bytes = file(&keyspace, options);
        for target in FILE_TARGETS {
            write(folder, target, &format!("{name}-{version}"), &bytes);
        }
    }
}

fn blob_seeds(folder: &Path) {
    let mut rng = Rng::new(77);
    let blobs = [Blob::Listpack, Blob::Ziplist, Blob::Intset, Blob::Zipmap];
    for n in 0..64 {
        let text = |rng: &mut Rng| match rng.below(4) {
            0 => (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes(),
            1 => vec![b'x'; [0, 1, 63, 64, 253, 254, 300][rng.below(7)]],
            _ => (0..rng.below(6)).map(|_| rng.below(256) as u8).collect(),
        };
        let texts: Vec<Vec<u8>> = (0..2 * (n % 9)).map(|_| text(&mut rng)).collect();
        let targets = ["rdb_listpack", "rdb_ziplist", "rdb_intset", "rdb_zipmap"];
        for (blob, target) in blobs.into_iter().zip(targets) {
            write(folder, target, &format!("{n}"), &pack(blob, &texts));
        }
        for text in texts {
            let held = [&length(text.len()), &text[..]].concat();
            write(folder, "rdb_cursor", &format!("{n}-{}", text.len()), &held);
            write(folder, "rdb_lzf", &format!("{n}-{}", text.len()), &text.repeat(3));
        }
    }
    let numbers: [&[u8]; 6] = [
        b"\x7f",
        b"\x7f\xff",
        b"\x80\0\x01\0\0",
        b"\x81\0\0\0\x01\0\0\0\0",
        b"\xc0\xf4",
        b"\xc3\x04\x04\0a\x20\0",
    ];
    for (n, number) in numbers.iter().enumerate() {
        write(folder, "rdb_cursor", &format!("number-{n}"), number);
    }
    let pieces = b"\x01\x05\x02\x40\x80\x03\0\0\x80\x3f\x04\0\0\0\0\0\0\xf8\x3f\x05\x02hi\x05\xc0\x07";
    write(folder, "rdb_module", "pieces", pieces);
    for (n, words) in NODES.iter().enumerate() {
        let texts: Vec<Vec<u8>> = words.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        write(
            folder,
            "rdb_stream",
            &format!("{n}"),
            &pack(Blob::Listpack, &texts),
        );
    }
}

/// The small files and payloads of real servers.
fn fixture_seeds(folder: &Path) {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/rdb");
    let root = std::env::var_os("HOLDFAST_RDB_FIXTURES").map_or(beside, PathBuf::from);
    let mut folders = vec![root];
    while let Some(at) = folders.pop() {
        for path in fs::read_dir(&at)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
        {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let extension = path.extension().and_then(|name| name.to_str());
            let (Some(extension @ ("rdb" | "dump")), Ok(bytes)) = (extension, fs::read(&path)) else {
                continue;
            };
            if bytes.len() > SEED_BYTES_MAX {
                continue;
            }
            let name = path.file_name().unwrap_or_default().display().to_string();
            if extension == "rdb" {
                for target in FILE_TARGETS {
                    write(folder, target, &name, &bytes);
                }
            } else if let Some(body) = bytes.len().checked_sub(FOOTER_BYTES) {
                write(folder, "payload", &name, &bytes[..body]);
            }
        }
    }
}
