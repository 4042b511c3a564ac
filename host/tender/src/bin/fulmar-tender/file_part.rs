//! Reading a part of a file to memory that no Rust value lies in: the guest's.
//!
//! Without a buffer in between, which would cost large unikernels as much time as all the rest of their start.
#![expect(unsafe_code, reason = "reads to an address")]

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::AsRawFd;

/// Reads exactly `length` bytes from `offset` of `file` to `to`.
///
/// # Safety
/// `to` is the start of `length` bytes of this process that may be written, and of which Rust knows nothing.
pub(crate) unsafe fn read(file: &File, offset: usize, to: *mut u8, length: usize) -> Result<()> {
    let mut done = 0;
    while done < length {
        let at = libc::off_t::try_from(offset + done).map_err(Error::other)?;
        // SAFETY: `done` is below `length`, and so many bytes are left from there.
        let count = unsafe { libc::pread(file.as_raw_fd(), to.add(done).cast(), length - done, at) };
        match usize::try_from(count) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(_) => match Error::last_os_error() {
                error if error.kind() == ErrorKind::Interrupted => {}
                error => return Err(error),
            },
        }
    }
    Ok(())
}
