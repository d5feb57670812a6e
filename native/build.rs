//! Sets the linker up for a Node-API addon when the `node` feature is on, and says where the heap is prepared (`src/heap`).

fn main() {
    let is_set = |name: &str| std::env::var_os(format!("CARGO_CFG_{name}")).is_some();
    let own_heap = !["FUZZING", "HOLDFAST_SYSTEM_HEAP", "MIRI"]
        .into_iter()
        .any(is_set);
    let has = |name: &str, values: &[&str]| {
        std::env::var(format!("CARGO_CFG_{name}")).is_ok_and(|value| values.contains(&value.as_str()))
    };
    if own_heap && has("TARGET_OS", &["linux"]) && has("TARGET_ARCH", &["x86_64", "aarch64"]) {
        println!("cargo:rustc-cfg=prepared_heap");
    }
    #[cfg(feature = "node")]
    {
        napi_build::setup();
        // A worker thread that ends may unload the addon while a thread of the addon's own is still running.
        if has("TARGET_OS", &["linux"]) {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
    }
}
