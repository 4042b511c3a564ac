//! Decides: which reasons speak against a request, in their fixed order. Changes nothing.
//!
//! Two kinds of reasons are kept apart: those by name (it exists, it is missing, it cannot be counted) hold also when known
//! facts are loaded; those by limit do not. One walk down the chain finds both, and allocates for reasons only.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::Tree;
use super::node::Node;
use crate::{Amount, BlockSize, Name, Overrun, Path, Policy, Reason, Unikernel, Usage};

/// Every reason against a unikernel.
pub(super) fn unikernel(tree: &Tree, name: &Name, unikernel: &Unikernel) -> Vec<Reason> {
    let mut exceeded = Exceeded::default();
    let domain = tree.root.walk(name.domain(), |depth, node| {
        exceeded.at(depth, node, |policy, usage, overruns| {
            unikernel_overruns(policy, usage, unikernel, overruns);
        });
    });
    let mut reasons = unikernel_by_name(tree, domain, name, unikernel);
    exceeded.explain(name.domain(), &mut reasons);
    reasons
}

/// Every reason against a block device.
pub(super) fn block(tree: &Tree, name: &Name, size: BlockSize) -> Vec<Reason> {
    let mut exceeded = Exceeded::default();
    let domain = tree.root.walk(name.domain(), |depth, node| {
        exceeded.at(depth, node, |policy, usage, overruns| {
            overruns.extend(Overrun::of_block(policy.block_mib, usage.block_mib, size.mib()));
        });
    });
    let mut reasons = block_by_name(tree, domain, name, size);
    exceeded.explain(name.domain(), &mut reasons);
    reasons
}

/// Every reason against a policy: what is used, the policies above, the policies below.
pub(super) fn policy(tree: &Tree, domain: &Path, policy: &Policy) -> Vec<Reason> {
    let depth = domain.labels().count();
    let mut wider = Exceeded::default();
    let own = tree.root.walk(domain, |above, node| {
        if above < depth {
            wider.at(above, node, |allowed, _, overruns| {
                overruns.extend(policy.wider_than(allowed));
            });
        }
    });
    let mut reasons = Vec::new();
    let Some(own) = own else {
        wider.explain_as(domain, &mut reasons, |above, overrun| Reason::Wider { above, overrun });
        return reasons;
    };
    let in_use = usage_beyond(policy, &own.usage).into_iter();
    reasons.extend(in_use.map(|overrun| Reason::InUse {
        domain: domain.clone(),
        overrun,
    }));
    wider.explain_as(domain, &mut reasons, |above, overrun| Reason::Wider { above, overrun });
    if own.delegated.is_wider_than(policy) {
        for (below, delegated) in tree.policed_below(domain) {
            let overruns = delegated.wider_than(policy).into_iter();
            reasons.extend(overruns.map(|overrun| Reason::Narrower {
                below: below.clone(),
                overrun,
            }));
        }
    }
    reasons
}

/// Reasons against a unikernel that have nothing to do with limits. `domain` is its domain's node, if there is one.
pub(super) fn unikernel_by_name(tree: &Tree, domain: Option<&Node>, name: &Name, unikernel: &Unikernel) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if domain.is_some_and(|domain| domain.unikernels.contains_key(name.label())) {
        reasons.push(Reason::UnikernelExists { name: name.clone() });
    }
    let devices = unikernel.block_devices();
    for (position, device) in devices.iter().enumerate() {
        let block_name = || name.sibling(&device.host);
        if devices[..position].iter().any(|earlier| earlier.host == device.host) {
            reasons.push(Reason::BlockTwice { name: block_name() });
            continue;
        }
        match domain.and_then(|domain| domain.blocks.get(&device.host)) {
            None => reasons.push(Reason::BlockUnknown { name: block_name() }),
            Some(block) => {
                let user = block.user.as_ref().map(|user| name.sibling(user));
                reasons.extend(user.map(|user| Reason::BlockActive {
                    name: block_name(),
                    user,
                }));
            }
        }
    }
    if !tree.root.usage.counts_unikernel(unikernel) {
        reasons.push(Reason::Uncountable);
    }
    reasons
}

