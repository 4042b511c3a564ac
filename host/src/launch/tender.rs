//! Starting the tender: one process that has loaded a unikernel, and waits for the word to run it.
//!
//! Owns what the tender is given: its words, an empty environment, two descriptors. Leaves behind no process that it does not
//! hand over.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path as FilePath, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fulmar_core::CpuSet;
use fulmar_tender::HELD;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, prlimit};
use rustix::thread::{sched_getaffinity, sched_setaffinity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::api::UnikernelConfig;
use crate::host::cpuids_of;
use crate::process::Process;

/// How long a tender may take to load a unikernel. It reads a file of at most 128 MiB, from the slowest disk in seconds.
const LOAD_TIME_MAX: Duration = Duration::from_secs(30);

/// Any byte starts the unikernel.
const GO: u8 = b'G';

/// The program that runs one unikernel.
#[derive(Clone, Debug)]
pub(crate) struct Tender(PathBuf);

impl Tender {
    pub(crate) fn new(program: PathBuf) -> Self {
        Self(program)
    }

    /// Starts a tender that holds its unikernel. May block as long as the system takes to start a process.
    pub(super) fn start(
        &self,
        config: &UnikernelConfig,
        image: &FilePath,
        console: OwnedFd,
    ) -> io::Result<(Process, StdUnixStream)> {
        let (parent, child) = StdUnixStream::pair()?;
        parent.set_nonblocking(true)?;
        let mut command = Command::new(&self.0);
        command
            .arg(format!("--mem={}", config.unikernel.memory_mib()))
            .args(["--hold", "--"])
            .arg(image)
            .args(&config.arguments)
            .env_clear()
            .current_dir("/")
            // A signal to the daemon's group (Ctrl-C) is none of the unikernel's business.
            .process_group(0)
            .stdin(OwnedFd::from(child))
            .stdout(Stdio::from(console.try_clone()?))
            .stderr(console);
        let started = command.spawn()?;
        let process = Process::of_child(started.id());
        if process.is_err() {
            end(started);
        }
        Ok((process?, parent))
    }
}

/// Ends a child that nobody will hold.
fn end(mut child: Child) {
    if child.kill().and_then(|()| child.wait()).is_err() {
        tracing::error!(pid = child.id(), "a tender could not be ended");
    }
}

/// Gives a process these CPUs, and only these. It has one thread as long as it holds.
pub(super) fn pin(process: &Process, cpuids: &CpuSet) -> Result<(), PinError> {
    let mut set = rustix::thread::CpuSet::new();
    for cpu in cpuids.iter().map(|cpu| usize::from(cpu.get())) {
        // Higher ones are missing below, when the set is read back.
        if cpu < rustix::thread::CpuSet::MAX_CPU {
            set.set(cpu);
        }
    }
    let pid = Some(process.pid());
    match sched_setaffinity(pid, &set) {
        // The kernel leaves out CPUs that are not there, and refuses where none is left.
        Err(Errno::INVAL) => return Err(PinError::Missing(cpuids.clone())),
        outcome => outcome.map_err(PinError::System)?,
    }
    let given = cpuids_of(&sched_getaffinity(pid).map_err(PinError::System)?);
    let missing: CpuSet = cpuids.iter().filter(|&cpu| !given.contains(cpu)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(PinError::Missing(missing))
    }
}

/// Forbids a process to leave a core dump: a tenant's fault would write its memory to the host's disk, as often as it likes.
pub(super) fn forbid_core_dumps(process: &Process) -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    prlimit(Some(process.pid()), Resource::Core, none)?;
    Ok(())
}

/// Why a unikernel cannot have its CPUs.
#[derive(Debug, thiserror::Error)]
pub(super) enum PinError {
    #[error("cpuids: this host has no CPU {0}")]
    Missing(CpuSet),
    #[error("cpuids: {0}")]
    System(Errno),
}

/// The word that a held tender waits for. If it is dropped unsaid, the tender ends.
#[derive(Debug)]
pub(crate) struct Go(UnixStream);

impl Go {
    /// Waits until a tender has loaded its unikernel.
    pub(super) async fn when_loaded(socket: StdUnixStream) -> Result<Self, HoldError> {
        let mut socket = UnixStream::from_std(socket).map_err(HoldError::System)?;
        let mut word = [0];
        match timeout(LOAD_TIME_MAX, socket.read(&mut word)).await {
            Err(_) => Err(HoldError::TooSlow),
            Ok(Ok(1)) if word == [HELD] => Ok(Self(socket)),
            Ok(Ok(1)) => Err(HoldError::NoTender),
            // Gone with our end unread, or after it.
            Ok(Ok(_)) => Err(HoldError::Ended),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => Err(HoldError::Ended),
            Ok(Err(error)) => Err(HoldError::System(error)),
        }
    }

    /// Says it: the unikernel runs.
    pub(crate) async fn say(mut self) -> io::Result<()> {
        self.0.write_all(&[GO]).await
    }
}

/// Why a tender does not hold a unikernel.
#[derive(Debug, thiserror::Error)]
pub(super) enum HoldError {
    /// It has something to say about that on its console.
    #[error("the tender ended before the unikernel ran")]
    Ended,
    #[error("the tender did not load the unikernel within {} s: the host may be short of memory", LOAD_TIME_MAX.as_secs())]
    TooSlow,
    #[error("the program that should be the tender answers as another: give the right one with `--tender`")]
    NoTender,
    #[error("the tender cannot be heard: {0}")]
    System(io::Error),
}
