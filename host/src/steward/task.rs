//! The steward's task: one command or event after the other.
//!
//! Owns the state, and the order in which it changes: the tree, then the ledger, then what is told. The tree and the ledger
//! never differ for longer than one command; what both hold is also in `policies` and `table`, from which either is restored.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulmar_core::protocol::{Request, Response};
use fulmar_core::{Fact, Name, Path, Policy};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};

use super::rules::Rules;
use super::table::Table;
use super::{Errand, Message, Reply, StewardError, Tools};
use crate::api::{Answer, Command, Failure, Outcome, Selection};
use crate::images::ImageDigest;
use crate::launch::{Held, Launcher, Running, Tender};
use crate::ledger::{Change, Ledger, LedgerError};
use crate::process::Ending;
use crate::supervisor::supervise;

/// How many events may wait. Tasks beside the steward wait for a place; the steward never waits for them.
const EVENTS_MAX: usize = 64;

/// What was done beside the task, or happened.
#[derive(Debug)]
pub(super) enum Event {
    /// A launch has come to its end.
    Launched { name: Name, outcome: Result<Held, Failure> },
    /// A unikernel's process has ended, and its console is read to the end.
    Ended { name: Name, ending: Ending },
}

/// The steward's state.
pub(super) struct Task {
    pub(super) rules: Rules,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) launcher: Arc<Launcher>,
    /// What the root has where `policies` gives it nothing.
    pub(super) host_policy: Policy,
    /// As in the ledger.
    pub(super) policies: BTreeMap<Path, Policy>,
    /// As in the ledger, and those whose creation is under way.
    pub(super) table: Table,
    /// What goes on beside the task; it ends with it.
    pub(super) beside: JoinSet<()>,
    pub(super) events: mpsc::Sender<Event>,
    happened: mpsc::Receiver<Event>,
}

impl Task {
    /// Reads what should be, finds what is, and begins to make both the same.
    pub(super) async fn begin(tools: Tools) -> Result<Self, StewardError> {
        let ledger = tools.ledger;
        let reader = Arc::clone(&ledger);
        let contents = blocking(move || reader.load()).await?;
        let (events, happened) = mpsc::channel(EVENTS_MAX);
        let mut task = Self {
            rules: Rules::new(tools.policy),
            ledger,
            launcher: Arc::new(Launcher::new(tools.state.clone(), Tender::new(tools.tender))?),
            host_policy: tools.host_policy,
            policies: contents.policies,
            table: Table::default(),
            beside: JoinSet::new(),
            events,
            happened,
        };
        task.resume(&tools.state, contents.unikernels).await?;
        Ok(task)
    }