/// Reasons against a block device that have nothing to do with limits.
pub(super) fn block_by_name(tree: &Tree, domain: Option<&Node>, name: &Name, size: BlockSize) -> Vec<Reason> {
    let exists = domain.is_some_and(|domain| domain.blocks.contains_key(name.label()));
    let uncountable = !tree.root.usage.counts_block(size);
    let exists = exists.then(|| Reason::BlockExists { name: name.clone() });
    exists
        .into_iter()
        .chain(uncountable.then_some(Reason::Uncountable))
        .collect()
}

/// The limits of one policy that one more unikernel would exceed.
pub(super) fn unikernel_overruns(policy: &Policy, usage: &Usage, unikernel: &Unikernel, overruns: &mut Vec<Overrun>) {
    overruns.extend(Overrun::of_unikernels(policy.unikernels, usage.unikernels, Amount::ONE));
    overruns.extend(Overrun::of_memory(
        policy.memory_mib,
        usage.memory_mib,
        unikernel.memory_mib(),
    ));
    overruns.extend(Overrun::of_cpuids(&policy.cpuids, unikernel.cpuids()));
    let bridges = unikernel.bridges().iter().map(|net| &net.bridge);
    overruns.extend(Overrun::of_bridges(&policy.bridges, bridges));
}

/// The limits of `policy` that a usage is beyond already.
pub(super) fn usage_beyond(policy: &Policy, usage: &Usage) -> Vec<Overrun> {
    let cpuids = usage.cpuids.keys().copied().collect();
    let block = Some(usage.block_mib).filter(|used| *used > Amount::ZERO);
    [
        Overrun::of_unikernels(policy.unikernels, usage.unikernels, Amount::ZERO),
        Overrun::of_memory(policy.memory_mib, usage.memory_mib, Amount::ZERO),
        block.and_then(|used| Overrun::of_block(policy.block_mib, used, Amount::ZERO)),
        Overrun::of_cpuids(&policy.cpuids, &cpuids),
        Overrun::of_bridges(&policy.bridges, usage.bridges.keys()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Limits that a walk down the chain found exceeded.
#[derive(Default)]
pub(super) struct Exceeded {
    by_depth: Vec<(usize, Overrun)>,
}

impl Exceeded {
    /// Asks the policy of a node, if it has one, for the limits exceeded.
    fn at(&mut self, depth: usize, node: &Node, overruns: impl FnOnce(&Policy, &Usage, &mut Vec<Overrun>)) {
        if let Some(policy) = &node.policy {
            self.add(depth, |found| overruns(policy, &node.usage, found));
        }
    }

    /// Adds limits exceeded at that depth.
    pub(super) fn add(&mut self, depth: usize, overruns: impl FnOnce(&mut Vec<Overrun>)) {
        let mut found = Vec::new();
        overruns(&mut found);
        self.by_depth.extend(found.into_iter().map(|overrun| (depth, overrun)));
    }

    /// Names the domains as those whose policy is in the way.
    pub(super) fn explain(self, domain: &Path, reasons: &mut Vec<Reason>) {
        self.explain_as(domain, reasons, |domain, overrun| Reason::Exceeds { domain, overrun });
    }

    /// Names the domains, from `domain` upwards; the order of the limits within each is kept.
    fn explain_as(mut self, domain: &Path, reasons: &mut Vec<Reason>, reason: impl Fn(Path, Overrun) -> Reason) {
        self.sort();
        reasons.extend(
            self.by_depth
                .into_iter()
                .map(|(depth, overrun)| reason(domain.prefix(depth), overrun)),
        );
    }

    /// Not where the reason is known: a sort is much code, and would be compiled once for each.
    fn sort(&mut self) {
        self.by_depth.sort_by_key(|(depth, _)| Reverse(*depth));
    }
}
