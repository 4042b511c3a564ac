//! The daemon: the steward and its door, from the first file that is opened to the last one closed.
//!
//! Owns the order of beginning and end, and what is said where one cannot begin. The ledger comes first: its lock is what keeps
//! a second daemon away from everything else. The module `socket` owns the socket's file.

mod socket;

use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;

use crate::door::http;
use crate::host::{self, HostError};
use crate::ledger::LedgerError;
use crate::ledger::redb::RedbLedger;
use crate::policy::{Limits, PolicyError, PolicyModule};
use crate::state::{StateDirectory, StateError};
use crate::steward::{Steward, StewardError, Tools};

use socket::Socket;
pub use socket::SocketError;

/// The tender's name, beside this program.
const TENDER: &str = "fulmar-tender";

/// Where the daemon keeps its state, and how it is reached.
#[derive(Clone, Debug)]
pub struct DaemonOptions {
    /// The directory of everything that it keeps.
    pub state: PathBuf,
    /// The Unix socket of its door; `fulmar.sock` in the state directory where there is none.
    pub socket: Option<PathBuf>,
    /// The program that runs a unikernel; `fulmar-tender` beside this program where there is none.
    pub tender: Option<PathBuf>,
}

/// Runs the daemon until it is told to stop by SIGTERM or SIGINT. Unikernels go on. Must be called in a tokio runtime with more
/// than one thread.
///
/// # Errors
/// [`DaemonError`] where it cannot begin, or cannot go on.
pub async fn run(options: DaemonOptions) -> Result<(), DaemonError> {
    let stopped = stopped().map_err(DaemonError::Signals)?;
    raise_descriptor_limit();
    let DaemonOptions { state, socket, tender } = options;
    let (tools, socket) = spawn_blocking(move || prepare(&state, socket, tender))
        .await
        .map_err(|panic| DaemonError::Broken(panic.to_string()))??;
    let listener = socket.listen()?;
    let (steward, mut stewarding) = Steward::start(tools).await?;
    tracing::info!(socket = %socket.path().display(), "listening");
    let serving = http::serve(listener, steward, stopped);
    tokio::select! {
        served = serving => served.map_err(DaemonError::Door)?,
        ended = &mut stewarding => return Err(broken(ended)),
    }
    socket.remove();
    // It finishes what was begun.
    stewarding.await.map_err(|panic| broken(Err(panic)))
}

/// Everything that may block: the state directory, the ledger, the policy module's compilation.
fn prepare(state: &FilePath, socket: Option<PathBuf>, tender: Option<PathBuf>) -> Result<(Tools, Socket), DaemonError> {
    let tender = find_tender(tender)?;
    let state = StateDirectory::open(state)?;
    let ledger = RedbLedger::open(&state.ledger())?;
    let policy = PolicyModule::embedded(Limits::default())?;
    let host_policy = host::policy(state.path())?;
    let socket = Socket::new(socket.unwrap_or_else(|| state.socket()));
    tracing::info!(
        state = %state.path().display(),
        policy_sha256 = policy.sha256(),
        memory_mib = %host_policy.memory_mib,
        cpuids = %host_policy.cpuids,
        bridges = %host_policy.bridges,
        "the daemon begins"
    );
    let tools = Tools {
        state,
        ledger: Arc::new(ledger),
        policy,
        host_policy,
        tender,
    };
    Ok((tools, socket))
}

/// The tender, from the root of the file system: it is started in another directory.
fn find_tender(given: Option<PathBuf>) -> Result<PathBuf, DaemonError> {
    let path = match given {
        Some(path) => path,
        None => std::env::current_exe().map_or_else(|_| TENDER.into(), |this| this.with_file_name(TENDER)),
    };
    path.canonicalize().map_err(|error| DaemonError::Tender { path, error })
}

/// Each unikernel takes two descriptors, and each caller one: the usual 1024 would be the first limit that is met.
fn raise_descriptor_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    ) {
        tracing::warn!(?current, %error, "cannot raise the limit of open files");
    }
}

/// Done when the daemon is told to stop.
fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
    })
}

fn broken(ended: Result<(), tokio::task::JoinError>) -> DaemonError {
    DaemonError::Broken(match ended {
        Ok(()) => "it ended too early".to_owned(),
        Err(panic) => panic.to_string(),
    })
}

/// Why the daemon cannot begin, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// There is nothing that could run a unikernel.
    #[error("there is no tender at `{}` ({error}): say with `--tender` where it is", path.display())]
    Tender {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is no place for its state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There are no rules.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// There is nothing to give away.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Nobody could ask.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// What ran before cannot be taken over.
    #[error(transparent)]
    Steward(#[from] StewardError),
    /// It could not be told to stop.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// Nobody can ask any more.
    #[error("the socket no longer accepts connections: {0}")]
    Door(io::Error),
    /// A defect of this program. Unikernels go on.
    #[error("the steward broke ({0}): please report this; unikernels go on, and the next daemon finds them")]
    Broken(String),
}
