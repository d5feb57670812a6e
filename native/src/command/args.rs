//! Parsing of arguments.
