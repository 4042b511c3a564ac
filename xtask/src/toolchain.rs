//! Which compiler builds for a target that is not this machine.
//!
//! Decides; looks at nothing and installs nothing (`setup` does both). In this order: what is there already, without a
//! word to the network; then rustup; then Debian's packages; then a message. Rustup's target is preferred to Debian's
//! packages where both would have to be fetched: it is smaller, and it is the compiler that everything else is built by.
//!
//! Debian packages the compiler and the standard library's source, but not the library compiled for these targets, so
//! there it is compiled here, which stable compilers only do when told that they are nightly (`RUSTC_BOOTSTRAP`).

use std::path::PathBuf;

/// The oldest Debian compiler that will do; the workspace's `rust-version`.
const RUST_MINIMUM: (u32, u32) = (1, 95);

/// What Debian calls the compiler that its browsers need, the newest it has.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Debian's compiler comes without a linker for other targets.
const DEBIAN_LINKER: &str = "lld";

/// What is built for, besides the machine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Wasm,
    BareMetal,
}

impl Target {
    pub(crate) const ALL: [Self; 2] = [Self::Wasm, Self::BareMetal];

    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::Wasm => "wasm32-unknown-unknown",
            Self::BareMetal => "x86_64-unknown-none",
        }
    }

    /// How LLVM's linker is called when it links for this target; from the name it knows the format.
    pub(crate) fn lld(self) -> &'static str {
        match self {
            Self::Wasm => "wasm-ld",
            Self::BareMetal => "ld.lld",
        }
    }

    /// The variable by which cargo is told of a linker.
    pub(crate) fn linker_variable(self) -> &'static str {
        match self {
            Self::Wasm => "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
            Self::BareMetal => "CARGO_TARGET_X86_64_UNKNOWN_NONE_LINKER",
        }
    }

    /// What of the standard library is compiled where it is not there compiled: the same that rustup's target has.
    pub(crate) fn build_std(self) -> &'static [&'static str] {
        match self {
            Self::Wasm => &["-Zbuild-std=std,panic_abort"],
            // `mem`: nothing else on bare metal defines `memcpy`.
            Self::BareMetal => &[
                "-Zbuild-std=core,alloc,compiler_builtins",
                "-Zbuild-std-features=compiler-builtins-mem",
            ],
        }
    }
}

/// Who compiles for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// The one that compiles everything else; it has the target.
    Current,
    /// Debian's, which compiles the target's standard library first.
    Debian { linker: PathBuf },
}

/// What was found on the machine, for one target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The current toolchain has the target's standard library.
    pub(crate) target_installed: bool,
    /// The current toolchain is rustup's, so rustup can add to it.
    pub(crate) rustup: bool,
    /// The version of Debian's compiler.
    pub(crate) debian_rustc: Option<(u32, u32)>,
    pub(crate) debian_cargo: bool,
    pub(crate) debian_source: bool,
    /// A linker for the target that is not the current toolchain's secret.
    pub(crate) linker: Option<PathBuf>,
    /// There is apt-get, and we are root.
    pub(crate) may_apt: bool,
}

/// What has been tried in vain, and why it did not help.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tried {
    pub(crate) rustup: Option<String>,
    pub(crate) apt: Option<String>,
}

/// What to do next for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Use(Compiler),
    AddByRustup,
    InstallByApt { packages: Vec<&'static str> },
    GiveUp { why: String },
}

/// The first way that is open.
pub(crate) fn next(facts: &Facts, tried: &Tried) -> Next {
    if facts.target_installed {
        return Next::Use(Compiler::Current);
    }
    if let Some(linker) = complete_debian(facts) {
        return Next::Use(Compiler::Debian { linker });
    }
    if facts.rustup && tried.rustup.is_none() {
        return Next::AddByRustup;
    }
    if facts.may_apt && tried.apt.is_none() {
        return Next::InstallByApt {
            packages: missing_packages(facts),
        };
    }
    Next::GiveUp {
        why: why_not(facts, tried),
    }
}

fn complete_debian(facts: &Facts) -> Option<PathBuf> {
    (is_new_enough(facts) && facts.debian_cargo && facts.debian_source)
        .then(|| facts.linker.clone())
        .flatten()
}

fn is_new_enough(facts: &Facts) -> bool {
    facts.debian_rustc.is_some_and(|version| version >= RUST_MINIMUM)
}

/// The three packages are of one version, so they are asked for together even when one is there.
fn missing_packages(facts: &Facts) -> Vec<&'static str> {
    let linker = if facts.linker.is_none() {
        Some(DEBIAN_LINKER)
    } else {
        None
    };
    DEBIAN_PACKAGES.into_iter().chain(linker).collect()
}

