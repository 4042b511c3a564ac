//! The Solo5 target `spt`: the unikernel is a process behind a system-call filter, and makes the system calls itself.
//!
//! x86-64 only. Owns the boot info's layout and the six calls that the filter allows.
#![expect(unsafe_code, reason = "reads the tender's boot info, and enters the kernel by hand")]

use core::arch::asm;
use core::sync::atomic::{AtomicI32, Ordering};
use core::time::Duration;

/// The target's name.
pub const TARGET_NAME: &str = "spt";
/// The target's number in the ABI note.
pub const TARGET_NUMBER: u32 = 2;

const CALL_WRITE: usize = 1;
const CALL_CLOCK_GETTIME: usize = 228;
const CALL_EXIT_GROUP: usize = 231;
const CALL_EPOLL_PWAIT: usize = 281;
const CALL_TIMERFD_SETTIME: usize = 286;
const CALL_GETPID: usize = 39;

const STANDARD_OUTPUT: usize = 1;
const CLOCK_REALTIME: usize = 0;
const CLOCK_MONOTONIC: usize = 1;
const TIMER_ABSOLUTE: usize = 1;

/// The descriptors to sleep with, known from [`Boot::from_address`] on.
static EPOLL: AtomicI32 = AtomicI32::new(-1);
static TIMER: AtomicI32 = AtomicI32::new(-1);

/// The tender's boot info.
#[repr(C)]
struct BootInfo {
    memory_bytes: u64,
    kernel_end: u64,
    command_line: *const u8,
    manifest: *const u8,
    epoll: i32,
    timer: i32,
}

/// What the tender gave this unikernel.
pub struct Boot {
    memory_bytes: u64,
    command_line: &'static [u8],
}

impl Boot {
    /// Reads the boot info. Called once, by [`entry!`](crate::entry).
    ///
    /// # Safety
    /// At `address` lies a boot info for this target, with a NUL-terminated command line, and nobody changes either.
    #[must_use]
    pub unsafe fn from_address(address: usize) -> Self {
        // SAFETY: the caller vouches for a boot info at this address, which is aligned as the tender aligns it.
        let info = unsafe { &*core::ptr::with_exposed_provenance::<BootInfo>(address) };
        EPOLL.store(info.epoll, Ordering::Relaxed);
        TIMER.store(info.timer, Ordering::Relaxed);
        // SAFETY: the caller vouches for a NUL-terminated line that never changes.
        let line = unsafe { core::ffi::CStr::from_ptr(info.command_line.cast()) };
        Self {
            memory_bytes: info.memory_bytes,
            command_line: line.to_bytes(),
        }
    }

    /// The size of the unikernel's memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The arguments in one line, as the tender joined them; an empty line where they are not UTF-8.
    #[must_use]
    pub fn command_line(&self) -> &'static str {
        str::from_utf8(self.command_line).unwrap_or_default()
    }
}

/// Writes to the console what it takes now; the rest is lost.
pub(crate) fn write(bytes: &[u8]) {
    // SAFETY: the kernel only reads `bytes`.
    unsafe {
        call(
            CALL_WRITE,
            [STANDARD_OUTPUT, bytes.as_ptr().addr(), bytes.len(), 0, 0, 0],
        )
    };
}

/// Ends the unikernel.
pub fn exit(status: u8) -> ! {
    // SAFETY: ends the process; nothing runs afterwards.
    unsafe { call(CALL_EXIT_GROUP, [status.into(), 0, 0, 0, 0, 0]) };
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

/// Returns when [`clock_monotonic`] has reached `deadline`.
pub fn sleep_until(deadline: Duration) {
    while clock_monotonic() < deadline {
        set_timer(deadline);
        wait_for_event();
    }
}

/// Makes a system call that no tender allows, so it does not return under one.
pub fn forbidden_call() {
    // SAFETY: getpid(2) touches no memory.
    unsafe { call(CALL_GETPID, [0; 6]) };
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
    // SAFETY: the kernel writes one timespec, which outlives the call.
    unsafe {
        call(
            CALL_CLOCK_GETTIME,
            [clock, (&raw mut now).expose_provenance(), 0, 0, 0, 0],
        )
    };
    Duration::new(now.seconds as u64, now.nanoseconds as u32)
}

fn set_timer(deadline: Duration) {
    let timer = [Timespec::default(), Timespec::from(deadline)]; // no interval
    let descriptor = TIMER.load(Ordering::Relaxed) as usize;
    // SAFETY: the kernel only reads `timer`, which outlives the call.
    unsafe {
        call(
            CALL_TIMERFD_SETTIME,
            [
                descriptor,
                TIMER_ABSOLUTE,
                (&raw const timer).expose_provenance(),
                0,
                0,
                0,
            ],
        )
    };
}

fn wait_for_event() {
    /// The kernel's `struct epoll_event`: a u32 and a u64, packed.
    type Event = [u8; 12];
    const FOREVER: usize = usize::MAX; // −1
    const NO_SIGNAL_MASK: usize = 0;
    let mut event: Event = [0; 12];
    let descriptor = EPOLL.load(Ordering::Relaxed) as usize;
    let place = (&raw mut event).expose_provenance();
    // SAFETY: the kernel writes at most one event, which has room here.
    unsafe { call(CALL_EPOLL_PWAIT, [descriptor, place, 1, FOREVER, NO_SIGNAL_MASK, 8]) };
}

/// Enters the kernel; the result, negative for an error, is in `rax`.
///
/// # Safety
/// As for the system call itself: memory that it writes must be this code's to change.
unsafe fn call(number: usize, arguments: [usize; 6]) -> isize {
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
