//! What the targets share.

pub mod blob;
pub mod memory;
pub mod rdb;
pub mod workbench;

use arbitrary::{Arbitrary, Unstructured};
use holdfast::keyspace::Keyspace;
use holdfast::rdb::{LoadOptions, Loader, Options, Reader, Snapshot, WriteOptions};

/// Words that commands and packed encodings treat in ways of their own.
const SPECIAL: [&str; 16] = [
    "",
    "0",
    "-1",
    "1",
    "12",
    "127",
    "128",
    "-4096",
    "32768",
    "8388608",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "007",
    "-0",
    "+1",
];
/// The longest texts: around the limits of packed collections.
const LENGTHS: [usize; 6] = [12, 13, 63, 64, 65, 300];

/// A text such as values hold: a special one, a long one, or a few bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub Vec<u8>);

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let kind: u8 = u.arbitrary()?;
        Ok(Text(match kind {
            0..64 => SPECIAL[usize::from(kind) % SPECIAL.len()].into(),
            64..72 => vec![b'l'; LENGTHS[usize::from(kind) % LENGTHS.len()]],
            72..128 => i64::from(u.arbitrary::<i16>()?).to_string().into_bytes(),
            _ => {
                let length = usize::from(kind) % 8;
                u.bytes(length.min(u.len()))?.to_vec()
            }
        }))
    }
}

/// Writes an exact snapshot.
pub fn snapshot(keyspace: &Keyspace) -> Vec<u8> {
    let options = WriteOptions {
        exact: true,
        ..Default::default()
    };
    Snapshot::whole(keyspace, options).expect("everything can be written")
}

/// A keyspace from an exact snapshot.
pub fn restored(snapshot: &[u8], now_ms: i64) -> Keyspace {
    let mut loader = Loader::new(LoadOptions { db: None, now_ms });
    let mut reader = Reader::new(Options {
        refuse_duplicate_keys: false,
    });
    reader
        .push(snapshot, &mut loader)
        .expect("a snapshot can be read");
    reader.finish().expect("a snapshot has an end");
    let keyspace = Keyspace::with_log_clock(now_ms);
    assert!(loader.commit(&keyspace));
    keyspace
}
