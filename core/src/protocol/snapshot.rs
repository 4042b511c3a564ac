//! Snapshots: everything that a tree holds, as one message, the version first.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{Fact, Refusal, Tree};

/// Everything that a tree holds. Its first field says how to read the rest, in every encoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// How the facts are written.
    pub version: SnapshotVersion,
    /// The facts, in an order in which they can be loaded.
    pub facts: Vec<Fact>,
}

/// A version of snapshots that can be read: so far there is one, 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "u32", into = "u32")]
pub struct SnapshotVersion(());

impl SnapshotVersion {
    /// The version that is written.
    pub const CURRENT: Self = Self(());
}

impl TryFrom<u32> for SnapshotVersion {
    type Error = SnapshotVersionError;

    fn try_from(version: u32) -> Result<Self, SnapshotVersionError> {
        if version == 1 {
            Ok(Self::CURRENT)
        } else {
            Err(SnapshotVersionError { version })
        }
    }
}

impl From<SnapshotVersion> for u32 {
    fn from(SnapshotVersion(()): SnapshotVersion) -> Self {
        1
    }
}

/// A version that is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotVersionError {
    version: u32,
}

impl fmt::Display for SnapshotVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a snapshot of version {} cannot be read here: only version 1",
            self.version
        )
    }
}

impl core::error::Error for SnapshotVersionError {}

impl Snapshot {
    /// Everything that `tree` holds.
    #[must_use]
    pub fn of(tree: &Tree) -> Self {
        Self {
            version: SnapshotVersion::CURRENT,
            facts: tree.facts(),
        }
    }

    /// The tree that it was taken of. As with [`Tree::load`] no limit refuses it.
    ///
    /// # Errors
    /// Where the facts contradict each other: then it was not taken of a tree.
    pub fn restored(self) -> Result<Tree, Refusal> {
        let mut tree = Tree::new();
        self.facts.into_iter().try_for_each(|fact| tree.load(fact))?;
        Ok(tree)
    }
}
