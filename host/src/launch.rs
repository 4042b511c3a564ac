//! A launch: everything between a reservation and a unikernel that could run.
//!
//! Owns the order of the effects and their undoing: what fails leaves no process and no run directory behind. Whether a
//! unikernel may run was decided before; whether it does run is decided afterwards, by who has the [`Held`].
//! [`fit`] looks at the image, [`tender`] starts the process.

mod fit;
mod tender;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use fulmar_core::Name;
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use tokio::net::unix::pipe;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::api::{Failure, UnikernelConfig};
use crate::console::unix_ms;
use crate::images::{ImageDigest, Images};
use crate::process::{IfGone, Process, RunRecord};
use crate::state::{RunDirectory, StateDirectory};

use tender::HoldError;
pub(crate) use tender::{Go, Tender};

/// How much of a console is looked at for the tender's last words.
const LAST_WORDS_BYTES_MAX: usize = 64 * 1024; // a pipe's capacity

/// How long a tender that hung up may take to end. It has nothing left to do; another program may do what it likes.
const END_TIME_MAX: Duration = Duration::from_secs(5);

/// What every launch needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    state: StateDirectory,
    images: Images,
    tender: Tender,
    boot_id: String,
}

/// What to launch.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) name: Name,
    pub(crate) config: Arc<UnikernelConfig>,
    pub(crate) digest: ImageDigest,
    pub(crate) image: Source,
}

/// Where the image is.
#[derive(Debug)]
pub(crate) enum Source {
    /// Just received, for a unikernel that is new.
    Received(Vec<u8>),
    /// Among the images, for a unikernel that is started again.
    Kept,
}

/// A unikernel that is loaded and recorded, and has not run.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) go: Go,
    pub(crate) running: Running,
}

/// What there is of a unikernel that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: Arc<Process>,
    pub(crate) console: pipe::Receiver,
    pub(crate) started_unix_ms: u64,
}

impl Launcher {
    pub(crate) fn new(state: StateDirectory, tender: Tender) -> io::Result<Self> {
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        Ok(Self {
            images: Images::new(state.images()),
            state,
            tender,
            boot_id: boot_id.trim_end().to_owned(),
        })
    }

    pub(crate) fn images(&self) -> &Images {
        &self.images
    }

    /// Which start of the host this is.
    pub(crate) fn boot_id(&self) -> &str {
        &self.boot_id
    }

    pub(crate) fn run_directory(&self, name: &Name) -> RunDirectory {
        self.state.run(name)
    }

    /// Makes a unikernel ready to run.
    pub(crate) async fn launch(&self, order: Order) -> Result<Held, Failure> {
        let directory = self.run_directory(&order.name);
        let if_gone = match order.image {
            Source::Received(_) => IfGone::Forget,
            Source::Kept => IfGone::StartAgain,
        };
        let config = Arc::clone(&order.config);
        let (this, there) = (self.clone(), directory.clone());
        let prepared = spawn_blocking(move || this.prepare(&order, &there)).await;
        let held = match prepared.unwrap_or_else(|panic| Err(failed("the launch", panic))) {
            Ok(started) => self.hold(&config, started, &directory, if_gone).await,
            Err(failure) => Err(failure),
        };
        if held.is_err() {
            remove(directory).await;
        }
        held
    }

    /// The part that blocks: the image, the run directory, the process.
    fn prepare(&self, order: &Order, directory: &RunDirectory) -> Result<Started, Failure> {
        self.settle_image(order)?;
        let no_directory = |error| failed("the run directory", error);
        directory.make_anew().map_err(no_directory)?;
        let no_console = |error| failed("the console", error);
        make_console(directory).map_err(no_console)?;
        // Opened before there is a writer, whose last words would be lost with it.
        let console = open_console(directory).map_err(no_console)?;
        let output = open_output(directory).map_err(no_console)?;
        let image = self.images.path(&order.digest);
        let started = self.tender.start(&order.config, &image, output);
        let (process, socket) = started.map_err(|error| failed("the tender cannot be started", error))?;
        Ok(Started {
            process: Arc::new(process),
            socket,
            console,
        })
    }

    /// Makes sure that the image is the one, is on the disk, and can be run.
    fn settle_image(&self, order: &Order) -> Result<(), Failure> {
        let unusable = |error| failed("the image", error);
        match &order.image {
            Source::Received(bytes) => {
                fit::check(bytes, &order.config.unikernel)?;
                self.images.keep(&order.digest, bytes).map_err(unusable)
            }
            Source::Kept => {
                let bytes = self.images.read(&order.digest).map_err(unusable)?;
                fit::check(&bytes, &order.config.unikernel)
            }
        }
    }

