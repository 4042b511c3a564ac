//! The two ELF notes of Solo5: which target and version the unikernel was linked for, and its manifest.
//!
//! Each note has a `PT_NOTE` program header to itself; other owners' notes are skipped. What the manifest says is
//! [`crate::Manifest`]'s affair.

use object::LittleEndian;
use object::elf::{NoteHeader64, PT_NOTE, ProgramHeader64};
use object::pod;

use super::ImageError;
use super::source::{Part, Source};
use crate::target::{Target, UnknownTarget};

const OWNER: &[u8] = b"Solo5\0";
const OWNER_OFFSET: usize = 12;
const OWNER_PADDED_BYTES: usize = 8;
const DESCRIPTION_OFFSET: usize = OWNER_OFFSET + OWNER_PADDED_BYTES;
const TYPE_ABI: u32 = u32::from_le_bytes(*b"ABI1");
const TYPE_MANIFEST: u32 = u32::from_le_bytes(*b"MFT1");
const ABI_BYTES: usize = 16;
/// The manifest holds u64s, so it begins at a multiple of 8, that is 24 bytes into the note instead of 20.
const MANIFEST_PADDING: usize = 4;

/// What the ABI note says, and the bytes of the manifest.
pub(super) struct Notes {
    pub(super) target: Target,
    pub(super) abi_version: u32,
    manifest: Part,
}

impl Notes {
    pub(super) fn manifest(&self) -> &[u8] {
        &self.manifest.as_ref()[MANIFEST_PADDING..]
    }
}

pub(super) fn find(headers: &[ProgramHeader64<LittleEndian>], source: &Source<'_>) -> Result<Notes, ImageError> {
    let (mut abi, mut manifest) = (None, None);
    for header in headers
        .iter()
        .filter(|header| header.p_type.get(LittleEndian) == PT_NOTE)
    {
        let (place, name) = match note(header, source)? {
            Some((TYPE_ABI, description)) => (abi.replace(description), "ABI"),
            Some((TYPE_MANIFEST, description)) => (manifest.replace(description), "manifest"),
            _ => continue,
        };
        if place.is_some() {
            return Err(NoteError::Twice(name).into());
        }
    }
    let abi = abi.ok_or(NoteError::Missing("ABI"))?;
    let (target, abi_version) = parse_abi(abi.as_ref())?;
    let manifest = manifest.ok_or(NoteError::Missing("manifest"))?;
    let bytes = manifest.as_ref().len();
    if bytes < MANIFEST_PADDING {
        return Err(NoteError::Padding { bytes }.into());
    }
    Ok(Notes {
        target,
        abi_version,
        manifest,
    })
}

/// Type and description of a note if it is one of the two. Others are not even read: a file may hold tens of thousands of
/// headers that all point at one long note.
fn note(header: &ProgramHeader64<LittleEndian>, source: &Source<'_>) -> Result<Option<(u32, Part)>, ImageError> {
    let (offset, size) = (header.p_offset.get(LittleEndian), header.p_filesz.get(LittleEndian));
    let file_bytes = source.bytes();
    let outside = NoteError::OutsideFile {
        offset,
        size,
        file_bytes,
    };
    if offset.checked_add(size).is_none_or(|end| end > file_bytes as u64) {
        return Err(outside.into());
    }
    let start = source.read(offset, size.min(DESCRIPTION_OFFSET as u64))?;
    let start = start.as_ref().map_or(&[][..], AsRef::as_ref);
    let Ok((note, _)) = pod::from_bytes::<NoteHeader64<LittleEndian>>(start) else {
        return Ok(None);
    };
    let owner = start.get(OWNER_OFFSET..OWNER_OFFSET + OWNER.len());
    if usize::try_from(note.n_namesz.get(LittleEndian)) != Ok(OWNER.len()) || owner != Some(OWNER) {
        return Ok(None);
    }
    let described = note.n_descsz.get(LittleEndian);
    if DESCRIPTION_OFFSET as u64 + u64::from(described) > size {
        return Err(NoteError::Truncated { described, size }.into());
    }
    let kind = note.n_type.get(LittleEndian).0;
    if !matches!(kind, TYPE_ABI | TYPE_MANIFEST) {
        return Ok(None);
    }
    let description = source.read(offset + DESCRIPTION_OFFSET as u64, u64::from(described))?;
    Ok(description.map(|description| (kind, description)))
}

fn parse_abi(description: &[u8]) -> Result<(Target, u32), NoteError> {
    let words: &[u8; ABI_BYTES] = description.try_into().map_err(|_| NoteError::AbiSize {
        bytes: description.len(),
    })?;
    let (words, _) = words.as_chunks::<4>();
    let [number, version, reserved_0, reserved_1] = [0, 1, 2, 3].map(|word| u32::from_le_bytes(words[word]));
    let target = Target::from_number(number)?;
    if reserved_0 != 0 || reserved_1 != 0 {
        return Err(NoteError::AbiReserved);
    }
    match target.abi_version() {
        Some(known) if known != version => Err(NoteError::AbiVersion { target, version, known }),
        _ => Ok((target, version)),
    }
}

/// Why the notes do not make the file a unikernel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The file ends before the note's segment does.
    #[error("the file is cut off: a note of {size} bytes from offset {offset} lies outside its {file_bytes} bytes")]
    OutsideFile {
        /// Where the note begins in the file.
        offset: u64,
        /// Its bytes.
        size: u64,
        /// The file's length.
        file_bytes: usize,
    },
    /// The note describes more bytes than its segment holds.
    #[error("a Solo5 note describes {described} bytes, but its segment of {size} bytes does not hold them")]
    Truncated {
        /// Bytes that the note claims.
        described: u32,
        /// The segment's bytes.
        size: u64,
    },
    /// One of the two notes is not there.
    #[error("there is no Solo5 {0} note, so this is not a Solo5 unikernel")]
    Missing(&'static str),
    /// Two notes that may contradict each other.
    #[error("there are two Solo5 {0} notes")]
    Twice(&'static str),
    /// The ABI note is not four words.
    #[error("the Solo5 ABI note has {bytes} bytes, but must have {ABI_BYTES}")]
    AbiSize {
        /// Its bytes.
        bytes: usize,
    },
    /// A target from the future, or nonsense.
    #[error(transparent)]
    AbiTarget(#[from] UnknownTarget),
    /// Linked against bindings that are too old or too new.
    #[error("made for version {version} of the Solo5 `{target}` interface, but this host speaks version {known}")]
    AbiVersion {
        /// The note's target.
        target: Target,
        /// The note's version.
        version: u32,
        /// The version that this host speaks.
        known: u32,
    },
    /// Words that must be zero are not: a feature that this code does not know.
    #[error("the reserved words of the Solo5 ABI note are not zero")]
    AbiReserved,
    /// The manifest note does not even hold its padding.
    #[error("the Solo5 manifest note has {bytes} bytes, too few for its padding of {MANIFEST_PADDING}")]
    Padding {
        /// Its bytes.
        bytes: usize,
    },
}
