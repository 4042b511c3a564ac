//! A unikernel's console: its last lines, and those who follow it.
//!
//! Owns the bounds: with [`LINES_MAX`] lines of at most [`lines::LINE_BYTES_MAX`] bytes kept, and [`LIVE_LINES_MAX`] more on their way,
//! a console takes at most 0.7 MiB of memory, whatever the unikernel writes. [`lines`] makes lines of bytes; who reads the
//! bytes is the supervisor's matter.

mod lines;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::broadcast;

use crate::api::{ConsoleLine, ConsoleView};

pub(crate) use lines::LineCutter;

/// How many lines are kept; as Albatross keeps.
const LINES_MAX: usize = 1024;

/// How many lines a follower may be behind before it loses the oldest: what a burst of a quarter of the history needs.
const LIVE_LINES_MAX: usize = 256;

/// How many may read a console at the same time. One more is told to come back: to cut off another one would punish who was
/// there first.
const FOLLOWERS_MAX: usize = 5;

/// The console of one unikernel.
#[derive(Debug)]
pub(crate) struct Console(Mutex<Lines>);

#[derive(Debug)]
struct Lines {
    history: VecDeque<ConsoleLine>,
    /// None once no more lines can come.
    live: Option<broadcast::Sender<ConsoleLine>>,
}

/// [`FOLLOWERS_MAX`] follow it already.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{FOLLOWERS_MAX} read this console already: ask again when one of them has gone")]
pub(crate) struct TooManyFollowers;

impl Console {
    /// With no lines yet.
    pub(crate) fn new() -> Self {
        let (live, _) = broadcast::channel(LIVE_LINES_MAX);
        Self(Mutex::new(Lines {
            history: VecDeque::new(),
            live: Some(live),
        }))
    }

    /// Adds a line, and tells those who follow.
    pub(crate) fn push(&self, line: String) {
        let line = ConsoleLine {
            at_unix_ms: unix_ms(),
            line,
        };
        let mut lines = self.lock();
        if lines.history.len() == LINES_MAX {
            lines.history.pop_front();
        }
        lines.history.push_back(line.clone());
        if let Some(live) = &lines.live {
            // An error says that nobody follows.
            let _ = live.send(line);
        }
    }

    /// The lines so far, and those to come: between the two none is lost, and none is in both.
    pub(crate) fn view(&self) -> Result<ConsoleView, TooManyFollowers> {
        let lines = self.lock();
        let live = match &lines.live {
            Some(live) if live.receiver_count() >= FOLLOWERS_MAX => return Err(TooManyFollowers),
            Some(live) => live.subscribe(),
            None => broadcast::channel(1).1,
        };
        Ok(ConsoleView {
            history: lines.history.iter().cloned().collect(),
            live,
        })
    }

    /// No more lines will come: those who follow are told.
    pub(crate) fn close(&self) {
        self.lock().live = None;
    }

    /// A panic elsewhere leaves the lines as they are: they hold no invariant that half a change could break.
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time now, in milliseconds since 1970; 0 where the clock says it is earlier.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::broadcast::error::TryRecvError;

    fn texts(view: &ConsoleView) -> Vec<&str> {
        view.history.iter().map(|line| line.line.as_str()).collect()
    }

    #[test]
    fn the_last_lines_are_kept() {
        let console = Console::new();
        for number in 0..LINES_MAX + 3 {
            console.push(number.to_string());
        }
        let view = console.view().unwrap();
        assert_eq!(view.history.len(), LINES_MAX);
        assert_eq!(view.history[0].line, "3");
    }

    #[test]
    fn lines_are_in_the_history_or_live() {
        let console = Console::new();
        console.push("one".to_owned());
        let mut view = console.view().unwrap();
        console.push("two".to_owned());
        assert_eq!(texts(&view), ["one"]);
        assert_eq!(view.live.try_recv().unwrap().line, "two");
        console.close();
        assert_eq!(view.live.try_recv().unwrap_err(), TryRecvError::Closed);
        assert_eq!(texts(&console.view().unwrap()), ["one", "two"]);
    }

    #[test]
    fn a_sixth_follower_is_told_to_come_back() {
        let console = Console::new();
        let mut views: Vec<_> = (0..FOLLOWERS_MAX).map(|_| console.view().unwrap()).collect();
        assert_eq!(
            console.view().unwrap_err().to_string(),
            "5 read this console already: ask again when one of them has gone"
        );
        views.pop();
        console.view().unwrap();
    }
}
