//! What we depend on: licences, sources, bans, and the advisories against it.
//!
//! Owns when cargo-deny is asked what; its rules are in `deny.toml`. The first three need no network; the advisories
//! are a database at GitHub, and a machine that cannot reach it says so instead of failing.

use std::{process::Command, time::Duration};

use crate::{
    step::{Failure, Steps},
    workspace::Workspace,
};

/// The database is a few megabytes.
const FETCH_LIMIT: Duration = Duration::from_secs(90);

/// # Errors
/// When cargo-deny is there and something we depend on breaks a rule.
pub(crate) fn check(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    if !is_installed(workspace) {
        steps.skip(
            "licences and advisories",
            "cargo-deny is not installed, `cargo install cargo-deny --locked` gets it",
        );
        return Ok(());
    }
    let rules = workspace.cargo(["deny", "--workspace", "check", "bans", "licenses", "sources"]);
    steps.run(
        "licences, bans, sources",
        rules,
        "cargo-deny's words are above; the rules are in deny.toml",
    )?;

    let fetch = workspace.cargo(["deny", "--workspace", "fetch", "db"]);
    if steps.attempt("fetch the advisories", fetch, Some(FETCH_LIMIT)).is_err() {
        steps.skip("advisories", "the RustSec database cannot be fetched from GitHub");
        return Ok(());
    }
    let advisories = workspace.cargo(["deny", "--workspace", "check", "--disable-fetch", "advisories"]);
    steps.run(
        "advisories",
        advisories,
        "update what is named above, or say in deny.toml why it does not concern us",
    )
}

fn is_installed(workspace: &Workspace) -> bool {
    let mut version: Command = workspace.cargo(["deny", "--version"]);
    version.output().is_ok_and(|output| output.status.success())
}
