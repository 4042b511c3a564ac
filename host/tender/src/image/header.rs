//! The ELF header and the table of program headers: is this a program for this kind of machine at all?
//!
//! Section headers, symbols and the padding of the header are ignored, as every loader does.

use object::elf::{ELFMAG, EM_X86_64, ET_EXEC, EV_CURRENT, FileHeader64, ProgramHeader64};
use object::{LittleEndian, ReadRef};

const ELF_CLASS_64: u8 = 2;
const ELF_DATA_LITTLE: u8 = 1;

/// What the rest of the parser needs from the header.
pub(super) struct Header<'file> {
    pub(super) entry: u64,
    pub(super) programs: &'file [ProgramHeader64<LittleEndian>],
}

pub(super) fn parse(file: &[u8]) -> Result<Header<'_>, HeaderError> {
    if !file.starts_with(&ELFMAG) {
        return Err(HeaderError::NotElf);
    }
    let header: &FileHeader64<LittleEndian> = file
        .read_at(0)
        .map_err(|()| HeaderError::Truncated { bytes: file.len() })?;
    check_machine(header)?;
    check_sizes(header)?;

    let count = usize::from(header.e_phnum.get(LittleEndian));
    if count == 0 {
        return Err(HeaderError::NoPrograms);
    }
    let offset = header.e_phoff.get(LittleEndian);
    let programs = file
        .read_slice_at(offset, count)
        .map_err(|()| HeaderError::ProgramsOutside {
            count,
            offset,
            bytes: file.len(),
        })?;
    Ok(Header {
        entry: header.e_entry.get(LittleEndian),
        programs,
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
    if usize::from(header_bytes) != size_of::<FileHeader64<LittleEndian>>() {
        return Err(HeaderError::HeaderSize(header_bytes));
    }
    let program_bytes = header.e_phentsize.get(LittleEndian);
    if usize::from(program_bytes) != size_of::<ProgramHeader64<LittleEndian>>() {
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
