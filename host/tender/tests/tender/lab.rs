//! A network of a test's own: a namespace, and in it wires between the test and a unikernel's taps.
//!
//! The namespace belongs to one thread and what it starts, and goes with them, however the test ends: nothing here has
//! a name that another test could use, and nothing is left to be removed.
#![expect(
    unsafe_code,
    reason = "a network namespace, and taps, are made by calls that no crate here wraps"
)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::resume_unwind;
use std::process::Command;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::tender::skip;

/// How long a frame may be on its way, with other tests on every processor.
const PATIENCE: Duration = Duration::from_secs(30);

/// `struct ifreq`, as far as a tap needs it: the name, and flags.
const INTERFACE_NAME_BYTES: usize = 16;
const INTERFACE_REQUEST_BYTES: usize = 40;
pub(crate) const TAP: u16 = 0x0002;
pub(crate) const TUN: u16 = 0x0001;
pub(crate) const NO_PACKET_INFORMATION: u16 = 0x1000;
pub(crate) const EXTRA_HEADER: u16 = 0x4000;

/// Runs a claim in a network namespace of its own, or says why it cannot.
pub(crate) fn in_own_network(claim: impl FnOnce() + Send) {
    let name = thread::current().name().unwrap_or_default().to_owned();
    let run = || match enter_own_network() {
        Ok(()) => claim(),
        Err(why) => skip(&why),
    };
    let ended = thread::scope(|scope| {
        let own = thread::Builder::new().name(name).spawn_scoped(scope, run);
        own.expect("a thread can be started").join()
    });
    ended.unwrap_or_else(|panic| resume_unwind(panic));
}

fn enter_own_network() -> Result<(), String> {
    if Command::new("ip").arg("-V").output().is_err() {
        return Err("there is no program `ip`, which Debian's iproute2 brings".to_owned());
    }
    // SAFETY: only the network changes, no memory and no descriptor; the thread is this claim's alone.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.map_err(|error| format!("no network namespace: {error}"))?;
    File::options()
        .write(true)
        .open("/dev/net/tun")
        .map_err(|error| format!("/dev/net/tun: {error}"))?;
    // Else the kernel sends frames of its own.
    for scope in ["all", "default"] {
        let setting = format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6");
        let _ = std::fs::write(setting, "1"); // a kernel without IPv6 has no such setting
    }
    Ok(())
}

/// Runs `ip` with these words.
#[track_caller]
pub(crate) fn ip(words: &str) {
    let output = Command::new("ip").args(words.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {words}: {said}");
}

/// A bridge between the tap of a unikernel and one that the test holds.
pub(crate) struct Wire {
    guests: String,
    ours: Tap,
}

impl Wire {
    /// The wire of this number, in the namespace of the calling thread. The test's own side takes longer frames.
    pub(crate) fn new(number: u8, mtu: usize) -> Self {
        let (bridge, guests, ours) = (
            format!("bridge{number}"),
            format!("guest{number}"),
            format!("test{number}"),
        );
        let wire = Self {
            ours: Tap::open(&ours, TAP | NO_PACKET_INFORMATION).unwrap(),
            guests,
        };
        // A bridge that listens for groups of stations sends frames of its own.
        ip(&format!("link add {bridge} type bridge mcast_snooping 0"));
        ip(&format!("tuntap add {} mode tap", wire.guests));
        for (tap, mtu) in [(&wire.guests, mtu), (&ours, 65_000)] {
            ip(&format!("link set {tap} mtu {mtu}"));
            ip(&format!("link set {tap} master {bridge}"));
            ip(&format!("link set {tap} up"));
        }
        ip(&format!("link set {bridge} up"));
        wire
    }

    /// The name of the unikernel's tap.
    pub(crate) fn guests(&self) -> &str {
        &self.guests
    }

    /// Sends a frame to the unikernel.
    pub(crate) fn send(&self, frame: &[u8]) {
        let sent = (&self.ours.file).write(frame).unwrap();
        assert_eq!(sent, frame.len());
    }

    /// The next frame from the unikernel, if one comes in time.
    pub(crate) fn receive(&self, patience: Duration) -> Option<Vec<u8>> {
        let mut frame = vec![0; 1 << 16];
        let mut taps = [PollFd::new(&self.ours.file, PollFlags::IN)];
        let patience = Timespec::try_from(patience).unwrap();
        if poll(&mut taps, Some(&patience)).unwrap() == 0 {
            return None;
        }
        let length = (&self.ours.file).read(&mut frame).unwrap();
        frame.truncate(length);
        Some(frame)
    }

    /// As [`receive`](Self::receive), but the frame must come.
    #[track_caller]
    pub(crate) fn expect(&self, what: &str) -> Vec<u8> {
        self.receive(PATIENCE).unwrap_or_else(|| panic!("{what}: nothing came"))
    }
}

/// A child that another test has just forked holds what this process held, until it executes its program.
const RELEASED_WITHIN: Duration = Duration::from_secs(10);

/// A tap, or another such device, that this process holds.
pub(crate) struct Tap {
    file: File,
}

impl Tap {
    /// Opens the interface of this name, and makes it if there is none.
    pub(crate) fn open(name: &str, flags: u16) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open("/dev/net/tun")?;
        let mut request = [0; INTERFACE_REQUEST_BYTES];
        request[..name.len()].copy_from_slice(name.as_bytes());
        request[INTERFACE_NAME_BYTES..][..2].copy_from_slice(&flags.to_ne_bytes());
        let deadline = Instant::now() + RELEASED_WITHIN;
        loop {
            // SAFETY: the kernel reads and writes one `struct ifreq`, which is no longer than this.
            let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
            if result == 0 {
                return Ok(Self { file });
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::ResourceBusy || Instant::now() > deadline {
                return Err(error);
            }
            sleep(Duration::from_millis(5));
        }
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.file.as_fd()
    }
}
