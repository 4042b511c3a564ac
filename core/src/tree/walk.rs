//! Walking the tree: domain by domain in a fixed order.

use alloc::vec;
use alloc::vec::Vec;

use super::Tree;
use super::node::Node;
use crate::{Block, Label, Path, Policy, Unikernel, Usage};

/// A domain, as a walk meets it. Its head-room is [`Tree::headroom`]'s to tell.
#[derive(Clone, Debug)]
pub struct Domain<'t> {
    path: Path,
    node: &'t Node,
}

impl<'t> Domain<'t> {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its own policy.
    #[must_use]
    pub fn policy(&self) -> Option<&'t Policy> {
        self.node.policy.as_ref()
    }

    /// What it and everything below it use.
    #[must_use]
    pub fn usage(&self) -> &'t Usage {
        &self.node.usage
    }

    /// Its own unikernels, by label.
    #[must_use]
    pub fn unikernels(&self) -> Vec<(&'t Label, &'t Unikernel)> {
        self.node.sorted_unikernels()
    }

    /// Its own block devices, by label.
    pub fn blocks(&self) -> impl Iterator<Item = (&'t Label, &'t Block)> + use<'t> {
        self.node.blocks.iter()
    }
}

impl Tree {
    /// `domain` and everything below it, in order of the paths: each domain comes right before those below it. Nothing where there is
    /// no such domain.
    pub fn domains(&self, domain: &Path) -> impl Iterator<Item = Domain<'_>> {
        let start = self.root.find(domain).map(|node| Domain {
            path: domain.clone(),
            node,
        });
        Walk {
            next: start.map_or_else(Vec::new, |domain| vec![domain]),
        }
    }
}

/// The domains still to be met, the next one last.
struct Walk<'t> {
    next: Vec<Domain<'t>>,
}

impl<'t> Iterator for Walk<'t> {
    type Item = Domain<'t>;

    fn next(&mut self) -> Option<Domain<'t>> {
        let domain = self.next.pop()?;
        let below = domain.node.children.iter().rev();
        self.next.extend(below.map(|(label, node)| Domain {
            path: domain.path.within(label),
            node,
        }));
        Some(domain)
    }
}
