//! Waiting for the parent's word before the first instruction (`--hold`).
//!
//! The tender says that everything is loaded, the parent records what it has started, and only then lets the unikernel
//! run. A parent that dies in between closes its end of the socket, and the tender ends without having run anything:
//! what was not recorded has done nothing. Owns the two bytes of this conversation; the socket is standard input.

use std::io;

use fulmar_tender::HELD;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read, retry_on_intr, write};

/// Says [`HELD`] and returns when the parent has answered with a byte, whichever.
pub(crate) fn wait_for_parent() -> Result<(), HoldError> {
    let socket = io::stdin();
    match retry_on_intr(|| write(&socket, &[HELD])) {
        Ok(_) => {}
        Err(Errno::PIPE | Errno::CONNRESET) => return Err(HoldError::Abandoned),
        Err(error) => return Err(HoldError::Socket(error)),
    }
    let mut answer = [0];
    loop {
        match read(&socket, &mut answer) {
            Ok(0) | Err(Errno::CONNRESET) => return Err(HoldError::Abandoned),
            Ok(_) => return Ok(()),
            // The parent may have made the socket non-blocking, as asynchronous programs do.
            Err(Errno::AGAIN) => wait_until_readable(&socket)?,
            Err(Errno::INTR) => {}
            Err(error) => return Err(HoldError::Socket(error)),
        }
    }
}

fn wait_until_readable(socket: &io::Stdin) -> Result<(), HoldError> {
    let mut sockets = [PollFd::new(socket, PollFlags::IN)];
    match poll(&mut sockets, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(HoldError::Socket(error)),
    }
}

/// Why a held unikernel does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HoldError {
    #[error("held: the parent closed the socket, so the unikernel was not started")]
    Abandoned,
    #[error("held: standard input must be a socket to the parent: {0}")]
    Socket(Errno),
}
