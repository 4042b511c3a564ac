//! Finds the compilers, or installs them.
//!
//! Looks at the machine, and performs what `toolchain` decides; the only file here that installs anything. When all is
//! there it asks no network and takes a few hundredths of a second, so every command may begin with it.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    step::{Failure, Steps},
    toolchain::{self, Compiler, Facts, Next, Target, Tried},
    workspace,
};

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A target is about 30 MB; behind a firewall that drops packets rustup would wait far longer than this.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// Debian's packages are about 150 MB with what they need.
const APT_LIMIT: Duration = Duration::from_secs(600);

/// Finds or installs a compiler for every one of `targets`, and says which.
///
/// # Errors
/// When one of them has none; what the others have is said before.
pub(crate) fn obtain_all(targets: &[Target], steps: &mut Steps) -> Result<(), Failure> {
    let mut failures = Vec::new();
    // A way that was closed for one target is not waited for again for the next.
    let mut closed = Tried::default();
    for &target in targets {
        match obtain_unless(&mut closed, target, steps) {
            Ok(compiler) => steps.note(&format!("{}: ready, {}", target.triple(), describe(&compiler))),
            Err(failure) => {
                steps.note(&format!("{}: not ready", target.triple()));
                failures.push(failure);
            }
        }
    }
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Finds or installs a compiler for `target`.
///
/// # Errors
/// When there is none and none can be installed; says what to install by hand.
pub(crate) fn obtain(target: Target, steps: &mut Steps) -> Result<Compiler, Failure> {
    obtain_unless(&mut Tried::default(), target, steps)
}

fn obtain_unless(tried: &mut Tried, target: Target, steps: &mut Steps) -> Result<Compiler, Failure> {
    loop {
        let facts = look(target);
        match toolchain::next(&facts, tried) {
            Next::Use(compiler) => {
                *tried = Tried::default();
                return Ok(compiler);
            }
            Next::AddByRustup => tried.rustup = Some(add_by_rustup(target, steps)),
            Next::InstallByApt { packages } => tried.apt = Some(install_by_apt(&packages, steps)),
            Next::GiveUp { why } => {
                let what = format!("no compiler for {} ({why})", target.triple());
                return Err(Failure::new(what, toolchain::way_out(&missing_targets(), &facts)));
            }
        }
    }
}

fn describe(compiler: &Compiler) -> String {
    match compiler {
        Compiler::Current => "the current toolchain has it".to_owned(),
        Compiler::Debian { linker } => {
            format!(
                "by {DEBIAN_CARGO}, which compiles its standard library; linker {}",
                linker.display()
            )
        }
    }
}

/// What to say of this way if it turns out not to have helped.
fn add_by_rustup(target: Target, steps: &mut Steps) -> String {
    let mut command = Command::new("rustup");
    command.args(["target", "add", target.triple()]);
    let name = format!(
        "rustup target add {} (at most {} s)",
        target.triple(),
        RUSTUP_LIMIT.as_secs()
    );
    match steps.attempt(&name, command, Some(RUSTUP_LIMIT)) {
        Ok(()) => "rustup has added the target, but to another toolchain".to_owned(),
        Err(why) => format!("rustup target add: {why}"),
    }
}

/// As [`add_by_rustup`].
fn install_by_apt(packages: &[&str], steps: &mut Steps) -> String {
    let update = apt_get(&["update"]);
    // `--no-remove`: these packages exclude Debian's package `rustup`, which somebody may have chosen.
    let mut install = apt_get(&["install", "-y", "--no-remove", "--no-install-recommends"]);
    install.args(packages);
    let name = format!("apt-get install {}", packages.join(" "));
    let ended = steps
        .attempt("apt-get update", update, Some(APT_LIMIT))
        .and_then(|()| steps.attempt(&name, install, Some(APT_LIMIT)));
    match ended {
        Ok(()) => "Debian's packages are installed, but older than needed or not whole".to_owned(),
        Err(why) => format!("apt-get: {why}, `dpkg --configure -a` finishes what it may have begun"),
    }
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn missing_targets() -> Vec<Target> {
    let tried = Tried {
        rustup: Some(String::new()),
        apt: Some(String::new()),
    };
    let is_missing = |target: &Target| !matches!(toolchain::next(&look(*target), &tried), Next::Use(_));
    Target::ALL.into_iter().filter(is_missing).collect()
}

fn look(target: Target) -> Facts {
    let current = current_rustc();
    let current_sysroot = printed(&current, &["--print", "sysroot"]).map(PathBuf::from);
    let debian_sysroot = printed(DEBIAN_RUSTC, &["--print", "sysroot"]).map(PathBuf::from);
    Facts {
        target_installed: current_sysroot
            .as_deref()
            .is_some_and(|sysroot| has_library(sysroot, target)),
        rustup: current_sysroot.as_deref().is_some_and(is_rustups) && in_path("rustup").is_some(),
        debian_rustc: printed(DEBIAN_RUSTC, &["--version"]).and_then(|line| toolchain::parse_version(&line)),
        debian_cargo: Path::new(DEBIAN_CARGO).exists(),
        debian_source: debian_sysroot.as_deref().is_some_and(has_source),
        linker: linker(target, [current_sysroot, debian_sysroot]),
        may_apt: rustix::process::geteuid().is_root() && in_path("apt-get").is_some(),
    }
}

fn current_rustc() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn printed(program: impl Into<OsString>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program.into()).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// An empty or half removed folder is no library: `core` must be in it.
fn has_library(sysroot: &Path, target: Target) -> bool {
    let library = sysroot.join("lib/rustlib").join(target.triple()).join("lib");
    fs::read_dir(library).is_ok_and(|files| {
        files
            .flatten()
            .any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

fn is_rustups(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/multirust-channel-manifest.toml").exists()
}

fn has_source(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").exists()
}

/// A toolchain's own `rust-lld` first, then LLVM's, the newest first: an old one may not know what a new compiler writes.
fn linker(target: Target, sysroots: [Option<PathBuf>; 2]) -> Option<PathBuf> {
    let of_toolchain = sysroots
        .into_iter()
        .flatten()
        .filter_map(|sysroot| rust_lld(&sysroot))
        .next();
    let numbered = (14..=40).rev().map(|version| format!("{}-{version}", target.lld()));
    let names = ["rust-lld".to_owned()]
        .into_iter()
        .chain(numbered)
        .chain([target.lld().to_owned()]);
    of_toolchain.or_else(|| names.into_iter().find_map(|name| in_path(&name)))
}

fn rust_lld(sysroot: &Path) -> Option<PathBuf> {
    let hosts = fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
    hosts
        .flatten()
        .map(|host| host.path().join("bin/rust-lld"))
        .find(|path| path.exists())
}

fn in_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

impl Compiler {
    /// Cargo's `verb` for `target`, by this compiler, into a target folder of its own: another compiler, or other
    /// flags, in the common one would rebuild everything and hold its lock.
    pub(crate) fn cargo(&self, verb: &str, target: Target, target_folder: &Path) -> Command {
        let mut command = match self {
            Self::Current => workspace::cargo(),
            Self::Debian { linker } => debian_cargo(linker, target),
        };
        command.args([verb, "--target", target.triple()]);
        if matches!(self, Self::Debian { .. }) {
            command.args(target.build_std());
        }
        // Flags meant for this machine's processor, such as `target-cpu=native`, would be wrong for any other target.
        command
            .env("CARGO_TARGET_DIR", target_folder)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        command
    }
}

/// The linker's folder goes into PATH too, for flags that name `rust-lld` without a folder.
fn debian_cargo(linker: &Path, target: Target) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(linker.parent().map(Path::to_path_buf));
    let mut command = workspace::cargo_at(DEBIAN_CARGO);
    command
        .env("PATH", env::join_paths(folders).unwrap_or(path))
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env(target.linker_variable(), linker)
        .env_remove("LD_LIBRARY_PATH") // `cargo run` points it at the other compiler's libraries
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_library_folder_is_no_installed_target() {
        let sysroot = env::temp_dir().join(format!("fulmar-sysroot-{}", std::process::id()));
        let library = sysroot.join("lib/rustlib/wasm32-unknown-unknown/lib");
        fs::create_dir_all(&library).unwrap();
        assert!(!has_library(&sysroot, Target::Wasm));
        fs::write(library.join("libcore-0123.rlib"), "").unwrap();
        assert!(has_library(&sysroot, Target::Wasm));
        fs::remove_dir_all(&sysroot).unwrap();
    }

    #[test]
    fn debians_compiler_is_told_to_compile_the_library_and_where_its_linker_is() {
        let debian = Compiler::Debian {
            linker: "/opt/bin/rust-lld".into(),
        };
        let command = debian.cargo("build", Target::Wasm, Path::new("/target/wasm"));
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        assert_eq!(
            arguments,
            [
                "build",
                "--target",
                "wasm32-unknown-unknown",
                "-Zbuild-std=std,panic_abort"
            ]
        );
        let linker = command
            .get_envs()
            .find(|(name, _)| *name == "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER");
        assert_eq!(linker.and_then(|(_, value)| value), Some("/opt/bin/rust-lld".as_ref()));
        assert_eq!(command.get_program(), DEBIAN_CARGO);
    }
}
