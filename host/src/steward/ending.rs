//! A unikernel's end: asked for, or by itself.
//!
//! Owns what is forgotten, in which order, and what is kept: after its process is gone, the ledger, the tree, the run directory,
//! the image. What it printed last stays readable where it ended by itself.

use std::mem;

use fulmar_core::Name;
use fulmar_core::protocol::Request;

use super::Reply;
use super::table::{Entry, Stage};
use super::task::{Task, tell, unknown};
use crate::api::{Answer, Failure, Outcome};
use crate::launch;
use crate::ledger::Change;
use crate::process::Ending;

impl Task {
    pub(super) async fn destroy(&mut self, name: Name, reply: Reply) {
        match self.kill(&name) {
            Ok(Killed::Waiting) => {
                tracing::info!(%name, "killed");
                if let Some(entry) = self.table.find_mut(&name) {
                    entry.stage = Stage::Stopping(reply);
                }
            }
            Ok(Killed::NoProcess) => {
                let outcome = self.destroyed(&name).await;
                tell(reply, outcome);
            }
            Err(failure) => tell(reply, Err(failure)),
        }
    }

    fn kill(&self, name: &Name) -> Result<Killed, Failure> {
        let entry = self.table.find(name).ok_or_else(|| unknown(name))?;
        entry.check_settled(name)?;
        let Stage::Running { process, .. } = &entry.stage else {
            return Ok(Killed::NoProcess);
        };
        let killed = process.kill();
        killed.map_err(|error| Failure::Failed(format!("the process of `{name}` cannot be killed: {error}")))?;
        Ok(Killed::Waiting)
    }

    async fn destroyed(&mut self, name: &Name) -> Outcome {
        self.remove(name).await?;
        tracing::info!(%name, "destroyed");
        Ok(Answer::Done)
    }

    /// Its process is gone, and its console is read to the end.
    pub(super) async fn ended(&mut self, name: Name, ending: Ending) {
        let Some(entry) = self.table.find_mut(&name) else {
            return;
        };
        entry.console.push(format!("unikernel {ending}"));
        let stage = mem::replace(&mut entry.stage, Stage::Failed(ending.to_string()));
        if let Stage::Stopping(reply) = stage {
            let outcome = self.destroyed(&name).await;
            tell(reply, outcome);
        } else {
            tracing::info!(%name, %ending, "ended");
            self.after_end(name).await;
        }
    }

    /// What follows an end that nobody asked for: the unikernel is forgotten, but for its console. This is where rules about
    /// starting it again belong.
    pub(super) async fn after_end(&mut self, name: Name) {
        match self.remove(&name).await {
            Ok(entry) => self.table.keep_console(name, entry.console),
            Err(failure) => tracing::error!(%name, %failure, "an end cannot be recorded"),
        }
    }

    /// Forgets a unikernel without a process. Where that cannot be recorded, it keeps its resources: the ledger has it still.
    async fn remove(&mut self, name: &Name) -> Result<Entry, Failure> {
        if let Err(failure) = self.record(Change::RemoveUnikernel { name: name.clone() }).await {
            if let Some(entry) = self.table.find_mut(name) {
                entry.stage = Stage::Failed(format!("it has ended, and that could not be recorded: {failure}"));
            }
            return Err(failure);
        }
        launch::remove(self.launcher.run_directory(name)).await;
        let entry = self.forget(name).ok_or_else(|| unknown(name))?;
        self.release(entry.digest.clone()).await;
        Ok(entry)
    }

    /// Takes a unikernel out of the table and the tree.
    pub(super) fn forget(&mut self, name: &Name) -> Option<Entry> {
        let entry = self.table.remove(name)?;
        // Where there is no verdict the tree is restored from the table, in which it is no more.
        if let Err(failure) = self.change(&Request::RemoveUnikernel { name: name.clone() }) {
            tracing::error!(%name, %failure, "a unikernel could not be taken out of the tree");
        }
        Some(entry)
    }
}

/// What a kill has brought about.
enum Killed {
    /// The end is on its way.
    Waiting,
    /// There was nothing to end.
    NoProcess,
}
