//! What `net` and `net2` do: they print each device's address and MTU, then obey the arguments in their order. Numbers
//! are decimal, or hexadecimal with `0x`.
//!
//! | argument | what it does |
//! |---|---|
//! | `serve=N` | answers ARP and ping until it has answered N pings, and says how many on each device |
//! | `report=N` | prints the length of each frame, until there were N |
//! | `read`, `write` | one access to the first device with the settings below, and prints what came of it |
//! | `device=N`, `address=N`, `length=N` | settings: at first the first device, a buffer of this unikernel's, the longest frame |
//!
//! A device is a handle in `hvt`, a descriptor in `spt`. Every frame is read into `length` bytes.
#![expect(
    unsafe_code,
    reason = "reads and writes at addresses that it is told, also at wrong ones"
)]

use core::time::Duration;

use solo5::{Access, Boot, DeviceId, Net, parse_number, println};

#[path = "frame.rs"]
mod frame;

/// Longer than every frame of a device.
const BUFFER_BYTES: usize = 1 << 17;
/// Destination, source and type.
const ETHERNET_BYTES: usize = 14;

type Buffer = [u8; BUFFER_BYTES];

/// What one access is made with.
struct Settings {
    device: DeviceId,
    address: usize,
    length: usize,
}

/// Obeys the command line with the devices of these names.
pub(crate) fn obey<const DEVICES: usize>(boot: &Boot, names: [&str; DEVICES]) -> u8 {
    let devices = names.map(|name| Net(boot.device(name)));
    for device in devices {
        let [a, b, c, d, e, f] = device.mac();
        let (name, mtu) = (device.0.name(), device.mtu());
        println!("{name}: {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}, MTU {mtu}");
    }
    let mut buffer: Buffer = [0; BUFFER_BYTES];
    let mut settings = Settings {
        device: devices[0].0.id(),
        address: buffer.as_mut_ptr().expose_provenance(),
        length: devices[0].mtu() + ETHERNET_BYTES,
    };
    for argument in boot.arguments() {
        if follow(argument, &devices, &mut buffer, &mut settings).is_none() {
            println!("cannot understand {argument}");
            solo5::abort();
        }
    }
    0
}

fn follow(argument: &str, devices: &[Net], buffer: &mut Buffer, settings: &mut Settings) -> Option<()> {
    let (word, value) = argument.split_once('=').unwrap_or((argument, "0"));
    let number = parse_number(value)?;
    match word {
        "serve" => serve(devices, buffer.get_mut(..settings.length)?, number),
        "report" => report(devices, buffer.get_mut(..settings.length)?, number),
        "read" => access(Access::Read, settings),
        "write" => access(Access::Write, settings),
        "device" => settings.device = number as DeviceId,
        "address" => settings.address = number as usize,
        "length" => settings.length = number as usize,
        _ => return None,
    }
    Some(())
}

fn serve(devices: &[Net], buffer: &mut [u8], pings: u64) {
    let mut answered = [0_u64; 2];
    while answered.iter().sum::<u64>() < pings {
        let (index, length) = receive(devices, buffer);
        let station = frame::Station {
            mac: devices[index].mac(),
            ip: [10, index as u8, 0, 2],
        };
        let Some(answer) = station.answer(&mut buffer[..length]) else {
            continue;
        };
        // A full queue loses a frame, as every network may.
        let sent = devices[index].write(&buffer[..length]).is_ok();
        answered[index] += u64::from(sent && answer == frame::Answer::Pong);
    }
    for (device, pings) in devices.iter().zip(answered) {
        println!("{}: answered {pings} pings", device.0.name());
    }
}

fn report(devices: &[Net], buffer: &mut [u8], frames: u64) {
    println!("ready");
    for _ in 0..frames {
        let (index, length) = receive(devices, buffer);
        println!("{}: frame of {length} bytes", devices[index].0.name());
    }
}

/// Waits for a frame on whichever device; says on which and how long.
fn receive(devices: &[Net], buffer: &mut [u8]) -> (usize, usize) {
    loop {
        for (index, device) in devices.iter().enumerate() {
            if let Ok(length) = device.read(buffer) {
                return (index, length);
            }
        }
        let ready = solo5::wait_until(Duration::MAX);
        let ours = devices.iter().fold(0, |ours, device| ours | 1 << device.0.handle());
        if ready & !ours != 0 {
            println!("ready set {ready:#x}, but the devices are {ours:#x}");
            solo5::abort();
        }
    }
}

fn access(access: Access, settings: &Settings) {
    let Settings {
        device,
        address,
        length,
    } = *settings;
    // SAFETY: sound for the buffer and a length that fits it. A test that says otherwise means the tender to refuse.
    match unsafe { solo5::net(access, device, address, length) } {
        Ok(length) => println!("{access:?}: {length} bytes"),
        Err(failure) => println!("{access:?}: {failure}"),
    }
}
