//! `tests/unikernels/dist/NAME.hvt` and `NAME.spt`: the small unikernels that the tests and the demo run.
//!
//! Owns how they are built and where they are put. They are a workspace of their own, and any plain
//! `cargo build --release --target x86_64-unknown-none` in it does the same, for `spt`, where rustup has that target.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::{
    artifact, setup,
    step::{Failure, Steps},
    toolchain::{Compiler, Target},
    workspace::{self, Workspace},
};

/// What they are built for, each a feature of every unikernel.
pub(crate) const SOLO5_TARGETS: [&str; 2] = ["hvt", "spt"];

/// The folder of the unikernels' workspace.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("tests/unikernels")
}

/// Where cargo builds them.
fn target_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("unikernels")
}

/// Builds them all, for each Solo5 target; hands back the compiler they were built by.
///
/// # Errors
/// When there is no compiler, a build fails, or a file cannot be written.
pub(crate) fn build(workspace: &Workspace, steps: &mut Steps) -> Result<Compiler, Failure> {
    let names = names(&workspace::metadata(&folder(workspace))?)?;
    let compiler = setup::obtain(Target::BareMetal, steps)?;
    for target in SOLO5_TARGETS {
        let command = cargo(workspace, &compiler, "build", target);
        let way_out = "the compiler's words are above; their sources are in tests/unikernels/";
        steps.run(&format!("unikernels for {target}"), command, way_out)?;
        for name in &names {
            place(name, target, workspace, steps)?;
        }
    }
    Ok(compiler)
}

/// A cargo command for all of them, for one Solo5 target.
pub(crate) fn cargo(workspace: &Workspace, compiler: &Compiler, command: &str, solo5_target: &str) -> Command {
    let mut cargo = compiler.cargo(command, Target::BareMetal, &target_folder(workspace));
    cargo
        .args(["--release", "--no-default-features", "--features", solo5_target])
        .current_dir(folder(workspace));
    cargo
}

fn place(name: &str, solo5_target: &str, workspace: &Workspace, steps: &Steps) -> Result<(), Failure> {
    let built = target_folder(workspace)
        .join(Target::BareMetal.triple())
        .join("release");
    let placed = format!("dist/{name}.{solo5_target}");
    let changed = artifact::place(&built.join(name), &folder(workspace).join(&placed))?;
    steps.note(&format!(
        "tests/unikernels/{placed}: {}",
        if changed { "new" } else { "unchanged" }
    ));
    Ok(())
}

/// The programs of a workspace, in order.
fn names(metadata: &Value) -> Result<Vec<String>, Failure> {
    let every = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let mut names: Vec<_> = every(metadata, "packages")
        .iter()
        .flat_map(|package| every(package, "targets"))
        .filter(|target| every(target, "kind").iter().any(|kind| kind == "bin"))
        .filter_map(|target| Some(target["name"].as_str()?.to_owned()))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(Failure::new(
            "tests/unikernels: no program in it",
            "is the checkout whole?",
        ));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::names;

    fn named(json: &str) -> Option<Vec<String>> {
        names(&serde_json::from_str(json).unwrap()).ok()
    }

    #[test]
    fn every_program_of_the_workspace_is_a_unikernel_and_no_library_is() {
        let json = r#"{"packages": [
            {"targets": [{"kind": ["lib"], "name": "solo5"}, {"kind": ["bin"], "name": "hello"}]},
            {"targets": [{"kind": ["bin"], "name": "crash"}, {"kind": ["custom-build"], "name": "build-script"}]}
        ]}"#;
        assert_eq!(named(json), Some(vec!["crash".to_owned(), "hello".to_owned()]));
    }

    #[test]
    fn a_workspace_without_programs_is_a_mistake() {
        assert_eq!(named(r#"{"packages": []}"#), None);
    }
}
