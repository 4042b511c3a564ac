//! The browser package in Node: the very same answers as the native core, what only JavaScript can ask, and the types.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fulmar_tests::javascript;

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
fn answers(lines: &[(String, String)]) -> Vec<String> {
    let mut input = tempfile::tempfile().unwrap();
    for (line, _) in lines {
        writeln!(input, "{line}").unwrap();
    }
    input.rewind().unwrap();
    let output = node(&["answer.mjs"], Some(input));
    assert!(output.status.success(), "{}", words(&output));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_recorded_traces_get_the_same_answers_byte_for_byte() {
    let traces = javascript::traces();
    assert_eq!(traces.len(), 60 * 61);
    javascript::assert_answered(&traces, &answers(&traces));
}

#[test]
fn the_recorded_messages_get_the_same_answers_byte_for_byte() {
    let messages = javascript::messages();
    javascript::assert_answered(&messages, &answers(&messages));
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
