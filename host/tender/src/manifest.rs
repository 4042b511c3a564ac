//! The manifest: the devices that a unikernel declares, in the order of their handles.
//!
//! Owns the manifest's binary form, read from the file and written for the guest. Opens neither taps nor block files:
//! what is attached to a device is the tender's affair, and told to the guest as an [`Attachment`].

use std::fmt;

/// A manifest has at most 64 entries (the guest's ready set is a bit mask in a u64), the first of them reserved.
pub const DEVICES_MAX: usize = ENTRIES_MAX - 1;

const VERSION: u32 = 1;
const ENTRIES_MAX: usize = 64;
const HEADER_BYTES: usize = 8;
const ENTRY_BYTES: usize = 104;
const NAME_BYTES: usize = 68; // with a terminating NUL
const KIND_OFFSET: usize = 68;
const PROPERTIES_OFFSET: usize = 72; // capacity and block size, or MAC and MTU
const DESCRIPTOR_OFFSET: usize = 88;
const ATTACHED_OFFSET: usize = 96;

const KIND_BLOCK: u32 = 1;
const KIND_NET: u32 = 2;
const KIND_RESERVED: u32 = 1 << 30;

/// The devices of a unikernel; no two of one kind have the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    devices: Vec<Device>,
}

/// One device that a unikernel declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    name: String,
    kind: DeviceKind,
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// A disk, read and written in blocks.
    Block,
    /// An Ethernet interface.
    Net,
}

/// What a tender has attached to a device, as the guest is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// The sizes or addresses that depend on the device's kind.
    pub properties: Properties,
    /// The host's descriptor, for a guest that makes system calls itself; 0 for one that needs not know it.
    pub descriptor: i32,
}

/// What a guest must know of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Properties {
    /// Of a disk.
    Block {
        /// Its size, a multiple of `sector_bytes`.
        capacity_bytes: u64,
        /// What is read or written at once, a power of two of at least 512.
        sector_bytes: u16,
    },
    /// Of an Ethernet interface.
    Net {
        /// The guest's own address.
        mac: [u8; 6],
        /// The longest payload of a frame, in bytes.
        mtu: u16,
    },
}

impl Manifest {
    /// Reads a manifest as it stands in a unikernel's file: no device is attached yet.
    ///
    /// # Errors
    /// The first rule of the format that the bytes break.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let header = bytes
            .first_chunk::<HEADER_BYTES>()
            .ok_or(ManifestError::Truncated { bytes: bytes.len() })?;
        let (version, entries) = (u32_at(header, 0), u32_at(header, 4));
        if version != VERSION {
            return Err(ManifestError::Version(version));
        }
        let count = usize::try_from(entries)
            .ok()
            .filter(|count| (1..=ENTRIES_MAX).contains(count));
        let count = count.ok_or(ManifestError::Entries(entries))?;
        let expected = HEADER_BYTES + count * ENTRY_BYTES;
        if bytes.len() != expected {
            return Err(ManifestError::Size {
                entries,
                expected,
                bytes: bytes.len(),
            });
        }

        let (chunks, _) = bytes[HEADER_BYTES..].as_chunks::<ENTRY_BYTES>();
        let mut devices: Vec<Device> = Vec::new();
        for (handle, entry) in chunks.iter().enumerate() {
            if entry[ATTACHED_OFFSET] != 0 {
                return Err(ManifestError::Attached { handle });
            }
            if handle == 0 {
                check_reserved(entry)?;
                continue;
            }
            let device = Device::parse(handle, entry)?;
            // A disk and an interface of one name are two devices: an option of the command line tells them apart.
            if devices.contains(&device) {
                return Err(ManifestError::Twice(device));
            }
            devices.push(device);
        }
        Ok(Self { devices })
    }

    /// The declared devices. The first has handle 1: handle 0 is the reserved entry.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The manifest in the form that a guest reads, with nothing attached.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_with(&[])
    }

    /// The manifest in the form that a guest reads. `attachments` belong to the devices in their order, and each to one of
    /// its kind; what is attached to nothing is left out, and a device without any is told as not attached.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "it cannot panic: no manifest has more than 64 entries"
    )]
    pub fn to_bytes_with(&self, attachments: &[Attachment]) -> Vec<u8> {
        let entries = u32::try_from(1 + self.devices.len()).expect("a manifest has at most 64 entries");
        let mut bytes = [VERSION.to_le_bytes(), entries.to_le_bytes()].concat();
        bytes.extend(entry("", KIND_RESERVED));
        for (index, device) in self.devices.iter().enumerate() {
            let kind = match device.kind {
                DeviceKind::Block => KIND_BLOCK,
                DeviceKind::Net => KIND_NET,
            };
            let mut entry = entry(&device.name, kind);
            if let Some(attachment) = attachments.get(index) {
                attachment.write(&mut entry);
            }
            bytes.extend(entry);
        }
        bytes
    }
}

impl Attachment {
    fn write(&self, entry: &mut [u8; ENTRY_BYTES]) {
        let mut put = |offset: usize, bytes: &[u8]| entry[offset..offset + bytes.len()].copy_from_slice(bytes);
        match self.properties {
            Properties::Block {
                capacity_bytes,
                sector_bytes,
            } => {
                put(PROPERTIES_OFFSET, &capacity_bytes.to_le_bytes());
                put(PROPERTIES_OFFSET + 8, &sector_bytes.to_le_bytes());
            }
            Properties::Net { mac, mtu } => {
                put(PROPERTIES_OFFSET, &mac);
                put(PROPERTIES_OFFSET + 6, &mtu.to_le_bytes());
            }
        }
        put(DESCRIPTOR_OFFSET, &self.descriptor.to_le_bytes());
        put(ATTACHED_OFFSET, &[1]);
    }
}

