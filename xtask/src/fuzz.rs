//! `cargo xtask fuzz`: every fuzz target for a while. As part of the tests for a short one: enough to see that they build
//! and that nothing breaks at once.
//!
//! Owns when they are run and where their files go; what they try is theirs. They need a nightly compiler, so a machine
//! without one says so instead of failing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    step::{Failure, Steps, said_by},
    workspace::{self, Workspace},
};

/// Each is a workspace of its own, because only there cargo-fuzz's flags apply.
const FOLDERS: [&str; 3] = ["core/fuzz", "host/tender/fuzz", "wasm/fuzz"];

/// How long each target runs as part of the tests.
pub(crate) const SECONDS: u32 = 30;

/// The fuzz workspaces that are there.
pub(crate) fn folders(workspace: &Workspace) -> impl Iterator<Item = &'static str> {
    FOLDERS
        .into_iter()
        .filter(|folder| workspace.root.join(folder).join("Cargo.toml").exists())
}

/// Runs each target for so many seconds.
///
/// # Errors
/// When a target cannot be built, or finds something.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, seconds: u32) -> Result<(), Failure> {
    if let Some(obstacle) = obstacle() {
        steps.skip("fuzzing", obstacle);
        return Ok(());
    }
    let mut found = false;
    for folder in folders(workspace) {
        found = true;
        for target in list(workspace, folder)? {
            run_target(workspace, steps, folder, &target, seconds)?;
        }
    }
    if !found {
        steps.skip("fuzzing", &format!("there is no {}", FOLDERS.join(" and no ")));
    }
    Ok(())
}

/// What is missing, and how to get it.
fn obstacle() -> Option<&'static str> {
    let mut toolchains = Command::new("rustup");
    toolchains.args(["toolchain", "list"]);
    let mut compiler = Command::new("c++");
    compiler.arg("--version");
    if !said_by(toolchains).is_ok_and(|list| has_nightly(&list)) {
        Some("it needs a nightly compiler, `rustup toolchain install nightly` gets it")
    } else if said_by(cargo_fuzz(["--version"])).is_err() {
        Some("cargo-fuzz is not installed, `cargo install cargo-fuzz --locked` gets it")
    } else if said_by(compiler).is_err() {
        Some("libFuzzer is C++, and there is no compiler for it, `apt-get install g++` gets it")
    } else {
        None
    }
}

/// Whether `+nightly` names one of them; a nightly of a certain day has another name.
fn has_nightly(list: &str) -> bool {
    list.lines()
        .filter_map(|line| line.strip_prefix("nightly-"))
        .any(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// Through rustup, and not `cargo +nightly`: the cargo that started us is one toolchain's own, which knows no other.
fn cargo_fuzz<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = workspace::cargo_at("rustup");
    // Set by the cargo that started us; cargo-fuzz would build with that one.
    command.env_remove("CARGO");
    command.args(["run", "nightly", "cargo", "fuzz"]).args(arguments);
    command
}

fn list(workspace: &Workspace, folder: &str) -> Result<Vec<String>, Failure> {
    let mut command = cargo_fuzz(["list", "--fuzz-dir", folder]);
    command.current_dir(&workspace.root);
    let targets = names(&said_by(command)?);
    if targets.is_empty() {
        return Err(Failure::new(
            format!("{folder}: cargo-fuzz finds no target in it"),
            "a target is a `[[bin]]` of its Cargo.toml",
        ));
    }
    Ok(targets)
}

fn names(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn run_target(
    workspace: &Workspace,
    steps: &mut Steps,
    folder: &str,
    target: &str,
    seconds: u32,
) -> Result<(), Failure> {
    let built = workspace.target.join("fuzz");
    let corpora = corpora(workspace, &built, folder, target)?;
    let mut command = cargo_fuzz(["run", "--fuzz-dir", folder, "--target-dir"]);
    command
        .arg(&built)
        .arg(target)
        .args(corpora)
        .args(["--", &format!("-max_total_time={seconds}")])
        .current_dir(&workspace.root);
    steps.run(
        &format!("fuzz {folder} {target} ({seconds} s)"),
        command,
        "its words are above; the input that did it, and how to run it again, are named there",
    )
}

/// What is found goes to the first of them, which is nobody's source: a check changes no file under version control. What
/// the target brings is read as well.
fn corpora(workspace: &Workspace, built: &Path, folder: &str, target: &str) -> Result<Vec<PathBuf>, Failure> {
    let found = built.join("corpus").join(folder).join(target);
    fs::create_dir_all(&found).map_err(|error| {
        Failure::new(
            format!("cannot create {}: {error}", found.display()),
            "is the disk full, or the folder another user's?",
        )
    })?;
    let brought = workspace.root.join(folder).join("corpus").join(target);
    let brought = brought.is_dir().then_some(brought);
    Ok([found].into_iter().chain(brought).collect())
}

#[cfg(test)]
mod tests {
    use super::{has_nightly, names};

    #[test]
    fn only_the_nightly_without_a_date_is_called_nightly() {
        assert!(has_nightly(
            "stable-x86_64-unknown-linux-gnu (active, default)\nnightly-x86_64-unknown-linux-gnu\n"
        ));
        assert!(!has_nightly(
            "stable-x86_64-unknown-linux-gnu (default)\nnightly-2026-05-01-x86_64-unknown-linux-gnu\n"
        ));
        assert!(!has_nightly("no installed toolchains\n"));
    }

    #[test]
    fn a_target_is_a_line() {
        assert_eq!(names("names\noperations\n"), ["names", "operations"]);
        assert!(names("\n").is_empty());
    }
}
