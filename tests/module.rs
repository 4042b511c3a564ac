//! `policy.wasm` as a stranger finds it: what it imports and exports, and what it does with wrong addresses and bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Each as it would be read if it were believed: gigabytes of facts, steps, CPUs or text.
const LIES: [&[u8]; 6] = [
    b"\x0d\xfd\0\0\0\0\0\0\0\x10",                    // load: 2^60 facts
    b"\x13\xfd\0\0\0\0\0\0\0\x10",                    // plan: 2^60 steps
    b"\x15\x01\xfd\0\0\0\0\0\0\0\x10",                // restore: version 1, 2^60 facts
    b"\x0b\xfd\0\0\0\0\0\0\0\x10",                    // find_policy: a path of 2^60 bytes
    b"\x0b\xfc\xff\xff\xff\x03",                      // … and one of 64 MiB
    b"\x06\x01a\x01\x01\0\xfd\0\0\0\0\0\0\0\x10aaaa", // check_policy: 2^60 CPUs
];

#[test]
fn hostile_bytes_are_refused_without_more_memory() {
    let mut wasm = instance();
    // The first call makes what the instance has once.
    wasm.answer_bytes(br#"{"audit":{}}"#, Encoding::Json);
    let deep = b"[".repeat(1 << 20);
    let deep_in_place = [br#"{"load":{"facts":"#, &*deep].concat();
    let deep_fields = br#"{"load":"#.repeat(1 << 17);
    let json = [
        &*deep,
        &*deep_in_place,
        &*deep_fields,
        b"{\"load\":{\"facts\":[{\"policy\"",
    ];
    let lies = LIES.map(|bytes| (bytes, Encoding::Bincode));
    for (bytes, encoding) in lies.into_iter().chain(json.map(|bytes| (bytes, Encoding::Json))) {
        let address = wasm.buffer(bytes);
        let before = wasm.memory_bytes();
        let len = u32::try_from(bytes.len()).unwrap();
        let answer: u64 = wasm.call("fulmar_call", (address, len, encoding.number()));
        assert_eq!(
            wasm.memory_bytes(),
            before,
            "{}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
        );
        let answer = wasm.read(answer);
        assert!(!malformed(&answer, encoding).is_empty());
        wasm.call::<u32, ()>("fulmar_free", address);
    }
}

#[test]
fn a_message_cut_short_is_refused_without_more_memory() {
    let snapshot = include_bytes!("vectors/snapshot-1.bincode");
    let whole = [&[21], &snapshot[..]].concat(); // restore
    let mut wasm = instance();
    wasm.answer_bytes(&whole, Encoding::Bincode);
    let (bytes, empty) = (wasm.memory_bytes(), b"\x15\x01\0");
    wasm.answer_bytes(empty, Encoding::Bincode);
    for end in 0..whole.len() {
        if end > 0 {
            malformed(&wasm.answer_bytes(&whole[..end], Encoding::Bincode), Encoding::Bincode);
        }
    }
    assert_eq!(wasm.memory_bytes(), bytes);
    let left = wasm.answer_bytes(br#"{"snapshot":{}}"#, Encoding::Json);
    assert_eq!(left, br#"{"snapshot":{"snapshot":{"version":1,"facts":[]}}}"#);
}

/// In bytes: both travel to browsers.
const POLICY_WASM_GZIPPED_MAX: usize = 100_000;
const PACKAGE_GZIPPED_MAX: usize = 130_000;

#[test]
fn what_travels_is_small() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm/dist");
    let of_package = |folder: &str| {
        ["fulmar.js", "fulmar_bg.wasm"]
            .map(|file| dist.join(folder).join(file))
            .to_vec()
    };
    for (files, bound) in [
        (vec![dist.join("policy.wasm")], POLICY_WASM_GZIPPED_MAX),
        (of_package("browser"), PACKAGE_GZIPPED_MAX),
        (of_package("node"), PACKAGE_GZIPPED_MAX),
    ] {
        let Some(bytes) = files.iter().map(gzipped).sum::<Option<usize>>() else {
            eprintln!("SKIPPED: there is no `gzip` to see how small {} is", files[0].display());
            return;
        };
        assert!(
            bytes <= bound,
            "{}: {bytes} bytes gzipped, at most {bound}",
            files[0].display()
        );
    }
}

fn gzipped(file: &PathBuf) -> Option<usize> {
    assert!(
        file.is_file(),
        "{} is not there: `cargo xtask wasm` builds it",
        file.display()
    );
    let output = Command::new("gzip").args(["-9", "-c"]).arg(file).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout.len())
}
