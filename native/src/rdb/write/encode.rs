//! Strings and values in the bytes of the format.

use crate::keyspace::EntryView;
use crate::keyspace::cut::{FrozenEntry, Record, Recorder, Texts};
use crate::rdb::format;
use crate::rdb::lzf::Compressor;
use crate::structure::intset::IntSet;
use crate::structure::listpack::{Listpack, canonical_int};
use crate::value::{Element, Frozen, HashValue, ListValue, SetValue, Value, ZSetValue};
use std::mem::take;

/// Longest text that may be a 32-bit integer.
const INT_BYTES_MAX: usize = 11;
/// Strings up to this size are not worth compressing.
const PLAIN_BYTES_MAX: usize = 20;
/// The container of a list's packed node.
const NODE_PACKED: u64 = 2;

/// What a value may be written as.
#[derive(Clone, Copy, Debug)]
pub struct Forms {
    /// The version of the file: packed forms exist from 10 on, a packed set from 11 on, expiries of fields from 12 on.
    pub version: u32,
    /// Whether the type bytes are those of an exact snapshot.
    pub exact: bool,
    /// Whether strings are compressed.
    pub compress: bool,
}

impl Recorder for Forms {
    fn record(&self, record: &mut Record, key: &[u8], content: EntryView<'_>, expire_at: Option<i64>) {
        let mut drafts = Encoder::of_drafts(*self);
        (drafts.out, drafts.texts) = (take(&mut record.bytes), take(&mut record.texts));
        drafts.entry(key, content, expire_at);
        (record.bytes, record.texts) = (drafts.out, drafts.texts);
        record.keys += 1;
    }

    fn has_expiring_fields(&self) -> bool {
        self.version >= format::OLDEST_FIELD_EXPIRY_VERSION
    }
}

/// What is called now and then between the parts of something large.
pub type Breath<'a> = &'a mut dyn FnMut();

/// How many elements are written without a breath: in some 50 us.
const ELEMENTS_PER_BREATH: usize = 256;

/// Appends to a buffer.
pub struct Encoder {
    /// What has been written.
    pub out: Vec<u8>,
    /// Strings are left as they are: there is no time to compress them.
    pub hurries: bool,
    forms: Forms,
    compressor: Option<Compressor>,
    /// Where strings stand in a draft that are to be compressed.
    texts: Texts,
}

impl Encoder {
    /// An encoder with an empty buffer.
    pub fn new(forms: Forms) -> Self {
        Encoder {
            out: Vec::new(),
            hurries: false,
            forms,
            compressor: Some(Compressor::default()),
            texts: Texts::default(),
        }
    }

    /// An encoder of drafts: what would be compressed stands there as it is, for [`Encoder::complete`].
    pub fn of_drafts(forms: Forms) -> Self {
        Encoder {
            out: Vec::new(),
            hurries: false,
            forms,
            compressor: None,
            texts: Texts::default(),
        }
    }

    /// Takes the draft out, of so many keys.
    pub fn take_draft(&mut self, keys: u64) -> Record {
        Record {
            bytes: take(&mut self.out),
            texts: take(&mut self.texts),
            keys,
        }
    }

    /// Goes on with the buffers of an empty draft.
    pub fn keep_buffers(&mut self, empty: Record) {
        debug_assert!(empty.bytes.is_empty());
        (self.out, self.texts) = (empty.bytes, empty.texts);
    }

    /// Appends a draft of an encoder with the same forms, and compresses what is to be compressed.
    pub fn complete(&mut self, draft: &Record) {
        let mut done = 0;
        for (start, length) in draft.texts.iter() {
            self.out.extend_from_slice(&draft.bytes[done..start]);
            done = start + length;
            if length > 0 {
                self.text(&draft.bytes[start..done]);
            }
        }
        self.out.extend_from_slice(&draft.bytes[done..]);
    }

    /// A key with its expiry and what it holds.
    pub fn entry(&mut self, key: &[u8], content: EntryView<'_>, expire_at: Option<i64>) {
        self.expiry(expire_at);
        match content {
            EntryView::Str(text) => {
                self.out.push(format::STRING);
                self.text(key);
                self.text(text);
            }
            EntryView::Value(value) => {
                self.out.push(self.type_of(value));
                self.text(key);
                self.value(value);
            }
        }
    }

