//! Sizes up to which collections stay packed, and at which packed nodes are full.
//!
//! They decide in which order the members of a set stand and where a list is cut into nodes, and so what a replica holds:
//! all peers of a cluster must have the same. A keyspace has one set of limits from its beginning, and every collection in
//! it knows them by a number of two bytes.

use parking_lot::Mutex;
use std::ops::Deref;
use std::sync::OnceLock;

/// The limits of a keyspace. The defaults are Redis's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fields of a packed hash (`hash-max-listpack-entries`).
    pub hash_entries: usize,
    /// Bytes of a field or value of a packed hash (`hash-max-listpack-value`).
    pub hash_bytes: usize,
    /// Members of a packed set (`set-max-listpack-entries`).
    pub set_entries: usize,
    /// Bytes of a member of a packed set (`set-max-listpack-value`). An integer is never too long.
    pub set_bytes: usize,
    /// Members of a set of integers (`set-max-intset-entries`).
    pub intset_entries: usize,
    /// Members of a packed sorted set (`zset-max-listpack-entries`).
    pub zset_entries: usize,
    /// Bytes of a member of a packed sorted set (`zset-max-listpack-value`).
    pub zset_bytes: usize,
    /// One node of a list: below 0, one of five sizes in bytes; above 0, elements (`list-max-listpack-size`).
    pub list_size: i32,
    /// Bytes of a sparse HyperLogLog (`hll-sparse-max-bytes`).
    pub hll_sparse_bytes: usize,
    /// Bytes of one node of a stream; 0: [`STREAM_NODE_BYTES_MAX`] (`stream-node-max-bytes`).
    pub stream_node_bytes: usize,
    /// Entries of one node of a stream; 0: any number (`stream-node-max-entries`).
    pub stream_node_entries: usize,
}

impl Limits {
    /// The limits of Redis.
    pub const DEFAULT: Limits = Limits {
        hash_entries: 512,
        hash_bytes: 64,
        set_entries: 128,
        set_bytes: 64,
        intset_entries: 512,
        zset_entries: 128,
        zset_bytes: 64,
        list_size: -2,
        hll_sparse_bytes: 3000,
        stream_node_bytes: 4096,
        stream_node_entries: 100,
    };

    /// Whether one more entry may go into a stream's node that would have so many bytes and has so many entries.
    #[inline]
    pub fn stream_node_has_room(&self, bytes: usize, entries: usize) -> bool {
        let bytes_max = match self.stream_node_bytes {
            0 => STREAM_NODE_BYTES_MAX,
            bytes => bytes,
        };
        bytes < bytes_max && (self.stream_node_entries == 0 || entries < self.stream_node_entries)
    }

    /// Bytes of one node of a list. Where elements are counted, a node has a bound all the same.
    #[inline]
    pub fn list_node_bytes(&self) -> usize {
        match self.list_size {
            ..0 => 2048 << self.list_size.unsigned_abs().min(5),
            0.. => 8192,
        }
    }

    /// Elements of one node of a list.
    #[inline]
    pub fn list_node_entries(&self) -> usize {
        match self.list_size {
            ..0 => usize::MAX,
            entries => entries.unsigned_abs() as usize,
        }
    }
}

/// No node of a stream is larger, its first entry apart.
const STREAM_NODE_BYTES_MAX: usize = 1 << 20;

/// So many different limits, beside the defaults, one process may have had.
const KNOWN_MAX: usize = 255;

static KNOWN: [OnceLock<Limits>; KNOWN_MAX] = [const { OnceLock::new() }; KNOWN_MAX];
static ADDING: Mutex<()> = Mutex::new(());

/// Limits by the number that they have in this process. The default is that of [`Limits::DEFAULT`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsRef(u16);

impl LimitsRef {
    /// The number of these limits. `None` if the process has had too many different ones.
    pub fn of(limits: Limits) -> Option<LimitsRef> {
        if limits == Limits::DEFAULT {
            return Some(LimitsRef::default());
        }
        let _adding = ADDING.lock();
        let place = KNOWN
            .iter()
            .position(|known| *known.get_or_init(|| limits) == limits)?;
        Some(LimitsRef(place as u16 + 1))
    }
}

impl Deref for LimitsRef {
    type Target = Limits;

    #[inline]
    fn deref(&self) -> &Limits {
        match self.0 {
            0 => &Limits::DEFAULT,
            number => KNOWN[usize::from(number) - 1].get().unwrap_or(&Limits::DEFAULT),
        }
    }
}

impl std::fmt::Debug for LimitsRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_limits_have_one_number() {
        let other = Limits {
            hash_entries: 7,
            ..Limits::DEFAULT
        };
        let (first, second) = (LimitsRef::of(other), LimitsRef::of(other));
        assert!(first.is_some() && first == second);
        assert_eq!(*first.unwrap(), other);
        assert_ne!(first, LimitsRef::of(Limits::DEFAULT));
        assert_eq!(*LimitsRef::default(), Limits::DEFAULT);
    }

    #[test]
    fn sizes_of_nodes() {
        let of = |list_size| Limits {
            list_size,
            ..Limits::DEFAULT
        };
        let bytes = [-1, -2, -3, -4, -5].map(|size| of(size).list_node_bytes());
        assert_eq!(bytes, [4096, 8192, 16_384, 32_768, 65_536]);
        assert_eq!(of(-1).list_node_entries(), usize::MAX);
        assert_eq!((of(3).list_node_bytes(), of(3).list_node_entries()), (8192, 3));
    }
}