impl Device {
    fn parse(handle: usize, entry: &[u8; ENTRY_BYTES]) -> Result<Self, ManifestError> {
        let name = &entry[..NAME_BYTES];
        let length = name
            .iter()
            .position(|&byte| byte == 0)
            .ok_or(ManifestError::Name { handle })?;
        let name = str::from_utf8(&name[..length]).map_err(|_| ManifestError::Name { handle })?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ManifestError::Name { handle });
        }
        let name = name.to_owned();
        match u32_at(entry, KIND_OFFSET) {
            KIND_BLOCK => Ok(Self {
                name,
                kind: DeviceKind::Block,
            }),
            KIND_NET => Ok(Self {
                name,
                kind: DeviceKind::Net,
            }),
            kind => Err(ManifestError::Kind { name, kind }),
        }
    }

    /// 1 to 67 ASCII letters and digits, chosen by the unikernel's author.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the device is.
    #[must_use]
    pub fn kind(&self) -> DeviceKind {
        self.kind
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Block => "block",
            Self::Net => "network",
        })
    }
}

fn check_reserved(entry: &[u8; ENTRY_BYTES]) -> Result<(), ManifestError> {
    if entry[..NAME_BYTES] != [0; NAME_BYTES] || u32_at(entry, KIND_OFFSET) != KIND_RESERVED {
        return Err(ManifestError::First);
    }
    Ok(())
}

fn entry(name: &str, kind: u32) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    entry[..name.len()].copy_from_slice(name.as_bytes());
    entry[KIND_OFFSET..KIND_OFFSET + 4].copy_from_slice(&kind.to_le_bytes());
    entry
}

/// Reads a little-endian u32; `offset` is a constant within `bytes` wherever this is called.
fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes([bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]])
}

/// Why bytes are not a manifest. An entry is named by its handle, its index in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not even a header.
    #[error("{bytes} bytes are too short for a header of {HEADER_BYTES}")]
    Truncated {
        /// The bytes that are there.
        bytes: usize,
    },
    /// A version from the future, or nonsense.
    #[error("version {0}, but only version {VERSION} is known")]
    Version(u32),
    /// No entry at all, or more than the format allows.
    #[error("{0} entries, but there must be 1 to {ENTRIES_MAX}")]
    Entries(u32),
    /// The number of entries and the number of bytes do not agree.
    #[error("{entries} entries make {expected} bytes, but it has {bytes}")]
    Size {
        /// The entries that the header promises.
        entries: u32,
        /// The bytes that they would take.
        expected: usize,
        /// The bytes that are there.
        bytes: usize,
    },
    /// The first entry belongs to Solo5 and names no device.
    #[error("the first entry is not the reserved one")]
    First,
    /// The name cannot be said on a command line.
    #[error("entry {handle}: the name must be 1 to 67 ASCII letters and digits")]
    Name {
        /// The entry's handle.
        handle: usize,
    },
    /// Neither block nor net.
    #[error("device `{name}`: unknown type {kind}")]
    Kind {
        /// The device's name.
        name: String,
        /// The number found.
        kind: u32,
    },
    /// Only a tender attaches devices.
    #[error("entry {handle}: is marked as attached already")]
    Attached {
        /// The entry's handle.
        handle: usize,
    },
    /// Two devices of one kind and name could not be told apart on a command line.
    #[error("{} device `{}` is declared twice", .0.kind, .0.name)]
    Twice(Device),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, kind: DeviceKind) -> Device {
        let name = name.to_owned();
        Device { name, kind }
    }

    #[test]
    fn a_guest_is_told_what_is_attached_where_it_looks() {
        let manifest = Manifest {
            devices: vec![
                device("data", DeviceKind::Block),
                device("service", DeviceKind::Net),
                device("spare", DeviceKind::Net),
            ],
        };
        let attachments = [
            Attachment {
                properties: Properties::Block {
                    capacity_bytes: 0x1122_3344_5566_7788,
                    sector_bytes: 4096,
                },
                descriptor: 7,
            },
            Attachment {
                properties: Properties::Net {
                    mac: [2, 3, 4, 5, 6, 7],
                    mtu: 9000,
                },
                descriptor: 8,
            },
        ];
        let bytes = manifest.to_bytes_with(&attachments);
        assert_eq!(bytes.len(), 8 + 4 * 104);
        let (entries, _) = bytes[8..].as_chunks::<ENTRY_BYTES>();
        assert_eq!(entries[1][..5], *b"data\0");
        assert_eq!(
            entries[1][72..82],
            [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 16]
        );
        assert_eq!(entries[1][88..97], [7, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(entries[2][72..80], [2, 3, 4, 5, 6, 7, 0x28, 0x23]);
        assert_eq!(entries[2][88..97], [8, 0, 0, 0, 0, 0, 0, 0, 1]);
        let untold = |entry: &[u8; ENTRY_BYTES]| entry[PROPERTIES_OFFSET..] == [0; ENTRY_BYTES - PROPERTIES_OFFSET];
        assert!(untold(&entries[0]) && untold(&entries[3]), "nothing is attached there");
    }

    #[test]
    fn devices_of_two_kinds_may_share_a_name() {
        let devices = vec![device("data", DeviceKind::Block), device("data", DeviceKind::Net)];
        let manifest = Manifest { devices };
        assert_eq!(Manifest::parse(&manifest.to_bytes()), Ok(manifest));
    }
}
