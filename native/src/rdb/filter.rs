//! Which keys of a file are wanted.

use super::event::KeyHead;
use super::format::type_name;
use crate::command::glob;

/// What a key has to be. The default wants every key.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The key fits this pattern, as `SCAN ... MATCH` reads it.
    pub pattern: Option<Vec<u8>>,
    /// The value's type is one of these, by the names that `TYPE` answers. Empty: any.
    pub types: Vec<String>,
    /// The key is in this database.
    pub db: Option<u64>,
}

impl Filter {
    /// Whether the key's database is wanted.
    pub fn wants_db(&self, db: u64) -> bool {
        self.db.is_none_or(|wanted| wanted == db)
    }

    /// Whether the key is wanted, wherever it is.
    pub fn wants_key(&self, key: &[u8], rdb_type: u8) -> bool {
        let fits = |pattern: &Vec<u8>| glob::matches(pattern, key);
        let is_type = |name: &'static str| self.types.iter().any(|wanted| wanted == name);
        self.pattern.as_ref().is_none_or(fits)
            && (self.types.is_empty() || type_name(rdb_type).is_some_and(is_type))
    }

    /// Whether the key is wanted.
    pub fn wants(&self, head: &KeyHead<'_>) -> bool {
        self.wants_db(head.db) && self.wants_key(head.key, head.rdb_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::format;

    #[test]
    fn every_condition_has_to_hold() {
        let filter = Filter {
            pattern: Some(b"user:1?".to_vec()),
            types: vec!["hash".into(), "list".into()],
            db: Some(3),
        };
        assert!(filter.wants_key(b"user:10", format::HASH_LISTPACK));
        assert!(filter.wants_key(b"user:1\n", format::LIST_QUICKLIST_2));
        assert!(!filter.wants_key(b"user:10", format::STRING));
        assert!(!filter.wants_key(b"user:100", format::HASH));
        assert!(!filter.wants_key(b"a:user:10", format::HASH));
        assert!(filter.wants_db(3) && !filter.wants_db(0));
    }

    #[test]
    fn without_conditions_every_key_is_wanted() {
        let filter = Filter::default();
        assert!(filter.wants_key(b"", format::MODULE_2) && filter.wants_db(7));
    }
}
