//! The Solo5 target `spt`: the unikernel is a process behind a system-call filter, and makes the system calls itself.
//!
//! x86-64 only. Owns the calls that the filter allows.
#![expect(unsafe_code, reason = "reads the tender's boot info, and enters the kernel by hand")]

use core::arch::asm;
use core::sync::atomic::{AtomicI32, Ordering};
use core::time::Duration;

use crate::boot::BootInfo;
use crate::device::{Access, Device, Failure};

/// The target's name.
pub const TARGET_NAME: &str = "spt";
/// The target's number in the ABI note.
pub const TARGET_NUMBER: u32 = 2;

/// By what the kernel's calls know a device: its descriptor.
pub type DeviceId = i32;

const CALL_READ: usize = 0;
const CALL_WRITE: usize = 1;
const CALL_PREAD64: usize = 17;
const CALL_PWRITE64: usize = 18;
const CALL_GETPID: usize = 39;
const CALL_CLOCK_GETTIME: usize = 228;
const CALL_EXIT_GROUP: usize = 231;
const CALL_EPOLL_PWAIT: usize = 281;
const CALL_TIMERFD_SETTIME: usize = 286;

const ERROR_AGAIN: isize = -11;
const ERROR_INVALID: isize = -22;

const STANDARD_OUTPUT: usize = 1;
const CLOCK_REALTIME: usize = 0;
const CLOCK_MONOTONIC: usize = 1;
const TIMER_ABSOLUTE: usize = 1;

/// Handles are below; the timer's data in the epoll set is above.
const HANDLES: u64 = 64;
const EVENTS_MAX: usize = 64;

/// The descriptors to sleep with, known from [`begin`] on.
static EPOLL: AtomicI32 = AtomicI32::new(-1);
static TIMER: AtomicI32 = AtomicI32::new(-1);

#[repr(C)]
struct SptBootInfo {
    common: BootInfo,
    epoll: i32,
    timer: i32,
}

/// # Safety
/// At `address` lies this target's boot info, and nobody changes it.
pub(crate) unsafe fn begin(address: usize) -> BootInfo {
    // SAFETY: the caller vouches for a boot info at this address, which is aligned as the tender aligns it.
    let info = unsafe { core::ptr::with_exposed_provenance::<SptBootInfo>(address).read() };
    EPOLL.store(info.epoll, Ordering::Relaxed);
    TIMER.store(info.timer, Ordering::Relaxed);
    info.common
}

pub(crate) fn device_id(device: &Device) -> DeviceId {
    device.descriptor()
}

/// The descriptor of the epoll set.
#[must_use]
pub fn epoll() -> i32 {
    EPOLL.load(Ordering::Relaxed)
}

/// The descriptor of the timer.
#[must_use]
pub fn timer() -> i32 {
    TIMER.load(Ordering::Relaxed)
}

/// Writes to the console what it takes now; the rest is lost.
pub(crate) fn write(bytes: &[u8]) {
    // SAFETY: the kernel only reads `bytes`.
    unsafe {
        system_call(
            CALL_WRITE,
            [
                STANDARD_OUTPUT,
                bytes.as_ptr().expose_provenance(),
                bytes.len(),
                0,
                0,
                0,
            ],
        )
    };
}

/// Ends the unikernel.
pub fn exit(status: u8) -> ! {
    // SAFETY: ends the process; nothing runs afterwards.
    unsafe { system_call(CALL_EXIT_GROUP, [status.into(), 0, 0, 0, 0, 0]) };
    unreachable!("the kernel ends the process")
}

/// The time since some moment before the unikernel began; never goes back.
#[must_use]
pub fn clock_monotonic() -> Duration {
    clock(CLOCK_MONOTONIC)
}

/// The time since the epoch, as the host tells it.
#[must_use]
pub fn clock_wall() -> Duration {
    clock(CLOCK_REALTIME)
}

