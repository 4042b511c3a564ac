//! Usage: what a domain and everything below it take, counted.
//!
//! Owns the sums. They are kept along the chain of domains, so that a check costs no more than the depth of a name.

use alloc::collections::BTreeMap;

use crate::counts::{add_all, release};
use crate::{Amount, BlockSize, Bridge, CpuId, Unikernel};

/// What a subtree takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// How many unikernels run.
    pub unikernels: Amount,
    /// Their memory, in MiB.
    pub memory_mib: Amount,
    /// The block devices, attached or not, in MiB.
    pub block_mib: Amount,
    /// By how many unikernels each CPU is used; a CPU without any is not listed.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::counts::serialize_by_cpu"))]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<CpuId, u64>"))]
    pub cpuids: BTreeMap<CpuId, u64>,
    /// By how many network devices each bridge is used; a bridge without any is not listed.
    pub bridges: BTreeMap<Bridge, u64>,
}

impl Usage {
    /// Whether nothing is used.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.unikernels == Amount::ZERO && self.block_mib == Amount::ZERO
    }

    /// Whether one more unikernel can be counted without a sum above [`Amount::MAX`].
    pub(crate) fn counts_unikernel(&self, unikernel: &Unikernel) -> bool {
        self.unikernels.plus(Amount::ONE).is_some() && self.memory_mib.plus(unikernel.memory_mib()).is_some()
    }

    /// Whether a block device of this size can be counted without a sum above [`Amount::MAX`].
    pub(crate) fn counts_block(&self, size: BlockSize) -> bool {
        self.block_mib.plus(size.mib()).is_some()
    }

    /// Counts a unikernel in. The root's usage, the largest of all, must have room for it.
    pub(crate) fn add_unikernel(&mut self, unikernel: &Unikernel) {
        self.unikernels = self.unikernels.counted_plus(Amount::ONE);
        self.memory_mib = self.memory_mib.counted_plus(unikernel.memory_mib());
        for cpu in unikernel.cpuids().iter() {
            *self.cpuids.entry(cpu).or_default() += 1;
        }
        for net in unikernel.bridges() {
            match self.bridges.get_mut(&net.bridge) {
                Some(count) => *count += 1,
                None => {
                    self.bridges.insert(net.bridge.clone(), 1);
                }
            }
        }
    }

    /// Takes a unikernel out again that was counted in.
    pub(crate) fn remove_unikernel(&mut self, unikernel: &Unikernel) {
        self.unikernels = self.unikernels.counted_minus(Amount::ONE);
        self.memory_mib = self.memory_mib.counted_minus(unikernel.memory_mib());
        for cpu in unikernel.cpuids().iter() {
            release(&mut self.cpuids, &cpu);
        }
        for net in unikernel.bridges() {
            release(&mut self.bridges, &net.bridge);
        }
    }

    /// The amounts as they would be with `count` such unikernels more, which is known to be countable. CPUs and bridges stay.
    pub(crate) fn with_many(&self, unikernel: &Unikernel, count: Amount) -> Self {
        let memory_mib = count.counted_times(unikernel.memory_mib());
        Self {
            unikernels: self.unikernels.counted_plus(count),
            memory_mib: self.memory_mib.counted_plus(memory_mib),
            ..self.clone()
        }
    }

    /// Counts in all that another subtree takes.
    pub(crate) fn add_all(&mut self, other: &Self) {
        self.unikernels = self.unikernels.counted_plus(other.unikernels);
        self.memory_mib = self.memory_mib.counted_plus(other.memory_mib);
        self.block_mib = self.block_mib.counted_plus(other.block_mib);
        add_all(&mut self.cpuids, &other.cpuids);
        add_all(&mut self.bridges, &other.bridges);
    }

    /// Counts a block device in.
    pub(crate) fn add_block(&mut self, size: BlockSize) {
        self.block_mib = self.block_mib.counted_plus(size.mib());
    }

    /// Takes a block device out again that was counted in.
    pub(crate) fn remove_block(&mut self, size: BlockSize) {
        self.block_mib = self.block_mib.counted_minus(size.mib());
    }
}
