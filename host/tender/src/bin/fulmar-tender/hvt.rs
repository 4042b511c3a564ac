//! Running an `hvt` unikernel: the order of the steps, from a checked image to its end.
//!
//! The unikernel runs in a virtual machine of one processor, in this thread. What it wants it asks for by hypercalls, which
//! [`hypercall`] answers; [`exit`] tells why it left the processor. Everything that opens, maps or allocates comes before the
//! filter is installed; after it the process can only serve the guest, and end.
#![expect(unsafe_code, reason = "KVM's crate tells the processor's descriptor by number only")]

mod block;
mod boot_info;
mod console;
mod exit;
mod filter;
mod guest_memory;
mod hypercall;
mod machine;
mod net;
mod poll;
mod x86_64;

use std::convert::Infallible;
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd};

use fulmar_tender::{Image, exit_status};
use kvm_ioctls::VcpuFd;
use rustix::io::Errno;
use x86_64 as arch;

use crate::devices::{Descriptors, Devices};
use crate::events::Events;
use crate::hold::{self, HoldError};
use crate::last_words;
use crate::options::{RunOptions, Start};
use crate::process::{self, ProcessError};
use boot_info::BootInfo;
use exit::{Exit, Stop};
use guest_memory::{AccessError, GuestMemory, MemoryError};
use hypercall::{Call, Served};
use machine::{Machine, MachineError};
use net::Inbox;

/// What a guest has, apart from its processor.
struct Guest {
    memory: GuestMemory,
    devices: Devices,
    events: Events,
    inbox: Inbox,
}

/// Loads `image` out of `file`, and runs it to its end with the devices that it declares. It fits the memory.
pub(crate) fn run(
    image: &Image,
    file: File,
    memory_bytes: u64,
    devices: Devices,
    options: &RunOptions,
) -> Result<Infallible, HvtError> {
    process::refuse_executable_data()?;
    process::end_at_termination();
    let mut memory = load(image, &file, memory_bytes)?;
    drop(file);
    let Machine {
        mut vcpu,
        cycles_per_second,
    } = Machine::build(&memory, image.entry())?;
    let boot_info = BootInfo {
        memory_bytes: memory.bytes(),
        kernel_end: image.kernel_end(),
        cycles_per_second,
        manifest: &image
            .manifest()
            .to_bytes_with(&devices.attachments(Descriptors::Hidden)),
        command_line: &options.command_line,
    };
    memory.load(arch::BOOT_INFO_ADDRESS, &boot_info.to_bytes())?;

    let events = Events::new(&devices).map_err(HvtError::Events)?;
    let processor = descriptor(&vcpu);
    let filter = filter::compile(processor, &devices, &events).map_err(HvtError::Filter)?;
    let kept = [processor, events.epoll(), events.timer()].into_iter();
    process::close_all_but(kept.chain(devices.descriptors()))?;
    if options.start == Start::Held {
        hold::wait_for_parent()?;
    }
    process::close_standard_input();
    let mut guest = Guest {
        inbox: Inbox::new(&devices),
        memory,
        devices,
        events,
    };
    crate::filter::install(&filter)?;
    process::exit(match serve(&mut vcpu, &mut guest) {
        // As for every process, only the lowest 8 bits count.
        Ok(status) => status,
        Err(stop) => {
            last_words::say_short(&stop);
            i32::from(exit_status::TENDER_ERROR)
        }
    })
}

fn load(image: &Image, file: &File, memory_bytes: u64) -> Result<GuestMemory, MemoryError> {
    let mut memory = GuestMemory::map(memory_bytes)?;
    arch::prepare_memory(&mut memory)?;
    for segment in image.segments() {
        memory.load_from(file, segment)?;
        memory.protect(segment.pages(), segment.protection())?;
    }
    Ok(memory)
}

/// Runs the guest, and does what it asks for, until it halts.
fn serve(vcpu: &mut VcpuFd, guest: &mut Guest) -> Result<i32, Stop> {
    loop {
        let Exit::Hypercall { number, argument } = arch::run(vcpu, guest.memory.bytes())? else {
            continue;
        };
        let call = Call::from_number(number)?;
        if let Served::Halted(status) = hypercall::serve(guest, call, argument)? {
            return Ok(status);
        }
    }
}

fn descriptor(vcpu: &VcpuFd) -> BorrowedFd<'_> {
    // SAFETY: it is open as long as the processor lives, from which the result borrows.
    unsafe { BorrowedFd::borrow_raw(vcpu.as_raw_fd()) }
}

/// Why a unikernel could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HvtError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("memory: {0}")]
    Access(#[from] AccessError),
    #[error(transparent)]
    Machine(#[from] MachineError),
    #[error("the timer or the epoll set could not be made: {0}")]
    Events(Errno),
    #[error("the system-call filter could not be compiled: {0}")]
    Filter(seccompiler::BackendError),
    #[error(transparent)]
    Hold(#[from] HoldError),
    #[error("the system-call filter could not be installed: {0}")]
    Install(#[from] seccompiler::Error),
}
