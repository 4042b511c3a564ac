//! Snapshots of every version that was ever written, read by every face (the browser package's turn is in `browser/values.mjs`).
//!
//! `vectors/snapshot-1.bincode` was written by the module when version 1 was new; it is never recorded anew.

use std::path::Path;

use fulmar_core::protocol::{Request, Snapshot};
use fulmar_tests::face::{Face, Native, Wasm, policy_wasm};
use fulmar_wasm::codec::{Encoding, decode, encode};
use wasmtime::{Engine, Module};

/// Each as bytes, and as JSON text.
fn written() -> [(Vec<u8>, String); 1] {
    [1].map(|version| {
        let file = |ending| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vectors/snapshot-{version}.{ending}"));
        let json = std::fs::read_to_string(file("json")).expect("the JSON text");
        (
            std::fs::read(file("bincode")).expect("the bytes"),
            json.trim_end().to_owned(),
        )
    })
}

/// The position of `restore` among the requests, as bincode writes it.
const RESTORE: u8 = 21;

fn restores(new_face: impl Fn() -> Box<dyn Face>) {
    for (bytes, json) in written() {
        let by_bincode = [&[RESTORE], &*bytes].concat();
        let by_json = format!(r#"{{"restore":{json}}}"#).into_bytes();
        for (request, encoding) in [(by_bincode, Encoding::Bincode), (by_json, Encoding::Json)] {
            let mut face = new_face();
            let admitted = face.answer_bytes(&request, encoding);
            assert_eq!(
                decode(&admitted, encoding),
                Ok(fulmar_core::protocol::Response::Admitted {})
            );
            let held = face.answer_bytes(br#"{"snapshot":{}}"#, Encoding::Json);
            assert_eq!(String::from_utf8(held).unwrap(), format!(r#"{{"snapshot":{json}}}"#));
        }
    }
}

#[test]
fn the_native_core_restores_every_version() {
    restores(|| Box::new(Native::default()));
}

#[test]
fn policy_wasm_restores_every_version() {
    let engine = Engine::default();
    let module = Module::new(&engine, policy_wasm()).unwrap();
    restores(|| Box::new(Wasm::new(&engine, &module)));
}

#[test]
fn the_newest_is_written_as_it_was_recorded() {
    let (bytes, _) = written().into_iter().next_back().unwrap();
    let snapshot: Snapshot = decode(&bytes, Encoding::Bincode).unwrap();
    let tree = snapshot.clone().restored().unwrap();
    assert_eq!(encode(&Snapshot::of(&tree), Encoding::Bincode), bytes);
    let request = encode(&Request::Restore { snapshot }, Encoding::Bincode);
    assert_eq!(request, [&[RESTORE], &*bytes].concat());
}
