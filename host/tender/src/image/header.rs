//! The ELF header and the table of program headers: is this a program for this kind of machine at all?
//!
//! Section headers, symbols and the padding of the header are ignored, as every loader does.

use object::LittleEndian;
use object::elf::{ELFMAG, EM_X86_64, ET_EXEC, EV_CURRENT, FileHeader64, ProgramHeader64};
use object::pod;

use super::ImageError;
use super::source::Source;

const ELF_CLASS_64: u8 = 2;
const ELF_DATA_LITTLE: u8 = 1;

const HEADER_BYTES: usize = size_of::<FileHeader64<LittleEndian>>();
const PROGRAM_BYTES: usize = size_of::<ProgramHeader64<LittleEndian>>();

/// What the rest of the parser needs from the header.
pub(super) struct Header {
    pub(super) entry: u64,
    pub(super) programs: Vec<ProgramHeader64<LittleEndian>>,
}

pub(super) fn parse(source: &Source<'_>) -> Result<Header, ImageError> {
    let bytes = source.bytes();
    let start = source.read(0, bytes.min(HEADER_BYTES) as u64)?;
    let start = start.as_ref().map_or(&[][..], AsRef::as_ref);
    if !start.starts_with(&ELFMAG) {
        return Err(HeaderError::NotElf.into());
    }
    let (header, _) =
        pod::from_bytes::<FileHeader64<LittleEndian>>(start).map_err(|()| HeaderError::Truncated { bytes })?;
    check_machine(header)?;
    check_sizes(header)?;

    let count = usize::from(header.e_phnum.get(LittleEndian));
    if count == 0 {
        return Err(HeaderError::NoPrograms.into());
    }
    let offset = header.e_phoff.get(LittleEndian);
    let outside = || HeaderError::ProgramsOutside { count, offset, bytes };
    let table = source
        .read(offset, (count * PROGRAM_BYTES) as u64)?
        .ok_or_else(outside)?;
    let (programs, _) = pod::slice_from_bytes(table.as_ref(), count).map_err(|()| outside())?;
    Ok(Header {
        entry: header.e_entry.get(LittleEndian),
        programs: programs.to_vec(),
    })
}

fn check_machine(header: &FileHeader64<LittleEndian>) -> Result<(), HeaderError> {
    let ident = &header.e_ident;
    if ident.class.0 != ELF_CLASS_64 {
        return Err(HeaderError::Class(ident.class.0));
    }
    if ident.data.0 != ELF_DATA_LITTLE {
        return Err(HeaderError::Data(ident.data.0));
    }
    let version = header.e_version.get(LittleEndian);
    if ident.version != EV_CURRENT || version != u32::from(EV_CURRENT.0) {
        return Err(HeaderError::Version {
            ident: ident.version.0,
            version,
        });
    }
    let kind = header.e_type.get(LittleEndian);
    if kind != ET_EXEC {
        return Err(HeaderError::Type(kind.0));
    }
    let machine = header.e_machine.get(LittleEndian);
    if machine != EM_X86_64 {
        return Err(HeaderError::Machine(machine.0));
    }
    Ok(())
}

fn check_sizes(header: &FileHeader64<LittleEndian>) -> Result<(), HeaderError> {
    let header_bytes = header.e_ehsize.get(LittleEndian);
    if usize::from(header_bytes) != HEADER_BYTES {
        return Err(HeaderError::HeaderSize(header_bytes));
    }
    let program_bytes = header.e_phentsize.get(LittleEndian);
    if usize::from(program_bytes) != PROGRAM_BYTES {
        return Err(HeaderError::ProgramSize(program_bytes));
    }
    Ok(())
}

/// Why a file is not a program of the right kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The first four bytes are not those of an ELF file.
    #[error("not an ELF file")]
    NotElf,
    /// The file ends within the ELF header.
    #[error("the file is cut off: {bytes} bytes do not hold an ELF header of 64")]
    Truncated {
        /// The file's length.
        bytes: usize,
    },
    /// Not a 64-bit file.
    #[error("ELF class {0}, but a unikernel has class 2 (64 bits)")]
    Class(u8),
    /// Not a little-endian file.
    #[error("ELF data encoding {0}, but a unikernel has encoding 1 (little-endian)")]
    Data(u8),
    /// A version of ELF that does not exist.
    #[error("ELF versions {ident} and {version}, but there is only version 1")]
    Version {
        /// The version in the identification.
        ident: u8,
        /// The version in the header.
        version: u32,
    },
    /// Not an executable at a fixed address.
    #[error("ELF type {0}, but a unikernel has type 2 (an executable at a fixed address)")]
    Type(u16),
    /// Another machine's code.
    #[error("ELF machine {0}, but this host runs machine 62 (x86-64)")]
    Machine(u16),
    /// The header's own size is wrong.
    #[error("ELF header of {0} bytes, but it must have 64")]
    HeaderSize(u16),
    /// The size of a program header is wrong.
    #[error("program headers of {0} bytes each, but they must have 56")]
    ProgramSize(u16),
    /// No program header.
    #[error("there are no program headers, so there is nothing to run")]
    NoPrograms,
    /// The program headers do not lie in the file.
    #[error("the file is cut off: {count} program headers from offset {offset} lie outside its {bytes} bytes")]
    ProgramsOutside {
        /// The number of program headers.
        count: usize,
        /// Where they should begin in the file.
        offset: u64,
        /// The file's length.
        bytes: usize,
    },
}
