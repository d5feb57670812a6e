//! Packed structures: made of texts, mutated text by text, and held against the values they may stand for.

use crate::memory::peak_of;
use crate::rdb::{check_value, length};
use holdfast::random::Rng;
use holdfast::rdb::parts::{Blob, walk};
use holdfast::structure::listpack::Listpack;

/// A walk makes nothing but the reason of its fault.
const WALK_BYTES: usize = 1 << 10;
const BIG: usize = 254;
/// Most texts of a blob that is mutated text by text.
const TEXTS_MAX: usize = 300;

/// The type bytes under which a file may hold such a blob, without those that need more than it.
fn types(blob: Blob) -> &'static [u8] {
    match blob {
        Blob::Listpack => &[16, 17, 20, 23],
        Blob::Ziplist => &[10, 12, 13],
        Blob::Intset => &[11],
        Blob::Zipmap => &[9],
    }
}

/// Walks over a blob, and restores it as every type of value that it may be.
pub fn check(blob: Blob, bytes: &[u8]) {
    let mut texts = Vec::new();
    let sound = walk(blob, bytes, &mut |element| texts.push(element.to_vec())).is_ok();
    let (_, peak) = peak_of(|| walk(blob, bytes, &mut |_| {}));
    assert!(peak <= WALK_BYTES, "a walk held {peak} bytes");
    if blob == Blob::Listpack {
        // What is adopted as it is must be what would be written here: the reader takes more than that.
        if let Some(pack) = Listpack::from_bytes(bytes) {
            assert!(sound, "the reader takes all that is adopted");
            pack.verify();
            assert!(pack.iter().map(|element| element.to_vec()).eq(texts));
        }
    }
    let held = [&length(bytes.len()), bytes].concat();
    for rdb_type in types(blob) {
        let restored = check_value(&[&[*rdb_type], &held[..]].concat(), false);
        assert!(sound || !restored);
    }
    match blob {
        Blob::Listpack => drop(check_value(&[&[18, 1, 2], &held[..]].concat(), false)),
        Blob::Ziplist => drop(check_value(&[&[14, 1], &held[..]].concat(), false)),
        _ => {}
    }
}

/// A sound blob of these texts. An intset takes their first bytes for numbers.
pub fn pack(blob: Blob, texts: &[Vec<u8>]) -> Vec<u8> {
    match blob {
        Blob::Listpack => Listpack::from_elements(texts.iter().map(Vec::as_slice))
            .as_bytes()
            .to_vec(),
        Blob::Ziplist => ziplist(texts),
        Blob::Intset => intset(texts),
        Blob::Zipmap => zipmap(texts),
    }
}

/// A number as ziplists hold it, in the shortest form.
fn ziplist_int(n: i64) -> Vec<u8> {
    let bytes = n.to_le_bytes();
    match n {
        0..=12 => vec![0xf1 + n as u8],
        -128..=127 => vec![0xfe, bytes[0]],
        -32_768..=32_767 => [&[0xc0], &bytes[..2]].concat(),
        -8_388_608..=8_388_607 => [&[0xf0], &bytes[..3]].concat(),
        -2_147_483_648..=2_147_483_647 => [&[0xd0], &bytes[..4]].concat(),
        _ => [&[0xe0], &bytes[..]].concat(),
    }
}

fn ziplist(texts: &[Vec<u8>]) -> Vec<u8> {
    let (mut blob, mut before, mut tail) = (vec![0; 10], 0, 10);
    for text in texts {
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<i64>().ok());
        let content = match (number, text.len()) {
            (Some(n), _) if n.to_string().as_bytes() == &text[..] => ziplist_int(n),
            (_, short @ 0..64) => [&[short as u8], &text[..]].concat(),
            (_, medium @ 64..16_384) => [&[0x40 | (medium >> 8) as u8, medium as u8], &text[..]].concat(),
            (_, long) => [&[0x80], &(long as u32).to_be_bytes()[..], text].concat(),
        };
        tail = blob.len();
        match before {
            0..BIG => blob.push(before as u8),
            _ => blob.extend([&[0xfe], &(before as u32).to_le_bytes()[..]].concat()),
        }
        blob.extend(content);
        before = blob.len() - tail;
    }
    blob.push(0xff);
    let total = blob.len() as u32;
    blob[..4].copy_from_slice(&total.to_le_bytes());
    blob[4..8].copy_from_slice(&(tail as u32).to_le_bytes());
    blob[8..10].copy_from_slice(&(texts.len() as u16).to_le_bytes());
    blob
}

