//! Small worlds, all of them: three domains with limits from 0 to 2, at most three unikernels, and every operation, compared with
//! the model. They are loaded, so that those over their limits are among them.

use fulmar_core::{Amount, BlockSize, Fact, Label, Name, Path, Policy, Step, Tree};

use crate::fixture::{path, policy, unikernel};
use crate::model::{Model, terms};

/// No policy, and every policy with limits from 0 to 2. The limits that are not varied are wide.
fn policies() -> Vec<Option<Policy>> {
    let limits = (0..=2).flat_map(|unikernels| (0..=2).map(move |memory_mib| policy(unikernels, memory_mib)));
    std::iter::once(None).chain(limits.map(Some)).collect()
}

/// How many unikernels are in each of three domains: at most three in all.
fn populations() -> impl Iterator<Item = [u32; 3]> {
    let all = (0..=3).flat_map(|a| (0..=3).flat_map(move |b| (0..=3).map(move |c| [a, b, c])));
    all.filter(|population| population.iter().sum::<u32>() <= 3)
}

struct World {
    tree: Tree,
    model: Model,
}

impl World {
    fn new(domains: &[Path; 3], policies: [&Option<Policy>; 3], population: [u32; 3]) -> Self {
        let mut world = Self {
            tree: Tree::new(),
            model: Model::default(),
        };
        for (domain, count) in domains.iter().zip(population) {
            for number in 0..count {
                let (name, unikernel) = (numbered(domain, number), unikernel(1));
                world.model.unikernels.insert(name.clone(), unikernel.clone());
                world.tree.load(Fact::Unikernel { name, unikernel }).unwrap();
            }
        }
        for (domain, policy) in domains.iter().zip(policies) {
            if let Some(policy) = policy.clone() {
                world.model.policies.insert(domain.clone(), policy.clone());
                let domain = domain.clone();
                world.tree.load(Fact::Policy { domain, policy }).unwrap();
            }
        }
        assert_eq!(world.tree.validate(), Ok(()));
        world
    }

    /// Takes the step in a copy of the world, and compares.
    fn compare(&self, step: &Step) {
        let mut tree = self.tree.clone();
        let outcome = tree.take(step.clone());
        assert_eq!(
            terms(&outcome),
            self.model.decide(step),
            "{step:?} in\n{}",
            self.tree.print(&Path::root())
        );
        if outcome.is_ok() {
            assert_eq!(tree.validate(), Ok(()), "{step:?}");
        } else {
            assert_eq!(tree, self.tree, "{step:?}");
        }
    }
}

fn numbered(domain: &Path, number: u32) -> Name {
    Name::new(domain.clone(), Label::new(&format!("u{number}")).unwrap())
}

/// Every operation there is on these domains.
fn operations(domains: &[Path; 3], policies: &[Option<Policy>]) -> Vec<Step> {
    let mut steps = Vec::new();
    for domain in domains {
        let domain = || domain.clone();
        let given = policies.iter().flatten().cloned();
        steps.extend(given.map(|policy| Step::InsertPolicy {
            domain: domain(),
            policy,
        }));
        steps.push(Step::RemovePolicy { domain: domain() });
        for number in [0, 3] {
            let name = numbered(&domain(), number);
            steps.push(Step::RemoveUnikernel { name: name.clone() });
            steps.extend((1..=2).map(|memory_mib| Step::InsertUnikernel {
                name: name.clone(),
                unikernel: unikernel(memory_mib),
            }));
        }
    }
    steps
}

/// Tries every operation in every world on these domains; returns how many comparisons that were.
fn compare_all(domains: &[Path; 3]) -> u64 {
    let policies = policies();
    let operations = operations(domains, &policies);
    let mut comparisons = 0;
    for [first, second, third] in populations() {
        for (one, two) in policies
            .iter()
            .flat_map(|one| policies.iter().map(move |two| (one, two)))
        {
            for three in &policies {
                let world = World::new(domains, [one, two, three], [first, second, third]);
                operations.iter().for_each(|step| world.compare(step));
                comparisons += operations.len() as u64;
            }
        }
    }
    comparisons
}

#[test]
fn every_operation_in_every_small_chain_of_domains_is_judged_as_the_model_does() {
    assert_eq!(compare_all(&[path(":"), path("a"), path("a:b")]), 20 * 1000 * 48);
}

#[test]
fn every_operation_in_every_small_pair_of_siblings_is_judged_as_the_model_does() {
    assert_eq!(compare_all(&[path("a"), path("a:b"), path("a:c")]), 20 * 1000 * 48);
}

#[test]
fn every_block_device_in_every_small_world_is_judged_as_the_model_does() {
    let limits = [None, Some(0), Some(1), Some(2)];
    let sizes = || (0..=2_u32).map(|mib| BlockSize::new(mib.into()).ok());
    let (a, b) = (path("a"), path("a:b"));
    let block = |domain: &Path| Name::new(domain.clone(), Label::new("d").unwrap());
    for (limit_a, limit_b) in limits.iter().flat_map(|a| limits.iter().map(move |b| (*a, *b))) {
        for (size_a, size_b) in sizes().flat_map(|a| sizes().map(move |b| (a, b))) {
            let limited = |limit: Option<u32>| Policy {
                block_mib: limit.map(Amount::from),
                ..policy(9, 9)
            };
            let policies = [&None, &Some(limited(limit_a)), &Some(limited(limit_b))];
            let mut world = World::new(&[path(":"), a.clone(), b.clone()], policies, [0, 0, 0]);
            for (domain, size) in [(&a, size_a), (&b, size_b)] {
                if let Some(size_mib) = size {
                    let name = block(domain);
                    world.model.blocks.insert(name.clone(), size_mib);
                    world.tree.load(Fact::Block { name, size_mib }).unwrap();
                }
            }
            for domain in [&a, &b, &path(":"), &path("a:b:c")] {
                let name = block(domain);
                world.compare(&Step::RemoveBlock { name: name.clone() });
                for size_mib in sizes().flatten() {
                    let name = name.clone();
                    world.compare(&Step::InsertBlock { name, size_mib });
                }
                for limit in limits {
                    let (domain, policy) = (domain.clone(), limited(limit));
                    world.compare(&Step::InsertPolicy { domain, policy });
                }
            }
        }
    }
}
