//! Over-subscription: what a domain handed on, against what it has.
//!
//! It is legal to hand on more than one has, first come, first served; it is worth showing. Decides nothing.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Tree;
use crate::{Amount, Bridge, CpuId, Overrun, Path, Policy};

/// What a domain handed on: the policies right below it, added up. A policy below another one below it is that one's affair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandedOn {
    /// How many policies there are right below.
    pub policies: u64,
    /// The sum of their unikernels. This and the other sums end at [`Amount::MAX`].
    pub unikernels: Amount,
    /// The sum of their memory, in MiB.
    pub memory_mib: Amount,
    /// The sum of their block storage, in MiB.
    pub block_mib: Amount,
    /// How many of them allow each CPU.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::counts::serialize_by_cpu"))]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<CpuId, u64>"))]
    pub cpuids: BTreeMap<CpuId, u64>,
    /// How many of them allow each bridge.
    pub bridges: BTreeMap<Bridge, u64>,
    /// The sums that are larger than the domain's own limit, where it has a policy: what was handed on cannot all be used at the
    /// same time.
    pub oversubscribed: Vec<Overrun>,
}

impl Tree {
    /// What `domain` handed on. Costs O(policies below).
    #[must_use]
    pub fn handed_on(&self, domain: &Path) -> HandedOn {
        let mut handed_on = HandedOn::default();
        let mut last: Option<&Path> = None;
        // In order of paths: everything below a domain follows it at once.
        for (below, policy) in self.policed_below(domain) {
            if last.is_none_or(|last| !last.contains(below)) {
                handed_on.add(policy);
                last = Some(below);
            }
        }
        if let Some(own) = self.find_policy(domain) {
            handed_on.oversubscribed = handed_on.overruns(own);
        }
        handed_on
    }
}

impl HandedOn {
    fn add(&mut self, policy: &Policy) {
        let sum = |a: Amount, b: Amount| a.plus(b).unwrap_or(Amount::MAX);
        self.policies += 1;
        self.unikernels = sum(self.unikernels, policy.unikernels);
        self.memory_mib = sum(self.memory_mib, policy.memory_mib);
        self.block_mib = sum(self.block_mib, policy.block_mib.unwrap_or_default());
        for cpu in policy.cpuids.iter() {
            *self.cpuids.entry(cpu).or_default() += 1;
        }
        for bridge in policy.bridges.iter() {
            *self.bridges.entry(bridge.clone()).or_default() += 1;
        }
    }

    fn overruns(&self, own: &Policy) -> Vec<Overrun> {
        let block = Some(self.block_mib).filter(|sum| *sum > Amount::ZERO);
        [
            Overrun::of_unikernels(own.unikernels, Amount::ZERO, self.unikernels),
            Overrun::of_memory(own.memory_mib, Amount::ZERO, self.memory_mib),
            block.and_then(|sum| Overrun::of_block(own.block_mib, Amount::ZERO, sum)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