fn intset(texts: &[Vec<u8>]) -> Vec<u8> {
    let number = |text: &Vec<u8>| {
        text.iter()
            .take(8)
            .fold(0i64, |n, byte| n << 8 | i64::from(*byte))
    };
    let members: std::collections::BTreeSet<i64> = texts.iter().map(number).collect();
    let fits = |bits: u32| members.iter().all(|n| *n << (64 - bits) >> (64 - bits) == *n);
    let width = [2u32, 4, 8]
        .into_iter()
        .find(|width| fits(8 * width))
        .unwrap_or(8);
    let mut blob = [width.to_le_bytes(), (members.len() as u32).to_le_bytes()].concat();
    for member in members {
        blob.extend_from_slice(&member.to_le_bytes()[..width as usize]);
    }
    blob
}

fn zipmap(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut blob = vec![(texts.len() / 2).min(BIG) as u8];
    for (at, text) in texts[..texts.len() & !1].iter().enumerate() {
        match text.len() {
            0..BIG => blob.push(text.len() as u8),
            long => blob.extend([&[0xfe], &(long as u32).to_le_bytes()[..]].concat()),
        }
        let free = if at % 2 == 1 { text.len() % 3 } else { 0 };
        if at % 2 == 1 {
            blob.push(free as u8);
        }
        blob.extend_from_slice(text);
        blob.resize(blob.len() + free, 0);
    }
    blob.push(0xff);
    blob
}

/// Makes the size, the count and the end of a blob fit what is there.
fn mend(blob: Blob, bytes: &mut [u8]) {
    let total = (bytes.len() as u32).to_le_bytes();
    match (blob, bytes) {
        (Blob::Listpack | Blob::Ziplist, [a, b, c, d, .., end]) => {
            ([*a, *b, *c, *d], *end) = (total, 0xff);
        }
        (Blob::Zipmap, [count, .., end]) => (*count, *end) = (BIG as u8, 0xff),
        (Blob::Intset, bytes) if bytes.len() > 8 => {
            let width = [2, 4, 8][usize::from(bytes[0]) % 3];
            let count = (bytes.len() - 8) / width;
            bytes[..4].copy_from_slice(&(width as u32).to_le_bytes());
            bytes[4..8].copy_from_slice(&(count as u32).to_le_bytes());
        }
        _ => {}
    }
}

/// Mutates one of the texts of a sound blob: doubles, drops, or changes it.
fn mutate_text(texts: &mut Vec<Vec<u8>>, rng: &mut Rng) {
    let at = rng.below(texts.len());
    match rng.below(4) {
        0 => texts.insert(rng.below(at + 1), texts[at].clone()),
        1 => drop(texts.remove(at)),
        2 => texts.push(rng.next_u64().to_string().into_bytes()),
        _ => {
            let (size, room) = (texts[at].len(), 2 * texts[at].len() + 8);
            texts[at].resize(room, 0);
            let size = libfuzzer_sys::fuzzer_mutate(&mut texts[at], size, room);
            texts[at].truncate(size);
        }
    }
}

/// Mutates a blob: its bytes, its bytes with a header that fits, or its texts.
pub fn mutate(blob: Blob, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut rng = Rng::new(u64::from(seed));
    let mut texts = Vec::new();
    let sound = walk(blob, &data[..size], &mut |element| texts.push(element.to_vec())).is_ok();
    if sound && !texts.is_empty() && texts.len() < TEXTS_MAX && rng.below(2) == 0 {
        mutate_text(&mut texts, &mut rng);
        let packed = pack(blob, &texts);
        if packed.len() <= max_size {
            data[..packed.len()].copy_from_slice(&packed);
            return packed.len();
        }
    }
    let size = libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    if rng.below(4) > 0 {
        mend(blob, &mut data[..size]);
    }
    size
}
