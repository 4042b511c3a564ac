//! The system calls that an `spt` guest may make; all others kill the process.
//!
//! The list is the guest's whole interface to the host, so it is short, and exact to the argument. Arguments are
//! compared with all their 64 bits, as Solo5 does, although the kernel looks at 32 of most: the guest loses nothing.

use std::os::fd::RawFd;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

const STANDARD_OUTPUT: u64 = 1;
/// From the kernel's `asm/prctl.h`; the C library does not name it.
const ARCH_SET_FS: u64 = 0x1002;
const CLOCKS: [u64; 2] = [libc::CLOCK_REALTIME as u64, libc::CLOCK_MONOTONIC as u64];

/// Compiles the filter for a guest with these two descriptors and no devices.
pub(crate) fn compile(epoll: RawFd, timer: RawFd) -> Result<BpfProgram, BackendError> {
    let allowed = [
        (libc::SYS_write, vec![first_is(STANDARD_OUTPUT)?]),
        (libc::SYS_exit_group, vec![]),
        (libc::SYS_epoll_pwait, vec![first_is(number(epoll))?]),
        (libc::SYS_timerfd_settime, vec![first_is(number(timer))?]),
        (
            libc::SYS_clock_gettime,
            vec![first_is(CLOCKS[0])?, first_is(CLOCKS[1])?],
        ),
        (libc::SYS_arch_prctl, vec![first_is(ARCH_SET_FS)?]),
    ];
    let filter = SeccompFilter::new(
        allowed.into_iter().collect(),
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        TargetArch::x86_64,
    )?;
    filter.try_into()
}

/// Takes every other system call from this process, for good, and with them every way to gain privileges. The crate
/// sets `no_new_privs` first, without which the kernel would ask for privileges to install a filter.
pub(crate) fn install(filter: &BpfProgram) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter(filter)
}

fn first_is(value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(
        0,
        SeccompCmpArgLen::Qword,
        SeccompCmpOp::Eq,
        value,
    )?])
}

fn number(descriptor: RawFd) -> u64 {
    u64::try_from(descriptor).expect("an open descriptor is not negative")
}

#[cfg(test)]
mod tests {
    use super::*;
    use seccompiler::sock_filter;

    const EPOLL: RawFd = 7;
    const TIMER: RawFd = 9;
    const X86_64: u32 = 0xc000_003e;
    const I386: u32 = 0x4000_0003;

    // The instructions of classic BPF that seccompiler makes such a filter of.
    const LOAD: u16 = 0x20;
    const JUMP: u16 = 0x05;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;

    /// Runs the filter as the kernel does: classic BPF over a `struct seccomp_data`.
    fn verdict(program: &[sock_filter], architecture: u32, call: u32, first: u64) -> u32 {
        let mut data = [call.to_le_bytes(), architecture.to_le_bytes()].concat();
        data.extend([0; 8]); // the instruction pointer
        data.extend(first.to_le_bytes());

        let (mut accumulator, mut next) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = program[next];
            next += 1;
            match code {
                RETURN => return k,
                JUMP => next += k as usize,
                LOAD => accumulator = u32::from_le_bytes(*data[k as usize..].first_chunk().unwrap()),
                JUMP_IF_EQUAL if accumulator == k => next += usize::from(jt),
                JUMP_IF_AT_LEAST if accumulator >= k => next += usize::from(jt),
                JUMP_IF_EQUAL | JUMP_IF_AT_LEAST => next += usize::from(jf),
                other => panic!("instruction {other:#x} is not expected in this filter"),
            }
        }
    }

    fn allows(program: &[sock_filter], call: u32, first: u64) -> bool {
        match verdict(program, X86_64, call, first) {
            libc::SECCOMP_RET_ALLOW => true,
            libc::SECCOMP_RET_KILL_PROCESS => false,
            other => panic!("a verdict that was not asked for: {other:#x}"),
        }
    }

    #[test]
    fn exactly_six_system_calls_are_allowed_and_only_with_these_first_arguments() {
        let program = compile(EPOLL, TIMER).unwrap();
        for call in 0..1024 {
            let firsts = (0..64).chain(0x1000..0x1010).chain([u64::MAX]);
            let allowed: Vec<u64> = firsts.clone().filter(|&first| allows(&program, call, first)).collect();
            match i64::from(call) {
                libc::SYS_write => assert_eq!(allowed, [1]),
                libc::SYS_epoll_pwait => assert_eq!(allowed, [7]),
                libc::SYS_timerfd_settime => assert_eq!(allowed, [9]),
                libc::SYS_clock_gettime => assert_eq!(allowed, [0, 1]),
                libc::SYS_arch_prctl => assert_eq!(allowed, [0x1002]),
                libc::SYS_exit_group => assert_eq!(allowed, firsts.collect::<Vec<u64>>()),
                _ => assert_eq!(allowed, [], "system call {call}"),
            }
        }
    }

    #[test]
    fn the_upper_half_of_an_argument_counts() {
        let program = compile(EPOLL, TIMER).unwrap();
        assert!(!allows(&program, 1, (1 << 32) | 1));
    }

    #[test]
    fn other_ways_into_the_kernel_are_closed() {
        const X32_BIT: u32 = 0x4000_0000;
        let program = compile(EPOLL, TIMER).unwrap();
        assert!(!allows(&program, X32_BIT | 1, 1));
        // For 32-bit calls `write` has number 4 and `exit_group` 252.
        for call in [4, 252] {
            assert_eq!(verdict(&program, I386, call, 1), libc::SECCOMP_RET_KILL_PROCESS);
        }
    }
}
