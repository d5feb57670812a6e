//! Copies: of what a key holds for COPY, a collection's with the same elements in the same order and encoding; of strings that
//! are changed on the way.

use super::cut::Gone;
use super::{Db, Entry, EntryView, discard_entry, hash_of};
use crate::status::Status;
use crate::value::{Collection, HashValue, ListValue, SetValue, Value, ZSetValue};

impl<'k> Db<'k> {
    /// Copies what `from` holds, with its expiry, to `to`, whatever was there.
    pub fn copy(&mut self, from: &[u8], to: &[u8]) {
        let Some(entry) = self.entry(from) else { return };
        let expire_at = entry.expire_at();
        let raw = entry.is_raw();
        let mut copy = match entry.view() {
            EntryView::Str(bytes) => Entry::string(to, bytes, expire_at),
            EntryView::Value(value) => Entry::collection(to, Box::new(duplicate(value)), expire_at),
        };
        if raw {
            copy.set_raw();
        }
        self.remove(to);
        self.insert(hash_of(to), copy);
    }

    /// Stores what `change` makes of a copy of the string under `from`, lengthened with zeros to at least `len`, whatever was at
    /// `to`. A long string is copied once.
    ///
    /// # Errors
    /// [`Status::WrongType`] if `from` holds a collection; what `change` refuses. Nothing is changed then.
    pub fn put_changed_copy(
        &mut self,
        from: &[u8],
        to: &[u8],
        len: usize,
        change: impl FnOnce(&Db<'k>, &mut [u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let source = self.string(from)?.unwrap_or_default();
        let entry = Entry::changed_string(to, source, len, |bytes| change(self, bytes))?;
        let hash = hash_of(to);
        if !self.settle(hash, to) {
            self.insert(hash, entry);
            return Ok(());
        }
        let segment = self.segment_mut(hash);
        if segment.lends(hash, to) {
            segment.supplant(hash, entry).into_iter().for_each(Gone::discard);
            return Ok(());
        }
        let replaced = segment.update(hash, to, |old| {
            entry.set_access(old.access());
            std::mem::replace(old, entry)
        });
        if let Some(replaced) = replaced {
            discard_entry(replaced);
        }
        Ok(())
    }
}

pub(super) fn duplicate(value: &Value) -> Value {
    match value {
        Value::Hash(hash) => copy_of_hash(hash).into_value(),
        Value::List(list) => {
            let mut copy = ListValue::default().limited(list.limits());
            list.iter().for_each(|element| copy.push_back(&element.to_cow()));
            copy.into_value()
        }
        Value::Set(set) => copy_of_set(set).into_value(),
        Value::ZSet(zset) => {
            let mut copy = if zset.encoding() == "skiplist" {
                ZSetValue::tree()
            } else {
                ZSetValue::packed()
            }
            .limited(zset.limits());
            for (member, score) in zset.iter() {
                copy.insert(score, &member.to_cow());
            }
            copy.into_value()
        }
        Value::Stream(stream) => Value::Stream(stream.clone()),
    }
}

fn copy_of_hash(hash: &HashValue) -> HashValue {
    let mut copy = match (hash.has_expiries(), hash.is_packed()) {
        (true, packed) => HashValue::with_expiries(packed),
        (false, true) => HashValue::packed(),
        (false, false) => HashValue::table(),
    }
    .limited(hash.limits());
    for (field, value, expire_at) in hash.iter_exact() {
        let field = field.to_cow();
        copy.set(&field, &value.to_cow());
        if expire_at.is_some() {
            copy.set_expiry(&field, expire_at);
        }
    }
    copy
}

fn copy_of_set(set: &SetValue) -> SetValue {
    let mut copy = match set.encoding() {
        "hashtable" => SetValue::table(),
        "intset" => SetValue::intset(),
        _ => SetValue::packed(),
    }
    .limited(set.limits());
    for member in set.iter() {
        copy.add(&member.to_cow());
    }
    copy
}
