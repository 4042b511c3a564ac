//! What is made from the Rust types of the protocol and kept in the repository: the TypeScript types of the browser package, and the JSON
//! Schemas of requests and responses. `ACCEPT=1 cargo test -p fulmar-tests --test types` makes them anew.

use std::path::PathBuf;
use std::{env, fs};

use fulmar_core::protocol::{Request, Response};
use fulmar_tests::typescript;
use schemars::generate::SchemaSettings;

/// Compares a file in `wasm/` with what the types say; writes it where that is accepted.
fn assert_kept(file: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wasm").join(file);
    if env::var_os("ACCEPT").is_some() {
        fs::write(&path, expected).expect("the file can be written");
    }
    let present = fs::read_to_string(&path).unwrap_or_default();
    let differs = present
        .lines()
        .zip(expected.lines())
        .position(|(present, expected)| present != expected);
    assert!(
        present == expected,
        "wasm/{file} is not what the Rust types say (line {differs:?}, counted from 0): `ACCEPT=1 cargo test -p fulmar-tests --test \
         types` writes it anew"
    );
}

#[test]
fn the_typescript_types_are_those_of_the_rust_types() {
    assert_kept("browser/protocol.d.ts", &typescript::protocol());
}

#[test]
fn the_json_schemas_are_those_of_the_rust_types() {
    let asked = SchemaSettings::draft2020_12().for_deserialize();
    let answered = SchemaSettings::draft2020_12().for_serialize();
    for (file, schema) in [
        (
            "schema/request.json",
            asked.into_generator().into_root_schema_for::<Request>(),
        ),
        (
            "schema/response.json",
            answered.into_generator().into_root_schema_for::<Response>(),
        ),
    ] {
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
        assert_kept(file, &(text + "\n"));
    }
}
