//! Plans: steps that are tried in order, to see what they would come to, and taken back again.
//!
//! Tried on the tree itself under an undo log, not on a copy: a plan of ten steps costs ten steps, however large the tree is. A
//! copy of 100,000 unikernels would cost some 20 ms.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Tree;
use crate::{BlockSize, Name, Path, Policy, Refusal, Unikernel};

/// One change that a plan tries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Step {
    /// [`Tree::insert_policy`].
    InsertPolicy {
        /// The domain.
        domain: Path,
        /// Its new policy.
        policy: Policy,
    },
    /// [`Tree::remove_policy`].
    RemovePolicy {
        /// The domain.
        domain: Path,
    },
    /// [`Tree::insert_unikernel`].
    InsertUnikernel {
        /// Its name.
        name: Name,
        /// Its footprint.
        unikernel: Unikernel,
    },
    /// [`Tree::remove_unikernel`].
    RemoveUnikernel {
        /// Its name.
        name: Name,
    },
    /// [`Tree::insert_block`].
    InsertBlock {
        /// Its name.
        name: Name,
        /// Its size.
        size_mib: BlockSize,
    },
    /// [`Tree::remove_block`].
    RemoveBlock {
        /// Its name.
        name: Name,
    },
}

/// What a plan does after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AfterRefusal {
    /// It tries the steps that follow, without the refused one.
    GoOn,
    /// It tries none of them.
    Stop,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fits.
    Admitted,
    /// It does not.
    Refused(Refusal),
    /// A step before was refused, and the plan stopped there.
    NotTried,
}

impl Tree {
    /// Takes a step, as the operation of its name does.
    ///
    /// # Errors
    /// As that operation; the tree is then unchanged.
    pub fn take(&mut self, step: Step) -> Result<(), Refusal> {
        self.take_undoably(step).map(drop)
    }

    /// Tries `steps` in order, looks at the tree they lead to, and takes them all back. Returns a verdict for each step, and what
    /// was seen.
    ///
    /// Costs what the steps cost, and what `look` does. The tree is borrowed to be changed, but comes back as it was, also where
    /// `look` panics.
    ///
    /// ```
    /// use fulmar_core::{AfterRefusal, Amount, CpuId, Step, Tree, Unikernel, Verdict};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let web = Unikernel::new(Amount::from(64), [CpuId::new(0)?].into_iter().collect())?;
    /// let create = |name: &str| name.parse().map(|name| Step::InsertUnikernel { name, unikernel: web.clone() });
    ///
    /// let mut tree = Tree::new();
    /// let steps = [create("alice:web")?, create("alice:web")?, create("alice:www")?];
    /// let (verdicts, memory) =
    ///     tree.preview(steps, AfterRefusal::GoOn, |after| after.usage(&"alice".parse().unwrap()).memory_mib);
    /// assert!(matches!(verdicts[..], [Verdict::Admitted, Verdict::Refused(_), Verdict::Admitted]));
    /// assert_eq!(memory, Amount::from(128));
    /// assert_eq!(tree, Tree::new());
    /// # Ok(())
    /// # }
    /// ```
    pub fn preview<T>(
        &mut self,
        steps: impl IntoIterator<Item = Step>,
        after_refusal: AfterRefusal,
        look: impl FnOnce(&Tree) -> T,
    ) -> (Vec<Verdict>, T) {
        let mut attempt = Attempt {
            tree: self,
            undo: Vec::new(),
        };
        let mut stopped = false;
        let verdicts = steps.into_iter().map(|step| {
            if stopped {
                return Verdict::NotTried;
            }
            let verdict = attempt.take(step);
            stopped = after_refusal == AfterRefusal::Stop && verdict != Verdict::Admitted;
            verdict
        });
        let verdicts = verdicts.collect();
        let seen = look(attempt.tree);
        (verdicts, seen)
    }

    fn take_undoably(&mut self, step: Step) -> Result<Undo, Refusal> {
        match step {
            Step::InsertPolicy { domain, policy } => {
                self.check_policy(&domain, &policy)?;
                let replaced = self.place_policy(&domain, policy);
                Ok(Undo::Policy(domain, replaced))
            }
            Step::RemovePolicy { domain } => {
                let policy = self.remove_policy(&domain)?;
                Ok(Undo::Policy(domain, Some(policy)))
            }
            Step::InsertUnikernel { name, unikernel } => {
                self.insert_unikernel(&name, unikernel)?;
                Ok(Undo::Unikernel(name, None))
            }
            Step::RemoveUnikernel { name } => {
                let unikernel = self.remove_unikernel(&name)?;
                Ok(Undo::Unikernel(name, Some(Box::new(unikernel))))
            }
            Step::InsertBlock { name, size_mib } => {
                self.insert_block(&name, size_mib)?;
                Ok(Undo::Block(name, None))
            }
            Step::RemoveBlock { name } => {
                let size = self.remove_block(&name)?;
                Ok(Undo::Block(name, Some(size)))
            }
        }
    }

    fn undo(&mut self, undo: Undo) {
        // What was just put in is taken out, and nothing in between can have made that impossible.
        match undo {
            Undo::Policy(domain, Some(policy)) => drop(self.place_policy(&domain, policy)),
            Undo::Policy(domain, None) => drop(self.remove_policy(&domain)),
            Undo::Unikernel(name, Some(unikernel)) => self.place_unikernel(&name, *unikernel),
            Undo::Unikernel(name, None) => drop(self.remove_unikernel(&name)),
            Undo::Block(name, Some(size)) => self.place_block(&name, size),
            Undo::Block(name, None) => drop(self.remove_block(&name)),
        }
    }
}

/// What has to be put back: what was there before, or nothing.
enum Undo {
    Policy(Path, Option<Policy>),
    Unikernel(Name, Option<Box<Unikernel>>),
    Block(Name, Option<BlockSize>),
}

/// Steps taken that are taken back when this goes.
struct Attempt<'t> {
    tree: &'t mut Tree,
    undo: Vec<Undo>,
}

impl Attempt<'_> {
    fn take(&mut self, step: Step) -> Verdict {
        match self.tree.take_undoably(step) {
            Ok(undo) => {
                self.undo.push(undo);
                Verdict::Admitted
            }
            Err(refusal) => Verdict::Refused(refusal),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            self.tree.undo(undo);
        }
    }
}
