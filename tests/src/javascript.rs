//! What any JavaScript must answer to the recordings: Node's package, and the page in a browser.
//!
//! Owns the lines that are asked and what is pinned to be answered otherwise. How they are asked is the test's.

use fulmar_wasm::codec::{Encoding, encode};
use serde_json::Value;

use crate::face::{Face, Native};
use crate::{message, trace};

/// A request a line, as JSON text; an empty line begins a new tree. And what is answered natively.
#[must_use]
pub fn traces() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for trace in trace::recorded() {
        let mut native = Native::default();
        lines.push((String::new(), String::new()));
        for operation in &trace.ops {
            let text = encode(&operation.attempt.request(), Encoding::Json);
            let answer = native.answer_bytes(&text, Encoding::Json);
            lines.push((utf8(&text), utf8(&answer)));
        }
    }
    lines
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What JavaScript answers otherwise: its numbers are not exact beyond 2^53. With the error's message.
const OTHERWISE: [(&str, &str); 1] = [(
    r#"{"check_block":{"name":"a:d","size_mib":18446744073709551615}}"#,
    "the number `18446744073709552000` is too large",
)];

/// The recorded messages, but for texts that are no JSON: they are no value to ask about.
#[must_use]
pub fn messages() -> Vec<(String, String)> {
    let recorded = message::recorded();
    let messages = recorded.iter().filter(|message| {
        message
            .asked()
            .is_none_or(|text| serde_json::from_str::<Value>(text).is_ok())
    });
    messages
        .map(|message| {
            let line = message.asked().unwrap_or_default().replace('\n', " ");
            (line, message.response().unwrap_or_default().to_owned())
        })
        .collect()
}

/// Holds answers to what is recorded, or to what is pinned.
///
/// # Panics
/// Where one of them is another.
pub fn assert_answered(messages: &[(String, String)], answers: &[String]) {
    assert_eq!(answers.len(), messages.len());
    for ((line, expected), answer) in messages.iter().zip(answers) {
        let otherwise = OTHERWISE.iter().find(|(text, _)| *text == line.replace(": ", ":"));
        match otherwise
            .map(|(_, message)| (*message).to_owned())
            .or_else(|| malformed(expected))
        {
            Some(sentence) => assert_thrown(answer, &sentence, line),
            None => assert_eq!(answer, expected, "{line}"),
        }
    }
}

fn malformed(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer["malformed"]["message"].as_str().map(str::to_owned)
}

/// An error says what the JSON decoder says, but for where: a value has no lines and columns.
fn assert_thrown(answer: &str, sentence: &str, line: &str) {
    let thrown: Value = serde_json::from_str(answer).expect("an error as JSON");
    assert_eq!(thrown["code"], "malformed", "{answer} to {line}");
    let expected = sentence.split(" at line ").next().unwrap_or_default();
    assert_eq!(thrown["message"].as_str(), Some(expected), "{line}");
}
