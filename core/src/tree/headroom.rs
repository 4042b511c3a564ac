//! Head-room: what still fits in a domain under the whole chain of policies, and which of them is in the way.
//!
//! Answers questions; decides nothing that an insertion would not decide on the same tree.

use alloc::vec;
use alloc::vec::Vec;

use super::Tree;
use super::check::{Exceeded, unikernel_overruns};
use crate::{Amount, BridgeSet, CpuSet, Path, Policy, Reason, Unikernel, Usage};

/// What still fits in a domain, limit by limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Headroom {
    /// How many more unikernels.
    pub unikernels: Room,
    /// How much more memory, in MiB.
    pub memory_mib: Room,
    /// How much more block storage, in MiB; 0 where a policy allows no block device.
    pub block_mib: Room,
    /// The CPUs that every policy allows.
    pub cpuids: Choice<CpuSet>,
    /// The bridges that every policy allows.
    pub bridges: Choice<BridgeSet>,
}

/// What is left of an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Room {
    /// How much; 0 where more is used than allowed (see [`Tree::audit`]).
    pub free: Amount,
    /// The domain whose policy leaves no more than that: of several the nearest. None where there is no policy on the chain: then it is
    /// all that can be counted.
    pub bound_by: Option<Path>,
}

/// What may be chosen from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChoiceOf{S}"))]
pub struct Choice<S> {
    /// What every policy allows. None where there is no policy on the chain: then it is anything.
    pub allowed: Option<S>,
    /// The domains whose policies leave something out that the nearer ones allow: first the nearest that has a policy, then
    /// upwards. More than that one only where a policy is wider than one above, which only loaded facts can bring.
    pub bound_by: Vec<Path>,
}

/// How many unikernels of one footprint still fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fit {
    /// How many.
    pub count: Amount,
    /// Why one more would be refused after that many, in the order of a [`Refusal`](crate::Refusal).
    pub then: Vec<Reason>,
}

impl Tree {
    /// What still fits in `domain`, whether it exists yet or not. Costs O(depth).
    #[must_use]
    pub fn headroom(&self, domain: &Path) -> Headroom {
        let chain = self.policies_upwards(domain);
        Headroom {
            unikernels: self.room(
                domain,
                &chain,
                |policy| Some(policy.unikernels),
                |usage| usage.unikernels,
            ),
            memory_mib: self.room(
                domain,
                &chain,
                |policy| Some(policy.memory_mib),
                |usage| usage.memory_mib,
            ),
            block_mib: self.room(domain, &chain, |policy| policy.block_mib, |usage| usage.block_mib),
            cpuids: choice(
                domain,
                &chain,
                |policy| &policy.cpuids,
                CpuSet::is_subset,
                CpuSet::intersection,
            ),
            bridges: choice(
                domain,
                &chain,
                |policy| &policy.bridges,
                BridgeSet::is_subset,
                BridgeSet::intersection,
            ),
        }
    }

    /// How many unikernels of this footprint can be created in `domain`, one after the other. Costs O(depth).
    ///
    /// Its block devices are left aside: each of them has a name, and one user.
    #[must_use]
    pub fn how_many_fit(&self, domain: &Path, unikernel: &Unikernel) -> Fit {
        let chain = self.policies_upwards(domain);
        let counts = chain
            .iter()
            .map(|(_, policy, usage)| fit_under(policy, usage, unikernel));
        let countable = fit_amounts(Amount::MAX, Amount::MAX, &self.root.usage, unikernel);
        let count = counts.fold(countable, Amount::min);
        let mut exceeded = Exceeded::default();
        for (depth, policy, usage) in &chain {
            let full = usage.with_many(unikernel, count);
            exceeded.add(*depth, |overruns| {
                unikernel_overruns(policy, &full, unikernel, overruns);
            });
        }
        let mut then = Vec::new();
        if !self.root.usage.with_many(unikernel, count).counts_unikernel(unikernel) {
            then.push(Reason::Uncountable);
        }
        exceeded.explain(domain, &mut then);
        Fit { count, then }
    }

    /// The policies on the chain, from `domain` upwards, each with its depth and what its subtree uses.
    fn policies_upwards(&self, domain: &Path) -> Vec<(usize, &Policy, &Usage)> {
        let mut policies = Vec::new();
        self.root.walk(domain, |depth, node| {
            policies.extend(node.policy.as_ref().map(|policy| (depth, policy, &node.usage)));
        });
        policies.reverse();
        policies
    }

    fn room(
        &self,
        domain: &Path,
        chain: &[(usize, &Policy, &Usage)],
        limit: impl Fn(&Policy) -> Option<Amount>,
        used: impl Fn(&Usage) -> Amount,
    ) -> Room {
        let left = |policy: &Policy, usage: &Usage| limit(policy).and_then(|limit| limit.minus(used(usage)));
        let rooms = chain
            .iter()
            .map(|(depth, policy, usage)| (left(policy, usage).unwrap_or_default(), *depth));
        // Of equal ones the first, which is the nearest.
        match rooms.min_by_key(|(free, _)| *free) {
            Some((free, depth)) => Room {
                free,
                bound_by: Some(domain.prefix(depth)),
            },
            None => Room {
                free: Amount::MAX.counted_minus(used(&self.root.usage)),
                bound_by: None,
            },
        }
    }
}

fn choice<S: Clone>(
    domain: &Path,
    chain: &[(usize, &Policy, &Usage)],
    set: impl Fn(&Policy) -> &S,
    is_subset: impl Fn(&S, &S) -> bool,
    intersection: impl Fn(&S, &S) -> S,
) -> Choice<S> {
    let Some(((depth, nearest, _), above)) = chain.split_first() else {
        return Choice {
            allowed: None,
            bound_by: Vec::new(),
        };
    };
    let (mut allowed, mut bound_by) = (set(nearest).clone(), vec![domain.prefix(*depth)]);
    for (depth, policy, _) in above {
        // Nearly always so: a policy is admitted only within those above.
        if !is_subset(&allowed, set(policy)) {
            allowed = intersection(&allowed, set(policy));
            bound_by.push(domain.prefix(*depth));
        }
    }
    Choice {
        allowed: Some(allowed),
        bound_by,
    }
}

/// How many fit under one policy.
fn fit_under(policy: &Policy, usage: &Usage, unikernel: &Unikernel) -> Amount {
    let bridges_allowed = unikernel
        .bridges()
        .iter()
        .all(|net| policy.bridges.contains(&net.bridge));
    if !bridges_allowed || !unikernel.cpuids().is_subset(&policy.cpuids) {
        return Amount::ZERO;
    }
    fit_amounts(policy.unikernels, policy.memory_mib, usage, unikernel)
}

fn fit_amounts(unikernels: Amount, memory_mib: Amount, usage: &Usage, unikernel: &Unikernel) -> Amount {
    let by_count = unikernels.minus(usage.unikernels).unwrap_or_default();
    let by_memory = memory_mib
        .minus(usage.memory_mib)
        .unwrap_or_default()
        .divided_by(unikernel.memory_mib());
    by_count.min(by_memory)
}
