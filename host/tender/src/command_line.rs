//! The one line of arguments that a unikernel is given.
//!
//! Owns how words become a line and how long a line may be; does not know what a unikernel makes of it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Solo5 sets 8,192 bytes aside for the line, the last of them the terminating NUL.
pub const COMMAND_LINE_BYTES_MAX: usize = 8191;

/// A unikernel's command line: at most [`COMMAND_LINE_BYTES_MAX`] bytes, none of them NUL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandLine(Vec<u8>);

impl CommandLine {
    /// Joins `arguments` by one blank each, as Solo5 does: the unikernel cannot tell a blank inside an argument from
    /// one between two.
    ///
    /// # Errors
    /// The line would be too long, or hold a NUL, which would end it early.
    pub fn join(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Self, CommandLineError> {
        let mut line = Vec::new();
        for (index, argument) in arguments.into_iter().enumerate() {
            if index > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(argument.as_ref().as_bytes());
        }
        if line.contains(&0) {
            return Err(CommandLineError::Nul);
        }
        if line.len() > COMMAND_LINE_BYTES_MAX {
            return Err(CommandLineError::TooLong { bytes: line.len() });
        }
        Ok(Self(line))
    }

    /// The line, without a terminating NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Why arguments do not make a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandLineError {
    /// Longer than the unikernel's buffer.
    #[error("arguments: {bytes} bytes in one line, at most {COMMAND_LINE_BYTES_MAX} can be passed to a unikernel")]
    TooLong {
        /// The length of the joined line in bytes.
        bytes: usize,
    },
    /// Holds a NUL, which ends the line for the unikernel.
    #[error("arguments: a NUL byte cannot be passed to a unikernel")]
    Nul,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_joined_by_one_blank() {
        let line = |arguments: &[&str]| CommandLine::join(arguments).unwrap().0;
        assert_eq!(line(&[]), b"");
        assert_eq!(line(&["a"]), b"a");
        assert_eq!(line(&["--x=1", "b c", "", "d"]), b"--x=1 b c  d");
    }

    #[test]
    fn a_line_is_at_most_8191_bytes_with_its_blanks() {
        let (half, rest) = ("x".repeat(4000), "y".repeat(4190));
        assert_eq!(CommandLine::join([&half, &rest]).unwrap().as_bytes().len(), 8191);
        let error = CommandLine::join([&half, &rest, &String::new()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "arguments: 8192 bytes in one line, at most 8191 can be passed to a unikernel"
        );
    }

    #[test]
    fn a_nul_is_refused() {
        let error = CommandLine::join(["a\0b"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "arguments: a NUL byte cannot be passed to a unikernel"
        );
    }
}
