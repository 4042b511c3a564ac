//! An `hvt` guest on x86-64: what its processor and the lowest part of its memory look like at the first instruction,
//! and how a hypercall leaves it.
//!
//! This and its submodules are the only code of the target that knows registers, page tables and ports. Another
//! architecture joins with a module of the same functions.
//!
//! | address | content |
//! |---|---|
//! | `0x1000` | the descriptor table ([`segments`]) |
//! | `0x2000` to `0x8fff` | the page tables ([`paging`]) |
//! | `0x10000` | the boot info; read-only for the guest, as everything up to the first MiB |
#![expect(
    unsafe_code,
    reason = "reads the part of KVM's shared structure that an exit is about"
)]

mod paging;
mod registers;
mod segments;

use kvm_bindings::{KVM_MAX_CPUID_ENTRIES, KVM_SYNC_X86_REGS};
use kvm_ioctls::{Cap, Kvm, SyncReg, VcpuExit, VcpuFd};

use super::exit::{Exit, Stop};
use super::guest_memory::{AccessError, GuestMemory};
use super::machine::MachineError;

/// The guest address of the boot info, which is also the guest's first argument.
pub(super) const BOOT_INFO_ADDRESS: u64 = 0x1_0000;

/// The port of hypercall 0, which does not exist.
const HYPERCALL_PORT: u16 = 0x500;
const HYPERCALL_BYTES: u8 = 4;

/// Writes the tables that the processor looks at.
pub(super) fn prepare_memory(memory: &mut GuestMemory) -> Result<(), AccessError> {
    memory.load(segments::TABLE_ADDRESS, &segments::table())?;
    for (address, table) in paging::tables(memory.bytes()) {
        memory.load(address, &table)?;
    }
    Ok(())
}

/// Gives the processor its features and its registers; returns how often its clock (the TSC) ticks in a second.
pub(super) fn prepare_processor(
    kvm: &Kvm,
    vcpu: &mut VcpuFd,
    entry: u64,
    memory_bytes: u64,
) -> Result<u64, MachineError> {
    let features = kvm
        .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
        .map_err(MachineError::of("KVM_GET_SUPPORTED_CPUID"))?;
    vcpu.set_cpuid2(&features).map_err(MachineError::of("KVM_SET_CPUID2"))?;
    vcpu.set_sregs(&registers::system())
        .map_err(MachineError::of("KVM_SET_SREGS"))?;
    vcpu.set_regs(&registers::general(entry, memory_bytes))
        .map_err(MachineError::of("KVM_SET_REGS"))?;
    show_registers_at_exits(kvm, vcpu);
    clock(kvm, vcpu)
}

/// With every exit come the registers, so that a fault can be told with its address although nothing may be asked any more.
fn show_registers_at_exits(kvm: &Kvm, vcpu: &mut VcpuFd) {
    let can_show = u32::try_from(kvm.check_extension_int(Cap::SyncRegs)).unwrap_or_default();
    if can_show & KVM_SYNC_X86_REGS != 0 {
        vcpu.set_sync_valid_reg(SyncReg::Register);
    }
}

fn clock(kvm: &Kvm, vcpu: &VcpuFd) -> Result<u64, MachineError> {
    if !kvm.check_extension(Cap::GetTscKhz) {
        return Err(MachineError::NoClock);
    }
    match vcpu.get_tsc_khz() {
        Ok(khz) if khz > 0 => Ok(u64::from(khz) * 1000),
        _ => Err(MachineError::UnstableClock),
    }
}

/// Runs the guest until it wants something, or cannot go on.
pub(super) fn run(vcpu: &mut VcpuFd, memory_bytes: u64) -> Result<Exit, Stop> {
    let exit = match vcpu.run() {
        Ok(exit) => Seen::of(&exit),
        Err(error) => match error.errno() {
            libc::EINTR => return Ok(Exit::Interrupted),
            libc::EFAULT => Seen::Fault,
            number => return Err(Stop::Kvm(number)),
        },
    };
    match exit {
        Seen::Out { port, value } => hypercall(vcpu, port, value),
        Seen::In { port } => Err(Stop::Port { port, how: "read" }),
        Seen::Fault => Err(Stop::Fault(instruction(vcpu))),
        // What the host lets the guest only read, KVM without hardware support reports as a write to a device.
        Seen::Device { address } if address < memory_bytes => Err(Stop::Fault(instruction(vcpu))),
        Seen::Device { address } => Err(Stop::Device {
            address,
            instruction: instruction(vcpu),
        }),
        Seen::Interrupted => Ok(Exit::Interrupted),
        Seen::Asleep => Err(Stop::Asleep(instruction(vcpu))),
        Seen::Shutdown => Err(Stop::TripleFault(instruction(vcpu))),
        Seen::Entry(reason) => Err(Stop::Entry(reason)),
        Seen::Internal => {
            // SAFETY: KVM said that the exit is an internal error, so this is the field of the union that it wrote.
            let suberror = unsafe { vcpu.get_kvm_run().__bindgen_anon_1.internal.suberror };
            Err(Stop::Internal {
                suberror,
                instruction: instruction(vcpu),
            })
        }
        Seen::Other => Err(Stop::Unknown {
            reason: vcpu.get_kvm_run().exit_reason,
            instruction: instruction(vcpu),
        }),
    }
}

fn hypercall(vcpu: &mut VcpuFd, port: u16, value: Option<u32>) -> Result<Exit, Stop> {
    // SAFETY: KVM said that the exit is a port access, so this is the field of the union that it wrote.
    let io = unsafe { vcpu.get_kvm_run().__bindgen_anon_1.io };
    match (value, port.checked_sub(HYPERCALL_PORT)) {
        // The size says that the four bytes are one access, and not several of a repeated instruction.
        (Some(value), Some(number)) if io.size == HYPERCALL_BYTES => Ok(Exit::Hypercall {
            number,
            argument: u64::from(value),
        }),
        _ => Err(Stop::Port { port, how: "written" }),
    }
}

/// Where the guest was; 0 if KVM does not say.
fn instruction(vcpu: &VcpuFd) -> u64 {
    vcpu.sync_regs().regs.rip
}

/// An exit without what it borrows.
enum Seen {
    Out { port: u16, value: Option<u32> },
    In { port: u16 },
    Device { address: u64 },
    Fault,
    Interrupted,
    Asleep,
    Shutdown,
    Entry(u64),
    Internal,
    Other,
}

impl Seen {
    fn of(exit: &VcpuExit<'_>) -> Self {
        match exit {
            VcpuExit::IoOut(port, bytes) => Self::Out {
                port: *port,
                value: <[u8; 4]>::try_from(*bytes).map(u32::from_le_bytes).ok(),
            },
            VcpuExit::IoIn(port, _) => Self::In { port: *port },
            VcpuExit::MmioWrite(address, [..]) | VcpuExit::MmioRead(address, [..]) => {
                Self::Device { address: *address }
            }
            VcpuExit::MemoryFault { .. } => Self::Fault,
            VcpuExit::Intr => Self::Interrupted,
            VcpuExit::Hlt => Self::Asleep,
            VcpuExit::Shutdown => Self::Shutdown,
            VcpuExit::FailEntry(reason, _) => Self::Entry(*reason),
            VcpuExit::InternalError => Self::Internal,
            _ => Self::Other,
        }
    }
}
