//! What the targets of the RDB format share.

use crate::memory::peak_of;
use holdfast::keyspace::EntryView;
use holdfast::rdb::event::{Event, Sink, StreamEvent};
use holdfast::rdb::json::Form;
use holdfast::rdb::load::Built;
use holdfast::rdb::parts::{EXPANSION_MAX, reseal};
use holdfast::rdb::payload::{dump, restore, seal};
use holdfast::rdb::{Checksum, Json, RdbError, Reader};
use holdfast::value::{Element, LimitsRef};

/// What a reader may hold whatever it reads.
const READER_BYTES: usize = 64 << 10;
/// What a reader may hold for each byte of input: a name that a compressed string grows to, twice, since it is kept to
/// notice when it comes again; else the fingerprints of the shortest keys.
const READER_BYTES_PER_BYTE: usize = 2 * EXPANSION_MAX as usize + 24;
/// What a value may hold for each of its facts and for each byte of them, besides the longest string in the payload.
const VALUE_BYTES_PER_FACT: usize = 512;
const VALUE_BYTES_PER_BYTE: usize = 4;
/// Files of up to so many bytes are read byte by byte too.
const SINGLE_BYTES_MAX: usize = 2000;
const FOOTER_BYTES: usize = 10;
const KEY_META: u8 = 0xf3;
const CHECKSUM_BYTES: usize = 8;

/// Hears everything and counts it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// Elements, members, fields, entries, groups, and so on.
    pub facts: usize,
    /// Bytes of them.
    pub bytes: usize,
}

fn size(element: Element<'_>) -> usize {
    match element {
        Element::Bytes(text) => text.len(),
        Element::Int(_) => 8,
    }
}

impl Sink for Meter {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        self.facts += 1;
        self.bytes += match event {
            Event::String(text) | Event::Element(text) | Event::Scored(text, _) => size(text),
            Event::Pair(field, value) | Event::ExpiringPair { field, value, .. } => size(field) + size(value),
            Event::Key(head) => head.key.len(),
            Event::Stream(StreamEvent::Group { name, .. } | StreamEvent::Consumer { name, .. }) => size(name),
            _ => 0,
        };
        Ok(())
    }
}

/// A sink in front of another: the values' bytes as well.
struct WithRaw<'a> {
    json: &'a mut Json,
    raw: Checksum,
    meter: Meter,
}

impl Sink for WithRaw<'_> {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        self.meter.event(event)?;
        self.json.event(event)
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.raw.update(bytes);
    }
}

/// All that a file says, up to its end or its first fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// Canonical JSON, cut at the fault.
    pub json: Vec<u8>,
    /// The checksum of the values' bytes.
    pub raw: u64,
    /// What was counted.
    pub meter: Meter,
    /// How many bytes belong to the file.
    pub end: Result<usize, RdbError>,
}

/// Reads a file whose pieces have these sizes, in turn.
pub fn said(file: &[u8], sizes: &[usize]) -> Said {
    let (mut reader, mut json, mut out) = (Reader::default(), Json::new(Form::Canonical), Vec::new());
    let mut sink = WithRaw {
        json: &mut json,
        raw: Checksum::default(),
        meter: Meter::default(),
    };
    let (mut rest, mut read, mut end) = (file, 0, Ok(()));
    for size in sizes.iter().cycle() {
        if rest.is_empty() || reader.is_done() {
            break;
        }
        let (piece, behind) = rest.split_at((*size).clamp(1, rest.len()));
        match reader.push(piece, &mut sink) {
            Ok(taken) => read += taken,
            Err(error) => {
                end = Err(error);
                break;
            }
        }
        rest = behind;
    }
    let (raw, meter) = (sink.raw.value(), sink.meter);
    let end = end.and_then(|()| reader.finish()).map(|()| read);
    loop {
        let piece = json.take();
        if piece.is_empty() {
            break;
        }
        out.extend(piece);
    }
    Said {
        json: out,
        raw,
        meter,
        end,
    }
}

/// Reads a file and looks at what that costs. What the file says, if it is sound.
pub fn measured(file: &[u8]) -> (Meter, bool) {
    let ((meter, sound), peak) = peak_of(|| {
        let (mut reader, mut meter) = (Reader::default(), Meter::default());
        let sound = reader.push(file, &mut meter).is_ok() && reader.finish().is_ok();
        (meter, sound)
    });
    let limit = READER_BYTES + READER_BYTES_PER_BYTE * file.len();
    assert!(peak <= limit, "{peak} bytes for a file of {}", file.len());
    (meter, sound)
}

/// Sizes of pieces that depend on the file alone.
fn sizes(file: &[u8]) -> [usize; 7] {
    let noise = Checksum::of(file).to_be_bytes();
    std::array::from_fn(|i| 1 + usize::from(noise[i]) % if noise[7] < 128 { 5 } else { 200 })
}

