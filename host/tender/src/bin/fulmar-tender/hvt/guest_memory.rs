//! The memory of an `hvt` guest: one mapping, which is its physical memory from address 0.
//!
//! Everything here that takes an address compares the whole range with the memory first. While the guest runs, the
//! tender reaches for it only what the guest can reach itself: nothing below the boot info, and nothing that its
//! segments forbid. Nothing is touched before it is used: 4 GiB are mapped as fast as 32 MiB, and cost as little.
#![expect(unsafe_code, reason = "protects pages of the mapping by their address")]

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;

use fulmar_tender::{LOAD_ADDRESS_MIN, Protection, Segment};
use rustix::io::Errno;
use rustix::mm::{MprotectFlags, mprotect};
use vm_memory::mmap::MmapRegionError;
use vm_memory::{MmapRegion, VolatileMemory, VolatileSlice};

use super::arch::BOOT_INFO_ADDRESS;
use crate::file_part;

/// A guest's memory, readable and writable for the tender, zero until written.
#[derive(Debug)]
pub(crate) struct GuestMemory {
    region: MmapRegion,
    /// What the guest may do where; all the rest above [`LOAD_ADDRESS_MIN`] it may read and write.
    segments: Vec<(Range<u64>, Protection)>,
}

impl GuestMemory {
    /// Maps a guest's memory of `bytes`, a whole number of pages and at least one.
    pub(crate) fn map(bytes: u64) -> Result<Self, MemoryError> {
        let map = |bytes| MmapRegion::new(bytes).map_err(|error| MemoryError::Map { bytes, error });
        Ok(Self {
            region: map(usize::try_from(bytes).map_err(|_| MemoryError::AddressSpace)?)?,
            segments: Vec::new(),
        })
    }

    /// The memory's size, which is also the first address above it.
    pub(crate) fn bytes(&self) -> u64 {
        self.region.size() as u64
    }

    /// Where the tender itself sees the memory: for KVM, which maps the guest's to it.
    pub(crate) fn host_address(&self) -> u64 {
        self.region.as_ptr().expose_provenance() as u64
    }

    /// Copies `bytes` to `address`, wherever that is: for what is set up before the guest runs.
    pub(crate) fn load(&mut self, address: u64, bytes: &[u8]) -> Result<(), AccessError> {
        let slice = self.slice(Access::Write, address, bytes.len() as u64)?;
        slice.copy_from(bytes);
        Ok(())
    }

    /// Copies a segment's bytes out of the unikernel's file to where they belong.
    pub(super) fn load_from(&mut self, file: &File, segment: &Segment) -> Result<(), MemoryError> {
        let Range { start, end } = segment.file();
        let slice = self.slice(Access::Write, segment.address(), (end - start) as u64)?;
        let guard = slice.ptr_guard_mut();
        // SAFETY: `slice` has checked that all bytes belong to the mapping, in which no Rust value lies.
        unsafe { file_part::read(file, start, guard.as_ptr(), slice.len()) }.map_err(MemoryError::File)
    }

    /// Sets what may be done to `pages`, whose ends are page-aligned, on the host's side: KVM applies it to the guest.
    /// Nothing is executable for the tender, so for KVM, whose guests execute what they can read, that means readable.
    pub(crate) fn protect(&mut self, pages: Range<u64>, protection: Protection) -> Result<(), MemoryError> {
        let mut flags = MprotectFlags::empty();
        flags.set(MprotectFlags::READ, protection.read() || protection.execute());
        flags.set(MprotectFlags::WRITE, protection.write());
        let slice = self.slice(Access::Write, pages.start, pages.end.saturating_sub(pages.start))?;
        let guard = slice.ptr_guard_mut();
        // SAFETY: `slice` has checked that all pages belong to the mapping, in which no Rust value lies; what the
        // tender does to it from now on asks `segments` first.
        unsafe { mprotect(guard.as_ptr().cast(), slice.len(), flags) }.map_err(|error| MemoryError::Protect {
            start: pages.start,
            end: pages.end,
            error,
        })?;
        self.segments.push((pages, protection));
        Ok(())
    }

    /// Memory that the guest may read, for the tender to read.
    pub(crate) fn readable(&self, address: u64, length: u64) -> Result<VolatileSlice<'_>, AccessError> {
        self.reachable(Access::Read, address, length)
    }

    /// Memory that the guest may write, for the tender to write.
    pub(crate) fn writable(&self, address: u64, length: u64) -> Result<VolatileSlice<'_>, AccessError> {
        self.reachable(Access::Write, address, length)
    }

    fn reachable(&self, access: Access, address: u64, length: u64) -> Result<VolatileSlice<'_>, AccessError> {
        let slice = self.slice(access, address, length)?;
        // Compared with the memory's end above, so the sum is no overflow.
        let range = address..address + length;
        let lowest = match access {
            Access::Read => BOOT_INFO_ADDRESS,
            Access::Write => LOAD_ADDRESS_MIN,
        };
        let forbidden = |(pages, protection): &(Range<u64>, Protection)| {
            let overlaps = pages.start < range.end && range.start < pages.end;
            overlaps && !access.is_allowed_by(*protection)
        };
        if length > 0 && (address < lowest || self.segments.iter().any(forbidden)) {
            return Err(AccessError::Forbidden {
                access,
                address,
                length,
            });
        }
        Ok(slice)
    }

    fn slice(&self, access: Access, address: u64, length: u64) -> Result<VolatileSlice<'_>, AccessError> {
        let outside = AccessError::Outside {
            access,
            address,
            length,
        };
        match (usize::try_from(address), usize::try_from(length)) {
            // It compares start, length and their sum with the mapping.
            (Ok(start), Ok(count)) => self.region.get_slice(start, count).map_err(|_| outside),
            _ => Err(outside),
        }
    }
}

