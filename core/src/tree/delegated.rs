//! What was handed on: the limits of all policies below a domain, kept sorted.
//!
//! Owns the answer to "is any policy below wider than this one?" without looking at them one by one: a policy may replace
//! another above thousands. Which one it is, is looked up only where the answer is yes.

use alloc::collections::BTreeMap;

use crate::counts::{add_all, release};
use crate::{Amount, Bridge, CpuId, Policy};

/// How often each limit occurs among the policies strictly below a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Delegated {
    unikernels: BTreeMap<Amount, u64>,
    memory_mib: BTreeMap<Amount, u64>,
    block_mib: BTreeMap<Option<Amount>, u64>,
    cpuids: BTreeMap<CpuId, u64>,
    bridges: BTreeMap<Bridge, u64>,
}

impl Delegated {
    /// Counts the limits of a policy in.
    pub(super) fn add(&mut self, policy: &Policy) {
        *self.unikernels.entry(policy.unikernels).or_default() += 1;
        *self.memory_mib.entry(policy.memory_mib).or_default() += 1;
        *self.block_mib.entry(policy.block_mib).or_default() += 1;
        for cpu in policy.cpuids.iter() {
            *self.cpuids.entry(cpu).or_default() += 1;
        }
        for bridge in policy.bridges.iter() {
            *self.bridges.entry(bridge.clone()).or_default() += 1;
        }
    }

    /// Takes the limits of a policy out again that was counted in.
    pub(super) fn remove(&mut self, policy: &Policy) {
        release(&mut self.unikernels, &policy.unikernels);
        release(&mut self.memory_mib, &policy.memory_mib);
        release(&mut self.block_mib, &policy.block_mib);
        for cpu in policy.cpuids.iter() {
            release(&mut self.cpuids, &cpu);
        }
        for bridge in policy.bridges.iter() {
            release(&mut self.bridges, bridge);
        }
    }

    /// Counts in all that another domain has handed on.
    pub(super) fn add_all(&mut self, other: &Self) {
        add_all(&mut self.unikernels, &other.unikernels);
        add_all(&mut self.memory_mib, &other.memory_mib);
        add_all(&mut self.block_mib, &other.block_mib);
        add_all(&mut self.cpuids, &other.cpuids);
        add_all(&mut self.bridges, &other.bridges);
    }

    /// Whether at least one of the policies is wider than `policy` in at least one limit.
    pub(super) fn is_wider_than(&self, policy: &Policy) -> bool {
        let above = |largest: Option<(&Amount, &u64)>, limit| largest.is_some_and(|(largest, _)| *largest > limit);
        above(self.unikernels.last_key_value(), policy.unikernels)
            || above(self.memory_mib.last_key_value(), policy.memory_mib)
            // None is narrower than any amount, and `Option` orders them so.
            || self.block_mib.last_key_value().is_some_and(|(largest, _)| *largest > policy.block_mib)
            || self.cpuids.keys().any(|cpu| !policy.cpuids.contains(*cpu))
            || self.bridges.keys().any(|bridge| !policy.bridges.contains(bridge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::policy;
    use alloc::vec;

    /// Policies that differ from the first one in one limit each, in both directions.
    fn policies() -> vec::Vec<Policy> {
        let block = |block_mib: Option<u32>| Policy {
            block_mib: block_mib.map(Amount::from),
            ..policy(2, 64, &[0], &["dmz"])
        };
        vec![
            block(Some(10)),
            block(Some(9)),
            block(Some(11)),
            block(None),
            Policy {
                unikernels: 1.into(),
                ..block(Some(10))
            },
            Policy {
                unikernels: 3.into(),
                ..block(Some(10))
            },
            Policy {
                memory_mib: 63.into(),
                ..block(Some(10))
            },
            Policy {
                memory_mib: 65.into(),
                ..block(Some(10))
            },
            Policy {
                block_mib: Some(10.into()),
                ..policy(2, 64, &[0, 1], &["dmz"])
            },
            Policy {
                block_mib: Some(10.into()),
                ..policy(2, 64, &[], &["dmz"])
            },
            Policy {
                block_mib: Some(10.into()),
                ..policy(2, 64, &[0], &["dmz", "lan"])
            },
            Policy {
                block_mib: Some(10.into()),
                ..policy(2, 64, &[0], &[])
            },
        ]
    }

    #[test]
    fn one_is_wider_exactly_where_a_look_at_each_says_so() {
        let policies = policies();
        for [one, other, new] in policies.iter().flat_map(|one| {
            let policies = &policies;
            policies
                .iter()
                .flat_map(move |other| policies.iter().map(move |new| [one, other, new]))
        }) {
            let mut delegated = Delegated::default();
            delegated.add(one);
            delegated.add(other);
            let is_wider = |policy: &Policy| !policy.wider_than(new).is_empty();
            assert_eq!(
                delegated.is_wider_than(new),
                is_wider(one) || is_wider(other),
                "{one:?} {other:?} {new:?}"
            );
            delegated.remove(one);
            assert_eq!(delegated.is_wider_than(new), is_wider(other), "{other:?} {new:?}");
            delegated.remove(other);
            assert_eq!(delegated, Delegated::default());
        }
    }
}
