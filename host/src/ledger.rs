//! The ledger: what should be, on disk.
//!
//! Owns what is recorded and in which shape; [`redb`] is the one that writes it so far. It knows nothing of what runs: that is
//! observed anew at each start.

pub mod redb;

use std::collections::BTreeMap;
use std::path::PathBuf;

use fulmar_core::{Name, Path, Policy};
use serde::{Deserialize, Serialize};

use crate::api::UnikernelConfig;
use crate::images::ImageDigest;

/// Keeps what was reported as done. Calls may block for as long as the disk takes.
pub trait Ledger: Send + Sync {
    /// Everything that is recorded.
    ///
    /// # Errors
    /// [`LedgerError`] where it cannot be read whole.
    fn load(&self) -> Result<Contents, LedgerError>;

    /// Records changes: all of them, and for good, or none.
    ///
    /// # Errors
    /// [`LedgerError`] where none is recorded.
    fn record(&self, changes: &[Change]) -> Result<(), LedgerError>;
}

/// What a ledger holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The policies that operators gave; not the host's own for the root.
    pub policies: BTreeMap<Path, Policy>,
    /// The unikernels that should run.
    pub unikernels: BTreeMap<Name, RecordedUnikernel>,
}

/// A unikernel that should run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedUnikernel {
    /// Its footprint and its arguments.
    pub config: UnikernelConfig,
    /// Which image.
    pub image_sha256: ImageDigest,
}

/// One change of what is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A domain has this policy.
    PutPolicy {
        /// The domain.
        domain: Path,
        /// Its policy.
        policy: Policy,
    },
    /// A domain has no policy.
    RemovePolicy {
        /// The domain.
        domain: Path,
    },
    /// A unikernel should run.
    PutUnikernel {
        /// Its name.
        name: Name,
        /// How, and which.
        unikernel: RecordedUnikernel,
    },
    /// A unikernel should not run.
    RemoveUnikernel {
        /// Its name.
        name: Name,
    },
}

/// Why the ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process has it open.
    #[error("the ledger `{}` is in use: another daemon runs on this state directory", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It was written by another version of the program.
    #[error("the ledger `{}` has format version {found}, this program reads version {}: run the version that wrote it", path.display(), redb::VERSION)]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// It holds what no version writes.
    #[error("the ledger `{}` is damaged: {what}; put a copy in its place, or move it away to begin with nothing", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk does not do what it should.
    #[error("the ledger `{}` cannot be read or written: {error}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: String,
    },
}
