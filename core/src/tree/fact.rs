//! Facts: a tree as a list, and back.
//!
//! What is loaded is known to be so, after a restart or on another host: no limit refuses it, and a tree may come out that
//! uses more than it allows. New admissions are refused there until it fits again.

use alloc::vec::Vec;

use super::node::Node;
use super::{Tree, check};
use crate::{BlockSize, Label, Name, Path, Policy, Refusal, Unikernel};

/// One thing that a tree holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Fact {
    /// A domain has a policy.
    Policy {
        /// The domain.
        domain: Path,
        /// Its policy.
        policy: Policy,
    },
    /// There is a block device.
    Block {
        /// Its name.
        name: Name,
        /// Its size.
        size_mib: BlockSize,
    },
    /// A unikernel runs.
    Unikernel {
        /// Its name.
        name: Name,
        /// Its footprint.
        unikernel: Unikernel,
    },
}

impl Tree {
    /// Puts a known fact back. A policy replaces the one that the domain has, if any.
    ///
    /// # Errors
    /// No limit refuses it, but a name may: it exists already; a unikernel's block device is missing (load those first), active
    /// or listed twice; the sum over all domains would be larger than any amount. The tree is then unchanged.
    pub fn load(&mut self, fact: Fact) -> Result<(), Refusal> {
        match fact {
            Fact::Policy { domain, policy } => drop(self.place_policy(&domain, policy)),
            Fact::Block { name, size_mib } => {
                let domain = self.root.find(name.domain());
                Refusal::unless_empty(check::block_by_name(self, domain, &name, size_mib))?;
                self.place_block(&name, size_mib);
            }
            Fact::Unikernel { name, unikernel } => {
                let domain = self.root.find(name.domain());
                Refusal::unless_empty(check::unikernel_by_name(self, domain, &name, &unikernel))?;
                self.place_unikernel(&name, unikernel);
            }
        }
        Ok(())
    }

    /// Everything the tree holds, in an order in which it can be loaded: domain by domain, each before those below it, and in
    /// each the policy, the block devices, the unikernels, by label.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        collect(&self.root, &Path::root(), &mut facts);
        facts
    }
}

/// Recursion is bounded by the length of a path: 95 labels.
fn collect(node: &Node, domain: &Path, facts: &mut Vec<Fact>) {
    let name = |label: &Label| Name::new(domain.clone(), label.clone());
    facts.extend(node.policy.iter().map(|policy| Fact::Policy {
        domain: domain.clone(),
        policy: policy.clone(),
    }));
    let blocks = node.blocks.iter();
    facts.extend(blocks.map(|(label, block)| Fact::Block {
        name: name(label),
        size_mib: block.size_mib,
    }));
    let unikernels = node.sorted_unikernels().into_iter();
    facts.extend(unikernels.map(|(label, unikernel)| Fact::Unikernel {
        name: name(label),
        unikernel: unikernel.clone(),
    }));
    for (label, child) in &node.children {
        collect(child, &domain.within(label), facts);
    }
}
