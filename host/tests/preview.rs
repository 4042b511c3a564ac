//! `fulmar preview` and `fulmar snapshot`, as a person runs them; and that a preview says what the daemon does.

use std::fs;
use std::path::{Path as FilePath, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fulmar::api::{Selection, UnikernelConfig};
use fulmar::client::{Client, ClientError};
use fulmar::door::Problem;
use fulmar_core::protocol::{Snapshot, SnapshotVersion};
use fulmar_core::{Fact, Step};
use fulmar_wasm::codec::{Encoding, encode};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take here before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks anew instead of comparing, with this set: `FULMAR_PIN=1 cargo test -p fulmar --test preview`.
const PIN: &str = "FULMAR_PIN";

struct Reply {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs `fulmar` among the example plans.
fn fulmar(words: &[&str], locale: &str) -> Reply {
    let output = Command::new(env!("CARGO_BIN_EXE_fulmar"))
        .args(words)
        .current_dir(plans())
        .env_remove("FULMAR_SOCKET")
        .env("LC_ALL", locale)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Reply {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn plans() -> PathBuf {
    FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../tests/plans")
}

#[track_caller]
fn pinned(file: &str, words: &[&str], locale: &str, code: i32) {
    let reply = fulmar(words, locale);
    assert_eq!((reply.code, reply.stderr.as_str()), (Some(code), ""));
    let path = plans().join(file);
    if std::env::var_os(PIN).is_some() {
        fs::write(path, reply.stdout).unwrap();
    } else {
        assert_eq!(reply.stdout, fs::read_to_string(path).unwrap(), "{file}");
    }
}

#[test]
fn the_example_reads_as_it_always_did() {
    let plan = ["preview", "alice.toml"];
    pinned("alice.txt", &plan, "C.UTF-8", 3);
    pinned("alice.ascii.txt", &[&plan[..], &["--keep-going"]].concat(), "C", 3);
    pinned("alice.json", &[&plan[..], &["--json"]].concat(), "C", 3);
    pinned("admitted.txt", &["preview", "admitted.toml"], "C.UTF-8", 0);
    pinned("duplicate.txt", &["preview", "duplicate.toml"], "C.UTF-8", 3);
}

#[test]
fn lines_are_legible_on_eighty_columns() {
    for file in ["alice.txt", "alice.ascii.txt", "admitted.txt", "duplicate.txt"] {
        let text = fs::read_to_string(plans().join(file)).unwrap();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{file}: {line}");
        }
    }
    assert!(fs::read_to_string(plans().join("alice.ascii.txt")).unwrap().is_ascii());
}

/// A preview that cannot be: exit code 2, the reason on standard error, or as JSON on standard output.
#[track_caller]
fn cannot(words: &[&str], sentence: &str) {
    let reply = fulmar(words, "C.UTF-8");
    assert_eq!((reply.code, reply.stdout.as_str()), (Some(2), ""), "{}", reply.stderr);
    assert!(reply.stderr.contains(sentence), "{}", reply.stderr);
    let reply = fulmar(&[words, &["--json"]].concat(), "C.UTF-8");
    assert_eq!((reply.code, reply.stderr.as_str()), (Some(2), ""));
    let answer: Value = serde_json::from_str(&reply.stdout).unwrap();
    assert!(
        answer["error"]["message"].as_str().unwrap().contains(sentence),
        "{answer}"
    );
}

#[test]
fn plans_that_cannot_be_read_are_told_by_name_line_and_column() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, contents: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    };
    cannot(
        &["preview", "no-such.toml"],
        "cannot read the plan `no-such.toml`: No such file",
    );
    cannot(&["preview", "."], "cannot read the plan `.`: Is a directory");
    let syntax = file("syntax.toml", b"[[step]]\npolicy = = 1\n");
    cannot(&["preview", &syntax], "syntax.toml`, line 2, column 10: ");
    let latin = file("latin.toml", b"# caf\xe9\n");
    cannot(&["preview", &latin], "latin.toml`, line 1, column 6: this is no UTF-8");
    let large = file("large.toml", &vec![b'#'; (1 << 20) + 1]);
    cannot(&["preview", &large], "large.toml` is too large: at most 1048576 bytes");
}

#[test]
fn snapshots_that_cannot_be_restored_are_told_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let on = |name: &str, contents: &[u8], sentence: &str| {
        let path = directory.path().join(name);
        fs::write(&path, contents).unwrap();
        cannot(&["preview", "admitted.toml", "--on", path.to_str().unwrap()], sentence);
    };
    cannot(
        &["preview", "admitted.toml", "--on", "no-such"],
        "cannot read the snapshot `no-such`: No such file",
    );
    let fact = r#"{"block": {"name": "alice:data", "size_mib": 1}}"#;
    let fact: Fact = serde_json::from_str(fact).unwrap();
    let snapshot = |facts: &[&Fact]| {
        let facts = facts.iter().copied().cloned().collect();
        let version = SnapshotVersion::CURRENT;
        encode(&Snapshot { version, facts }, Encoding::Bincode)
    };
    let good = snapshot(&[&fact]);
    on(
        "damaged",
        &good[..good.len() - 1],
        "damaged` is no snapshot that can be read: ",
    );
    on("longer", &[&good[..], b"x"].concat(), "1 bytes follow the message");
    on("text", b"", "text` is no snapshot that can be read: ");
    let newer = [&[2], &good[1..]].concat();
    on(
        "newer",
        &newer,
        "a snapshot of version 2 cannot be read here: only version 1",
    );
    on(
        "twice",
        &snapshot(&[&fact, &fact]),
        "the snapshot contradicts itself: there is a block device `alice:data` already",
    );
}

