//! One step, one line, with the time it took.
//!
//! Owns what a person sees of a command that runs: nothing but its name while it goes well, all of its output when it
//! does not. It knows nothing of what the steps are for.

use std::{
    fmt,
    fs::File,
    io::{self, IsTerminal, Read, Seek, Write},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How often a command with a time limit is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Why a command of `cargo xtask` ended, and the way out; printed as its last line.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    way_out: String,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            way_out: way_out.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.what, self.way_out)
    }
}

/// The progress of one `cargo xtask` command.
pub(crate) struct Steps {
    verbose: bool,
    started: Instant,
    skipped: Vec<String>,
}

impl Steps {
    pub(crate) fn new(verbose: bool) -> Self {
        Self {
            verbose,
            started: Instant::now(),
            skipped: Vec::new(),
        }
    }

    /// Runs a command whose output matters only when it fails.
    ///
    /// # Errors
    /// When it cannot be started or ends with another status than 0; `way_out` says what to do then.
    pub(crate) fn run(&mut self, name: &str, command: Command, way_out: &str) -> Result<(), Failure> {
        self.attempt(name, command, None)
            .map_err(|why| Failure::new(format!("{name} failed ({why})"), way_out))
    }

    /// Runs a command whose output is the point, such as the tests.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub(crate) fn run_live(&mut self, name: &str, mut command: Command, way_out: &str) -> Result<(), Failure> {
        println!("  · {name}");
        let started = Instant::now();
        let status = command.stdin(Stdio::null()).status();
        let ended = status
            .map_err(|error| not_started(&command, &error))
            .and_then(must_succeed);
        report(name, started, ended.is_ok());
        ended.map_err(|why| Failure::new(format!("{name} failed ({why})"), way_out))
    }

    /// Like [`run`](Self::run), for a step that may fail because there is another way; at most for `limit`.
    ///
    /// # Errors
    /// In a few words, why it did not succeed.
    pub(crate) fn attempt(&mut self, name: &str, command: Command, limit: Option<Duration>) -> Result<(), String> {
        if self.verbose {
            println!("  · {name}");
        } else {
            announce(name);
        }
        let started = Instant::now();
        let (ended, output) = if self.verbose {
            shown(command, limit)
        } else {
            captured(command, limit)
        };
        report(name, started, ended.is_ok());
        if ended.is_err() {
            print!("{output}");
        }
        ended
    }

    /// Does something that is more than one command, such as running several and reading what they say.
    ///
    /// # Errors
    /// What it ends with.
    pub(crate) fn perform<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        announce(name);
        let started = Instant::now();
        let ended = work();
        report(name, started, ended.is_ok());
        ended
    }

    /// A line below the step before it.
    pub(crate) fn note(&self, line: &str) {
        println!("    {line}");
    }

    /// Says aloud that something was not done, now and again in the summary.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        println!("  - {what}: skipped, {why}");
        self.skipped.push(what.to_owned());
    }

    pub(crate) fn summarise(&self) {
        println!("{}", summary(self.started.elapsed(), &self.skipped));
    }
}

/// What a command prints that is asked something; what it complains of belongs to the failure.
///
/// # Errors
/// When it cannot be started or ends with another status than 0.
pub(crate) fn said_by(mut command: Command) -> Result<String, Failure> {
    let Output { status, stdout, stderr } = command
        .output()
        .map_err(|error| Failure::new(not_started(&command, &error), "is it installed?"))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let program = command.get_program().display();
    let stderr = String::from_utf8_lossy(&stderr);
    Err(Failure::new(
        format!("`{program}` failed ({status})\n{}", stderr.trim_end()),
        "its words are above",
    ))
}

