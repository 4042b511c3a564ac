//! Where the demo plays: a folder, a daemon, and the processes that must be gone afterwards.
//!
//! Owns the daemon's life and the cleaning up, on success, on failure and after Ctrl-C. Knows no story.

use std::{
    cell::RefCell,
    env,
    fs::{self, DirBuilder, File},
    io::{self, Read, Seek},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{broken, must};
use crate::{step::Failure, unikernels, workspace::Workspace};

/// How the story calls the unikernel's file; what is shown is what was run, in the folder where the file is.
pub(super) const IMAGE: &str = "hello.spt";

/// The daemon compiles its rules when it starts, and a debug build is slow at it.
const DAEMON_STARTS: Duration = Duration::from_secs(30);

const DAEMON_STOPS: Duration = Duration::from_secs(10);

/// Longer than any answer takes; a client that hangs would hang the demo.
const CLIENT_ANSWERS: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(50);

/// What of the daemon's log is shown when the story breaks.
const LOG_LINES: usize = 20;

pub(super) struct Stage {
    folder: PathBuf,
    images: PathBuf,
    program: PathBuf,
    cpu: usize,
    daemon: Option<Child>,
    tenders: RefCell<Vec<u32>>,
    interrupted: Arc<AtomicBool>,
}

impl Stage {
    /// # Errors
    /// When there is no temporary folder to be made.
    pub(super) fn set(workspace: &Workspace) -> Result<Self, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted)).map_err(|error| unset(&error))?;
        }
        let cpu = first_cpu().map_err(|error| unset(&error))?;
        let folder = env::temp_dir().join(format!("fulmar-demo-{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|error| unset(&error))?;
        Ok(Self {
            folder,
            images: unikernels::folder(workspace).join("dist"),
            program: workspace.target.join("debug/fulmar"),
            cpu,
            daemon: None,
            tenders: RefCell::default(),
            interrupted,
        })
    }

    /// The first CPU that this process may run on: in a container that need not be 0.
    pub(super) fn cpu(&self) -> String {
        self.cpu.to_string()
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("fulmar.sock")
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// A process to be ended at the end, if nobody else ends it.
    pub(super) fn remember(&self, pid: u32) {
        self.tenders.borrow_mut().push(pid);
    }

    /// Starts the daemon and waits until it answers.
    pub(super) fn start_daemon(&mut self) -> Result<(), Failure> {
        println!("$ fulmar serve --state {} &", self.folder.display());
        self.daemon = Some(self.spawn_daemon().map_err(|error| {
            Failure::new(
                format!("{} cannot be started: {error}", self.program.display()),
                "was it built?",
            )
        })?);
        self.wait_until("the daemon answers", DAEMON_STARTS, |stage| {
            stage.daemon_must_run()?;
            Ok(stage.socket().exists() && stage.ask(&["info"])?.succeeded())
        })
    }

    /// In a process group of its own: Ctrl-C must reach the demo and not the daemon, which has to help cleaning up.
    fn spawn_daemon(&self) -> io::Result<Child> {
        let log = File::options().create(true).append(true).open(self.log())?;
        Command::new(&self.program)
            .arg("serve")
            .arg("--state")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
    }

    fn daemon_must_run(&mut self) -> Result<(), Failure> {
        let ended = self.daemon.as_mut().and_then(|daemon| daemon.try_wait().ok()).flatten();
        let Some(status) = ended else { return Ok(()) };
        self.daemon = None;
        Err(broken(&format!("the daemon ended ({status})")))
    }

    /// SIGKILL, which no process can prepare for.
    pub(super) fn kill_daemon(&mut self) -> Result<(), Failure> {
        let mut daemon = self.daemon.take().ok_or_else(|| broken("there is no daemon to kill"))?;
        println!("$ kill -KILL {}", daemon.id());
        daemon
            .kill()
            .and_then(|()| daemon.wait())
            .map(drop)
            .map_err(|error| broken(&format!("kill: {error}")))
    }

    /// Runs the command line, and shows both what was typed and what came back.
    pub(super) fn fulmar(&mut self, arguments: &[&str]) -> Result<Answer, Failure> {
        println!("$ fulmar {}", arguments.join(" "));
        let answer = self.ask(arguments)?;
        for line in answer.shown().lines() {
            println!("  {line}");
        }
        Ok(answer)
    }

    /// Runs the command line and shows nothing.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Answer, Failure> {
        self.must_not_be_interrupted()?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("FULMAR_SOCKET", self.socket())
            .current_dir(&self.images)
            .process_group(0);
        let asked = format!("`fulmar {}`", arguments.join(" "));
        let output = self.bounded(command);
        self.must_not_be_interrupted()?;
        let output = output.map_err(|error| broken(&format!("{asked}: {error}")))?;
        Ok(Answer { asked, output })
    }

    fn must_not_be_interrupted(&self) -> Result<(), Failure> {
        let interrupted = || Failure::new("the demo was interrupted", "what it started is removed");
        if self.is_interrupted() {
            Err(interrupted())
        } else {
            Ok(())
        }
    }

    /// The output goes through files, so that a time limit needs no thread.
    fn bounded(&self, mut command: Command) -> io::Result<Output> {
        let (mut stdout, mut stderr) = (self.scratch("stdout")?, self.scratch("stderr")?);
        command
            .stdin(Stdio::null())
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?);
        let mut child = command.spawn()?;
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Output {
                    status,
                    stdout: read_back(&mut stdout)?,
                    stderr: read_back(&mut stderr)?,
                });
            }
            if started.elapsed() > CLIENT_ANSWERS || self.is_interrupted() {
                child.kill().and_then(|()| child.wait())?;
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn scratch(&self, name: &str) -> io::Result<File> {
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.folder.join(name))
    }

    /// Asks again and again until something is so.
    pub(super) fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        mut is_so: impl FnMut(&mut Self) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        while !is_so(self)? {
            self.must_not_be_interrupted()?;
            must(
                started.elapsed() < limit,
                &format!("after {} s it is not so that {what}", limit.as_secs()),
            )?;
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Shows the daemon's last words, for a story that broke.
    pub(super) fn show_log(&self) {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        println!("\nThe daemon's last words:");
        for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
            println!("  {line}");
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.join("daemon.log")
    }

    /// Destroys the unikernels, ends the daemon and removes the folder.
    ///
    /// # Errors
    /// When something could not be removed, and where it is.
    pub(super) fn clear(&mut self) -> Result<(), Failure> {
        self.interrupted.store(false, Ordering::Relaxed); // a second Ctrl-C may end the cleaning up
        self.destroy_all();
        self.stop_daemon();
        for pid in self.tenders.take() {
            end(pid);
        }
        fs::remove_dir_all(&self.folder).map_err(|error| {
            Failure::new(
                format!("{} cannot be removed: {error}", self.folder.display()),
                "remove it by hand",
            )
        })
    }

    /// By the daemon, which alone knows of a unikernel whose creation was interrupted; one that ended is started again
    /// for it. What it does not do, `end` does.
    fn destroy_all(&mut self) {
        let was_never_started = !self.log().exists();
        // Again when it ended while it was asked.
        for _ in 0..2 {
            if was_never_started || (self.is_daemon_gone() && self.start_daemon().is_err()) {
                return;
            }
            for name in [super::BOB, super::CHARLIE, super::TOO_MANY] {
                let _ = self.ask(&["destroy", name]);
            }
            if !self.is_daemon_gone() {
                return;
            }
        }
    }

    fn is_daemon_gone(&mut self) -> bool {
        self.daemon_must_run().is_err() || self.daemon.is_none()
    }

    fn stop_daemon(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        signal(daemon.id(), Signal::TERM);
        let started = Instant::now();
        while started.elapsed() < DAEMON_STOPS && matches!(daemon.try_wait(), Ok(None)) {
            thread::sleep(POLL);
        }
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
}

/// What the command line said.
pub(super) struct Answer {
    asked: String,
    output: Output,
}

impl Answer {
    pub(super) fn succeeded(&self) -> bool {
        self.output.status.success()
    }

    /// What a person sees of it.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned() + &String::from_utf8_lossy(&self.output.stderr)
    }

    pub(super) fn must_succeed(&self) -> Result<(), Failure> {
        let why = || {
            format!(
                "{} failed ({}): {}",
                self.asked,
                self.output.status,
                self.shown().trim()
            )
        };
        if self.succeeded() { Ok(()) } else { Err(broken(&why())) }
    }

    pub(super) fn must_be_refused_naming(&self, whose: &str) -> Result<(), Failure> {
        must(
            !self.succeeded(),
            &format!("{} succeeded, and should have been refused", self.asked),
        )?;
        must(
            self.shown().contains(whose),
            &format!("{} was refused, but not by a limit of {whose}", self.asked),
        )
    }

    /// The process that the answer, as JSON, speaks of.
    pub(super) fn pid(&self) -> Option<u32> {
        find_pid(&serde_json::from_slice(&self.output.stdout).ok()?)
    }
}

