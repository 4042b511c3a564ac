//! The recorded traces in `tests/vectors/`: operations, the verdicts with enforcement along the whole chain, final trees.
//!
//! Owns the format of the recording (see `tests/vectors/README.md`) and its translation into requests of the protocol.

use std::fs;
use std::path::PathBuf;

use fulmar_core::protocol::Request;
use fulmar_core::{BlockDevice, BlockSize, Bridge, DeviceName, Label, Name, NetDevice, Path, Policy, Unikernel};
use serde::Deserialize;

/// One trace: it starts with an empty tree.
#[derive(Debug, Deserialize)]
pub struct Trace {
    /// Which one it is.
    pub seed: u64,
    /// What was tried, in order.
    pub ops: Vec<Operation>,
    /// The tree at the end.
    #[serde(rename = "final")]
    pub end: End,
}

/// An attempt, and what came of it.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// What was tried.
    #[serde(flatten)]
    pub attempt: Attempt,
    /// Whether the whole chain of policies admits it.
    pub admit: bool,
    /// For insertions of unikernels and block devices: the limits broken, in order.
    pub violations: Option<Vec<Violation>>,
}

/// What was tried.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub enum Attempt {
    InsertPolicy { path: Path, policy: RecordedPolicy },
    RemovePolicy { path: Path },
    InsertUnikernel(RecordedUnikernel),
    RemoveUnikernel { name: Name },
    InsertBlock { name: Name, size: BlockSize },
    RemoveBlock { name: Name },
}

/// A policy, as recorded.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct RecordedPolicy {
    pub unikernels: fulmar_core::Amount,
    pub memory: fulmar_core::Amount,
    pub block: Option<fulmar_core::Amount>,
    pub cpuids: fulmar_core::CpuSet,
    pub bridges: fulmar_core::BridgeSet,
}

/// A unikernel, as recorded.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct RecordedUnikernel {
    pub name: Name,
    pub memory: fulmar_core::Amount,
    pub cpuids: fulmar_core::CpuSet,
    pub block_devices: Vec<RecordedDevice>,
    pub bridges: Vec<RecordedDevice>,
}

/// A device: its name in the unikernel and on the host, where that is another one.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct RecordedDevice {
    pub name: DeviceName,
    pub host: Option<String>,
}

/// A limit that would be exceeded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// The domain whose policy it is.
    pub path: Path,
    /// `unikernels`, `memory`, `block`, `cpuids` or `bridges`.
    pub limit: String,
}

/// The tree at the end of a trace.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct End {
    pub policies: Vec<EndPolicy>,
    pub unikernels: Vec<EndUnikernel>,
    pub block_devices: Vec<EndBlock>,
    pub usage: Vec<EndUsage>,
}

/// A policy at the end.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct EndPolicy {
    pub path: Path,
    pub policy: RecordedPolicy,
}

/// A unikernel at the end.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct EndUnikernel {
    pub name: Name,
    pub memory: u64,
}

/// A block device at the end.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct EndBlock {
    pub name: Name,
    pub size: u64,
    pub active: bool,
}

/// What a subtree uses at the end.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the recording's, described in its README")]
pub struct EndUsage {
    pub path: Path,
    pub unikernels: u64,
    pub memory: u64,
    pub block: u64,
}

/// All recorded traces.
///
/// # Panics
/// Where the recording is missing or damaged.
#[must_use]
pub fn recorded() -> Vec<Trace> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/albatross-traces.jsonl");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let traces: Vec<Trace> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a trace a line"))
        .collect();
    assert_eq!(traces.len(), 60, "some traces are missing");
    traces
}

impl Attempt {
    /// The request that tries the same.
    #[must_use]
    pub fn request(&self) -> Request {
        match self {
            Self::InsertPolicy { path, policy } => Request::InsertPolicy {
                domain: path.clone(),
                policy: policy.to_policy(),
            },
            Self::RemovePolicy { path } => Request::RemovePolicy { domain: path.clone() },
            Self::InsertUnikernel(recorded) => Request::InsertUnikernel {
                name: recorded.name.clone(),
                unikernel: recorded.to_unikernel(),
            },
            Self::RemoveUnikernel { name } => Request::RemoveUnikernel { name: name.clone() },
            Self::InsertBlock { name, size } => Request::InsertBlock {
                name: name.clone(),
                size_mib: *size,
            },
            Self::RemoveBlock { name } => Request::RemoveBlock { name: name.clone() },
        }
    }
}

impl RecordedPolicy {
    /// The policy in the terms of the core.
    #[must_use]
    pub fn to_policy(&self) -> Policy {
        Policy {
            unikernels: self.unikernels,
            memory_mib: self.memory,
            block_mib: self.block,
            cpuids: self.cpuids.clone(),
            bridges: self.bridges.clone(),
        }
    }
}

impl RecordedUnikernel {
    fn to_unikernel(&self) -> Unikernel {
        let block = |recorded: &RecordedDevice| BlockDevice {
            device: recorded.name.clone(),
            host: Label::new(recorded.host_side()).expect("a label"),
            sector_size: None,
        };
        let net = |recorded: &RecordedDevice| NetDevice {
            device: recorded.name.clone(),
            bridge: Bridge::new(recorded.host_side()).expect("a bridge"),
            mac: None,
        };
        Unikernel::new(self.memory, self.cpuids.clone())
            .and_then(|unikernel| unikernel.with_block_devices(self.block_devices.iter().map(block).collect()))
            .and_then(|unikernel| unikernel.with_bridges(self.bridges.iter().map(net).collect()))
            .expect("a unikernel")
    }
}

impl RecordedDevice {
    fn host_side(&self) -> &str {
        self.host.as_deref().unwrap_or(self.name.as_str())
    }
}