fn summary(took: Duration, skipped: &[String]) -> String {
    let took = seconds(took);
    if skipped.is_empty() {
        format!("done in {took}, nothing skipped")
    } else {
        format!("done in {took}; skipped: {}", skipped.join("; "))
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// On a terminal the running step is named, and its line is overwritten when it ends; a log gets finished lines only.
fn announce(name: &str) {
    if io::stdout().is_terminal() {
        print!("  … {name}");
        let _ = io::stdout().flush();
    }
}

fn report(name: &str, started: Instant, succeeded: bool) {
    let start_of_line = if io::stdout().is_terminal() { "\r\x1b[2K" } else { "" };
    let mark = if succeeded { '✓' } else { '✗' };
    println!("{start_of_line}  {mark} {name}  ({})", seconds(started.elapsed()));
}

fn shown(mut command: Command, limit: Option<Duration>) -> (Result<(), String>, String) {
    let child = command.stdin(Stdio::null()).spawn();
    (
        child
            .map_err(|error| not_started(&command, &error))
            .and_then(|child| wait(child, limit)),
        String::new(),
    )
}

/// The output goes to a file without a name, not through a pipe: what a killed command has left running cannot make us
/// wait for the pipe's end.
fn captured(mut command: Command, limit: Option<Duration>) -> (Result<(), String>, String) {
    let started = nameless_file().and_then(|output| {
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        Ok((command.spawn()?, output))
    });
    match started {
        Ok((child, output)) => (wait(child, limit), read_back(output)),
        Err(error) => (Err(not_started(&command, &error)), String::new()),
    }
}

fn nameless_file() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("fulmar-xtask-{}", std::process::id()));
    let file = File::options().read(true).append(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn read_back(mut output: File) -> String {
    let mut bytes = Vec::new();
    match output.rewind().and_then(|()| output.read_to_end(&mut bytes)) {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(its output cannot be read: {error})\n"),
    }
}

fn wait(mut child: Child, limit: Option<Duration>) -> Result<(), String> {
    let Some(limit) = limit else {
        return child.wait().map_err(|error| error.to_string()).and_then(must_succeed);
    };
    let started = Instant::now();
    while started.elapsed() < limit {
        match child.try_wait() {
            Ok(None) => thread::sleep(POLL),
            Ok(Some(status)) => return must_succeed(status),
            Err(error) => return Err(error.to_string()),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(format!("stopped after {} s without an end", limit.as_secs()))
}

fn must_succeed(status: ExitStatus) -> Result<(), String> {
    if status.success() {
        Ok(())
    } else {
        Err(status.to_string())
    }
}

fn not_started(command: &Command, error: &io::Error) -> String {
    format!("`{}` cannot be started: {error}", command.get_program().display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failing_command_hands_back_both_of_its_streams() {
        let (ended, output) = captured(shell("echo out; echo err >&2; exit 3"), None);
        assert_eq!(ended, Err("exit status: 3".to_owned()));
        assert_eq!(output, "out\nerr\n");
    }

    #[test]
    fn what_a_command_says_is_its_answer_and_what_it_complains_of_its_failure() {
        assert_eq!(said_by(shell("echo out; echo err >&2")).unwrap(), "out\n");
        assert_eq!(
            said_by(shell("echo out; echo err >&2; exit 3"))
                .unwrap_err()
                .to_string(),
            "`sh` failed (exit status: 3)\nerr: its words are above"
        );
    }

    #[test]
    fn a_command_beyond_its_time_limit_is_stopped() {
        let started = Instant::now();
        let (ended, _) = captured(shell("sleep 30 & sleep 30"), Some(Duration::from_millis(100)));
        assert!(ended.unwrap_err().starts_with("stopped after"));
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let (ended, _) = captured(Command::new("/does/not/exist"), None);
        assert!(ended.unwrap_err().starts_with("`/does/not/exist` cannot be started: "));
    }

    #[test]
    fn the_summary_says_what_was_skipped() {
        let took = Duration::from_millis(1230);
        assert_eq!(summary(took, &[]), "done in 1.2 s, nothing skipped");
        assert_eq!(
            summary(took, &["a".to_owned(), "b".to_owned()]),
            "done in 1.2 s; skipped: a; b"
        );
    }

    #[test]
    fn a_failure_says_what_and_the_way_out() {
        assert_eq!(
            Failure::new("clippy: exit status: 1", "see above").to_string(),
            "clippy: exit status: 1: see above"
        );
    }
}
