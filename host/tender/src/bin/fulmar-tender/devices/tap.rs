//! A tap of the host as a unikernel's network interface.
//!
//! The tap exists already, made by whoever may make one; here it is opened and made fit. What the unikernel cannot take in one
//! piece must not reach it: offloads, which join packets to longer frames, are switched off, and the kernel drops frames that
//! are longer than the MTU allows, and counts them (`ip -s link`, TX dropped), before they would be cut to the unikernel's
//! buffer. Sends and receives nothing.
#![expect(unsafe_code, reason = "ioctl(2) of the tun driver, and random bytes")]

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use libc::{
    BPF_ABS, BPF_ADD, BPF_ALU, BPF_B, BPF_JGT, BPF_JMP, BPF_K, BPF_LD, BPF_LEN, BPF_MISC, BPF_MUL, BPF_RET, BPF_TAX,
    BPF_W, BPF_X,
};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use super::interface::{InterfaceName, Interfaces, check, flags, hardware_address};

/// What stands before the payload of a frame: two addresses and a type.
const HEADER_BYTES: u32 = 14;
/// What an IEEE 802.1Q tag adds, which the kernel keeps beside the frame until it is read.
const TAG_BYTES: u32 = 4;

const TAP_FLAGS: i32 = libc::IFF_TAP | libc::IFF_NO_PI;

/// An open tap.
#[derive(Debug)]
pub(crate) struct Tap {
    descriptor: OwnedFd,
    mac: [u8; 6],
    mtu: u16,
}

/// Opens the tap of this name; makes none.
pub(super) fn open(name: &OsStr) -> Result<OwnedFd, TapError> {
    let name = InterfaceName::new(name).ok_or(TapError::Name)?;
    let interfaces = Interfaces::new().map_err(TapError::System)?;
    // Opening a tap that does not exist would make one.
    match interfaces.is_up(name) {
        Ok(true) => {}
        Ok(false) => return Err(TapError::Down),
        Err(Errno::NODEV) => return Err(TapError::Missing),
        Err(error) => return Err(TapError::System(error)),
    }
    let tun = rustix::fs::open(
        "/dev/net/tun",
        OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let tun = tun.map_err(TapError::Tun)?;
    let mut request = name.request();
    request.ifr_ifru.ifru_flags = i16::try_from(TAP_FLAGS).unwrap_or_default();
    // SAFETY: TUNSETIFF reads and writes a `struct ifreq`, which outlives the call.
    let result = unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    match check(result) {
        Ok(()) if InterfaceName::of_answer(&request) == name => Ok(tun),
        // The name was a pattern, and an interface has come into being: it goes with the descriptor.
        Ok(()) => Err(TapError::Missing),
        Err(Errno::BUSY) => Err(TapError::Busy),
        Err(Errno::PERM) => Err(TapError::Forbidden),
        Err(Errno::INVAL) => Err(TapError::NoTap),
        Err(error) => Err(TapError::System(error)),
    }
}

/// Takes a tap that the parent opened.
pub(super) fn adopt(descriptor: OwnedFd) -> Result<OwnedFd, TapError> {
    let request = ask(&descriptor, libc::TUNGETIFF).map_err(|_| TapError::NoTap)?;
    if flags(&request).cast_signed() & libc::IFF_TAP == 0 {
        return Err(TapError::NoTap);
    }
    let status = fcntl_getfl(&descriptor).map_err(TapError::System)?;
    fcntl_setfl(&descriptor, status | OFlags::NONBLOCK).map_err(TapError::System)?;
    Ok(descriptor)
}

impl Tap {
    /// Makes an open tap fit for a unikernel, with a random address if it is given none.
    pub(super) fn new(descriptor: OwnedFd, mac: Option<[u8; 6]>) -> Result<Self, TapError> {
        let interfaces = Interfaces::new().map_err(TapError::System)?;
        let name = own_name(&descriptor, &interfaces)?;
        interfaces.switch_offloads_off(name);
        // SAFETY: TUNSETOFFLOAD takes a number, no pointer.
        check(unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::TUNSETOFFLOAD, 0) }).map_err(TapError::System)?;
        let mtu = interfaces.mtu(name).map_err(TapError::System)?;
        let mtu = u16::try_from(mtu).map_err(|_| TapError::Mtu(mtu))?;
        drop_longer_frames(&descriptor, u32::from(mtu) + HEADER_BYTES).map_err(TapError::Filter)?;
        check_header(&descriptor)?;
        let mac = mac.map_or_else(random_mac, Ok).map_err(TapError::Random)?;
        Ok(Self { descriptor, mac, mtu })
    }

    pub(crate) fn mac(&self) -> [u8; 6] {
        self.mac
    }

    pub(crate) fn mtu(&self) -> u16 {
        self.mtu
    }

    /// The longest frame that the kernel lets through.
    pub(crate) fn frame_bytes_max(&self) -> usize {
        usize::from(self.mtu) + HEADER_BYTES as usize
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Frames come without anything in front. To be asked when there is a filter: the kernel says IFF_NO_PI also of a tap without one,
/// since the same bit means IFF_NOFILTER.
fn check_header(descriptor: &OwnedFd) -> Result<(), TapError> {
    let request = ask(descriptor, libc::TUNGETIFF).map_err(TapError::System)?;
    let flags = flags(&request).cast_signed();
    if flags & libc::IFF_NO_PI == 0 || flags & libc::IFF_VNET_HDR != 0 {
        return Err(TapError::Header);
    }
    Ok(())
}

/// The tap's name in this network namespace. A parent may live in another, where the same name is another interface.
fn own_name(descriptor: &OwnedFd, interfaces: &Interfaces) -> Result<InterfaceName, TapError> {
    let name = InterfaceName::of_answer(&ask(descriptor, libc::TUNGETIFF).map_err(TapError::System)?);
    let address = ask(descriptor, libc::SIOCGIFHWADDR).map_err(TapError::System)?;
    if interfaces.address(name) == Ok(hardware_address(&address)) {
        Ok(name)
    } else {
        Err(TapError::Elsewhere)
    }
}

/// Asks the tun driver for something that it answers in a `struct ifreq`.
fn ask(descriptor: &OwnedFd, what: libc::Ioctl) -> Result<libc::ifreq, Errno> {
    let mut request = InterfaceName::default().request();
    // SAFETY: both requests write a `struct ifreq`, which outlives the call; any other driver that knows the numbers was
    // opened by the parent for this purpose.
    let result = unsafe { libc::ioctl(descriptor.as_raw_fd(), what, &raw mut request) };
    check(result).map(|()| request)
}

/// Lets the kernel drop frames of more than `bytes`. Taps that outlive their descriptor keep the filter's address, but who opens
/// them as every Solo5 tender does (`IFF_NO_PI`, which is also `IFF_NOFILTER`) does not get it.
fn drop_longer_frames(descriptor: &OwnedFd, bytes: u32) -> Result<(), Errno> {
    let mut program = longer_frames_filter(bytes);
    let fprog = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap_or_default(),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: TUNATTACHFILTER copies `fprog` and the program that it points to; both outlive the call.
    check(unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::TUNATTACHFILTER, &raw const fprog) })
}

