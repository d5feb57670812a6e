//! Which fields are due, and what becomes of them.

use super::{Form, HashValue};

impl HashValue {
    /// Number of fields that expire.
    pub fn expiring(&self) -> usize {
        match &self.form {
            Form::Plain(_) => 0,
            Form::Pack(pack) => pack.deadlines.len(),
            Form::Table(table) => table.expiring.expiring(),
        }
    }

    /// When the next field expires. O(1).
    #[inline]
    pub fn next_due(&self) -> Option<i64> {
        match &self.form {
            Form::Plain(_) => None,
            Form::Pack(pack) => pack.deadlines.earliest(),
            Form::Table(table) => table.expiring.next_due(),
        }
    }

    /// When the last field expires, if all of them do.
    #[inline]
    pub fn last_due(&self) -> Option<i64> {
        match &self.form {
            Form::Plain(_) => None,
            Form::Pack(pack) if pack.deadlines.len() == pack.fields.len() => pack.deadlines.latest(),
            Form::Table(table) if table.lasting.is_empty() => table.expiring.last_due(),
            Form::Pack(_) | Form::Table(_) => None,
        }
    }

    /// Hides what is due at this Unix millisecond. O(log n) in a table; a packed hash removes it. Says how many it removed.
    pub fn hide_due(&mut self, now_ms: i64) -> usize {
        match &mut self.form {
            Form::Plain(_) => 0,
            Form::Pack(pack) => pack.remove_due(now_ms, usize::MAX),
            Form::Table(table) => {
                table.expiring.hide(now_ms);
                0
            }
        }
    }

    /// Removes up to `limit` fields that are due at this Unix millisecond, hides the others of a table, and says how many
    /// it removed. See the module.
    pub fn remove_due(&mut self, now_ms: i64, limit: usize) -> usize {
        match &mut self.form {
            Form::Plain(_) => 0,
            Form::Pack(pack) => pack.remove_due(now_ms, limit),
            Form::Table(table) => {
                table.expiring.hide(now_ms);
                table.expiring.sweep(limit)
            }
        }
    }

    /// Whether fields are hidden that have still to be removed.
    pub fn has_hidden(&self) -> bool {
        matches!(&self.form, Form::Table(table) if table.expiring.hidden() > 0)
    }

    /// Removes up to `limit` hidden fields, and says how many.
    pub fn sweep(&mut self, limit: usize) -> usize {
        match &mut self.form {
            Form::Table(table) => table.expiring.sweep(limit),
            Form::Plain(_) | Form::Pack(_) => 0,
        }
    }
}
