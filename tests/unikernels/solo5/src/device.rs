//! Block and network devices, as the manifest describes them in the unikernel's memory.
#![expect(unsafe_code, reason = "hands buffers to the tender by their address")]

use core::fmt;

use crate::target::{self, DeviceId};

pub(crate) const ENTRY_BYTES: usize = 104;

/// An entry of the manifest.
pub(crate) type Entry = [u8; ENTRY_BYTES];

const NAME_BYTES: usize = 68;
const KIND: usize = 68;
const CAPACITY: usize = 72;
const SECTOR_BYTES: usize = 80;
const MAC: usize = 72;
const MTU: usize = 78;
const DESCRIPTOR: usize = 88;
const ATTACHED: usize = 96;

/// Why the tender did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is there yet.
    Again,
    /// It makes no sense.
    Invalid,
    /// Anything else.
    Unspecified,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Again => "again",
            Self::Invalid => "invalid",
            Self::Unspecified => "unspecified",
        })
    }
}

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// From the device into memory.
    Read,
    /// From memory to the device.
    Write,
}

/// An entry of the manifest, and its place in it.
#[derive(Clone, Copy)]
pub struct Device {
    handle: usize,
    entry: &'static Entry,
}

impl Device {
    pub(crate) fn new(handle: usize, entry: &'static Entry) -> Self {
        Self { handle, entry }
    }

    /// The index in the manifest.
    #[must_use]
    pub fn handle(&self) -> usize {
        self.handle
    }

    /// The name in the manifest; empty for the reserved entry.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let name = &self.entry[..NAME_BYTES];
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(NAME_BYTES);
        str::from_utf8(&name[..end]).unwrap_or_default()
    }

    /// The number of the device's type.
    #[must_use]
    pub fn kind(&self) -> u32 {
        u32::from_le_bytes(self.field(KIND))
    }

    /// Whether the tender has attached the device.
    #[must_use]
    pub fn attached(&self) -> bool {
        self.entry[ATTACHED] != 0
    }

    /// The host's descriptor, if the tender reveals it.
    #[must_use]
    pub fn descriptor(&self) -> i32 {
        i32::from_le_bytes(self.field(DESCRIPTOR))
    }

    /// By what the tender's calls know the device.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        target::device_id(self)
    }

    fn field<const BYTES: usize>(&self, offset: usize) -> [u8; BYTES] {
        let mut field = [0; BYTES];
        field.copy_from_slice(&self.entry[offset..offset + BYTES]);
        field
    }
}

/// A block device.
#[derive(Clone, Copy)]
pub struct Block(pub Device);

impl Block {
    /// The size in bytes.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        u64::from_le_bytes(self.0.field(CAPACITY))
    }

    /// The size of a sector in bytes.
    #[must_use]
    pub fn sector_bytes(&self) -> usize {
        u16::from_le_bytes(self.0.field(SECTOR_BYTES)).into()
    }

    /// Fills `sector` with what the device holds from `offset` on.
    ///
    /// # Errors
    /// What the tender says.
    pub fn read(&self, offset: u64, sector: &mut [u8]) -> Result<(), Failure> {
        let (address, length) = (sector.as_mut_ptr().expose_provenance(), sector.len());
        // SAFETY: `sector` is exclusively borrowed, and all that is written.
        unsafe { target::block(Access::Read, self.0.id(), offset, address, length) }
    }

    /// Writes `sector` to the device at `offset`.
    ///
    /// # Errors
    /// What the tender says.
    pub fn write(&self, offset: u64, sector: &[u8]) -> Result<(), Failure> {
        let (address, length) = (sector.as_ptr().expose_provenance(), sector.len());
        // SAFETY: `sector` is only read.
        unsafe { target::block(Access::Write, self.0.id(), offset, address, length) }
    }
}

/// A network device.
#[derive(Clone, Copy)]
pub struct Net(pub Device);

impl Net {
    /// The interface's address.
    #[must_use]
    pub fn mac(&self) -> [u8; 6] {
        self.0.field(MAC)
    }

    /// The largest packet in bytes, without the Ethernet header.
    #[must_use]
    pub fn mtu(&self) -> usize {
        u16::from_le_bytes(self.0.field(MTU)).into()
    }

    /// Takes the next frame; says how long it is.
    ///
    /// # Errors
    /// [`Failure::Again`] when there is none, or what the tender says.
    pub fn read(&self, frame: &mut [u8]) -> Result<usize, Failure> {
        let (address, length) = (frame.as_mut_ptr().expose_provenance(), frame.len());
        // SAFETY: `frame` is exclusively borrowed, and all that is written.
        unsafe { target::net(Access::Read, self.0.id(), address, length) }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// What the tender says.
    pub fn write(&self, frame: &[u8]) -> Result<(), Failure> {
        let (address, length) = (frame.as_ptr().expose_provenance(), frame.len());
        // SAFETY: `frame` is only read.
        unsafe { target::net(Access::Write, self.0.id(), address, length) }.map(drop)
    }
}
