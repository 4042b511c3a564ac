//! Random operations on small trees: every answer is the naive model's, and the theorems hold after every step.

use fulmar_core::{
    AfterRefusal, Amount, Difference, Fact, Label, Name, Overrun, Path, Policy, Reason, Step, Tree, Unikernel, Verdict,
};
use proptest::prelude::*;

use crate::model::{Model, terms};
use crate::world::{cases, path, policy, step, steps, unikernel};

/// The tree that these steps lead to, refused ones left out.
fn grown(steps: &[Step]) -> Tree {
    let mut tree = Tree::new();
    for step in steps {
        // A refusal is as good as any: what matters is the tree.
        let _ = tree.take(step.clone());
    }
    tree
}

/// The tree's sums are the model's.
fn assert_same_sums(tree: &Tree, model: &Model, domain: &Path) {
    let (usage, sums) = (tree.usage(domain), model.sums(domain));
    assert_eq!(usage.unikernels.get(), sums.unikernels, "{domain}");
    assert_eq!(usage.memory_mib.get(), sums.memory, "{domain}");
    assert_eq!(usage.block_mib.get(), sums.block, "{domain}");
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

/// Design invariant 1, by the model's sums. Nothing is loaded here, so it holds.
fn assert_within_limits(model: &Model) {
    for (domain, policy) in &model.policies {
        let sums = model.sums(domain);
        assert!(sums.unikernels <= policy.unikernels.get(), "{domain}");
        assert!(sums.memory <= policy.memory_mib.get(), "{domain}");
        assert!(sums.block <= policy.block_mib.map_or(0, Amount::get), "{domain}");
    }
}

/// What takes an insertion back.
fn inverse(step: &Step, before: &Tree) -> Option<Step> {
    match step.clone() {
        Step::InsertUnikernel { name, .. } => Some(Step::RemoveUnikernel { name }),
        Step::InsertBlock { name, .. } => Some(Step::RemoveBlock { name }),
        Step::InsertPolicy { domain, .. } => Some(match before.find_policy(&domain).cloned() {
            Some(policy) => Step::InsertPolicy { domain, policy },
            None => Step::RemovePolicy { domain },
        }),
        _ => None,
    }
}

/// The verdict of the check alone; `None` for steps that have none.
fn check(tree: &Tree, step: &Step) -> Option<bool> {
    match step {
        Step::InsertPolicy { domain, policy } => Some(tree.check_policy(domain, policy).is_ok()),
        Step::InsertUnikernel { name, unikernel } => Some(tree.check_unikernel(name, unikernel).is_ok()),
        Step::InsertBlock { name, size_mib } => Some(tree.check_block(name, *size_mib).is_ok()),
        _ => None,
    }
}

fn loaded(tree: &Tree) -> Tree {
    let mut loaded = Tree::new();
    for fact in tree.facts() {
        loaded.load(fact).unwrap();
    }
    loaded
}

/// The policy with this limit raised until it is no reason any more.
fn raised(mut policy: Policy, overrun: &Overrun) -> Policy {
    let sum = |used: &Amount, asked: &Amount| used.plus(*asked).unwrap();
    match overrun {
        Overrun::Unikernels { used, asked, .. } => policy.unikernels = sum(used, asked),
        Overrun::Memory {
            used_mib, asked_mib, ..
        } => policy.memory_mib = sum(used_mib, asked_mib),
        Overrun::Block {
            used_mib, asked_mib, ..
        } => policy.block_mib = Some(sum(used_mib, asked_mib)),
        Overrun::Cpuids { allowed, denied } => policy.cpuids = allowed.iter().chain(denied.iter()).collect(),
        Overrun::Bridges { allowed, denied } => {
            let both = allowed.iter().chain(denied.iter()).cloned();
            policy.bridges = fulmar_core::BridgeSet::new(both).unwrap();
        }
    }
    policy
}

/// Changes the tree so that this reason does not hold any more. False where only the request could be changed.
fn remedy(tree: &mut Tree, reason: &Reason) -> bool {
    let raise = |tree: &mut Tree, domain: &Path, overrun: &Overrun| {
        let policy = raised(tree.find_policy(domain).unwrap().clone(), overrun);
        tree.load(Fact::Policy {
            domain: domain.clone(),
            policy,
        })
        .unwrap();
    };
    match reason {
        Reason::Exceeds { domain, overrun } => raise(tree, domain, overrun),
        Reason::Wider { above, overrun } => raise(tree, above, overrun),
        Reason::Narrower { below, .. } => drop(tree.remove_policy(below)),
        Reason::BlockUnknown { name } => {
            let size_mib = fulmar_core::BlockSize::new(Amount::ONE).unwrap();
            tree.load(Fact::Block {
                name: name.clone(),
                size_mib,
            })
            .unwrap();
        }
        _ => return false,
    }
    true
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_answer_is_the_models_and_every_theorem_holds(steps in steps()) {
        let (mut tree, mut model) = (Tree::new(), Model::default());
        for step in &steps {
            let before = tree.clone();
            let checked = check(&tree, step);
            let outcome = tree.take(step.clone());
            prop_assert_eq!(terms(&outcome), model.take(step), "{:?}", step);
            prop_assert_eq!(tree.validate(), Ok(()));
            prop_assert!(checked.is_none_or(|admitted| admitted == outcome.is_ok()), "a check is not the verdict");
            if outcome.is_err() {
                prop_assert_eq!(&tree, &before, "a refused operation changed the tree");
            } else if let Some(inverse) = inverse(step, &before) {
                let mut undone = tree.clone();
                prop_assert_eq!(undone.take(inverse), Ok(()));
                prop_assert_eq!(undone, before, "taking it back did not restore the tree");
            }
            assert_within_limits(&model);
        }
        for domain in ["", "a", "b", "a:a", "a:b", "b:b:a"] {
            assert_same_sums(&tree, &model, &domain.parse().unwrap());
        }
        prop_assert_eq!(tree.audit(), vec![]);
        let paths: Vec<_> = tree.domains(&Path::root()).map(|domain| domain.path().clone()).collect();
        prop_assert!(paths.is_sorted_by(|before, after| before < after));
        prop_assert_eq!(loaded(&tree), tree);
    }

    #[test]
    fn a_preview_says_what_enforcement_does(before in steps(), plan in steps()) {
        let mut tree = grown(&before);
        let untouched = tree.clone();
        let mut enforced = tree.clone();
        let outcomes: Vec<_> = plan.iter().map(|step| enforced.take(step.clone())).collect();
        let (verdicts, after) = tree.preview(plan.clone(), AfterRefusal::GoOn, Tree::clone);
        prop_assert_eq!(after, enforced);
        for (verdict, outcome) in verdicts.iter().zip(&outcomes) {
            match (verdict, outcome) {
                (Verdict::Admitted, Ok(())) => {}
                (Verdict::Refused(previewed), Err(refusal)) => prop_assert_eq!(previewed, refusal),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(&tree, &untouched);

        let (verdicts, _) = tree.preview(plan, AfterRefusal::Stop, |_| ());
        let first_refusal = outcomes.iter().position(Result::is_err).map_or(outcomes.len(), |refused| refused + 1);
        prop_assert!(verdicts[..first_refusal].iter().all(|verdict| *verdict != Verdict::NotTried));
        prop_assert!(verdicts[first_refusal..].iter().all(|verdict| *verdict == Verdict::NotTried));
        prop_assert_eq!(tree, untouched);
    }

    #[test]
    fn the_reasons_are_complete_and_each_is_needed(before in steps(), wish in step()) {
        let tree = grown(&before);
        let Err(refusal) = tree.clone().take(wish.clone()) else { return Ok(()) };
        let mut remedied = tree.clone();
        if !refusal.reasons().iter().all(|reason| remedy(&mut remedied, reason)) {
            return Ok(());
        }
        prop_assert_eq!(remedied.take(wish.clone()), Ok(()), "there was one more reason");
        for (position, kept) in refusal.reasons().iter().enumerate() {
            let mut remedied = tree.clone();
            let others = refusal.reasons().iter().enumerate().filter(|(other, _)| *other != position);
            for (_, reason) in others {
                remedy(&mut remedied, reason);
            }
            // One policy below is removed for all its reasons at once: a sibling reason may go with it.
            let gone_with_another = matches!(kept, Reason::Narrower { .. });
            let outcome = remedied.take(wish.clone());
            prop_assert!(outcome.is_err() || gone_with_another, "not needed: {}", kept);
        }
    }

    #[test]
    fn raising_a_limit_never_turns_an_admission_into_a_refusal(
        before in steps(),
        wish in step().prop_filter("no policy", |step| !matches!(step, Step::InsertPolicy { .. })),
        domain in path(),
        wider in policy(),
    ) {
        let tree = grown(&before);
        let Some(policy) = tree.find_policy(&domain) else { return Ok(()) };
        let policy = Policy {
            unikernels: policy.unikernels.max(wider.unikernels),
            memory_mib: policy.memory_mib.max(wider.memory_mib),
            block_mib: policy.block_mib.max(wider.block_mib),
            cpuids: policy.cpuids.iter().chain(wider.cpuids.iter()).collect(),
            bridges: fulmar_core::BridgeSet::new(policy.bridges.iter().chain(wider.bridges.iter()).cloned()).unwrap(),
        };
        let mut raised = tree.clone();
        raised.load(Fact::Policy { domain, policy }).unwrap();
        if tree.clone().take(wish.clone()).is_ok() {
            prop_assert_eq!(raised.take(wish), Ok(()));
        }
    }

    #[test]
    fn the_order_of_operations_that_do_not_meet_does_not_matter(before in steps(), one in step(), other in step()) {
        let (mut first, mut second) = (grown(&before), grown(&before));
        let first_outcomes = (first.take(one.clone()), first.take(other.clone()));
        let second_outcome = second.take(other);
        let second_outcomes = (second.take(one), second_outcome);
        if first_outcomes.0.is_ok() && first_outcomes.1.is_ok() && second_outcomes.0.is_ok() && second_outcomes.1.is_ok() {
            // Two policies for one domain meet: the later one stays.
            let differ = first.difference(&second);
            let is_policy = |difference: &Difference| matches!(difference, Difference::Changed { before: Fact::Policy { .. }, .. });
            prop_assert!(differ.iter().all(is_policy), "{:?}", differ);
        }
    }

    #[test]
    fn headroom_is_exactly_what_fits(before in steps(), domain in path()) {
        let tree = grown(&before);
        let headroom = tree.headroom(&domain);
        let Some(cpu) = headroom.cpuids.allowed.as_ref().map_or(fulmar_core::CpuId::new(0).ok(), |set| set.iter().next())
        else { return Ok(()) };
        let name = Name::new(domain.clone(), Label::new("new").unwrap());
        let fits = |memory_mib: Amount| {
            let unikernel = Unikernel::new(memory_mib, [cpu].into_iter().collect()).unwrap();
            tree.check_unikernel(&name, &unikernel).is_ok()
        };
        let some = headroom.unikernels.free > Amount::ZERO;
        if headroom.memory_mib.free > Amount::ZERO {
            prop_assert_eq!(fits(headroom.memory_mib.free), some);
        }
        if let Some(more) = headroom.memory_mib.free.plus(Amount::ONE) {
            prop_assert!(!fits(more));
        }
        let block = Name::new(domain, Label::new("newblock").unwrap());
        let block_fits = |mib| tree.check_block(&block, fulmar_core::BlockSize::new(mib).unwrap()).is_ok();
        if headroom.block_mib.free > Amount::ZERO {
            prop_assert!(block_fits(headroom.block_mib.free));
        }
        if let Some(more) = headroom.block_mib.free.plus(Amount::ONE) {
            prop_assert!(!block_fits(more));
        }
    }

    #[test]
    fn as_many_fit_as_are_told_and_then_the_reasons_are_those_told(before in steps(), domain in path(), unikernel in unikernel()) {
        let mut tree = grown(&before);
        let unikernel = unikernel.with_block_devices(Vec::new()).unwrap();
        let fit = tree.how_many_fit(&domain, &unikernel);
        if fit.count.get() > 100 {
            // No policy is in the way: nothing to count.
            prop_assert!(tree.headroom(&domain).unikernels.bound_by.is_none());
            return Ok(());
        }
        let name = |number| Name::new(domain.clone(), Label::new(&format!("new{number}")).unwrap());
        for number in 0..fit.count.get() {
            prop_assert_eq!(tree.insert_unikernel(&name(number), unikernel.clone()), Ok(()));
        }
        let refusal = tree.insert_unikernel(&name(fit.count.get()), unikernel.clone()).unwrap_err();
        prop_assert_eq!(refusal.reasons(), &fit.then[..]);
    }

    #[test]
    fn a_difference_leads_from_one_tree_to_the_other(one in steps(), other in steps()) {
        let (one, other) = (grown(&one), grown(&other));
        let difference = one.difference(&other);
        prop_assert_eq!(difference.is_empty(), one == other);
        let mut facts: Vec<_> = one.facts();
        for change in difference {
            match change {
                Difference::Added(fact) => facts.push(fact),
                Difference::Removed(fact) => facts.retain(|known| *known != fact),
                Difference::Changed { before, after } => {
                    facts.retain(|known| *known != before);
                    facts.push(after);
                }
            }
        }
        // Block devices before those who use them.
        facts.sort_by_key(|fact| matches!(fact, Fact::Unikernel { .. }));
        let mut led = Tree::new();
        for fact in facts {
            led.load(fact).unwrap();
        }
        prop_assert_eq!(led, other);
    }
}
