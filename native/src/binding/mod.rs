//! The door to Node.
