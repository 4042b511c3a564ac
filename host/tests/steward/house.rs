//! A host in a temporary directory: a steward that can be stopped and started, and what it leaves on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fulmar::api::{
    Answer, Command, ConsoleLine, Failure, Outcome, Selection, UnikernelConfig, UnikernelInfo, UnikernelState,
};
use fulmar::host;
use fulmar::ledger::Ledger;
use fulmar::ledger::redb::RedbLedger;
use fulmar::policy::{Limits, PolicyModule};
use fulmar::state::StateDirectory;
use fulmar::steward::{Steward, Tools};
use fulmar_core::{Amount, CpuId, CpuSet, Policy, Unikernel};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long anything may take here before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A host whose daemon runs.
pub(crate) struct House {
    pub(crate) steward: Steward,
    task: JoinHandle<()>,
    pub(crate) closed: Closed,
}

/// A host without a daemon.
pub(crate) struct Closed {
    directory: TempDir,
    tender: PathBuf,
}

impl Closed {
    pub(crate) fn new() -> Self {
        Self::with_tender(tender())
    }

    pub(crate) fn with_tender(tender: PathBuf) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, tender }
    }

    pub(crate) fn path(&self) -> &FilePath {
        self.directory.path()
    }

    pub(crate) fn state(&self) -> StateDirectory {
        StateDirectory::open(self.path()).unwrap()
    }

    pub(crate) fn ledger(&self) -> RedbLedger {
        RedbLedger::open(&self.state().ledger()).unwrap()
    }

    /// Starts a daemon's steward.
    pub(crate) async fn open(self) -> House {
        let ledger = Arc::new(self.ledger());
        self.open_with(ledger, Limits::default()).await
    }

    /// Starts it with other parts.
    pub(crate) async fn open_with(self, ledger: Arc<dyn Ledger>, limits: Limits) -> House {
        let tools = Tools {
            state: self.state(),
            ledger,
            policy: PolicyModule::embedded(limits).unwrap(),
            host_policy: host::policy(self.path()).unwrap(),
            tender: self.tender.clone(),
        };
        let (steward, task) = Steward::start(tools).await.unwrap();
        House {
            steward,
            task,
            closed: self,
        }
    }

    /// The record of a unikernel's process.
    pub(crate) fn record(&self, name: &str) -> PathBuf {
        self.path().join(format!("run/u-{name}/process"))
    }

    pub(crate) fn images(&self) -> Vec<String> {
        names(&self.path().join("images"))
    }

    /// Asserts that no unikernel has left anything.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.images(), [""; 0]);
        assert_eq!(names(&self.path().join("run")), [""; 0]);
    }
}

fn names(directory: &FilePath) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

impl Drop for Closed {
    /// Unikernels outlive a daemon, but not a test.
    fn drop(&mut self) {
        for directory in names(&self.path().join("run")) {
            let record = fs::read(self.path().join("run").join(directory).join("process"));
            let record = record.map(|json| serde_json::from_slice::<serde_json::Value>(&json));
            if let Ok(Ok(record)) = record {
                let pid = record["pid"]
                    .as_i64()
                    .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
                // It may have ended.
                let _ = kill_process(pid.unwrap(), Signal::KILL);
            }
        }
    }
}

impl House {
    /// Ends the steward; unikernels go on.
    pub(crate) async fn close(self) -> Closed {
        drop(self.steward);
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
        self.closed
    }

    pub(crate) async fn ask(&self, command: Command) -> Outcome {
        timeout(PATIENCE, self.steward.ask(command))
            .await
            .expect("it is answered in time")
    }

    pub(crate) async fn create(&self, name: &str, arguments: &[&str]) -> Result<UnikernelInfo, Failure> {
        self.create_from(name, config(arguments), hello()).await
    }

    pub(crate) async fn create_from(
        &self,
        name: &str,
        config: UnikernelConfig,
        image: Vec<u8>,
    ) -> Result<UnikernelInfo, Failure> {
        let name = name.parse().unwrap();
        match self.ask(Command::Create { name, config, image }).await? {
            Answer::Created(info) => Ok(info),
            other => panic!("a creation was answered by {other:?}"),
        }
    }

