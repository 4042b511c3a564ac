//! The Solo5 targets by number and name, and what this host makes of each: how much memory, in which steps.
//!
//! Whether a target can be *run* is the program's affair; here they are only told apart.

use std::fmt;

/// What a unikernel was linked for. It runs nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A virtual machine under a tender, on KVM.
    Hvt,
    /// A process under a tender, behind a seccomp filter.
    Spt,
    /// A virtual machine with virtio devices, which needs no tender.
    Virtio,
    /// A subject of the Muen separation kernel.
    Muen,
    /// A component of the Genode framework.
    Genode,
    /// A Xen guest in PVH mode.
    Xen,
}

impl Target {
    /// The target with this number in a unikernel's ABI note.
    ///
    /// # Errors
    /// A number that Solo5 0.12 does not know.
    pub fn from_number(number: u32) -> Result<Self, UnknownTarget> {
        match number {
            1 => Ok(Self::Hvt),
            2 => Ok(Self::Spt),
            3 => Ok(Self::Virtio),
            4 => Ok(Self::Muen),
            5 => Ok(Self::Genode),
            6 => Ok(Self::Xen),
            _ => Err(UnknownTarget(number)),
        }
    }

    /// The version of the tender's interface that this code speaks; `None` where there is no tender.
    #[must_use]
    pub fn abi_version(self) -> Option<u32> {
        match self {
            Self::Hvt | Self::Spt => Some(2),
            Self::Virtio | Self::Muen | Self::Genode | Self::Xen => None,
        }
    }

    /// The most memory a unikernel of this target can be given, in MiB; `None` where there is no tender.
    #[must_use]
    pub fn memory_mib_max(self) -> Option<u64> {
        match self {
            // Four page directories of 512 pages of 2 MiB map all that an hvt guest ever sees.
            Self::Hvt => Some(4096),
            // 1 TiB. An spt guest shares its address space with the tender, and Linux puts programs, heaps and
            // libraries at 42 TiB (a third of the address space) at the very lowest.
            Self::Spt => Some(1 << 20),
            Self::Virtio | Self::Muen | Self::Genode | Self::Xen => None,
        }
    }

    /// Memory comes in multiples of this, in MiB: an hvt guest's page tables map 2 MiB at a time.
    #[must_use]
    pub fn memory_mib_step(self) -> u64 {
        if self == Self::Hvt { 2 } else { 1 }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hvt => "hvt",
            Self::Spt => "spt",
            Self::Virtio => "virtio",
            Self::Muen => "muen",
            Self::Genode => "genode",
            Self::Xen => "xen",
        })
    }
}

/// A target number that Solo5 0.12 does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown Solo5 target {0}; the known ones are 1 (hvt) to 6 (xen)")]
pub struct UnknownTarget(u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_known_by_its_number() {
        let names: Vec<String> = (1..=6)
            .map(|number| Target::from_number(number).unwrap().to_string())
            .collect();
        assert_eq!(names, ["hvt", "spt", "virtio", "muen", "genode", "xen"]);
    }

    #[test]
    fn an_unknown_target_is_refused() {
        for number in [0, 7, u32::MAX] {
            let error = Target::from_number(number).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("unknown Solo5 target {number}; the known ones are 1 (hvt) to 6 (xen)")
            );
        }
    }
}
