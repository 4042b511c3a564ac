//! What the host has: the root's policy, where no operator gave it one.
//!
//! Owns how a host's resources are read and put into the five limits. Each start reads them anew; a host that shrank refuses
//! new unikernels, and stops none.

use std::fs;
use std::io;
use std::path::Path as FilePath;

use fulmar_core::{Amount, BRIDGES_MAX, Bridge, BridgeSet, CpuId, CpuSet, Policy};
use rustix::thread::sched_getaffinity;

const MIB: u64 = 1 << 20;

/// What this host has. The block devices' limit is the size of the file system that the state directory is on.
///
/// # Errors
/// [`HostError`] where the kernel does not say.
pub fn policy(state: &FilePath) -> Result<Policy, HostError> {
    let memory_mib = memory_mib().map_err(|error| HostError::new("memory", error))?;
    let block_mib = block_mib(state).map_err(|error| HostError::new("file system", error))?;
    let bridges = bridges(FilePath::new("/sys/class/net")).map_err(|error| HostError::new("bridges", error))?;
    Ok(Policy {
        // Each takes at least one MiB.
        unikernels: memory_mib,
        memory_mib,
        block_mib: Some(block_mib),
        cpuids: cpuids().map_err(|error| HostError::new("CPUs", error))?,
        bridges,
    })
}

/// The CPUs that the daemon may use, and so may give away.
fn cpuids() -> io::Result<CpuSet> {
    Ok(cpuids_of(&sched_getaffinity(None)?))
}

/// The CPUs of a set as the kernel has it.
pub(crate) fn cpuids_of(set: &rustix::thread::CpuSet) -> CpuSet {
    let numbers = (0..rustix::thread::CpuSet::MAX_CPU).filter(|&number| set.is_set(number));
    numbers.filter_map(|number| CpuId::new(number as u64).ok()).collect()
}

fn memory_mib() -> io::Result<Amount> {
    let text = fs::read_to_string("/proc/meminfo")?;
    total_mib(&text).ok_or_else(|| io::Error::other("/proc/meminfo has no `MemTotal`"))
}

/// The line is `MemTotal:       16315408 kB`, and a kB has 1024 bytes there.
fn total_mib(meminfo: &str) -> Option<Amount> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(amount(kib / 1024))
}

fn block_mib(state: &FilePath) -> io::Result<Amount> {
    let file_system = rustix::fs::statvfs(state)?;
    Ok(amount(file_system.f_blocks.saturating_mul(file_system.f_frsize) / MIB))
}

fn amount(value: u64) -> Amount {
    Amount::new(value).unwrap_or(Amount::MAX)
}

/// The host's bridges: the network interfaces with a folder `bridge`. Of more than a policy may list, the first are taken.
fn bridges(interfaces: &FilePath) -> io::Result<BridgeSet> {
    let mut bridges = Vec::new();
    for interface in fs::read_dir(interfaces)? {
        let interface = interface?;
        if interface.path().join("bridge").is_dir() {
            bridges.extend(interface.file_name().to_str().and_then(|name| Bridge::new(name).ok()));
        }
    }
    bridges.sort();
    bridges.truncate(BRIDGES_MAX);
    Ok(BridgeSet::new(bridges).expect("no more are left than a set may have"))
}

/// The host's resources cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read what the host has ({what}): {error}")]
pub struct HostError {
    what: &'static str,
    error: io::Error,
}

impl HostError {
    fn new(what: &'static str, error: io::Error) -> Self {
        Self { what, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_in_mib() {
        let meminfo = "MemTotal:       16315408 kB\nMemFree:         1 kB\n";
        assert_eq!(total_mib(meminfo), Some(15933.into()));
        for other in ["", "MemFree: 1 kB", "MemTotal: many kB", "MemTotal: 1 MB"] {
            assert_eq!(total_mib(other), None, "{other}");
        }
    }

    #[test]
    fn bridges_are_the_interfaces_with_a_bridge_in_order() {
        let interfaces = tempfile::tempdir().unwrap();
        for path in ["lan/bridge", "eth0/statistics", "dmz/bridge", "no bridge name/bridge"] {
            fs::create_dir_all(interfaces.path().join(path)).unwrap();
        }
        assert_eq!(bridges(interfaces.path()).unwrap().to_string(), "dmz, lan");
        for number in 0..300 {
            fs::create_dir_all(interfaces.path().join(format!("a{number:03}/bridge"))).unwrap();
        }
        let many = bridges(interfaces.path()).unwrap();
        assert_eq!(many.iter().count(), BRIDGES_MAX);
        assert!(many.contains(&Bridge::new("a255").unwrap()));
    }

    #[test]
    fn this_host_has_something() {
        let policy = policy(FilePath::new("/")).unwrap();
        assert!(policy.memory_mib > Amount::ZERO && !policy.cpuids.is_empty());
        assert!(policy.block_mib > Some(Amount::ZERO));
    }
}
