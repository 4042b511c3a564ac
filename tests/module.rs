//! `policy.wasm` as a stranger finds it: what it imports and exports, and what it does with wrong addresses and bytes.

use fulmar_core::protocol::Response;
use fulmar_tests::face::{Face, Wasm, policy_wasm};
use fulmar_wasm::abi::ABI_VERSION;
use fulmar_wasm::codec::{Encoding, MESSAGE_BYTES_MAX, decode};
use wasmparser::{Parser, Payload, Validator};
use wasmtime::{Engine, Module};

fn instance() -> Wasm {
    let engine = Engine::default();
    let module = Module::new(&engine, policy_wasm()).unwrap();
    Wasm::new(&engine, &module)
}

fn malformed(bytes: &[u8], encoding: Encoding) -> String {
    match decode(bytes, encoding) {
        Ok(Response::Malformed { message }) => message,
        other => panic!("it was understood: {other:?}"),
    }
}

#[test]
fn it_imports_nothing_and_exports_what_the_abi_says() {
    let wasm = policy_wasm();
    Validator::new().validate_all(&wasm).unwrap();
    let (mut imports, mut exports) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload.unwrap() {
            Payload::ImportSection(section) => imports += section.count(),
            Payload::ExportSection(section) => {
                exports.extend(section.into_iter().map(|export| export.unwrap().name.to_owned()));
            }
            _ => {}
        }
    }
    exports.retain(|name| !["__data_end", "__heap_base"].contains(&name.as_str()));
    exports.sort();
    assert_eq!(imports, 0);
    assert_eq!(
        exports,
        [
            "fulmar_abi_version",
            "fulmar_alloc",
            "fulmar_call",
            "fulmar_free",
            "fulmar_panic",
            "memory"
        ]
    );
}

#[test]
fn it_has_nothing_to_say_of_a_panic_before_there_is_one() {
    let mut wasm = instance();
    wasm.answer_bytes(br#"{"audit":{}}"#, Encoding::Json);
    assert_eq!(wasm.call::<(), u64>("fulmar_panic", ()), 0);
}

#[test]
fn it_says_its_version() {
    assert_eq!(instance().call::<(), u32>("fulmar_abi_version", ()), ABI_VERSION);
}

#[test]
fn an_instance_holds_one_tree_and_another_instance_another() {
    let (mut one, mut other) = (instance(), instance());
    let policy =
        br#"{"insert_policy":{"domain":"a","policy":{"unikernels":0,"memory_mib":0,"cpuids":[],"bridges":[]}}}"#;
    let find = br#"{"find_policy":{"domain":"a"}}"#;
    assert_eq!(one.answer_bytes(policy, Encoding::Json), br#"{"admitted":{}}"#);
    assert_eq!(
        other.answer_bytes(find, Encoding::Json),
        br#"{"policy":{"policy":null}}"#
    );
    let found = String::from_utf8(one.answer_bytes(find, Encoding::Json)).unwrap();
    assert!(found.starts_with(r#"{"policy":{"policy":{"unikernels":0,"#), "{found}");
}

#[test]
fn addresses_and_lengths_that_were_never_handed_out_touch_nothing() {
    let mut wasm = instance();
    let address: u32 = wasm.call("fulmar_alloc", 10_u32);
    for (address, len) in [
        (0_u32, 4_u32),
        (u32::MAX, u32::MAX),
        (address, 11),
        (address + 1, 4),
        (8, 4),
    ] {
        let answer: u64 = wasm.call("fulmar_call", (address, len, Encoding::Json.number()));
        let bytes = wasm.read(answer);
        assert_eq!(
            malformed(&bytes, Encoding::Json),
            "no buffer of that address and length was handed out"
        );
    }
    for address in [0, 1, address, address, u32::MAX] {
        wasm.call::<u32, ()>("fulmar_free", address);
    }
    let answer: u64 = wasm.call("fulmar_call", (address, 1_u32, 7_u32));
    let bytes = wasm.read(answer);
    assert_eq!(
        malformed(&bytes, Encoding::Json),
        "unknown encoding: 0 is bincode, 1 is JSON"
    );
}

#[test]
fn a_buffer_of_no_size_or_above_the_bound_is_not_handed_out() {
    let mut wasm = instance();
    let bound = u32::try_from(MESSAGE_BYTES_MAX).unwrap();
    for len in [0, bound + 1, u32::MAX] {
        assert_eq!(wasm.call::<u32, u32>("fulmar_alloc", len), 0, "{len}");
    }
    assert_ne!(wasm.call::<u32, u32>("fulmar_alloc", bound), 0);
}

#[test]
fn bytes_that_are_no_request_are_answered_and_the_instance_lives_on() {
    let mut wasm = instance();
    for bytes in [
        &b"\0"[..],
        b"{",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        &[0xfd; 64],
        b"null",
        b"[]",
    ] {
        for encoding in Encoding::ALL {
            let answer = wasm.answer_bytes(bytes, encoding);
            assert!(!malformed(&answer, encoding).is_empty());
        }
    }
    let usage = wasm.answer_bytes(br#"{"usage":{"domain":":"}}"#, Encoding::Json);
    assert!(usage.starts_with(br#"{"usage":"#));
}
