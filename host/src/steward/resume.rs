//! At start: what the last daemon left, and what to do with it.
//!
//! [`decide`] is pure: from what was found to what is done. The rest finds, and does it: unikernels that run are adopted,
//! those that ended meanwhile are forgotten, those that the host's end ended are started again; what no ledger knows of is
//! removed.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use fulmar_core::Name;
use tokio::net::unix::pipe;

use super::StewardError;
use super::table::Entry;
use super::task::{Event, Task};
use crate::launch::{self, Order, Running, Source};
use crate::ledger::RecordedUnikernel;
use crate::process::{IfGone, Process, RunRecord};
use crate::state::{RunDirectory, StateDirectory};

/// What was found of a unikernel that should run.
#[derive(Debug)]
enum Found {
    /// No record of a process.
    Nothing,
    /// A record, and whether its process lives.
    Record { record: RunRecord, is_alive: bool },
    /// A record that says nothing.
    Unreadable(String),
}

/// What is done with a unikernel that should run.
#[derive(Debug, PartialEq, Eq)]
enum Resume {
    /// It runs: watch it.
    Adopt,
    /// It ended while there was no daemon.
    Forget,
    /// Start it from its image; end the process first that may be about to run it.
    StartAgain,
    /// Do nothing that could run it twice.
    Fail(String),
}

/// Decides from what was found, and which start of the host this is.
fn decide(found: &Found, boot_id: &str) -> Resume {
    match found {
        // Its record is removed with the unikernel, never before: the host's end took it, or it was started again and failed.
        Found::Nothing => Resume::StartAgain,
        Found::Unreadable(error) => Resume::Fail(format!(
            "is left alone, the record of its process cannot be read ({error}): end the process if it runs, then destroy this"
        )),
        Found::Record { record, .. } if record.boot_id != boot_id => Resume::StartAgain,
        Found::Record { record, is_alive } => match (record.if_gone, is_alive) {
            (IfGone::StartAgain, _) => Resume::StartAgain,
            (IfGone::Forget, true) => Resume::Adopt,
            (IfGone::Forget, false) => Resume::Forget,
        },
    }
}

impl Task {
    /// Makes what is the same as what should be, as far as that does not take long; the rest goes on beside.
    pub(super) async fn resume(
        &mut self,
        state: &StateDirectory,
        recorded: BTreeMap<Name, RecordedUnikernel>,
    ) -> Result<(), StewardError> {
        let names: Vec<Name> = recorded.keys().cloned().collect();
        for (name, RecordedUnikernel { config, image_sha256 }) in recorded {
            self.table
                .insert(name, Entry::starting(Arc::new(config), image_sha256, None));
        }
        self.restore();
        self.remove_strangers(state).await?;
        self.launcher
            .images()
            .remove_all_but(|digest| self.table.uses(digest))?;
        let mut again = Vec::new();
        for name in names {
            if self.resume_one(&name).await? {
                again.push(name);
            }
        }
        self.start_again(again);
        Ok(())
    }

    /// Resumes one; whether it is to be started again.
    async fn resume_one(&mut self, name: &Name) -> Result<bool, StewardError> {
        let (found, process) = self.look_for(name)?;
        match (decide(&found, self.launcher.boot_id()), process, found) {
            (Resume::Adopt, Some(process), Found::Record { record, .. }) => self.adopt(name, process, &record)?,
            (Resume::StartAgain, process, _) => {
                if let Some(process) = process {
                    launch::end(&process).await;
                }
                return Ok(true);
            }
            (Resume::Fail(message), ..) => self.fails(name, &message),
            (Resume::Forget | Resume::Adopt, ..) => {
                tracing::info!(%name, "ended while there was no daemon");
                if let Some(entry) = self.table.find(name) {
                    entry
                        .console
                        .push("unikernel ended while there was no daemon, its status is not known".to_owned());
                }
                self.after_end(name.clone()).await;
            }
        }
        Ok(false)
    }

    fn look_for(&self, name: &Name) -> Result<(Found, Option<Process>), StewardError> {
        let record = match RunRecord::read(&self.launcher.run_directory(name).process()) {
            Ok(Some(record)) => record,
            Ok(None) => return Ok((Found::Nothing, None)),
            Err(error) => return Ok((Found::Unreadable(error), None)),
        };
        let process = self.process_of(&record)?;
        let is_alive = process.is_some();
        Ok((Found::Record { record, is_alive }, process))
    }

