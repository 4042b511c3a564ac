//! Why bytes are no message, and where.

use core::fmt;

use serde::de::{Expected, Unexpected};

/// Bytes that are no message: which rule they break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecError {
    // Boxed: every value that is read could be one.
    flaw: Box<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Flaw {
    message: String,
    offset: Option<usize>,
    line_and_column: Option<(usize, usize)>,
}

impl CodecError {
    #[cold]
    pub(super) fn new(message: String) -> Self {
        let flaw = Flaw {
            message,
            offset: None,
            line_and_column: None,
        };
        Self { flaw: Box::new(flaw) }
    }

    /// Where it is, unless that is known already, and better.
    #[cold]
    pub(super) fn at(mut self, offset: usize) -> Self {
        self.flaw.offset.get_or_insert(offset);
        self
    }

    /// Where that is for a person who reads the text.
    #[cold]
    pub(super) fn in_text(mut self, text: &[u8]) -> Self {
        let before = text.get(..self.flaw.offset.unwrap_or(0)).unwrap_or(text);
        let line = before.split(|byte| *byte == b'\n').next_back().unwrap_or_default();
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        // Every character but the bytes that continue one.
        let columns = line.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.flaw.line_and_column = Some((lines + 1, columns + 1));
        self
    }

    /// What is wrong, but not where.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.flaw.message
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.flaw.message)?;
        match self.flaw.line_and_column {
            Some((line, column)) => write!(f, " at line {line} column {column}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CodecError {}

/// What the types have against a value. serde's own words for some of it need what prints floating-point numbers.
impl serde::de::Error for CodecError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}"))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(format!("the field `{name}` is missing"))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::new(format!("the field `{name}` is there twice"))
    }
}

impl serde::ser::Error for CodecError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}
