//! The tree and the model side by side: what is asked of one is asked of the other, and the theorems hold after every answer.
//!
//! Random steps and fuzzed ones come here. Knows nothing of how they were chosen.

use fulmar_core::{
    AfterRefusal, Amount, Fact, Overrun, Path, Policy, Reason, Refusal, Room, Step, Tree, Unikernel, Verdict,
};

use crate::model::{Model, Sums, finding_terms, terms};

/// A tree and the model of it.
#[derive(Default)]
pub(crate) struct Pair {
    pub(crate) tree: Tree,
    pub(crate) model: Model,
}

impl Pair {
    /// Takes a step on both sides.
    pub(crate) fn take(&mut self, step: &Step) -> Result<(), Refusal> {
        let before = self.tree.clone();
        let checked = check(&before, step);
        assert_foreseen(&before, step);
        let outcome = self.tree.take(step.clone());
        assert_eq!(terms(&outcome), self.model.take(step), "{step:?}");
        assert_eq!(self.tree.validate(), Ok(()), "{step:?}");
        assert!(
            checked.is_none_or(|checked| checked == outcome),
            "a check is not the verdict: {step:?}"
        );
        if outcome.is_err() {
            assert_eq!(self.tree, before, "a refused operation changed the tree: {step:?}");
        } else if let Some(inverse) = inverse(step, &before) {
            let mut undone = self.tree.clone();
            assert_eq!(undone.take(inverse), Ok(()), "{step:?}");
            assert_eq!(undone, before, "taking it back did not restore the tree: {step:?}");
        }
        outcome
    }

    /// Loads a fact on both sides.
    pub(crate) fn load(&mut self, fact: &Fact) {
        let before = self.tree.clone();
        let outcome = self.tree.load(fact.clone());
        assert_eq!(terms(&outcome), self.model.load(fact), "{fact:?}");
        assert_eq!(self.tree.validate(), Ok(()), "{fact:?}");
        assert!(
            outcome.is_ok() || self.tree == before,
            "a refused fact changed the tree: {fact:?}"
        );
    }

    /// Takes steps on both sides; what a preview said before is what becomes of them.
    pub(crate) fn take_as_previewed(&mut self, steps: &[Step]) {
        let before = self.tree.clone();
        let (previewed, after) = self.tree.preview(steps.to_vec(), AfterRefusal::GoOn, Tree::clone);
        let (until_refused, ()) = self.tree.preview(steps.to_vec(), AfterRefusal::Stop, |_| ());
        assert_eq!(self.tree, before, "a preview changed the tree: {steps:?}");
        assert_eq!(self.tree.validate(), Ok(()), "{steps:?}");
        let verdict = |outcome: Result<(), Refusal>| outcome.map_or_else(Verdict::Refused, |()| Verdict::Admitted);
        let taken: Vec<_> = steps.iter().map(|step| verdict(self.take(step))).collect();
        assert_eq!(previewed, taken, "{steps:?}");
        assert_eq!(after, self.tree, "{steps:?}");
        let refused = taken.iter().position(|verdict| *verdict != Verdict::Admitted);
        let tried = refused.map_or(taken.len(), |refused| refused + 1);
        assert_eq!(until_refused[..tried], taken[..tried], "{steps:?}");
        assert!(
            until_refused[tried..]
                .iter()
                .all(|verdict| *verdict == Verdict::NotTried)
        );
    }

    /// The sums, the audit, and the tree as a list.
    pub(crate) fn assert_same(&self) {
        assert_eq!(finding_terms(&self.tree.audit()), self.model.audit());
        let paths: Vec<_> = self
            .tree
            .domains(&Path::root())
            .map(|domain| domain.path().clone())
            .collect();
        assert!(paths.is_sorted_by(|before, after| before < after));
        for domain in &paths {
            assert_same_sums(&self.tree, &self.model, domain);
            assert_same_handed_on(&self.tree, &self.model, domain);
            assert_same_room(&self.tree, &self.model, domain);
        }
        let facts = self.tree.facts();
        let held = self.model.policies.len() + self.model.unikernels.len() + self.model.blocks.len();
        assert_eq!(facts.len(), held);
        let mut loaded = Tree::new();
        for fact in facts {
            loaded.load(fact).unwrap();
        }
        assert_eq!(loaded, self.tree);
        assert_eq!(loaded.difference(&self.tree), []);
    }
}

