//! The system calls that are left to the tender while an `hvt` guest runs; all others kill the process.
//!
//! The guest makes none itself. This is for one that has found a fault in the tender, or in KVM's emulation: what it gains is
//! its own processor, descriptors and clock. Solo5's tender keeps 18 calls with any arguments, memory mapping among them; this one
//! keeps 6, and up to 3 more for devices, each on its descriptor.
//!
//! | call | on | for |
//! |---|---|---|
//! | `ioctl` | the processor, `KVM_RUN` | running the guest |
//! | `write` | standard output and error | the console; the last message |
//! | `epoll_pwait`, `timerfd_settime` | the epoll set and its timer | `poll` |
//! | `clock_gettime` | the wall clock | `walltime`, where the kernel offers no faster way |
//! | `exit_group` | | the end |
//! | `read`, `write` | each tap | frames |
//! | `pread64`, `pwrite64` | each block file, at offsets up to its last sector | disk accesses |

use std::os::fd::{AsFd, BorrowedFd};

use seccompiler::{BackendError, BpfProgram};

use crate::devices::Devices;
use crate::events::Events;
use crate::filter::{Allowed, Must};

const STANDARD_OUTPUT: u64 = 1;
const STANDARD_ERROR: u64 = 2;
const WALL_CLOCK: u64 = libc::CLOCK_REALTIME as u64;
/// `_IO(KVMIO, 0x80)`, from the kernel's `linux/kvm.h`.
const KVM_RUN: u64 = 0xae80;

/// Compiles the filter for a guest on this processor, with these devices, which sleeps on `events`.
pub(super) fn compile(vcpu: BorrowedFd<'_>, devices: &Devices, events: &Events) -> Result<BpfProgram, BackendError> {
    let mut allowed = Allowed::default()
        .call(libc::SYS_exit_group)
        .call_if(libc::SYS_ioctl, &[Must::be_on(vcpu), Must::Equal(1, KVM_RUN)])?
        .call_if(libc::SYS_write, &[Must::Equal(0, STANDARD_OUTPUT)])?
        .call_if(libc::SYS_write, &[Must::Equal(0, STANDARD_ERROR)])?
        .call_if(libc::SYS_epoll_pwait, &[Must::be_on(events.epoll())])?
        .call_if(libc::SYS_timerfd_settime, &[Must::be_on(events.timer())])?
        .call_if(libc::SYS_clock_gettime, &[Must::Equal(0, WALL_CLOCK)])?;
    for (_, tap) in devices.nets() {
        let on_tap = [Must::be_on(tap.as_fd())];
        allowed = allowed
            .call_if(libc::SYS_read, &on_tap)?
            .call_if(libc::SYS_write, &on_tap)?;
    }
    for file in devices.blocks() {
        let on_file = [Must::be_on(file.as_fd()), Must::BeAtMost(3, file.last_sector_offset())];
        allowed = allowed
            .call_if(libc::SYS_pread64, &on_file)?
            .call_if(libc::SYS_pwrite64, &on_file)?;
    }
    allowed.compile()
}
