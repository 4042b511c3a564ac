//! `cargo xtask test`: everything that must hold before a change is taken.
//!
//! Owns the list and its order: cheap checks first, and `policy.wasm` and the unikernels before what embeds and runs
//! them. Stops at the first failure: what follows would mostly fail for the same reason.

use std::process::Command;

use crate::{
    bench, browser, deny, fuzz,
    step::{Failure, Steps},
    toolchain::{Compiler, Target},
    unikernels, wasm, web,
    workspace::{self, Workspace},
};

const LINTS: &str = "the lints are above; warnings count as errors here";

/// # Errors
/// With the first check that fails.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    formats(workspace, steps)?;
    let of_wasm = wasm::build(workspace, steps)?;
    browser::build(workspace, steps, &of_wasm)?;
    let of_unikernels = unikernels::build(workspace, steps)?;
    lints(workspace, steps, &of_wasm, &of_unikernels)?;
    documentation(workspace, steps)?;
    web::check(workspace, steps)?;
    steps.run_live(
        "tests",
        workspace.cargo(["test", "--workspace"]),
        "the failing test is named above",
    )?;
    bench::instructions::run(workspace, steps, false)?;
    fuzz::run(workspace, steps, fuzz::SECONDS)?;
    deny::check(workspace, steps)
}

fn formats(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    steps.run(
        "format",
        workspace.cargo(["fmt", "--all", "--check"]),
        "`cargo fmt --all` puts it right",
    )?;
    let elsewhere = ["tests/unikernels"].into_iter().chain(fuzz::folders(workspace));
    for folder in elsewhere {
        let mut command = workspace::cargo();
        command
            .args(["fmt", "--all", "--check"])
            .current_dir(workspace.root.join(folder));
        let way_out = format!("`cargo fmt --all` in {folder} puts it right");
        steps.run(&format!("format of {folder}"), command, &way_out)?;
    }
    Ok(())
}

fn lints(
    workspace: &Workspace,
    steps: &mut Steps,
    of_wasm: &Compiler,
    of_unikernels: &Compiler,
) -> Result<(), Failure> {
    let mut host = workspace.cargo(["clippy", "--workspace", "--all-targets"]);
    deny_warnings(&mut host);
    steps.run("lints", host, LINTS)?;

    let mut bindgen = workspace.cargo(["clippy", "--package", "xtask", "--features", "bindgen", "--all-targets"]);
    deny_warnings(&mut bindgen);
    steps.run("lints of xtask/bindgen", bindgen, LINTS)?;

    let mut module = of_wasm.cargo("clippy", Target::Wasm, &workspace.target.join("wasm"));
    module
        .args(["--package", "fulmar-wasm", "--lib"])
        .current_dir(&workspace.root);
    lint_elsewhere("lints of policy.wasm", module, of_wasm, steps)?;

    for target in unikernels::SOLO5_TARGETS {
        let bare_metal = unikernels::cargo(workspace, of_unikernels, "clippy", target);
        lint_elsewhere(
            &format!("lints of the unikernels for {target}"),
            bare_metal,
            of_unikernels,
            steps,
        )?;
    }
    Ok(())
}

/// Clippy reads the standard library only of the compiler it belongs to, and Debian's comes without it.
fn lint_elsewhere(name: &str, mut command: Command, by: &Compiler, steps: &mut Steps) -> Result<(), Failure> {
    if *by != Compiler::Current {
        steps.skip(
            name,
            "clippy needs the target in the current toolchain, `rustup target add` puts it there",
        );
        return Ok(());
    }
    deny_warnings(&mut command);
    steps.run(name, command, LINTS)
}

fn deny_warnings(command: &mut Command) {
    command.args(["--", "-D", "warnings"]);
}

fn documentation(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    let mut command = workspace.cargo(["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    steps.run(
        "documentation",
        command,
        "rustdoc's words are above; warnings count as errors here",
    )
}
