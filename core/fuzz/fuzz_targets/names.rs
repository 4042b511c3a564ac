//! Bytes as text: every name is read as the plainest reading of the grammar says, and what was read is written back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/rules/grammar.rs"]
mod grammar;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    grammar::assert_read_as_the_grammar_says(&text);
    // The first space cuts the text in two, to be compared with each other.
    if let Some((one, other)) = text.split_once(' ') {
        grammar::assert_ordered_by_labels(one, other);
    }
});
