//! What the tender says in the end, without allocating: behind a filter there is no more memory to be had.

use std::fmt::Display;
use std::io::{Write, stderr};

/// Far more than any message has.
const LINE_BYTES_MAX: usize = 512;

/// Writes one line to standard error, as one write.
pub(crate) fn say(message: &impl Display) {
    let mut line = [0; LINE_BYTES_MAX];
    let mut rest = &mut line[..];
    // What does not fit is cut off, and where standard error is gone, the status still tells.
    let _ = writeln!(rest, "fulmar-tender: {message}");
    let unused = rest.len();
    let _ = stderr().write_all(&line[..LINE_BYTES_MAX - unused]);
}
