//! What the guest prints, to standard output.
//!
//! Text that nobody takes is lost, and the guest goes on: a descriptor that does not block may be full, and a reader may be
//! gone. A descriptor that blocks makes the guest wait.
#![expect(unsafe_code, reason = "writes from the guest's memory, of which Rust has no slice")]

use std::io::{Error, ErrorKind};

use vm_memory::VolatileSlice;

/// Writes all of it, or as much as is taken.
pub(super) fn write(text: &VolatileSlice<'_>) {
    let mut written = 0;
    while let Ok(rest) = text.offset(written)
        && !rest.is_empty()
    {
        let guard = rest.ptr_guard();
        // SAFETY: the slice lies in the guest's mapping and may be read; the guest does not run meanwhile.
        let result = unsafe { libc::write(libc::STDOUT_FILENO, guard.as_ptr().cast(), rest.len()) };
        match usize::try_from(result) {
            Ok(0) => return,
            Ok(count) => written += count,
            Err(_) if Error::last_os_error().kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
