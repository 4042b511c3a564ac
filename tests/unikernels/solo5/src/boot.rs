//! What the tender tells a unikernel at its start: memory, arguments, devices. The same for every target.
#![expect(unsafe_code, reason = "reads memory that the tender filled in")]

use core::ffi::CStr;

use crate::device::{Device, ENTRY_BYTES, Entry};
use crate::target;

/// The beginning of the boot info, which all targets share.
#[repr(C)]
pub(crate) struct BootInfo {
    pub(crate) memory_bytes: u64,
    pub(crate) kernel_end: u64,
    pub(crate) command_line: *const u8,
    pub(crate) manifest: *const u8,
}

/// What the tender gave this unikernel.
pub struct Boot {
    memory_bytes: u64,
    kernel_end: u64,
    command_line: &'static [u8],
    entries: &'static [Entry],
}

impl Boot {
    /// Reads the boot info. Called once, by [`entry!`](crate::entry).
    ///
    /// # Safety
    /// At `address` lies a boot info for this target, with a manifest and a NUL-terminated command line, and nobody
    /// changes any of them.
    #[must_use]
    pub unsafe fn from_address(address: usize) -> Self {
        // SAFETY: the caller vouches for a boot info at this address.
        let info = unsafe { target::begin(address) };
        // SAFETY: the caller vouches for a NUL-terminated line that never changes.
        let line = unsafe { CStr::from_ptr(info.command_line.cast()) };
        // SAFETY: the manifest begins with two u32s, version and number of entries, and the entries follow it.
        let entries = unsafe {
            let count = info.manifest.add(4).cast::<u32>().read_unaligned();
            core::slice::from_raw_parts(info.manifest.add(8).cast::<[u8; ENTRY_BYTES]>(), count as usize)
        };
        Self {
            memory_bytes: info.memory_bytes,
            kernel_end: info.kernel_end,
            command_line: line.to_bytes(),
            entries,
        }
    }

    /// The size of the unikernel's memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The first address above everything that was loaded.
    #[must_use]
    pub fn kernel_end(&self) -> u64 {
        self.kernel_end
    }

    /// The arguments in one line, as the tender joined them; an empty line where they are not UTF-8.
    #[must_use]
    pub fn command_line(&self) -> &'static str {
        str::from_utf8(self.command_line).unwrap_or_default()
    }

    /// The words of the command line.
    pub fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.command_line().split(' ').filter(|argument| !argument.is_empty())
    }

    /// Every entry of the manifest by its handle, the reserved first one included.
    pub fn devices(&self) -> impl Iterator<Item = Device> {
        self.entries
            .iter()
            .enumerate()
            .map(|(handle, entry)| Device::new(handle, entry))
    }

    /// The device of this name.
    ///
    /// # Panics
    /// When the unikernel did not declare it.
    #[must_use]
    pub fn device(&self, name: &str) -> Device {
        let device = self.devices().find(|device| device.name() == name);
        device.expect("the unikernel declares it")
    }
}
