//! The block of memory that tells an `spt` guest what it has: sizes, descriptors, manifest and command line.
//!
//! Makes bytes; writes nothing anywhere.

use std::os::fd::RawFd;

use fulmar_tender::CommandLine;

/// The guest address of the boot info, which is also the guest's first argument.
pub(crate) const ADDRESS: u64 = 0x1_1000;

/// Four u64 and two i32; the manifest follows directly, at the multiple of 8 that its own u64s need.
const HEADER_BYTES: u64 = 40;

/// What goes into the block.
pub(crate) struct BootInfo<'a> {
    pub(crate) memory_bytes: u64,
    pub(crate) kernel_end: u64,
    pub(crate) epoll: RawFd,
    pub(crate) timer: RawFd,
    pub(crate) manifest: &'a [u8],
    pub(crate) command_line: &'a CommandLine,
}

impl BootInfo<'_> {
    /// The block, to be written at [`ADDRESS`]. With the longest manifest and command line it ends far below the first
    /// MiB (see the test), where the unikernel begins.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let manifest_address = ADDRESS + HEADER_BYTES;
        let command_line_address = manifest_address + self.manifest.len() as u64;
        let mut bytes = Vec::new();
        for word in [
            self.memory_bytes,
            self.kernel_end,
            command_line_address,
            manifest_address,
        ] {
            bytes.extend(word.to_le_bytes());
        }
        for descriptor in [self.epoll, self.timer] {
            bytes.extend(descriptor.to_le_bytes());
        }
        bytes.extend(self.manifest);
        bytes.extend(self.command_line.as_bytes());
        bytes.push(0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(manifest: &[u8], command_line: &CommandLine) -> Vec<u8> {
        let boot_info = BootInfo {
            memory_bytes: 32 << 20,
            kernel_end: 0x10_5000,
            epoll: 4,
            timer: 3,
            manifest,
            command_line,
        };
        boot_info.to_bytes()
    }

    #[test]
    fn every_field_is_where_the_guest_looks() {
        let bytes = block(b"manifest", &CommandLine::join(["a", "b"]).unwrap());
        let word = |offset: usize| u64::from_le_bytes(*bytes[offset..].first_chunk().unwrap());
        assert_eq!(word(0), 32 << 20);
        assert_eq!(word(8), 0x10_5000);
        assert_eq!(word(16), 0x1_1030, "the command line");
        assert_eq!(word(24), 0x1_1028, "the manifest");
        assert_eq!(bytes[32..40], [4, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(bytes[40..], *b"manifesta b\0");
    }

    #[test]
    fn the_largest_block_ends_below_the_unikernel() {
        let longest = CommandLine::join(["x".repeat(fulmar_tender::COMMAND_LINE_BYTES_MAX)]).unwrap();
        let manifest = vec![0; 8 + 104 * (1 + fulmar_tender::DEVICES_MAX)];
        let end = ADDRESS + block(&manifest, &longest).len() as u64;
        assert!(end <= fulmar_tender::LOAD_ADDRESS_MIN, "ends at {end:#x}");
    }
}
