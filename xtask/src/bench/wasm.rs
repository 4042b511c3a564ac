//! `cargo xtask bench wasm`: how long `policy.wasm` takes in wasmtime and the browser package in Node, as tables.
//!
//! Owns what is built before; what is measured, and how, is `tests/benches/wasm.rs`'s and `tests/browser/bench.mjs`'s. What the
//! figures should be is in `wasm/BENCHMARKS.md`; nothing is judged.

use std::process::Command;

use crate::{
    bench::{load, machine},
    browser,
    step::{Failure, Steps, said_by},
    wasm,
    workspace::Workspace,
};

/// Builds the module and the packages, measures, and prints the tables.
///
/// # Errors
/// When something cannot be built, or a benchmark fails.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    let compiler = wasm::build(workspace, steps)?;
    browser::build(workspace, steps, &compiler)?;
    let bench = ["bench", "--package", "fulmar-tests", "--bench", "wasm"];
    let mut build = workspace.cargo(bench);
    build.arg("--no-run");
    steps.run("wasmtime", build, "the compiler's words are above")?;
    let load_before = load();
    let in_wasmtime = steps.perform("policy.wasm in wasmtime", || said_by(workspace.cargo(bench)))?;
    println!("\n{in_wasmtime}");
    let in_node = steps.perform("the browser package in Node", || said_by(node(workspace)))?;
    println!("\n| in Node | |\n|---|---:|\n{in_node}\n- {}", machine());
    println!("- load before {load_before}, after {}\n", load());
    Ok(())
}

fn node(workspace: &Workspace) -> Command {
    let mut command = Command::new("node");
    command
        .arg("bench.mjs")
        .current_dir(workspace.root.join("tests/browser"));
    command
}
