//! Where a unikernel's bytes come from: memory, or a file of which only what is asked for is read.
//!
//! What is handed out is a copy, aligned for the structures of ELF: whether a file is accepted must not depend on where its bytes
//! happen to lie.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use object::pod::{bytes_of_slice, bytes_of_slice_mut};

/// A unikernel's file, of a fixed length.
pub(super) enum Source<'a> {
    Bytes(&'a [u8]),
    File { file: &'a File, bytes: usize },
}

/// A copy of a part of the file.
pub(super) struct Part {
    words: Vec<u64>,
    bytes: usize,
}

impl<'a> Source<'a> {
    pub(super) fn of_file(file: &'a File) -> Result<Self, io::Error> {
        let bytes = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Self::File { file, bytes })
    }

    /// The file's length in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File { bytes, .. } => *bytes,
        }
    }

    /// `size` bytes from `offset`; `None` if they do not all lie in the file.
    pub(super) fn read(&self, offset: u64, size: u64) -> Result<Option<Part>, io::ErrorKind> {
        let end = offset.checked_add(size).and_then(|end| usize::try_from(end).ok());
        let (Some(end), Ok(start)) = (end, usize::try_from(offset)) else {
            return Ok(None);
        };
        if end > self.bytes() {
            return Ok(None);
        }
        let bytes = end - start;
        let mut words = vec![0; bytes.div_ceil(size_of::<u64>())];
        let copy = &mut bytes_of_slice_mut(&mut words)[..bytes];
        match self {
            Self::Bytes(all) => copy.copy_from_slice(&all[start..end]),
            Self::File { file, .. } => file.read_exact_at(copy, offset).map_err(|error| error.kind())?,
        }
        Ok(Some(Part { words, bytes }))
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &bytes_of_slice(&self.words)[..self.bytes]
    }
}
