//! What makes an ELF file a Solo5 unikernel: the two notes, and an interpreter that does not exist.
//!
//! Used by [`entry!`](crate::entry), which puts them into the sections that the linker script expects.

/// Keeps the host's kernel from ever running the file as a program of its own.
pub const INTERPRETER: &[u8; 20] = b"/nonexistent/solo5/\0";

const OWNER: [u8; 8] = *b"Solo5\0\0\0";
const OWNER_BYTES: u32 = 6; // with its NUL, without the padding
const ABI_VERSION: u32 = 2; // of hvt and spt alike
const DEVICE_RESERVED: u32 = 1 << 30;
const NAME_BYTES: usize = 68; // with a terminating NUL

/// What a declared device is.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Kind {
    /// A disk.
    Block = 1,
    /// An Ethernet interface.
    Net = 2,
}

/// The head of an ELF note.
#[repr(C)]
struct Header {
    owner_bytes: u32,
    description_bytes: u32,
    kind: [u8; 4],
    owner: [u8; 8],
}

impl Header {
    const fn new(kind: [u8; 4], description_bytes: usize) -> Self {
        Self {
            owner_bytes: OWNER_BYTES,
            description_bytes: description_bytes as u32,
            kind,
            owner: OWNER,
        }
    }
}

/// The note that says which target and version the unikernel is linked for.
#[repr(C)]
pub struct Abi {
    header: Header,
    target: u32,
    version: u32,
    reserved: [u32; 2],
}

impl Abi {
    /// The note for the Solo5 target of this number.
    #[must_use]
    pub const fn new(target: u32) -> Self {
        Self {
            header: Header::new(*b"ABI1", 16),
            target,
            version: ABI_VERSION,
            reserved: [0; 2],
        }
    }
}

/// The note that declares the devices, after the reserved first entry.
#[repr(C)]
pub struct Manifest<const DEVICES: usize> {
    header: Header,
    /// Ends the header at a multiple of 8; counted to the description.
    padding: u32,
    version: u32,
    entries: u32,
    reserved: Entry,
    devices: [Entry; DEVICES],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    name: [u8; NAME_BYTES],
    kind: u32,
    /// Capacity or MAC, descriptor, attached: the tender's to fill in. u32s, because ELF notes are aligned to 4.
    attachment: [u32; 8],
}

impl<const DEVICES: usize> Manifest<DEVICES> {
    /// The manifest of a unikernel with these devices: name and kind.
    #[must_use]
    pub const fn new(devices: &[(&str, Kind)]) -> Self {
        let mut entries = [Entry::new("", DEVICE_RESERVED); DEVICES];
        let mut index = 0;
        while index < DEVICES {
            let (name, kind) = devices[index];
            entries[index] = Entry::new(name, kind as u32);
            index += 1;
        }
        Self {
            header: Header::new(*b"MFT1", 4 + 8 + (1 + DEVICES) * size_of::<Entry>()),
            padding: 0,
            version: 1,
            entries: 1 + DEVICES as u32,
            reserved: Entry::new("", DEVICE_RESERVED),
            devices: entries,
        }
    }
}

impl Entry {
    const fn new(name: &str, kind: u32) -> Self {
        assert!(name.len() < NAME_BYTES);
        let mut bytes = [0; NAME_BYTES];
        let (head, _) = bytes.split_at_mut(name.len());
        head.copy_from_slice(name.as_bytes());
        Self {
            name: bytes,
            kind,
            attachment: [0; 8],
        }
    }
}

const _: () = assert!(size_of::<Abi>() == 36 && size_of::<Entry>() == 104 && size_of::<Manifest<0>>() == 136);
