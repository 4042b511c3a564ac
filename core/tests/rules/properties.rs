//! Random operations on small trees: every answer is the naive model's, and the theorems hold after every step.

use fulmar_core::{Amount, Difference, Fact, Label, Name, Overrun, Path, Policy, Reason, Step, Tree, Unikernel};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::model::Model;
use crate::pair::Pair;
use crate::world::{cases, facts, path, policy, steps, unikernel, wishes};

/// The tree that these steps lead to, refused ones left out.
fn grown(steps: &[Step]) -> Tree {
    let mut tree = Tree::new();
    for step in steps {
        // A refusal is as good as any: what matters is the tree.
        let _ = tree.take(step.clone());
    }
    tree
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

/// The domain whose policy a step changes.
fn policed(step: &Step) -> Option<&Path> {
    match step {
        Step::InsertPolicy { domain, .. } | Step::RemovePolicy { domain } => Some(domain),
        _ => None,
    }
}

/// With every reason remedied the wish is admitted; with all but one it is not.
fn assert_complete_and_needed(tree: &Tree, wish: &Step, reasons: &[Reason]) {
    let mut remedied = tree.clone();
    if !reasons.iter().all(|reason| remedy(&mut remedied, reason)) {
        return;
    }
    assert_eq!(
        remedied.take(wish.clone()),
        Ok(()),
        "there was one more reason: {wish:?}"
    );
    for (position, kept) in reasons.iter().enumerate() {
        let mut remedied = tree.clone();
        let others = reasons.iter().enumerate().filter(|(other, _)| *other != position);
        for (_, reason) in others {
            remedy(&mut remedied, reason);
        }
        // One policy below is removed for all its reasons at once: a sibling reason may go with it.
        let gone_with_another = matches!(kept, Reason::Narrower { .. });
        let outcome = remedied.take(wish.clone());
        assert!(outcome.is_err() || gone_with_another, "not needed: {kept}");
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_answer_is_the_models_and_every_theorem_holds(steps in steps()) {
        let mut pair = Pair::default();
        for step in &steps {
            // Refused or not: what matters is that both sides say so.
            let _ = pair.take(step);
            assert_within_limits(&pair.model);
        }
        pair.assert_same();
        prop_assert_eq!(pair.tree.audit(), vec![]);
    }

    #[test]
    fn where_loaded_facts_break_limits_every_answer_is_still_the_models(before in steps(), facts in facts(), after in steps()) {
        let mut pair = Pair::default();
        for step in &before {
            let _ = pair.take(step);
        }
        facts.iter().for_each(|fact| pair.load(fact));
        pair.assert_same();
        for step in &after {
            let _ = pair.take(step);
        }
        pair.assert_same();
    }

    #[test]
    fn a_preview_says_what_enforcement_does(before in steps(), plan in steps()) {
        let mut pair = Pair::default();
        for step in &before {
            let _ = pair.take(step);
        }
        pair.take_as_previewed(&plan);
    }

    #[test]
    fn the_reasons_are_complete_and_each_is_needed(before in steps(), wishes in wishes()) {
        let tree = grown(&before);
        for wish in wishes {
            if let Err(refusal) = tree.clone().take(wish.clone()) {
                assert_complete_and_needed(&tree, &wish, refusal.reasons());
            }
        }
    }

    #[test]
    fn raising_a_limit_never_turns_an_admission_into_a_refusal(
        before in steps(),
        wishes in wishes(),
        chosen in any::<Index>(),
        wider in policy(),
    ) {
        let tree = grown(&before);
        let policed: Vec<_> = tree.domains(&Path::root()).filter(|domain| domain.policy().is_some()).collect();
        prop_assume!(!policed.is_empty());
        let domain = policed[chosen.index(policed.len())].path().clone();
        let policy = tree.find_policy(&domain).unwrap();
        let policy = Policy {
            unikernels: policy.unikernels.max(wider.unikernels),
            memory_mib: policy.memory_mib.max(wider.memory_mib),
            block_mib: policy.block_mib.max(wider.block_mib),
            cpuids: policy.cpuids.iter().chain(wider.cpuids.iter()).collect(),
            bridges: fulmar_core::BridgeSet::new(policy.bridges.iter().chain(wider.bridges.iter()).cloned()).unwrap(),
        };
        let mut raised = tree.clone();
        raised.load(Fact::Policy { domain, policy }).unwrap();
        // A new policy above the raised one may be too narrow for it now.
        for wish in wishes.iter().filter(|wish| !matches!(wish, Step::InsertPolicy { .. })) {
            if tree.clone().take(wish.clone()).is_ok() {
                prop_assert_eq!(raised.clone().take(wish.clone()), Ok(()));
            }
        }
    }

    #[test]
    fn the_order_of_operations_that_do_not_meet_does_not_matter(before in steps(), wishes in wishes()) {
        let tree = grown(&before);
        let pairs = wishes.iter().enumerate().flat_map(|(at, one)| wishes[..at].iter().map(move |other| (one, other)));
        // Two changes of one policy meet: the later one stays.
        for (one, other) in pairs.filter(|(one, other)| policed(one).is_none() || policed(one) != policed(other)) {
            let take = |steps: [&Step; 2]| {
                let mut tree = tree.clone();
                let outcomes = steps.map(|step| tree.take(step.clone()));
                outcomes.iter().all(Result::is_ok).then_some(tree)
            };
            if let (Some(tree), Some(the_other_way_round)) = (take([one, other]), take([other, one])) {
                prop_assert_eq!(tree, the_other_way_round);
            }
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
