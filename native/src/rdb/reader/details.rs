//! What the reader does with single records.

use super::module::ModuleBody;
use super::say;
use crate::rdb::cursor::{Cursor, Parsed};
use crate::rdb::event::{Event, Sink};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

const LOW: RapidSecrets = RapidSecrets::seed(0x6b65_7973);
const HIGH: RapidSecrets = RapidSecrets::seed(0x7477_6963);

/// Two hashes of a key, independent of each other for keys of any length, and different in every database.
pub(super) fn fingerprint(key: &[u8], db: u64) -> (u64, u64) {
    let low = rapidhash_v3_seeded(key, &LOW) ^ db.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let high = rapidhash_v3_seeded(key, &HIGH) ^ db.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    (low, high)
}

/// A function as release candidates of Redis 7.0 wrote it, in the form that came after.
pub(super) fn read_early_function(cursor: &mut Cursor<'_>) -> Parsed<Vec<u8>> {
    let (name, engine) = (cursor.bytes()?, cursor.bytes()?);
    if cursor.length()? != 0 {
        cursor.bytes()?;
    }
    let code = cursor.bytes()?;
    Ok([b"#!", &engine[..], b" name=", &name, b"\n", &code].concat())
}

/// Skips one piece of a key's metadata; true when all of it has been read.
pub(super) fn read_key_meta(
    left: &mut u64,
    class: &mut Option<ModuleBody>,
    cursor: &mut Cursor<'_>,
) -> Parsed<bool> {
    match class {
        None => {
            cursor.u32()?;
            *class = Some(ModuleBody::begin_pieces());
        }
        Some(body) => {
            if body.skip(cursor)? {
                *class = None;
                *left -= 1;
            }
        }
    }
    Ok(*left == 0)
}

/// Skips a key's metadata, from the number of its classes on.
pub(in crate::rdb) fn skip_key_meta(cursor: &mut Cursor<'_>) -> Parsed<()> {
    let (mut left, mut class) = (cursor.length()?, None);
    while left > 0 {
        read_key_meta(&mut left, &mut class, cursor)?;
    }
    Ok(())
}

/// Reads a string that is all there, without the detour that values of several records take. What is not all there, or not sound,
/// is left where it is: false.
pub(super) fn read_short_string<S: Sink + ?Sized>(cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<bool> {
    let (mark, from) = (cursor.read(), cursor.offset());
    let Ok(text) = cursor.text() else {
        cursor.rewind(mark);
        return Ok(false);
    };
    say(sink, from, Event::String(text.element()))?;
    sink.raw(&cursor.consumed()[mark..]);
    Ok(true)
}
