//! Sets the linker up for a Node-API addon when the `node` feature is on.

fn main() {
    #[cfg(feature = "node")]
    napi_build::setup();
}
