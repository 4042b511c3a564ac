//! The difference between two trees, fact by fact.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{Fact, Tree};
use crate::{Label, Path};

/// One fact in which two trees differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Difference {
    /// It is in the later tree only.
    Added(Fact),
    /// It is in the earlier tree only.
    Removed(Fact),
    /// It is in both, under the same name, but not the same.
    Changed {
        /// In the earlier tree.
        before: Fact,
        /// In the later tree.
        after: Fact,
    },
}

impl Tree {
    /// What has to change for this tree to become `later`, in the order of [`Tree::facts`]. Costs O(what both hold).
    #[must_use]
    pub fn difference(&self, later: &Self) -> Vec<Difference> {
        let (mut before, mut after) = (
            self.facts().into_iter().peekable(),
            later.facts().into_iter().peekable(),
        );
        let mut differences = Vec::new();
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => return differences,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => key(before).cmp(&key(after)),
            };
            let removed = before.next_if(|_| order.is_le());
            let added = after.next_if(|_| order.is_ge());
            differences.extend(match (removed, added) {
                (Some(before), Some(after)) => (before != after).then_some(Difference::Changed { before, after }),
                (Some(fact), None) => Some(Difference::Removed(fact)),
                (None, added) => added.map(Difference::Added),
            });
        }
    }
}

/// What a fact is about, ordered as [`Tree::facts`] orders them.
fn key(fact: &Fact) -> (&Path, u8, Option<&Label>) {
    match fact {
        Fact::Policy { domain, .. } => (domain, 0, None),
        Fact::Block { name, .. } => (name.domain(), 1, Some(name.label())),
        Fact::Unikernel { name, .. } => (name.domain(), 2, Some(name.label())),
    }
}