/// The tree's sums are the model's.
fn assert_same_sums(tree: &Tree, model: &Model, domain: &Path) {
    let (usage, sums) = (tree.usage(domain), model.sums(domain));
    assert_eq!(usage.unikernels.get(), sums.unikernels, "{domain}");
    assert_eq!(usage.memory_mib.get(), sums.memory, "{domain}");
    assert_eq!(usage.block_mib.get(), sums.block, "{domain}");
    assert_eq!(usage.is_nothing(), sums.unikernels == 0 && sums.block == 0, "{domain}");
    let cpuids = usage
        .cpuids
        .iter()
        .flat_map(|(cpu, count)| (0..*count).map(|_| cpu.get()));
    assert_eq!(cpuids.collect::<Vec<_>>(), sums.cpuids, "{domain}");
    let bridges = usage
        .bridges
        .iter()
        .flat_map(|(bridge, count)| (0..*count).map(|_| bridge.to_string()));
    assert_eq!(bridges.collect::<Vec<_>>(), sums.bridges, "{domain}");
}

/// What was handed on are the policies right below, and more than there is where the model says so.
fn assert_same_handed_on(tree: &Tree, model: &Model, domain: &Path) {
    let (told, below) = (tree.handed_on(domain), model.right_below(domain));
    let sum = |limit: fn(&Policy) -> u64| {
        below
            .iter()
            .map(|policy| limit(policy))
            .sum::<u64>()
            .min(Amount::MAX.get())
    };
    let unikernels = sum(|policy| policy.unikernels.get());
    let memory = sum(|policy| policy.memory_mib.get());
    let block = sum(|policy| policy.block_mib.map_or(0, Amount::get));
    let sums = [told.unikernels, told.memory_mib, told.block_mib].map(Amount::get);
    assert_eq!(sums, [unikernels, memory, block], "{domain}");
    assert_eq!(told.policies, below.len() as u64, "{domain}");
    for (cpu, count) in told.cpuids {
        let allowing = below.iter().filter(|policy| policy.cpuids.contains(cpu));
        assert_eq!(count, allowing.count() as u64, "{domain}");
    }
    for (bridge, count) in told.bridges {
        let allowing = below.iter().filter(|policy| policy.bridges.contains(&bridge));
        assert_eq!(count, allowing.count() as u64, "{domain}");
    }
    let too_much: Vec<_> = told.oversubscribed.iter().map(Overrun::limit).collect();
    let own = model.policies.get(domain);
    let expected = own.map(|own| {
        [
            ("unikernels", unikernels > own.unikernels.get()),
            ("memory", memory > own.memory_mib.get()),
            ("block", block > own.block_mib.map_or(0, Amount::get)),
        ]
    });
    let expected = expected.into_iter().flatten().filter(|(_, broken)| *broken);
    assert_eq!(
        too_much,
        expected.map(|(limit, _)| limit).collect::<Vec<_>>(),
        "{domain}"
    );
}

/// The room that is left is the least that a policy of the chain leaves, and the nearest of those binds.
fn assert_same_room(tree: &Tree, model: &Model, domain: &Path) {
    let told = tree.headroom(domain);
    let of = |room: Room| (room.free.get(), room.bound_by);
    let least = |limit: fn(&Policy) -> u64, used: fn(&Sums) -> u64| {
        let rooms = model.chain(domain).into_iter().map(|(at, policy)| {
            let free = limit(&policy).saturating_sub(used(&model.sums(&at)));
            (free, Some(at))
        });
        let countable = Amount::MAX.get() - used(&model.sums(&Path::root()));
        rooms.min_by_key(|(free, _)| *free).unwrap_or((countable, None))
    };
    let unikernels = least(|policy| policy.unikernels.get(), |sums| sums.unikernels);
    assert_eq!(of(told.unikernels), unikernels, "{domain}");
    let memory = least(|policy| policy.memory_mib.get(), |sums| sums.memory);
    assert_eq!(of(told.memory_mib), memory, "{domain}");
    let block = least(|policy| policy.block_mib.map_or(0, Amount::get), |sums| sums.block);
    assert_eq!(of(told.block_mib), block, "{domain}");
}

