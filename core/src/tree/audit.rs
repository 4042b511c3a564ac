//! Audit: where loaded facts break a limit.
//!
//! Loading never refuses for a limit (see [`Tree::load`]), so what is loaded may use more than it is allowed, or have handed on
//! more. New admissions are refused there until it fits again; this says where, and by how much.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Tree;
use super::check::usage_beyond;
use crate::overrun::{Figures, over};
use crate::{Overrun, Path};

/// One limit that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Finding {
    /// A domain and everything below it use more than its policy allows.
    Uses {
        /// The domain.
        domain: Path,
        /// The limit.
        overrun: Overrun,
    },
    /// A policy is wider than one above it.
    Wider {
        /// The domain with the wider policy.
        domain: Path,
        /// The nearest domain above that has a policy.
        above: Path,
        /// The limit.
        overrun: Overrun,
    },
}

impl Tree {
    /// Every limit that does not hold, in order of the domains. Each policy is compared with what its domain uses and with the
    /// nearest policy above. Costs O(policies · depth).
    ///
    /// Where only operations changed the tree and nothing was loaded, there is none.
    #[must_use]
    pub fn audit(&self) -> Vec<Finding> {
        self.policed
            .iter()
            .flat_map(|domain| self.audit_domain(domain))
            .collect()
    }

    fn audit_domain(&self, domain: &Path) -> Vec<Finding> {
        let (mut above, mut findings) = (None, Vec::new());
        let depth = domain.labels().count();
        self.root.walk(domain, |at, node| match &node.policy {
            Some(policy) if at == depth => {
                let uses = usage_beyond(policy, &node.usage).into_iter();
                findings.extend(uses.map(|overrun| Finding::Uses {
                    domain: domain.clone(),
                    overrun,
                }));
                if let Some((above, allowed)) = above {
                    let wider = policy.wider_than(allowed).into_iter();
                    let above = domain.prefix(above);
                    findings.extend(wider.map(|overrun| Finding::Wider {
                        domain: domain.clone(),
                        above: above.clone(),
                        overrun,
                    }));
                }
            }
            Some(policy) => above = Some((at, policy)),
            None => {}
        });
        findings
    }
}

impl Finding {
    /// What kind of finding this is, for machines: one of a fixed list, kept from release to release. It ends with the limit, as in
    /// `uses-memory`, `wider-cpuids`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Uses { overrun, .. } => format!("uses-{}", overrun.limit()),
            Self::Wider { overrun, .. } => format!("wider-{}", overrun.limit()),
        }
    }
}

/// One sentence, as of a [`Reason`](crate::Reason).
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uses { domain, overrun } => uses(f, domain, overrun),
            Self::Wider { domain, above, overrun } => wider(f, domain, above, overrun),
        }
    }
}

fn uses(f: &mut fmt::Formatter<'_>, domain: &Path, overrun: &Overrun) -> fmt::Result {
    write!(f, "{}: `{domain}` uses ", overrun.limit())?;
    match Figures::of(overrun) {
        Figures::Amounts {
            allowed: None,
            used,
            unit,
            ..
        } => write!(f, "{used}{unit}, none allowed"),
        Figures::Amounts {
            allowed: Some(allowed),
            used,
            asked,
            unit,
        } => {
            let over = over(allowed, used, asked);
            write!(f, "{used}{unit}, {allowed} allowed: over by {over}{unit}")
        }
        Figures::Sets { allowed, denied } => write!(f, "{denied}, allowed {allowed}"),
    }
}

fn wider(f: &mut fmt::Formatter<'_>, domain: &Path, above: &Path, overrun: &Overrun) -> fmt::Result {
    write!(f, "{}: `{domain}` allows ", overrun.limit())?;
    match Figures::of(overrun) {
        Figures::Amounts {
            allowed: None,
            asked,
            unit,
            ..
        } => write!(f, "{asked}{unit}, `{above}` above none"),
        Figures::Amounts {
            allowed: Some(allowed),
            used,
            asked,
            unit,
        } => {
            let over = over(allowed, used, asked);
            write!(f, "{asked}{unit}, `{above}` above {allowed}: over by {over}{unit}")
        }
        Figures::Sets { allowed, denied } => write!(f, "{denied}, `{above}` above only {allowed}"),
    }
}
