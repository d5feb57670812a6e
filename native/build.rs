//! Sets the linker up for a Node-API addon when the `node` feature is on.

fn main() {
    #[cfg(feature = "node")]
    {
        napi_build::setup();
        // A worker thread that ends may unload the addon while a thread of the addon's own is still running.
        if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
    }
}
