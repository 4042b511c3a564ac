//! Bridges: the host's network bridges, by name, and sets of them.
//!
//! Owns the grammar and the bound of a set. Whether a bridge exists is the host's knowledge.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The longest name of a bridge, in bytes: Linux keeps interface names in 16 bytes, the last one 0 (`IFNAMSIZ`).
pub const BRIDGE_BYTES_MAX: usize = 15;

/// The most bridges that one policy may list. It bounds what a check compares and what a refusal prints.
pub const BRIDGES_MAX: usize = 256;

/// The name of a bridge: 1 to 15 characters out of `a-z A-Z 0-9 - . _`, the first one neither `-` nor `.`; capitals count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Bridge(Box<str>);

impl Bridge {
    /// Reads the name of a bridge.
    ///
    /// # Errors
    /// [`BridgeError`] says which rule the text breaks.
    pub fn new(name: &str) -> Result<Self, BridgeError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if name.is_empty() || name.starts_with(['-', '.']) || !name.chars().all(allowed) {
            return Err(BridgeError::Name { name: name.to_owned() });
        }
        if name.len() > BRIDGE_BYTES_MAX {
            return Err(BridgeError::TooLong { bytes: name.len() });
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Bridge {
    type Error = BridgeError;

    fn try_from(name: String) -> Result<Self, BridgeError> {
        Self::new(&name)
    }
}

impl From<Bridge> for String {
    fn from(bridge: Bridge) -> Self {
        bridge.0.into()
    }
}

/// At most [`BRIDGES_MAX`] bridges, in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "Vec<Bridge>", into = "Vec<Bridge>"))]
pub struct BridgeSet(BTreeSet<Bridge>);

impl BridgeSet {
    /// Collects bridges; one that is named twice counts once.
    ///
    /// # Errors
    /// [`BridgeError::TooMany`] beyond [`BRIDGES_MAX`].
    pub fn new(bridges: impl IntoIterator<Item = Bridge>) -> Result<Self, BridgeError> {
        let mut set = BTreeSet::new();
        for bridge in bridges {
            set.insert(bridge);
            if set.len() > BRIDGES_MAX {
                return Err(BridgeError::TooMany);
            }
        }
        Ok(Self(set))
    }

    /// The first [`BRIDGES_MAX`] of some bridges: enough to name in a refusal.
    pub(crate) fn some_of<'a>(bridges: impl Iterator<Item = &'a Bridge>) -> Self {
        let mut set = BTreeSet::new();
        for bridge in bridges {
            if set.len() == BRIDGES_MAX {
                break;
            }
            set.insert(bridge.clone());
        }
        Self(set)
    }

    /// The bridges, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Bridge> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `bridge` is one of them.
    #[must_use]
    pub fn contains(&self, bridge: &Bridge) -> bool {
        self.0.contains(bridge)
    }

    /// Whether every bridge is also in `allowed`.
    #[must_use]
    pub fn is_subset(&self, allowed: &Self) -> bool {
        self.0.is_subset(&allowed.0)
    }

    /// The bridges that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self::some_of(self.0.intersection(&other.0))
    }
}

/// `dmz, service`.
impl fmt::Display for BridgeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, bridge) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{bridge}")?;
        }
        Ok(())
    }
}

impl TryFrom<Vec<Bridge>> for BridgeSet {
    type Error = BridgeError;

    fn try_from(bridges: Vec<Bridge>) -> Result<Self, BridgeError> {
        Self::new(bridges)
    }
}

impl From<BridgeSet> for Vec<Bridge> {
    fn from(set: BridgeSet) -> Self {
        set.0.into_iter().collect()
    }
}

/// Why a text is no bridge, or why bridges are no set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BridgeError {
    /// Characters that the name of a bridge may not hold.
    Name {
        /// The text.
        name: String,
    },
    /// More than [`BRIDGE_BYTES_MAX`] bytes.
    TooLong {
        /// Their number.
        bytes: usize,
    },
    /// More than [`BRIDGES_MAX`] bridges.
    TooMany,
}

impl fmt::Display for BridgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name } => write!(
                f,
                "`{}` is no name of a bridge: use a-z, A-Z, 0-9, `-`, `.` and `_`, beginning with neither `-` nor `.`",
                name.escape_debug()
            ),
            Self::TooLong { bytes } => {
                write!(
                    f,
                    "the name of a bridge is {bytes} bytes long: at most {BRIDGE_BYTES_MAX}"
                )
            }
            Self::TooMany => write!(f, "too many bridges: at most {BRIDGES_MAX} in a policy"),
        }
    }
}

impl core::error::Error for BridgeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    #[test]
    fn bridges_are_named_as_linux_names_interfaces() {
        for name in ["br0", "Service_1", "lan.7", "a23456789012345"] {
            assert_eq!(Bridge::new(name).unwrap().as_str(), name);
        }
        for name in ["", "-x", ".", "a/b", "a b", "a:b", "grün"] {
            assert!(matches!(Bridge::new(name), Err(BridgeError::Name { .. })), "{name}");
        }
        assert_eq!(
            Bridge::new("a234567890123456").unwrap_err().to_string(),
            "the name of a bridge is 16 bytes long: at most 15"
        );
        assert_eq!(
            Bridge::new("a\n").unwrap_err().to_string(),
            "`a\\n` is no name of a bridge: use a-z, A-Z, 0-9, `-`, `.` and `_`, beginning with neither `-` nor `.`"
        );
    }

    #[test]
    fn a_set_is_what_a_set_of_names_is() {
        let named = |names: &[&str]| -> Vec<Bridge> { names.iter().map(|name| Bridge::new(name).unwrap()).collect() };
        let set = |names: &[&str]| BridgeSet::try_from(named(names)).unwrap();
        let (one, other) = (set(&["lan", "dmz"]), set(&["dmz", "wan"]));
        assert_eq!(Vec::from(one.clone()), named(&["dmz", "lan"]));
        assert_eq!(one.intersection(&other), set(&["dmz"]));
        assert!(set(&["dmz"]).is_subset(&one) && !one.is_subset(&other));
        assert!(one.contains(&Bridge::new("lan").unwrap()) && !other.contains(&Bridge::new("lan").unwrap()));
        assert!(set(&[]).is_empty() && !one.is_empty());
    }

    #[test]
    fn a_hundred_thousand_bridges_are_refused() {
        let many = (0..100_000).map(|n| Bridge::new(&format!("br{n}")).unwrap());
        assert_eq!(
            BridgeSet::new(many).unwrap_err().to_string(),
            "too many bridges: at most 256 in a policy"
        );
        let twice = [Bridge::new("dmz").unwrap(), Bridge::new("dmz").unwrap()];
        assert_eq!(BridgeSet::new(twice).unwrap().to_string(), "dmz");
    }
}
