//! What is said of files and types that cannot be read.

use super::{Magic, format};

/// Longest part of a key that an error quotes.
const QUOTED_BYTES_MAX: usize = 64;

/// Of a file of another kind.
pub(super) const NOT_RDB: &str = "file does not begin with REDIS or VALKEY: it is not an RDB file";

/// Whether these bytes, fewer than a header has, may be the first of one.
pub(super) fn is_begun(bytes: &[u8]) -> bool {
    [b"REDIS".as_slice(), b"VALKEY"]
        .iter()
        .any(|magic| magic.iter().zip(bytes).all(|(wanted, byte)| wanted == byte))
}

/// Why a byte where a type is expected is refused, unless values of this type can be read.
pub(in crate::rdb) fn refusal_of_type(magic: Magic, rdb_type: u8) -> Option<String> {
    let what = match rdb_type {
        format::HASH_LISTPACK_EX_PRE_GA if magic == Magic::Valkey => "a hash of paths, of Valkey 9.2",
        known if format::type_name(known).is_some() => return None,
        format::MODULE_PRE_GA => "a module of a Redis 4.0 release candidate",
        26 => "a stream of Redis 8.6",
        27 => "a stream of Redis 8.8",
        28 => "an array of Redis 8.8",
        200..=224 => "a record of Dragonfly",
        29.. => {
            return Some(format!(
                "unknown opcode or type {rdb_type}: the file may be newer than this reader"
            ));
        }
        _ => return Some(format!("unknown type {rdb_type}")),
    };
    Some(format!("type {rdb_type} ({what}) cannot be read"))
}

/// Names a key in an error.
pub(in crate::rdb) fn key_and_type(key: &[u8], rdb_type: u8) -> String {
    let name = format::type_name(rdb_type).unwrap_or("unknown");
    let shown = &key[..key.len().min(QUOTED_BYTES_MAX)];
    let dots = if shown.len() < key.len() { "..." } else { "" };
    format!("key '{}{dots}' ({name}, type {rdb_type})", shown.escape_ascii())
}
