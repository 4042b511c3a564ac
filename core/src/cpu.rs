//! CPU ids and sets of them: what a unikernel is pinned to, and what a policy allows.
//!
//! Owns the bounds and the written form. Which CPUs a host has is the host's knowledge.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// One CPU of the host, numbered as the operating system numbers them: 0 to [`CpuId::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
///
/// A bitmap: a unikernel has one, and every check asks whether it lies within those of the policies. Up to 64 CPUs take no
/// memory of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(from = "Vec<CpuId>", into = "Vec<CpuId>")
)]
pub struct CpuSet {
    /// CPUs 0 to 63.
    first: u64,
    /// 64 CPUs a word from CPU 64 on; the last word is not 0, so that equal sets are equal.
    rest: Box<[u64]>,
}

impl CpuSet {
    /// The ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = CpuId> {
        let words = core::iter::once(self.first).chain(self.rest.iter().copied());
        (0_u16..)
            .zip(words)
            .flat_map(|(position, word)| bits(word).map(move |bit| CpuId(position * 64 + bit)))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first == 0 && self.rest.is_empty()
    }

    /// Whether `id` is one of them.
    #[must_use]
    pub fn contains(&self, id: CpuId) -> bool {
        let word = match usize::from(id.0 / 64) {
            0 => self.first,
            position => self.rest.get(position - 1).copied().unwrap_or_default(),
        };
        word & 1 << (id.0 % 64) != 0
    }

    /// Whether every id is also in `allowed`.
    #[must_use]
    pub fn is_subset(&self, allowed: &Self) -> bool {
        let allowed_rest = allowed.rest.iter().copied().chain(core::iter::repeat(0));
        self.first & !allowed.first == 0
            && self
                .rest
                .iter()
                .zip(allowed_rest)
                .all(|(word, allowed)| word & !allowed == 0)
    }

    /// The ids that are not in `allowed`.
    #[must_use]
    pub fn difference(&self, allowed: &Self) -> Self {
        let allowed_rest = allowed.rest.iter().copied().chain(core::iter::repeat(0));
        let rest = self
            .rest
            .iter()
            .zip(allowed_rest)
            .map(|(word, allowed)| word & !allowed);
        Self::of_words(self.first & !allowed.first, rest.collect())
    }

    /// The ids that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let rest = self.rest.iter().zip(&other.rest).map(|(word, other)| word & other);
        Self::of_words(self.first & other.first, rest.collect())
    }

    fn of_words(first: u64, mut rest: Vec<u64>) -> Self {
        let used = rest.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        rest.truncate(used);
        Self {
            first,
            rest: rest.into_boxed_slice(),
        }
    }
}

/// The positions of the bits that are set, ascending.
fn bits(word: u64) -> impl Iterator<Item = u16> {
    (0..64).filter(move |bit| word & 1 << bit != 0)
}

impl FromIterator<CpuId> for CpuSet {
    fn from_iter<I: IntoIterator<Item = CpuId>>(ids: I) -> Self {
        let (mut first, mut rest) = (0, Vec::new());
        for CpuId(id) in ids {
            let bit = 1 << (id % 64);
            match usize::from(id / 64) {
                0 => first |= bit,
                position => {
                    rest.resize(rest.len().max(position), 0);
                    rest[position - 1] |= bit;
                }
            }
        }
        Self::of_words(first, rest)
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

/// A set is written as the list of its ids, and read without one in between: every message has some.
#[cfg(feature = "serde")]
mod wire {
    use core::fmt;

    use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
    use serde::ser::{Serialize, SerializeSeq, Serializer};

    use super::{CpuId, CpuSet};

    impl Serialize for CpuSet {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut list = serializer.serialize_seq(Some(self.iter().count()))?;
            for id in self.iter() {
                list.serialize_element(&id)?;
            }
            list.end()
        }
    }

    impl<'de> Deserialize<'de> for CpuSet {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_seq(Ids)
        }
    }

    struct Ids;

    impl<'de> Visitor<'de> for Ids {
        type Value = CpuSet;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of CPU ids")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CpuSet, A::Error> {
            let mut error = None;
            let ids = core::iter::from_fn(|| match list.next_element::<CpuId>() {
                Ok(id) => id,
                Err(refused) => {
                    error = Some(refused);
                    None
                }
            });
            let set = ids.collect();
            error.map_or(Ok(set), Err)
        }
    }
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
    fn a_set_is_what_a_set_of_numbers_is() {
        let sets = [
            &[][..],
            &[0],
            &[63],
            &[64],
            &[0, 63, 64, 127, 128],
            &[64, 8191],
            &[1, 2, 3, 8191],
        ];
        let set = |ids: &[u64]| -> CpuSet { ids.iter().map(|id| CpuId::new(*id).unwrap()).collect() };
        for a in sets {
            assert_eq!(set(a).iter().map(u64::from).collect::<Vec<_>>(), a);
            assert_eq!(set(a).is_empty(), a.is_empty());
            for b in sets {
                let (both, only_a): (Vec<_>, Vec<_>) = a.iter().copied().partition(|id| b.contains(id));
                assert_eq!(set(a).intersection(&set(b)), set(&both), "{a:?} {b:?}");
                assert_eq!(set(a).difference(&set(b)), set(&only_a), "{a:?} {b:?}");
                assert_eq!(set(a).is_subset(&set(b)), only_a.is_empty(), "{a:?} {b:?}");
                assert!(
                    a.iter()
                        .all(|id| set(b).contains(CpuId::new(*id).unwrap()) == b.contains(id)),
                    "{a:?} {b:?}"
                );
            }
        }
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
