//! A unikernel's beginning: reserved, launched, recorded, let go, told; in this order.
//!
//! Owns that whatever fails on the way takes everything before it back. What a launch does is the launcher's matter.

use std::sync::Arc;

use fulmar_core::Name;
use fulmar_core::protocol::Request;

use super::table::{Entry, Stage};
use super::task::{Event, Task, tell, unknown};
use super::{Creation, Reply};
use crate::api::{Answer, Failure};
use crate::launch::{Held, Order, Running, Source};
use crate::ledger::Change;
use crate::process::IfGone;

impl Task {
    pub(super) async fn create(&mut self, creation: Creation, reply: Reply) {
        if let Err(failure) = self.reserve(&creation) {
            tracing::info!(name = %creation.name, %failure, "creation refused");
            return tell(reply, Err(failure));
        }
        tracing::info!(name = %creation.name, "resources reserved");
        let Creation {
            name,
            config,
            image,
            digest,
        } = creation;
        let entry = Entry::starting(Arc::clone(&config), digest.clone(), Some(reply));
        self.table.insert(name.clone(), entry);
        let order = Order {
            name,
            config,
            digest,
            image: Source::Received(image),
        };
        let (launcher, events) = (Arc::clone(&self.launcher), self.events.clone());
        self.beside.spawn(async move {
            let name = order.name.clone();
            let outcome = launcher.launch(order).await;
            // Where the steward is gone, so is the tender: what it holds never runs.
            let _ = events.send(Event::Launched { name, outcome }).await;
        });
    }

    /// An admission is the reservation.
    fn reserve(&mut self, creation: &Creation) -> Result<(), Failure> {
        if let Some(entry) = self.table.find(&creation.name) {
            entry.check_settled(&creation.name)?;
        }
        self.change(&Request::InsertUnikernel {
            name: creation.name.clone(),
            unikernel: creation.config.unikernel.clone(),
        })
    }

    /// A launch has come to its end: a new unikernel's, or one's that is started again.
    pub(super) async fn launched(&mut self, name: Name, outcome: Result<Held, Failure>) {
        let reply = match self.table.find_mut(&name).map(|entry| &mut entry.stage) {
            Some(Stage::Starting(reply)) => reply.take(),
            // Nobody else ends a launch.
            _ => return,
        };
        let Some(reply) = reply else {
            return self.launched_again(name, outcome).await;
        };
        let outcome = match outcome {
            Ok(held) => self.let_go(&name, held).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(answer) => tell(reply, Ok(answer)),
            Err(failure) => {
                tracing::warn!(%name, %failure, "creation failed");
                self.take_back(&name).await;
                tell(reply, Err(failure));
            }
        }
    }

    /// Records a unikernel that is held, and then lets it run: one that nobody knows of never has.
    async fn let_go(&mut self, name: &Name, held: Held) -> Result<Answer, Failure> {
        let Held { go, running } = held;
        let unikernel = self.table.find(name).ok_or_else(|| unknown(name))?.recorded();
        let put = Change::PutUnikernel {
            name: name.clone(),
            unikernel,
        };
        if let Err(failure) = self.record(put).await {
            self.launcher.undo(name, running).await;
            return Err(failure);
        }
        if let Err(error) = go.say().await {
            self.launcher.undo(name, running).await;
            self.record(Change::RemoveUnikernel { name: name.clone() }).await?;
            return Err(Failure::Failed(format!(
                "the tender ended before the unikernel ran: {error}"
            )));
        }
        let pid = running.process.number();
        tracing::info!(%name, pid, "created");
        self.runs(name, running);
        let entry = self.table.find(name).ok_or_else(|| unknown(name))?;
        Ok(Answer::Created(entry.info(name)))
    }

    /// Notes that a unikernel runs, and watches it.
    pub(super) fn runs(&mut self, name: &Name, running: Running) {
        if let Some(entry) = self.table.find_mut(name) {
            entry.stage = Stage::Running {
                process: Arc::clone(&running.process),
                started_unix_ms: running.started_unix_ms,
            };
        }
        self.watch(name.clone(), running);
    }

    /// Takes a reservation back, and the image with it unless another one uses it.
    async fn take_back(&mut self, name: &Name) {
        if let Some(entry) = self.forget(name) {
            self.release(entry.digest).await;
        }
    }

    /// One that was recorded before, and should run again.
    async fn launched_again(&mut self, name: Name, outcome: Result<Held, Failure>) {
        let again = match outcome {
            Ok(held) => self.let_go_again(&name, held).await,
            Err(failure) => Err(failure),
        };
        match again {
            Ok(running) => {
                tracing::info!(%name, pid = running.process.number(), "started again");
                self.runs(&name, running);
            }
            Err(failure) => self.fails(&name, &format!("could not be started again: {failure}")),
        }
    }

    async fn let_go_again(&self, name: &Name, held: Held) -> Result<Running, Failure> {
        let Held { go, running } = held;
        if let Err(error) = go.say().await {
            self.launcher.undo(name, running).await;
            return Err(Failure::Failed(format!(
                "the tender ended before the unikernel ran: {error}"
            )));
        }
        // From now on it has run: where its process is gone, it has ended.
        let directory = self.launcher.run_directory(name);
        let (process, since) = (&running.process, running.started_unix_ms);
        let recorded = self.launcher.record(process, since, &directory, IfGone::Forget).await;
        if let Err(failure) = recorded {
            // It runs all the same. At worst it is started once more than it should be.
            tracing::error!(%name, %failure, "cannot record a process");
        }
        Ok(running)
    }

    /// Notes that a unikernel should run, and does not. It keeps its resources until somebody destroys it.
    pub(super) fn fails(&mut self, name: &Name, message: &str) {
        tracing::error!(%name, message, "failed");
        if let Some(entry) = self.table.find_mut(name) {
            entry.console.push(format!("unikernel {message}"));
            entry.stage = Stage::Failed(message.to_owned());
        }
    }
}

impl Entry {
    /// Whether something is under way with it that has to be waited for.
    pub(super) fn check_settled(&self, name: &Name) -> Result<(), Failure> {
        match self.stage {
            Stage::Starting(_) => Err(Failure::Busy(format!("`{name}` is just being started"))),
            Stage::Stopping(_) => Err(Failure::Busy(format!("`{name}` is just being ended"))),
            Stage::Running { .. } | Stage::Failed(_) => Ok(()),
        }
    }
}
