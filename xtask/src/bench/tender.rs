//! `cargo xtask bench tender`: how long a unikernel takes from start to exit, and what the tender costs, as tables.
//!
//! Owns what is built before; what is measured, and how, is `host/tender/benches/start`'s. What the figures should be is in
//! them and in `host/tender/BENCHMARKS.md`; nothing is judged.

use crate::{
    bench::{load, machine},
    step::{Failure, Steps, said_by},
    unikernels,
    workspace::Workspace,
};

/// Builds the unikernels and the tender as it is released, measures, and prints the tables.
///
/// # Errors
/// When something cannot be built, or the benchmark fails.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    unikernels::build(workspace, steps)?;
    let bench = ["bench", "--package", "fulmar-tender", "--bench", "start"];
    let mut build = workspace.cargo(bench);
    build.arg("--no-run");
    steps.run("tender", build, "the compiler's words are above")?;
    let load_before = load();
    let tables = steps.perform("starts", || said_by(workspace.cargo(bench)))?;
    println!("\n{tables}- {}", machine());
    println!("- load before {load_before}, after {}\n", load());
    Ok(())
}
