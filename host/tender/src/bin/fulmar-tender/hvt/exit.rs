//! Why the guest left the processor: for something that it wants, or for good.

use super::guest_memory::AccessError;
use super::hypercall::Call;

/// A guest that goes on when it has been served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The hypercall of that number, with the guest address of its argument.
    Hypercall { number: u16, argument: u64 },
    /// A signal arrived, which did not end the tender.
    Interrupted,
}

/// A guest that does not go on. Always the tender's exit status for errors; printed where nothing can be allocated, so there
/// are only numbers and fixed words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    #[error("host/guest translation fault: the unikernel reached for memory as it may not, at instruction {0:#x}")]
    Fault(u64),
    #[error("the unikernel faulted and could not handle it (triple fault), at instruction {0:#x}")]
    TripleFault(u64),
    #[error("the unikernel stopped its processor (hlt), and nothing could ever wake it, at instruction {0:#x}")]
    Asleep(u64),
    #[error("the unikernel reached for a device at {address:#x}, where there is none, at instruction {instruction:#x}")]
    Device { address: u64, instruction: u64 },
    #[error("port {port:#x} {how}: hypercalls are 32-bit writes to ports 0x501 to 0x508")]
    Port { port: u16, how: &'static str },
    #[error("hypercall {0}: there is none of that number")]
    NoHypercall(u16),
    #[error("hypercall `{0}`: {1}")]
    Access(Call, AccessError),
    #[error("hypercall `poll`: the descriptors could not be waited for (os error {0})")]
    Poll(i32),
    #[error("network device with handle {handle}: the tap is gone, or cannot be used any more (os error {number})")]
    Tap { handle: u64, number: i32 },
    #[error("KVM: the unikernel could not be entered, reason {0:#x}")]
    Entry(u64),
    #[error("KVM: internal error, suberror {suberror}, at instruction {instruction:#x}")]
    Internal { suberror: u32, instruction: u64 },
    #[error("KVM: exit for reason {reason}, which is not known, at instruction {instruction:#x}")]
    Unknown { reason: u32, instruction: u64 },
    #[error("KVM: the unikernel could not be run (os error {0})")]
    Kvm(i32),
}
