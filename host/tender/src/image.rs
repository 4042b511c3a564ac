//! A unikernel's file, checked: every rule that can be checked without knowing how much memory it will have.
//!
//! Parses bytes that a stranger sent, so it never panics, follows no length it has not compared with the file, and
//! allocates in proportion to the file only. Loads nothing: it says what goes where.

pub(crate) mod header;
pub(crate) mod note;
pub(crate) mod segment;
mod source;

use std::fs::File;
use std::io;

use crate::manifest::{Manifest, ManifestError};
use crate::target::Target;
use header::HeaderError;
use note::NoteError;
use segment::{Segment, SegmentError};
use source::Source;

/// The lowest address a unikernel may load anything at or start from: the first MiB belongs to the tender.
pub const LOAD_ADDRESS_MIN: u64 = 0x10_0000;

const MIB: u64 = 1 << 20;

/// What a well-formed unikernel's file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    target: Target,
    abi_version: u32,
    manifest: Manifest,
    segments: Vec<Segment>,
    entry: u64,
    kernel_end: u64,
}

impl Image {
    /// Checks a unikernel's file, given whole.
    ///
    /// # Errors
    /// The first rule of the format that the file breaks.
    pub fn parse(file: &[u8]) -> Result<Self, ImageError> {
        Self::of(&Source::Bytes(file))
    }

    /// Checks a unikernel's file by the same rules, but reads only headers and notes of it.
    ///
    /// # Errors
    /// The first rule of the format that the file breaks; or it cannot be read.
    pub fn read(file: &File) -> Result<Self, ImageError> {
        let source = Source::of_file(file).map_err(|error| error.kind())?;
        Self::of(&source)
    }

    fn of(source: &Source<'_>) -> Result<Self, ImageError> {
        let header = header::parse(source)?;
        let notes = note::find(&header.programs, source)?;
        let manifest = Manifest::parse(notes.manifest())?;
        let segments = segment::parse(&header.programs, source.bytes())
            .map_err(|(index, reason)| ImageError::Segment { index, reason })?;
        let kernel_end = segments.last().ok_or(ImageError::NothingToLoad)?.pages().end;
        if header.entry < LOAD_ADDRESS_MIN {
            return Err(ImageError::Entry(header.entry));
        }
        Ok(Self {
            target: notes.target,
            abi_version: notes.abi_version,
            manifest,
            segments,
            entry: header.entry,
            kernel_end,
        })
    }

    /// Checks that the unikernel can be loaded into `memory_mib` MiB of memory. How much it needs to *work* is not
    /// in the file.
    ///
    /// # Errors
    /// The target takes no such size, or what the file loads, or its entry point, lies beyond the end.
    pub fn check_fits(&self, memory_mib: u64) -> Result<(), FitError> {
        let target = self.target;
        let max_mib = target.memory_mib_max().ok_or(FitError::NoTender(target))?;
        if memory_mib > max_mib {
            return Err(FitError::TooMuch {
                memory_mib,
                target,
                max_mib,
            });
        }
        let step_mib = target.memory_mib_step();
        if !memory_mib.is_multiple_of(step_mib) {
            return Err(FitError::Step {
                memory_mib,
                target,
                step_mib,
            });
        }
        let memory_bytes = memory_mib * MIB;
        if self.kernel_end > memory_bytes {
            return Err(FitError::TooLittle {
                memory_mib,
                needed_mib: self.kernel_end.div_ceil(MIB),
            });
        }
        if self.entry >= memory_bytes {
            return Err(FitError::Entry {
                memory_mib,
                entry: self.entry,
            });
        }
        Ok(())
    }

    /// What the unikernel was linked for.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The version of the target's interface; for `hvt` and `spt` the one that this code speaks.
    #[must_use]
    pub fn abi_version(&self) -> u32 {
        self.abi_version
    }

    /// The devices that the unikernel declares.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What is loaded, in ascending order; at least one.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The guest address of the first instruction.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// The first guest address above everything loaded, page-aligned: the guest's heap begins here.
    #[must_use]
    pub fn kernel_end(&self) -> u64 {
        self.kernel_end
    }
}

/// Why a file is not a unikernel that Fulmar accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The file cannot be read, or has become shorter meanwhile.
    #[error("the file cannot be read: {0}")]
    Read(io::ErrorKind),
    /// Not a program for this kind of machine.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Not Solo5's, or for a version of it that is not spoken here.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The manifest cannot be read.
    #[error("manifest: {0}")]
    Manifest(#[from] ManifestError),
    /// A segment cannot be loaded.
    #[error("program header {index}: {reason}")]
    Segment {
        /// The index in the table of program headers, from 0.
        index: usize,
        /// What is wrong with it.
        reason: SegmentError,
    },
    /// No segment has any bytes.
    #[error("no program header loads anything, so there is nothing to run")]
    NothingToLoad,
    /// The first instruction lies in memory that belongs to the tender.
    #[error("the entry point {0:#x} lies below {LOAD_ADDRESS_MIN:#x}")]
    Entry(u64),
}

impl From<io::ErrorKind> for ImageError {
    fn from(kind: io::ErrorKind) -> Self {
        Self::Read(kind)
    }
}

/// Why a unikernel does not fit a memory size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// The target runs without a tender, so its memory is not ours to give.
    #[error("memory: `{0}` unikernels run without a tender")]
    NoTender(Target),
    /// More than the target's layout has room for.
    #[error("memory: {memory_mib} MiB asked, `{target}` takes at most {max_mib} MiB")]
    TooMuch {
        /// The size asked for.
        memory_mib: u64,
        /// The unikernel's target.
        target: Target,
        /// The largest size.
        max_mib: u64,
    },
    /// Not a size that the target's page tables can describe.
    #[error("memory: {memory_mib} MiB asked, `{target}` takes multiples of {step_mib} MiB")]
    Step {
        /// The size asked for.
        memory_mib: u64,
        /// The unikernel's target.
        target: Target,
        /// Sizes are multiples of this.
        step_mib: u64,
    },
    /// The file alone is larger.
    #[error("memory: {memory_mib} MiB asked, the unikernel takes {needed_mib} MiB only to be loaded")]
    TooLittle {
        /// The size asked for.
        memory_mib: u64,
        /// The size that holds everything loaded.
        needed_mib: u64,
    },
    /// The first instruction lies beyond the end.
    #[error("memory: {memory_mib} MiB asked, the unikernel starts at address {entry:#x}, beyond the end")]
    Entry {
        /// The size asked for.
        memory_mib: u64,
        /// The entry point.
        entry: u64,
    },
}
