//! `block`: a unikernel with one disk, `storage`. Prints the disk's size, then does what the arguments say, in their
//! order. Numbers are decimal, or hexadecimal with `0x`.
//!
//! | argument | what it does |
//! |---|---|
//! | `fill=SEED` | writes every sector, each word of it SEED plus the word's place on the disk |
//! | `verify=SEED` | reads every sector, and aborts where a word is another |
//! | `read`, `write` | one access with the settings below, and prints what came of it |
//! | `wait` | sleeps for ever |
//! | `device=N`, `offset=N`, `address=N`, `length=N` | settings: at first this disk, 0, a buffer of this unikernel's, one sector |
//!
//! A device is a handle in `hvt`, a descriptor in `spt`.
#![no_std]
#![no_main]
#![expect(
    unsafe_code,
    reason = "reads and writes at addresses that it is told, also at wrong ones"
)]

use core::time::Duration;

use solo5::{Access, Block, Boot, DeviceId, Failure, Kind, parse_number, println};

solo5::entry!(block, [("storage", Kind::Block)]);

/// The largest sector that a manifest can tell of, rounded up.
const BUFFER_BYTES: usize = 1 << 16;

type Buffer = [u8; BUFFER_BYTES];

/// What one access is made with.
struct Settings {
    device: DeviceId,
    offset: u64,
    address: usize,
    length: usize,
}

fn block(boot: Boot) -> u8 {
    let disk = Block(boot.device("storage"));
    println!("{} bytes in sectors of {}", disk.capacity(), disk.sector_bytes());
    let mut buffer: Buffer = [0; BUFFER_BYTES];
    let mut settings = Settings {
        device: disk.0.id(),
        offset: 0,
        address: buffer.as_mut_ptr().expose_provenance(),
        length: disk.sector_bytes(),
    };
    for argument in boot.arguments() {
        if obey(argument, disk, &mut buffer, &mut settings).is_none() {
            println!("cannot understand {argument}");
            solo5::abort();
        }
    }
    0
}

fn obey(argument: &str, disk: Block, buffer: &mut Buffer, settings: &mut Settings) -> Option<()> {
    let (word, value) = argument.split_once('=').unwrap_or((argument, "0"));
    let number = parse_number(value)?;
    match word {
        "fill" => fill(disk, buffer, number),
        "verify" => verify(disk, buffer, number),
        "read" => access(Access::Read, settings),
        "write" => access(Access::Write, settings),
        "wait" => solo5::sleep(Duration::MAX),
        "device" => settings.device = number as DeviceId,
        "offset" => settings.offset = number,
        "address" => settings.address = number as usize,
        "length" => settings.length = number as usize,
        _ => return None,
    }
    Some(())
}

/// What belongs to each word of the disk from `offset` on.
fn pattern(seed: u64, offset: u64) -> impl Iterator<Item = [u8; 8]> {
    (offset / 8..).map(move |place| seed.wrapping_add(place).to_le_bytes())
}

fn sectors(disk: Block) -> impl Iterator<Item = u64> {
    (0..disk.capacity()).step_by(disk.sector_bytes())
}

fn fill(disk: Block, buffer: &mut Buffer, seed: u64) {
    let sector = &mut buffer[..disk.sector_bytes()];
    for offset in sectors(disk) {
        for (word, right) in sector.as_chunks_mut().0.iter_mut().zip(pattern(seed, offset)) {
            *word = right;
        }
        check(offset, disk.write(offset, sector));
    }
    println!("filled");
}

fn verify(disk: Block, buffer: &mut Buffer, seed: u64) {
    let sector = &mut buffer[..disk.sector_bytes()];
    for offset in sectors(disk) {
        sector.fill(0xff);
        check(offset, disk.read(offset, sector));
        if !sector
            .as_chunks()
            .0
            .iter()
            .zip(pattern(seed, offset))
            .all(|(word, right)| *word == right)
        {
            println!("another content in the sector at {offset}");
            solo5::abort();
        }
    }
    println!("verified");
}

fn check(offset: u64, outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        println!("{failure} at {offset}");
        solo5::abort();
    }
}

fn access(access: Access, settings: &Settings) {
    let Settings {
        device,
        offset,
        address,
        length,
    } = *settings;
    // SAFETY: sound for the buffer and a length that fits it. A test that says otherwise means the tender to refuse.
    match unsafe { solo5::block(access, device, offset, address, length) } {
        Ok(()) => println!("{access:?}: ok"),
        Err(failure) => println!("{access:?}: {failure}"),
    }
}
