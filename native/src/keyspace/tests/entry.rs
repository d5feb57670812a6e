use super::*;

#[test]
fn a_string_survives_every_change_of_expiry_and_length() {
    let mut entry = Entry::string(b"key", b"value", None);
    for expire_at in [Some(5), Some(6), None, Some(7)] {
        entry.set_expiry(expire_at);
        assert_eq!(
            (entry.key(), entry.bytes(), entry.expire_at()),
            (&b"key"[..], Some(&b"value"[..]), expire_at)
        );
    }
    for len in [0, 1, 8, 7, 100, 5000, 3] {
        let value = vec![b'x'; len];
        entry.overwrite(&value, Some(len as i64));
        assert_eq!(
            (entry.bytes(), entry.expire_at()),
            (Some(&value[..]), Some(len as i64))
        );
    }
    assert_eq!(entry.patch(5, b"yz"), 7);
    assert_eq!(entry.bytes(), Some(&b"xxx\0\0yz"[..]));
    assert!(entry.is_ascii() && entry.is_raw());
    entry.patch(0, &[200]);
    assert!(!entry.is_ascii());
    let entry = entry.rename(b"other key");
    assert_eq!((entry.key(), entry.is_raw()), (&b"other key"[..], true));
}

#[test]
fn a_string_is_edited_where_it_is() {
    let mut entry = Entry::string(b"k", b"ab", Some(9));
    entry.edit(1, |bytes| bytes[0] = 200);
    assert_eq!(entry.bytes(), Some(&b"\xc8b"[..]));
    assert!(!entry.is_ascii() && entry.is_raw());
    assert_eq!(entry.edit(5000, |bytes| bytes.len()), 5000);
    let bytes = entry.bytes().unwrap();
    assert!(bytes[2..].iter().all(|&byte| byte == 0));
    assert_eq!((&bytes[..2], entry.expire_at()), (&b"\xc8b"[..], Some(9)));
}

#[test]
fn appending_byte_by_byte_keeps_the_content() {
    let mut entry = Entry::string(b"k", b"", None);
    for i in 0..3000 {
        assert_eq!(entry.patch(i, &[b'a' + (i % 26) as u8]), i + 1);
    }
    let bytes = entry.bytes().unwrap();
    assert!(bytes.iter().enumerate().all(|(i, &b)| b == b'a' + (i % 26) as u8));
}

#[test]
fn lengths_beyond_the_header_stand_behind_it() {
    const MIB: usize = 1 << 20;
    for (key_len, value_len) in [(16_383, 5), (16_384, 5), (3, MIB - 1), (3, MIB), (50_000, MIB)] {
        let (key, value) = (vec![b'k'; key_len], vec![b'v'; value_len]);
        let mut entry = Entry::string(&key, &value, Some(7));
        entry.set_access(0xabcdef);
        assert_eq!((entry.key(), entry.bytes()), (&key[..], Some(&value[..])));
        assert_eq!(entry.patch(value_len, b"xyz"), value_len + 3);
        assert_eq!(&entry.bytes().unwrap()[value_len..], b"xyz");
        assert_eq!((entry.key(), entry.expire_at()), (&key[..], Some(7)));
        assert!(entry.is_raw() && entry.is_ascii());
        entry.set_expiry(None);
        entry.set_expiry(Some(8));
        assert_eq!((entry.expire_at(), entry.key()), (Some(8), &key[..]));
        entry.overwrite(b"short", None);
        assert_eq!((entry.key(), entry.bytes()), (&key[..], Some(&b"short"[..])));
        assert_eq!(entry.access(), 0xabcdef);
    }
}

#[test]
fn access_survives_every_change() {
    let mut entry = Entry::string(b"key", b"value", None);
    assert_eq!(entry.access(), 0);
    entry.set_access(0xff_ff01);
    entry.overwrite(b"other", None);
    entry.overwrite(&[b'x'; 300], Some(9));
    entry.set_expiry(None);
    entry.patch(400, b"end");
    let entry = entry.rename(b"name");
    assert_eq!((entry.access(), entry.key()), (0xff_ff01, &b"name"[..]));
    assert_eq!(entry.bytes().map(<[u8]>::len), Some(403));
}

#[test]
fn a_collection_moves_with_its_entry() {
    let value = Box::new(Value::Hash(Default::default()));
    let mut entry = Entry::collection(b"h", value, None);
    entry.set_expiry(Some(1));
    let entry = entry.rename(b"g");
    assert!(entry.value().is_some() && entry.bytes().is_none() && entry.expire_at() == Some(1));
    assert!(entry.value().is_some());
}

#[test]
fn another_key_leaves_a_long_string_where_it_is() {
    let value: Vec<u8> = (0..3 << 20).map(|i| (i >> 7) as u8).collect();
    let mut entry = Entry::string(b"key", &value, Some(5));
    entry.set_access(7);
    let place = entry.bytes().unwrap().as_ptr();
    for key in [&b"another key"[..], b"", &[b'k'; 5000], b"short"] {
        entry = entry.rename(key);
        assert_eq!(
            (entry.key(), entry.expire_at(), entry.access()),
            (key, Some(5), 7)
        );
        assert!(entry.bytes() == Some(&value[..]));
        assert_eq!(entry.bytes().unwrap().as_ptr(), place);
    }
    // A key may be what makes an entry long.
    let entry = Entry::string(b"key", b"value", None).rename(&[b'k'; 40_000]);
    assert_eq!(
        (entry.key(), entry.bytes()),
        (&[b'k'; 40_000][..], Some(&b"value"[..]))
    );
    let entry = entry.rename(&[b'l'; 50_000]).rename(b"key");
    assert_eq!((entry.key(), entry.bytes()), (&b"key"[..], Some(&b"value"[..])));
}

#[test]
fn a_long_string_is_overwritten_and_lengthened_where_it_is() {
    const LEN: usize = 2 << 20;
    let mut entry = Entry::string(b"key", &vec![b'a'; LEN], None);
    for (byte, len) in [
        (b'b', LEN + 5),
        (b'c', LEN + 1),
        (b'd', LEN + 2),
        (b'e', LEN - 3000),
    ] {
        let value = vec![byte; len];
        entry.overwrite(&value, None);
        assert!(entry.key() == b"key" && entry.bytes() == Some(&value[..]));
    }
    entry.patch(LEN, b"end");
    let bytes = entry.bytes().unwrap();
    assert!(bytes[..LEN - 3000].iter().all(|&byte| byte == b'e'));
    assert!(bytes[LEN - 3000..LEN].iter().all(|&byte| byte == 0));
    assert_eq!((&bytes[LEN..], entry.key()), (&b"end"[..], &b"key"[..]));
}

#[test]
fn a_changed_copy_is_ascii_or_not_by_what_came_out() {
    let upper = |bytes: &mut [u8]| {
        bytes.make_ascii_uppercase();
        Ok::<(), ()>(())
    };
    let entry = Entry::changed_string(b"to", b"text", 6, upper).unwrap();
    assert_eq!((entry.key(), entry.bytes()), (&b"to"[..], Some(&b"TEXT\0\0"[..])));
    assert!(entry.is_ascii());
    let entry = Entry::changed_string(b"to", b"\xff", 0, upper).unwrap();
    assert!(entry.bytes() == Some(b"\xff") && !entry.is_ascii());
    assert!(Entry::changed_string(b"to", b"text", 6, |_| Err(5)).is_err_and(|error| error == 5));
}
