//! Overruns: one limit that does not hold, with its numbers.
//!
//! Owns the comparison of each limit and the figures of its sentence. Whose limit it is, and what was asked, is said around it,
//! by a [`Reason`](crate::Reason) or a [`Finding`](crate::Finding).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;

use crate::{Amount, Bridge, BridgeSet, CpuSet};

/// A limit that is exceeded: for amounts `used` + `asked` is more than `allowed`; for sets `denied` is asked but not allowed.
///
/// Where a policy is compared with another one, nothing is `used`, and `asked` is the inner policy's limit. Where a policy is
/// compared with what its domain already takes, nothing is `asked`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Overrun {
    /// Too many unikernels.
    Unikernels {
        /// How many may run.
        allowed: Amount,
        /// How many do.
        used: Amount,
        /// How many more are asked for.
        asked: Amount,
    },
    /// Too much memory.
    Memory {
        /// The limit, in MiB.
        allowed_mib: Amount,
        /// What is taken of it.
        used_mib: Amount,
        /// What is asked for.
        asked_mib: Amount,
    },
    /// Too much block storage.
    Block {
        /// The limit, in MiB; none allows no block device at all.
        allowed_mib: Option<Amount>,
        /// What is taken of it.
        used_mib: Amount,
        /// What is asked for.
        asked_mib: Amount,
    },
    /// CPUs that may not be used.
    Cpuids {
        /// The ones that may.
        allowed: CpuSet,
        /// The ones that were asked for and may not.
        denied: CpuSet,
    },
    /// Bridges that may not be used.
    Bridges {
        /// The ones that may.
        allowed: BridgeSet,
        /// The ones that were asked for and may not; the first [`BRIDGES_MAX`](crate::BRIDGES_MAX) of them.
        denied: BridgeSet,
    },
}

impl Overrun {
    /// Which limit it is: `unikernels`, `memory`, `block`, `cpuids` or `bridges`.
    #[must_use]
    pub fn limit(&self) -> &'static str {
        match self {
            Self::Unikernels { .. } => "unikernels",
            Self::Memory { .. } => "memory",
            Self::Block { .. } => "block",
            Self::Cpuids { .. } => "cpuids",
            Self::Bridges { .. } => "bridges",
        }
    }

    pub(crate) fn of_unikernels(allowed: Amount, used: Amount, asked: Amount) -> Option<Self> {
        exceeds(allowed, used, asked).then_some(Self::Unikernels { allowed, used, asked })
    }

    pub(crate) fn of_memory(allowed_mib: Amount, used_mib: Amount, asked_mib: Amount) -> Option<Self> {
        exceeds(allowed_mib, used_mib, asked_mib).then_some(Self::Memory {
            allowed_mib,
            used_mib,
            asked_mib,
        })
    }

    /// The caller asks only where there is a block device: without a limit even one of no size is too much.
    pub(crate) fn of_block(allowed_mib: Option<Amount>, used_mib: Amount, asked_mib: Amount) -> Option<Self> {
        allowed_mib
            .is_none_or(|allowed| exceeds(allowed, used_mib, asked_mib))
            .then_some(Self::Block {
                allowed_mib,
                used_mib,
                asked_mib,
            })
    }

    pub(crate) fn of_cpuids(allowed: &CpuSet, asked: &CpuSet) -> Option<Self> {
        (!asked.is_subset(allowed)).then(|| Self::Cpuids {
            allowed: allowed.clone(),
            denied: asked.difference(allowed),
        })
    }

    pub(crate) fn of_bridges<'a>(allowed: &BridgeSet, asked: impl IntoIterator<Item = &'a Bridge>) -> Option<Self> {
        let denied = BridgeSet::some_of(asked.into_iter().filter(|bridge| !allowed.contains(bridge)));
        (!denied.is_empty()).then(|| Self::Bridges {
            allowed: allowed.clone(),
            denied,
        })
    }
}

fn exceeds(allowed: Amount, used: Amount, asked: Amount) -> bool {
    used.plus(asked).is_none_or(|sum| sum > allowed)
}

/// By how much a limit is exceeded. Two amounts cannot overflow a `u64`.
pub(crate) fn over(allowed: Amount, used: Amount, asked: Amount) -> u64 {
    (used.get() + asked.get()).saturating_sub(allowed.get())
}

/// What there is to say of an overrun: amounts and sets are worded differently, whichever limit they belong to.
pub(crate) enum Figures {
    Amounts {
        allowed: Option<Amount>,
        used: Amount,
        asked: Amount,
        unit: &'static str,
    },
    Sets {
        allowed: String,
        denied: String,
    },
}

impl Figures {
    pub(crate) fn of(overrun: &Overrun) -> Self {
        match overrun {
            Overrun::Unikernels { allowed, used, asked } => Self::Amounts {
                allowed: Some(*allowed),
                used: *used,
                asked: *asked,
                unit: "",
            },
            Overrun::Memory {
                allowed_mib,
                used_mib,
                asked_mib,
            } => Self::Amounts {
                allowed: Some(*allowed_mib),
                used: *used_mib,
                asked: *asked_mib,
                unit: " MiB",
            },
            Overrun::Block {
                allowed_mib,
                used_mib,
                asked_mib,
            } => Self::Amounts {
                allowed: *allowed_mib,
                used: *used_mib,
                asked: *asked_mib,
                unit: " MiB",
            },
            Overrun::Cpuids { allowed, denied } => Self::Sets {
                allowed: list(allowed, allowed.is_empty()),
                denied: denied.to_string(),
            },
            Overrun::Bridges { allowed, denied } => Self::Sets {
                allowed: list(allowed, allowed.is_empty()),
                denied: denied.to_string(),
            },
        }
    }
}

fn list(set: &impl fmt::Display, is_empty: bool) -> String {
    if is_empty { "none".to_owned() } else { set.to_string() }
}
