//! Copies of collections for COPY: the same elements in the same order and encoding.

use crate::value::{Collection, HashValue, ListValue, SetValue, Value, ZSetValue};

pub(super) fn duplicate(value: &Value) -> Value {
    match value {
        Value::Hash(hash) => hash_of(hash).into_value(),
        Value::List(list) => {
            let mut copy = ListValue::default().limited(list.limits());
            list.iter().for_each(|element| copy.push_back(&element.to_cow()));
            copy.into_value()
        }
        Value::Set(set) => set_of(set).into_value(),
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

fn hash_of(hash: &HashValue) -> HashValue {
    let mut copy = match (hash.has_expiries(), hash.is_packed()) {
        (true, packed) => HashValue::with_expiries(packed),
        (false, true) => HashValue::packed(),
        (false, false) => HashValue::table(),
    }
    .limited(hash.limits());
    for (field, value, expire_at) in hash.iter_timed() {
        let field = field.to_cow();
        copy.set(&field, &value.to_cow());
        if expire_at.is_some() {
            copy.set_expiry(&field, expire_at);
        }
    }
    copy
}

fn set_of(set: &SetValue) -> SetValue {
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