    /// As [`Encoder::entry`], of what was frozen. Calls `breath` now and then, for who is not to work for long at a time.
    pub fn frozen_entry(&mut self, entry: &FrozenEntry, breath: Breath<'_>) {
        self.expiry(entry.expire_at);
        self.out.push(self.type_of_frozen(&entry.frozen));
        self.text(&entry.key);
        self.frozen(&entry.frozen, breath);
    }

    fn expiry(&mut self, expire_at: Option<i64>) {
        if let Some(ms) = expire_at {
            self.out.push(format::EXPIRE_MS);
            self.out.extend_from_slice(&ms.to_le_bytes());
        }
    }

    /// A number in the length encoding.
    pub fn length(&mut self, n: u64) {
        put_length(&mut self.out, n);
    }

    /// A string in its shortest form.
    pub fn text(&mut self, text: &[u8]) {
        if text.len() <= INT_BYTES_MAX
            && let Some(n) = canonical_int(text)
            && self.int(n)
        {
            return;
        }
        if text.len() > PLAIN_BYTES_MAX && self.forms.compress && !self.hurries && self.compressed(text) {
            return;
        }
        self.length(text.len() as u64);
        self.out.extend_from_slice(text);
    }

    /// As [`Encoder::text`].
    pub fn element(&mut self, element: Element<'_>) {
        match element {
            Element::Bytes(text) => self.text(text),
            Element::Int(n) => {
                if !self.int(n) {
                    self.text(itoa::Buffer::new().format(n).as_bytes());
                }
            }
        }
    }

    /// Writes an integer that fits in 32 bits; says whether it did.
    fn int(&mut self, n: i64) -> bool {
        if let Ok(n) = i8::try_from(n) {
            self.out.push(0xc0);
            self.out.extend_from_slice(&n.to_le_bytes());
        } else if let Ok(n) = i16::try_from(n) {
            self.out.push(0xc1);
            self.out.extend_from_slice(&n.to_le_bytes());
        } else if let Ok(n) = i32::try_from(n) {
            self.out.push(0xc2);
            self.out.extend_from_slice(&n.to_le_bytes());
        } else {
            return false;
        }
        true
    }

    fn compressed(&mut self, text: &[u8]) -> bool {
        let Some(compressor) = &mut self.compressor else {
            self.texts.push(self.out.len(), text.len());
            self.out.extend_from_slice(text);
            return true;
        };
        let Some(packed) = compressor.compress(text) else {
            return false;
        };
        self.out.push(format::COMPRESSED);
        put_length(&mut self.out, packed.len() as u64);
        put_length(&mut self.out, text.len() as u64);
        self.out.extend_from_slice(packed);
        true
    }

    /// The type byte that [`Encoder::value`] will follow.
    pub fn type_of(&self, value: &Value) -> u8 {
        let (has_packs, has_set_packs) = (self.has_packs(), self.has_set_packs());
        match value {
            Value::Hash(hash) if self.forms.exact && hash.has_expiries() => match hash.is_packed() {
                true => format::EXACT_TIMED_PACK,
                false => format::EXACT_TIMED_TABLE,
            },
            Value::Hash(hash) if hash.expiring() > 0 => match hash.is_packed() {
                true => format::HASH_LISTPACK_EX,
                false => format::HASH_METADATA,
            },
            Value::Hash(hash) if has_packs && hash.is_packed() => format::HASH_LISTPACK,
            Value::Hash(_) => format::HASH,
            Value::List(_) => self.list_type(),
            Value::Set(set) if set.as_intset().is_some() => format::SET_INTSET,
            Value::Set(set) if has_set_packs && set.as_listpack().is_some() => format::SET_LISTPACK,
            Value::Set(_) => format::SET,
            Value::ZSet(zset) if has_packs && zset.as_pack().is_some() => format::ZSET_LISTPACK,
            Value::ZSet(_) => format::ZSET_2,
            Value::Stream(_) => self.stream_type(),
        }
    }

    fn has_packs(&self) -> bool {
        self.forms.version >= format::OLDEST_LISTPACK_VERSION
    }

    fn has_set_packs(&self) -> bool {
        self.forms.version >= format::OLDEST_SET_LISTPACK_VERSION
    }

