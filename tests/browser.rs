//! The browser package in Node: the very same answers as the native core, what only JavaScript can ask, and the types.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fulmar_tests::face::{Face, Native};
use fulmar_tests::{message, trace};
use fulmar_wasm::codec::{Encoding, encode};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

/// # Panics
/// Where Node or the package is missing: a face that nobody looked at is not known to answer the same.
fn node(arguments: &[&str], input: Option<File>) -> Output {
    let package = folder().join("../../wasm/dist/node/fulmar.js");
    assert!(
        package.is_file(),
        "{} is not there: `cargo xtask wasm` builds it",
        package.display()
    );
    let mut command = Command::new("node");
    command.args(arguments).current_dir(folder());
    if let Some(input) = input {
        command.stdin(input);
    }
    command.output().unwrap_or_else(|error| {
        panic!("`node` cannot be run: {error}: install Node 20 or newer, for instance `apt-get install nodejs`")
    })
}

fn words(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// What the package answers to each line.
fn answers(lines: &[String]) -> Vec<String> {
    let mut input = tempfile::tempfile().unwrap();
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    input.rewind().unwrap();
    let output = node(&["answer.mjs"], Some(input));
    assert!(output.status.success(), "{}", words(&output));
    let answers: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(answers.len(), lines.len());
    answers
}

#[test]
fn the_recorded_traces_get_the_same_answers_byte_for_byte() {
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    for trace in trace::recorded() {
        let mut native = Native::default();
        lines.push(String::new());
        expected.push(String::new());
        for operation in &trace.ops {
            let text = encode(&operation.attempt.request(), Encoding::Json);
            expected.push(String::from_utf8(native.answer_bytes(&text, Encoding::Json)).unwrap());
            lines.push(String::from_utf8(text).unwrap());
        }
    }
    assert_eq!(lines.len(), 60 * 61);
    for ((line, answer), expected) in lines.iter().zip(answers(&lines)).zip(expected) {
        assert_eq!(answer, expected, "{line}");
    }
}

/// What JavaScript answers otherwise: its numbers are not exact beyond 2^53. With the error's message.
const OTHERWISE: [(&str, &str); 1] = [(
    r#"{"check_block":{"name":"a:d","size_mib":18446744073709551615}}"#,
    "the number `18446744073709552000` is too large",
)];

/// But for texts that are no JSON: they are no value to ask about.
#[test]
fn the_recorded_messages_get_the_same_answers_byte_for_byte() {
    let recorded = message::recorded();
    let messages = recorded.iter().filter(|message| {
        message
            .asked()
            .is_none_or(|text| serde_json::from_str::<Value>(text).is_ok())
    });
    let (lines, expected): (Vec<_>, Vec<_>) = messages
        .map(|message| {
            let line = message.asked().unwrap_or_default().replace('\n', " ");
            (line, message.response().unwrap_or_default().to_owned())
        })
        .unzip();
    for ((line, answer), expected) in lines.iter().zip(answers(&lines)).zip(&expected) {
        let otherwise = OTHERWISE.iter().find(|(text, _)| *text == line.replace(": ", ":"));
        match otherwise
            .map(|(_, message)| (*message).to_owned())
            .or_else(|| malformed(expected))
        {
            Some(sentence) => assert_thrown(&answer, &sentence, line),
            None => assert_eq!(&answer, expected, "{line}"),
        }
    }
}

fn malformed(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer["malformed"]["message"].as_str().map(str::to_owned)
}

/// An error says what the JSON decoder says, but for where: a value has no lines and columns.
fn assert_thrown(answer: &str, sentence: &str, line: &str) {
    let thrown: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(thrown["code"], "malformed", "{answer} to {line}");
    let message = thrown["message"].as_str().unwrap();
    let expected = sentence.split(" at line ").next().unwrap_or_default();
    assert_eq!(message, expected, "{line}");
}

#[test]
fn values_are_read_as_json_is_and_errors_are_errors() {
    let output = node(&["--test-reporter=spec", "values.mjs"], None);
    let words = words(&output);
    assert!(output.status.success(), "{words}");
    println!("{words}");
}

/// Where TypeScript is installed (`npm ci` in `tests/browser`): the types are right, and wrong requests are found.
#[test]
fn the_types_hold() {
    let compiler = folder().join("node_modules/typescript/bin/tsc");
    if !compiler.is_file() {
        eprintln!("SKIPPED: TypeScript is not installed: `npm ci` in tests/browser installs it");
        return;
    }
    let output = node(&["node_modules/typescript/bin/tsc", "--project", "."], None);
    assert!(output.status.success(), "{}", words(&output));
}
