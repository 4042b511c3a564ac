//! The loadable segments: which bytes of the file go where in the guest's memory, and what the guest may do to them.
//!
//! Checks each segment by itself and against the ones before it. Knows no memory size: that is
//! [`Image::check_fits`](crate::Image::check_fits).

use std::fmt;
use std::ops::Range;

use object::LittleEndian;
use object::elf::{PF_R, PF_W, PF_X, PT_LOAD, ProgramHeader64};

use super::LOAD_ADDRESS_MIN;

const PAGE_BYTES: u64 = 4096;

/// A part of the file that is loaded, at a page-aligned range that overlaps no other segment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    address: u64,
    pages: Range<u64>,
    file: Range<usize>,
    protection: Protection,
}

/// What a guest may do to a segment; never both write and execute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    read: bool,
    write: bool,
    execute: bool,
}

impl Segment {
    /// Reads one program header; `None` if it asks for nothing to be loaded, since the guest's memory is zero already.
    fn parse(header: &ProgramHeader64<LittleEndian>, file_bytes: usize) -> Result<Option<Self>, SegmentError> {
        let size_in_file = header.p_filesz.get(LittleEndian);
        if header.p_type.get(LittleEndian) != PT_LOAD || size_in_file == 0 {
            return Ok(None);
        }
        let size_in_memory = header.p_memsz.get(LittleEndian);
        if size_in_memory < size_in_file {
            return Err(SegmentError::Sizes {
                size_in_file,
                size_in_memory,
            });
        }
        let file = file_range(header.p_offset.get(LittleEndian), size_in_file, file_bytes)?;
        let address = header.p_vaddr.get(LittleEndian);
        let pages = page_range(address, size_in_memory, header.p_align.get(LittleEndian))?;
        let protection = Protection::from_flags(header.p_flags.get(LittleEndian).0)?;
        Ok(Some(Self {
            address,
            pages,
            file,
            protection,
        }))
    }

    /// Where the segment's bytes begin in the guest's memory.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.address
    }

    /// The guest addresses that the protection covers: whole pages, zero where the file has no bytes for them.
    #[must_use]
    pub fn pages(&self) -> Range<u64> {
        self.pages.clone()
    }

    /// What the guest may do to [`pages`](Self::pages).
    #[must_use]
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// Where these bytes are in the file.
    #[must_use]
    pub fn file(&self) -> Range<usize> {
        self.file.clone()
    }

    /// The bytes to load at [`address`](Self::address), out of the file that this segment was parsed from.
    ///
    /// # Panics
    /// If `file` is shorter than the file that was parsed.
    #[must_use]
    pub fn contents<'file>(&self, file: &'file [u8]) -> &'file [u8] {
        &file[self.file.clone()]
    }
}

impl Protection {
    /// What the flags of a program header allow (`PF_X` 1, `PF_W` 2, `PF_R` 4).
    ///
    /// # Errors
    /// Both writing and executing.
    pub fn from_flags(flags: u32) -> Result<Self, SegmentError> {
        let has = |flag: u32| flags & flag != 0;
        let protection = Self {
            read: has(PF_R.0),
            write: has(PF_W.0),
            execute: has(PF_X.0),
        };
        if protection.write && protection.execute {
            return Err(SegmentError::WriteAndExecute);
        }
        Ok(protection)
    }

    /// The guest may read.
    #[must_use]
    pub fn read(self) -> bool {
        self.read
    }

    /// The guest may write.
    #[must_use]
    pub fn write(self) -> bool {
        self.write
    }

    /// The guest may execute.
    #[must_use]
    pub fn execute(self) -> bool {
        self.execute
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |set, letter| if set { letter } else { '-' };
        write!(
            f,
            "{}{}{}",
            letter(self.read, 'r'),
            letter(self.write, 'w'),
            letter(self.execute, 'x')
        )
    }
}

