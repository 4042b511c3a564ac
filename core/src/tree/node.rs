//! One domain of the tree, and the walk along the chain from the root down to it.
//!
//! Owns that nodes exist exactly where there is something to hold. Decides nothing.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::delegated::Delegated;
use crate::{Block, Label, Path, Policy, Unikernel, Usage};

/// A domain: its own policy, unikernels and block devices, and what lies below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) policy: Option<Policy>,
    /// Of the whole subtree.
    pub(super) usage: Usage,
    /// Of all policies strictly below.
    pub(super) delegated: Delegated,
    /// Hashed, as a domain may hold a million of them: the only place where a look-up would be felt. The hash is not secret, so a
    /// tenant may choose names that collide; but each of them costs a running unikernel, and only in his own domain.
    pub(super) unikernels: HashMap<Label, Box<Unikernel>>,
    pub(super) blocks: BTreeMap<Label, Block>,
    pub(super) children: BTreeMap<Label, Node>,
}

impl Node {
    /// Visits the nodes from this one, the root (at depth 0), down to the one at `path`, as far as they exist; returns that one.
    pub(super) fn walk<'a>(&'a self, path: &Path, mut visit: impl FnMut(usize, &'a Self)) -> Option<&'a Self> {
        visit(0, self);
        (1..).zip(path.labels()).try_fold(self, |node, (depth, label)| {
            let child = node.children.get(label)?;
            visit(depth, child);
            Some(child)
        })
    }

    /// The node at `path`.
    pub(super) fn find(&self, path: &Path) -> Option<&Self> {
        path.labels().try_fold(self, |node, label| node.children.get(label))
    }

    /// The node at `path`, to be changed.
    pub(super) fn find_mut(&mut self, path: &Path) -> Option<&mut Self> {
        path.labels().try_fold(self, |node, label| node.children.get_mut(label))
    }

    /// Does something with every node from this one, the root, down to the one at `path`.
    pub(super) fn for_chain(&mut self, path: &Path, mut change: impl FnMut(&mut Self)) {
        let mut labels = path.labels();
        let mut next = Some(self);
        while let Some(node) = next {
            change(node);
            next = labels.next().and_then(|label| node.children.get_mut(label));
        }
    }

    /// Does something with every node from this one, the root, down to the one right above `path`.
    pub(super) fn for_above(&mut self, path: &Path, change: impl FnMut(&mut Self)) {
        if let Some(above) = path.parent() {
            self.for_chain(&above, change);
        }
    }

    /// The node at `path`, made where it is missing, after changing every node from the root down to it.
    pub(super) fn grow(&mut self, path: &Path, mut change: impl FnMut(&mut Self)) -> &mut Self {
        change(self);
        path.labels().fold(self, |node, label| {
            let child = node.child(label);
            change(child);
            child
        })
    }

    /// The child of that label, made where it is missing.
    fn child(&mut self, label: &str) -> &mut Self {
        // Not `entry` alone, which would allocate a label for each of the many steps that make nothing.
        if !self.children.contains_key(label) {
            self.children.insert(Label::of_path(label), Self::default());
        }
        self.children.get_mut(label).expect("it is there or was just made")
    }

    /// Removes the nodes along `path` that hold nothing any more.
    pub(super) fn prune(&mut self, path: &Path) {
        prune_along(self, path.labels());
    }

    /// Marks the block devices of `unikernel`, one of this domain, as used by `user` or by nobody.
    pub(super) fn set_user(&mut self, unikernel: &Unikernel, user: Option<&Label>) {
        for device in unikernel.block_devices() {
            if let Some(block) = self.blocks.get_mut(&device.host) {
                block.user = user.cloned();
            }
        }
    }

    /// The unikernels of this domain in order of their labels.
    pub(super) fn sorted_unikernels(&self) -> Vec<(&Label, &Unikernel)> {
        let mut unikernels: Vec<_> = self
            .unikernels
            .iter()
            .map(|(label, unikernel)| (label, &**unikernel))
            .collect();
        unikernels.sort_unstable_by_key(|(label, _)| *label);
        unikernels
    }

    /// Whether there is nothing here and nothing below.
    pub(super) fn is_empty(&self) -> bool {
        self.policy.is_none() && self.unikernels.is_empty() && self.blocks.is_empty() && self.children.is_empty()
    }
}

/// Recursion is bounded by the length of a path: 95 labels.
fn prune_along<'a>(node: &mut Node, mut labels: impl Iterator<Item = &'a str>) {
    if let Some(label) = labels.next()
        && let Some(child) = node.children.get_mut(label)
    {
        let rest: &mut dyn Iterator<Item = &'a str> = &mut labels;
        prune_along(child, rest);
        if child.is_empty() {
            node.children.remove(label);
        }
    }
}
