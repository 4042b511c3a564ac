//! CPU ids and sets of them: what a unikernel is pinned to, and what a policy allows.
//!
//! Owns the bounds and the written form. Which CPUs a host has is the host's knowledge.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

/// One CPU of the host, numbered as the operating system numbers them: 0 to [`CpuId::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u64", into = "u64"))]
pub struct CpuId(u16);

impl CpuId {
    /// Linux on x86_64 can be built for 8192 CPUs at most (`NR_CPUS`). It also bounds the size of a [`CpuSet`].
    pub const MAX: CpuId = CpuId(8191);

    /// Takes a CPU's number.
    ///
    /// # Errors
    /// [`CpuIdError`] above [`CpuId::MAX`].
    pub fn new(number: u64) -> Result<Self, CpuIdError> {
        match u16::try_from(number) {
            Ok(id) if id <= Self::MAX.0 => Ok(Self(id)),
            _ => Err(CpuIdError { number }),
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u64> for CpuId {
    type Error = CpuIdError;

    fn try_from(number: u64) -> Result<Self, CpuIdError> {
        Self::new(number)
    }
}

impl From<CpuId> for u64 {
    fn from(id: CpuId) -> Self {
        id.0.into()
    }
}

/// A number that no CPU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuIdError {
    number: u64,
}

impl fmt::Display for CpuIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the CPU id {} is too large: at most {}", self.number, CpuId::MAX.0)
    }
}

impl core::error::Error for CpuIdError {}

/// A set of CPU ids. Written in ascending order, runs shortened: `0-3, 8`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct CpuSet(BTreeSet<CpuId>);

impl CpuSet {
    /// The ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = CpuId> {
        self.0.iter().copied()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `id` is one of them.
    #[must_use]
    pub fn contains(&self, id: CpuId) -> bool {
        self.0.contains(&id)
    }
}

impl FromIterator<CpuId> for CpuSet {
    fn from_iter<I: IntoIterator<Item = CpuId>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (first, last)) in runs(self).into_iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first}, {last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The runs of consecutive ids, each as its first and its last.
fn runs(set: &CpuSet) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for id in set.iter().map(CpuId::get) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == id => *last = id,
            _ => runs.push((id, id)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_largest_cpu_id_is_8191() {
        assert_eq!(CpuId::new(8191), Ok(CpuId::MAX));
        assert_eq!(
            CpuId::new(8192).unwrap_err().to_string(),
            "the CPU id 8192 is too large: at most 8191"
        );
        assert!(CpuId::new(u64::MAX).is_err());
    }

    #[test]
    fn runs_are_shortened() {
        for (ids, written) in [
            (&[][..], ""),
            (&[4], "4"),
            (&[1, 0], "0, 1"),
            (&[0, 1, 2, 3, 8, 10, 11], "0-3, 8, 10, 11"),
            (&[8190, 8191], "8190, 8191"),
        ] {
            let set: CpuSet = ids.iter().map(|id| CpuId::new(*id).unwrap()).collect();
            assert_eq!(set.to_string(), written);
        }
    }
}
