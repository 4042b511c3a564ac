//! Short spellings for the claims.

use fulmar_core::{
    BlockDevice, BlockSize, Bridge, BridgeSet, CpuId, CpuSet, DeviceName, Name, NetDevice, Path, Policy, Refusal, Tree,
    Unikernel,
};

pub(crate) fn path(text: &str) -> Path {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn cpus(ids: &[u64]) -> CpuSet {
    ids.iter().map(|id| CpuId::new(*id).unwrap()).collect()
}

/// CPUs 0 and 1, the bridge `dmz`, 100 MiB of block devices.
pub(crate) fn policy(unikernels: u32, memory_mib: u32) -> Policy {
    Policy {
        unikernels: unikernels.into(),
        memory_mib: memory_mib.into(),
        block_mib: Some(100.into()),
        cpuids: cpus(&[0, 1]),
        bridges: BridgeSet::new([Bridge::new("dmz").unwrap()]).unwrap(),
    }
}

pub(crate) fn unikernel(memory_mib: u32) -> Unikernel {
    Unikernel::new(memory_mib.into(), cpus(&[0])).unwrap()
}

pub(crate) fn size(mib: u32) -> BlockSize {
    BlockSize::new(mib.into()).unwrap()
}

pub(crate) fn with_blocks(unikernel: Unikernel, hosts: &[&str]) -> Unikernel {
    let device = |(position, host): (usize, &&str)| BlockDevice {
        device: DeviceName::new(&format!("blk{position}")).unwrap(),
        host: fulmar_core::Label::new(host).unwrap(),
        sector_size: None,
    };
    unikernel
        .with_block_devices(hosts.iter().enumerate().map(device).collect())
        .unwrap()
}

pub(crate) fn with_bridge(unikernel: Unikernel, bridge: &str) -> Unikernel {
    let net = NetDevice::same_name(DeviceName::new(bridge).unwrap()).unwrap();
    unikernel.with_bridges(vec![net]).unwrap()
}

/// A tree with these policies, each admitted.
pub(crate) fn tree(policies: &[(&str, Policy)]) -> Tree {
    let mut tree = Tree::new();
    for (domain, policy) in policies {
        tree.insert_policy(&path(domain), policy.clone()).unwrap();
    }
    tree
}

#[track_caller]
pub(crate) fn refused<T: core::fmt::Debug>(outcome: Result<T, Refusal>, sentences: &[&str]) {
    let refusal = outcome.unwrap_err();
    let reasons: Vec<_> = refusal.reasons().iter().map(ToString::to_string).collect();
    assert_eq!(reasons, sentences);
}
