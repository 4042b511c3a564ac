//! A file or a block device of the host as a unikernel's disk.
//!
//! Owns what such a file must be, and which accesses lie within it. Reads and writes nothing.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use rustix::fs::{OFlags, fcntl_getfl};

/// As Solo5.
const SECTOR_BYTES_DEFAULT: u16 = 512;

/// An open file of a whole number of sectors, at least one.
#[derive(Debug)]
pub(crate) struct BlockFile {
    file: File,
    capacity_bytes: u64,
    sector_bytes: u16,
}

/// Opens a file for reading and writing; creates none.
pub(super) fn open(path: &OsStr) -> Result<File, BlockError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NOCTTY);
    let file = options.open(path).map_err(BlockError::Open)?;
    check_type(file)
}

/// Takes a file that the parent opened.
pub(super) fn adopt(descriptor: OwnedFd) -> Result<File, BlockError> {
    let flags = fcntl_getfl(&descriptor).map_err(|error| BlockError::Open(error.into()))?;
    if flags & OFlags::RWMODE != OFlags::RDWR {
        return Err(BlockError::Mode);
    }
    // Linux appends then, wherever the unikernel wants to write.
    if flags.contains(OFlags::APPEND) {
        return Err(BlockError::Append);
    }
    check_type(File::from(descriptor))
}

fn check_type(file: File) -> Result<File, BlockError> {
    let kind = file.metadata().map_err(BlockError::Open)?.file_type();
    if kind.is_file() || kind.is_block_device() {
        Ok(file)
    } else {
        Err(BlockError::Type)
    }
}

impl BlockFile {
    /// A disk with sectors of that size.
    pub(crate) fn new(mut file: File, sector_bytes: Option<u16>) -> Result<Self, BlockError> {
        // The metadata's length is 0 for a block device.
        let capacity_bytes = file.seek(SeekFrom::End(0)).map_err(BlockError::Capacity)?;
        let sector_bytes = sector_bytes.unwrap_or(SECTOR_BYTES_DEFAULT);
        if !capacity_bytes.is_multiple_of(u64::from(sector_bytes)) {
            return Err(BlockError::Unaligned(sector_bytes));
        }
        if capacity_bytes == 0 {
            return Err(BlockError::Empty(sector_bytes));
        }
        Ok(Self {
            file,
            capacity_bytes,
            sector_bytes,
        })
    }

    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.capacity_bytes
    }

    pub(crate) fn sector_bytes(&self) -> u16 {
        self.sector_bytes
    }

    /// Where the last sector begins: no access begins later.
    pub(crate) fn last_sector_offset(&self) -> u64 {
        self.capacity_bytes - u64::from(self.sector_bytes)
    }

    /// Whether an access is one of whole sectors, all of them on the disk.
    pub(crate) fn holds(&self, offset: u64, length: u64) -> bool {
        let sector = u64::from(self.sector_bytes);
        let end = offset.checked_add(length);
        offset.is_multiple_of(sector)
            && length.is_multiple_of(sector)
            && offset < self.capacity_bytes
            && end.is_some_and(|end| end <= self.capacity_bytes)
    }
}

impl AsFd for BlockFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Why a file is no disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlockError {
    #[error("{0}")]
    Open(io::Error),
    #[error("it is not open for reading and writing")]
    Mode,
    #[error("it is open for appending, so nothing could be written but at its end")]
    Append,
    #[error("neither a regular file nor a block device")]
    Type,
    #[error("its size cannot be told: {0}")]
    Capacity(io::Error),
    // As Solo5's tenders say it, like the next.
    #[error("Backing storage size must be block aligned ({0} bytes)")]
    Unaligned(u16),
    #[error("Backing storage must be at least 1 block ({0} bytes) in size")]
    Empty(u16),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn disk(capacity_bytes: u64, sector_bytes: Option<u16>) -> Result<BlockFile, String> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(capacity_bytes).unwrap();
        BlockFile::new(file, sector_bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn a_disk_is_a_whole_number_of_sectors_and_not_empty() {
        assert_eq!(disk(512, None).unwrap().last_sector_offset(), 0);
        assert_eq!(disk(12288, Some(4096)).unwrap().last_sector_offset(), 8192);
        let aligned = |bytes: u16| Err(format!("Backing storage size must be block aligned ({bytes} bytes)"));
        assert_eq!(disk(511, None).map(drop), aligned(512));
        assert_eq!(disk(513, None).map(drop), aligned(512));
        assert_eq!(disk(512, Some(1024)).map(drop), aligned(1024));
        let empty = "Backing storage must be at least 1 block (512 bytes) in size";
        assert_eq!(disk(0, None).map(drop), Err(empty.to_owned()));
    }

    #[test]
    fn a_file_that_cannot_be_written_anywhere_is_refused() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let sentence = |file: File| adopt(file.into()).map(drop).unwrap_err().to_string();
        assert_eq!(
            sentence(File::open(&path).unwrap()),
            "it is not open for reading and writing"
        );
        assert_eq!(
            sentence(OpenOptions::new().read(true).append(true).open(&path).unwrap()),
            "it is open for appending, so nothing could be written but at its end"
        );
        let device = OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
        assert_eq!(sentence(device), "neither a regular file nor a block device");
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert!(adopt(file.into()).is_ok());
    }

    proptest! {
        #[test]
        fn an_access_is_held_exactly_if_each_of_its_bytes_is_in_a_sector_that_it_covers(
            sectors in 1..9_u64, offset in 0..5000_u64, length in 0..5000_u64, huge in any::<bool>()
        ) {
            let disk = disk(sectors * 512, None).unwrap();
            let (offset, length) = if huge { (u64::MAX - offset, u64::MAX - length) } else { (offset, length) };
            let end = u128::from(offset) + u128::from(length);
            let whole = offset % 512 == 0 && length % 512 == 0;
            let expected = whole && offset < sectors * 512 && end <= u128::from(sectors * 512);
            prop_assert_eq!(disk.holds(offset, length), expected);
        }
    }
}
