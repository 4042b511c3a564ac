//! Who may run how much: the rules of Fulmar.
//!
//! An operator delegates resources down a tree of names, and those delegated to delegate further. This crate holds the tree of
//! policies and of what is used, and decides what fits: every policy from a domain up to the root must hold, so a delegation
//! is never spent twice. Every face of Fulmar (the daemon, `policy.wasm`, the page) asks this crate; it knows no clock, no file,
//! no socket and no process.
//!
//! ```
//! use fulmar_core::{Amount, BridgeSet, CpuId, CpuSet, Policy, Tree, Unikernel};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cpuids: CpuSet = [CpuId::new(0)?].into_iter().collect();
//! let two = Policy {
//!     unikernels: Amount::from(2),
//!     memory_mib: Amount::from(512),
//!     block_mib: None,
//!     cpuids: cpuids.clone(),
//!     bridges: BridgeSet::default(),
//! };
//!
//! // Alice may run two unikernels, and hands the same on to both Bob and Charlie.
//! let mut tree = Tree::new();
//! for domain in ["alice", "alice:bob", "alice:charlie"] {
//!     tree.insert_policy(&domain.parse()?, two.clone())?;
//! }
//!
//! // Each of them runs one. That is two in all, so Charlie's second one has to wait.
//! let web = Unikernel::new(Amount::from(64), cpuids)?;
//! tree.insert_unikernel(&"alice:bob:web".parse()?, web.clone())?;
//! tree.insert_unikernel(&"alice:charlie:web".parse()?, web.clone())?;
//! let refusal = tree.insert_unikernel(&"alice:charlie:mail".parse()?, web.clone()).unwrap_err();
//! assert_eq!(refusal.to_string(), "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1");
//!
//! // Once Bob's has gone, it fits.
//! tree.remove_unikernel(&"alice:bob:web".parse()?)?;
//! tree.insert_unikernel(&"alice:charlie:mail".parse()?, web)?;
//! # Ok(())
//! # }
//! ```
//!
//! Terms and rules follow Albatross (`Vmm_core`, `Vmm_trie`, `Vmm_resources`, releases 1.4.3 to 2.7.2), but for one:
//! Albatross looks at the policy of the unikernel's own domain only, and would admit the third unikernel above.
//!
//! With the feature `serde` the types can be serialised, and [`protocol`] is the message protocol that all faces share.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod amount;
mod block;
mod bridge;
mod counts;
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
pub use tree::{
    AfterRefusal, Broken, Choice, Difference, Domain, Fact, Finding, Fit, HandedOn, Headroom, Printed, Room, Step,
    Tree, Verdict,
};
pub use unikernel::{DEVICES_MAX, Unikernel, UnikernelError};
pub use usage::Usage;
