//! The devices of a unikernel, attached: every one that it declares, and no other.
//!
//! Owns the descriptors of taps and block files and the handles they go under. How a tap or a file must be is [`tap`]'s and
//! [`block`]'s affair; what a guest does with them is that of [`crate::hvt`] and [`crate::spt`].
#![expect(
    unsafe_code,
    reason = "takes over descriptors that the parent opened, by their number"
)]

pub(crate) mod block;
mod interface;
pub(crate) mod tap;

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use fulmar_tender::{Attachment, Device, DeviceKind, Manifest, Properties};
use rustix::io::fcntl_getfd;

use crate::options::device::{DeviceOptions, Source};
use block::{BlockError, BlockFile};
use tap::{Tap, TapError};

/// The attached devices, in the order of the manifest.
#[derive(Debug, Default)]
pub(crate) struct Devices(Vec<Attached>);

/// A device with what it stands for on the host.
#[derive(Debug)]
pub(crate) enum Attached {
    Block(BlockFile),
    Net(Tap),
}

/// Whether a guest is told the numbers of the host's descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptors {
    Shown,
    Hidden,
}

impl Devices {
    /// Attaches to each device of `manifest` what `options` have for it. Nothing is opened unless both agree.
    pub(crate) fn attach(
        manifest: &Manifest,
        options: &DeviceOptions,
        mut inherited: Inherited,
    ) -> Result<Self, DeviceError> {
        compare(manifest.devices(), options)?;
        let attach = |device: &Device| {
            let attached = attach(device, options, &mut inherited);
            attached.map_err(|reason| DeviceError::Device {
                kind: device.kind(),
                name: device.name().to_owned(),
                reason,
            })
        };
        manifest
            .devices()
            .iter()
            .map(attach)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// These devices, for the tests.
    #[cfg(test)]
    pub(crate) fn of(attached: Vec<Attached>) -> Self {
        Self(attached)
    }

    /// Every device with its handle. The first has handle 1: handle 0 is the manifest's reserved entry.
    pub(crate) fn with_handles(&self) -> impl Iterator<Item = (u64, &Attached)> {
        (1..).zip(&self.0)
    }

    /// The disk with this handle, if it is one.
    pub(crate) fn block(&self, handle: u64) -> Option<&BlockFile> {
        match self.with_handle(handle)? {
            Attached::Block(file) => Some(file),
            Attached::Net(_) => None,
        }
    }

    /// The interface with this handle, if it is one.
    pub(crate) fn net(&self, handle: u64) -> Option<&Tap> {
        match self.with_handle(handle)? {
            Attached::Net(tap) => Some(tap),
            Attached::Block(_) => None,
        }
    }

    fn with_handle(&self, handle: u64) -> Option<&Attached> {
        self.0.get(usize::try_from(handle.checked_sub(1)?).ok()?)
    }

    /// All files and taps.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &BlockFile> {
        self.0.iter().filter_map(|attached| match attached {
            Attached::Block(file) => Some(file),
            Attached::Net(_) => None,
        })
    }

    /// The interfaces with their handles.
    pub(crate) fn nets(&self) -> impl Iterator<Item = (u64, &Tap)> {
        self.with_handles().filter_map(|(handle, attached)| match attached {
            Attached::Net(tap) => Some((handle, tap)),
            Attached::Block(_) => None,
        })
    }

    /// What the guest is told.
    pub(crate) fn attachments(&self, descriptors: Descriptors) -> Vec<Attachment> {
        let attachment = |attached: &Attached| Attachment {
            properties: attached.properties(),
            descriptor: match descriptors {
                Descriptors::Shown => attached.as_fd().as_raw_fd(),
                Descriptors::Hidden => 0,
            },
        };
        self.0.iter().map(attachment).collect()
    }

    /// What must stay open.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.iter().map(AsFd::as_fd)
    }
}

impl Attached {
    fn properties(&self) -> Properties {
        match self {
            Self::Block(file) => Properties::Block {
                capacity_bytes: file.capacity_bytes(),
                sector_bytes: file.sector_bytes(),
            },
            Self::Net(tap) => Properties::Net {
                mac: tap.mac(),
                mtu: tap.mtu(),
            },
        }
    }
}

