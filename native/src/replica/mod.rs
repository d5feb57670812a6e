//! A keyspace driven by a replicated log.
