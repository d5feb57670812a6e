//! The table that holds the keys.

/// What a command sees of the keyspace.
pub struct Db<'k>(std::marker::PhantomData<&'k ()>);
