//! A payload of any bytes, under a valid checksum, is refused or a value that can be dumped and restored again.
#![no_main]

use holdfast::command::execute;
use holdfast::keyspace::Keyspace;
use holdfast::rdb::payload::seal;
use holdfast::reply::Reply;
use libfuzzer_sys::fuzz_target;

const VERSION: u16 = 11;

fn restore(payload: &[u8]) -> Option<Keyspace> {
    let keyspace = Keyspace::with_log_clock(0);
    execute(&keyspace, &[b"RESTORE", b"k", b"0", payload], 0, 0).ok()?;
    keyspace.verify();
    Some(keyspace)
}

fuzz_target!(|body: &[u8]| {
    let Some(keyspace) = restore(&seal(body.to_vec(), VERSION)) else {
        return;
    };
    match execute(&keyspace, &[b"DUMP", b"k"], 0, 0) {
        Ok(Reply::Bulk(payload)) => {
            let again = restore(&payload).expect("its own payload can be restored");
            assert_eq!(keyspace.digest(), again.digest());
        }
        Ok(Reply::Null) => assert_eq!(keyspace.statistics().keys, 0),
        other => panic!("{other:?}"),
    }
});