impl AsFd for Attached {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Block(file) => file.as_fd(),
            Self::Net(tap) => tap.as_fd(),
        }
    }
}

/// Compares what is declared with what is given.
fn compare(declared: &[Device], options: &DeviceOptions) -> Result<(), DeviceError> {
    let missing = declared
        .iter()
        .filter(|device| options.source(device.kind(), device.name()).is_none())
        .map(|device| Mismatch::Missing(device.kind(), device.name().to_owned()));
    let is_declared = |kind, name| {
        declared
            .iter()
            .any(|device| (device.kind(), device.name()) == (kind, name))
    };
    let extra = options
        .named()
        .filter(|&(kind, name)| !is_declared(kind, name))
        .map(|(kind, name)| Mismatch::Extra(kind, name.to_owned()));
    let mismatches: Vec<_> = missing.chain(extra).collect();
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(DeviceError::Mismatches(Mismatches(mismatches)))
    }
}

/// Descriptors that the parent opened for devices, by number.
type Inherited = BTreeMap<RawFd, OwnedFd>;

/// Takes over the descriptors that are named; each must be open, and belongs to one device. To be called before this process opens
/// anything.
pub(crate) fn adopt(options: &DeviceOptions) -> Result<Inherited, DeviceError> {
    let mut inherited = BTreeMap::new();
    for (kind, name) in options.named() {
        let Some(&Source::Descriptor(number)) = options.source(kind, name) else {
            continue;
        };
        // SAFETY: only asks whether it is open.
        if fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) }).is_err() {
            return Err(DeviceError::NotOpen(number));
        }
        // SAFETY: the parent opened it for us: this process has opened nothing that is still open, and runs one thread.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        if let Some(twin) = inherited.insert(number, descriptor) {
            // Two owners of one number: neither may close it.
            std::mem::forget(twin);
            return Err(DeviceError::Shared(number));
        }
    }
    Ok(inherited)
}

fn attach(device: &Device, options: &DeviceOptions, inherited: &mut Inherited) -> Result<Attached, AttachError> {
    let name = device.name();
    let source = options.source(device.kind(), name).ok_or(AttachError::Gone)?;
    let mut take = |number: &RawFd| inherited.remove(number).ok_or(AttachError::Gone);
    let at = |error| AttachError::Block(source.to_string(), error);
    let on = |error| AttachError::Tap(source.to_string(), error);
    match device.kind() {
        DeviceKind::Block => {
            let sector_bytes = options.blocks.get(name).and_then(|block| block.sector_bytes);
            let file = match source {
                Source::Name(path) => block::open(path).map_err(at)?,
                Source::Descriptor(number) => block::adopt(take(number)?).map_err(at)?,
            };
            BlockFile::new(file, sector_bytes).map(Attached::Block).map_err(at)
        }
        DeviceKind::Net => {
            let mac = options.nets.get(name).and_then(|net| net.mac);
            let tap = match source {
                Source::Name(tap) => tap::open(tap).map_err(on)?,
                Source::Descriptor(number) => tap::adopt(take(number)?).map_err(on)?,
            };
            Tap::new(tap, mac).map(Attached::Net).map_err(on)
        }
    }
}

/// Why the devices cannot be attached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeviceError {
    #[error("{0}")]
    Mismatches(Mismatches),
    #[error("descriptor {0} is not open")]
    NotOpen(RawFd),
    #[error("descriptor {0} is given for two devices")]
    Shared(RawFd),
    #[error("{kind} device `{name}`: {reason}")]
    Device {
        kind: DeviceKind,
        name: String,
        reason: AttachError,
    },
}

/// Why one device cannot be attached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    #[error("{0}: {1}")]
    Block(String, BlockError),
    #[error("{0}: {1}")]
    Tap(String, TapError),
    #[error("it was given, and is not there any more")]
    Gone,
}

/// Everything that does not agree, in one sentence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatches(Vec<Mismatch>);

#[derive(Debug, PartialEq, Eq)]
enum Mismatch {
    Missing(DeviceKind, String),
    Extra(DeviceKind, String),
}

