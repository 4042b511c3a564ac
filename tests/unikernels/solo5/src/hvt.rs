//! The Solo5 target `hvt`: the unikernel is a virtual machine, and asks its tender by writing to ports.
//!
//! x86-64 only. Owns the hypercalls and the clock. Memory is mapped one to one, so an address here is the
//! guest-physical one that the tender wants; all of it lies below 4 GiB, so it fits the 32 bits that a port takes.
#![expect(unsafe_code, reason = "reads the tender's boot info, and talks to it by hand")]

use core::arch::asm;
use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use crate::boot::BootInfo;
use crate::device::{Access, Device, Failure};

/// The target's name.
pub const TARGET_NAME: &str = "hvt";
/// The target's number in the ABI note.
pub const TARGET_NUMBER: u32 = 1;

/// By what the tender's calls know a device: its handle.
pub type DeviceId = u64;

const PORT: u16 = 0x500;
const WALLTIME: u16 = 1;
const PUTS: u16 = 2;
const POLL: u16 = 3;
const BLOCK_WRITE: u16 = 4;
const BLOCK_READ: u16 = 5;
const NET_WRITE: u16 = 6;
const NET_READ: u16 = 7;
const HALT: u16 = 8;
const NO_CALL: u16 = 0xff;

const NANOSECONDS: u128 = 1_000_000_000;

/// The time-stamp counter's frequency in Hz, known from [`begin`] on.
static FREQUENCY: AtomicU64 = AtomicU64::new(1);

#[repr(C)]
struct HvtBootInfo {
    memory_bytes: u64,
    kernel_end: u64,
    frequency: u64,
    command_line: *const u8,
    manifest: *const u8,
}

/// # Safety
/// At `address` lies this target's boot info, and nobody changes it.
pub(crate) unsafe fn begin(address: usize) -> BootInfo {
    // SAFETY: the caller vouches for a boot info at this address, which is aligned as the tender aligns it.
    let info = unsafe { &*core::ptr::with_exposed_provenance::<HvtBootInfo>(address) };
    FREQUENCY.store(info.frequency, Ordering::Relaxed);
    BootInfo {
        memory_bytes: info.memory_bytes,
        kernel_end: info.kernel_end,
        command_line: info.command_line,
        manifest: info.manifest,
    }
}

pub(crate) fn device_id(device: &Device) -> DeviceId {
    device.handle() as u64
}

/// Writes to the console.
pub(crate) fn write(bytes: &[u8]) {
    let mut puts = [bytes.as_ptr().expose_provenance(), bytes.len()];
    // SAFETY: the tender only reads the bytes.
    unsafe { call(PUTS, &mut puts) };
}

/// Ends the unikernel.
pub fn exit(status: u8) -> ! {
    #[repr(C)]
    struct Halt {
        cookie: u64,
        status: i32,
    }
    let mut halt = Halt {
        cookie: 0,
        status: status.into(),
    };
    // SAFETY: nothing runs afterwards.
    unsafe { call(HALT, &mut halt) };
    unreachable!("the tender ends the virtual machine")
}

/// The time since the virtual machine was made; never goes back.
#[must_use]
pub fn clock_monotonic() -> Duration {
    // SAFETY: every x86-64 has this counter, and reading it touches no memory.
    let ticks = u128::from(unsafe { _rdtsc() });
    let nanoseconds = ticks * NANOSECONDS / u128::from(FREQUENCY.load(Ordering::Relaxed));
    Duration::from_nanos(nanoseconds as u64)
}

/// The time since the epoch, as the host tells it.
#[must_use]
pub fn clock_wall() -> Duration {
    let mut nanoseconds = 0_u64;
    // SAFETY: the tender writes the one u64.
    unsafe { call(WALLTIME, &mut nanoseconds) };
    Duration::from_nanos(nanoseconds)
}

/// Waits until a network device has a frame, or [`clock_monotonic`] has reached `deadline`. Says which have: one bit a
/// handle.
pub fn wait_until(deadline: Duration) -> u64 {
    #[repr(C)]
    struct Poll {
        timeout: u64,
        ready: u64,
        events: i32,
    }
    let timeout = deadline.saturating_sub(clock_monotonic()).as_nanos();
    let mut poll = Poll {
        timeout: u64::try_from(timeout).unwrap_or(u64::MAX),
        ready: 0,
        events: 0,
    };
    // SAFETY: the tender writes the structure only.
    unsafe { call(POLL, &mut poll) };
    poll.ready
}

/// Reads or writes a block device, with a buffer at any address.
///
/// # Errors
/// What the tender says.
///
/// # Safety
/// For [`Access::Read`] the memory must be the caller's to change.
pub unsafe fn block(
    access: Access,
    device: DeviceId,
    offset: u64,
    address: usize,
    length: usize,
) -> Result<(), Failure> {
    #[repr(C)]
    struct BlockCall {
        handle: u64,
        offset: u64,
        address: usize,
        length: usize,
        result: i32,
    }
    let mut block = BlockCall {
        handle: device,
        offset,
        address,
        length,
        result: -1,
    };
    let number = match access {
        Access::Read => BLOCK_READ,
        Access::Write => BLOCK_WRITE,
    };
    // SAFETY: the caller's.
    unsafe { call(number, &mut block) };
    outcome(block.result)?;
    // Nothing here is done by halves.
    if block.length == length {
        Ok(())
    } else {
        Err(Failure::Unspecified)
    }
}

/// Takes a frame from a network device or sends one, with a buffer at any address; says how long the frame is.
///
/// # Errors
/// What the tender says; [`Failure::Again`] when there is no frame.
///
/// # Safety
/// For [`Access::Read`] the memory must be the caller's to change.
pub unsafe fn net(access: Access, device: DeviceId, address: usize, length: usize) -> Result<usize, Failure> {
    #[repr(C)]
    struct NetCall {
        handle: u64,
        address: usize,
        length: usize,
        result: i32,
    }
    let mut net = NetCall {
        handle: device,
        address,
        length,
        result: -1,
    };
    let number = match access {
        Access::Read => NET_READ,
        Access::Write => NET_WRITE,
    };
    // SAFETY: the caller's.
    unsafe { call(number, &mut net) };
    outcome(net.result).map(|()| net.length)
}

/// Makes a hypercall that no tender knows, so it does not return under one.
pub fn forbidden_call() {
    // SAFETY: where nobody answers, nothing is touched.
    unsafe { hypercall(PORT + NO_CALL, 0) };
}

/// Writes 32 bits to any port: a hypercall with an address of the caller's choice.
///
/// # Safety
/// What the tender writes at `address` must be the caller's to change.
pub unsafe fn hypercall(port: u16, address: u32) {
    // SAFETY: changes no register; the caller vouches for the memory.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") address, options(nostack, preserves_flags)) };
}

fn outcome(result: i32) -> Result<(), Failure> {
    match result {
        0 => Ok(()),
        1 => Err(Failure::Again),
        2 => Err(Failure::Invalid),
        _ => Err(Failure::Unspecified),
    }
}

/// Makes hypercall `number` with its structure.
///
/// # Safety
/// `structure` must be as long as the tender expects, and memory that it names and the tender writes must be the
/// caller's to change.
pub unsafe fn call<T: ?Sized>(number: u16, structure: &mut T) {
    let address = (&raw mut *structure).cast::<u8>().expose_provenance();
    // SAFETY: the structure is exclusively borrowed; the caller vouches for what it names.
    unsafe { hypercall(PORT + number, address as u32) };
}
