//! What is answered.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{DomainReport, Snapshot};
use crate::{Amount, Block, Finding, HandedOn, Headroom, Policy, Reason, Unikernel, Usage};

/// What a tree answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Response {
    /// It fits; what was to be changed is changed.
    Admitted {},
    /// It does not; nothing is changed.
    Refused {
        /// Every reason, at least one, in the order of [`Refusal`](crate::Refusal).
        reasons: Vec<Explanation>,
    },
    /// The unikernel, if there is one.
    Unikernel {
        /// Its footprint.
        unikernel: Option<Unikernel>,
    },
    /// The block device, if there is one.
    Block {
        /// Its size, and the unikernel that uses it.
        block: Option<Block>,
    },
    /// The domain's own policy, if it has one.
    Policy {
        /// The policy.
        policy: Option<Policy>,
    },
    /// What the domain and everything below it use.
    Usage {
        /// The sums.
        usage: Usage,
    },
    /// What still fits.
    Headroom {
        /// Limit by limit.
        headroom: Headroom,
    },
    /// How many fit.
    Fit {
        /// That many, one after the other.
        count: Amount,
        /// Why one more would then be refused.
        then: Vec<Explanation>,
    },
    /// What was handed on.
    HandedOn {
        /// The sums.
        handed_on: HandedOn,
    },
    /// The domains, each right before those below it.
    Domains {
        /// None where there is no such domain.
        domains: Vec<DomainReport>,
    },
    /// The limits that do not hold.
    Audit {
        /// None where everything is in order.
        findings: Vec<Explanation<Finding>>,
    },
    /// What a plan comes to.
    Plan {
        /// A verdict for each step.
        verdicts: Vec<StepVerdict>,
        /// The domains looked at, as they would be afterwards.
        domains: Vec<DomainReport>,
    },
    /// Everything that the tree holds.
    Snapshot {
        /// To be kept, or restored elsewhere.
        snapshot: Snapshot,
    },
    /// The bytes were no request, or their answer would be too long. Only a face that decodes bytes answers this.
    Malformed {
        /// What was wrong with them.
        message: String,
    },
}

/// What became of a step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StepVerdict {
    /// It fits.
    Admitted {},
    /// It does not.
    Refused {
        /// Every reason, at least one.
        reasons: Vec<Explanation>,
    },
    /// A step before was refused, and the plan stopped there.
    NotTried {},
}

/// A reason or a finding, for machines and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Explained{T}"))]
#[serde(deny_unknown_fields)]
pub struct Explanation<T = Reason> {
    /// The stable code, see [`Reason::code`] and [`Finding::code`].
    pub code: String,
    /// One sentence.
    pub sentence: String,
    /// The facts and figures.
    pub reason: T,
}

impl From<Reason> for Explanation {
    fn from(reason: Reason) -> Self {
        let (code, sentence) = (reason.code(), reason.to_string());
        Self { code, sentence, reason }
    }
}

impl From<Finding> for Explanation<Finding> {
    fn from(finding: Finding) -> Self {
        let (code, sentence) = (finding.code(), finding.to_string());
        Self {
            code,
            sentence,
            reason: finding,
        }
    }
}
