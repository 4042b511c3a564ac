//! Reasons: why an operation is refused, for machines (a stable code) and for people (one sentence with all the numbers).
//!
//! Owns the codes and the sentences. Which reasons hold, and in which order, is decided by the tree.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::overrun::{Figures, over};
use crate::{Amount, Name, Overrun, Path};

/// One reason for a refusal. Sentences have no capital and no full stop: they fit behind "refused: ".
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Reason {
    /// There is a unikernel of this name already.
    UnikernelExists {
        /// Its name.
        name: Name,
    },
    /// There is no unikernel of this name.
    UnikernelUnknown {
        /// The name.
        name: Name,
    },
    /// There is a block device of this name already.
    BlockExists {
        /// Its name.
        name: Name,
    },
    /// There is no block device of this name.
    BlockUnknown {
        /// The name.
        name: Name,
    },
    /// A unikernel uses this block device.
    BlockActive {
        /// The block device.
        name: Name,
        /// The unikernel.
        user: Name,
    },
    /// A unikernel lists this block device more than once.
    BlockTwice {
        /// The block device.
        name: Name,
    },
    /// The domain has no policy of its own.
    PolicyUnknown {
        /// The domain.
        domain: Path,
    },
    /// The request does not fit under the policy of `domain`, the request's own domain or one above it.
    Exceeds {
        /// The domain whose policy it is.
        domain: Path,
        /// The limit.
        overrun: Overrun,
    },
    /// The new policy allows less than what `domain` and everything below it already use.
    InUse {
        /// The domain of the new policy.
        domain: Path,
        /// The limit.
        overrun: Overrun,
    },
    /// The new policy is wider than the one of `above`.
    Wider {
        /// A domain above the new policy's.
        above: Path,
        /// The limit.
        overrun: Overrun,
    },
    /// The new policy is narrower than the one of `below`.
    Narrower {
        /// A domain below the new policy's.
        below: Path,
        /// The limit.
        overrun: Overrun,
    },
    /// The sum over the whole tree would be larger than any [`Amount`].
    Uncountable,
}

impl Reason {
    /// What kind of reason this is, for machines: one of a fixed list, kept from release to release. Where a limit is concerned
    /// the code ends with it: `exceeds-memory`, `wider-cpuids`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::UnikernelExists { .. } => "unikernel-exists".to_owned(),
            Self::UnikernelUnknown { .. } => "unikernel-unknown".to_owned(),
            Self::BlockExists { .. } => "block-exists".to_owned(),
            Self::BlockUnknown { .. } => "block-unknown".to_owned(),
            Self::BlockActive { .. } => "block-active".to_owned(),
            Self::BlockTwice { .. } => "block-twice".to_owned(),
            Self::PolicyUnknown { .. } => "policy-unknown".to_owned(),
            Self::Exceeds { overrun, .. } => format!("exceeds-{}", overrun.limit()),
            Self::InUse { overrun, .. } => format!("in-use-{}", overrun.limit()),
            Self::Wider { overrun, .. } => format!("wider-{}", overrun.limit()),
            Self::Narrower { overrun, .. } => format!("narrower-{}", overrun.limit()),
            Self::Uncountable => "uncountable".to_owned(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnikernelExists { name } => write!(f, "there is a unikernel `{name}` already"),
            Self::UnikernelUnknown { name } => write!(f, "there is no unikernel `{name}`"),
            Self::BlockExists { name } => write!(f, "there is a block device `{name}` already"),
            Self::BlockUnknown { name } => write!(f, "there is no block device `{name}`"),
            Self::BlockActive { name, user } => write!(f, "the block device `{name}` is in use by `{user}`"),
            Self::BlockTwice { name } => write!(f, "the block device `{name}` is listed twice"),
            Self::PolicyUnknown { domain } => write!(f, "`{domain}` has no policy of its own"),
            Self::Exceeds { domain, overrun } => exceeds(f, domain, overrun),
            Self::InUse { domain, overrun } => in_use(f, domain, overrun),
            Self::Wider { above, overrun } => wider(f, above, overrun),
            Self::Narrower { below, overrun } => narrower(f, below, overrun),
            Self::Uncountable => write!(f, "the sum over all domains would be more than {}", Amount::MAX),
        }
    }
}

fn exceeds(f: &mut fmt::Formatter<'_>, domain: &Path, overrun: &Overrun) -> fmt::Result {
    write!(f, "{}: `{domain}` allows ", overrun.limit())?;
    match Figures::of(overrun) {
        Figures::Amounts {
            allowed: None,
            asked,
            unit,
            ..
        } => write!(f, "none, {asked}{unit} asked"),
        Figures::Amounts {
            allowed: Some(allowed),
            used,
            asked,
            unit,
        } => {
            let over = over(allowed, used, asked);
            write!(f, "{allowed}{unit}, {used} in use, {asked} asked: over by {over}{unit}")
        }
        Figures::Sets { allowed, denied } => write!(f, "{allowed}; not {denied}"),
    }
}

