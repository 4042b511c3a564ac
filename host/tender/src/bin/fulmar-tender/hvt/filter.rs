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
//! | `pread64`, `pwrite64` | each block file, at offsets up to its last sector, no longer than it is | disk accesses |

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
        // The sum cannot be bounded, so that much of a file could be added to its end at the very most.
        let on_file = [
            Must::be_on(file.as_fd()),
            Must::BeAtMost(2, file.capacity_bytes()),
            Must::BeAtMost(3, file.last_sector_offset()),
        ];
        allowed = allowed
            .call_if(libc::SYS_pread64, &on_file)?
            .call_if(libc::SYS_pwrite64, &on_file)?;
    }
    allowed.compile()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::Attached;
    use crate::devices::block::BlockFile;
    use crate::filter::interpreter::allows;
    use std::collections::BTreeSet;
    use std::os::fd::AsRawFd;

    fn disk(sectors: u64) -> Attached {
        let file = tempfile::tempfile().unwrap();
        file.set_len(sectors * 512).unwrap();
        Attached::Block(BlockFile::new(file, None).unwrap())
    }

    fn number(descriptor: impl AsFd) -> u64 {
        u64::try_from(descriptor.as_fd().as_raw_fd()).unwrap()
    }

    #[test]
    fn each_call_is_allowed_on_its_descriptor_and_for_its_purpose_only() {
        let processor = tempfile::tempfile().unwrap();
        let devices = Devices::of(vec![disk(4), disk(1)]);
        let events = Events::new(&devices).unwrap();
        let program = compile(processor.as_fd(), &devices, &events).unwrap();
        let descriptors = 0..64;
        let on = |call: i64, rest: [u64; 5]| -> BTreeSet<u64> {
            let [a, b, c, d, e] = rest;
            let call = u32::try_from(call).unwrap();
            descriptors
                .clone()
                .filter(|&first| allows(&program, call, [first, a, b, c, d, e]))
                .collect()
        };
        let disks: Vec<u64> = devices.blocks().map(number).collect();
        for call in 0..1024 {
            let expected: BTreeSet<u64> = match call {
                libc::SYS_exit_group => descriptors.clone().collect(),
                libc::SYS_write => [1, 2].into(),
                libc::SYS_epoll_pwait => [number(events.epoll())].into(),
                libc::SYS_timerfd_settime => [number(events.timer())].into(),
                libc::SYS_clock_gettime => [0].into(),
                libc::SYS_pread64 | libc::SYS_pwrite64 => disks.iter().copied().collect(),
                _ => [].into(),
            };
            assert_eq!(on(call, [0; 5]), expected, "system call {call}");
        }
        let processor = number(&processor);
        assert_eq!(on(libc::SYS_ioctl, [KVM_RUN, 0, 0, 0, 0]), [processor].into());
        for other in [KVM_RUN + 1, KVM_RUN | 1 << 32, 0x8090_ae81] {
            assert_eq!(on(libc::SYS_ioctl, [other, 0, 0, 0, 0]), [].into());
        }
        for call in [libc::SYS_pread64, libc::SYS_pwrite64] {
            assert_eq!(
                on(call, [0, 512, 1, 0, 0]),
                [disks[0]].into(),
                "the other has one sector"
            );
            assert_eq!(on(call, [0, 512, 1536, 0, 0]), [disks[0]].into());
            assert_eq!(on(call, [0, 512, 1537, 0, 0]), [].into());
            assert_eq!(on(call, [0, 2048, 0, 0, 0]), [disks[0]].into());
            assert_eq!(on(call, [0, 2049, 0, 0, 0]), [].into());
        }
    }

    #[test]
    fn as_many_devices_as_a_manifest_can_hold_fit_a_filter() {
        let processor = tempfile::tempfile().unwrap();
        let devices = Devices::of((0..fulmar_tender::DEVICES_MAX).map(|_| disk(1)).collect());
        let events = Events::new(&devices).unwrap();
        let program = compile(processor.as_fd(), &devices, &events).unwrap();
        for file in devices.blocks() {
            let call = u32::try_from(libc::SYS_pread64).unwrap();
            assert!(allows(&program, call, [number(file), 0, 512, 0, 0, 0]));
        }
        assert!(program.len() <= 4096, "{} instructions", program.len());
    }
}
