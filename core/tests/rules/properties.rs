//! Random operations on small trees: every answer is the naive model's, and the theorems hold after every step.

use crate::model::{Model, Operation, apply_to_tree};
use fulmar_core::{
    Amount, BlockDevice, BlockSize, Bridge, BridgeSet, CpuId, CpuSet, DeviceName, Label, Name, NetDevice, Path, Policy,
    Tree, Unikernel,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Few labels, so that operations meet.
fn path() -> impl Strategy<Value = Path> {
    vec(select(vec!["a", "b"]), 0..=3).prop_map(|labels| labels.join(":").parse().unwrap())
}

fn name(labels: &'static [&'static str]) -> impl Strategy<Value = Name> {
    (path(), select(labels)).prop_map(|(domain, label)| Name::new(domain, Label::new(label).unwrap()))
}

fn cpus(at_least: usize) -> impl Strategy<Value = CpuSet> {
    subsequence(vec![0, 1, 2], at_least..=3).prop_map(|ids| ids.into_iter().map(|id| CpuId::new(id).unwrap()).collect())
}

fn bridges() -> impl Strategy<Value = BridgeSet> {
    subsequence(vec!["dmz", "lan"], 0..=2)
        .prop_map(|names| BridgeSet::new(names.into_iter().map(|name| Bridge::new(name).unwrap())).unwrap())
}

fn policy() -> impl Strategy<Value = Policy> {
    (
        0..6_u32,
        0..300_u32,
        proptest::option::of(0..80_u32),
        cpus(0),
        bridges(),
    )
        .prop_map(|(unikernels, memory_mib, block_mib, cpuids, bridges)| Policy {
            unikernels: unikernels.into(),
            memory_mib: memory_mib.into(),
            block_mib: block_mib.map(Amount::from),
            cpuids,
            bridges,
        })
}

fn unikernel() -> impl Strategy<Value = Unikernel> {
    let blocks = vec(select(vec!["d1", "d2"]), 0..=2);
    let nets = subsequence(vec!["dmz", "lan"], 0..=2);
    (1..100_u32, cpus(1), blocks, nets).prop_map(|(memory_mib, cpuids, blocks, nets)| {
        let block = |(position, host): (usize, &str)| BlockDevice {
            device: DeviceName::new(&format!("blk{position}")).unwrap(),
            host: Label::new(host).unwrap(),
            sector_size: None,
        };
        let net = |bridge| NetDevice::same_name(DeviceName::new(bridge).unwrap()).unwrap();
        Unikernel::new(memory_mib.into(), cpuids)
            .and_then(|unikernel| unikernel.with_block_devices(blocks.into_iter().enumerate().map(block).collect()))
            .and_then(|unikernel| unikernel.with_bridges(nets.into_iter().map(net).collect()))
            .unwrap()
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (path(), policy()).prop_map(|(domain, policy)| Operation::InsertPolicy(domain, policy)),
        1 => path().prop_map(Operation::RemovePolicy),
        5 => (name(&["u1", "u2", "a"]), unikernel()).prop_map(|(name, unikernel)| Operation::InsertUnikernel(name, unikernel)),
        2 => name(&["u1", "u2", "a"]).prop_map(Operation::RemoveUnikernel),
        3 => (name(&["d1", "d2"]), 1..40_u32)
            .prop_map(|(name, mib)| Operation::InsertBlock(name, BlockSize::new(mib.into()).unwrap())),
        1 => name(&["d1", "d2"]).prop_map(Operation::RemoveBlock),
    ]
}

/// The tree's sums are the model's, for every domain there can be.
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

/// Design invariant 1: no policy allows less than what its subtree uses. Holds as nothing is loaded here.
fn assert_within_limits(model: &Model) {
    for (domain, policy) in &model.policies {
        let sums = model.sums(domain);
        assert!(sums.unikernels <= policy.unikernels.get(), "{domain}");
        assert!(sums.memory <= policy.memory_mib.get(), "{domain}");
        assert!(sums.block <= policy.block_mib.map_or(0, Amount::get), "{domain}");
    }
}

/// What takes an insertion back.
fn inverse(operation: &Operation, before: &Tree) -> Option<Operation> {
    match operation {
        Operation::InsertUnikernel(name, _) => Some(Operation::RemoveUnikernel(name.clone())),
        Operation::InsertBlock(name, _) => Some(Operation::RemoveBlock(name.clone())),
        Operation::InsertPolicy(domain, _) => Some(match before.find_policy(domain) {
            Some(policy) => Operation::InsertPolicy(domain.clone(), policy.clone()),
            None => Operation::RemovePolicy(domain.clone()),
        }),
        _ => None,
    }
}

/// The verdict of the check alone; `None` for operations that have none.
fn check(tree: &Tree, operation: &Operation) -> Option<bool> {
    match operation {
        Operation::InsertPolicy(domain, policy) => Some(tree.check_policy(domain, policy).is_ok()),
        Operation::InsertUnikernel(name, unikernel) => Some(tree.check_unikernel(name, unikernel).is_ok()),
        Operation::InsertBlock(name, size) => Some(tree.check_block(name, *size).is_ok()),
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn every_answer_is_the_models_and_every_theorem_holds(operations in vec(operation(), 1..80)) {
        let (mut tree, mut model) = (Tree::new(), Model::default());
        for operation in &operations {
            let before = tree.clone();
            let checked = check(&tree, operation);
            let verdict = apply_to_tree(&mut tree, operation);
            prop_assert_eq!(&verdict, &model.apply(operation), "{:?}", operation);
            prop_assert_eq!(tree.validate(), Ok(()));
            prop_assert!(checked.is_none_or(|admitted| admitted == verdict.is_empty()), "a check is not the verdict");
            if !verdict.is_empty() {
                prop_assert_eq!(&tree, &before, "a refused operation changed the tree");
            } else if let Some(inverse) = inverse(operation, &before) {
                let mut undone = tree.clone();
                prop_assert_eq!(apply_to_tree(&mut undone, &inverse), vec![], "{:?}", inverse);
                prop_assert_eq!(undone, before, "taking it back did not restore the tree");
            }
            assert_within_limits(&model);
        }
        for domain in ["", "a", "b", "a:a", "a:b", "b:b:a"] {
            assert_same_sums(&tree, &model, &domain.parse().unwrap());
        }
        prop_assert_eq!(loaded(&tree), tree);
    }
}