    fn list_type(&self) -> u8 {
        if self.has_packs() {
            format::LIST_QUICKLIST_2
        } else {
            format::LIST
        }
    }

    fn stream_type(&self) -> u8 {
        match (self.has_packs(), self.has_set_packs()) {
            (_, true) => format::STREAM_3,
            (true, false) => format::STREAM_2,
            (false, false) => format::STREAM,
        }
    }

    /// As [`Encoder::type_of`], of what was frozen: the same bytes as for the collection at that time.
    pub fn type_of_frozen(&self, frozen: &Frozen) -> u8 {
        match frozen {
            Frozen::Hash(hash) if self.forms.exact && hash.has_expiries() => format::EXACT_TIMED_TABLE,
            Frozen::Hash(hash) if hash.next_due().is_some() => format::HASH_METADATA,
            Frozen::Hash(_) => format::HASH,
            Frozen::List(_) => self.list_type(),
            Frozen::Set(_) => format::SET,
            Frozen::ZSet(_) => format::ZSET_2,
            Frozen::Stream(_) => self.stream_type(),
        }
    }

    /// As [`Encoder::value`], of what was frozen.
    pub fn frozen(&mut self, frozen: &Frozen, breath: Breath<'_>) {
        let rdb_type = self.type_of_frozen(frozen);
        let mut elements = 0_usize;
        let mut count = || {
            elements += 1;
            if elements.is_multiple_of(ELEMENTS_PER_BREATH) {
                breath();
            }
        };
        match frozen {
            Frozen::Hash(hash) if rdb_type == format::HASH => {
                let fields = hash.iter_timed().map(|(field, value, _)| (field, value));
                self.fields(hash.len(), fields.inspect(|_| count()));
            }
            Frozen::Hash(hash) if self.forms.exact => {
                let fields = hash.iter_exact().inspect(|_| count());
                self.timed_fields(rdb_type, hash.next_due(), hash.len(), fields);
            }
            Frozen::Hash(hash) => {
                let fields = hash.iter_timed().inspect(|_| count());
                self.timed_fields(rdb_type, hash.next_due(), hash.len(), fields);
            }
            Frozen::List(list) => self.list(list, rdb_type, breath),
            Frozen::Set(set) => self.members(set.len(), set.iter().inspect(|_| count())),
            Frozen::ZSet(zset) => self.scores(zset.len(), zset.iter_rev().inspect(|_| count())),
            Frozen::Stream(stream) => self.stream(stream, rdb_type, breath),
        }
    }

    /// A collection, without its type byte.
    pub fn value(&mut self, value: &Value) {
        let rdb_type = self.type_of(value);
        match value {
            Value::Hash(hash) => self.hash(hash, rdb_type),
            Value::List(list) => self.list(list, rdb_type, &mut || {}),
            Value::Set(set) => self.set(set, rdb_type),
            Value::ZSet(zset) => self.zset(zset, rdb_type),
            Value::Stream(stream) => self.stream(stream, rdb_type, &mut || {}),
        }
    }

    /// Whether the version of the file can say what is in the value.
    pub fn can_hold(&self, value: &Value) -> bool {
        let expires = matches!(value, Value::Hash(hash) if hash.expiring() > 0);
        !expires || self.forms.has_expiring_fields()
    }

    fn hash(&mut self, hash: &HashValue, rdb_type: u8) {
        match (rdb_type, hash.as_listpack()) {
            (format::HASH_LISTPACK, Some(pack)) => return self.pack(pack),
            (format::HASH_LISTPACK_EX, _) => return self.expiring_pack(hash),
            (format::HASH_METADATA | format::HASH_METADATA_PRE_GA, _) => {
                return self.expiring_fields(hash, rdb_type);
            }
            _ => {}
        }
        self.fields(hash.len(), hash.iter());
    }

