//! The steward: the one task that owns what should run, what does, and the tree of resources.
//!
//! This file owns the way in, and the first checks, which need nobody's state. Everything else is the task's: one command or
//! event after the other, so that no two of them can see half of a third. What takes long is done beside it, and comes back as
//! an event.
//!
//! | module | what it owns |
//! |---|---|
//! | `task` | the order of commands and events, and the end |
//! | `rules` | the policy module, and that it knows what the steward knows |
//! | `table` | the unikernels, and what is known of each |
//! | `delegation` | commands about policies |
//! | `creation` | a unikernel's beginning |
//! | `ending` | a unikernel's end |
//! | `resume` | what to do at start with what the last daemon left |

mod creation;
mod delegation;
mod ending;
mod resume;
mod rules;
mod table;
mod task;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use fulmar_core::{Name, Policy};
use fulmar_tender::CommandLine;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::api::{Command, Failure, IMAGE_BYTES_MAX, Outcome, UnikernelConfig};
use crate::images::ImageDigest;
use crate::ledger::{Ledger, LedgerError};
use crate::policy::PolicyModule;
use crate::state::StateDirectory;

/// How many commands may wait for the steward; who asks beyond that waits for a place.
const COMMANDS_MAX: usize = 64;

/// What the steward works with.
pub struct Tools {
    /// Where everything is kept.
    pub state: StateDirectory,
    /// What is recorded.
    pub ledger: Arc<dyn Ledger>,
    /// The rules, with any tree: the steward restores it from the ledger.
    pub policy: PolicyModule,
    /// What the host has: the root's policy where the ledger has none.
    pub host_policy: Policy,
    /// The program that runs a unikernel.
    pub tender: PathBuf,
}

/// How one asks the steward. Clones ask the same one; when the last is gone the steward finishes what it has begun, and ends.
#[derive(Clone, Debug)]
pub struct Steward {
    messages: mpsc::Sender<Message>,
}

/// A command, checked as far as it can be by itself.
#[derive(Debug)]
struct Message {
    errand: Errand,
    reply: Reply,
}

/// What the task is to do.
#[derive(Debug)]
enum Errand {
    Create(Creation),
    /// Any command but a creation.
    Other(Command),
}

/// A unikernel to create.
#[derive(Debug)]
struct Creation {
    name: Name,
    config: Arc<UnikernelConfig>,
    image: Vec<u8>,
    digest: ImageDigest,
}

type Reply = oneshot::Sender<Outcome>;

impl Steward {
    /// Starts a steward: it finds the unikernels that run, starts those again that should, and answers. The handle is done when
    /// the steward has ended.
    ///
    /// # Errors
    /// [`StewardError`] where the ledger or the state directory cannot be read. A policy module that cannot hold the tree is
    /// none: then the steward answers, but admits nothing.
    pub async fn start(tools: Tools) -> Result<(Self, JoinHandle<()>), StewardError> {
        let (messages, receiver) = mpsc::channel(COMMANDS_MAX);
        let task = task::Task::begin(tools).await?;
        Ok((Self { messages }, tokio::spawn(task.run(receiver))))
    }

    /// Asks, and waits for the outcome. What was asked goes on where the future is dropped.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn ask(&self, command: Command) -> Outcome {
        let errand = match command {
            Command::Create { name, config, image } => Errand::Create(checked(name, config, image).await?),
            other => Errand::Other(other),
        };
        let (reply, outcome) = oneshot::channel();
        let gone = || Failure::Failed("the daemon is stopping".to_owned());
        self.messages
            .send(Message { errand, reply })
            .await
            .map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

/// Checks the bounds, and takes the digest, which is slow, outside the task.
async fn checked(name: Name, config: UnikernelConfig, image: Vec<u8>) -> Result<Creation, Failure> {
    CommandLine::join(&config.arguments).map_err(|error| Failure::Invalid(error.to_string()))?;
    if image.len() > IMAGE_BYTES_MAX {
        return Err(Failure::Invalid(format!(
            "the image is {} bytes long: at most {IMAGE_BYTES_MAX}",
            image.len()
        )));
    }
    let digested = spawn_blocking(move || (ImageDigest::of(&image), image)).await;
    let (digest, image) = digested.map_err(|panic| Failure::Failed(panic.to_string()))?;
    Ok(Creation {
        name,
        config: Arc::new(config),
        image,
        digest,
    })
}

/// Why there can be no steward.
#[derive(Debug, thiserror::Error)]
pub enum StewardError {
    /// What should run is not known.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What ran is not known.
    #[error("the state directory cannot be read: {0}")]
    State(#[from] io::Error),
}