fn in_use(f: &mut fmt::Formatter<'_>, domain: &Path, overrun: &Overrun) -> fmt::Result {
    write!(f, "{}: ", overrun.limit())?;
    match Figures::of(overrun) {
        Figures::Amounts {
            allowed: None,
            used,
            unit,
            ..
        } => {
            write!(f, "`{domain}` already uses {used}{unit}, the new policy allows none")
        }
        Figures::Amounts {
            allowed: Some(allowed),
            used,
            asked,
            unit,
        } => {
            let over = over(allowed, used, asked);
            write!(
                f,
                "`{domain}` already uses {used}{unit}, the new policy allows {allowed}: over by {over}{unit}"
            )
        }
        Figures::Sets { allowed, denied } => {
            write!(f, "`{domain}` already uses {denied}, the new policy allows {allowed}")
        }
    }
}

fn wider(f: &mut fmt::Formatter<'_>, above: &Path, overrun: &Overrun) -> fmt::Result {
    write!(f, "{}: `{above}` above allows ", overrun.limit())?;
    match Figures::of(overrun) {
        Figures::Amounts {
            allowed: None,
            asked,
            unit,
            ..
        } => write!(f, "none, the new policy {asked}{unit}"),
        Figures::Amounts {
            allowed: Some(allowed),
            used,
            asked,
            unit,
        } => {
            let over = over(allowed, used, asked);
            write!(f, "{allowed}{unit}, the new policy {asked}: over by {over}{unit}")
        }
        Figures::Sets { allowed, denied } => write!(f, "{allowed}; not {denied}"),
    }
}

fn narrower(f: &mut fmt::Formatter<'_>, below: &Path, overrun: &Overrun) -> fmt::Result {
    write!(f, "{}: the new policy allows ", overrun.limit())?;
    match Figures::of(overrun) {
        Figures::Amounts {
            allowed: None,
            asked,
            unit,
            ..
        } => write!(f, "none, `{below}` below {asked}{unit}"),
        Figures::Amounts {
            allowed: Some(allowed),
            used,
            asked,
            unit,
        } => {
            let over = over(allowed, used, asked);
            write!(f, "{allowed}{unit}, `{below}` below {asked}: over by {over}{unit}")
        }
        Figures::Sets { allowed, denied } => write!(f, "{allowed}, `{below}` below also {denied}"),
    }
}

/// Why an operation was refused: every reason, at least one, in a fixed order.
///
/// First what concerns the request by name (the unikernel itself, then its block devices in the order given), then limits from
/// the request's own domain upwards, each domain's in the order unikernels, memory, block, cpuids, bridges. A new policy is
/// compared first with what its domain uses, then with the policies above, upwards, then with those below, in order of
/// their paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    reasons: Vec<Reason>,
}

impl Refusal {
    /// A refusal where there are reasons, and none where there are none.
    pub(crate) fn unless_empty(reasons: Vec<Reason>) -> Result<(), Self> {
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(Self { reasons })
        }
    }

    /// The reasons, at least one.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reasons: vec![reason] }
    }
}

