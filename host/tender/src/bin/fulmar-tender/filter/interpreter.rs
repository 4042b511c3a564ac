//! Runs a filter as the kernel does, for the tests: classic BPF over a `struct seccomp_data`.

use seccompiler::sock_filter;

const X86_64: u32 = 0xc000_003e;

// The instructions of classic BPF that seccompiler makes a filter of.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_GREATER: u16 = 0x25;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

/// Whether a call is allowed on this architecture; it must be killed else.
pub(crate) fn allows(program: &[sock_filter], call: u32, arguments: [u64; 6]) -> bool {
    match verdict(program, X86_64, call, arguments) {
        libc::SECCOMP_RET_ALLOW => true,
        libc::SECCOMP_RET_KILL_PROCESS => false,
        other => panic!("a verdict that was not asked for: {other:#x}"),
    }
}

/// What the kernel would return.
pub(crate) fn verdict(program: &[sock_filter], architecture: u32, call: u32, arguments: [u64; 6]) -> u32 {
    let mut data = [call.to_le_bytes(), architecture.to_le_bytes()].concat();
    data.extend([0; 8]); // the instruction pointer
    data.extend(arguments.into_iter().flat_map(u64::to_le_bytes));

    let (mut accumulator, mut next) = (0, 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[next];
        next += 1;
        let holds = match code {
            RETURN => return k,
            JUMP => {
                next += k as usize;
                continue;
            }
            LOAD => {
                accumulator = u32::from_le_bytes(*data[k as usize..].first_chunk().unwrap());
                continue;
            }
            AND => {
                accumulator &= k;
                continue;
            }
            JUMP_IF_EQUAL => accumulator == k,
            JUMP_IF_GREATER => accumulator > k,
            JUMP_IF_AT_LEAST => accumulator >= k,
            other => panic!("instruction {other:#x} is not expected in this filter"),
        };
        next += usize::from(if holds { jt } else { jf });
    }
}