    fn fields<'a>(&mut self, len: usize, fields: impl Iterator<Item = (Element<'a>, Element<'a>)>) {
        self.length(len as u64);
        for (field, value) in fields {
            self.element(field);
            self.element(value);
        }
    }

    fn expiring_fields(&mut self, hash: &HashValue, rdb_type: u8) {
        let (next_due, len) = (hash.next_due(), hash.len());
        if self.forms.exact {
            self.timed_fields(rdb_type, next_due, len, hash.iter_exact());
        } else {
            self.timed_fields(rdb_type, next_due, len, hash.iter_timed());
        }
    }

    /// Fields in order, each behind its expiry: 0 for none, else one more than the distance from the earliest. The older
    /// layout has no earliest, and instants as they are.
    fn timed_fields<'a>(
        &mut self,
        rdb_type: u8,
        next_due: Option<i64>,
        len: usize,
        fields: impl Iterator<Item = (Element<'a>, Element<'a>, Option<i64>)>,
    ) {
        let mut base = 1;
        if rdb_type == format::HASH_METADATA {
            base = next_due.unwrap_or(0);
            self.out.extend_from_slice(&base.to_le_bytes());
        }
        self.length(len as u64);
        for (field, value, expire_at) in fields {
            self.length(expire_at.map_or(0, |at| (at - base + 1) as u64));
            self.element(field);
            self.element(value);
        }
    }

    /// One listpack of field, value and expiry in turn, the earliest first; those without one have 0 and come last.
    fn expiring_pack(&mut self, hash: &HashValue) {
        let mut fields: Vec<_> = hash.iter_timed().collect();
        fields.sort_by_key(|(_, _, expire_at)| expire_at.unwrap_or(i64::MAX));
        let mut pack = Listpack::new();
        for (field, value, expire_at) in fields {
            for element in [field, value, Element::Int(expire_at.unwrap_or(0))] {
                pack.insert_packed(pack.end(), element);
            }
        }
        self.out
            .extend_from_slice(&hash.next_due().unwrap_or(0).to_le_bytes());
        self.pack(&pack);
    }

    fn list(&mut self, list: &ListValue, rdb_type: u8, breath: Breath<'_>) {
        if rdb_type == format::LIST {
            self.length(list.len() as u64);
            return list.iter().for_each(|element| self.element(element));
        }
        let packs = list.packs();
        self.length(packs.len() as u64);
        for pack in packs {
            self.length(NODE_PACKED);
            self.pack(pack);
            breath();
        }
    }

    fn set(&mut self, set: &SetValue, rdb_type: u8) {
        match (rdb_type, set.as_intset(), set.as_listpack()) {
            (format::SET_INTSET, Some(ints), _) => self.text(&intset_blob(ints)),
            (format::SET_LISTPACK, _, Some(pack)) => self.pack(pack),
            _ => self.members(set.len(), set.iter()),
        }
    }

    fn members<'a>(&mut self, len: usize, members: impl Iterator<Item = Element<'a>>) {
        self.length(len as u64);
        members.for_each(|member| self.element(member));
    }

    fn zset(&mut self, zset: &ZSetValue, rdb_type: u8) {
        if let (format::ZSET_LISTPACK, Some(pack)) = (rdb_type, zset.as_pack()) {
            return self.pack(pack);
        }
        self.scores(zset.len(), zset.iter_rev());
    }

    /// From the highest score down, which is the cheapest order for a skip list to be built in.
    fn scores<'a>(&mut self, len: usize, members: impl Iterator<Item = (Element<'a>, f64)>) {
        self.length(len as u64);
        for (member, score) in members {
            self.element(member);
            self.out.extend_from_slice(&score.to_le_bytes());
        }
    }

    pub(super) fn pack(&mut self, pack: &Listpack) {
        self.text(pack.as_bytes());
    }
}

fn put_length(out: &mut Vec<u8>, n: u64) {
    match n {
        0..64 => out.push(n as u8),
        64..16_384 => out.extend_from_slice(&[0x40 | (n >> 8) as u8, n as u8]),
        16_384..=0xffff_ffff => {
            out.push(0x80);
            out.extend_from_slice(&(n as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&n.to_be_bytes());
        }
    }
}

fn intset_blob(ints: &IntSet) -> Vec<u8> {
    let width = ints.width();
    let mut blob = Vec::with_capacity(8 + width * ints.len());
    blob.extend_from_slice(&(width as u32).to_le_bytes());
    blob.extend_from_slice(&(ints.len() as u32).to_le_bytes());
    for n in ints.iter() {
        blob.extend_from_slice(&n.to_le_bytes()[..width]);
    }
    blob
}
