//! One domain of the tree, and the walk along the chain from the root down to it.
//!
//! Owns that nodes exist exactly where there is something to hold. Decides nothing.

use alloc::collections::BTreeMap;
use core::iter;

use crate::{Block, Label, Path, Policy, Unikernel, Usage};

/// A domain: its own policy, unikernels and block devices, and what lies below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) policy: Option<Policy>,
    /// Of the whole subtree.
    pub(super) usage: Usage,
    pub(super) unikernels: BTreeMap<Label, Unikernel>,
    pub(super) blocks: BTreeMap<Label, Block>,
    pub(super) children: BTreeMap<Label, Node>,
}

impl Node {
    /// The nodes from this one, the root, down to the one at `path`, as far as they exist.
    pub(super) fn chain<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Self> {
        let mut labels = path.labels();
        iter::successors(Some(self), move |node| node.children.get(labels.next()?))
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

    /// The node at `path`, made where it is missing, after changing the usage of every node from the root down to it.
    pub(super) fn grow(&mut self, path: &Path, mut change: impl FnMut(&mut Usage)) -> &mut Self {
        change(&mut self.usage);
        path.labels().fold(self, |node, label| {
            let child = node.children.entry(Label::of_path(label)).or_default();
            change(&mut child.usage);
            child
        })
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
