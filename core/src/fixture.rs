//! Short spellings for the unit tests of this crate.

use crate::{Amount, Bridge, BridgeSet, CpuId, CpuSet, Name, Path, Policy};

pub(crate) fn path(text: &str) -> Path {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn cpus(ids: &[u64]) -> CpuSet {
    ids.iter().map(|id| CpuId::new(*id).unwrap()).collect()
}

pub(crate) fn bridges(names: &[&str]) -> BridgeSet {
    BridgeSet::new(names.iter().map(|name| Bridge::new(name).unwrap())).unwrap()
}

/// A policy without block devices.
pub(crate) fn policy(unikernels: u32, memory_mib: u32, cpuids: &[u64], bridge_names: &[&str]) -> Policy {
    Policy {
        unikernels: Amount::from(unikernels),
        memory_mib: Amount::from(memory_mib),
        block_mib: None,
        cpuids: cpus(cpuids),
        bridges: bridges(bridge_names),
    }
}
