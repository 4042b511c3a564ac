//! What an `hvt` guest can ask of the tender, and the answers.
//!
//! Every argument is a structure in the guest's memory, whose addresses and lengths are a stranger's: memory is reached
//! through [`GuestMemory`] only, and devices through their handles. A request about a device that cannot be met is answered; an
//! address that is not the guest's ends it. Nothing here allocates, and only the system calls of [`super::filter`] are made.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::exit::Stop;
use super::guest_memory::{AccessError, GuestMemory};
use super::{Guest, block, console, net, poll};

/// The longest argument, that of a block access.
const ARGUMENT_BYTES_MAX: usize = 40;
/// What a guest that halts may leave for a debugger, such as a trap frame: at least so much must be readable.
const HALT_COOKIE_BYTES: u64 = 512;

/// The hypercalls, each with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Walltime = 1,
    Puts = 2,
    Poll = 3,
    BlockWrite = 4,
    BlockRead = 5,
    NetWrite = 6,
    NetRead = 7,
    Halt = 8,
}

/// What becomes of the guest after a hypercall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    GoOn,
    /// It has ended with this status.
    Halted(i32),
}

/// What a hypercall about a device returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok = 0,
    /// Nothing there now.
    Again = 1,
    /// Not a request that this device can ever meet.
    Invalid = 2,
    /// The host failed.
    Unspecified = 3,
}

impl Call {
    pub(super) fn from_number(number: u16) -> Result<Self, Stop> {
        match number {
            1 => Ok(Self::Walltime),
            2 => Ok(Self::Puts),
            3 => Ok(Self::Poll),
            4 => Ok(Self::BlockWrite),
            5 => Ok(Self::BlockRead),
            6 => Ok(Self::NetWrite),
            7 => Ok(Self::NetRead),
            8 => Ok(Self::Halt),
            _ => Err(Stop::NoHypercall(number)),
        }
    }

    /// The size of the argument, with C's padding at its end.
    fn argument_bytes(self) -> usize {
        match self {
            Self::Walltime => 8,
            Self::Puts | Self::Halt => 16,
            Self::Poll => 24,
            Self::NetWrite | Self::NetRead => 32,
            Self::BlockWrite | Self::BlockRead => ARGUMENT_BYTES_MAX,
        }
    }

    /// Whether the tender writes to the argument.
    fn answers(self) -> bool {
        !matches!(self, Self::Puts | Self::Halt)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Walltime => "walltime",
            Self::Puts => "puts",
            Self::Poll => "poll",
            Self::BlockWrite => "block write",
            Self::BlockRead => "block read",
            Self::NetWrite => "net write",
            Self::NetRead => "net read",
            Self::Halt => "halt",
        })
    }
}

/// Does what the guest asks with the argument at `address`.
pub(super) fn serve(guest: &mut Guest, call: Call, address: u64) -> Result<Served, Stop> {
    let refuse = |error: AccessError| Stop::Access(call, error);
    let argument = Argument::read(&guest.memory, call, address).map_err(refuse)?;
    match call {
        Call::Walltime => argument.answer(&guest.memory, 0, &walltime_ns().to_le_bytes()),
        Call::Puts => puts(&guest.memory, &argument),
        Call::Poll => {
            let ready = poll::wait(&guest.events, argument.word(0)).map_err(Stop::Poll)?;
            argument
                .answer(&guest.memory, 8, &ready.handles.to_le_bytes())
                .and_then(|()| argument.answer(&guest.memory, 16, &ready.count.to_le_bytes()))
        }
        Call::BlockWrite => {
            let outcome = block::write(guest, argument.block_access()).map_err(refuse)?;
            argument.answer(&guest.memory, 32, &outcome.to_bytes())
        }
        Call::BlockRead => {
            let outcome = block::read(guest, argument.block_access()).map_err(refuse)?;
            argument.answer(&guest.memory, 32, &outcome.to_bytes())
        }
        Call::NetWrite => {
            let outcome = net::write(guest, argument.net_access()).map_err(refuse)?;
            argument.answer(&guest.memory, 24, &outcome.to_bytes())
        }
        Call::NetRead => {
            let (outcome, length) = net::read(guest, argument.net_access()).map_err(refuse)?;
            if outcome == Outcome::Ok {
                argument
                    .answer(&guest.memory, 16, &(length as u64).to_le_bytes())
                    .map_err(refuse)?;
            }
            argument.answer(&guest.memory, 24, &outcome.to_bytes())
        }
        Call::Halt => return halt(&guest.memory, &argument).map(Served::Halted).map_err(refuse),
    }
    .map_err(refuse)?;
    Ok(Served::GoOn)
}

fn puts(memory: &GuestMemory, argument: &Argument) -> Result<(), AccessError> {
    console::write(&memory.readable(argument.word(0), argument.word(8))?);
    Ok(())
}

fn halt(memory: &GuestMemory, argument: &Argument) -> Result<i32, AccessError> {
    let cookie = argument.word(0);
    if cookie != 0 {
        memory.readable(cookie, HALT_COOKIE_BYTES)?;
    }
    Ok(argument.int(8))
}

fn walltime_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl Outcome {
    fn to_bytes(self) -> [u8; 4] {
        (self as i32).to_le_bytes()
    }
}

/// A copy of a hypercall's argument: what the guest does to its memory later is of no concern.
struct Argument {
    address: u64,
    bytes: [u8; ARGUMENT_BYTES_MAX],
}

impl Argument {
    /// Copies it, after a look whether the answer can be written there.
    fn read(memory: &GuestMemory, call: Call, address: u64) -> Result<Self, AccessError> {
        let size = call.argument_bytes();
        let mut bytes = [0; ARGUMENT_BYTES_MAX];
        if call.answers() {
            memory.writable(address, size as u64)?;
        }
        memory.readable(address, size as u64)?.copy_to(&mut bytes[..size]);
        Ok(Self { address, bytes })
    }

    fn word(&self, offset: usize) -> u64 {
        let (words, _) = self.bytes.as_chunks::<8>();
        u64::from_le_bytes(words[offset / 8])
    }

    fn int(&self, offset: usize) -> i32 {
        let (ints, _) = self.bytes.as_chunks::<4>();
        i32::from_le_bytes(ints[offset / 4])
    }

    fn block_access(&self) -> block::Access {
        block::Access {
            handle: self.word(0),
            offset: self.word(8),
            address: self.word(16),
            length: self.word(24),
        }
    }

    fn net_access(&self) -> net::Access {
        net::Access {
            handle: self.word(0),
            address: self.word(8),
            length: self.word(16),
        }
    }

    /// Writes a part of the argument, in the guest's memory.
    fn answer(&self, memory: &GuestMemory, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        let slice = memory.writable(self.address.saturating_add(offset), bytes.len() as u64)?;
        slice.copy_from(bytes);
        Ok(())
    }
}