impl fmt::Display for Mismatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mismatch) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{mismatch}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(kind, name) => {
                let option = match kind {
                    DeviceKind::Block => format!("--block:{name}=FILE"),
                    DeviceKind::Net => format!("--net:{name}=TAP"),
                };
                write!(
                    f,
                    "the unikernel declares the {kind} device `{name}`: attach one with `{option}`"
                )
            }
            Self::Extra(kind, name) => write!(f, "the unikernel declares no {kind} device `{name}`: leave it out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn declared(devices: &[(DeviceKind, &str)]) -> Manifest {
        // The library makes manifests out of a unikernel's file only.
        let entry = |name: &str, kind: u32| {
            let mut entry = [0; 104];
            entry[..name.len()].copy_from_slice(name.as_bytes());
            entry[68..72].copy_from_slice(&kind.to_le_bytes());
            entry
        };
        let count = u32::try_from(1 + devices.len()).unwrap();
        let mut bytes = [1_u32.to_le_bytes(), count.to_le_bytes()].concat();
        bytes.extend(entry("", 1 << 30));
        for (kind, name) in devices {
            bytes.extend(entry(name, if *kind == DeviceKind::Block { 1 } else { 2 }));
        }
        fulmar_tender::Manifest::parse(&bytes).unwrap()
    }

    fn given(arguments: &[&str]) -> DeviceOptions {
        let mut options = DeviceOptions::default();
        for argument in arguments {
            options.take(OsStr::new(argument)).unwrap();
        }
        options
    }

    fn refusal(devices: &[(DeviceKind, &str)], arguments: &[&str]) -> String {
        let options = given(arguments);
        let attached = adopt(&options).and_then(|inherited| Devices::attach(&declared(devices), &options, inherited));
        attached.unwrap_err().to_string()
    }

    #[test]
    fn what_is_declared_and_what_is_given_must_agree() {
        use DeviceKind::{Block, Net};
        assert_eq!(
            refusal(
                &[(Net, "service"), (Block, "data")],
                &["--net-mac:service=2:0:0:0:0:1", "--block:logs=x", "--net:data=x"]
            ),
            "the unikernel declares the network device `service`: attach one with `--net:service=TAP`; \
             the unikernel declares the block device `data`: attach one with `--block:data=FILE`; \
             the unikernel declares no block device `logs`: leave it out; \
             the unikernel declares no network device `data`: leave it out"
        );
    }

    #[test]
    fn a_device_that_cannot_be_attached_is_named_with_the_reason() {
        use DeviceKind::{Block, Net};
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, [0; 513]).unwrap();
        let path = file.path().display();
        assert_eq!(
            refusal(&[(Block, "data")], &[&format!("--block:data={path}")]),
            format!("block device `data`: `{path}`: Backing storage size must be block aligned (512 bytes)")
        );
        assert_eq!(
            refusal(&[(Block, "data")], &["--block:data=/nonexistent/disk"]),
            "block device `data`: `/nonexistent/disk`: No such file or directory (os error 2)"
        );
        assert_eq!(
            refusal(&[(Net, "service")], &["--net:service=sixteen-bytes-16"]),
            "network device `service`: `sixteen-bytes-16`: the name of a network interface has 1 to 15 bytes"
        );
        assert_eq!(
            refusal(&[(Net, "service")], &["--net:service=@12345"]),
            "descriptor 12345 is not open"
        );
    }

    #[test]
    fn handles_begin_with_1_and_know_the_kind_of_their_device() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, [0; 1024]).unwrap();
        let option = format!("--block:data={}", file.path().display());
        let options = given(&[&option, "--block-sector-size:data=1024"]);
        let devices = Devices::attach(&declared(&[(DeviceKind::Block, "data")]), &options, Inherited::new()).unwrap();
        assert!(devices.block(1).is_some());
        assert!(devices.net(1).is_none());
        assert!(
            [0, 2, u64::MAX]
                .into_iter()
                .all(|handle| devices.block(handle).is_none())
        );
        let properties = Properties::Block {
            capacity_bytes: 1024,
            sector_bytes: 1024,
        };
        assert_eq!(
            devices.attachments(Descriptors::Hidden),
            [Attachment {
                properties,
                descriptor: 0
            }]
        );
        assert!(devices.attachments(Descriptors::Shown)[0].descriptor > 2);
    }
}
