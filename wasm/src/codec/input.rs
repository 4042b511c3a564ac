//! The bytes of a message, and how far they are read.

use super::CodecError;

/// Bytes that are read from the front.
pub(super) struct Input<'de> {
    bytes: &'de [u8],
    at: usize,
}

impl<'de> Input<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes are read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'de [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte, which stays unread.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes that many bytes as read; there must be as many.
    pub(super) fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// Takes a byte as read, if it is the next one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// An error at the next byte.
    #[cold]
    pub(super) fn error(&self, message: impl Into<String>) -> CodecError {
        CodecError::new(message.into()).at(self.at)
    }
}