    pub(crate) async fn destroy(&self, name: &str) -> Result<(), Failure> {
        let name = name.parse().unwrap();
        self.ask(Command::Destroy { name }).await.map(drop)
    }

    pub(crate) async fn unikernels(&self) -> Vec<UnikernelInfo> {
        let selection = Selection::new(":").unwrap();
        match self.ask(Command::Unikernels { selection }).await.unwrap() {
            Answer::Unikernels(unikernels) => unikernels,
            other => panic!("answered by {other:?}"),
        }
    }

    /// The states, by name.
    pub(crate) async fn states(&self) -> BTreeMap<String, UnikernelState> {
        let unikernels = self.unikernels().await.into_iter();
        unikernels.map(|info| (info.name.to_string(), info.state)).collect()
    }

    pub(crate) async fn pid(&self, name: &str) -> u32 {
        match self.states().await.get(name) {
            Some(UnikernelState::Running { pid, .. }) => *pid,
            other => panic!("`{name}` does not run: {other:?}"),
        }
    }

    pub(crate) async fn console(&self, name: &str) -> Vec<String> {
        let name = name.parse().unwrap();
        match self.ask(Command::Console { name }).await.unwrap() {
            Answer::Console(view) => view.history.into_iter().map(|ConsoleLine { line, .. }| line).collect(),
            other => panic!("answered by {other:?}"),
        }
    }

    /// Waits until a line is on the console, and gives all.
    pub(crate) async fn console_with(&self, name: &str, line: &str) -> Vec<String> {
        let read = async {
            loop {
                let lines = self.console(name).await;
                if lines.iter().any(|other| other == line) {
                    return lines;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let lines = timeout(PATIENCE, read).await;
        lines.unwrap_or_else(|_| panic!("the console of `{name}` does not say `{line}`"))
    }

    /// Waits until there is no unikernel.
    pub(crate) async fn none_left(&self) {
        self.until(BTreeMap::is_empty).await;
    }

    /// Waits until the unikernels are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&BTreeMap<String, UnikernelState>) -> bool) {
        let waiting = async {
            while !wanted(&self.states().await) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let outcome = timeout(PATIENCE, waiting).await;
        assert!(outcome.is_ok(), "waited in vain: {:?}", self.states().await);
    }

    pub(crate) async fn add_policy(&self, domain: &str, policy: Policy) -> Result<(), Failure> {
        let domain = domain.parse().unwrap();
        self.ask(Command::AddPolicy { domain, policy }).await.map(drop)
    }
}

/// 16 MiB on CPU 0.
pub(crate) fn config(arguments: &[&str]) -> UnikernelConfig {
    UnikernelConfig {
        unikernel: Unikernel::new(16.into(), cpus(&[0])).unwrap(),
        arguments: arguments.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn cpus(numbers: &[u64]) -> CpuSet {
    numbers.iter().map(|&number| CpuId::new(number).unwrap()).collect()
}

/// Room for so many unikernels.
pub(crate) fn policy(unikernels: u32) -> Policy {
    Policy {
        unikernels: unikernels.into(),
        memory_mib: Amount::from(256),
        block_mib: None,
        cpuids: cpus(&[0]),
        bridges: fulmar_core::BridgeSet::default(),
    }
}

/// The test unikernel.
pub(crate) fn hello() -> Vec<u8> {
    unikernel(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/unikernels/dist/hello.spt"
    ))
}

/// The same, for a virtual machine.
pub(crate) fn hello_for_hvt() -> Vec<u8> {
    unikernel(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/unikernels/dist/hello.hvt"
    ))
}

fn unikernel(path: &str) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask unikernels`"))
}

/// The tender, beside the folder of the test's own program.
fn tender() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let path = this.parent().unwrap().with_file_name("fulmar-tender");
    assert!(
        path.exists(),
        "{} is missing; run `cargo build -p fulmar-tender`",
        path.display()
    );
    path
}
