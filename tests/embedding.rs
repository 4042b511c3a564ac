//! The examples for embedders, `wasm/embedding/`: each previews the plan beside it, and says the same.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fulmar_tests::face::policy_wasm;

/// The release that is tried; any newer one should do as well.
const PYTHON_WASMTIME: &str = "wasmtime==50.0.1";

const EXPECTED: &str = "\
admitted: insert_policy alice
admitted: insert_policy alice:bob
admitted: insert_policy alice:charlie
admitted: insert_unikernel alice:bob:one
admitted: insert_unikernel alice:charlie:one
refused: insert_unikernel alice:charlie:two
  memory: `alice:charlie` allows 512 MiB, 64 in use, 512 asked: over by 64 MiB
  cpuids: `alice:charlie` allows 0; not 1
  unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1
  memory: `alice` allows 512 MiB, 128 in use, 512 asked: over by 128 MiB
  cpuids: `alice` allows 0; not 1
";

fn wasm_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm")
}

fn assert_previews(program: &Path, example: &str) {
    // It names what is missing.
    let _ = policy_wasm();
    let folder = wasm_folder();
    let output = Command::new(program)
        .arg(folder.join("embedding").join(example))
        .arg(folder.join("dist/policy.wasm"))
        .arg(folder.join("embedding/plan.json"))
        .output()
        .expect("the example can be run");
    let Output { status, stdout, stderr } = &output;
    assert_eq!(
        String::from_utf8_lossy(stdout),
        EXPECTED,
        "{}",
        String::from_utf8_lossy(stderr)
    );
    assert_eq!(status.code(), Some(3));
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Says it past the test runner, which keeps what passing tests print to itself.
fn skip(what: &str) {
    writeln!(io::stderr(), "skipped: {what}").expect("standard error");
}

/// A Python with wasmtime: one of its own, in the target folder, made where it is missing.
fn python() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedding-python");
    let python = home.join("bin/python");
    let has_wasmtime = |python: &Path| succeeds(Command::new(python).args(["-c", "import wasmtime"]));
    if !has_wasmtime(&python) {
        let made = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&home))
            && succeeds(Command::new(&python).args(["-m", "pip", "install", "--quiet", PYTHON_WASMTIME]));
        if !made {
            return None;
        }
    }
    has_wasmtime(&python).then_some(python)
}

#[test]
fn the_example_in_python_previews_its_plan() {
    match python() {
        Some(python) => assert_previews(&python, "preview.py"),
        None => {
            skip("the example in Python: there is no python3 with venv, or the package wasmtime cannot be installed");
        }
    }
}

#[test]
fn the_example_in_javascript_previews_its_plan() {
    if succeeds(Command::new("node").arg("--version")) {
        assert_previews(Path::new("node"), "preview.mjs");
    } else {
        skip("the example in JavaScript: there is no node");
    }
}

#[test]
fn the_examples_are_short_enough_to_copy() {
    for example in ["preview.py", "preview.mjs"] {
        let text = std::fs::read_to_string(wasm_folder().join("embedding").join(example)).expect("the example");
        assert!(text.lines().count() < 80, "{example}");
    }
}
