//! What the kernel knows of a network interface, by its name.
//!
//! Asks and sets by ioctl(2) on a socket that carries nothing else. Each request is one function, so that each argument is of
//! the type that the kernel takes it for.
#![expect(
    unsafe_code,
    reason = "ioctl(2) on `struct ifreq`, a union that only the request tells how to read"
)]

use std::ffi::{OsStr, c_char, c_uint};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

// From the kernel's `linux/ethtool.h`.
const ETHTOOL_SGSO: u32 = 0x24;
const ETHTOOL_SGRO: u32 = 0x2c;

/// A name that an interface could have, with the terminating NUL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct InterfaceName([c_char; libc::IFNAMSIZ]);

/// What interfaces are asked through.
#[derive(Debug)]
pub(super) struct Interfaces(OwnedFd);

impl InterfaceName {
    /// A name of 1 to 15 bytes.
    pub(super) fn new(name: &OsStr) -> Option<Self> {
        let name = name.as_bytes();
        if name.is_empty() || name.len() >= libc::IFNAMSIZ || name.contains(&0) {
            return None;
        }
        let mut padded = [0; libc::IFNAMSIZ];
        for (to, from) in padded.iter_mut().zip(name) {
            *to = from.cast_signed();
        }
        Some(Self(padded))
    }

    /// A request about the interface of this name.
    pub(super) fn request(self) -> libc::ifreq {
        libc::ifreq {
            ifr_name: self.0,
            ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_map: NO_MAP },
        }
    }

    pub(super) fn of_answer(request: &libc::ifreq) -> Self {
        Self(request.ifr_name)
    }
}

/// The largest member of the union, so that all of it is zero.
const NO_MAP: libc::__c_anonymous_ifru_map = libc::__c_anonymous_ifru_map {
    mem_start: 0,
    mem_end: 0,
    base_addr: 0,
    irq: 0,
    dma: 0,
    port: 0,
};

/// The argument of ethtool's requests that set one number.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

impl Interfaces {
    pub(super) fn new() -> Result<Self, Errno> {
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        Ok(Self(socket))
    }

    /// Whether the interface is up.
    pub(super) fn is_up(&self, name: InterfaceName) -> Result<bool, Errno> {
        let request = self.ask(libc::SIOCGIFFLAGS, name)?;
        // SAFETY: SIOCGIFFLAGS answers with the flags.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        Ok(i32::from(flags) & libc::IFF_UP != 0)
    }

    /// The longest payload of a frame, in bytes.
    pub(super) fn mtu(&self, name: InterfaceName) -> Result<i32, Errno> {
        let request = self.ask(libc::SIOCGIFMTU, name)?;
        // SAFETY: SIOCGIFMTU answers with the MTU.
        Ok(unsafe { request.ifr_ifru.ifru_mtu })
    }

    /// The interface's own address, which tells it from one of the same name in another network namespace.
    pub(super) fn address(&self, name: InterfaceName) -> Result<[c_char; 14], Errno> {
        let request = self.ask(libc::SIOCGIFHWADDR, name)?;
        Ok(hardware_address(&request))
    }

    /// Switches off what joins packets to frames longer than the MTU. Only the owner of the network may; where that is
    /// somebody else, the frames are dropped later.
    pub(super) fn switch_offloads_off(&self, name: InterfaceName) {
        for command in [ETHTOOL_SGSO, ETHTOOL_SGRO] {
            let mut value = EthtoolValue { command, data: 0 };
            let mut request = name.request();
            request.ifr_ifru.ifru_data = (&raw mut value).cast();
            // SAFETY: the kernel reads and writes `value`, which the request points to and which outlives the call.
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
        }
    }

    fn ask(&self, what: libc::Ioctl, name: InterfaceName) -> Result<libc::ifreq, Errno> {
        let mut request = name.request();
        // SAFETY: the callers' requests take a `struct ifreq` and answer in it.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), what, &raw mut request) };
        check(result).map(|()| request)
    }
}

/// The address in the answer to SIOCGIFHWADDR.
pub(super) fn hardware_address(request: &libc::ifreq) -> [c_char; 14] {
    // SAFETY: any bytes are a `struct sockaddr`.
    unsafe { request.ifr_ifru.ifru_hwaddr }.sa_data
}

/// Turns what ioctl(2) returned into a result.
pub(super) fn check(result: libc::c_int) -> Result<(), Errno> {
    if result == -1 {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL))
    } else {
        Ok(())
    }
}

/// The flags of a request as TUNSETIFF takes them.
pub(super) fn flags(request: &libc::ifreq) -> c_uint {
    // SAFETY: any bytes are flags.
    c_uint::from(unsafe { request.ifr_ifru.ifru_flags }.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_15_bytes() {
        for name in ["", "sixteen-bytes-16", "a\0b"] {
            assert_eq!(InterfaceName::new(OsStr::new(name)), None, "{name}");
        }
        let longest = InterfaceName::new(OsStr::new("fifteen-bytes15")).unwrap();
        assert_eq!(longest.request().ifr_name[15], 0);
    }

    #[test]
    fn the_loopback_interface_has_an_mtu_and_no_other_interface_of_no_name() {
        let interfaces = Interfaces::new().unwrap();
        let mtu = interfaces.mtu(InterfaceName::new(OsStr::new("lo")).unwrap());
        assert!(mtu.unwrap() > 0);
        let missing = InterfaceName::new(OsStr::new("no-such-tap")).unwrap();
        assert_eq!(interfaces.is_up(missing), Err(Errno::NODEV));
    }
}
