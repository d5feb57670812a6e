//! intset
