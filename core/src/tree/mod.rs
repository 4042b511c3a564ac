//! The resource tree: who was delegated what, what runs, and whether a request fits.
//!
//! Owns the state and its invariants; decides and applies, performs nothing. Each operation comes as a pair: `check_…` decides
//! and changes nothing, `insert_…` asks it and then applies what it decided.
//!
//! Counters are kept along the chain of domains. With `d` labels in a name, checks, inserts and removals cost O(d) steps, each
//! one look-up by label; [`Tree::insert_policy`] costs O(d) as well, and a refused one O(d + policies below), however much runs there.
//! The rule is `Vmm_resources` of Albatross 2.7.2, but for one thing: there, a check looks at the policy of the own domain
//! only, so that `alice`'s two unikernels can be run twice over, by `alice:bob` and by `alice:charlie`. Here every policy from
//! the domain itself up to and including the root must hold.

mod audit;
mod check;
mod delegated;
mod difference;
mod fact;
mod handed_on;
mod headroom;
mod invariants;
mod node;
mod plan;
mod print;
mod walk;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use core::ops::Bound;

pub use audit::Finding;
pub use difference::Difference;
pub use fact::Fact;
pub use handed_on::HandedOn;
pub use headroom::{Choice, Fit, Headroom, Room};
pub use invariants::Broken;
use node::Node;
pub use plan::{AfterRefusal, Step, Verdict};
pub use print::Printed;
pub use walk::Domain;

use crate::{Block, BlockSize, Name, Path, Policy, Reason, Refusal, Unikernel, Usage};

/// Policies, unikernels and block devices, by domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    root: Node,
    /// The domains with a policy of their own: derived, so that the policies below a domain are found without looking at
    /// the unikernels there.
    policed: BTreeSet<Path>,
}

impl Tree {
    /// A tree in which nothing runs and nothing is limited.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a unikernel may be created.
    ///
    /// # Errors
    /// Every reason against it: one of that name exists; a block device does not exist, is active or is listed twice; a limit
    /// of the domain itself or of one above it is exceeded.
    pub fn check_unikernel(&self, name: &Name, unikernel: &Unikernel) -> Result<(), Refusal> {
        Refusal::unless_empty(check::unikernel(self, name, unikernel))
    }

    /// Counts a unikernel in and makes its block devices active: from now on it holds what it asks for.
    ///
    /// # Errors
    /// As [`check_unikernel`](Self::check_unikernel); the tree is then unchanged.
    pub fn insert_unikernel(&mut self, name: &Name, unikernel: Unikernel) -> Result<(), Refusal> {
        self.check_unikernel(name, &unikernel)?;
        self.place_unikernel(name, unikernel);
        Ok(())
    }

