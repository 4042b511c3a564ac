//! The guest's memory, mapped into the tender's address space at the guest's own addresses.
//!
//! Every address is checked against the mapping, so nothing here can touch the tender's own memory. Nothing is touched
//! before it is used either: 4 GiB are mapped as fast as 32 MiB, and cost the host as little.
#![expect(
    unsafe_code,
    reason = "maps, fills and protects memory at addresses that Rust did not allocate"
)]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::ptr::{copy_nonoverlapping, with_exposed_provenance_mut};

use fulmar_tender::{Protection, Segment};
use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};

use crate::file_part;

/// Where the mapping begins. Linux maps nothing below 64 KiB for unprivileged programs (`vm.mmap_min_addr`), so a
/// guest's null pointers fault.
const START: u64 = 0x1_0000;

/// Addresses [`START`] to the memory size, readable and writable, zero until written. Stays mapped for the life of the
/// process: it is the guest.
pub(crate) struct GuestMemory {
    end: u64,
}

impl GuestMemory {
    /// Maps a guest's memory of `memory_bytes`, a whole number of MiB and at least one.
    pub(crate) fn map(memory_bytes: u64) -> Result<Self, MemoryError> {
        let memory = Self { end: memory_bytes };
        let (start, length) = memory.host_range(START..memory_bytes)?;
        // SAFETY: FIXED_NOREPLACE makes the kernel refuse a range that holds any mapping of this process, so no
        // memory that Rust knows of changes.
        let mapped = unsafe {
            mmap_anonymous(
                start.cast(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE,
            )
        };
        match mapped {
            // A kernel before 4.17 knows no FIXED_NOREPLACE and may map elsewhere.
            Ok(address) if address == start.cast() => Ok(memory),
            Ok(_) | Err(Errno::EXIST) => Err(MemoryError::Taken { end: memory_bytes }),
            Err(error) => Err(MemoryError::Map {
                memory_mib: memory_bytes >> 20,
                error,
            }),
        }
    }

    /// Copies `bytes` to the guest's `address`.
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), MemoryError> {
        let end = address.checked_add(bytes.len() as u64).ok_or(MemoryError::Outside {
            start: address,
            end: u64::MAX,
        })?;
        let (start, length) = self.host_range(address..end)?;
        // SAFETY: `host_range` has checked that all of it lies in the mapping, which no Rust value overlaps, and
        // which is written before `protect` may take the permission away (else it faults, and that is all).
        unsafe { copy_nonoverlapping(bytes.as_ptr(), start, length) };
        Ok(())
    }

    /// Copies a segment's bytes out of the unikernel's file to where they belong.
    pub(crate) fn load_from(&mut self, file: &File, segment: &Segment) -> Result<(), MemoryError> {
        let Range { start: offset, end } = segment.file();
        let address = segment.address();
        let end = address.checked_add((end - offset) as u64).ok_or(MemoryError::Outside {
            start: address,
            end: u64::MAX,
        })?;
        let (start, length) = self.host_range(address..end)?;
        // SAFETY: `host_range` has checked that all of it lies in the mapping, which no Rust value overlaps.
        unsafe { file_part::read(file, offset, start, length) }.map_err(MemoryError::File)
    }

    /// Sets what the guest may do to `pages`, whose ends are page-aligned.
    pub(crate) fn protect(&mut self, pages: Range<u64>, protection: Protection) -> Result<(), MemoryError> {
        let mut flags = MprotectFlags::empty();
        flags.set(MprotectFlags::READ, protection.read());
        flags.set(MprotectFlags::WRITE, protection.write());
        flags.set(MprotectFlags::EXEC, protection.execute());
        let (start, length) = self.host_range(pages.clone())?;
        // SAFETY: `host_range` has checked that all pages belong to the mapping; no Rust value lies in it.
        unsafe { mprotect(start.cast(), length, flags) }.map_err(|error| MemoryError::Protect {
            start: pages.start,
            end: pages.end,
            error,
        })
    }

    /// The first address above the guest's memory, which is also its size in bytes.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    fn host_range(&self, range: Range<u64>) -> Result<(*mut u8, usize), MemoryError> {
        let outside = MemoryError::Outside {
            start: range.start,
            end: range.end,
        };
        if range.start < START || range.end > self.end || range.is_empty() {
            return Err(outside);
        }
        match (usize::try_from(range.start), usize::try_from(range.end)) {
            (Ok(start), Ok(end)) => Ok((with_exposed_provenance_mut(start), end - start)),
            _ => Err(outside),
        }
    }
}

/// What went wrong with the guest's memory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    #[error("memory: {memory_mib} MiB could not be mapped: {error}")]
    Map { memory_mib: u64, error: Errno },
    #[error("memory: a part of {START:#x} to {end:#x} is taken; the tender must be a position-independent program")]
    Taken { end: u64 },
    #[error("memory: {start:#x} to {end:#x} is outside of the unikernel's memory")]
    Outside { start: u64, end: u64 },
    #[error("the unikernel's file cannot be read: {0}")]
    File(io::Error),
    #[error("memory: {start:#x} to {end:#x} could not be protected: {error}")]
    Protect { start: u64, end: u64, error: Errno },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mapping_can_be_reached() {
        let memory = GuestMemory { end: 2 << 20 };
        for range in [
            0..1,
            0xffff..0x1_0001,
            0x1f_ffff..0x20_0001,
            0x20_0000..0x20_0001,
            0x1_0000..0x1_0000,
        ] {
            let error = memory.host_range(range.clone()).unwrap_err();
            let message = format!(
                "memory: {:#x} to {:#x} is outside of the unikernel's memory",
                range.start, range.end
            );
            assert_eq!(error.to_string(), message);
        }
        assert!(memory.host_range(0x1_0000..0x20_0000).is_ok());
    }
}
