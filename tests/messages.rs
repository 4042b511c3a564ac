//! The recorded messages through every face: the very answers recorded, byte for byte as JSON.
//!
//! `FULMAR_ACCEPT=1 cargo test -p fulmar-tests --test messages` records the native answers anew, to be read in the difference.

use std::collections::BTreeSet;
use std::fs;

use fulmar_core::protocol::{Request, Response};
use fulmar_tests::face::{Face, Native, Wasm, policy_wasm};
use fulmar_tests::message::{file, recorded};
use fulmar_wasm::codec::{Encoding, decode, encode};
use wasmtime::{Engine, Module};

/// Asks a new face for every tree, and compares its answers with the recorded ones.
fn compare(new_face: impl Fn() -> Box<dyn Face>, ask: impl Fn(&mut dyn Face, &str) -> Option<String>) {
    let mut face = new_face();
    for (number, line) in recorded().iter().enumerate() {
        match line.asked() {
            None => face = new_face(),
            Some(asked) => {
                if let Some(answer) = ask(&mut *face, asked) {
                    assert_eq!(Some(&*answer), line.response(), "line {}: {asked}", number + 1);
                }
            }
        }
    }
}

fn as_json(face: &mut dyn Face, asked: &str) -> Option<String> {
    let answer = face.answer_bytes(asked.as_bytes(), Encoding::Json);
    Some(String::from_utf8(answer).expect("JSON is UTF-8"))
}

/// Through bincode there and back; what is no request cannot be carried so.
fn by_bincode(face: &mut dyn Face, asked: &str) -> Option<String> {
    let request: Request = decode(asked.as_bytes(), Encoding::Json).ok()?;
    let answer = encode(&face.ask(&request, Encoding::Bincode), Encoding::Json);
    Some(String::from_utf8(answer).expect("JSON is UTF-8"))
}

fn accept() {
    let (mut lines, mut native) = (recorded(), Native::default());
    for line in &mut lines {
        match line.asked().map(str::to_owned) {
            None => native = Native::default(),
            Some(asked) => line.record(&as_json(&mut native, &asked).expect("an answer")),
        }
    }
    let text: String = lines
        .iter()
        .map(|line| serde_json::to_string(line).expect("JSON") + "\n")
        .collect();
    fs::write(file(), text).expect("the recording can be written");
}

#[test]
fn the_native_core_gives_the_recorded_answers() {
    if std::env::var_os("FULMAR_ACCEPT").is_some() {
        accept();
    }
    compare(|| Box::new(Native::default()), as_json);
    compare(|| Box::new(Native::default()), by_bincode);
}

#[test]
fn policy_wasm_gives_the_recorded_answers_in_both_encodings() {
    let engine = Engine::default();
    let module = Module::new(&engine, policy_wasm()).unwrap();
    compare(|| Box::new(Wasm::new(&engine, &module)), as_json);
    compare(|| Box::new(Wasm::new(&engine, &module)), by_bincode);
}

/// The first field of an object, which says what kind of message it is.
fn kind(json: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    value.as_object()?.keys().next().cloned()
}

/// Every text that stands behind `"code":`.
fn codes(json: &str) -> impl Iterator<Item = &str> {
    json.split("\"code\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

#[test]
fn every_request_every_answer_and_every_reason_is_among_them() {
    let (mut requests, mut responses, mut reasons) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let lines = recorded();
    assert!(lines.iter().filter(|line| line.asked().is_some()).count() >= 200);
    for line in &lines {
        let (Some(asked), Some(response)) = (line.asked(), line.response()) else {
            continue;
        };
        responses.extend(kind(response));
        reasons.extend(codes(response).map(str::to_owned));
        if decode::<Request>(asked.as_bytes(), Encoding::Json).is_ok() {
            requests.extend(kind(asked));
        }
        // The recording holds answers, not just texts.
        decode::<Response>(response.as_bytes(), Encoding::Json).expect("an answer");
    }
    assert_eq!(
        requests.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "audit",
            "check_block",
            "check_policy",
            "check_unikernel",
            "find_block",
            "find_policy",
            "find_unikernel",
            "handed_on",
            "headroom",
            "how_many_fit",
            "insert_block",
            "insert_policy",
            "insert_unikernel",
            "load",
            "plan",
            "remove_block",
            "remove_policy",
            "remove_unikernel",
            "restore",
            "snapshot",
            "usage",
            "walk",
        ]
    );
    assert_eq!(
        responses.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "admitted",
            "audit",
            "block",
            "domains",
            "fit",
            "handed_on",
            "headroom",
            "malformed",
            "plan",
            "policy",
            "refused",
            "snapshot",
            "unikernel",
            "usage",
        ]
    );
    let by_name = [
        "block-active",
        "block-exists",
        "block-twice",
        "block-unknown",
        "policy-unknown",
        "uncountable",
        "unikernel-exists",
        "unikernel-unknown",
    ];
    // Policies have no block limit that a unikernel could exceed, but each limit can be exceeded in each of these ways.
    let by_limit = ["exceeds", "in-use", "narrower", "uses", "wider"]
        .into_iter()
        .flat_map(|way| ["block", "bridges", "cpuids", "memory", "unikernels"].map(|limit| format!("{way}-{limit}")));
    let every: BTreeSet<String> = by_name.into_iter().map(str::to_owned).chain(by_limit).collect();
    assert_eq!(reasons, every);
}
