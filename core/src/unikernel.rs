//! Unikernels as the rules see them: their footprint, not their image.
//!
//! Owns what a footprint must hold to be one at all. Whether it fits is the tree's matter.

use alloc::vec::Vec;
use core::fmt;

use crate::{Amount, BlockDevice, CpuSet, DeviceName, NetDevice};

/// The most devices of each kind, as many as a Solo5 manifest has entries (`MFT_MAX_ENTRIES`).
pub const DEVICES_MAX: usize = 64;

/// What a unikernel takes of the host while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "wire::Unikernel"))]
pub struct Unikernel {
    memory_mib: Amount,
    cpuids: CpuSet,
    block_devices: Vec<BlockDevice>,
    bridges: Vec<NetDevice>,
}

impl Unikernel {
    /// A unikernel with `memory_mib` MiB of memory, pinned to `cpuids`, with no devices.
    ///
    /// # Errors
    /// [`UnikernelError`] without memory or without a CPU.
    pub fn new(memory_mib: Amount, cpuids: CpuSet) -> Result<Self, UnikernelError> {
        if memory_mib == Amount::ZERO {
            return Err(UnikernelError::NoMemory);
        }
        if cpuids.is_empty() {
            return Err(UnikernelError::NoCpu);
        }
        Ok(Self {
            memory_mib,
            cpuids,
            block_devices: Vec::new(),
            bridges: Vec::new(),
        })
    }

    /// The same unikernel with these block devices.
    ///
    /// # Errors
    /// [`UnikernelError`] where a device is listed twice, or beyond [`DEVICES_MAX`].
    pub fn with_block_devices(self, block_devices: Vec<BlockDevice>) -> Result<Self, UnikernelError> {
        check_devices(&block_devices.iter().map(|block| &block.device).collect::<Vec<_>>())?;
        Ok(Self { block_devices, ..self })
    }

    /// The same unikernel with these network devices.
    ///
    /// # Errors
    /// [`UnikernelError`] where a device is listed twice, or beyond [`DEVICES_MAX`].
    pub fn with_bridges(self, bridges: Vec<NetDevice>) -> Result<Self, UnikernelError> {
        check_devices(&bridges.iter().map(|net| &net.device).collect::<Vec<_>>())?;
        Ok(Self { bridges, ..self })
    }

    /// Its memory in MiB, at least 1.
    #[must_use]
    pub fn memory_mib(&self) -> Amount {
        self.memory_mib
    }

    /// The CPUs it is pinned to, at least one.
    #[must_use]
    pub fn cpuids(&self) -> &CpuSet {
        &self.cpuids
    }

    /// Its block devices, in the order given.
    #[must_use]
    pub fn block_devices(&self) -> &[BlockDevice] {
        &self.block_devices
    }

    /// Its network devices, in the order given.
    #[must_use]
    pub fn bridges(&self) -> &[NetDevice] {
        &self.bridges
    }
}

/// The unikernel as messages carry it: checked on the way in, devices may be left out.
#[cfg(feature = "serde")]
mod wire {
    use alloc::vec::Vec;

    use super::{Amount, BlockDevice, CpuSet, NetDevice, UnikernelError};

    #[derive(serde::Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(deny_unknown_fields)]
    pub(super) struct Unikernel {
        memory_mib: Amount,
        cpuids: CpuSet,
        #[serde(default)]
        block_devices: Vec<BlockDevice>,
        #[serde(default)]
        bridges: Vec<NetDevice>,
    }

    impl TryFrom<Unikernel> for super::Unikernel {
        type Error = UnikernelError;

        fn try_from(wire: Unikernel) -> Result<Self, UnikernelError> {
            Self::new(wire.memory_mib, wire.cpuids)?
                .with_block_devices(wire.block_devices)?
                .with_bridges(wire.bridges)
        }
    }
}

fn check_devices(devices: &[&DeviceName]) -> Result<(), UnikernelError> {
    if devices.len() > DEVICES_MAX {
        return Err(UnikernelError::TooManyDevices { count: devices.len() });
    }
    // So few that a look back from each is less work than a sort, and less code.
    let is_listed_before = |(position, device): &(usize, &&DeviceName)| devices[..*position].contains(device);
    match devices.iter().enumerate().find(is_listed_before) {
        Some((_, device)) => Err(UnikernelError::DeviceTwice {
            device: (*device).clone(),
        }),
        None => Ok(()),
    }
}

/// Why values make no unikernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnikernelError {
    /// No memory.
    NoMemory,
    /// No CPU to run on.
    NoCpu,
    /// A device that is listed twice.
    DeviceTwice {
        /// Its name.
        device: DeviceName,
    },
    /// More than [`DEVICES_MAX`] devices of one kind.
    TooManyDevices {
        /// Their number.
        count: usize,
    },
}

impl fmt::Display for UnikernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemory => write!(f, "a unikernel needs memory: at least 1 MiB"),
            Self::NoCpu => write!(f, "a unikernel needs a CPU to run on: give at least one CPU id"),
            Self::DeviceTwice { device } => write!(f, "the device `{device}` is listed twice: list it once"),
            Self::TooManyDevices { count } => {
                write!(f, "{count} devices are too many: at most {DEVICES_MAX} of each kind")
            }
        }
    }
}

impl core::error::Error for UnikernelError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::cpus;
    use alloc::string::ToString;
    use alloc::{format, vec};

    fn net(device: &str) -> NetDevice {
        NetDevice::same_name(DeviceName::new(device).unwrap()).unwrap()
    }

    fn block(device: &str) -> BlockDevice {
        BlockDevice::same_name(DeviceName::new(device).unwrap()).unwrap()
    }

    #[test]
    fn what_cannot_run_cannot_be_built() {
        let web = || Unikernel::new(32.into(), cpus(&[0])).unwrap();
        for (refused, sentence) in [
            (
                Unikernel::new(Amount::ZERO, cpus(&[0])),
                "a unikernel needs memory: at least 1 MiB",
            ),
            (
                Unikernel::new(32.into(), cpus(&[])),
                "a unikernel needs a CPU to run on: give at least one CPU id",
            ),
            (
                web().with_bridges(vec![net("a"), net("b"), net("a")]),
                "the device `a` is listed twice: list it once",
            ),
            (
                web().with_block_devices(vec![block("d"), block("d")]),
                "the device `d` is listed twice: list it once",
            ),
            (
                web().with_bridges((0..65).map(|n| net(&format!("net{n}"))).collect()),
                "65 devices are too many: at most 64 of each kind",
            ),
        ] {
            assert_eq!(refused.unwrap_err().to_string(), sentence);
        }
        // Capitals count in the manifest, so these are two devices.
        assert!(web().with_bridges(vec![net("a"), net("A")]).is_ok());
        let most = web().with_bridges((0..DEVICES_MAX).map(|n| net(&format!("net{n}"))).collect());
        assert!(most.is_ok_and(|most| most.bridges().len() == DEVICES_MAX));
    }
}