/// Reads a file in every way: it says the same however it is cut, or is refused for the same reason at the same place.
pub fn check_file(file: &[u8]) -> Said {
    let whole = said(file, &[usize::MAX]);
    assert_eq!(whole, said(file, &sizes(file)), "pieces make no difference");
    if file.len() < SINGLE_BYTES_MAX {
        assert_eq!(whole, said(file, &[1]), "nor do single bytes");
    }
    if let Err(error) = &whole.end {
        assert!(error.offset <= file.len() as u64 && !error.reason.is_empty());
    }
    measured(file);
    whole
}

fn dumped(built: Built) -> Option<Vec<u8>> {
    match built {
        Built::Str(text) => Some(dump(EntryView::Str(&text))),
        Built::Value(value) => Some(dump(EntryView::Value(&value))),
        Built::Nothing => None,
    }
}

/// What a payload of version 13 or less says, read as a file.
fn told_of(payload: &[u8]) -> Said {
    let body = &payload[..payload.len() - FOOTER_BYTES];
    said(&file_of(b"REDIS0013", body), &[usize::MAX])
}

/// Restores a type byte and a value: refused, or a value that says what the reader said of it, that can be dumped and
/// restored again, and that takes no more memory than a small multiple of what it says. Whether it was restored.
pub fn check_value(input: &[u8], is_valkey: bool) -> bool {
    let (version, magic) = if is_valkey {
        (80, b"VALKEY080")
    } else {
        (13, b"REDIS0013")
    };
    let payload = seal(input.to_vec(), version);
    let file = file_of(magic, input);
    let (meter, is_sound) = measured(&file);
    let (built, peak) = peak_of(|| restore(&payload, LimitsRef::default()));
    let limit = READER_BYTES
        + VALUE_BYTES_PER_FACT * meter.facts
        + VALUE_BYTES_PER_BYTE * meter.bytes
        + READER_BYTES_PER_BYTE * input.len();
    assert!(peak <= limit, "{peak} bytes for {meter:?} of {}", input.len());
    let Ok(built) = built else { return false };
    // In a payload a key's metadata stand in front of the type, in a file in front of the key.
    if input[0] == KEY_META {
        return true;
    }
    assert!(is_sound, "what the reader refuses cannot be restored");
    let told = said(&file, &[usize::MAX]);
    assert!(told.end.is_ok(), "{told:?}");
    let Some(first) = dumped(built) else { return true };
    let again = restore(&first, LimitsRef::default()).expect("its own payload can be restored");
    let second = dumped(again).expect("has something in it");
    let first_told = told_of(&first);
    assert_eq!(content(&first_told.json), content(&told_of(&second).json));
    let timed = 22..=25;
    match input[0] {
        // Of streams, versions keep different counters.
        15 | 19 | 21 => assert_eq!(entries(&told.json), entries(&first_told.json)),
        // One whose fields all have no expiry is written as any other.
        rdb_type if timed.contains(&rdb_type) && !timed.contains(&first[0]) => {}
        _ => assert_eq!(content(&told.json), content(&first_told.json)),
    }
    true
}

/// The entries of a stream's JSON.
fn entries(json: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(json);
    let (from, to) = (text.find("\"entries\": ")?, text.find("\"length\": ")?);
    Some(text[from..to].to_owned())
}

/// A file of one key, `k`, with this type byte and value.
pub fn file_of(magic: &[u8; 9], body: &[u8]) -> Vec<u8> {
    let Some((rdb_type, value)) = body.split_first() else {
        return Vec::new();
    };
    let mut file = [&magic[..], &[*rdb_type, 1, b'k'], value, &[0xff]].concat();
    file.extend_from_slice(&[0; CHECKSUM_BYTES]);
    reseal(&mut file);
    file
}

/// The keys of a file that has been read, without the bytes that tell how their values are laid out, and without the
/// signs of scores that are zero, which a value has none of.
pub fn content(json: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(json).replace("\"8000000000000000\"", "\"0000000000000000\"");
    let keys = &text[text.find("\"keys\"")?..];
    let lines = keys.lines().filter(|line| !line.contains("\"rdb_type\": "));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// The length encoding of a number.
pub fn length(n: usize) -> Vec<u8> {
    match n {
        0..64 => vec![n as u8],
        64..16_384 => vec![0x40 | (n >> 8) as u8, n as u8],
        _ => [&[0x80][..], &(n as u32).to_be_bytes()].concat(),
    }
}

/// Mutates all but the checksum at the end, and makes that fit again.
pub fn mutate_sealed(data: &mut [u8], size: usize, max_size: usize) -> usize {
    let room = max_size.saturating_sub(CHECKSUM_BYTES);
    let body = size.saturating_sub(CHECKSUM_BYTES).min(room);
    if room == 0 {
        return size.min(max_size);
    }
    let mutated = libfuzzer_sys::fuzzer_mutate(&mut data[..room], body, room);
    let end = mutated + CHECKSUM_BYTES;
    data[mutated..end].fill(0);
    reseal(&mut data[..end]);
    end
}