/// Classic BPF: none of a frame whose length, with its tag, is above `bytes`; else all of it.
fn longer_frames_filter(bytes: u32) -> [libc::sock_filter; 8] {
    let step = |code: u32, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt: 0,
        jf: 0,
        k,
    };
    let tag_present = (libc::SKF_AD_OFF + libc::SKF_AD_VLAN_TAG_PRESENT).cast_unsigned();
    let mut longer = step(BPF_JMP | BPF_JGT | BPF_K, bytes);
    longer.jf = 1;
    [
        step(BPF_LD | BPF_B | BPF_ABS, tag_present),
        step(BPF_ALU | BPF_MUL | BPF_K, TAG_BYTES),
        step(BPF_MISC | BPF_TAX, 0),
        step(BPF_LD | BPF_W | BPF_LEN, 0),
        step(BPF_ALU | BPF_ADD | BPF_X, 0),
        longer,
        step(BPF_RET | BPF_K, 0),
        step(BPF_RET | BPF_K, u32::MAX),
    ]
}

/// An address of one station, administered locally.
fn random_mac() -> io::Result<[u8; 6]> {
    let mut mac = [0_u8; 6];
    // SAFETY: the kernel writes at most as many bytes as `mac` has.
    let count = unsafe { libc::getrandom(mac.as_mut_ptr().cast(), mac.len(), 0) };
    if usize::try_from(count) != Ok(mac.len()) {
        return Err(io::Error::last_os_error());
    }
    mac[0] = (mac[0] & !1) | 2;
    Ok(mac)
}

/// Why a tap cannot be attached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TapError {
    #[error("the name of a network interface has 1 to 15 bytes")]
    Name,
    #[error("there is no network interface of this name; make one, such as with `ip tuntap add`")]
    Missing,
    #[error("the interface is down; `ip link set NAME up` brings it up")]
    Down,
    #[error("`/dev/net/tun`: {0}")]
    Tun(Errno),
    #[error("another program uses the tap")]
    Busy,
    #[error("this user may not use the tap; its owner is set when it is made (`ip tuntap add … user NAME`)")]
    Forbidden,
    #[error("not a tap with one queue")]
    NoTap,
    #[error("the tap was opened without IFF_NO_PI, or with IFF_VNET_HDR: its frames have a header in front")]
    Header,
    #[error("the tap is in another network namespace, so its MTU cannot be read")]
    Elsewhere,
    #[error("an MTU of {0} cannot be told to a unikernel")]
    Mtu(i32),
    #[error("frames that are too long could not be kept out: {0}")]
    Filter(Errno),
    #[error("no random address: {0}")]
    Random(io::Error),
    #[error("{0}")]
    System(Errno),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_addresses_are_local_and_of_one_station() {
        let macs: Vec<_> = (0..64).map(|_| random_mac().unwrap()).collect();
        assert!(macs.iter().all(|mac| mac[0] & 3 == 2));
        assert!(macs.iter().any(|mac| *mac != macs[0]));
    }

    #[test]
    fn what_is_no_tap_is_refused() {
        let file = OwnedFd::from(tempfile::tempfile().unwrap());
        assert_eq!(adopt(file).unwrap_err().to_string(), "not a tap with one queue");
        let missing = open(OsStr::new("no-such-tap")).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "there is no network interface of this name; make one, such as with `ip tuntap add`"
        );
    }
}
