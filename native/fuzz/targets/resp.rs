//! Requests and replies of any bytes; batches of a log.
#![no_main]

use holdfast::replica::Batch;
use holdfast::resp::{Progress, Protocol, decode_reply, encode_reply, encode_request, parse_request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Progress::Done(words, _)) = parse_request(bytes) {
        let mut again = Vec::new();
        encode_request(&words, &mut again);
        match parse_request(&again) {
            Ok(Progress::Done(read, used)) => assert!(read == words && used == again.len()),
            other => panic!("{other:?}"),
        }
    }
    if let Ok(Progress::Done(reply, _)) = decode_reply(bytes) {
        let mut again = Vec::new();
        encode_reply(&reply, Protocol::Lossless, &mut again);
        assert!(matches!(decode_reply(&again), Ok(Progress::Done(_, used)) if used == again.len()));
        encode_reply(&reply, Protocol::Resp2, &mut again);
        encode_reply(&reply, Protocol::Resp3, &mut again);
    }
    if let Ok(batch) = Batch::parse(bytes) {
        for run in batch.runs() {
            assert!(run.requests().map(<[u8]>::len).sum::<usize>() <= bytes.len());
        }
    }
});
