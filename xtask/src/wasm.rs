//! `wasm/dist/policy.wasm`: the rules as one file, which the host embeds.
//!
//! Owns how it is built. What is in it is the package `fulmar-wasm`'s; that it has no imports is checked by the tests.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    artifact, setup,
    step::{Failure, Steps},
    toolchain::{Compiler, Target},
    workspace::Workspace,
};

/// Builds the module; hands back the compiler it was built by.
///
/// # Errors
/// When there is no compiler, the build fails, or the file cannot be written.
pub(crate) fn build(workspace: &Workspace, steps: &mut Steps) -> Result<Compiler, Failure> {
    let compiler = setup::obtain(Target::Wasm, steps)?;
    let target_folder = workspace.target.join("wasm");
    steps.run(
        "policy.wasm",
        compile(&compiler, workspace, &target_folder, "fulmar-wasm"),
        "the compiler's words are above; the package is wasm/",
    )?;

    let built = built(&target_folder, "fulmar_wasm");
    let placed = workspace.root.join("wasm/dist/policy.wasm");
    let changed = artifact::place(&built, &placed)?;
    steps.note(&format!(
        "wasm/dist/policy.wasm: {}, {}",
        sizes(&placed),
        if changed { "new" } else { "unchanged" }
    ));
    Ok(compiler)
}

/// `cargo rustc --crate-type` and not `cargo build`: cargo optimises across crates only for what is not a Rust library
/// at the same time, and the package is one too, for the tests.
pub(crate) fn compile(compiler: &Compiler, workspace: &Workspace, target_folder: &Path, package: &str) -> Command {
    let mut command = compiler.cargo("rustc", Target::Wasm, target_folder);
    command
        .args([
            "--package",
            package,
            "--lib",
            "--crate-type",
            "cdylib",
            "--profile",
            "wasm",
            "--config",
        ])
        .arg(remapped_paths(workspace))
        .current_dir(&workspace.root);
    command
}

/// Where cargo puts the module of a library.
pub(crate) fn built(target_folder: &Path, library: &str) -> PathBuf {
    target_folder
        .join(Target::Wasm.triple())
        .join("wasm")
        .join(library)
        .with_extension("wasm")
}

/// A panic's message names its source file: a module that travels should not carry its builder's home.
fn remapped_paths(workspace: &Workspace) -> String {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")));
    let homes = [(Some(workspace.root.clone()), "fulmar"), (cargo_home, "cargo")];
    let flags: Vec<_> = homes
        .into_iter()
        .filter_map(|(from, to)| Some(format!("'--remap-path-prefix={}={to}'", from?.display())))
        .collect();
    format!("target.{}.rustflags=[{}]", Target::Wasm.triple(), flags.join(","))
}

pub(crate) fn sizes(path: &Path) -> String {
    let Ok(bytes) = fs::read(path) else {
        return "of unknown size".to_owned();
    };
    match gzipped(&bytes) {
        Some(packed) => format!("{} ({} gzipped)", kib(bytes.len()), kib(packed)),
        None => kib(bytes.len()),
    }
}

/// By the program, where there is one: the number is nice to have, and not worth a dependency.
fn gzipped(bytes: &[u8]) -> Option<usize> {
    let mut gzip = Command::new("gzip")
        .args(["-9", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = gzip.stdin.take()?;
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = gzip.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    output.status.success().then_some(output.stdout.len())
}

fn kib(bytes: usize) -> String {
    format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests {
    use super::{gzipped, kib};

    #[test]
    fn sizes_are_in_kibibytes() {
        assert_eq!(kib(0), "0.0 KiB");
        assert_eq!(kib(1023), "0.9 KiB");
        assert_eq!(kib(61 * 1024 + 512), "61.5 KiB");
    }

    #[test]
    fn more_than_a_pipe_holds_is_measured() {
        let packed = gzipped(&vec![0; 4 << 20]);
        assert!(packed.is_none_or(|packed| packed < 1 << 20), "{packed:?}");
    }
}
