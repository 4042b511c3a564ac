//! What the tender does to its own process so that nothing but the unikernel is left of it.
//!
//! Owns descriptors, signal dispositions, the personality, and the end. The system-call filters are the targets': each
//! needs another.
#![expect(
    unsafe_code,
    reason = "descriptors by number, signal dispositions and the personality are the C library's"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use fulmar_tender::exit_status;

/// Refuses to run where every readable page is executable: the unikernel's data would be.
pub(crate) fn refuse_executable_data() -> Result<(), ProcessError> {
    const QUERY: libc::c_ulong = 0xffff_ffff;
    // SAFETY: with this argument personality(2) only returns the current personality.
    let personality = unsafe { libc::personality(QUERY) };
    if personality & libc::READ_IMPLIES_EXEC != 0 {
        return Err(ProcessError::ExecutableData);
    }
    Ok(())
}

/// Closes every descriptor but the standard ones and `kept`. What a parent leaked (a lock, a listening socket) would
/// otherwise stay open as long as the unikernel runs.
///
/// Nothing in this process may own a descriptor that is closed here; the caller has dropped its files.
pub(crate) fn close_all_but<'a>(kept: impl Iterator<Item = BorrowedFd<'a>>) -> Result<(), ProcessError> {
    let kept = kept.filter_map(|descriptor| u32::try_from(descriptor.as_raw_fd()).ok());
    for (first, last) in gaps(kept.collect()) {
        // SAFETY: close_range(2) touches no memory. The descriptors have no owner in this process: it has one
        // thread, opened only what is in `kept`, and calls this after dropping the unikernel's file.
        let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        if result != 0 {
            return Err(ProcessError::CloseRange(io::Error::last_os_error()));
        }
    }
    Ok(())
}

/// The ranges of descriptors, both ends included, above the standard ones and between those in `kept`.
fn gaps(mut kept: Vec<u32>) -> Vec<(u32, u32)> {
    kept.sort_unstable();
    let mut gaps = Vec::new();
    let mut first = 3;
    for descriptor in kept {
        if first < descriptor {
            gaps.push((first, descriptor - 1));
        }
        first = first.max(descriptor + 1);
    }
    gaps.push((first, u32::MAX));
    gaps
}

/// Closes standard input: a unikernel has no use for it, and the parent's end of `--hold` sees the start as a hang-up.
pub(crate) fn close_standard_input() {
    // SAFETY: nothing reads standard input from here on; the tender opens no file either that could take its number.
    unsafe { libc::close(libc::STDIN_FILENO) };
}

/// Lets `SIGTERM` and `SIGINT` end the process with [`exit_status::TENDER_ERROR`], as under `solo5-hvt`.
pub(crate) fn end_at_termination() {
    extern "C" fn end(signal: libc::c_int) {
        let message: &[u8] = match signal {
            libc::SIGINT => b"fulmar-tender: ended by SIGINT\n",
            _ => b"fulmar-tender: ended by SIGTERM\n",
        };
        // SAFETY: write(2) and _exit(2) may be called from a signal's context, and the message is a constant.
        unsafe {
            libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
            libc::_exit(i32::from(exit_status::TENDER_ERROR));
        }
    }
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler calls only what may be called in a signal's context, and does not return.
        unsafe { libc::signal(signal, end as *const () as libc::sighandler_t) };
    }
}

/// Ends the process at once: behind a filter there is nothing that could be tidied up.
pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: _exit(2) runs no code of this process; the kernel takes back all that it had.
    unsafe { libc::_exit(status) }
}

/// Why the process cannot be made fit for a unikernel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("the personality READ_IMPLIES_EXEC is set, so the unikernel's data would be executable (see `setarch`)")]
    ExecutableData,
    #[error("inherited descriptors could not be closed: {0}")]
    CloseRange(io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_descriptors_are_closed_but_the_kept_ones() {
        assert_eq!(gaps(vec![]), [(3, u32::MAX)]);
        assert_eq!(gaps(vec![3, 4]), [(5, u32::MAX)]);
        assert_eq!(gaps(vec![9, 1, 4, 5]), [(3, 3), (6, 8), (10, u32::MAX)]);
    }
}
