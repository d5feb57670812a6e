//! List commands.
use super::Spec;

/// The family's rows.
pub const COMMANDS: &[Spec] = &[];
