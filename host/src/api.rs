//! What a door may ask of the steward, and what it hears back: the closed list of commands.
//!
//! Owns the types that cross the daemon's interface, and their bounds. Encodes nothing (the doors do), decides nothing (the
//! policy module does), performs nothing (the steward does).

use std::fmt;

use fulmar_core::protocol::{Explanation, Snapshot};
use fulmar_core::{Name, NameError, Path, Policy, Unikernel, Usage};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// The largest image, in bytes. MirageOS unikernels have 2 to 40 MB, debug symbols included.
pub const IMAGE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The longest command line of a unikernel, in bytes: what the tender has room for (Solo5: `HVT_CMDLINE_SIZE` − 1).
pub const ARGUMENTS_BYTES_MAX: usize = 8191;

/// A request to the steward. Every one is answered once.
#[derive(Debug)]
pub enum Command {
    /// Gives a domain a policy, in place of the one it has. Answered by `Done`.
    AddPolicy {
        /// The domain.
        domain: Path,
        /// Its new policy.
        policy: Policy,
    },
    /// Takes a domain's policy away. Answered by `Done`.
    RemovePolicy {
        /// The domain.
        domain: Path,
    },
    /// The policies of a domain and everything below it. Answered by `Policies`.
    Policies {
        /// The domain.
        domain: Path,
    },
    /// Creates and starts a unikernel. Answered by `Created`.
    Create {
        /// Its name.
        name: Name,
        /// What it takes, and its arguments.
        config: UnikernelConfig,
        /// Its image: an ELF file, at most [`IMAGE_BYTES_MAX`].
        image: Vec<u8>,
    },
    /// Ends a unikernel and forgets it; answered by `Done` when its process is gone.
    Destroy {
        /// Its name.
        name: Name,
    },
    /// The selected unikernels. Answered by `Unikernels`.
    Unikernels {
        /// Which ones.
        selection: Selection,
    },
    /// The console of a unikernel that runs or has run. Answered by `Console`.
    Console {
        /// Its name.
        name: Name,
    },
    /// Everything that the tree of resources holds. Answered by `Snapshot`.
    Snapshot,
}

/// What the steward answers.
#[derive(Debug)]
pub enum Answer {
    /// It is done, and recorded.
    Done,
    /// The unikernel runs, and is recorded.
    Created(UnikernelInfo),
    /// Policies, in order of their domains.
    Policies(Vec<PolicyInfo>),
    /// Unikernels, in order of their names.
    Unikernels(Vec<UnikernelInfo>),
    /// The last lines, and those to come.
    Console(ConsoleView),
    /// The tree, as the policy module holds it.
    Snapshot(Snapshot),
}

/// Which unikernels are meant. `alice:bob` means the unikernel `alice:bob` and all in the domain `alice:bob` and below;
/// `alice:bob:` the domain only; `:` or nothing all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    domain: Path,
    name: Option<Name>,
}

impl Selection {
    /// Reads a selection.
    ///
    /// # Errors
    /// [`NameError`] where the text is no path.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let domain = text.parse::<Path>()?;
        Ok(Self {
            domain,
            name: text.parse().ok(),
        })
    }

    /// Whether this unikernel is meant.
    #[must_use]
    pub fn contains(&self, name: &Name) -> bool {
        self.domain.contains(name.domain()) || self.name.as_ref() == Some(name)
    }
}

/// As it is read.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => name.fmt(f),
            None if self.domain.is_root() => self.domain.fmt(f),
            None => write!(f, "{}:", self.domain),
        }
    }
}

/// How a unikernel is to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnikernelConfig {
    /// Its footprint.
    pub unikernel: Unikernel,
    /// Its command line, joined by blanks; at most [`ARGUMENTS_BYTES_MAX`].
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// A policy, and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInfo {
    /// The domain.
    pub domain: Path,
    /// Its policy.
    pub policy: Policy,
    /// What the domain and everything below it use.
    pub usage: Usage,
}

/// A unikernel, as it was asked for and as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnikernelInfo {
    /// Its name.
    pub name: Name,
    /// Its footprint and its arguments.
    pub config: UnikernelConfig,
    /// The SHA-256 of its image, in hexadecimal digits.
    pub image_sha256: String,
    /// What is known of it now.
    pub state: UnikernelState,
}

/// What is known of a unikernel now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnikernelState {
    /// Its resources are reserved, and it is being started.
    Starting {},
    /// It runs.
    Running {
        /// The process of its tender.
        pid: u32,
        /// When that was started, in milliseconds since 1970.
        started_unix_ms: u64,
    },
    /// It is being ended.
    Stopping {},
    /// It should run, but could not be started again with the daemon. It holds its resources until it is destroyed.
    Failed {
        /// Why.
        message: String,
    },
}

/// One line of a console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// When it was read, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// The line, without its end; what was no UTF-8 in it is replaced.
    pub line: String,
}

/// A console: the last lines, and those to come until the unikernel is forgotten.
#[derive(Debug)]
pub struct ConsoleView {
    /// The last lines, oldest first.
    pub history: Vec<ConsoleLine>,
    /// What follows them. A receiver that is too slow loses the oldest.
    pub live: broadcast::Receiver<ConsoleLine>,
}

/// Why a command was not carried out. Whatever was begun is undone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The rules refuse it.
    #[error("refused: {}", join_sentences(.0))]
    Refused(Vec<Explanation>),
    /// There is no such thing.
    #[error("{0}")]
    Unknown(String),
    /// It makes no sense: the message says which value, and what would do.
    #[error("{0}")]
    Invalid(String),
    /// Something of that name is just being started or ended; asking again may help.
    #[error("{0}")]
    Busy(String),
    /// No verdict could be had, so nothing was done.
    #[error("no verdict: {0}")]
    NoVerdict(String),
    /// It is allowed, but could not be done.
    #[error("{0}")]
    Failed(String),
}

fn join_sentences(reasons: &[Explanation]) -> String {
    reasons
        .iter()
        .map(|reason| reason.sentence.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}

/// The outcome of a command.
pub type Outcome = Result<Answer, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_written_as_it_is_read() {
        for (text, written) in [
            ("", ":"),
            (":", ":"),
            ("alice", "alice"),
            ("alice:", "alice:"),
            (":alice:bob", "alice:bob"),
            ("alice:bob:", "alice:bob:"),
        ] {
            let selection = Selection::new(text).unwrap();
            assert_eq!(selection.to_string(), written);
            assert_eq!(Selection::new(written), Ok(selection));
        }
        assert_eq!(Selection::new(":"), Ok(Selection::default()));
    }
}
