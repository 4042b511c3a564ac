//! Policies: the five limits of a domain and everything below it.
//!
//! Owns what "wider" means. Which domain has which policy is the tree's matter.

use alloc::vec::Vec;

use crate::{Amount, BridgeSet, CpuSet, Overrun};

/// What a domain and everything below it may use in all (Albatross: `Vmm_core.Policy`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Policy {
    /// How many unikernels may run.
    pub unikernels: Amount,
    /// How much memory they may have, in MiB.
    pub memory_mib: Amount,
    /// How large block devices may be in all, in MiB, attached or not; without it there may be none.
    pub block_mib: Option<Amount>,
    /// The CPUs that may be used.
    pub cpuids: CpuSet,
    /// The host's bridges that may be used.
    pub bridges: BridgeSet,
}

impl Policy {
    /// The limits in which this policy is wider than `allowed`, in the order of the limits; none where it fits within.
    pub(crate) fn wider_than(&self, allowed: &Self) -> Vec<Overrun> {
        let block = self
            .block_mib
            .and_then(|asked| Overrun::of_block(allowed.block_mib, Amount::ZERO, asked));
        [
            Overrun::of_unikernels(allowed.unikernels, Amount::ZERO, self.unikernels),
            Overrun::of_memory(allowed.memory_mib, Amount::ZERO, self.memory_mib),
            block,
            Overrun::of_cpuids(&allowed.cpuids, &self.cpuids),
            Overrun::of_bridges(&allowed.bridges, self.bridges.iter()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{bridges, cpus, policy};
    use alloc::vec;

    #[test]
    fn a_policy_is_not_wider_than_itself() {
        let alice = Policy {
            block_mib: Some(Amount::ONE),
            ..policy(2, 512, &[0, 1], &["dmz"])
        };
        assert_eq!(alice.wider_than(&alice), vec![]);
        let none = Policy {
            block_mib: None,
            ..alice.clone()
        };
        assert_eq!(none.wider_than(&alice), vec![]);
    }

    #[test]
    fn every_limit_is_compared_and_named_in_order() {
        let wide = Policy {
            block_mib: Some(Amount::ZERO),
            ..policy(3, 513, &[0, 1, 2], &["dmz", "lan"])
        };
        let narrow = policy(2, 512, &[1], &["lan"]);
        assert_eq!(
            wide.wider_than(&narrow),
            vec![
                Overrun::Unikernels {
                    allowed: 2.into(),
                    used: Amount::ZERO,
                    asked: 3.into()
                },
                Overrun::Memory {
                    allowed_mib: 512.into(),
                    used_mib: Amount::ZERO,
                    asked_mib: 513.into()
                },
                Overrun::Block {
                    allowed_mib: None,
                    used_mib: Amount::ZERO,
                    asked_mib: Amount::ZERO
                },
                Overrun::Cpuids {
                    allowed: cpus(&[1]),
                    denied: cpus(&[0, 2])
                },
                Overrun::Bridges {
                    allowed: bridges(&["lan"]),
                    denied: bridges(&["dmz"])
                },
            ]
        );
    }
}
