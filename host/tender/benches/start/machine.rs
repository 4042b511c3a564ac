//! The least that KVM can be asked for: a machine with some memory, whose processor executes one instruction, `hlt`.
#![expect(unsafe_code, reason = "maps memory and lends it to KVM by its address")]

use std::ptr::null_mut;
use std::time::{Duration, Instant};

use kvm_bindings::{KVM_MAX_CPUID_ENTRIES, kvm_regs, kvm_userspace_memory_region};
use kvm_ioctls::{Kvm, VcpuExit};

/// How the benchmark calls itself for this.
pub(crate) const ARGUMENT: &str = "empty-machine";

const CODE_ADDRESS: usize = 0x1000;
const HLT: u8 = 0xf4;
/// What is always set.
const RFLAGS: u64 = 2;

/// Runs the machine, and says how long each step took.
pub(crate) fn steps(memory_mib: usize) -> Vec<(&'static str, Duration)> {
    let memory_bytes = memory_mib << 20;
    let mut clock = Clock {
        last: Instant::now(),
        steps: vec![],
    };
    let kvm = Kvm::new().expect("there is /dev/kvm");
    clock.step("open KVM");
    let vm = kvm.create_vm().expect("KVM makes a machine");
    clock.step("create the machine");
    let memory = map(memory_bytes);
    let slot = kvm_userspace_memory_region {
        slot: 0,
        flags: 0,
        guest_phys_addr: 0,
        memory_size: memory_bytes as u64,
        userspace_addr: memory.expose_provenance() as u64,
    };
    // SAFETY: the slot is exactly the mapping, in which no Rust value lies; it is unmapped after the machine is gone.
    unsafe { vm.set_user_memory_region(slot) }.expect("KVM takes the memory");
    clock.step("map and lend the memory");
    let mut vcpu = vm.create_vcpu(0).expect("KVM makes a processor");
    clock.step("create the processor");
    let features = kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES);
    let features = features.expect("KVM knows what the processor can do");
    vcpu.set_cpuid2(&features).expect("the processor takes its features");
    let mut system = vcpu.get_sregs().expect("the processor has registers");
    (system.cs.base, system.cs.selector) = (0, 0);
    vcpu.set_sregs(&system).expect("the processor takes its registers");
    let general = kvm_regs {
        rip: CODE_ADDRESS as u64,
        rflags: RFLAGS,
        ..kvm_regs::default()
    };
    vcpu.set_regs(&general).expect("the processor takes its registers");
    clock.step("features and registers");
    // SAFETY: the address is within the mapping, which nobody else touches.
    unsafe { memory.add(CODE_ADDRESS).write(HLT) };
    let exit = vcpu.run().expect("the processor runs");
    assert!(matches!(exit, VcpuExit::Hlt), "{exit:?}");
    clock.step("load and execute one instruction");
    drop(vcpu);
    drop(vm);
    drop(kvm);
    // SAFETY: the machine, which alone used the mapping, is gone.
    unsafe { libc::munmap(memory.cast(), memory_bytes) };
    clock.step("take all down");
    clock.steps
}

fn map(bytes: usize) -> *mut u8 {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping takes nobody's place.
    let memory = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
    assert_ne!(memory, libc::MAP_FAILED, "there is room for {bytes} bytes");
    memory.cast()
}

struct Clock {
    last: Instant,
    steps: Vec<(&'static str, Duration)>,
}

impl Clock {
    fn step(&mut self, name: &'static str) {
        self.steps.push((name, self.last.elapsed()));
        self.last = Instant::now();
    }
}