fn why_not(facts: &Facts, tried: &Tried) -> String {
    let rustup = tried
        .rustup
        .clone()
        .unwrap_or_else(|| "this toolchain is not rustup's".to_owned());
    let apt = tried
        .apt
        .clone()
        .unwrap_or_else(|| "apt-get needs Debian and root".to_owned());
    match facts.debian_rustc {
        Some((major, minor)) if !is_new_enough(facts) => {
            format!("{rustup}; {apt}; /usr/bin/rustc is {major}.{minor}, too old")
        }
        _ => format!("{rustup}; {apt}"),
    }
}

/// What a person can do, both ways.
pub(crate) fn way_out(targets: &[Target], facts: &Facts) -> String {
    let triples: Vec<_> = targets.iter().map(|target| target.triple()).collect();
    format!(
        "with rustup and the network run `rustup target add {}`, or on Debian, as root, `apt-get install --no-install-recommends {}`",
        triples.join(" "),
        missing_packages(facts).join(" ")
    )
}

/// Major and minor of what `rustc --version` prints.
pub(crate) fn parse_version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.strip_prefix("rustc ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian() -> Facts {
        Facts {
            debian_rustc: Some((1, 96)),
            debian_cargo: true,
            debian_source: true,
            linker: Some("/lld".into()),
            ..Facts::default()
        }
    }

    fn in_vain(rustup: bool, apt: bool) -> Tried {
        Tried {
            rustup: rustup.then(|| "rustup: no network".to_owned()),
            apt: apt.then(|| "apt-get: no network".to_owned()),
        }
    }

    #[test]
    fn an_installed_target_is_used_whatever_else_is_there() {
        let facts = Facts {
            target_installed: true,
            rustup: true,
            may_apt: true,
            ..debian()
        };
        assert_eq!(next(&facts, &Tried::default()), Next::Use(Compiler::Current));
    }

    #[test]
    fn what_is_installed_comes_before_the_network() {
        let facts = Facts {
            rustup: true,
            may_apt: true,
            ..debian()
        };
        assert_eq!(
            next(&facts, &Tried::default()),
            Next::Use(Compiler::Debian { linker: "/lld".into() })
        );
    }

    #[test]
    fn rustup_comes_before_apt_and_each_is_tried_once() {
        let facts = Facts {
            rustup: true,
            may_apt: true,
            linker: Some("/lld".into()),
            ..Facts::default()
        };
        assert_eq!(next(&facts, &in_vain(false, false)), Next::AddByRustup);
        assert_eq!(
            next(&facts, &in_vain(true, false)),
            Next::InstallByApt {
                packages: DEBIAN_PACKAGES.to_vec()
            }
        );
        let Next::GiveUp { why } = next(&facts, &in_vain(true, true)) else {
            panic!("nothing is left to try")
        };
        assert_eq!(why, "rustup: no network; apt-get: no network");
    }

    #[test]
    fn a_part_of_debians_compiler_is_not_used() {
        let whole = Facts {
            may_apt: true,
            ..debian()
        };
        let parts = [
            Facts {
                debian_rustc: None,
                ..whole.clone()
            },
            Facts {
                debian_rustc: Some((1, 85)),
                ..whole.clone()
            },
            Facts {
                debian_cargo: false,
                ..whole.clone()
            },
            Facts {
                debian_source: false,
                ..whole
            },
        ];
        for facts in parts {
            let packages = DEBIAN_PACKAGES.to_vec();
            assert_eq!(
                next(&facts, &Tried::default()),
                Next::InstallByApt { packages },
                "{facts:?}"
            );
        }
    }

    #[test]
    fn a_missing_linker_is_installed_too() {
        let facts = Facts {
            linker: None,
            may_apt: true,
            ..debian()
        };
        let packages = vec!["rustc-web", "cargo-web", "rust-web-src", "lld"];
        assert_eq!(next(&facts, &Tried::default()), Next::InstallByApt { packages });
    }

    #[test]
    fn without_rustup_and_root_the_reasons_are_said() {
        let facts = Facts {
            debian_rustc: Some((1, 85)),
            ..Facts::default()
        };
        let Next::GiveUp { why } = next(&facts, &Tried::default()) else {
            panic!("there is no way")
        };
        assert_eq!(
            why,
            "this toolchain is not rustup's; apt-get needs Debian and root; /usr/bin/rustc is 1.85, too old"
        );
    }

    #[test]
    fn the_way_out_names_both_ways() {
        let facts = Facts {
            linker: Some("/lld".into()),
            ..Facts::default()
        };
        assert_eq!(
            way_out(&Target::ALL, &facts),
            "with rustup and the network run `rustup target add wasm32-unknown-unknown x86_64-unknown-none`, or on \
             Debian, as root, `apt-get install --no-install-recommends rustc-web cargo-web rust-web-src`"
        );
    }

    #[test]
    fn versions_are_read_as_rustc_prints_them() {
        assert_eq!(parse_version("rustc 1.96.0 (ac68faa20 2026-05-25)"), Some((1, 96)));
        assert_eq!(parse_version("rustc 1.97.0-nightly (x 2026-06-01)"), Some((1, 97)));
        assert_eq!(parse_version("cargo 1.96.0"), None);
        assert_eq!(parse_version(""), None);
    }
}