    /// The process that a record speaks of, if it lives. Numbers mean nothing after the host was started anew.
    fn process_of(&self, record: &RunRecord) -> Result<Option<Process>, StewardError> {
        if record.boot_id != self.launcher.boot_id() {
            return Ok(None);
        }
        Ok(Process::find(record.pid, record.start_ticks)?)
    }

    fn adopt(&mut self, name: &Name, process: Process, record: &RunRecord) -> Result<(), StewardError> {
        let console = open_console(&self.launcher.run_directory(name))?;
        tracing::info!(%name, pid = process.number(), "adopted");
        let running = Running {
            process: Arc::new(process),
            console,
            started_unix_ms: record.started_unix_ms,
        };
        self.runs(name, running);
        Ok(())
    }

    /// Ends and removes what no ledger knows of: creations that nobody was told of, ends that were not finished.
    async fn remove_strangers(&self, state: &StateDirectory) -> Result<(), StewardError> {
        for name in state.run_names()? {
            if self.table.find(&name).is_some() {
                continue;
            }
            let directory = self.launcher.run_directory(&name);
            let process = match RunRecord::read(&directory.process()) {
                Ok(record) => record.map(|record| self.process_of(&record)).transpose()?.flatten(),
                Err(error) => {
                    tracing::warn!(%name, %error, "the record of a process is unreadable");
                    None
                }
            };
            if let Some(process) = process {
                launch::end(&process).await;
            }
            tracing::info!(%name, "removed what an unfinished creation or end had left");
            launch::remove(directory).await;
        }
        Ok(())
    }

    /// Starts unikernels from their images, one after the other, in order.
    fn start_again(&mut self, names: Vec<Name>) {
        let orders: Vec<Order> = names.into_iter().filter_map(|name| self.order_again(name)).collect();
        let (launcher, events) = (Arc::clone(&self.launcher), self.events.clone());
        self.beside.spawn(async move {
            for order in orders {
                let name = order.name.clone();
                let outcome = launcher.launch(order).await;
                if events.send(Event::Launched { name, outcome }).await.is_err() {
                    return;
                }
            }
        });
    }

    fn order_again(&self, name: Name) -> Option<Order> {
        let entry = self.table.find(&name)?;
        Some(Order {
            config: Arc::clone(&entry.config),
            digest: entry.digest.clone(),
            image: Source::Kept,
            name,
        })
    }
}

/// The console of one that runs. Where somebody removed it nothing more is read; the unikernel is not to suffer for that.
fn open_console(directory: &RunDirectory) -> io::Result<pipe::Receiver> {
    launch::open_console(directory).or_else(|error| {
        tracing::error!(%error, "a console is lost");
        launch::make_console(directory)?;
        launch::open_console(directory)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(boot_id: &str, if_gone: IfGone, is_alive: bool) -> Found {
        let json = serde_json::json!({
            "version": 1, "pid": 7, "start_ticks": 8, "boot_id": boot_id, "started_unix_ms": 9, "if_gone": if_gone,
        });
        let record = serde_json::from_value(json).unwrap();
        Found::Record { record, is_alive }
    }

    #[test]
    fn what_was_found_says_what_is_done() {
        use IfGone::{Forget, StartAgain};
        for (found, resume) in [
            (Found::Nothing, Resume::StartAgain),
            (record("this", Forget, true), Resume::Adopt),
            (record("this", Forget, false), Resume::Forget),
            (record("this", StartAgain, true), Resume::StartAgain),
            (record("this", StartAgain, false), Resume::StartAgain),
            (record("earlier", Forget, false), Resume::StartAgain),
            (record("earlier", StartAgain, false), Resume::StartAgain),
        ] {
            assert_eq!(decide(&found, "this"), resume, "{found:?}");
        }
        let Resume::Fail(message) = decide(&Found::Unreadable("it has version 2".to_owned()), "this") else {
            panic!("it might run twice")
        };
        assert!(message.starts_with("is left alone, the record of its process cannot be read (it has version 2): "));
    }
}
