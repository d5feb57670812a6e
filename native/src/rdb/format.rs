//! The numbers of the format.

/// Which family wrote the file. Some type bytes and opcodes mean different things in the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magic {
    /// `REDIS` and four digits.
    Redis,
    /// `VALKEY` and three digits.
    Valkey,
}

/// From this version on, hashes, lists and sorted sets may be listpacks.
pub const OLDEST_LISTPACK_VERSION: u32 = 10;
/// From this version on, libraries of functions may be in a file.
pub const OLDEST_FUNCTION_VERSION: u32 = 10;
/// From this version on, sets may be listpacks.
pub const OLDEST_SET_LISTPACK_VERSION: u32 = 11;
/// From this version on, fields of a hash may have an expiry.
pub const OLDEST_FIELD_EXPIRY_VERSION: u32 = 12;
/// From this version on, eight bytes of checksum follow the end opcode.
pub const OLDEST_CHECKSUM_VERSION: u32 = 5;
/// The newest version under the `REDIS` magic whose records are all known.
pub const NEWEST_REDIS_VERSION: u32 = 13;
/// The newest version under the `VALKEY` magic whose records are all known.
pub const NEWEST_VALKEY_VERSION: u32 = 81;
/// The oldest one under that magic.
pub const OLDEST_VALKEY_VERSION: u32 = 80;
/// Longest string of any kind, after decompression. Redis's own limit for one listpack.
pub const STRING_BYTES_MAX: u64 = 1 << 30;
/// Highest database number, as Redis has it (a C int).
pub const DATABASE_MAX: u64 = i32::MAX as u64;
/// Latest expiry of a hash field.
pub const FIELD_EXPIRY_MAX: u64 = (1 << 48) - 1;

pub const EOF: u8 = 0xff;
/// Begins a string that is compressed.
pub const COMPRESSED: u8 = 0xc3;
pub const SELECT_DB: u8 = 0xfe;
pub const EXPIRE_S: u8 = 0xfd;
pub const EXPIRE_MS: u8 = 0xfc;
pub const RESIZE_DB: u8 = 0xfb;
pub const AUX: u8 = 0xfa;
pub const FREQ: u8 = 0xf9;
pub const IDLE: u8 = 0xf8;
pub const MODULE_AUX: u8 = 0xf7;
/// What a record of a module's data says of its place: in front of the keys, or behind them.
pub const MODULE_AUX_BEFORE_KEYS: u64 = 1;
pub const MODULE_AUX_BEHIND_KEYS: u64 = 2;
pub const FUNCTION_PRE_GA: u8 = 0xf6;
pub const FUNCTION: u8 = 0xf5;
pub const SLOT_INFO: u8 = 0xf4;
/// Metadata of the next key (`REDIS`), a running slot import (`VALKEY`).
pub const KEY_META_OR_SLOT_IMPORT: u8 = 0xf3;
/// Templates of hashes (`REDIS`), an update (`VALKEY`).
pub const HASH_TEMPLATES_OR_UPDATE: u8 = 0xf2;
/// When a key was last used, and its slot, in files of Redis Enterprise: a number each.
pub const ENTERPRISE_LRU: u8 = 0x6b;
pub const ENTERPRISE_SLOT: u8 = 0x79;

pub const STRING: u8 = 0;
pub const LIST: u8 = 1;
pub const SET: u8 = 2;
pub const ZSET: u8 = 3;
pub const HASH: u8 = 4;
pub const ZSET_2: u8 = 5;
pub const MODULE_PRE_GA: u8 = 6;
pub const MODULE_2: u8 = 7;
pub const HASH_ZIPMAP: u8 = 9;
pub const LIST_ZIPLIST: u8 = 10;
pub const SET_INTSET: u8 = 11;
pub const ZSET_ZIPLIST: u8 = 12;
pub const HASH_ZIPLIST: u8 = 13;
pub const LIST_QUICKLIST: u8 = 14;
pub const STREAM: u8 = 15;
pub const HASH_LISTPACK: u8 = 16;
pub const ZSET_LISTPACK: u8 = 17;
pub const LIST_QUICKLIST_2: u8 = 18;
pub const STREAM_2: u8 = 19;
pub const SET_LISTPACK: u8 = 20;
pub const STREAM_3: u8 = 21;
/// Redis 7.4 release candidates; under the `VALKEY` magic the hash with field expiry of Valkey 9.
pub const HASH_METADATA_PRE_GA: u8 = 22;
pub const HASH_LISTPACK_EX_PRE_GA: u8 = 23;
pub const HASH_METADATA: u8 = 24;
pub const HASH_LISTPACK_EX: u8 = 25;

