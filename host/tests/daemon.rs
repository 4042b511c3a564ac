//! The program itself, killed and told to stop.

use std::fs;
use std::path::{Path as FilePath, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fulmar::api::{Selection, UnikernelConfig, UnikernelInfo, UnikernelState};
use fulmar::client::Client;
use fulmar_core::{CpuId, Name, Unikernel};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::sleep;

/// How long anything may take here before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A state directory, and perhaps a daemon on it.
struct Host {
    directory: TempDir,
    daemon: Option<Child>,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            directory,
            daemon: None,
        }
    }

    fn path(&self) -> &FilePath {
        self.directory.path()
    }

    fn client(&self) -> Client {
        Client::new(self.path().join("fulmar.sock"))
    }

    /// Starts the daemon, and waits until it answers.
    async fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fulmar"));
        command
            .arg("serve")
            .arg("--state")
            .arg(self.path())
            .arg("--tender")
            .arg(tender());
        self.daemon = Some(command.stderr(Stdio::null()).spawn().unwrap());
        let begin = Instant::now();
        while self.client().unikernels(&all()).await.is_err() {
            assert!(begin.elapsed() < PATIENCE, "the daemon does not answer");
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn signal(&mut self, signal: Signal) {
        let daemon = self.daemon.as_mut().expect("it was started");
        kill_process(Pid::from_child(daemon), signal).unwrap();
    }

    /// Waits for the daemon's end, and says whether it was a good one.
    fn ended(&mut self) -> bool {
        self.daemon.take().expect("it was started").wait().unwrap().success()
    }

    async fn unikernels(&self) -> Vec<UnikernelInfo> {
        self.client().unikernels(&all()).await.unwrap()
    }

    /// The processes that have to do with this state directory, but for the daemon.
    fn tenders(&self) -> Vec<PathBuf> {
        let directory = self.path().to_str().unwrap();
        let is_tender = |process: &PathBuf| {
            let words = fs::read(process.join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).into_owned();
            words.contains("--hold") && words.contains(directory)
        };
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        processes.filter(is_tender).collect()
    }

    /// Nothing of any unikernel is there.
    async fn assert_empty(&self) {
        for directory in ["images", "run"] {
            assert_eq!(
                fs::read_dir(self.path().join(directory)).unwrap().count(),
                0,
                "{directory}"
            );
        }
        let begin = Instant::now();
        while !self.tenders().is_empty() {
            assert!(begin.elapsed() < PATIENCE, "a tender is left");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        for tender in self.tenders() {
            let _ = kill_process(pid(&tender), Signal::KILL);
        }
    }
}

/// The number of a process, whose directory this is.
fn pid(process: &FilePath) -> Pid {
    let number = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
    Pid::from_raw(number).unwrap()
}

fn all() -> Selection {
    Selection::new(":").unwrap()
}

fn name() -> Name {
    "alice:hello".parse().unwrap()
}

fn config() -> UnikernelConfig {
    let cpuids = [CpuId::new(0).unwrap()].into_iter().collect();
    UnikernelConfig {
        unikernel: Unikernel::new(16.into(), cpuids).unwrap(),
        arguments: vec!["tick=1000".to_owned()],
    }
}

fn hello() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/unikernels/dist/hello.spt");
    fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask unikernels`"))
}

fn tender() -> PathBuf {
    let path = FilePath::new(env!("CARGO_BIN_EXE_fulmar")).with_file_name("fulmar-tender");
    assert!(
        path.exists(),
        "{} is missing; run `cargo build -p fulmar-tender`",
        path.display()
    );
    path
}

/// A creation takes some milliseconds here; the daemon is killed after less, and after more. What was reported is there
/// afterwards; what was not is there whole, or has left nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_while_it_creates_keeps_its_word() {
    let (mut reported, mut absent) = (0, 0);
    for step in 0..14 {
        let mut host = Host::new();
        host.start().await;
        let client = host.client();
        let creation = tokio::spawn(async move { client.create(&name(), &config(), &hello()).await });
        sleep(Duration::from_micros(600 * step)).await;
        host.signal(Signal::KILL);
        assert!(!host.ended());
        let created = creation.await.unwrap();

        host.start().await;
        let found = host.unikernels().await;
        if let Ok(created) = &created {
            assert_eq!(&found, std::slice::from_ref(created), "step {step}");
            reported += 1;
        }
        match found.first() {
            None => absent += 1,
            Some(UnikernelInfo {
                state: UnikernelState::Running { .. },
                ..
            }) => host.client().destroy(&name()).await.unwrap(),
            Some(other) => panic!("step {step}: {other:?}"),
        }
        host.assert_empty().await;
    }
    println!("14 times killed: {reported} times after the report, {absent} times before there was anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_while_it_destroys_keeps_its_word() {
    for step in 0..6 {
        let mut host = Host::new();
        host.start().await;
        host.client().create(&name(), &config(), &hello()).await.unwrap();
        let client = host.client();
        let destruction = tokio::spawn(async move { client.destroy(&name()).await });
        sleep(Duration::from_micros(500 * step)).await;
        host.signal(Signal::KILL);
        assert!(!host.ended());
        let destroyed = destruction.await.unwrap();
        host.start().await;
        let found = host.unikernels().await;
        assert!(
            destroyed.is_err() || found.is_empty(),
            "step {step}: it was destroyed: {found:?}"
        );
        if !found.is_empty() {
            host.client().destroy(&name()).await.unwrap();
        }
        host.assert_empty().await;
    }
}

/// As if the host had been started anew: no process, and records of another time.
fn reboot(host: &Host) {
    for tender in host.tenders() {
        kill_process(pid(&tender), Signal::KILL).unwrap();
    }
    for directory in fs::read_dir(host.path().join("run")).unwrap() {
        let path = directory.unwrap().path().join("process");
        let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        record["boot_id"] = "another".into();
        fs::write(&path, record.to_string()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_while_it_starts_them_again_loses_none_and_runs_none_twice() {
    for step in 0..8 {
        let mut host = Host::new();
        host.start().await;
        for number in 0..4 {
            let name = format!("alice:u{number}").parse().unwrap();
            host.client().create(&name, &config(), &hello()).await.unwrap();
        }
        host.signal(Signal::KILL);
        assert!(!host.ended());
        reboot(&host);
        host.start().await;
        sleep(Duration::from_millis(2 * step)).await;
        host.signal(Signal::KILL);
        assert!(!host.ended());

        host.start().await;
        let begin = Instant::now();
        let runs = |info: &UnikernelInfo| matches!(info.state, UnikernelState::Running { .. });
        while !host.unikernels().await.iter().all(runs) {
            assert!(begin.elapsed() < PATIENCE, "{:?}", host.unikernels().await);
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(host.unikernels().await.len(), 4, "step {step}");
        while host.tenders().len() > 4 {
            assert!(begin.elapsed() < PATIENCE, "one runs twice");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_told_to_stop_removes_its_socket_and_no_unikernel() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut host = Host::new();
        host.start().await;
        let created = host.client().create(&name(), &config(), &hello()).await.unwrap();
        host.signal(signal);
        assert!(host.ended());
        assert!(!host.path().join("fulmar.sock").exists());
        assert_eq!(host.tenders().len(), 1);
        host.start().await;
        assert_eq!(host.unikernels().await, [created]);
    }
}