/// The first member named `pid`, however deep: the demo is not about the shape of the answer.
fn find_pid(answer: &Value) -> Option<u32> {
    match answer {
        Value::Object(members) => {
            let here = members
                .get("pid")
                .and_then(Value::as_u64)
                .and_then(|pid| u32::try_from(pid).ok());
            here.or_else(|| members.values().find_map(find_pid))
        }
        Value::Array(items) => items.iter().find_map(find_pid),
        _ => None,
    }
}

/// Whether the process is there, is a tender, and is not only waiting to be collected.
pub(super) fn is_running(pid: u32) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
    program.is_some_and(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("fulmar-tender"))
    })
}

/// A process number may have gone to another program meanwhile: only a tender is ended.
fn end(pid: u32) {
    if is_running(pid) {
        signal(pid, Signal::KILL);
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

fn first_cpu() -> io::Result<usize> {
    let allowed = rustix::thread::sched_getaffinity(None)?;
    let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu));
    first.ok_or_else(|| io::Error::other("this process may run on no CPU"))
}

fn read_back(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unset(error: &io::Error) -> Failure {
    Failure::new(
        format!("the demo cannot be set up: {error}"),
        "it needs a temporary folder that it can write to",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_is_found_wherever_the_answer_has_it() {
        let answer = serde_json::json!({"unikernels": [{"name": "a:b", "running": {"pid": 42}}, {"pid": 43}]});
        assert_eq!(find_pid(&answer), Some(42));
        assert_eq!(find_pid(&serde_json::json!({"pid": null})), None);
        assert_eq!(find_pid(&serde_json::json!([])), None);
    }

    #[test]
    fn a_process_that_is_no_tender_is_left_alone() {
        assert!(!is_running(std::process::id()));
        end(std::process::id());
    }

    #[test]
    fn there_is_a_cpu_to_run_on() {
        assert!(first_cpu().is_ok());
    }
}
