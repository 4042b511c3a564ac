//! Finds the policy module that the daemon embeds, or says which command makes it.

use std::env;
use std::path::PathBuf;

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let module = manifest.join("../wasm/dist/policy.wasm");
    println!("cargo::rerun-if-changed={}", module.display());
    if module.is_file() {
        println!("cargo::rustc-env=FULMAR_POLICY_WASM={}", module.display());
    } else {
        println!("cargo::error=wasm/dist/policy.wasm is not there yet: `cargo xtask wasm` builds it");
    }
}
