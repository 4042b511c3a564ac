//! bincode: the numbers and texts that messages consist of.
//!
//! The only file that knows the crate: it is no longer maintained (RUSTSEC-2025-0141), and can be replaced here. It reads and writes
//! single values; how they make up a message is said in `reader` and `writer`. So every length it meets is compared with the
//! bytes that are left before anything is allocated.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Encode};

use super::CodecError;
use super::input::Input;

/// Little-endian, integers of variable length.
const CONFIGURATION: Configuration = standard();

pub(super) fn natural(input: &mut Input<'_>) -> Result<u64, CodecError> {
    read(input)
}

pub(super) fn small(input: &mut Input<'_>) -> Result<u32, CodecError> {
    read(input)
}

pub(super) fn text<'de>(input: &mut Input<'de>) -> Result<&'de str, CodecError> {
    read(input)
}

/// Whether an option holds something.
pub(super) fn is_some(input: &mut Input<'_>) -> Result<bool, CodecError> {
    match read::<u8>(input)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(CodecError::new(format!(
            "an option begins with {other}: it can be 0 or 1"
        ))),
    }
}

/// How many elements a list has. None is shorter than a byte, so that a length that lies ends here.
pub(super) fn length(input: &mut Input<'_>) -> Result<usize, CodecError> {
    let length = natural(input)?;
    let left = input.rest().len();
    match usize::try_from(length) {
        Ok(length) if length <= left => Ok(length),
        _ => Err(CodecError::new(format!(
            "a list of {length} elements cannot be in {left} bytes"
        ))),
    }
}

fn read<'de, T: BorrowDecode<'de, ()>>(input: &mut Input<'de>) -> Result<T, CodecError> {
    let (value, length) =
        bincode::borrow_decode_from_slice(input.rest(), CONFIGURATION).map_err(|error| refused(&error))?;
    input.advance(length);
    Ok(value)
}

#[cold]
fn refused(error: &DecodeError) -> CodecError {
    CodecError::new(match error {
        DecodeError::UnexpectedEnd { .. } => "the message ends too early".to_owned(),
        DecodeError::Utf8 { .. } => "a text is not UTF-8".to_owned(),
        _ => "a number is longer than its type".to_owned(),
    })
}

/// Writes a number, a text, or the byte that an option begins with.
pub(super) fn write(value: impl Encode, bytes: &mut Vec<u8>) {
    // Only the writer could fail, and it does not.
    let _ = bincode::encode_into_writer(value, Appended(bytes), CONFIGURATION);
}

struct Appended<'a>(&'a mut Vec<u8>);

impl Writer for Appended<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
