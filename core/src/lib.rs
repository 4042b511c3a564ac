//! Who may run how much: the rules of Fulmar.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod amount;
mod block;
mod bridge;
mod cpu;
mod device;
mod name;
mod overrun;
mod policy;
mod reason;
mod tree;
mod unikernel;
mod usage;

#[cfg(feature = "serde")]
pub mod protocol;

#[cfg(test)]
mod fixture;

pub use amount::{Amount, AmountError};
pub use block::{Block, BlockSize, BlockSizeError};
pub use bridge::{BRIDGE_BYTES_MAX, BRIDGES_MAX, Bridge, BridgeError, BridgeSet};
pub use cpu::{CpuId, CpuIdError, CpuSet};
pub use device::{BlockDevice, DEVICE_NAME_BYTES_MAX, DeviceError, DeviceName, Mac, NetDevice, SectorSize};
pub use name::{LABEL_BYTES_MAX, Label, NAME_BYTES_MAX, Name, NameError, PATH_BYTES_MAX, Path};
pub use overrun::Overrun;
pub use policy::Policy;
pub use reason::{Reason, Refusal};
pub use tree::{Broken, Fact, Tree};
pub use unikernel::{DEVICES_MAX, Unikernel, UnikernelError};
pub use usage::Usage;
