//! Running an `spt` unikernel: the order of the steps, from a checked image to its first instruction.
//!
//! The unikernel is loaded into this very process, at the addresses it was linked for, and makes its few system calls
//! itself, behind a filter that allows nothing else. So everything that needs any other system call comes first, and
//! what comes last cannot be undone.
//!
//! Two things are the parent's to decide. The guest can read the tender's memory, so the environment should hold no
//! secrets. And what standard output does when nobody reads is what the guest's `write` returns: it waits where the
//! descriptor is blocking, and fails where it is not; Solo5's bindings lose the text then.

mod boot_info;
mod filter;
mod guest_memory;
mod x86_64;

use std::convert::Infallible;
use std::fs::File;
use std::os::fd::AsRawFd;

use fulmar_tender::Image;
use rustix::io::Errno;

use crate::devices::{Descriptors, Devices};
use crate::events::Events;
use crate::hold::{self, HoldError};
use crate::options::{RunOptions, Start};
use crate::process::{self, ProcessError};
use boot_info::BootInfo;
use guest_memory::{GuestMemory, MemoryError};

/// Loads `image` out of `file`, and becomes it, with the devices that it declares. It fits the memory.
pub(crate) fn run(
    image: &Image,
    file: File,
    memory_bytes: u64,
    devices: &Devices,
    options: &RunOptions,
) -> Result<Infallible, SptError> {
    process::refuse_executable_data()?;
    let mut memory = GuestMemory::map(memory_bytes)?;
    for segment in image.segments() {
        memory.load_from(&file, segment)?;
        memory.protect(segment.pages(), segment.protection())?;
    }
    drop(file);

    let events = Events::new(devices).map_err(SptError::Events)?;
    let boot_info = BootInfo {
        memory_bytes,
        kernel_end: image.kernel_end(),
        epoll: events.epoll().as_raw_fd(),
        timer: events.timer().as_raw_fd(),
        manifest: &image.manifest().to_bytes_with(&devices.attachments(Descriptors::Shown)),
        command_line: &options.command_line,
    };
    memory.write(boot_info::ADDRESS, &boot_info.to_bytes())?;
    let filter = filter::compile(devices, &events).map_err(SptError::Filter)?;

    let kept = [events.epoll(), events.timer()].into_iter();
    process::close_all_but(kept.chain(devices.descriptors()))?;
    if options.start == Start::Held {
        hold::wait_for_parent()?;
    }
    process::close_standard_input();
    crate::filter::install(&filter)?;
    x86_64::enter(&memory, image.entry(), boot_info::ADDRESS)
}

/// Why a unikernel could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SptError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("the timer or the epoll set could not be made: {0}")]
    Events(Errno),
    #[error("the system-call filter could not be compiled: {0}")]
    Filter(seccompiler::BackendError),
    #[error(transparent)]
    Hold(#[from] HoldError),
    #[error("the system-call filter could not be installed: {0}")]
    Install(#[from] seccompiler::Error),
}