    /// The part that waits; what it ends with an error it leaves without a process.
    async fn hold(
        &self,
        config: &UnikernelConfig,
        started: Started,
        directory: &RunDirectory,
        if_gone: IfGone,
    ) -> Result<Held, Failure> {
        let process = Arc::clone(&started.process);
        let held = self.try_hold(config, started, directory, if_gone).await;
        if held.is_err() {
            end(&process).await;
        }
        held
    }

    /// Until the tender holds the unikernel, on the right CPUs, and is recorded.
    async fn try_hold(
        &self,
        config: &UnikernelConfig,
        started: Started,
        directory: &RunDirectory,
        if_gone: IfGone,
    ) -> Result<Held, Failure> {
        let Started {
            process,
            socket,
            console,
        } = started;
        let go = match Go::when_loaded(socket).await {
            Err(HoldError::Ended) => return Err(ended_early(&process, &console).await),
            outcome => outcome.map_err(|error| Failure::Failed(error.to_string()))?,
        };
        tender::pin(&process, config.unikernel.cpuids()).map_err(|error| Failure::Failed(error.to_string()))?;
        tender::forbid_core_dumps(&process).map_err(|error| failed("the limit of core dumps", error))?;
        let started_unix_ms = unix_ms();
        self.record(&process, started_unix_ms, directory, if_gone).await?;
        let running = Running {
            process,
            console,
            started_unix_ms,
        };
        Ok(Held { go, running })
    }

    /// Writes down which process runs the unikernel.
    pub(crate) async fn record(
        &self,
        process: &Process,
        started_unix_ms: u64,
        directory: &RunDirectory,
        if_gone: IfGone,
    ) -> Result<(), Failure> {
        let record = RunRecord::of(process, &self.boot_id, started_unix_ms, if_gone);
        let path = directory.process();
        let written = spawn_blocking(move || record.write(&path)).await;
        written
            .unwrap_or_else(|panic| Err(io::Error::other(panic)))
            .map_err(|error| failed("the record of its process", error))
    }

    /// Ends a unikernel that is held, and leaves nothing of it.
    pub(crate) async fn undo(&self, name: &Name, running: Running) {
        end(&running.process).await;
        remove(self.run_directory(name)).await;
    }
}

/// A process that was started, the socket over which it says that it holds, and what it prints.
#[derive(Debug)]
struct Started {
    process: Arc<Process>,
    socket: std::os::unix::net::UnixStream,
    console: pipe::Receiver,
}

/// Makes the FIFO between a unikernel and the daemon.
pub(crate) fn make_console(directory: &RunDirectory) -> io::Result<()> {
    Ok(mkfifoat(CWD, directory.console(), Mode::RUSR | Mode::WUSR)?)
}

/// The console as the unikernel writes it. Opened for reading too, it is never without a reader; and what does not fit is
/// dropped: neither the daemon's end nor a flood of lines stops a unikernel.
fn open_output(directory: &RunDirectory) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(directory.console(), flags, Mode::empty())?)
}

/// The console as the daemon reads it. Opened for writing too, it does not end when the unikernel does: the supervisor knows
/// better.
pub(crate) fn open_console(directory: &RunDirectory) -> io::Result<pipe::Receiver> {
    pipe::OpenOptions::new()
        .read_write(true)
        .open_receiver(directory.console())
}

/// Kills a process and waits until it is gone.
pub(crate) async fn end(process: &Process) {
    if let Err(error) = process.kill() {
        tracing::error!(pid = process.number(), %error, "cannot kill a process");
    }
    if let Err(error) = process.ended().await {
        tracing::error!(pid = process.number(), %error, "cannot wait for a process");
    }
}

/// Removes a run directory. What cannot be removed now is removed by the next launch of that name, or the next daemon.
pub(crate) async fn remove(directory: RunDirectory) {
    let removed = spawn_blocking(move || directory.remove()).await;
    if let Err(error) = removed.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
        tracing::warn!(%error, "cannot remove a run directory");
    }
}

/// What a tender that ended too early had to say.
async fn ended_early(process: &Process, console: &pipe::Receiver) -> Failure {
    let ending = match timeout(END_TIME_MAX, process.ended()).await {
        Ok(Ok(ending)) => ending.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "hung up and went on".to_owned(),
    };
    let said = last_words(console).map_or_else(String::new, |words| format!(": {words}"));
    Failure::Failed(format!("{}{said} (the tender {ending})", HoldError::Ended))
}

fn last_words(console: &pipe::Receiver) -> Option<String> {
    let mut bytes = vec![0; LAST_WORDS_BYTES_MAX];
    // Its writer is gone, so everything is there.
    let length = rustix::io::read(console, &mut *bytes).ok()?;
    let mut lines = crate::console::LineCutter::default();
    let mut last = None;
    lines.feed(&bytes[..length], |line| last = Some(line));
    lines.finish().or(last)
}

fn failed(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("{what}: {error}"))
}