/// A daemon with a state of its own. Ends it, and what it runs.
struct Host {
    directory: TempDir,
    daemon: Child,
}

impl Host {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tender = FilePath::new(env!("CARGO_BIN_EXE_fulmar")).with_file_name("fulmar-tender");
        let daemon = Command::new(env!("CARGO_BIN_EXE_fulmar"))
            .args(["serve".as_ref(), "--state".as_ref(), directory.path().as_os_str()])
            .args(["--tender".as_ref(), tender.as_os_str()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let host = Self { directory, daemon };
        let begin = Instant::now();
        while host.client().unikernels(&Selection::default()).await.is_err() {
            assert!(begin.elapsed() < PATIENCE, "the daemon does not answer");
            sleep(Duration::from_millis(5));
        }
        host
    }

    fn client(&self) -> Client {
        Client::new(self.directory.path().join("fulmar.sock"))
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn snapshot(&self, file: &str) -> Reply {
        fulmar(
            &["--socket", &self.path("fulmar.sock"), "snapshot", &self.path(file)],
            "C",
        )
    }

    /// Previews the plan on a snapshot of that name, going on after refusals.
    fn preview(&self, snapshot: &str) -> Value {
        let words = [
            "preview",
            "daemon.toml",
            "--on",
            &self.path(snapshot),
            "--keep-going",
            "--json",
        ];
        let reply = fulmar(&words, "C");
        assert_eq!((reply.code, reply.stderr.as_str()), (Some(3), ""));
        serde_json::from_str(&reply.stdout).unwrap()
    }

    /// Has a step done.
    async fn take(&self, step: &Step) -> Result<(), Problem> {
        let client = self.client();
        let done = match step {
            Step::InsertPolicy { domain, policy } => client.add_policy(domain, policy).await,
            Step::RemovePolicy { domain } => client.remove_policy(domain).await,
            Step::InsertUnikernel { name, unikernel } => {
                let config = UnikernelConfig {
                    unikernel: unikernel.clone(),
                    arguments: vec!["tick=1000".to_owned()],
                };
                client.create(name, &config, &hello()).await.map(|_| ())
            }
            Step::RemoveUnikernel { name } => client.destroy(name).await,
            other => panic!("the daemon has no way to {other:?} yet"),
        };
        done.map_err(ClientError::into_problem)
    }

    async fn destroy_all(&self) {
        for unikernel in self.client().unikernels(&Selection::default()).await.unwrap() {
            self.client().destroy(&unikernel.name).await.unwrap();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn hello() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/unikernels/dist/hello.spt");
    fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask unikernels`"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_on_a_snapshot_says_what_the_daemon_then_does() {
    let host = Host::start().await;
    let reply = host.snapshot("before");
    assert_eq!(reply.code, Some(0), "{}", reply.stderr);
    assert_eq!(
        reply.stdout,
        format!(
            "wrote {}; policies: 1, block devices: 0, unikernels: 0\n",
            host.path("before")
        )
    );
    let preview = host.preview("before");
    let steps: Vec<Step> = serde_json::from_value(preview["steps"].clone()).unwrap();
    let verdicts = preview["plan"]["verdicts"].as_array().unwrap();
    assert_eq!(steps.len(), verdicts.len());
    let (mut admitted, mut refused) = (0, 0);
    for (step, verdict) in steps.iter().zip(verdicts) {
        match host.take(step).await {
            Ok(()) => {
                assert_eq!(verdict, &serde_json::json!({"admitted": {}}), "{step:?}");
                admitted += 1;
            }
            Err(problem) => {
                let reasons = verdict["refused"]["reasons"].as_array().unwrap();
                // What is not there is a code of its own to the daemon, and has no reasons: its message is the sentence.
                if problem.reasons.is_empty() {
                    assert_eq!(reasons[0]["sentence"], problem.message, "{step:?}");
                } else {
                    assert_eq!(
                        &serde_json::to_value(&problem.reasons).unwrap(),
                        &verdict["refused"]["reasons"]
                    );
                }
                refused += 1;
            }
        }
    }
    assert_eq!((admitted, refused), (7, 5));

    // And the tree is then the one that was shown.
    assert_eq!(host.snapshot("after").code, Some(0));
    let words = ["preview", "duplicate.toml", "--on", &host.path("after"), "--json"];
    let reply = fulmar(&words, "C");
    assert_eq!(reply.code, Some(3));
    let after = host.client().snapshot().await.unwrap();
    assert_eq!(fs::read(host.path("after")).unwrap(), encode(&after, Encoding::Bincode));
    let held: Vec<_> = after
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Unikernel { .. }))
        .collect();
    let shown = preview["plan"]["domains"].as_array().unwrap().iter();
    let shown: usize = shown.map(|domain| domain["unikernels"].as_array().unwrap().len()).sum();
    assert_eq!(held.len(), shown);
    host.destroy_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_goes_to_standard_output_as_bytes_or_as_json() {
    let host = Host::start().await;
    let socket = host.path("fulmar.sock");
    let output = Command::new(env!("CARGO_BIN_EXE_fulmar"))
        .args(["--socket", &socket, "snapshot"])
        .output()
        .unwrap();
    let snapshot = host.client().snapshot().await.unwrap();
    assert_eq!(output.stdout, encode(&snapshot, Encoding::Bincode));
    let reply = fulmar(&["--socket", &socket, "snapshot", "--json"], "C");
    assert_eq!(serde_json::from_str::<Snapshot>(&reply.stdout).unwrap(), snapshot);
    let reply = fulmar(&["--socket", &socket, "snapshot", "/no/such/folder/x"], "C");
    assert_eq!(reply.code, Some(1));
    assert!(
        reply.stderr.contains("cannot write the snapshot `/no/such/folder/x`: "),
        "{}",
        reply.stderr
    );
    let reply = fulmar(&["--socket", "/no/such/socket", "snapshot"], "C");
    assert_eq!(reply.code, Some(5));
}
