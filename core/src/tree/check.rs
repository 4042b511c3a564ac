//! Decides: which reasons speak against a request, in their fixed order. Changes nothing.
//!
//! Two kinds of reasons are kept apart: those by name (it exists, it is missing, it cannot be counted) hold also when known
//! facts are loaded; those by limit do not.

use alloc::vec::Vec;

use super::Tree;
use super::node::Node;
use crate::{Amount, BlockSize, Name, Overrun, Path, Policy, Reason, Unikernel};

/// Reasons against a unikernel that have nothing to do with limits.
pub(super) fn unikernel_by_name(tree: &Tree, name: &Name, unikernel: &Unikernel) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if tree.find_unikernel(name).is_some() {
        reasons.push(Reason::UnikernelExists { name: name.clone() });
    }
    let devices = unikernel.block_devices();
    for (position, device) in devices.iter().enumerate() {
        let block_name = || name.sibling(&device.host);
        if devices[..position].iter().any(|earlier| earlier.host == device.host) {
            reasons.push(Reason::BlockTwice { name: block_name() });
            continue;
        }
        match tree
            .root
            .find(name.domain())
            .and_then(|domain| domain.blocks.get(&device.host))
        {
            None => reasons.push(Reason::BlockUnknown { name: block_name() }),
            Some(block) => reasons.extend(block.user.as_ref().map(|user| Reason::BlockActive {
                name: block_name(),
                user: name.sibling(user),
            })),
        }
    }
    if !tree.root.usage.counts_unikernel(unikernel) {
        reasons.push(Reason::Uncountable);
    }
    reasons
}

/// Limits on the chain that a unikernel would exceed.
pub(super) fn unikernel_limits(tree: &Tree, name: &Name, unikernel: &Unikernel) -> Vec<Reason> {
    exceeded_on_chain(tree, name.domain(), |policy, node| {
        let usage = &node.usage;
        [
            Overrun::of_unikernels(policy.unikernels, usage.unikernels, Amount::ONE),
            Overrun::of_memory(policy.memory_mib, usage.memory_mib, unikernel.memory_mib()),
            None,
            Overrun::of_cpuids(&policy.cpuids, unikernel.cpuids().iter()),
            Overrun::of_bridges(&policy.bridges, unikernel.bridges().iter().map(|net| &net.bridge)),
        ]
    })
}

/// Reasons against a block device that have nothing to do with limits.
pub(super) fn block_by_name(tree: &Tree, name: &Name, size: BlockSize) -> Vec<Reason> {
    let exists = tree
        .find_block(name)
        .map(|_| Reason::BlockExists { name: name.clone() });
    let uncountable = (!tree.root.usage.counts_block(size)).then_some(Reason::Uncountable);
    exists.into_iter().chain(uncountable).collect()
}

/// Limits on the chain that a block device would exceed.
pub(super) fn block_limits(tree: &Tree, name: &Name, size: BlockSize) -> Vec<Reason> {
    exceeded_on_chain(tree, name.domain(), |policy, node| {
        [
            None,
            None,
            Overrun::of_block(policy.block_mib, node.usage.block_mib, size.mib()),
            None,
            None,
        ]
    })
}

/// Reasons against a policy: what is used, the policies above, the policies below.
pub(super) fn policy(tree: &Tree, domain: &Path, policy: &Policy) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(node) = tree.root.find(domain) {
        let in_use = beyond_policy(node, policy);
        reasons.extend(in_use.into_iter().flatten().map(|overrun| Reason::InUse {
            domain: domain.clone(),
            overrun,
        }));
    }
    let depth = domain.labels().count();
    reasons.extend(upwards(tree.root.chain(domain).take(depth), |above, node| {
        let overruns = node
            .policy
            .as_ref()
            .map(|allowed| policy.wider_than(allowed))
            .unwrap_or_default();
        overruns
            .into_iter()
            .map(|overrun| Reason::Wider {
                above: domain.prefix(above),
                overrun,
            })
            .collect()
    }));
    for (below, delegated) in tree.policed_below(domain) {
        let overruns = delegated.wider_than(policy).into_iter();
        reasons.extend(overruns.map(|overrun| Reason::Narrower {
            below: below.clone(),
            overrun,
        }));
    }
    reasons
}

/// The limits of `policy` that the use of a domain is beyond already.
fn beyond_policy(node: &Node, policy: &Policy) -> [Option<Overrun>; 5] {
    let usage = &node.usage;
    let uses_block = usage.block_mib > Amount::ZERO;
    [
        Overrun::of_unikernels(policy.unikernels, usage.unikernels, Amount::ZERO),
        Overrun::of_memory(policy.memory_mib, usage.memory_mib, Amount::ZERO),
        Overrun::of_block(policy.block_mib, usage.block_mib, Amount::ZERO).filter(|_| uses_block),
        Overrun::of_cpuids(&policy.cpuids, usage.cpuids.keys().copied()),
        Overrun::of_bridges(&policy.bridges, usage.bridges.keys()),
    ]
}

/// Asks every policy from `domain` up to the root which of its limits a request exceeds.
fn exceeded_on_chain(
    tree: &Tree,
    domain: &Path,
    overruns: impl Fn(&Policy, &Node) -> [Option<Overrun>; 5],
) -> Vec<Reason> {
    upwards(tree.root.chain(domain), |depth, node| {
        let Some(policy) = &node.policy else { return Vec::new() };
        let exceeded = overruns(policy, node).into_iter().flatten();
        exceeded
            .map(|overrun| Reason::Exceeds {
                domain: domain.prefix(depth),
                overrun,
            })
            .collect()
    })
}

/// Collects reasons from a chain of nodes, which is walked downwards, in the order upwards. Allocates only for reasons.
fn upwards<'a>(
    chain: impl Iterator<Item = &'a Node>,
    reasons_at: impl Fn(usize, &'a Node) -> Vec<Reason>,
) -> Vec<Reason> {
    let found = chain.enumerate().map(|(depth, node)| reasons_at(depth, node));
    let mut by_domain: Vec<Vec<Reason>> = found.filter(|reasons| !reasons.is_empty()).collect();
    by_domain.reverse();
    by_domain.into_iter().flatten().collect()
}