/// In an exact snapshot, a hash table whose fields may expire.
pub const EXACT_TIMED_TABLE: u8 = HASH_METADATA;
/// In an exact snapshot, a packed hash whose fields may expire. The listpack that the format has for it must be sorted by
/// expiry, which would lose the order; this type has the order, and no other use there.
pub const EXACT_TIMED_PACK: u8 = HASH_METADATA_PRE_GA;

/// Whether servers that read files of this version, from 9 on, know the type byte. Those of release candidates no later
/// server knows.
pub fn is_known_to(rdb_type: u8, version: u32) -> bool {
    match rdb_type {
        HASH_METADATA_PRE_GA | HASH_LISTPACK_EX_PRE_GA => false,
        HASH_METADATA | HASH_LISTPACK_EX => version >= OLDEST_FIELD_EXPIRY_VERSION,
        SET_LISTPACK | STREAM_3 => version >= OLDEST_SET_LISTPACK_VERSION,
        HASH_LISTPACK | ZSET_LISTPACK | LIST_QUICKLIST_2 | STREAM_2 => version >= OLDEST_LISTPACK_VERSION,
        _ => type_name(rdb_type).is_some(),
    }
}

/// What `TYPE` would answer for a value of this type byte.
pub fn type_name(rdb_type: u8) -> Option<&'static str> {
    Some(match rdb_type {
        STRING => "string",
        LIST | LIST_ZIPLIST | LIST_QUICKLIST | LIST_QUICKLIST_2 => "list",
        SET | SET_INTSET | SET_LISTPACK => "set",
        ZSET | ZSET_2 | ZSET_ZIPLIST | ZSET_LISTPACK => "zset",
        HASH | HASH_ZIPMAP | HASH_ZIPLIST | HASH_LISTPACK | HASH_METADATA_PRE_GA..=HASH_LISTPACK_EX => "hash",
        STREAM | STREAM_2 | STREAM_3 => "stream",
        MODULE_2 => "module",
        _ => return None,
    })
}

/// The first version with this type byte, as far as servers that know `RESTORE ... ABSTTL` can tell: 9 for all that are older.
/// Those of release candidates are never to be written.
pub fn oldest_version(rdb_type: u8) -> u32 {
    match rdb_type {
        STRING..=STREAM => 9,
        HASH_LISTPACK..=STREAM_2 => OLDEST_LISTPACK_VERSION,
        SET_LISTPACK | STREAM_3 => OLDEST_SET_LISTPACK_VERSION,
        HASH_METADATA | HASH_LISTPACK_EX => OLDEST_FIELD_EXPIRY_VERSION,
        _ => u32::MAX,
    }
}

/// The name of a type byte's layout, for people.
pub fn layout_name(rdb_type: u8) -> &'static str {
    match rdb_type {
        STRING => "plain",
        LIST | SET | HASH => "plain",
        ZSET => "plain, scores as text",
        ZSET_2 => "plain, scores in binary",
        HASH_ZIPMAP => "zipmap",
        LIST_ZIPLIST | ZSET_ZIPLIST | HASH_ZIPLIST => "ziplist",
        SET_INTSET => "intset",
        LIST_QUICKLIST => "quicklist of ziplists",
        LIST_QUICKLIST_2 => "quicklist of listpacks",
        HASH_LISTPACK | ZSET_LISTPACK | SET_LISTPACK => "listpack",
        STREAM | STREAM_2 | STREAM_3 => "listpacks",
        HASH_METADATA_PRE_GA | HASH_METADATA => "plain, with field expiry",
        HASH_LISTPACK_EX_PRE_GA | HASH_LISTPACK_EX => "listpack, with field expiry",
        MODULE_2 => "module",
        _ => "unknown",
    }
}