/// The sentences, joined by semicolons.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, reason) in self.reasons.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{reason}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{bridges, cpus, name, path};
    use alloc::string::ToString;

    fn overruns() -> [Overrun; 6] {
        let amount = Amount::from;
        [
            Overrun::Unikernels {
                allowed: amount(2),
                used: amount(2),
                asked: amount(1),
            },
            Overrun::Memory {
                allowed_mib: amount(512),
                used_mib: amount(384),
                asked_mib: amount(256),
            },
            Overrun::Block {
                allowed_mib: Some(amount(100)),
                used_mib: amount(90),
                asked_mib: amount(20),
            },
            Overrun::Block {
                allowed_mib: None,
                used_mib: amount(0),
                asked_mib: amount(20),
            },
            Overrun::Cpuids {
                allowed: cpus(&[0, 1]),
                denied: cpus(&[2, 3, 4]),
            },
            Overrun::Bridges {
                allowed: bridges(&[]),
                denied: bridges(&["dmz", "lan"]),
            },
        ]
    }

    fn check(reason: &Reason, code: &str, sentence: &str) {
        assert_eq!((&*reason.code(), &*reason.to_string()), (code, sentence));
    }

    #[test]
    fn a_request_beyond_a_limit_is_told_limit_use_and_excess() {
        let expected = [
            (
                "exceeds-unikernels",
                "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1",
            ),
            (
                "exceeds-memory",
                "memory: `alice` allows 512 MiB, 384 in use, 256 asked: over by 128 MiB",
            ),
            (
                "exceeds-block",
                "block: `alice` allows 100 MiB, 90 in use, 20 asked: over by 10 MiB",
            ),
            ("exceeds-block", "block: `alice` allows none, 20 MiB asked"),
            ("exceeds-cpuids", "cpuids: `alice` allows 0, 1; not 2-4"),
            ("exceeds-bridges", "bridges: `alice` allows none; not dmz, lan"),
        ];
        for (overrun, (code, sentence)) in overruns().into_iter().zip(expected) {
            check(
                &Reason::Exceeds {
                    domain: path("alice"),
                    overrun,
                },
                code,
                sentence,
            );
        }
    }

    #[test]
    fn a_policy_below_what_is_used_is_told_what_is_used() {
        let expected = [
            (
                "in-use-unikernels",
                "unikernels: `alice` already uses 2, the new policy allows 2: over by 1",
            ),
            (
                "in-use-memory",
                "memory: `alice` already uses 384 MiB, the new policy allows 512: over by 128 MiB",
            ),
            (
                "in-use-block",
                "block: `alice` already uses 90 MiB, the new policy allows 100: over by 10 MiB",
            ),
            (
                "in-use-block",
                "block: `alice` already uses 0 MiB, the new policy allows none",
            ),
            (
                "in-use-cpuids",
                "cpuids: `alice` already uses 2-4, the new policy allows 0, 1",
            ),
            (
                "in-use-bridges",
                "bridges: `alice` already uses dmz, lan, the new policy allows none",
            ),
        ];
        for (overrun, (code, sentence)) in overruns().into_iter().zip(expected) {
            check(
                &Reason::InUse {
                    domain: path("alice"),
                    overrun,
                },
                code,
                sentence,
            );
        }
    }

    #[test]
    fn a_policy_wider_than_one_above_is_told_which_and_by_how_much() {
        let expected = [
            (
                "wider-unikernels",
                "unikernels: `:` above allows 2, the new policy 1: over by 1",
            ),
            (
                "wider-memory",
                "memory: `:` above allows 512 MiB, the new policy 256: over by 128 MiB",
            ),
            (
                "wider-block",
                "block: `:` above allows 100 MiB, the new policy 20: over by 10 MiB",
            ),
            ("wider-block", "block: `:` above allows none, the new policy 20 MiB"),
            ("wider-cpuids", "cpuids: `:` above allows 0, 1; not 2-4"),
            ("wider-bridges", "bridges: `:` above allows none; not dmz, lan"),
        ];
        for (overrun, (code, sentence)) in overruns().into_iter().zip(expected) {
            check(
                &Reason::Wider {
                    above: Path::root(),
                    overrun,
                },
                code,
                sentence,
            );
        }
    }

    #[test]
    fn a_policy_narrower_than_one_below_is_told_which_and_by_how_much() {
        let expected = [
            (
                "narrower-unikernels",
                "unikernels: the new policy allows 2, `a:b` below 1: over by 1",
            ),
            (
                "narrower-memory",
                "memory: the new policy allows 512 MiB, `a:b` below 256: over by 128 MiB",
            ),
            (
                "narrower-block",
                "block: the new policy allows 100 MiB, `a:b` below 20: over by 10 MiB",
            ),
            (
                "narrower-block",
                "block: the new policy allows none, `a:b` below 20 MiB",
            ),
            (
                "narrower-cpuids",
                "cpuids: the new policy allows 0, 1, `a:b` below also 2-4",
            ),
            (
                "narrower-bridges",
                "bridges: the new policy allows none, `a:b` below also dmz, lan",
            ),
        ];
        for (overrun, (code, sentence)) in overruns().into_iter().zip(expected) {
            check(
                &Reason::Narrower {
                    below: path("a:b"),
                    overrun,
                },
                code,
                sentence,
            );
        }
    }

    #[test]
    fn what_exists_or_is_missing_is_named() {
        let web = || name("alice:web");
        for (reason, code, sentence) in [
            (
                Reason::UnikernelExists { name: web() },
                "unikernel-exists",
                "there is a unikernel `alice:web` already",
            ),
            (
                Reason::UnikernelUnknown { name: web() },
                "unikernel-unknown",
                "there is no unikernel `alice:web`",
            ),
            (
                Reason::BlockExists { name: web() },
                "block-exists",
                "there is a block device `alice:web` already",
            ),
            (
                Reason::BlockUnknown { name: web() },
                "block-unknown",
                "there is no block device `alice:web`",
            ),
            (
                Reason::BlockActive {
                    name: name("alice:data"),
                    user: web(),
                },
                "block-active",
                "the block device `alice:data` is in use by `alice:web`",
            ),
            (
                Reason::BlockTwice { name: web() },
                "block-twice",
                "the block device `alice:web` is listed twice",
            ),
            (
                Reason::PolicyUnknown { domain: path("alice") },
                "policy-unknown",
                "`alice` has no policy of its own",
            ),
            (
                Reason::Uncountable,
                "uncountable",
                "the sum over all domains would be more than 9007199254740991",
            ),
        ] {
            check(&reason, code, sentence);
        }
    }

    #[test]
    fn a_refusal_reads_as_one_line() {
        let [unikernels, memory, ..] = overruns().map(|overrun| Reason::Exceeds {
            domain: path("a"),
            overrun,
        });
        assert_eq!(
            Refusal::unless_empty(vec![unikernels, memory]).unwrap_err().to_string(),
            "unikernels: `a` allows 2, 2 in use, 1 asked: over by 1; \
             memory: `a` allows 512 MiB, 384 in use, 256 asked: over by 128 MiB"
        );
    }
}
