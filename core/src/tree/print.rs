//! The tree as text, for a person: a line a domain, indented, with its limits and what is used of them.
//!
//! ```text
//! :  1 of 16 unikernels, 64 of 4096 MiB memory, 10 of 1000 MiB block, cpuids 0-3, bridges dmz
//!   alice  1 of 2 unikernels, 64 of 512 MiB memory, 10 MiB block and none allowed, cpuids 0, no bridges
//!     bob
//!       unikernel web: 64 MiB memory, cpuids 0, block d1, bridges service=dmz
//!       block d1: 10 MiB, used by web
//! ```

use core::fmt;

use super::{Domain, Tree};
use crate::{Block, Label, Path, Policy, Unikernel, Usage};

/// A domain and everything below it, as text. See [`Tree::print`].
#[derive(Clone, Copy, Debug)]
pub struct Printed<'t> {
    tree: &'t Tree,
    domain: &'t Path,
}

impl Tree {
    /// `domain` and everything below it as text, a line for each domain, unikernel and block device. Not made to be read by a
    /// machine: [`Tree::facts`] is.
    #[must_use]
    pub fn print<'t>(&'t self, domain: &'t Path) -> Printed<'t> {
        Printed { tree: self, domain }
    }
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let above = self.domain.labels().count();
        self.tree.domains(self.domain).try_for_each(|domain| {
            let indent = 2 * (domain.path().labels().count() - above);
            write_domain(f, &domain, indent)
        })
    }
}

fn write_domain(f: &mut fmt::Formatter<'_>, domain: &Domain<'_>, indent: usize) -> fmt::Result {
    // Indentation says where it is; only the first line names the whole path.
    let path = domain.path();
    match path.labels().last() {
        Some(label) if indent > 0 => write!(f, "{:indent$}{label}", "")?,
        _ => write!(f, "{path}")?,
    }
    write_usage(f, domain.policy(), domain.usage())?;
    let indent = indent + 2;
    for (label, block) in domain.blocks() {
        write!(f, "{:indent$}", "")?;
        write_block(f, label, block)?;
    }
    for (label, unikernel) in domain.unikernels() {
        write!(f, "{:indent$}", "")?;
        write_unikernel(f, label, unikernel)?;
    }
    Ok(())
}

fn write_usage(f: &mut fmt::Formatter<'_>, policy: Option<&Policy>, usage: &Usage) -> fmt::Result {
    let Usage {
        unikernels,
        memory_mib,
        block_mib,
        ..
    } = usage;
    let Some(policy) = policy else {
        return writeln!(
            f,
            "  {unikernels} unikernels, {memory_mib} MiB memory, {block_mib} MiB block, no policy"
        );
    };
    write!(
        f,
        "  {unikernels} of {} unikernels, {memory_mib} of {} MiB memory, ",
        policy.unikernels, policy.memory_mib
    )?;
    match policy.block_mib {
        Some(allowed) => write!(f, "{block_mib} of {allowed} MiB block, ")?,
        None if usage.block_mib == crate::Amount::ZERO => write!(f, "no block, ")?,
        None => write!(f, "{block_mib} MiB block where none is allowed, ")?,
    }
    match policy.cpuids.is_empty() {
        true => write!(f, "no cpuids, ")?,
        false => write!(f, "cpuids {}, ", policy.cpuids)?,
    }
    match policy.bridges.is_empty() {
        true => writeln!(f, "no bridges"),
        false => writeln!(f, "bridges {}", policy.bridges),
    }
}

fn write_unikernel(f: &mut fmt::Formatter<'_>, label: &Label, unikernel: &Unikernel) -> fmt::Result {
    write!(
        f,
        "unikernel {label}: {} MiB memory, cpuids {}",
        unikernel.memory_mib(),
        unikernel.cpuids()
    )?;
    for (position, block) in unikernel.block_devices().iter().enumerate() {
        let before = if position == 0 { ", block " } else { " " };
        write!(f, "{before}{}", Pair(block.device.as_str(), block.host.as_str()))?;
    }
    for (position, net) in unikernel.bridges().iter().enumerate() {
        let before = if position == 0 { ", bridges " } else { " " };
        write!(f, "{before}{}", Pair(net.device.as_str(), net.bridge.as_str()))?;
    }
    writeln!(f)
}

fn write_block(f: &mut fmt::Formatter<'_>, label: &Label, block: &Block) -> fmt::Result {
    match &block.user {
        Some(user) => writeln!(f, "block {label}: {} MiB, used by {user}", block.size_mib.mib()),
        None => writeln!(f, "block {label}: {} MiB", block.size_mib.mib()),
    }
}

/// A device and what is behind it: `service=dmz`, or only once where both are called the same.
struct Pair<'a>(&'a str, &'a str);

impl fmt::Display for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(device, host) = self;
        if device == host {
            f.write_str(device)
        } else {
            write!(f, "{device}={host}")
        }
    }
}
