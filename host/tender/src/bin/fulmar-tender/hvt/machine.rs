//! The virtual machine: KVM, one memory, one processor.
//!
//! Owns the order in which KVM wants them; what the processor starts with is [`super::arch`]'s. Only the processor's
//! descriptor is left of it in the end: it keeps the machine alive, and can do no more than run it.
#![expect(unsafe_code, reason = "lends KVM a mapping by its address")]

use std::io;

use kvm_bindings::kvm_userspace_memory_region;
use kvm_ioctls::{Kvm, VcpuFd, VmFd};

use super::arch;
use super::guest_memory::GuestMemory;

/// The only version of KVM's interface there has been since 2007.
const API_VERSION: i32 = 12;

/// A processor that is about to run a guest.
pub(super) struct Machine {
    pub(super) vcpu: VcpuFd,
    /// How often the clock that the guest sees ticks.
    pub(super) cycles_per_second: u64,
}

impl Machine {
    /// Makes a machine of `memory`, with the processor at `entry`.
    pub(super) fn build(memory: &GuestMemory, entry: u64) -> Result<Self, MachineError> {
        let kvm = Kvm::new().map_err(|error| MachineError::Open(error.into()))?;
        let version = kvm.get_api_version();
        if version != API_VERSION {
            return Err(MachineError::Version(version));
        }
        let vm = create_vm(&kvm)?;
        lend(&vm, memory)?;
        let mut vcpu = vm.create_vcpu(0).map_err(MachineError::of("KVM_CREATE_VCPU"))?;
        let cycles_per_second = arch::prepare_processor(&kvm, &mut vcpu, entry, memory.bytes())?;
        Ok(Self {
            vcpu,
            cycles_per_second,
        })
    }
}

/// A signal interrupts the creation, which takes a while.
fn create_vm(kvm: &Kvm) -> Result<VmFd, MachineError> {
    loop {
        match kvm.create_vm() {
            Err(error) if error.errno() == libc::EINTR => {}
            outcome => return outcome.map_err(MachineError::of("KVM_CREATE_VM")),
        }
    }
}

fn lend(vm: &VmFd, memory: &GuestMemory) -> Result<(), MachineError> {
    let slot = kvm_userspace_memory_region {
        slot: 0,
        flags: 0,
        guest_phys_addr: 0,
        memory_size: memory.bytes(),
        userspace_addr: memory.host_address(),
    };
    // SAFETY: the slot is exactly the guest's mapping, whose contents no Rust value holds; it is unmapped at the end of
    // the process, as the guest runs in it.
    unsafe { vm.set_user_memory_region(slot) }.map_err(MachineError::of("KVM_SET_USER_MEMORY_REGION"))
}

/// Why there is no machine to run a guest on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    #[error("`/dev/kvm`: {0}; an `hvt` unikernel needs KVM, and this user the right to read and write it")]
    Open(io::Error),
    #[error("KVM: version {0} of its interface, but only {API_VERSION} is known")]
    Version(i32),
    #[error("KVM: {step}: {error}")]
    Step { step: &'static str, error: io::Error },
    #[error("KVM: this host cannot tell how often its clock ticks (KVM_CAP_GET_TSC_KHZ)")]
    NoClock,
    #[error("KVM: this host's clock (TSC) is not stable, and a unikernel has no other")]
    UnstableClock,
}

impl MachineError {
    pub(super) fn of(step: &'static str) -> impl FnOnce(kvm_ioctls::Error) -> Self {
        move |error| Self::Step {
            step,
            error: error.into(),
        }
    }
}
