//! The limits of collections, on their way from JavaScript, which has checked them.

use crate::keyspace::Keyspace;
use crate::value::{Limits, LimitsRef};
use napi_derive::napi;

/// Redis's options of the same names. See `Limits`.
#[napi(object)]
pub struct CollectionLimits {
    /// Fields of a packed hash.
    pub hash_max_listpack_entries: u32,
    /// Bytes of a field or value of a packed hash.
    pub hash_max_listpack_value: u32,
    /// Members of a set of integers.
    pub set_max_intset_entries: u32,
    /// Members of a packed set.
    pub set_max_listpack_entries: u32,
    /// Bytes of a member of a packed set.
    pub set_max_listpack_value: u32,
    /// Members of a packed sorted set.
    pub zset_max_listpack_entries: u32,
    /// Bytes of a member of a packed sorted set.
    pub zset_max_listpack_value: u32,
    /// A node of a list.
    pub list_max_listpack_size: i32,
    /// Bytes of a sparse HyperLogLog.
    pub hll_sparse_max_bytes: u32,
    /// Bytes of a node of a stream.
    pub stream_node_max_bytes: u32,
    /// Entries of a node of a stream.
    pub stream_node_max_entries: u32,
}

impl From<CollectionLimits> for Limits {
    fn from(given: CollectionLimits) -> Limits {
        Limits {
            hash_entries: given.hash_max_listpack_entries as usize,
            hash_bytes: given.hash_max_listpack_value as usize,
            set_entries: given.set_max_listpack_entries as usize,
            set_bytes: given.set_max_listpack_value as usize,
            intset_entries: given.set_max_intset_entries as usize,
            zset_entries: given.zset_max_listpack_entries as usize,
            zset_bytes: given.zset_max_listpack_value as usize,
            list_size: given.list_max_listpack_size,
            hll_sparse_bytes: given.hll_sparse_max_bytes as usize,
            stream_node_bytes: given.stream_node_max_bytes as usize,
            stream_node_entries: given.stream_node_max_entries as usize,
        }
    }
}

/// The empty keyspace with these limits, if there are any.
pub fn with_limits(keyspace: Keyspace, limits: Option<CollectionLimits>) -> napi::Result<Keyspace> {
    let Some(limits) = limits else {
        return Ok(keyspace);
    };
    let Some(limits) = LimitsRef::of(limits.into()) else {
        let text = "this process has had too many different limits of collections".to_string();
        return Err(napi::Error::new(napi::Status::GenericFailure, text));
    };
    Ok(keyspace.limited(limits))
}
