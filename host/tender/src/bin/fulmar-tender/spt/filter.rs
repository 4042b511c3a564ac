//! The system calls that an `spt` guest may make; all others kill the process.
//!
//! The list is the guest's whole interface to the host, so it is short, and exact to the argument.

use std::os::fd::AsFd;

use seccompiler::{BackendError, BpfProgram};

use super::x86_64::ARCH_SET_FS;
use crate::devices::Devices;
use crate::events::Events;
use crate::filter::{Allowed, Must};

const STANDARD_OUTPUT: u64 = 1;
const CLOCKS: [u64; 2] = [libc::CLOCK_REALTIME as u64, libc::CLOCK_MONOTONIC as u64];

/// Compiles the filter for a guest with these devices, which sleeps on `events`.
pub(super) fn compile(devices: &Devices, events: &Events) -> Result<BpfProgram, BackendError> {
    let mut allowed = Allowed::default()
        .call(libc::SYS_exit_group)
        .call_if(libc::SYS_write, &[Must::Equal(0, STANDARD_OUTPUT)])?
        .call_if(libc::SYS_epoll_pwait, &[Must::be_on(events.epoll())])?
        .call_if(libc::SYS_timerfd_settime, &[Must::be_on(events.timer())])?
        .call_if(libc::SYS_clock_gettime, &[Must::Equal(0, CLOCKS[0])])?
        .call_if(libc::SYS_clock_gettime, &[Must::Equal(0, CLOCKS[1])])?
        .call_if(libc::SYS_arch_prctl, &[Must::Equal(0, ARCH_SET_FS)])?;
    for (_, tap) in devices.nets() {
        let on_tap = [Must::be_on(tap.as_fd())];
        allowed = allowed
            .call_if(libc::SYS_read, &on_tap)?
            .call_if(libc::SYS_write, &on_tap)?;
    }
    for file in devices.blocks() {
        // One sector at a time, and none beyond the end: else a guest could make the file as long as it likes.
        let on_sector = [
            Must::be_on(file.as_fd()),
            Must::Equal(2, u64::from(file.sector_bytes())),
            Must::BeAtMost(3, file.last_sector_offset()),
        ];
        allowed = allowed
            .call_if(libc::SYS_pread64, &on_sector)?
            .call_if(libc::SYS_pwrite64, &on_sector)?;
    }
    allowed.compile()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::Attached;
    use crate::devices::block::BlockFile;
    use crate::filter::interpreter::allows;
    use std::os::fd::AsRawFd;

    #[test]
    fn exactly_six_system_calls_are_allowed_and_only_with_these_first_arguments() {
        let events = Events::new(&Devices::default()).unwrap();
        let (epoll, timer) = (events.epoll().as_raw_fd(), events.timer().as_raw_fd());
        let program = compile(&Devices::default(), &events).unwrap();
        for call in 0..1024 {
            let firsts = (0..64).chain(0x1000..0x1010).chain([u64::MAX]);
            let is_allowed = |first: &u64| allows(&program, call, [*first, 0, 0, 0, 0, 0]);
            let allowed: Vec<u64> = firsts.clone().filter(is_allowed).collect();
            match i64::from(call) {
                libc::SYS_write => assert_eq!(allowed, [1]),
                libc::SYS_epoll_pwait => assert_eq!(allowed, [u64::try_from(epoll).unwrap()]),
                libc::SYS_timerfd_settime => assert_eq!(allowed, [u64::try_from(timer).unwrap()]),
                libc::SYS_clock_gettime => assert_eq!(allowed, [0, 1]),
                libc::SYS_arch_prctl => assert_eq!(allowed, [0x1002]),
                libc::SYS_exit_group => assert_eq!(allowed, firsts.collect::<Vec<u64>>()),
                _ => assert_eq!(allowed, [0_u64; 0], "system call {call}"),
            }
        }
    }

    #[test]
    fn a_disk_is_read_and_written_by_single_sectors_up_to_its_last() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(16384).unwrap();
        let disk = BlockFile::new(file, Some(4096)).unwrap();
        let number = u64::try_from(disk.as_fd().as_raw_fd()).unwrap();
        let devices = Devices::of(vec![Attached::Block(disk)]);
        let program = compile(&devices, &Events::new(&devices).unwrap()).unwrap();
        for call in [libc::SYS_pread64, libc::SYS_pwrite64] {
            let call = u32::try_from(call).unwrap();
            let allows = |length, offset| allows(&program, call, [number, 0, length, offset, 0, 0]);
            assert!(allows(4096, 0) && allows(4096, 12288));
            assert!(!allows(4096, 12289) && !allows(512, 0) && !allows(8192, 0) && !allows(4096, u64::MAX));
        }
    }

    #[test]
    fn as_many_devices_as_a_manifest_can_hold_fit_a_filter() {
        let disk = || {
            let file = tempfile::tempfile().unwrap();
            file.set_len(512).unwrap();
            Attached::Block(BlockFile::new(file, None).unwrap())
        };
        let devices = Devices::of((0..fulmar_tender::DEVICES_MAX).map(|_| disk()).collect());
        let program = compile(&devices, &Events::new(&devices).unwrap()).unwrap();
        assert!(program.len() <= 4096, "{} instructions", program.len());
    }
}
