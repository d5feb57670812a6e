//! The door to Node.

mod rdb;
