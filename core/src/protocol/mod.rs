//! The message protocol: one [`Request`], one [`Response`], the same for every face of the rules.
//!
//! Owns the shape of the messages. How they are encoded (JavaScript values, bincode, JSON) is the face's matter; what is
//! answered is the tree's.
//!
//! As JSON a request is an object with one field, its kind, and so is a response:
//! ```json
//! {"check_unikernel": {"name": "alice:web", "unikernel": {"memory_mib": 256, "cpuids": [0]}}}
//! {"refused": {"reasons": [{"code": "exceeds-memory",
//!   "sentence": "memory: `alice` allows 512 MiB, 384 in use, 256 asked: over by 128 MiB",
//!   "reason": {"exceeds": {"domain": "alice",
//!     "overrun": {"memory": {"allowed_mib": 512, "used_mib": 384, "asked_mib": 256}}}}}]}}
//! ```

mod answer;
mod report;
mod request;
mod response;
mod snapshot;

pub use answer::answer;
pub use report::{DomainReport, NamedBlock, NamedUnikernel};
pub use request::Request;
pub use response::{Explanation, Response, StepVerdict};
pub use snapshot::{Snapshot, SnapshotVersion, SnapshotVersionError};

/// The version of the messages. It grows when a message changes its meaning or its encoding.
pub const VERSION: u32 = 1;
