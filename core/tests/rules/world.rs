//! Random worlds: strategies for the values and operations of small trees, in which operations meet.

use fulmar_core::{
    Amount, BlockDevice, BlockSize, Bridge, BridgeSet, CpuId, CpuSet, DeviceName, Fact, Label, Name, NetDevice, Path,
    Policy, Step, Unikernel,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// How many random worlds are tried: `FULMAR_CASES`, or 3,000 of some 40 operations each.
pub(crate) fn cases() -> ProptestConfig {
    let cases = std::env::var("FULMAR_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases.unwrap_or(3000))
    }
}

pub(crate) fn path() -> impl Strategy<Value = Path> {
    vec(select(vec!["a", "b"]), 0..=3).prop_map(|labels| labels.join(":").parse().unwrap())
}

fn name(labels: &'static [&'static str]) -> impl Strategy<Value = Name> {
    (path(), select(labels)).prop_map(|(domain, label)| Name::new(domain, Label::new(label).unwrap()))
}

fn cpus(at_least: usize) -> impl Strategy<Value = CpuSet> {
    subsequence(vec![0, 1, 2], at_least..=3).prop_map(|ids| ids.into_iter().map(|id| CpuId::new(id).unwrap()).collect())
}

fn bridges() -> impl Strategy<Value = BridgeSet> {
    subsequence(vec!["dmz", "lan"], 0..=2).prop_map(|names| bridge_set(&names))
}

fn bridge_set(names: &[&str]) -> BridgeSet {
    BridgeSet::new(names.iter().map(|name| Bridge::new(name).unwrap())).unwrap()
}

/// Half of them from a ladder, so that delegations often fit within each other.
pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![rung(), any_policy()]
}

/// One of five policies, each within the next.
fn rung() -> impl Strategy<Value = Policy> {
    (0..5_u32).prop_map(|rung| Policy {
        unikernels: (2 * rung).into(),
        memory_mib: (100 * rung).into(),
        block_mib: (rung > 0).then(|| Amount::from(20 * rung)),
        cpuids: (0..u64::from(rung).min(3)).map(|id| CpuId::new(id).unwrap()).collect(),
        bridges: bridge_set(&["dmz", "lan"][..rung.min(2) as usize]),
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
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

pub(crate) fn unikernel() -> impl Strategy<Value = Unikernel> {
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

/// An attempt at a change.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (path(), policy()).prop_map(|(domain, policy)| Step::InsertPolicy { domain, policy }),
        1 => path().prop_map(|domain| Step::RemovePolicy { domain }),
        5 => (name(&["u1", "u2", "a"]), unikernel())
            .prop_map(|(name, unikernel)| Step::InsertUnikernel { name, unikernel }),
        2 => name(&["u1", "u2", "a"]).prop_map(|name| Step::RemoveUnikernel { name }),
        3 => (name(&["d1", "d2"]), 1..40_u32).prop_map(|(name, mib)| Step::InsertBlock {
            name,
            size_mib: BlockSize::new(mib.into()).unwrap(),
        }),
        1 => name(&["d1", "d2"]).prop_map(|name| Step::RemoveBlock { name }),
    ]
}

/// Something known, whatever the limits.
pub(crate) fn fact() -> impl Strategy<Value = Fact> {
    step().prop_filter_map("insertions only", |step| match step {
        Step::InsertPolicy { domain, policy } => Some(Fact::Policy { domain, policy }),
        Step::InsertUnikernel { name, unikernel } => Some(Fact::Unikernel { name, unikernel }),
        Step::InsertBlock { name, size_mib } => Some(Fact::Block { name, size_mib }),
        _ => None,
    })
}

pub(crate) fn facts() -> impl Strategy<Value = Vec<Fact>> {
    vec(fact(), 1..20)
}

/// First delegations: a policy finds no room any more where much runs without one. Then anything.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let delegation = (path(), rung()).prop_map(|(domain, policy)| Step::InsertPolicy { domain, policy });
    (vec(delegation, 0..8), vec(step(), 1..80)).prop_map(|(mut delegations, steps)| {
        delegations.extend(steps);
        delegations
    })
}

/// Some attempts, each to be made on the same tree: one alone is often refused, or admitted, before it tells anything.
pub(crate) fn wishes() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 6)
}
