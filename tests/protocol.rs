//! The examples of `wasm/PROTOCOL.md`, run: what the page says is what is answered.

use std::fs;
use std::path::Path;

use fulmar_tests::face::{Face, Native};
use fulmar_wasm::codec::Encoding;
use serde_json::Value;
use serde_json::value::RawValue;

/// The blocks of the page that are JSON: a request and its answer each.
fn examples(page: &str) -> Vec<[&RawValue; 2]> {
    let blocks = page
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let pair = |block| {
        let values = serde_json::Deserializer::from_str(block).into_iter::<&RawValue>();
        let values: Vec<_> = values
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error}: {block}"));
        values
            .try_into()
            .unwrap_or_else(|_| panic!("not a request and its answer: {block}"))
    };
    blocks.map(pair).collect()
}

#[test]
fn the_examples_of_the_protocols_page_are_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm/PROTOCOL.md");
    let page = fs::read_to_string(page).expect("the page");
    let mut native = Native::default();
    let examples = examples(&page);
    assert!(examples.len() >= 22, "an example of every request");
    for [request, expected] in examples {
        let answer = native.answer_bytes(request.get().as_bytes(), Encoding::Json);
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let expected: Value = serde_json::from_str(expected.get()).expect("JSON");
        assert_eq!(answer, expected, "{request}");
    }
}