/// Head-room and the number that fits say what the verdict on an insertion will be, as far as limits go.
fn assert_foreseen(tree: &Tree, step: &Step) {
    match step {
        Step::InsertUnikernel { name, unikernel } => {
            let reasons = tree.check_unikernel(name, unikernel).err();
            let limits = limits(reasons.as_ref());
            let fit = tree.how_many_fit(name.domain(), unikernel);
            if fit.count == Amount::ZERO {
                assert_eq!(fit.then.iter().collect::<Vec<_>>(), limits, "{step:?}");
            } else {
                assert!(limits.is_empty(), "{step:?}");
            }
            assert_eq!(
                has_room(tree, name.domain(), unikernel),
                limits.is_empty() || only_uncountable(tree, name.domain(), &limits),
                "{step:?}"
            );
        }
        Step::InsertBlock { name, size_mib } => {
            let reasons = tree.check_block(name, *size_mib).err();
            let limits = limits(reasons.as_ref());
            assert_eq!(
                tree.headroom(name.domain()).block_mib.free >= size_mib.mib(),
                limits.is_empty() || only_uncountable(tree, name.domain(), &limits),
                "{step:?}"
            );
        }
        _ => {}
    }
}

/// The reasons that are not about names.
fn limits(refusal: Option<&Refusal>) -> Vec<&Reason> {
    let reasons = refusal.into_iter().flat_map(Refusal::reasons);
    reasons
        .filter(|reason| matches!(reason, Reason::Exceeds { .. } | Reason::Uncountable))
        .collect()
}

/// Under a policy head-room is that policy's; that the sum over other domains may be too large is not its matter.
fn only_uncountable(tree: &Tree, domain: &Path, limits: &[&Reason]) -> bool {
    tree.headroom(domain).unikernels.bound_by.is_some() && matches!(limits, [Reason::Uncountable])
}

/// Whether head-room holds a unikernel, limit by limit.
fn has_room(tree: &Tree, domain: &Path, unikernel: &Unikernel) -> bool {
    let room = tree.headroom(domain);
    let bridges = unikernel.bridges().iter().map(|net| &net.bridge);
    room.unikernels.free > Amount::ZERO
        && room.memory_mib.free >= unikernel.memory_mib()
        && room
            .cpuids
            .allowed
            .is_none_or(|allowed| unikernel.cpuids().is_subset(&allowed))
        && room
            .bridges
            .allowed
            .is_none_or(|allowed| bridges.into_iter().all(|bridge| allowed.contains(bridge)))
}

/// What takes an insertion back. Where more is used than allowed a policy cannot be put back, and is left out.
fn inverse(step: &Step, before: &Tree) -> Option<Step> {
    match step.clone() {
        Step::InsertUnikernel { name, .. } => Some(Step::RemoveUnikernel { name }),
        Step::InsertBlock { name, .. } => Some(Step::RemoveBlock { name }),
        Step::InsertPolicy { domain, .. } => match before.find_policy(&domain).cloned() {
            Some(policy) => before
                .audit()
                .is_empty()
                .then_some(Step::InsertPolicy { domain, policy }),
            None => Some(Step::RemovePolicy { domain }),
        },
        _ => None,
    }
}

/// The check alone; `None` for steps that have none.
fn check(tree: &Tree, step: &Step) -> Option<Result<(), Refusal>> {
    match step {
        Step::InsertPolicy { domain, policy } => Some(tree.check_policy(domain, policy)),
        Step::InsertUnikernel { name, unikernel } => Some(tree.check_unikernel(name, unikernel)),
        Step::InsertBlock { name, size_mib } => Some(tree.check_block(name, *size_mib)),
        _ => None,
    }
}
