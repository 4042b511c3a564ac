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
//! # What is decided
//!
//! A [`Policy`] bounds a domain and everything below it, with five limits. A [`Unikernel`] and a block device count against every
//! policy from their own domain up to and including the root; a domain without a policy adds none. A policy must fit within every
//! policy above, hold every policy below, and hold what its domain already uses.
//!
//! | a request for | fits where, for every policy on the chain, |
//! |---|---|
//! | a unikernel | running + 1 ≤ `unikernels`; memory used + asked ≤ `memory_mib`; its CPUs are in `cpuids`; the bridges it is attached to are in `bridges` |
//! | a block device | size used + asked ≤ `block_mib`, attached or not; without that limit it never fits |
//! | a policy | it is not wider, limit by limit; and not narrower than what is used and handed on below |
//!
//! Each operation of the [`Tree`] comes as `check_…`, which changes nothing, and `insert_…`, which asks it and applies what it decided. A
//! [`Refusal`] holds every [`Reason`], in a fixed order, each with its figures, a stable code and a sentence.
//!
//! # What can be seen beforehand
//!
//! [`Tree::headroom`] tells what still fits in a domain and whose policy binds, [`Tree::how_many_fit`] how many of one kind do and what
//! stands in the way of the next, [`Tree::handed_on`] what was delegated against what there is. [`Tree::preview`] tries steps in order
//! and takes them back:
//!
//! ```
//! # use fulmar_core::{AfterRefusal, Amount, BridgeSet, CpuId, CpuSet, Path, Policy, Step, Tree, Unikernel, Verdict};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let cpuids: CpuSet = [CpuId::new(0)?].into_iter().collect();
//! # let two = Policy {
//! #     unikernels: Amount::from(2), memory_mib: Amount::from(512), block_mib: None,
//! #     cpuids: cpuids.clone(), bridges: BridgeSet::default(),
//! # };
//! # let mut tree = Tree::new();
//! # for domain in ["alice", "alice:bob", "alice:charlie"] {
//! #     tree.insert_policy(&domain.parse()?, two.clone())?;
//! # }
//! # let web = Unikernel::new(Amount::from(64), cpuids)?;
//! # tree.insert_unikernel(&"alice:charlie:web".parse()?, web.clone())?;
//! # tree.insert_unikernel(&"alice:charlie:mail".parse()?, web.clone())?;
//! // Charlie's two are all that alice may run. Bob has his policy, and no room.
//! let bob: Path = "alice:bob".parse()?;
//! let room = tree.headroom(&bob).unikernels;
//! assert_eq!((room.free, room.bound_by), (Amount::ZERO, Some("alice".parse()?)));
//!
//! // What if Charlie's mail went?
//! let plan = [
//!     Step::RemoveUnikernel { name: "alice:charlie:mail".parse()? },
//!     Step::InsertUnikernel { name: "alice:bob:web".parse()?, unikernel: web },
//! ];
//! let (verdicts, left) = tree.preview(plan, AfterRefusal::Stop, |after| after.headroom(&bob).memory_mib);
//! assert_eq!(verdicts, [Verdict::Admitted, Verdict::Admitted]);
//! assert_eq!((left.free, left.bound_by), (Amount::from(384), Some("alice".parse()?)));
//! # Ok(())
//! # }
//! ```
//!
//! # What is known is loaded
//!
//! [`Tree::facts`] is the tree as a list, [`Tree::load`] puts a known [`Fact`] back, whatever the limits: what runs, runs. [`Tree::audit`] then says
//! where a limit does not hold, and new admissions are refused there until it does. [`Tree::domains`] walks the tree, [`Tree::print`] shows
//! it to a person, [`Tree::difference`] says what has to change from one tree to another.
//!
//! # Bounds
//!
//! | what | at most | why |
//! |---|---|---|
//! | an [`Amount`] | 2^53 − 1 | every JSON reader holds it exactly; sums over the whole tree stay below it, too |
//! | a [`Label`] | 63 bytes | as in the domain name system |
//! | a [`Name`], a [`Path`] | 253, 189 bytes | a name can be a file's name; the depth of the tree is bounded to 95 |
//! | a [`CpuId`] | 8191 | what Linux can be built for; it bounds a [`CpuSet`] to 1 KiB |
//! | a [`BridgeSet`] | 256 bridges of 15 bytes | what a refusal prints; as Linux names interfaces |
//! | devices of a unikernel | 64 of each kind | as a Solo5 manifest has entries |
//!
//! # Where this differs from Albatross
//!
//! Terms and rules follow Albatross (`Vmm_core`, `Vmm_trie`, `Vmm_resources`, releases 1.4.3 to 2.7.2). Where it is stricter:
//!
//! | | Albatross 2.7.2 | here | how it was found |
//! |---|---|---|---|
//! | delegation | looks at the policy of the own domain only: with `alice`, `alice:bob` and `alice:charlie` at 2 each it admits 4, and anything in `alice:dave` | every policy up to the root holds | its documentation promises it; run against release 2.7.2, and 194 of 3,600 recorded operations are admitted there and refused here |
//! | negative amounts | a unikernel of −1000 MB is admitted, and buys head-room | cannot be represented | run against release 2.7.2 |
//! | a refusal | the first reason | every reason, with the figures | its sentences, in the recorded operations |
//! | a unikernel called as a domain | counts in the domain `a:b` as well as in `a`, but is not checked against the policy of `a:b` | belongs to `a` only | 6 of the recorded operations |
//! | cost of a check | folds the subtree: 12 µs at 1,000 unikernels, 1.5 ms and more at 100,000 | O(depth) | measured; the figures are in `core/BENCHMARKS.md` |
//! | a host device that is left out | is looked up under the unikernel's name for it | the same, and a name too long or not allowed for the host is told at once | read in its protocol |
//!
//! With the feature `serde` the types can be serialised, and the module `protocol` holds the messages that all faces share.
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