/// What is to be done to memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Access {
    fn is_allowed_by(self, protection: Protection) -> bool {
        match self {
            // x86 has no memory that can be written and not read.
            Self::Read => protection.read() || protection.write() || protection.execute(),
            Self::Write => protection.write(),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// A range that the tender does not touch for the guest. Can be printed without allocating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccessError {
    #[error("{access} of {length} bytes at {address:#x}: outside of the unikernel's memory")]
    Outside { access: Access, address: u64, length: u64 },
    #[error("{access} of {length} bytes at {address:#x}: the unikernel may not {access} there")]
    Forbidden { access: Access, address: u64, length: u64 },
}

/// What went wrong with the memory before the guest ran.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    #[error("memory: more than this host can address")]
    AddressSpace,
    #[error("memory: {} MiB could not be mapped: {error}", bytes >> 20)]
    Map { bytes: usize, error: MmapRegionError },
    #[error("memory: {0}")]
    Access(#[from] AccessError),
    #[error("the unikernel's file cannot be read: {0}")]
    File(io::Error),
    #[error("memory: {start:#x} to {end:#x} could not be protected: {error}")]
    Protect { start: u64, end: u64, error: Errno },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const END: u64 = 4 << 20;
    const TEXT: Range<u64> = 0x10_0000..0x10_2000;
    const READ_ONLY: Range<u64> = 0x10_2000..0x10_3000;
    const DATA: Range<u64> = 0x10_3000..0x10_4000;
    const NOTHING: Range<u64> = 0x10_5000..0x10_6000;

    fn protection(flags: u32) -> Protection {
        Protection::from_flags(flags).unwrap()
    }

    fn memory() -> GuestMemory {
        let mut memory = GuestMemory::map(END).unwrap();
        for (pages, flags) in [(TEXT, 5), (READ_ONLY, 4), (DATA, 6), (NOTHING, 0)] {
            memory.protect(pages, protection(flags)).unwrap();
        }
        memory
    }

    /// The rule, byte by byte.
    fn may(access: Access, address: u64) -> bool {
        let is_in = |range: Range<u64>| range.contains(&address);
        match access {
            Access::Read => (0x1_0000..END).contains(&address) && !is_in(NOTHING),
            Access::Write => {
                (0x10_0000..END).contains(&address) && !is_in(TEXT) && !is_in(READ_ONLY) && !is_in(NOTHING)
            }
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_outside_is_named() {
        let mut memory = memory();
        memory.load(END - 4, b"last").unwrap();
        let mut bytes = [0; 4];
        memory.readable(END - 4, 4).unwrap().copy_to(&mut bytes);
        assert_eq!(&bytes, b"last");
        assert_eq!(
            memory.readable(END - 4, 5).unwrap_err().to_string(),
            "read of 5 bytes at 0x3ffffc: outside of the unikernel's memory"
        );
        assert_eq!(
            memory.writable(u64::MAX, 2).unwrap_err().to_string(),
            "write of 2 bytes at 0xffffffffffffffff: outside of the unikernel's memory"
        );
        assert_eq!(
            memory.writable(0x10_1fff, 1).unwrap_err().to_string(),
            "write of 1 bytes at 0x101fff: the unikernel may not write there"
        );
        assert!(memory.load(END - 3, b"last").is_err());
    }

    /// Addresses near all the borders there are, and lengths that reach over several of them.
    fn ranges() -> impl Strategy<Value = (u64, u64)> {
        let borders = [
            0,
            0x1_0000,
            TEXT.start,
            TEXT.end,
            DATA.start,
            DATA.end,
            NOTHING.start,
            NOTHING.end,
            END,
        ];
        let near = (prop::sample::select(borders.to_vec()), -3..3_i64);
        let near = near.prop_map(|(border, step)| border.wrapping_add_signed(step));
        let address = prop_oneof![near, any::<u64>(), 0..END];
        let length = prop_oneof![0..9_u64, 0..0x3000_u64, any::<u64>(), Just(u64::MAX)];
        (address, length)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_range_is_reached_exactly_if_the_guest_may_do_so_to_each_of_its_bytes((address, length) in ranges()) {
            let memory = memory();
            for access in [Access::Read, Access::Write] {
                let slice = memory.reachable(access, address, length);
                let fits = address.checked_add(length).is_some_and(|end| end <= END);
                let expected = fits && (address..address + length).all(|address| may(access, address));
                prop_assert_eq!(slice.is_ok(), expected);
                if let Ok(slice) = slice {
                    prop_assert_eq!(slice.len() as u64, length);
                }
            }
        }
    }
}
