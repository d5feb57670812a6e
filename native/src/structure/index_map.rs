//! index_map
