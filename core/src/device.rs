//! Devices of a unikernel: what its manifest calls them, and what the host attaches to them.
//!
//! Owns the grammar of device names, sector sizes and MAC addresses (Solo5: `elf_abi.h`, manifest version 1).
//! Whether the host's side exists is not known here.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::{Bridge, BridgeError, Label, NameError};

/// The longest name of a device, in bytes: the manifest keeps it in 68 bytes, the last one 0.
pub const DEVICE_NAME_BYTES_MAX: usize = 67;

/// A block or network device as the unikernel's manifest names it: 1 to 67 characters out of `a-z A-Z 0-9`; capitals count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct DeviceName(Box<str>);

impl DeviceName {
    /// Reads the name of a device.
    ///
    /// # Errors
    /// [`DeviceError::Name`] for any other text.
    pub fn new(name: &str) -> Result<Self, DeviceError> {
        let fits = (1..=DEVICE_NAME_BYTES_MAX).contains(&name.len());
        if !fits || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(DeviceError::Name { name: name.to_owned() });
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DeviceName {
    type Error = DeviceError;

    fn try_from(name: String) -> Result<Self, DeviceError> {
        Self::new(&name)
    }
}

impl From<DeviceName> for String {
    fn from(name: DeviceName) -> Self {
        name.0.into()
    }
}

/// The unit, in bytes, in which a unikernel reads and writes a block device: a power of two, 512 to 32768 (the manifest
/// keeps it in 16 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "u64", into = "u64"))]
pub struct SectorSize(u16);

impl SectorSize {
    /// Takes a size in bytes.
    ///
    /// # Errors
    /// [`DeviceError::SectorSize`] for a size that is no power of two, or out of range.
    pub fn new(bytes: u64) -> Result<Self, DeviceError> {
        match u16::try_from(bytes) {
            Ok(size) if size >= 512 && size.is_power_of_two() => Ok(Self(size)),
            _ => Err(DeviceError::SectorSize { bytes }),
        }
    }

    /// The size in bytes.
    #[must_use]
    pub fn bytes(self) -> u16 {
        self.0
    }
}

impl TryFrom<u64> for SectorSize {
    type Error = DeviceError;

    fn try_from(bytes: u64) -> Result<Self, DeviceError> {
        Self::new(bytes)
    }
}

impl From<SectorSize> for u64 {
    fn from(size: SectorSize) -> Self {
        size.0.into()
    }
}

/// An Ethernet address, written `aa:bb:cc:dd:ee:ff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let refused = || DeviceError::Mac { text: text.to_owned() };
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = part
                .and_then(|part| u8::from_str_radix(part, 16).ok())
                .ok_or_else(refused)?;
        }
        if parts.next().is_some() {
            Err(refused())
        } else {
            Ok(Self(bytes))
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl TryFrom<String> for Mac {
    type Error = DeviceError;

    fn try_from(text: String) -> Result<Self, DeviceError> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        alloc::format!("{mac}")
    }
}

/// A block device of a unikernel, and the block device of its domain that stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "wire::BlockDevice", into = "wire::BlockDevice"))]
pub struct BlockDevice {
    /// What the unikernel calls it.
    pub device: DeviceName,
    /// What it is called in the unikernel's domain.
    pub host: Label,
    /// Its sector size; where there is none the tender takes 512 bytes.
    pub sector_size: Option<SectorSize>,
}

impl BlockDevice {
    /// A device that is called the same on both sides (the host's in small letters), with the tender's sector size.
    ///
    /// # Errors
    /// [`NameError`] where the name is too long for a label: then the host's side must be given.
    pub fn same_name(device: DeviceName) -> Result<Self, NameError> {
        let host = Label::new(device.as_str())?;
        Ok(Self {
            device,
            host,
            sector_size: None,
        })
    }
}

/// A network device of a unikernel, and the bridge that it is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "wire::NetDevice", into = "wire::NetDevice"))]
pub struct NetDevice {
    /// What the unikernel calls it.
    pub device: DeviceName,
    /// The host's bridge.
    pub bridge: Bridge,
    /// Its Ethernet address; where there is none the host derives one.
    pub mac: Option<Mac>,
}

impl NetDevice {
    /// A device that is called as the bridge it is attached to.
    ///
    /// # Errors
    /// [`BridgeError`] where the name is too long for a bridge: then the host's side must be given.
    pub fn same_name(device: DeviceName) -> Result<Self, BridgeError> {
        let bridge = Bridge::new(device.as_str())?;
        Ok(Self {
            device,
            bridge,
            mac: None,
        })
    }
}

/// The devices as messages carry them: the host's side may be left out.
#[cfg(feature = "serde")]
mod wire {
    use super::{Bridge, BridgeError, DeviceName, Label, Mac, NameError, SectorSize};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(deny_unknown_fields)]
    pub(super) struct BlockDevice {
        device: DeviceName,
        host: Option<Label>,
        sector_size: Option<SectorSize>,
    }

