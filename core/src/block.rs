//! Block devices as the rules see them: a size, and who uses them.
//!
//! Owns that a block device is never empty. What it holds is the host's matter.

use core::fmt;

use crate::{Amount, Label};

/// The size of a block device in MiB, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "Amount", into = "Amount"))]
pub struct BlockSize(Amount);

impl BlockSize {
    /// Takes a size in MiB.
    ///
    /// # Errors
    /// [`BlockSizeError`] for a size of 0.
    pub fn new(mib: Amount) -> Result<Self, BlockSizeError> {
        if mib == Amount::ZERO {
            Err(BlockSizeError)
        } else {
            Ok(Self(mib))
        }
    }

    /// The size in MiB.
    #[must_use]
    pub fn mib(self) -> Amount {
        self.0
    }
}

impl TryFrom<Amount> for BlockSize {
    type Error = BlockSizeError;

    fn try_from(mib: Amount) -> Result<Self, BlockSizeError> {
        Self::new(mib)
    }
}

impl From<BlockSize> for Amount {
    fn from(size: BlockSize) -> Self {
        size.0
    }
}

/// A block device of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Block {
    /// Its size.
    pub size_mib: BlockSize,
    /// The unikernel of the same domain that uses it: then the block device is *active*, and no other may.
    pub user: Option<Label>,
}

/// A block device of size 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSizeError;

impl fmt::Display for BlockSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a block device needs a size: at least 1 MiB")
    }
}

impl core::error::Error for BlockSizeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_empty_block_device_cannot_be_built() {
        assert_eq!(BlockSize::new(Amount::ONE).map(BlockSize::mib), Ok(Amount::ONE));
        assert_eq!(
            BlockSize::new(Amount::ZERO).unwrap_err().to_string(),
            "a block device needs a size: at least 1 MiB"
        );
    }
}
