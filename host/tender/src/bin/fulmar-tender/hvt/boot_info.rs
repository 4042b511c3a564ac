//! The block of memory that tells an `hvt` guest what it has: sizes, the frequency of its clock, manifest and command line.
//!
//! Makes bytes; writes nothing anywhere.

use fulmar_tender::CommandLine;

use super::arch::BOOT_INFO_ADDRESS;

/// Five u64; then the fields of the network ring, two u32 and one u64. The manifest follows at a multiple of 8.
const HEADER_BYTES: u64 = 56;

/// What goes into the block.
pub(super) struct BootInfo<'a> {
    pub(super) memory_bytes: u64,
    pub(super) kernel_end: u64,
    pub(super) cycles_per_second: u64,
    pub(super) manifest: &'a [u8],
    pub(super) command_line: &'a CommandLine,
}

impl BootInfo<'_> {
    /// The block, to be written at [`BOOT_INFO_ADDRESS`]. With the longest manifest and command line it ends far below
    /// the first MiB (see the test), where the unikernel begins.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let manifest_address = BOOT_INFO_ADDRESS + HEADER_BYTES;
        let command_line_address = manifest_address + self.manifest.len() as u64;
        let mut bytes = Vec::new();
        for word in [
            self.memory_bytes,
            self.kernel_end,
            self.cycles_per_second,
            command_line_address,
            manifest_address,
        ] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(RING_FIELDS);
        bytes.extend(self.manifest);
        bytes.extend(self.command_line.as_bytes());
        bytes.push(0);
        bytes
    }
}

/// The network ring of Solo5 0.11 is not offered: no host feature, no guest feature, no address; guests that know it use
/// the hypercalls then.
///
/// A ring would be a part of [`super::GuestMemory`] at its top, left out of `memory_bytes` and announced here; a second
/// thread would serve it, which waits on an ioeventfd for port `0x600`; and the filter would gain that descriptor.
const RING_FIELDS: [u8; 16] = [0; 16];

#[cfg(test)]
mod tests {
    use super::*;

    fn block(manifest: &[u8], command_line: &CommandLine) -> Vec<u8> {
        let boot_info = BootInfo {
            memory_bytes: 32 << 20,
            kernel_end: 0x10_5000,
            cycles_per_second: 2_000_000_000,
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
        assert_eq!(word(16), 2_000_000_000);
        assert_eq!(word(24), 0x1_0040, "the command line");
        assert_eq!(word(32), 0x1_0038, "the manifest");
        assert_eq!(bytes[40..56], [0; 16], "no ring");
        assert_eq!(bytes[56..], *b"manifesta b\0");
    }

    #[test]
    fn the_largest_block_ends_below_the_unikernel() {
        let longest = CommandLine::join(["x".repeat(fulmar_tender::COMMAND_LINE_BYTES_MAX)]).unwrap();
        let manifest = vec![0; 8 + 104 * (1 + fulmar_tender::DEVICES_MAX)];
        let end = BOOT_INFO_ADDRESS + block(&manifest, &longest).len() as u64;
        assert!(end <= fulmar_tender::LOAD_ADDRESS_MIN, "ends at {end:#x}");
    }
}
