//! The guest's disk accesses: each is done whole, or not at all as far as the guest is told.
#![expect(
    unsafe_code,
    reason = "reads and writes the guest's memory, of which Rust has no slice"
)]

use std::io::{Error, ErrorKind};
use std::os::fd::{AsFd, AsRawFd};

use vm_memory::VolatileSlice;

use super::Guest;
use super::guest_memory::AccessError;
use super::hypercall::Outcome;

/// Where on which disk, and where in the guest's memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) handle: u64,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) length: u64,
}

/// Writes from the guest's memory to the disk.
pub(super) fn write(guest: &Guest, access: Access) -> Result<Outcome, AccessError> {
    let Some(file) = guest.devices.block(access.handle) else {
        return Ok(Outcome::Invalid);
    };
    if !file.holds(access.offset, access.length) {
        return Ok(Outcome::Invalid);
    }
    let from = guest.memory.readable(access.address, access.length)?;
    let file = file.as_fd().as_raw_fd();
    Ok(transfer(&from, access.offset, |part, offset| {
        let guard = part.ptr_guard();
        // SAFETY: the part lies in the guest's mapping and may be read; the guest does not run meanwhile.
        unsafe { libc::pwrite(file, guard.as_ptr().cast(), part.len(), offset) }
    }))
}

/// Reads from the disk to the guest's memory.
pub(super) fn read(guest: &Guest, access: Access) -> Result<Outcome, AccessError> {
    let Some(file) = guest.devices.block(access.handle) else {
        return Ok(Outcome::Invalid);
    };
    if !file.holds(access.offset, access.length) {
        return Ok(Outcome::Invalid);
    }
    let to = guest.memory.writable(access.address, access.length)?;
    let file = file.as_fd().as_raw_fd();
    Ok(transfer(&to, access.offset, |part, offset| {
        let guard = part.ptr_guard_mut();
        // SAFETY: the part lies in the guest's mapping and may be written; no Rust value lies there.
        unsafe { libc::pread(file, guard.as_ptr().cast(), part.len(), offset) }
    }))
}

/// Repeats a call until all is done: the kernel does at most 2 GiB at once, and signals interrupt it.
fn transfer(
    memory: &VolatileSlice<'_>,
    offset: u64,
    call: impl Fn(&VolatileSlice<'_>, libc::off_t) -> libc::ssize_t,
) -> Outcome {
    let mut done = 0;
    while let Ok(rest) = memory.offset(done) {
        if rest.is_empty() {
            return Outcome::Ok;
        }
        let Ok(at) = libc::off_t::try_from(offset + done as u64) else {
            return Outcome::Unspecified;
        };
        match usize::try_from(call(&rest, at)) {
            // The file has become shorter.
            Ok(0) => return Outcome::Unspecified,
            Ok(count) => done += count,
            Err(_) if Error::last_os_error().kind() == ErrorKind::Interrupted => {}
            Err(_) => return Outcome::Unspecified,
        }
    }
    Outcome::Unspecified
}
