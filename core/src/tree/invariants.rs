//! The invariants of the tree, and the function that checks them all from scratch.
//!
//! 1. The usage of every domain is the sum over its subtree.
//! 2. A block device is active exactly when one unikernel of its domain lists it, and names that one.
//! 3. There is no empty node but the root.
//! 4. `policed` lists exactly the domains with a policy.
//! 5. What every domain has handed on are the limits of the policies strictly below it.
//!
//! That use stays within the limits is not among them: loaded facts may break it (see [`Tree::load`]).

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use super::Tree;
use super::delegated::Delegated;
use super::node::Node;
use crate::{Label, Path, Usage};

/// An invariant that does not hold: a mistake in this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The invariant's number in the module's documentation.
    pub invariant: u8,
    /// The domain where it was found broken.
    pub domain: Path,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invariant {} of the resource tree is broken at `{}`",
            self.invariant, self.domain
        )
    }
}

impl core::error::Error for Broken {}

impl Tree {
    /// Recomputes everything that is kept, and compares. Costs O(everything in the tree): for tests and for the doubtful.
    ///
    /// # Errors
    /// The first broken invariant.
    pub fn validate(&self) -> Result<(), Broken> {
        let mut policed = BTreeSet::new();
        validate_node(&self.root, &Path::root(), &mut policed)?;
        if policed == self.policed {
            Ok(())
        } else {
            Err(Broken {
                invariant: 4,
                domain: Path::root(),
            })
        }
    }
}

/// Returns the usage of the subtree and the limits of the policies strictly below, recounted.
fn validate_node(node: &Node, domain: &Path, policed: &mut BTreeSet<Path>) -> Result<(Usage, Delegated), Broken> {
    let broken = |invariant| Broken {
        invariant,
        domain: domain.clone(),
    };
    let (mut usage, mut delegated) = (Usage::default(), Delegated::default());
    let mut users: BTreeMap<&Label, &Label> = BTreeMap::new();
    for (label, unikernel) in &node.unikernels {
        usage.add_unikernel(unikernel);
        for device in unikernel.block_devices() {
            if users.insert(&device.host, label).is_some() {
                return Err(broken(2));
            }
        }
    }
    for (label, block) in &node.blocks {
        usage.add_block(block.size_mib);
        if users.remove(label) != block.user.as_ref() {
            return Err(broken(2));
        }
    }
    if !users.is_empty() {
        return Err(broken(2));
    }
    for (label, child) in &node.children {
        let below = domain.within(label);
        if child.is_empty() {
            return Err(Broken {
                invariant: 3,
                domain: below,
            });
        }
        let (child_usage, child_delegated) = validate_node(child, &below, policed)?;
        usage.add_all(&child_usage);
        delegated.add_all(&child_delegated);
        if let Some(policy) = &child.policy {
            delegated.add(policy);
        }
    }
    if node.policy.is_some() {
        policed.insert(domain.clone());
    }
    if usage != node.usage {
        return Err(broken(1));
    }
    if delegated != node.delegated {
        return Err(broken(5));
    }
    Ok((usage, delegated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cpus, name, path, policy};
    use crate::{BlockDevice, BlockSize, DeviceName, Fact, Unikernel};

    /// A policy at `a`, another one below it, a unikernel that uses a block device.
    fn whole() -> Tree {
        let mut tree = Tree::new();
        for domain in ["a", "a:b"] {
            tree.insert_policy(&path(domain), policy(2, 64, &[0], &[])).unwrap();
        }
        let size_mib = BlockSize::new(1.into()).unwrap();
        tree.load(Fact::Block {
            name: name("a:b:d1"),
            size_mib,
        })
        .unwrap();
        let disk = BlockDevice::same_name(DeviceName::new("d1").unwrap()).unwrap();
        let web = Unikernel::new(32.into(), cpus(&[0])).unwrap();
        let web = web.with_block_devices([disk].into()).unwrap();
        tree.insert_unikernel(&name("a:b:web"), web).unwrap();
        tree
    }

    fn broken(invariant: u8, domain: &str, breaking: impl FnOnce(&mut Tree)) {
        let mut tree = whole();
        breaking(&mut tree);
        let domain = path(domain);
        assert_eq!(tree.validate(), Err(Broken { invariant, domain }));
    }

    fn node<'t>(tree: &'t mut Tree, domain: &str) -> &'t mut Node {
        tree.root.find_mut(&path(domain)).unwrap()
    }

    #[test]
    fn each_invariant_is_found_broken_where_it_is() {
        assert_eq!(whole().validate(), Ok(()));
        broken(1, "a", |tree| node(tree, "a").usage.memory_mib = 33.into());
        broken(1, "a:b", |tree| node(tree, "a:b").usage.cpuids.clear());
        let disk = name("a:b:d1");
        broken(2, "a:b", |tree| drop(node(tree, "a:b").blocks.remove(disk.label())));
        broken(2, "a:b", |tree| {
            node(tree, "a:b").blocks.get_mut(disk.label()).unwrap().user = None;
        });
        broken(2, "a:b", |tree| {
            let domain = node(tree, "a:b");
            let web = domain.unikernels.values().next().unwrap().clone();
            domain.unikernels.insert(disk.label().clone(), web);
        });
        broken(3, "a:c", |tree| {
            let empty = (Label::new("c").unwrap(), Node::default());
            node(tree, "a").children.extend([empty]);
        });
        broken(4, ":", |tree| tree.policed.retain(|domain| *domain != path("a:b")));
        broken(4, ":", |tree| tree.policed.extend([path("c")]));
        broken(5, "a", |tree| node(tree, "a").delegated = Delegated::default());
        broken(5, ":", |tree| tree.root.delegated.add(&policy(1, 1, &[], &[])));
    }

    #[test]
    fn what_is_broken_is_told() {
        let broken = Broken {
            invariant: 1,
            domain: path("a:b"),
        };
        assert_eq!(
            alloc::string::ToString::to_string(&broken),
            "invariant 1 of the resource tree is broken at `a:b`"
        );
    }
}