    impl TryFrom<BlockDevice> for super::BlockDevice {
        type Error = NameError;

        fn try_from(wire: BlockDevice) -> Result<Self, NameError> {
            let BlockDevice {
                device,
                host,
                sector_size,
            } = wire;
            let host = host.map_or_else(|| Label::new(device.as_str()), Ok)?;
            Ok(Self {
                device,
                host,
                sector_size,
            })
        }
    }

    impl From<super::BlockDevice> for BlockDevice {
        fn from(block: super::BlockDevice) -> Self {
            Self {
                device: block.device,
                host: Some(block.host),
                sector_size: block.sector_size,
            }
        }
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(deny_unknown_fields)]
    pub(super) struct NetDevice {
        device: DeviceName,
        bridge: Option<Bridge>,
        mac: Option<Mac>,
    }

    impl TryFrom<NetDevice> for super::NetDevice {
        type Error = BridgeError;

        fn try_from(wire: NetDevice) -> Result<Self, BridgeError> {
            let NetDevice { device, bridge, mac } = wire;
            let bridge = bridge.map_or_else(|| Bridge::new(device.as_str()), Ok)?;
            Ok(Self { device, bridge, mac })
        }
    }

    impl From<super::NetDevice> for NetDevice {
        fn from(net: super::NetDevice) -> Self {
            Self {
                device: net.device,
                bridge: Some(net.bridge),
                mac: net.mac,
            }
        }
    }
}

/// Why a text or a number describes no device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// Not a device's name.
    Name {
        /// The text.
        name: String,
    },
    /// Not a sector size.
    SectorSize {
        /// The size.
        bytes: u64,
    },
    /// Not an Ethernet address.
    Mac {
        /// The text.
        text: String,
    },
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name } => write!(
                f,
                "`{}` is no name of a device: use 1 to {DEVICE_NAME_BYTES_MAX} of a-z, A-Z and 0-9, as in the unikernel's manifest",
                name.escape_debug()
            ),
            Self::SectorSize { bytes } => {
                write!(
                    f,
                    "a sector size of {bytes} bytes is not possible: use a power of two from 512 to 32768"
                )
            }
            Self::Mac { text } => {
                write!(
                    f,
                    "`{}` is no MAC address: write it like `00:80:41:0a:0b:0c`",
                    text.escape_debug()
                )
            }
        }
    }
}

impl core::error::Error for DeviceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn device_names_are_what_a_manifest_holds() {
        assert!(DeviceName::new(&"x".repeat(67)).is_ok());
        for name in ["", "net-0", "net_0", &"x".repeat(68)] {
            assert!(DeviceName::new(name).is_err(), "{name}");
        }
        assert_eq!(
            DeviceName::new("a:b").unwrap_err().to_string(),
            "`a:b` is no name of a device: use 1 to 67 of a-z, A-Z and 0-9, as in the unikernel's manifest"
        );
    }

    #[test]
    fn sector_sizes_are_powers_of_two_from_512_to_32768() {
        for bytes in [512, 4096, 32768] {
            assert_eq!(SectorSize::new(bytes).map(|size| u64::from(size.bytes())), Ok(bytes));
        }
        for bytes in [0, 256, 513, 65536, u64::MAX] {
            assert!(SectorSize::new(bytes).is_err(), "{bytes}");
        }
        assert_eq!(
            SectorSize::new(1000).unwrap_err().to_string(),
            "a sector size of 1000 bytes is not possible: use a power of two from 512 to 32768"
        );
    }

    #[test]
    fn mac_addresses_have_one_written_form() {
        assert_eq!(
            "00:80:41:0A:0b:ff".parse::<Mac>().unwrap().to_string(),
            "00:80:41:0a:0b:ff"
        );
        for text in [
            "",
            "00:80:41:0a:0b",
            "00:80:41:0a:0b:0c:0d",
            "0:80:41:0a:0b:0c",
            "+0:80:41:0a:0b:0c",
        ] {
            let sentence = text.parse::<Mac>().unwrap_err().to_string();
            assert_eq!(
                sentence,
                alloc::format!("`{text}` is no MAC address: write it like `00:80:41:0a:0b:0c`")
            );
        }
    }

    #[test]
    fn a_host_side_that_is_left_out_is_called_as_the_device() {
        let data = BlockDevice::same_name(DeviceName::new("Data").unwrap()).unwrap();
        assert_eq!(data.host.as_str(), "data");
        assert!(BlockDevice::same_name(DeviceName::new(&"x".repeat(64)).unwrap()).is_err());
        let service = NetDevice::same_name(DeviceName::new("service").unwrap()).unwrap();
        assert_eq!(service.bridge.as_str(), "service");
        assert!(NetDevice::same_name(DeviceName::new(&"x".repeat(16)).unwrap()).is_err());
    }
}
