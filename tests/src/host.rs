//! A host for a test: a daemon with a state of its own, and the command line to ask it.
//!
//! Owns the processes it started, and ends them, whatever happens to the test. Knows only what a user knows: programs, words,
//! JSON and exit codes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long something that takes milliseconds may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running daemon, or one that was killed.
pub struct Host {
    state: tempfile::TempDir,
    daemon: Child,
}

/// What a command answered.
#[derive(Debug)]
pub struct Reply {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Host {
    /// Starts a daemon with an empty state.
    ///
    /// # Panics
    /// Where it does not listen in time.
    #[must_use]
    pub fn start() -> Self {
        let state = tempfile::tempdir().expect("a temporary folder");
        let daemon = serve(state.path());
        let mut host = Self { state, daemon };
        host.wait_until_listening();
        host
    }

    /// Kills the daemon with SIGKILL: it can say goodbye to nobody.
    ///
    /// # Panics
    /// Where there is none to kill.
    pub fn kill_daemon(&mut self) {
        self.daemon.kill().expect("a daemon to kill");
        self.daemon.wait().expect("it ended");
    }

    /// Starts a daemon again on the same state.
    ///
    /// # Panics
    /// Where it does not listen in time.
    pub fn restart_daemon(&mut self) {
        self.daemon = serve(self.state.path());
        self.wait_until_listening();
    }

    /// Where the daemon keeps its state.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.state.path().join("fulmar.sock")
    }

    /// Runs `fulmar` with these words.
    ///
    /// # Panics
    /// Where the program is not built.
    pub fn fulmar<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Reply {
        let output = Command::new(program("fulmar"))
            .args(words)
            .env("FULMAR_SOCKET", self.socket())
            .stdin(Stdio::null())
            .output()
            .expect("`fulmar` can be run");
        Reply {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The processes of the unikernels that run, by name.
    ///
    /// # Panics
    /// Where the daemon does not say.
    #[must_use]
    pub fn processes(&self) -> Vec<(String, u32)> {
        let reply = self.fulmar(["info", "--json"]);
        let answer = reply.json();
        let unikernels = answer["unikernels"]
            .as_array()
            .unwrap_or_else(|| panic!("no unikernels in {answer}"));
        unikernels.iter().filter_map(process_of).collect()
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// Where it does not come true in time.
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "not in time: {what}");
            sleep(Duration::from_millis(20));
        }
    }

    fn wait_until_listening(&mut self) {
        let start = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            if let Some(status) = self.daemon.try_wait().expect("the daemon is our child") {
                panic!("the daemon ended: {status}");
            }
            assert!(start.elapsed() < PATIENCE, "the daemon does not listen");
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A test that failed between killing the daemon and starting it again leaves unikernels that only a daemon ends.
        if let Ok(Some(_)) = self.daemon.try_wait() {
            self.daemon = serve(self.state.path());
            let start = Instant::now();
            while UnixStream::connect(self.socket()).is_err() && start.elapsed() < PATIENCE {
                sleep(Duration::from_millis(10));
            }
        }
        for (name, _) in self.fulmar(["info", "--json"]).try_json().iter().flat_map(running) {
            self.fulmar(["destroy", &name]);
        }
        // It may have been killed by the test already.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Reply {
    /// What a command answered with `--json`.
    ///
    /// # Panics
    /// Where it is no JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        self.try_json().unwrap_or_else(|| panic!("no JSON: {self:?}"))
    }

    fn try_json(&self) -> Option<Value> {
        serde_json::from_str(&self.stdout).ok()
    }

    /// Asserts that it was done.
    ///
    /// # Panics
    /// Where it was not.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The codes of the reasons of a refusal, with the sentences.
    ///
    /// # Panics
    /// Where it was not refused.
    #[track_caller]
    #[must_use]
    pub fn reasons(&self) -> Vec<(String, String)> {
        assert_eq!(self.code, Some(3), "{self:?}");
        let answer = self.json();
        let reasons = answer["error"]["reasons"].as_array().expect("reasons");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        reasons
            .iter()
            .map(|reason| (text(&reason["code"]), text(&reason["sentence"])))
            .collect()
    }
}

fn running(answer: &Value) -> Vec<(String, u32)> {
    answer["unikernels"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(process_of)
        .collect()
}

fn process_of(unikernel: &Value) -> Option<(String, u32)> {
    let pid = unikernel["state"]["running"]["pid"].as_u64()?;
    Some((unikernel["name"].as_str()?.to_owned(), u32::try_from(pid).ok()?))
}

/// Whether the process is there, and no zombie.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// The `hello` unikernel.
///
/// # Panics
/// Where it is not built.
#[must_use]
pub fn hello() -> PathBuf {
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("unikernels/dist/hello.spt");
    assert!(
        image.is_file(),
        "{} is not there: `cargo xtask unikernels` builds it",
        image.display()
    );
    image
}

/// The first CPU that this process may run on: the host's root policy allows no other ones than such.
///
/// # Panics
/// Where `/proc` does not tell.
#[must_use]
pub fn first_cpu() -> String {
    let status = fs::read_to_string("/proc/self/status").expect("procfs");
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .expect("a list of CPUs");
    list.trim().split(['-', ',']).next().expect("a CPU").to_owned()
}

fn serve(state: &Path) -> Child {
    Command::new(program("fulmar"))
        .args(["serve", "--state"])
        .arg(state)
        .env_remove("FULMAR_SOCKET")
        .stdin(Stdio::null())
        .spawn()
        .expect("`fulmar serve` can be run")
}

/// A program of this workspace, as `cargo` built it beside this test.
///
/// # Panics
/// Where it is not built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path of this test");
    let program = test.ancestors().nth(2).expect("a folder of programs").join(name);
    assert!(
        program.is_file(),
        "{} is not there: `cargo build -p fulmar -p fulmar-tender` builds it",
        program.display()
    );
    program
}
