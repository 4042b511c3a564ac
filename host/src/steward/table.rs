//! The table of unikernels: those that hold resources, and the consoles of some that no longer do.
//!
//! Owns what is known of each, and its bounds. Changes nothing outside.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fulmar_core::{Fact, Name};

use super::Reply;
use crate::api::{UnikernelConfig, UnikernelInfo, UnikernelState};
use crate::console::Console;
use crate::images::ImageDigest;
use crate::ledger::RecordedUnikernel;
use crate::process::Process;

/// How many consoles are kept of unikernels that have ended by themselves, so that it can be read why: 45 MiB at most.
const CONSOLES_KEPT: usize = 64;

/// The unikernels.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: BTreeMap<Name, Entry>,
    /// Oldest first; no name twice, and none that is in `entries`.
    ended: VecDeque<(Name, Arc<Console>)>,
}

/// A unikernel that holds resources.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) config: Arc<UnikernelConfig>,
    pub(super) digest: ImageDigest,
    pub(super) console: Arc<Console>,
    pub(super) stage: Stage,
}

/// How far a unikernel is.
#[derive(Debug)]
pub(super) enum Stage {
    /// It is being launched; somebody waits for it, unless it is started again.
    Starting(Option<Reply>),
    /// Its process runs.
    Running {
        process: Arc<Process>,
        started_unix_ms: u64,
    },
    /// Its process was killed, and somebody waits for its end.
    Stopping(Reply),
    /// There is no process.
    Failed(String),
}

impl Entry {
    /// One that is about to be launched.
    pub(super) fn starting(config: Arc<UnikernelConfig>, digest: ImageDigest, reply: Option<Reply>) -> Self {
        Self {
            config,
            digest,
            console: Arc::new(Console::new()),
            stage: Stage::Starting(reply),
        }
    }

    /// What the ledger holds of it.
    pub(super) fn recorded(&self) -> RecordedUnikernel {
        RecordedUnikernel {
            config: UnikernelConfig::clone(&self.config),
            image_sha256: self.digest.clone(),
        }
    }

    /// What people are told of it.
    pub(super) fn info(&self, name: &Name) -> UnikernelInfo {
        UnikernelInfo {
            name: name.clone(),
            config: UnikernelConfig::clone(&self.config),
            image_sha256: self.digest.to_string(),
            state: self.stage.state(),
        }
    }
}

impl Stage {
    fn state(&self) -> UnikernelState {
        match self {
            Self::Starting(_) => UnikernelState::Starting {},
            Self::Running {
                process,
                started_unix_ms,
            } => UnikernelState::Running {
                pid: process.number(),
                started_unix_ms: *started_unix_ms,
            },
            Self::Stopping(_) => UnikernelState::Stopping {},
            Self::Failed(message) => UnikernelState::Failed {
                message: message.clone(),
            },
        }
    }
}

impl Table {
    pub(super) fn find(&self, name: &Name) -> Option<&Entry> {
        self.entries.get(name)
    }

    pub(super) fn find_mut(&mut self, name: &Name) -> Option<&mut Entry> {
        self.entries.get_mut(name)
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Name, &Entry)> {
        self.entries.iter()
    }

    /// Adds one. A console that is left of another one of that name is forgotten.
    pub(super) fn insert(&mut self, name: Name, entry: Entry) {
        self.ended.retain(|(ended, _)| *ended != name);
        self.entries.insert(name, entry);
    }

    /// Forgets one; those who follow its console are told that nothing more will come.
    pub(super) fn remove(&mut self, name: &Name) -> Option<Entry> {
        let entry = self.entries.remove(name)?;
        entry.console.close();
        Some(entry)
    }

    /// Keeps the console of one that was removed.
    pub(super) fn keep_console(&mut self, name: Name, console: Arc<Console>) {
        if self.ended.len() == CONSOLES_KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back((name, console));
    }

    /// The console of one that runs or has run.
    pub(super) fn console(&self, name: &Name) -> Option<&Console> {
        let ended = || self.ended.iter().find(|(ended, _)| ended == name);
        let running = self.entries.get(name).map(|entry| &entry.console);
        running.or_else(|| ended().map(|(_, console)| console)).map(Arc::as_ref)
    }

    /// Whether one of them has this image.
    pub(super) fn uses(&self, digest: &ImageDigest) -> bool {
        self.entries.values().any(|entry| entry.digest == *digest)
    }

    /// Whether somebody waits for one of them.
    pub(super) fn is_awaited(&self) -> bool {
        let awaited = |entry: &Entry| matches!(entry.stage, Stage::Starting(Some(_)) | Stage::Stopping(_));
        self.entries.values().any(awaited)
    }

    /// What they hold, for the rules.
    pub(super) fn facts(&self) -> impl Iterator<Item = Fact> {
        self.entries.iter().map(|(name, entry)| Fact::Unikernel {
            name: name.clone(),
            unikernel: entry.config.unikernel.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fulmar_core::{CpuId, Unikernel};

    fn entry() -> Entry {
        let cpuids = [CpuId::new(0).unwrap()].into_iter().collect();
        let config = UnikernelConfig {
            unikernel: Unikernel::new(1.into(), cpuids).unwrap(),
            arguments: Vec::new(),
        };
        Entry::starting(Arc::new(config), ImageDigest::of(b""), None)
    }

    fn end(table: &mut Table, number: usize) -> Name {
        let name: Name = format!("u{number}").parse().unwrap();
        table.insert(name.clone(), entry());
        let entry = table.remove(&name).unwrap();
        table.keep_console(name.clone(), entry.console);
        name
    }

    #[test]
    fn the_oldest_console_is_forgotten_first() {
        let mut table = Table::default();
        let names: Vec<_> = (0..=CONSOLES_KEPT).map(|number| end(&mut table, number)).collect();
        assert!(table.console(&names[0]).is_none());
        assert!(names[1..].iter().all(|name| table.console(name).is_some()));
    }

    #[test]
    fn a_new_unikernel_has_a_new_console() {
        let mut table = Table::default();
        let name = end(&mut table, 0);
        table.console(&name).unwrap().push("old".to_owned());
        table.insert(name.clone(), entry());
        assert!(table.console(&name).unwrap().view().unwrap().history.is_empty());
        assert_eq!(table.ended.len(), 0);
    }

    #[test]
    fn an_image_is_used_as_long_as_one_unikernel_has_it() {
        let mut table = Table::default();
        let name: Name = "u".parse().unwrap();
        table.insert(name.clone(), entry());
        assert!(table.uses(&ImageDigest::of(b"")) && !table.uses(&ImageDigest::of(b"other")));
        table.remove(&name);
        assert!(!table.uses(&ImageDigest::of(b"")));
    }
}