    /// Works until nobody can ask any more, and nobody waits for what is under way. Unikernels go on.
    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut is_open = true;
        while is_open || self.table.is_awaited() {
            tokio::select! {
                biased;
                Some(event) = self.happened.recv() => self.note(event).await,
                message = messages.recv(), if is_open => match message {
                    Some(Message { errand, reply }) => self.obey(errand, reply).await,
                    None => is_open = false,
                },
            }
            while self.beside.try_join_next().is_some() {}
        }
        tracing::info!(
            unikernels = self.table.iter().count(),
            "the steward ends; what runs goes on"
        );
    }

    async fn note(&mut self, event: Event) {
        match event {
            Event::Launched { name, outcome } => self.launched(name, outcome).await,
            Event::Ended { name, ending } => self.ended(name, ending).await,
        }
    }

    async fn obey(&mut self, errand: Errand, reply: Reply) {
        let outcome = match errand {
            Errand::Create(creation) => return self.create(creation, reply).await,
            Errand::Other(Command::Destroy { name }) => return self.destroy(name, reply).await,
            Errand::Other(command) => self.answer(command).await,
        };
        tell(reply, outcome);
    }

    /// Commands that are answered at once.
    async fn answer(&mut self, command: Command) -> Outcome {
        match command {
            Command::AddPolicy { domain, policy } => self.add_policy(domain, policy).await,
            Command::RemovePolicy { domain } => self.remove_policy(domain).await,
            Command::Policies { domain } => self.policies(&domain),
            Command::Unikernels { selection } => Ok(self.unikernels(&selection)),
            Command::Console { name } => self.console(&name),
            Command::Snapshot => self.snapshot(),
            Command::Create { .. } | Command::Destroy { .. } => {
                unreachable!("creations and destructions are answered when they are done")
            }
        }
    }

    fn unikernels(&self, selection: &Selection) -> Answer {
        let selected = self.table.iter().filter(|(name, _)| selection.contains(name));
        Answer::Unikernels(selected.map(|(name, entry)| entry.info(name)).collect())
    }

    fn console(&self, name: &Name) -> Outcome {
        let console = self.table.console(name).ok_or_else(|| unknown(name))?;
        let view = console.view().map_err(|error| Failure::Busy(error.to_string()))?;
        Ok(Answer::Console(view))
    }

    /// Of the tree that verdicts are taken from, and not of what it should hold: who previews on it hears what would be said here.
    fn snapshot(&mut self) -> Outcome {
        match self.ask(&Request::Snapshot {})? {
            Response::Snapshot { snapshot } => Ok(Answer::Snapshot(snapshot)),
            other => Err(Failure::NoVerdict(format!("a snapshot was answered by {other:?}"))),
        }
    }

    /// Everything the tree should hold.
    pub(super) fn facts(&self) -> Vec<Fact> {
        facts(&self.host_policy, &self.policies, &self.table)
    }

    /// Asks for a verdict on a change of the tree.
    pub(super) fn change(&mut self, request: &Request) -> Result<(), Failure> {
        let (host_policy, policies, table) = (&self.host_policy, &self.policies, &self.table);
        self.rules.change(request, || facts(host_policy, policies, table))
    }

    /// Asks the tree.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Response, Failure> {
        let (host_policy, policies, table) = (&self.host_policy, &self.policies, &self.table);
        self.rules.ask(request, || facts(host_policy, policies, table))
    }

    /// Puts what is known in place of what the tree holds, after something could not be recorded.
    pub(super) fn restore(&mut self) {
        let facts = self.facts();
        self.rules.restore(&facts);
    }

    /// Records a change, without holding up what goes on beside.
    pub(super) async fn record(&self, change: Change) -> Result<(), Failure> {
        let ledger = Arc::clone(&self.ledger);
        let recorded = blocking(move || ledger.record(&[change])).await;
        recorded.map_err(|error| {
            tracing::error!(%error, "cannot record");
            Failure::Failed(error.to_string())
        })
    }

    /// Watches a unikernel that runs.
    pub(super) fn watch(&mut self, name: Name, running: Running) {
        let Some(entry) = self.table.find(&name) else {
            return;
        };
        let (console, events) = (Arc::clone(&entry.console), self.events.clone());
        self.beside.spawn(async move {
            let ending = supervise(running, console).await;
            // Where the steward is gone, the next one finds out.
            let _ = events.send(Event::Ended { name, ending }).await;
        });
    }

    /// Removes an image that nobody uses any more.
    pub(super) async fn release(&self, digest: ImageDigest) {
        if self.table.uses(&digest) {
            return;
        }
        let images = self.launcher.images().clone();
        let removed = spawn_blocking(move || images.remove(&digest)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "cannot remove an image");
        }
    }
}

/// The root's policy, the other policies, the unikernels.
fn facts(host_policy: &Policy, policies: &BTreeMap<Path, Policy>, table: &Table) -> Vec<Fact> {
    let root = (!policies.contains_key(&Path::root())).then(|| Fact::Policy {
        domain: Path::root(),
        policy: host_policy.clone(),
    });
    let policies = policies.iter().map(|(domain, policy)| Fact::Policy {
        domain: domain.clone(),
        policy: policy.clone(),
    });
    root.into_iter().chain(policies).chain(table.facts()).collect()
}

/// Calls the ledger where it may block.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    match spawn_blocking(call).await {
        Ok(outcome) => outcome,
        // A panic in there is a defect, and is not hidden by going on.
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Tells the outcome. Who has stopped waiting is not told; what was done stays done.
pub(super) fn tell(reply: Reply, outcome: Outcome) {
    let _ = reply.send(outcome);
}

pub(super) fn unknown(name: &Name) -> Failure {
    Failure::Unknown(format!("there is no unikernel `{name}`"))
}
