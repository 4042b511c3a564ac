//! The guest's frames, to and from its taps.
//!
//! A frame goes through a buffer of the tender's, long enough for every one that the kernel lets through. So one that the
//! guest's own buffer cannot hold is seen, dropped, and told on standard error: it is never cut. A tap that is taken away ends the
//! guest, as under Solo5: the kernel would call it ready for ever, and a guest that tries again would never rest.
#![expect(unsafe_code, reason = "writes from the guest's memory, of which Rust has no slice")]

use std::fmt;
use std::io::Error;
use std::os::fd::{AsFd, AsRawFd};

use super::Guest;
use super::exit::Stop;
use super::hypercall::{Call, Outcome};
use crate::devices::Devices;
use crate::last_words;

/// A frame on its way in, and which interfaces have lost one.
#[derive(Debug)]
pub(super) struct Inbox {
    frame: Vec<u8>,
    lossy_handles: u64,
}

/// Whose frame, and where in the guest's memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) handle: u64,
    pub(super) address: u64,
    pub(super) length: u64,
}

impl Inbox {
    /// With room for the longest frame of any interface.
    pub(super) fn new(devices: &Devices) -> Self {
        let longest = devices.nets().map(|(_, tap)| tap.frame_bytes_max()).max();
        Self {
            frame: vec![0; longest.unwrap_or_default()],
            lossy_handles: 0,
        }
    }
}

/// Sends a frame.
pub(super) fn write(guest: &Guest, access: Access) -> Result<Outcome, Stop> {
    let Some(tap) = guest.devices.net(access.handle) else {
        return Ok(Outcome::Invalid);
    };
    let frame = guest.memory.readable(access.address, access.length);
    let frame = frame.map_err(|error| Stop::Access(Call::NetWrite, error))?;
    let guard = frame.ptr_guard();
    loop {
        // SAFETY: the frame lies in the guest's mapping and may be read; the guest does not run meanwhile.
        let count = unsafe { libc::write(tap.as_fd().as_raw_fd(), guard.as_ptr().cast(), frame.len()) };
        match usize::try_from(count) {
            Ok(count) if count == frame.len() => return Ok(Outcome::Ok),
            Ok(_) => return Ok(Outcome::Unspecified),
            Err(_) => match last_error() {
                libc::EINTR => {}
                libc::EAGAIN => return Ok(Outcome::Again),
                // No frame at all, such as one without a header.
                libc::EINVAL => return Ok(Outcome::Invalid),
                libc::EBADFD => return Err(gone(access.handle)),
                // Such as an interface that is down.
                _ => return Ok(Outcome::Unspecified),
            },
        }
    }
}

/// Receives a frame, and says how long it is.
pub(super) fn read(guest: &mut Guest, access: Access) -> Result<(Outcome, usize), Stop> {
    let Some(tap) = guest.devices.net(access.handle) else {
        return Ok((Outcome::Invalid, 0));
    };
    let to = guest.memory.writable(access.address, access.length);
    let to = to.map_err(|error| Stop::Access(Call::NetRead, error))?;
    let frame = &mut guest.inbox.frame;
    let count = loop {
        // SAFETY: the kernel writes at most as many bytes as `frame` has.
        let count = unsafe { libc::read(tap.as_fd().as_raw_fd(), frame.as_mut_ptr().cast(), frame.len()) };
        match usize::try_from(count) {
            Ok(0) => return Ok((Outcome::Again, 0)),
            Ok(count) => break count,
            Err(_) => match last_error() {
                libc::EINTR => {}
                libc::EAGAIN => return Ok((Outcome::Again, 0)),
                _ => return Err(gone(access.handle)),
            },
        }
    };
    if count > to.len() {
        let handle = 1_u64 << access.handle;
        if guest.inbox.lossy_handles & handle == 0 {
            guest.inbox.lossy_handles |= handle;
            last_words::say_short(&Dropped {
                handle: access.handle,
                frame_bytes: count,
                buffer_bytes: to.len(),
            });
        }
        return Ok((Outcome::Again, 0));
    }
    to.copy_from(&frame[..count]);
    Ok((Outcome::Ok, count))
}

fn last_error() -> i32 {
    Error::last_os_error().raw_os_error().unwrap_or_default()
}

fn gone(handle: u64) -> Stop {
    let number = last_error();
    Stop::Tap { handle, number }
}

struct Dropped {
    handle: u64,
    frame_bytes: usize,
    buffer_bytes: usize,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            handle,
            frame_bytes,
            buffer_bytes,
        } = self;
        write!(
            f,
            "network device with handle {handle}: a frame of {frame_bytes} bytes was dropped, since the unikernel's buffer \
             holds {buffer_bytes}; this is said once"
        )
    }
}
