//! The registers at the first instruction.

use kvm_bindings::{kvm_regs, kvm_sregs};

use super::{BOOT_INFO_ADDRESS, paging, segments};

const CR0_PROTECTION: u64 = 1;
const CR0_NUMERIC_ERROR: u64 = 1 << 5;
const CR0_WRITE_PROTECT: u64 = 1 << 16;
const CR0_PAGING: u64 = 1 << 31;

const CR4_PHYSICAL_ADDRESS_EXTENSION: u64 = 1 << 5;
/// SSE instructions, and their exceptions.
const CR4_SSE: u64 = 1 << 9;
const CR4_SSE_EXCEPTIONS: u64 = 1 << 10;

const EFER_LONG_MODE_ENABLE: u64 = 1 << 8;
const EFER_LONG_MODE_ACTIVE: u64 = 1 << 10;

/// Always set.
const FLAGS_RESERVED: u64 = 1 << 1;

/// Long mode with the page tables of [`paging`]; interrupts have nowhere to go.
pub(super) fn system() -> kvm_sregs {
    let data = segments::data();
    kvm_sregs {
        cr0: CR0_PROTECTION | CR0_NUMERIC_ERROR | CR0_WRITE_PROTECT | CR0_PAGING,
        cr3: paging::ROOT_ADDRESS,
        cr4: CR4_PHYSICAL_ADDRESS_EXTENSION | CR4_SSE | CR4_SSE_EXCEPTIONS,
        efer: EFER_LONG_MODE_ENABLE | EFER_LONG_MODE_ACTIVE,
        cs: segments::code(),
        ss: data,
        ds: data,
        es: data,
        fs: data,
        gs: data,
        tr: segments::task(),
        ldt: segments::unusable(),
        gdt: segments::table_register(),
        ..kvm_sregs::default()
    }
}

/// The entry point, with the boot info as the first argument, and the stack at the end of memory, aligned as after a call.
pub(super) fn general(entry: u64, memory_bytes: u64) -> kvm_regs {
    kvm_regs {
        rip: entry,
        rflags: FLAGS_RESERVED,
        rsp: memory_bytes - 8,
        rdi: BOOT_INFO_ADDRESS,
        ..kvm_regs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_starts_in_long_mode_with_sse_and_write_protection() {
        let system = system();
        assert_eq!(
            (system.cr0, system.cr3, system.cr4, system.efer),
            (0x8001_0021, 0x2000, 0x620, 0x500)
        );
        assert_eq!((system.cs.l, system.cs.db, system.cs.dpl, system.ss.db), (1, 0, 0, 1));
        assert_eq!((system.tr.present, system.tr.type_, system.ldt.unusable), (1, 11, 1));
    }

    #[test]
    fn the_guest_starts_at_its_entry_with_the_boot_info_and_an_aligned_stack() {
        let general = general(0x10_0040, 32 << 20);
        assert_eq!((general.rip, general.rdi, general.rflags), (0x10_0040, 0x1_0000, 2));
        assert_eq!((general.rsp, (general.rsp + 8) % 16), (0x1ff_fff8, 0));
    }
}