/// Waits until a network device has a frame, or [`clock_monotonic`] has reached `deadline`. Says which have: one bit a
/// handle.
pub fn wait_until(deadline: Duration) -> u64 {
    /// The kernel's `struct epoll_event`, packed.
    #[repr(C, packed)]
    #[derive(Clone, Copy)]
    struct Event {
        events: u32,
        handle: u64,
    }
    const FOREVER: usize = usize::MAX; // −1
    const NO_SIGNAL_MASK: usize = 0;

    set_timer(deadline);
    let mut events = [Event { events: 0, handle: 0 }; EVENTS_MAX];
    let place = (&raw mut events).expose_provenance();
    let arguments = [epoll() as usize, place, EVENTS_MAX, FOREVER, NO_SIGNAL_MASK, 8];
    // SAFETY: the kernel writes at most so many events, which have room here.
    let count = unsafe { system_call(CALL_EPOLL_PWAIT, arguments) };
    let ready = events.iter().take(usize::try_from(count).unwrap_or(0)); // a signal may have come instead
    ready
        .map(|event| event.handle)
        .filter(|&handle| handle < HANDLES)
        .fold(0, |ready, handle| ready | 1 << handle)
}

/// Reads or writes a block device, with a buffer at any address.
///
/// # Errors
/// What the kernel says.
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
    let number = match access {
        Access::Read => CALL_PREAD64,
        Access::Write => CALL_PWRITE64,
    };
    // SAFETY: the caller's.
    let done = unsafe { system_call(number, [device as usize, address, length, offset as usize, 0, 0]) };
    // Nothing here is done by halves.
    if outcome(done)? == length {
        Ok(())
    } else {
        Err(Failure::Unspecified)
    }
}

/// Takes a frame from a network device or sends one, with a buffer at any address; says how long the frame is.
///
/// # Errors
/// What the kernel says; [`Failure::Again`] when there is no frame.
///
/// # Safety
/// For [`Access::Read`] the memory must be the caller's to change.
pub unsafe fn net(access: Access, device: DeviceId, address: usize, length: usize) -> Result<usize, Failure> {
    let number = match access {
        Access::Read => CALL_READ,
        Access::Write => CALL_WRITE,
    };
    // SAFETY: the caller's.
    outcome(unsafe { system_call(number, [device as usize, address, length, 0, 0, 0]) })
}

/// Makes a system call that no tender allows, so it does not return under one.
pub fn forbidden_call() {
    // SAFETY: getpid(2) touches no memory.
    unsafe { system_call(CALL_GETPID, [0; 6]) };
}

/// Enters the kernel; the result, negative for an error, is in `rax`.
///
/// # Safety
/// As for the system call itself: memory that it writes must be the caller's to change.
pub unsafe fn system_call(number: usize, arguments: [usize; 6]) -> isize {
    let result;
    // SAFETY: by the kernel's convention only rax, rcx, r11 and memory change; the caller vouches for the memory.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            in("r9") arguments[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The kernel's `struct timespec`, and twice in its `struct itimerspec`.
#[repr(C)]
#[derive(Default)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl From<Duration> for Timespec {
    fn from(time: Duration) -> Self {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Self {
            seconds,
            nanoseconds: time.subsec_nanos().into(),
        }
    }
}

fn clock(clock: usize) -> Duration {
    let mut now = Timespec::default();
    let place = (&raw mut now).expose_provenance();
    // SAFETY: the kernel writes one timespec, which outlives the call.
    unsafe { system_call(CALL_CLOCK_GETTIME, [clock, place, 0, 0, 0, 0]) };
    Duration::new(now.seconds as u64, now.nanoseconds as u32)
}

fn set_timer(deadline: Duration) {
    let setting = [Timespec::default(), Timespec::from(deadline)]; // no interval
    let place = (&raw const setting).expose_provenance();
    // SAFETY: the kernel only reads `setting`, which outlives the call.
    unsafe { system_call(CALL_TIMERFD_SETTIME, [timer() as usize, TIMER_ABSOLUTE, place, 0, 0, 0]) };
}

fn outcome(result: isize) -> Result<usize, Failure> {
    match result {
        ERROR_AGAIN => Err(Failure::Again),
        ERROR_INVALID => Err(Failure::Invalid),
        result => usize::try_from(result).map_err(|_| Failure::Unspecified),
    }
}
