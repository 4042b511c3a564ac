//! Where things are, and how cargo is called.
//!
//! Owns the two paths everything else is relative to. Creates nothing.

use std::{
    env,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::step::Failure;

/// The workspace this program was built from.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever the person who builds has moved it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// # Errors
    /// When cargo cannot read the workspace.
    pub(crate) fn find() -> Result<Self, Failure> {
        let root = root();
        let metadata = metadata(&root)?;
        let target = metadata["target_directory"]
            .as_str()
            .ok_or_else(|| Failure::new("cargo metadata: no `target_directory`", "is this cargo 1.95 or newer?"))?;
        Ok(Self {
            root,
            target: PathBuf::from(target),
        })
    }

    /// Cargo, as it was called by whoever started us, at the root.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = cargo();
        command.args(arguments).current_dir(&self.root);
        command
    }
}

/// `cargo run` says at run time where the manifest is: so a moved checkout works without a rebuild.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// The cargo that started us, or the one in PATH.
pub(crate) fn cargo() -> Command {
    cargo_at(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// That cargo, without what `cargo run` has set for this program alone: some build scripts watch these variables and
/// would run again.
pub(crate) fn cargo_at(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if is_about_this_package(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

fn is_about_this_package(variable: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

/// What cargo knows of the workspace at `root`; asks no registry.
///
/// # Errors
/// When cargo cannot read the workspace.
pub(crate) fn metadata(root: &Path) -> Result<Value, Failure> {
    let mut command = cargo();
    command
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root);
    let output = command.output().map_err(|error| unreadable(root, &error))?;
    if !output.status.success() {
        return Err(unreadable(
            root,
            &io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| unreadable(root, &io::Error::other(error)))
}

fn unreadable(root: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cargo metadata: {error}"),
        format!("look at {}", root.join("Cargo.toml").display()),
    )
}

#[cfg(test)]
mod tests {
    use super::is_about_this_package;

    #[test]
    fn only_what_describes_xtask_itself_is_kept_from_the_next_cargo() {
        assert!(is_about_this_package("CARGO_MANIFEST_DIR"));
        assert!(is_about_this_package("CARGO_PKG_VERSION"));
        assert!(!is_about_this_package("CARGO_TARGET_DIR"));
        assert!(!is_about_this_package("CARGO_HOME"));
    }
}
