//! The wire format of requests and replies.
