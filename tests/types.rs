//! The TypeScript types of the browser package, `wasm/browser/protocol.d.ts`: the file in the repository is what the Rust types say.

use std::path::PathBuf;
use std::{env, fs};

use fulmar_tests::typescript;

#[test]
fn the_typescript_types_are_those_of_the_rust_types() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wasm/browser/protocol.d.ts");
    let expected = typescript::protocol();
    if env::var_os("ACCEPT").is_some() {
        fs::write(&file, &expected).unwrap();
    }
    let present = fs::read_to_string(&file).unwrap_or_default();
    let line = present
        .lines()
        .zip(expected.lines())
        .position(|(present, expected)| present != expected);
    assert!(
        present == expected,
        "wasm/browser/protocol.d.ts is not what the Rust types say (line {line:?}, counted from 0): `ACCEPT=1 cargo test -p \
         fulmar-tests --test types` writes it anew"
    );
}
