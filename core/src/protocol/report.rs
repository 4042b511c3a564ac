//! A domain, as a walk or a plan reports it.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Block, Domain, HandedOn, Headroom, Name, Path, Policy, Tree, Unikernel, Usage};

/// Everything about one domain, but not about those below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DomainReport {
    /// Where it is.
    pub domain: Path,
    /// Its own policy.
    pub policy: Option<Policy>,
    /// What it and everything below it use.
    pub usage: Usage,
    /// What still fits in it.
    pub headroom: Headroom,
    /// What it handed on.
    pub handed_on: HandedOn,
    /// Its own block devices, by name.
    pub blocks: Vec<NamedBlock>,
    /// Its own unikernels, by name.
    pub unikernels: Vec<NamedUnikernel>,
}

/// A block device and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NamedBlock {
    /// Its name.
    pub name: Name,
    /// Its size, and who uses it.
    pub block: Block,
}

/// A unikernel and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NamedUnikernel {
    /// Its name.
    pub name: Name,
    /// Its footprint.
    pub unikernel: Unikernel,
}

/// Reports on `domain` and everything below it, in the order of [`Tree::domains`].
pub(super) fn walk(tree: &Tree, domain: &Path) -> Vec<DomainReport> {
    tree.domains(domain).map(|domain| report(tree, &domain)).collect()
}

fn report(tree: &Tree, domain: &Domain<'_>) -> DomainReport {
    let path = domain.path();
    let name = |label: &crate::Label| Name::new(path.clone(), label.clone());
    let block = |(label, block): (_, &Block)| NamedBlock {
        name: name(label),
        block: block.clone(),
    };
    let unikernel = |(label, unikernel): (_, &Unikernel)| NamedUnikernel {
        name: name(label),
        unikernel: unikernel.clone(),
    };
    DomainReport {
        domain: path.clone(),
        policy: domain.policy().cloned(),
        usage: domain.usage().clone(),
        headroom: tree.headroom(path),
        handed_on: tree.handed_on(path),
        blocks: domain.blocks().map(block).collect(),
        unikernels: domain.unikernels().into_iter().map(unikernel).collect(),
    }
}