    /// Takes a unikernel out; its block devices become inactive.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn remove_unikernel(&mut self, name: &Name) -> Result<Unikernel, Refusal> {
        let unknown = || Reason::UnikernelUnknown { name: name.clone() };
        let domain = self.root.find_mut(name.domain()).ok_or_else(unknown)?;
        let unikernel = domain.unikernels.remove(name.label()).ok_or_else(unknown)?;
        domain.set_user(&unikernel, None);
        self.root
            .for_chain(name.domain(), |node| node.usage.remove_unikernel(&unikernel));
        self.root.prune(name.domain());
        Ok(*unikernel)
    }

    /// Whether a block device may be created.
    ///
    /// # Errors
    /// Every reason against it: one of that name exists; a limit of the domain itself or of one above it is exceeded, or
    /// allows no block devices.
    pub fn check_block(&self, name: &Name, size: BlockSize) -> Result<(), Refusal> {
        Refusal::unless_empty(check::block(self, name, size))
    }

    /// Counts a block device in.
    ///
    /// # Errors
    /// As [`check_block`](Self::check_block); the tree is then unchanged.
    pub fn insert_block(&mut self, name: &Name, size: BlockSize) -> Result<(), Refusal> {
        self.check_block(name, size)?;
        self.place_block(name, size);
        Ok(())
    }

    /// Takes a block device out.
    ///
    /// # Errors
    /// There is none of that name, or a unikernel uses it; the tree is then unchanged.
    pub fn remove_block(&mut self, name: &Name) -> Result<BlockSize, Refusal> {
        let block = self
            .find_block(name)
            .ok_or_else(|| Reason::BlockUnknown { name: name.clone() })?;
        if let Some(user) = &block.user {
            return Err(Reason::BlockActive {
                name: name.clone(),
                user: name.sibling(user),
            }
            .into());
        }
        let size = block.size_mib;
        self.root.for_chain(name.domain(), |node| node.usage.remove_block(size));
        if let Some(domain) = self.root.find_mut(name.domain()) {
            domain.blocks.remove(name.label());
        }
        self.root.prune(name.domain());
        Ok(size)
    }

    /// Whether `domain` may be given this policy, in place of the one it has, if any.
    ///
    /// # Errors
    /// Every reason against it: the domain already uses more; a policy above is narrower; a policy below is wider.
    pub fn check_policy(&self, domain: &Path, policy: &Policy) -> Result<(), Refusal> {
        Refusal::unless_empty(check::policy(self, domain, policy))
    }

    /// Gives `domain` this policy, in place of the one it has, if any.
    ///
    /// # Errors
    /// As [`check_policy`](Self::check_policy); the tree is then unchanged.
    pub fn insert_policy(&mut self, domain: &Path, policy: Policy) -> Result<(), Refusal> {
        self.check_policy(domain, &policy)?;
        self.place_policy(domain, policy);
        Ok(())
    }

    /// Takes the policy of `domain` away. What lies below stays, bounded by the policies above.
    ///
    /// # Errors
    /// It has none.
    pub fn remove_policy(&mut self, domain: &Path) -> Result<Policy, Refusal> {
        let policy = self.root.find_mut(domain).and_then(|node| node.policy.take());
        let policy = policy.ok_or_else(|| Reason::PolicyUnknown { domain: domain.clone() })?;
        self.root.for_above(domain, |node| node.delegated.remove(&policy));
        self.policed.remove(domain);
        self.root.prune(domain);
        Ok(policy)
    }

    /// The unikernel of that name.
    #[must_use]
    pub fn find_unikernel(&self, name: &Name) -> Option<&Unikernel> {
        self.root
            .find(name.domain())?
            .unikernels
            .get(name.label())
            .map(|unikernel| &**unikernel)
    }

    /// The block device of that name.
    #[must_use]
    pub fn find_block(&self, name: &Name) -> Option<&Block> {
        self.root.find(name.domain())?.blocks.get(name.label())
    }

    /// The policy of the domain itself.
    #[must_use]
    pub fn find_policy(&self, domain: &Path) -> Option<&Policy> {
        self.root.find(domain)?.policy.as_ref()
    }

    /// What the domain and everything below it use; nothing where there is no such domain.
    #[must_use]
    pub fn usage(&self, domain: &Path) -> Usage {
        self.root
            .find(domain)
            .map(|node| node.usage.clone())
            .unwrap_or_default()
    }

    /// The domains below `domain` that have a policy of their own, in order.
    fn policed_below<'a>(&'a self, domain: &'a Path) -> impl Iterator<Item = (&'a Path, &'a Policy)> {
        self.policed
            .range((Bound::Excluded(domain), Bound::Unbounded))
            .take_while(|below| domain.contains(below))
            .filter_map(|below| Some((below, self.find_policy(below)?)))
    }

    fn place_unikernel(&mut self, name: &Name, unikernel: Unikernel) {
        let domain = self
            .root
            .grow(name.domain(), |node| node.usage.add_unikernel(&unikernel));
        domain.set_user(&unikernel, Some(name.label()));
        domain.unikernels.insert(name.label().clone(), Box::new(unikernel));
    }

    fn place_block(&mut self, name: &Name, size: BlockSize) {
        let domain = self.root.grow(name.domain(), |node| node.usage.add_block(size));
        domain.blocks.insert(
            name.label().clone(),
            Block {
                size_mib: size,
                user: None,
            },
        );
    }

    /// Returns the policy that this one replaces.
    fn place_policy(&mut self, domain: &Path, policy: Policy) -> Option<Policy> {
        let replaced = self.root.grow(domain, |_| ()).policy.take();
        self.root.for_above(domain, |node| {
            node.delegated.add(&policy);
            if let Some(replaced) = &replaced {
                node.delegated.remove(replaced);
            }
        });
        if replaced.is_none() {
            self.policed.insert(domain.clone());
        }
        self.root.grow(domain, |_| ()).policy = Some(policy);
        replaced
    }
}
