//! The first function of the process, in place of the one that Rust's library brings.
//!
//! That one makes itself ready to tell a stack overflow from other faults: it reads the process's mappings, and sets handlers
//! and a stack for them. This takes a tenth of the time in which an `spt` unikernel starts and ends, and a guest's fault must
//! not find any of it. What the tender needs of it is here: open standard descriptors, and no death by a closed pipe.
#![expect(
    unsafe_code,
    reason = "takes the arguments as C hands them over, and sets up what Rust has not"
)]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use fulmar_tender::exit_status;

use crate::last_words;

/// What the C library calls.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, values: *const *const c_char) -> c_int {
    if !open_standard_descriptors() {
        last_words::say(&"a standard descriptor is closed, and `/dev/null` cannot be opened in its place");
        return c_int::from(exit_status::TENDER_ERROR);
    }
    ignore_closed_pipes();
    let count = usize::try_from(count).unwrap_or_default();
    // SAFETY: C promises `count` pointers to strings that live as long as the process.
    let arguments = (1..count).map(|index| unsafe { CStr::from_ptr(*values.add(index)) });
    let arguments: Vec<OsString> = arguments
        .map(|argument| OsStr::from_bytes(argument.to_bytes()).to_owned())
        .collect();
    c_int::from(crate::run(arguments.into_iter()))
}

/// Opens `/dev/null` for each standard descriptor that the parent has left closed, or says that it cannot: another file of that
/// number, such as a disk, would get what is meant for the console.
fn open_standard_descriptors() -> bool {
    (libc::STDIN_FILENO..=libc::STDERR_FILENO).all(|number| {
        // SAFETY: fcntl(2) only asks. open(2) takes the lowest number that is free, which is this one.
        unsafe { libc::fcntl(number, libc::F_GETFD) != -1 || libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) == number }
    })
}

/// Ignores `SIGPIPE`. Under Solo5's tenders it kills: a unikernel ends with the next line it prints after the reader of its
/// console is gone. Unikernels here outlive the daemon that reads their console, so the line is lost instead.
///
/// Everything else stays as the parent set it: `SIGTERM` normally kills an `spt` unikernel, and ends an `hvt` one by
/// [`crate::process::end_at_termination`]. A fault kills, since nobody handles it.
fn ignore_closed_pipes() {
    // SAFETY: the disposition names no function, so no code can run in a signal's context.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}
