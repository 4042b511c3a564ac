//! Amounts: counts of unikernels and sizes in MiB, bounded so that every face carries them exactly.
//!
//! Owns the bound. Which amount means what is said where it is used (`memory_mib`, `unikernels`).

use core::fmt;

/// A count or a size in MiB, at most [`Amount::MAX`].
///
/// ```
/// use fulmar_core::Amount;
/// assert_eq!(Amount::new(512).unwrap().get(), 512);
/// assert!(Amount::new(1 << 53).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "u64", into = "u64"))]
pub struct Amount(u64);

impl Amount {
    /// 2^53 − 1: the largest integer that a JavaScript number, and so any JSON reader, holds exactly.
    pub const MAX: Amount = Amount((1 << 53) - 1);

    /// No amount at all.
    pub const ZERO: Amount = Amount(0);

    /// One.
    pub const ONE: Amount = Amount(1);

    /// Takes an amount.
    ///
    /// # Errors
    /// [`AmountError`] above [`Amount::MAX`].
    pub const fn new(value: u64) -> Result<Self, AmountError> {
        if value <= Self::MAX.0 {
            Ok(Self(value))
        } else {
            Err(AmountError { value })
        }
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, unless it is above [`Amount::MAX`].
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        // Two amounts sum to less than 2^54: the addition itself cannot overflow.
        match Self::new(self.0 + other.0) {
            Ok(sum) => Some(sum),
            Err(_) => None,
        }
    }

    /// What is left after taking `other` away, unless it is more than there is.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// How many times `part`, which is not 0, goes into this.
    pub(crate) const fn divided_by(self, part: Self) -> Self {
        match self.0.checked_div(part.0) {
            Some(times) => Self(times),
            None => Self::MAX,
        }
    }

    /// This many times `part`, where that is known to be within the bound.
    pub(crate) const fn counted_times(self, part: Self) -> Self {
        debug_assert!(
            self.0.saturating_mul(part.0) <= Self::MAX.0,
            "a product was counted that nobody checked"
        );
        Self(self.0.saturating_mul(part.0))
    }

    /// The sum of amounts whose total is known to be within the bound.
    pub(crate) const fn counted_plus(self, other: Self) -> Self {
        debug_assert!(self.0 + other.0 <= Self::MAX.0, "a sum was counted that nobody checked");
        Self(self.0 + other.0)
    }

    /// What is left of a sum that `other` is known to be part of.
    pub(crate) const fn counted_minus(self, other: Self) -> Self {
        debug_assert!(self.0 >= other.0, "something was taken out that was never counted in");
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u32> for Amount {
    fn from(value: u32) -> Self {
        Self(u64::from(value))
    }
}

impl TryFrom<u64> for Amount {
    type Error = AmountError;

    fn try_from(value: u64) -> Result<Self, AmountError> {
        Self::new(value)
    }
}

impl From<Amount> for u64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// A number too large to be an [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmountError {
    value: u64,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the amount {} is too large: at most {}", self.value, Amount::MAX)
    }
}

impl core::error::Error for AmountError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_largest_amount_is_what_a_javascript_number_holds_exactly() {
        assert_eq!(Amount::new(9_007_199_254_740_991), Ok(Amount::MAX));
        assert_eq!(
            Amount::new(9_007_199_254_740_992).unwrap_err().to_string(),
            "the amount 9007199254740992 is too large: at most 9007199254740991"
        );
    }

    #[test]
    fn sums_and_differences_stay_within_the_bound() {
        assert_eq!(Amount::MAX.plus(Amount::ONE), None);
        assert_eq!(Amount::ONE.plus(Amount::ONE).map(Amount::get), Some(2));
        assert_eq!(Amount::ZERO.minus(Amount::ONE), None);
        assert_eq!(Amount::MAX.minus(Amount::MAX), Some(Amount::ZERO));
    }
}
