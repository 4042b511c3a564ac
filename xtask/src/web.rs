//! `cargo xtask web`: the page, `web/dist`, around the rules' browser package; and its checks.
//!
//! Owns which npm scripts run, and when packages are fetched. What the page is, and how large it may be, is `web/`'s own: its
//! build fails above the bound.

use std::{fs, path::Path, process::Command, time::SystemTime};

use crate::{
    browser,
    step::{Failure, Steps},
    wasm,
    workspace::Workspace,
};

const WEB: &str = "web";

/// What drives Chromium in `tests/page.rs`, and what compiles the types in `tests/browser.rs`.
const TESTS: [&str; 2] = ["tests/page", "tests/browser"];

/// What is said where there is no Node or no npm.
pub(crate) const NODE_IS_MISSING: &str =
    "the page needs Node 20 or newer, and npm: for instance `apt-get install nodejs npm`";

/// Builds the page and what it needs; with `serve` it stays, and hands it out.
///
/// # Errors
/// Where Node is missing, or a build fails.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, serve: bool) -> Result<(), Failure> {
    if !has_node() {
        return Err(Failure::new("the page cannot be built", NODE_IS_MISSING));
    }
    let compiler = wasm::build(workspace, steps)?;
    browser::build(workspace, steps, &compiler)?;
    packages(workspace, steps, WEB)?;
    script(workspace, steps, "page: types", "check")?;
    build(workspace, steps)?;
    if serve {
        let way_out = "is the port taken?";
        return steps.run_live(
            "page: served until Ctrl-C",
            npm(workspace, WEB, &["run", "preview"]),
            way_out,
        );
    }
    steps.note("any static host can hand out web/dist; `cargo xtask web --serve` does on this machine");
    Ok(())
}

/// All that must hold before the browser tests. The browser package is there already.
///
/// # Errors
/// With the first check that fails.
pub(crate) fn check(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    if !has_node() {
        steps.skip("the page", NODE_IS_MISSING);
        return Ok(());
    }
    packages(workspace, steps, WEB)?;
    script(workspace, steps, "page: format", "format:check")?;
    script(workspace, steps, "page: types", "check")?;
    script(workspace, steps, "page: tests", "test")?;
    build(workspace, steps)?;
    TESTS
        .into_iter()
        .try_for_each(|folder| packages(workspace, steps, folder))
}

/// How to open the page, for somebody who has just seen the demo.
pub(crate) fn how_to_open() -> String {
    let words = "See what a delegation allows, before anything runs: `cargo xtask web --serve` builds the page and shows it at http://localhost:4173.";
    if has_node() {
        words.to_owned()
    } else {
        format!("{words} It is not built here: {NODE_IS_MISSING}.")
    }
}

fn has_node() -> bool {
    let answers = |program| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    answers("node") && answers("npm")
}

fn build(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    script(workspace, steps, "page: web/dist", "build")
}

fn script(workspace: &Workspace, steps: &mut Steps, name: &str, script: &str) -> Result<(), Failure> {
    let way_out = format!("`npm run {script}` in {WEB} says it again");
    steps.run(name, npm(workspace, WEB, &["run", script]), &way_out)
}

/// Exactly those of the lock file, fetched where they are not there yet.
fn packages(workspace: &Workspace, steps: &mut Steps, folder: &str) -> Result<(), Failure> {
    if are_fetched(&workspace.root.join(folder)) {
        return Ok(());
    }
    let way_out = "can the npm registry be reached?";
    steps.run(
        &format!("packages of {folder}"),
        npm(workspace, folder, &["ci"]),
        way_out,
    )
}

/// npm writes its own list last.
fn are_fetched(folder: &Path) -> bool {
    let fetched = changed(&folder.join("node_modules/.package-lock.json"));
    fetched.is_some_and(|fetched| {
        let wanted = [
            changed(&folder.join("package-lock.json")),
            changed(&folder.join("package.json")),
        ];
        wanted.into_iter().flatten().all(|wanted| wanted <= fetched)
    })
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn npm(workspace: &Workspace, folder: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(workspace.root.join(folder));
    command
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::are_fetched;

    #[test]
    fn packages_are_fetched_once() {
        let folder = env::temp_dir().join(format!("fulmar-web-{}", process::id()));
        fs::create_dir_all(folder.join("node_modules")).unwrap();
        fs::write(folder.join("package-lock.json"), "{}").unwrap();
        assert!(!are_fetched(&folder));
        fs::write(folder.join("node_modules/.package-lock.json"), "{}").unwrap();
        assert!(are_fetched(&folder));
        fs::remove_dir_all(&folder).unwrap();
    }
}
