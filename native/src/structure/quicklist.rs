//! quicklist
