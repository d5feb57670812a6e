//! What the values are made of. A structure knows no command, no key and no clock.

pub mod bits;
mod buffer;
pub mod chunk_table;
pub mod deadlines;
pub mod geohash;
pub mod hyperloglog;
pub mod index_map;
pub mod intset;
pub mod listpack;
pub mod order_tree;
pub mod ordered_map;
pub mod piece;
pub mod quicklist;
pub mod size_class;
pub mod text;
