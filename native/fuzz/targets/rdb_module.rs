//! Values and metadata of modules, and metadata of keys: rows of tagged pieces that nobody here understands.
#![no_main]

use holdfast::rdb::parts::reseal;
use holdfast_fuzz::rdb::check_file;
use libfuzzer_sys::fuzz_target;

/// What may stand in front of the pieces: a key and its module, a module's metadata, a key's metadata.
const HEADS: [&[u8]; 3] = [
    b"REDIS0012\x07\x01m\x81ABCDEFGH",
    b"REDIS0012\xf7\x81ABCDEFGH\x02\x01",
    b"REDIS0013\xf3\x01abcd",
];
const KEY: &[u8] = b"\0\x01k\x01v\xff";

fuzz_target!(|pieces: &[u8]| {
    for head in HEADS {
        let mut file = [head, pieces, &[0], KEY, &[0; 8]].concat();
        reseal(&mut file);
        check_file(&file);
    }
});