/// All loadable segments, in the order of the file, which is that of their addresses.
pub(super) fn parse(
    headers: &[ProgramHeader64<LittleEndian>],
    file_bytes: usize,
) -> Result<Vec<Segment>, (usize, SegmentError)> {
    let mut segments: Vec<Segment> = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let Some(segment) = Segment::parse(header, file_bytes).map_err(|error| (index, error))? else {
            continue;
        };
        if let Some(last) = segments.last() {
            follows(last, &segment).map_err(|error| (index, error))?;
        }
        segments.push(segment);
    }
    Ok(segments)
}

fn follows(last: &Segment, next: &Segment) -> Result<(), SegmentError> {
    if next.address < last.address {
        return Err(SegmentError::Descending {
            address: next.address,
            last: last.address,
        });
    }
    if next.pages.start < last.pages.end {
        return Err(SegmentError::Overlap {
            start: next.pages.start,
            last_end: last.pages.end,
        });
    }
    Ok(())
}

fn file_range(offset: u64, size: u64, file_bytes: usize) -> Result<Range<usize>, SegmentError> {
    let outside = SegmentError::OutsideFile {
        offset,
        size,
        file_bytes,
    };
    let Some(end) = offset.checked_add(size) else {
        return Err(outside);
    };
    match (usize::try_from(offset), usize::try_from(end)) {
        (Ok(start), Ok(end)) if end <= file_bytes => Ok(start..end),
        _ => Err(outside),
    }
}

fn page_range(address: u64, size: u64, align: u64) -> Result<Range<u64>, SegmentError> {
    if !align.is_power_of_two() || align < PAGE_BYTES {
        return Err(SegmentError::Alignment(align));
    }
    let start = address & !(align - 1);
    if start < LOAD_ADDRESS_MIN {
        return Err(SegmentError::TooLow { start });
    }
    let end = address
        .checked_add(size)
        .and_then(|end| end.checked_next_multiple_of(align));
    Ok(start..end.ok_or(SegmentError::TooHigh { address, size })?)
}

/// Why a segment cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// More bytes in the file than room in memory.
    #[error("{size_in_file} bytes in the file, but room for only {size_in_memory} in memory")]
    Sizes {
        /// Bytes in the file.
        size_in_file: u64,
        /// Bytes in memory.
        size_in_memory: u64,
    },
    /// The file ends before the segment does.
    #[error("the file is cut off: {size} bytes from offset {offset} lie outside its {file_bytes} bytes")]
    OutsideFile {
        /// Where the segment begins in the file.
        offset: u64,
        /// Its bytes in the file.
        size: u64,
        /// The file's length.
        file_bytes: usize,
    },
    /// Not a whole number of pages, or no power of two.
    #[error("an alignment of {0} is not a power of two of at least {PAGE_BYTES}")]
    Alignment(u64),
    /// Reaches into the memory that belongs to the tender.
    #[error("begins at {start:#x} once aligned, but nothing may be loaded below {LOAD_ADDRESS_MIN:#x}")]
    TooLow {
        /// The aligned start.
        start: u64,
    },
    /// Ends beyond every address.
    #[error("{size} bytes from address {address:#x} reach beyond the address space")]
    TooHigh {
        /// Where the segment begins.
        address: u64,
        /// Its bytes in memory.
        size: u64,
    },
    /// The ELF specification wants ascending addresses.
    #[error("begins at {address:#x}, below the segment before it at {last:#x}")]
    Descending {
        /// Where this segment begins.
        address: u64,
        /// Where the one before it begins.
        last: u64,
    },
    /// Two segments would share a page, and so a protection.
    #[error("begins at {start:#x} once aligned, within the segment before it, which ends at {last_end:#x}")]
    Overlap {
        /// The aligned start.
        start: u64,
        /// The aligned end of the one before it.
        last_end: u64,
    },
    /// No memory may be both written and executed.
    #[error("is both writable and executable")]
    WriteAndExecute,
}
