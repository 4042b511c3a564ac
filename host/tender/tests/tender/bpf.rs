//! Reads the system-call filter of a running process, and asks it, as the kernel does, what it makes of a call.
//!
//! Knows classic BPF as far as such filters use it; says nothing about what they should allow.
#![expect(unsafe_code, reason = "the kernel shows filters to a debugger only")]

use std::io;

use libc::sock_filter;
use rustix::process::{Pid, WaitOptions, waitpid};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
/// The bit of a call's number that marks one of the x32 interface.
const X32: u32 = 0x4000_0000;

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_GREATER: u16 = 0x25;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_ANY_BIT: u16 = 0x45;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

/// All filters of a process; a call must please each.
pub(crate) struct Filters(Vec<Vec<sock_filter>>);

impl Filters {
    /// Reads them out of a child, which is stopped for a moment.
    ///
    /// # Errors
    /// This process may not debug, or not read filters.
    pub(crate) fn of(child: Pid) -> io::Result<Self> {
        trace(libc::PTRACE_SEIZE, child, 0)?;
        trace(libc::PTRACE_INTERRUPT, child, 0)?;
        waitpid(Some(child), WaitOptions::UNTRACED)?;
        let mut filters = Vec::new();
        let read = loop {
            match read_filter(child, filters.len()) {
                Ok(filter) => filters.push(filter),
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => break Ok(Self(filters)),
                Err(error) => break Err(error),
            }
        };
        trace(libc::PTRACE_DETACH, child, 0)?;
        read
    }

    /// Whether they allow a system call; everything else must kill the process.
    pub(crate) fn allow(&self, call: u32, arguments: [u64; 6]) -> bool {
        self.verdict(X86_64, call, arguments)
    }

    /// Whether they allow a call of that number through one of the other doors.
    pub(crate) fn allow_elsewhere(&self, call: u32, arguments: [u64; 6]) -> bool {
        self.verdict(I386, call, arguments) || self.verdict(X86_64, X32 | call, arguments)
    }

    fn verdict(&self, architecture: u32, call: u32, arguments: [u64; 6]) -> bool {
        assert!(!self.0.is_empty(), "there is no filter");
        let mut data = [call.to_le_bytes(), architecture.to_le_bytes()].concat();
        data.extend([0; 8]); // the instruction pointer
        data.extend(arguments.iter().flat_map(|argument| argument.to_le_bytes()));
        self.0.iter().all(|filter| match run(filter, &data) {
            libc::SECCOMP_RET_ALLOW => true,
            libc::SECCOMP_RET_KILL_PROCESS => false,
            other => panic!("a verdict that is neither: {other:#x}"),
        })
    }
}

fn run(filter: &[sock_filter], data: &[u8]) -> u32 {
    let (mut accumulator, mut next) = (0, 0);
    loop {
        let sock_filter { code, jt, jf, k } = filter[next];
        next += 1;
        let holds = match code {
            LOAD => {
                accumulator = u32::from_le_bytes(*data[k as usize..].first_chunk().unwrap());
                continue;
            }
            AND => {
                accumulator &= k;
                continue;
            }
            JUMP => {
                next += k as usize;
                continue;
            }
            RETURN => return k,
            JUMP_IF_EQUAL => accumulator == k,
            JUMP_IF_GREATER => accumulator > k,
            JUMP_IF_AT_LEAST => accumulator >= k,
            JUMP_IF_ANY_BIT => accumulator & k != 0,
            other => panic!("instruction {other:#x} is not expected in a filter"),
        };
        next += usize::from(if holds { jt } else { jf });
    }
}

fn trace(request: libc::c_uint, child: Pid, argument: usize) -> io::Result<usize> {
    // SAFETY: these requests touch no memory of this process.
    let result = unsafe { libc::ptrace(request, child.as_raw_nonzero().get(), argument, 0) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// The filter of this place, from the newest; `ENOENT` after the last.
fn read_filter(child: Pid, place: usize) -> io::Result<Vec<sock_filter>> {
    const GET_FILTER: libc::c_uint = 0x420c;
    let nothing = sock_filter {
        code: 0,
        jt: 0,
        jf: 0,
        k: 0,
    };
    let length = trace(GET_FILTER, child, place)?; // without a place to write to
    let mut filter = vec![nothing; length];
    // SAFETY: the kernel writes as many instructions as it has just said, for which there is room.
    let written = unsafe { libc::ptrace(GET_FILTER, child.as_raw_nonzero().get(), place, filter.as_mut_ptr()) };
    if written < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(filter)
    }
}
