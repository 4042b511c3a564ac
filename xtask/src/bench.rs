//! `cargo xtask bench core`: how long the rules take, from ten to a million unikernels, as one table.
//!
//! Owns what is run and what is said of the machine; the table is `estimates`'s, and what does not depend on the clock is
//! `instructions`'s. Judges nothing: what the figures should be is in `core/BENCHMARKS.md`. What is measured of the tender and
//! of the module is `tender`'s and `wasm`'s.

mod estimates;
pub(crate) mod instructions;
pub(crate) mod tender;
pub(crate) mod wasm;

use std::{fs, process::Command, thread, time::SystemTime};

use crate::{
    step::{Failure, Steps, said_by},
    workspace::{self, Workspace},
};

/// The release profile strips them, but callgrind is told a function's name. One setting for all benchmarks, so that the
/// crates they need are compiled once.
const KEEP_SYMBOLS: &str = "profile.bench.strip=\"none\"";

/// Measures, and prints the table.
///
/// # Errors
/// When a benchmark cannot be built, fails, or leaves a figure out.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, quick: bool) -> Result<(), Failure> {
    let load_before = load();
    let started = SystemTime::now();
    let criterion = workspace.target.join("criterion");
    let mut times = cargo_bench(workspace, "times");
    times.env("CRITERION_HOME", &criterion);
    if quick {
        times.args(["--", "--quick"]);
    }
    steps.run_live("times", times, "the benchmark's words are above")?;
    let loading = steps.perform("loading a million", || said_by(cargo_bench(workspace, "counts")))?;

    let estimates = estimates::read(&criterion, started)?;
    println!("\n{}", estimates::table(&estimates)?);
    loading.lines().for_each(|line| println!("- {line}"));
    println!("- {}", machine());
    println!(
        "- load before {load_before}, after {}; {}\n",
        load(),
        estimates::noise(&estimates)
    );
    Ok(())
}

fn cargo_bench(workspace: &Workspace, name: &str) -> Command {
    workspace.cargo([
        "bench",
        "--config",
        KEEP_SYMBOLS,
        "--package",
        "fulmar-core",
        "--bench",
        name,
    ])
}

/// Everything about this machine that the figures depend on.
fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| cpu_model(&text))
        .unwrap_or_else(|| "unknown CPU".to_owned());
    let cores = thread::available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string());
    let mut rustc = Command::new("rustc");
    rustc.arg("--version").current_dir(workspace::root());
    let rustc = said_by(rustc).map_or_else(|_| "unknown rustc".to_owned(), |line| line.trim().to_owned());
    format!("{model}, {cores} cores, {rustc}")
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// How many processes wanted to run in the last minute, on average.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::cpu_model;

    #[test]
    fn the_cpu_is_named_as_the_kernel_names_it() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nprocessor\t: 1\nmodel name\t: another\n";
        assert_eq!(cpu_model(text), Some("AMD EPYC 9R14".to_owned()));
        assert_eq!(cpu_model("processor\t: 0\n"), None);
    }
}
