//! What can be asked.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Snapshot;
use crate::{AfterRefusal, BlockSize, Fact, Name, Path, Policy, Step, Unikernel};

/// What can be asked of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// May this unikernel be created? Answered by `admitted` or `refused`, as all checks, inserts and removals.
    CheckUnikernel {
        /// Its name.
        name: Name,
        /// Its footprint.
        unikernel: Unikernel,
    },
    /// Count this unikernel in, if it may be created.
    InsertUnikernel {
        /// Its name.
        name: Name,
        /// Its footprint.
        unikernel: Unikernel,
    },
    /// Take a unikernel out.
    RemoveUnikernel {
        /// Its name.
        name: Name,
    },
    /// May this block device be created?
    CheckBlock {
        /// Its name.
        name: Name,
        /// Its size.
        size_mib: BlockSize,
    },
    /// Count this block device in, if it may be created.
    InsertBlock {
        /// Its name.
        name: Name,
        /// Its size.
        size_mib: BlockSize,
    },
    /// Take a block device out.
    RemoveBlock {
        /// Its name.
        name: Name,
    },
    /// May the domain be given this policy?
    CheckPolicy {
        /// The domain.
        domain: Path,
        /// Its new policy.
        policy: Policy,
    },
    /// Give the domain this policy, if it may have it.
    InsertPolicy {
        /// The domain.
        domain: Path,
        /// Its new policy.
        policy: Policy,
    },
    /// Take a domain's policy away.
    RemovePolicy {
        /// The domain.
        domain: Path,
    },
    /// Answered by `unikernel`.
    FindUnikernel {
        /// Its name.
        name: Name,
    },
    /// Answered by `block`.
    FindBlock {
        /// Its name.
        name: Name,
    },
    /// Answered by `policy`.
    FindPolicy {
        /// The domain.
        domain: Path,
    },
    /// What do a domain and everything below it use? Answered by `usage`.
    Usage {
        /// The domain.
        domain: Path,
    },
    /// Put known facts back, in this order, whatever the limits. Answered by `admitted`; or by `refused` at the first one whose
    /// name forbids it: those before it are then loaded.
    Load {
        /// The facts.
        facts: Vec<Fact>,
    },
    /// What still fits in a domain? Answered by `headroom`.
    Headroom {
        /// The domain.
        domain: Path,
    },
    /// How many unikernels of this footprint still fit in a domain? Answered by `fit`.
    HowManyFit {
        /// The domain.
        domain: Path,
        /// The footprint; its block devices are left aside.
        unikernel: Unikernel,
    },
    /// What did a domain hand on? Answered by `handed_on`.
    HandedOn {
        /// The domain.
        domain: Path,
    },
    /// A domain and everything below it. Answered by `domains`.
    Walk {
        /// The domain.
        domain: Path,
    },
    /// Where is a limit broken? Answered by `audit`.
    Audit {},
    /// Try steps in order and take them back again. Answered by `plan`; the tree is not changed.
    Plan {
        /// The steps.
        steps: Vec<Step>,
        /// Whether the steps after a refused one are tried.
        after_refusal: AfterRefusal,
        /// The domain that is shown as it would be afterwards, with everything below it.
        look_at: Path,
    },
    /// Everything that the tree holds. Answered by `snapshot`.
    Snapshot {},
    /// Replace everything that the tree holds. Answered by `admitted`; or by `refused` where the facts contradict each other: then
    /// nothing is changed.
    Restore {
        /// What another tree, or this one earlier, answered to `snapshot`.
        snapshot: Snapshot,
    },
}
