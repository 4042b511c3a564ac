//! The first instruction of an `spt` guest on x86-64.
//!
//! The only code here that knows registers, and what they are called.
#![expect(unsafe_code, reason = "leaves Rust for good: sets the stack pointer and jumps")]

use std::arch::asm;

use super::guest_memory::GuestMemory;

/// The one thing that a guest may do to its registers by a system call: where its thread-local memory is. From the kernel's
/// `asm/prctl.h`; the C library does not name it.
pub(super) const ARCH_SET_FS: u64 = 0x1002;

/// Becomes the guest. Its stack begins at the end of its memory, aligned as after a call; its first argument is the
/// address of the boot info.
pub(crate) fn enter(memory: &GuestMemory, entry: u64, boot_info: u64) -> ! {
    let stack = memory.end() - 8;
    // SAFETY: the guest is a different program that shares this process. It never returns here, so no Rust value is
    // read again; what it can do to the process from now on is bounded by the filter, not by Rust.
    unsafe {
        asm!(
            "mov rsp, {stack}",
            "xor ebp, ebp",
            "jmp {entry}",
            stack = in(reg) stack,
            entry = in(reg) entry,
            in("rdi") boot_info,
            options(noreturn),
        )
    }
}
