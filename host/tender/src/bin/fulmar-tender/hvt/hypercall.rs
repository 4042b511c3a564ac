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
            let outcome = net::write(guest, argument.net_access())?;
            argument.answer(&guest.memory, 24, &outcome.to_bytes())
        }
        Call::NetRead => {
            let (outcome, length) = net::read(guest, argument.net_access())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::block::BlockFile;
    use crate::devices::{Attached, Devices};
    use crate::events::Events;
    use crate::hvt::net::Inbox;
    use proptest::prelude::*;
    use std::os::unix::fs::FileExt;

    const MEMORY_BYTES: u64 = 4 << 20;
    /// Where the tests put arguments, and what they point to.
    const ARGUMENT: u64 = 0x20_0000;
    const DATA: u64 = 0x20_1000;

    /// A guest with a disk of 4 sectors under handle 1.
    fn guest() -> (Guest, std::fs::File) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(2048).unwrap();
        let disk = BlockFile::new(file.try_clone().unwrap(), None).unwrap();
        let devices = Devices::of(vec![Attached::Block(disk)]);
        let guest = Guest {
            memory: GuestMemory::map(MEMORY_BYTES).unwrap(),
            events: Events::new(&devices).unwrap(),
            inbox: Inbox::new(&devices),
            devices,
        };
        (guest, file)
    }

    /// Makes the call with these words as its argument, and reads them back.
    fn call(guest: &mut Guest, call: Call, words: &[u64]) -> Result<Vec<u64>, Stop> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        guest.memory.load(ARGUMENT, &bytes).unwrap();
        assert_eq!(serve(guest, call, ARGUMENT)?, Served::GoOn);
        let mut bytes = vec![0; bytes.len()];
        guest
            .memory
            .readable(ARGUMENT, bytes.len() as u64)
            .unwrap()
            .copy_to(&mut bytes);
        Ok(bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| u64::from_le_bytes(*word))
            .collect())
    }

    #[test]
    fn every_hypercall_has_its_number_and_no_other_number_has_one() {
        for number in 0..=u16::MAX {
            match Call::from_number(number) {
                Ok(call) => assert_eq!(call as u16, number),
                Err(stop) => {
                    assert!(!(1..=8).contains(&number));
                    assert_eq!(
                        stop.to_string(),
                        format!("hypercall {number}: there is none of that number")
                    );
                }
            }
        }
    }

    #[test]
    fn the_wall_clock_is_told_in_nanoseconds() {
        let before = walltime_ns();
        let told = call(&mut guest().0, Call::Walltime, &[0]).unwrap()[0];
        assert!((before..=walltime_ns()).contains(&told));
    }

    #[test]
    fn a_sleep_ends_without_an_event() {
        assert_eq!(call(&mut guest().0, Call::Poll, &[1000, 7, 7]).unwrap(), [1000, 0, 0]);
    }

    #[test]
    fn what_was_written_to_a_disk_is_read_from_it() {
        let (mut guest, file) = guest();
        guest.memory.load(DATA, &[7; 1024]).unwrap();
        let write = [1, 512, DATA, 1024, 9];
        assert_eq!(
            call(&mut guest, Call::BlockWrite, &write).unwrap(),
            [1, 512, DATA, 1024, 0]
        );
        let mut disk = [1; 2048];
        file.read_exact_at(&mut disk, 0).unwrap();
        assert_eq!(disk, *[[0; 512], [7; 512], [7; 512], [0; 512]].as_flattened());

        let read = [1, 1024, DATA + 0x1000, 512, 9];
        assert_eq!(call(&mut guest, Call::BlockRead, &read).unwrap()[4], 0);
        let mut sector = [0_u8; 513];
        guest.memory.readable(DATA + 0x1000, 513).unwrap().copy_to(&mut sector);
        assert_eq!((sector[..512] == [7; 512], sector[512]), (true, 0));
    }

    #[test]
    fn what_no_disk_can_do_is_answered() {
        let (mut guest, file) = guest();
        for (handle, offset, length) in [
            (0, 0, 512),
            (2, 0, 512),
            (u64::MAX, 0, 512),
            (1, 2048, 512),
            (1, 1536, 1024),
            (1, 1, 512),
            (1, 0, 511),
            (1, u64::MAX - 511, 512),
            (1, 512, u64::MAX - 511),
        ] {
            for direction in [Call::BlockWrite, Call::BlockRead] {
                // Nothing is looked at where the access is wrong, so not even the address counts.
                let answer = call(&mut guest, direction, &[handle, offset, u64::MAX, length, 9]);
                assert_eq!(answer.unwrap()[4], 2, "{direction} {handle} {offset} {length}");
            }
        }
        assert_eq!(file.metadata().unwrap().len(), 2048);
    }

    #[test]
    fn a_file_that_has_become_shorter_is_the_hosts_fault() {
        let (mut guest, file) = guest();
        file.set_len(100).unwrap();
        let answer = call(&mut guest, Call::BlockRead, &[1, 0, DATA, 512, 9]).unwrap();
        assert_eq!(answer[4], 3);
    }

    #[test]
    fn a_disk_is_no_interface() {
        let (mut guest, _file) = guest();
        for handle in [0, 1, 2, 64, u64::MAX] {
            for direction in [Call::NetWrite, Call::NetRead] {
                let answer = call(&mut guest, direction, &[handle, DATA, 60, 9]).unwrap();
                assert_eq!(answer, [handle, DATA, 60, 2]);
            }
        }
    }

    #[test]
    fn a_guest_ends_with_the_status_it_says_and_may_leave_512_bytes() {
        let (mut guest, _file) = guest();
        let mut halt = |cookie: u64, status: i32| {
            let argument = [cookie.to_le_bytes(), i64::from(status).to_le_bytes()].concat();
            guest.memory.load(ARGUMENT, &argument).unwrap();
            serve(&mut guest, Call::Halt, ARGUMENT).map_err(|stop| stop.to_string())
        };
        assert_eq!(halt(0, 42), Ok(Served::Halted(42)));
        assert_eq!(halt(MEMORY_BYTES - 512, -1), Ok(Served::Halted(-1)));
        assert_eq!(
            halt(MEMORY_BYTES - 511, 0),
            Err("hypercall `halt`: read of 512 bytes at 0x3ffe01: outside of the unikernel's memory".to_owned())
        );
    }

    #[test]
    fn an_address_that_is_not_the_guests_ends_it() {
        let (mut guest, _file) = guest();
        let mut stop = |which, words: &[u64]| call(&mut guest, which, words).unwrap_err().to_string();
        assert_eq!(
            stop(Call::Puts, &[u64::MAX, 1]),
            "hypercall `puts`: read of 1 bytes at 0xffffffffffffffff: outside of the unikernel's memory"
        );
        assert_eq!(
            stop(Call::BlockRead, &[1, 0, 0x2000, 512, 0]),
            "hypercall `block read`: write of 512 bytes at 0x2000: the unikernel may not write there"
        );
        assert_eq!(
            stop(Call::BlockWrite, &[1, 0, MEMORY_BYTES - 511, 512, 0]),
            "hypercall `block write`: read of 512 bytes at 0x3ffe01: outside of the unikernel's memory"
        );
        let text = 0x30_0000;
        let protection = fulmar_tender::Protection::from_flags(5).unwrap();
        guest.memory.protect(text..text + 0x1000, protection).unwrap();
        assert_eq!(
            serve(&mut guest, Call::Walltime, text).unwrap_err().to_string(),
            "hypercall `walltime`: write of 8 bytes at 0x300000: the unikernel may not write there"
        );
    }

    proptest! {
        #[test]
        fn whatever_a_guest_asks_the_tender_answers_or_ends_it(
            number in 1..9_u16, words in prop::array::uniform5(prop_oneof![any::<u64>(), 0..3_u64, 0x1f_f000..0x20_3000_u64]),
            address in prop_oneof![any::<u64>(), 0..MEMORY_BYTES]
        ) {
            // A console of a guest is not one of the tests, and none of their sleeps is long.
            prop_assume!(number != 2 && number != 3);
            let (mut guest, file) = guest();
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            // Where that is impossible, the argument is zeros.
            let _ = guest.memory.load(address, &bytes);
            let served = serve(&mut guest, Call::from_number(number).unwrap(), address);
            let in_memory = address.checked_add(8).is_some_and(|end| end <= MEMORY_BYTES);
            prop_assert!(in_memory || served.is_err());
            prop_assert_eq!(file.metadata().unwrap().len(), 2048);
        }
    }
}
