//! The message protocol: one [`Request`], one [`Response`], the same for every face of the rules.
//!
//! Owns the shape of the messages. How they are encoded (JavaScript values, bincode, JSON) is the face's matter; what is
//! answered is the tree's.
//!
//! As JSON a request is an object with one field, its kind, and so is a response:
//! ```json
//! {"check_unikernel": {"name": "alice:web", "unikernel": {"memory_mib": 256, "cpuids": [0]}}}
//! {"refused": {"reasons": [{"code": "exceeds-memory",
//!   "sentence": "memory: `alice` allows 512 MiB, 384 in use, 256 asked: over by 128 MiB",
//!   "reason": {"exceeds": {"domain": "alice",
//!     "overrun": {"memory": {"allowed_mib": 512, "used_mib": 384, "asked_mib": 256}}}}}]}}
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Block, BlockSize, Fact, Name, Path, Policy, Reason, Refusal, Tree, Unikernel, Usage};

/// The version of the messages. It grows when a message changes its meaning or its encoding.
pub const VERSION: u32 = 1;

/// What can be asked of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// What a tree answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Response {
    /// It fits; what was to be changed is changed.
    Admitted {},
    /// It does not; nothing is changed.
    Refused {
        /// Every reason, at least one, in the order of [`Refusal`].
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
    /// The bytes were no request. Only a face that decodes bytes answers this.
    Malformed {
        /// What was wrong with them.
        message: String,
    },
}

/// A reason, for machines and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The stable code, see [`Reason::code`].
    pub code: String,
    /// One sentence.
    pub sentence: String,
    /// The facts and figures.
    pub reason: Reason,
}

/// Answers a request. Only `insert_…`, `remove_…` and `load` change the tree.
pub fn answer(tree: &mut Tree, request: Request) -> Response {
    match request {
        Request::CheckUnikernel { name, unikernel } => verdict(tree.check_unikernel(&name, &unikernel)),
        Request::InsertUnikernel { name, unikernel } => verdict(tree.insert_unikernel(&name, unikernel)),
        Request::RemoveUnikernel { name } => verdict(tree.remove_unikernel(&name)),
        Request::CheckBlock { name, size_mib } => verdict(tree.check_block(&name, size_mib)),
        Request::InsertBlock { name, size_mib } => verdict(tree.insert_block(&name, size_mib)),
        Request::RemoveBlock { name } => verdict(tree.remove_block(&name)),
        Request::CheckPolicy { domain, policy } => verdict(tree.check_policy(&domain, &policy)),
        Request::InsertPolicy { domain, policy } => verdict(tree.insert_policy(&domain, policy)),
        Request::RemovePolicy { domain } => verdict(tree.remove_policy(&domain)),
        Request::FindUnikernel { name } => Response::Unikernel {
            unikernel: tree.find_unikernel(&name).cloned(),
        },
        Request::FindBlock { name } => Response::Block {
            block: tree.find_block(&name).cloned(),
        },
        Request::FindPolicy { domain } => Response::Policy {
            policy: tree.find_policy(&domain).cloned(),
        },
        Request::Usage { domain } => Response::Usage {
            usage: tree.usage(&domain),
        },
        Request::Load { facts } => verdict(facts.into_iter().try_for_each(|fact| tree.load(fact))),
    }
}

fn verdict<T>(outcome: Result<T, Refusal>) -> Response {
    match outcome {
        Ok(_) => Response::Admitted {},
        Err(refusal) => Response::Refused {
            reasons: refusal.reasons().iter().cloned().map(Explanation::from).collect(),
        },
    }
}

impl From<Reason> for Explanation {
    fn from(reason: Reason) -> Self {
        Self {
            code: reason.code(),
            sentence: reason.to_string(),
            reason,
        }
    }
}
