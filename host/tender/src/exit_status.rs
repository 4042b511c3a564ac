//! The exit statuses of the program `fulmar-tender` that are not simply the unikernel's own.
//!
//! A unikernel may end with any status, also with these: a status is a hint for a person, and a reason to restart or
//! not; it proves nothing about what happened. A unikernel that is killed has no status but a signal: `SIGSYS` for a
//! system call that the filter does not allow, `SIGSEGV` for a fault.

/// `--help` and `--version`; and what a unikernel returns when all is well.
pub const SUCCESS: u8 = 0;

/// The tender could not run the unikernel, and said why on standard error.
pub const TENDER_ERROR: u8 = 1;

/// The unikernel gave up by itself (`solo5_abort`).
pub const ABORTED: u8 = 255;
