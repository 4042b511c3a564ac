//! The door, asked over a real socket, with a steward who answers what the test says.

use std::future::pending;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use fulmar_core::protocol::{Explanation, Snapshot};
use fulmar_core::{Amount, CpuId, Fact, Overrun, Policy, Reason, Tree, Unikernel};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{Ask, connection};
use crate::api::{
    Answer, Command, ConsoleLine, ConsoleView, Failure, IMAGE_BYTES_MAX, Outcome, PolicyInfo, Selection,
    UnikernelConfig, UnikernelInfo, UnikernelState,
};
use crate::client::Client;
use crate::door::{Code, ConsoleRecord};

/// A door in front of a steward who does nothing.
struct House {
    dir: TempDir,
    stop: Option<oneshot::Sender<()>>,
    door: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl House {
    fn with(steward: impl FnMut(Command) -> Outcome + Send + 'static) -> Self {
        let steward = Mutex::new(steward);
        let ask: Ask = Arc::new(move |command| {
            let outcome = (steward.lock().unwrap())(command);
            Box::pin(async move { outcome })
        });
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("s")).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            if stopped.await.is_err() {
                pending::<()>().await;
            }
        };
        let door = tokio::spawn(connection::serve_for(listener, ask, shutdown));
        Self {
            dir,
            stop: Some(stop),
            door,
        }
    }

    /// A steward who must not be asked.
    fn asleep() -> Self {
        Self::with(|command| panic!("the door let through {command:?}"))
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    fn client(&self) -> Client {
        Client::new(self.socket())
    }

    /// Sends bytes as they are; hears the status, the headers and the body.
    async fn say(&self, request: &[u8]) -> (u16, String, Value) {
        let mut stream = UnixStream::connect(self.socket()).await.unwrap();
        // A door that has heard enough closes its side, and answers.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (
            status,
            head.to_owned(),
            serde_json::from_str(body).unwrap_or(Value::Null),
        )
    }

    async fn ask(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> (u16, String, Value) {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        );
        self.say(&[head.as_bytes(), body].concat()).await
    }

    /// What a request that is no command hears.
    async fn refuses(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let (status, _, answer) = self.ask(method, path, "application/json", body.as_bytes()).await;
        problem(status, &answer)
    }

    /// What an upload hears whose parts have these names and contents.
    async fn refuses_form(&self, parts: &[(&str, &str)]) -> (u16, String, String) {
        let (status, _, answer) = self
            .ask(
                "PUT",
                "/v1/unikernels/web",
                "multipart/form-data; boundary=-",
                &form(parts),
            )
            .await;
        problem(status, &answer)
    }
}

fn problem(status: u16, answer: &Value) -> (u16, String, String) {
    let text = |field: &str| answer["error"][field].as_str().unwrap_or_default().to_owned();
    assert_eq!(answer["error"]["reasons"], json!([]), "{answer}");
    (status, text("code"), text("message"))
}

fn told(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

fn form(parts: &[(&str, &str)]) -> Vec<u8> {
    let part = |(name, content): &(&str, &str)| {
        format!("---\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    };
    (parts.iter().map(part).collect::<String>() + "-----\r\n").into_bytes()
}

const CONFIG: &str = r#"{"unikernel": {"memory_mib": 32, "cpuids": [0]}, "arguments": ["--hello=you"]}"#;

fn policy() -> Policy {
    serde_json::from_str(r#"{"unikernels":2,"memory_mib":512,"block_mib":null,"cpuids":[0,1],"bridges":["dmz"]}"#)
        .unwrap()
}

fn config() -> UnikernelConfig {
    let cpu = [CpuId::new(0).unwrap()].into_iter().collect();
    UnikernelConfig {
        unikernel: Unikernel::new(Amount::from(32), cpu).unwrap(),
        arguments: vec!["--hello=you".to_owned()],
    }
}

fn web() -> UnikernelInfo {
    UnikernelInfo {
        name: "alice:web".parse().unwrap(),
        config: config(),
        image_sha256: "00".repeat(32),
        state: UnikernelState::Running {
            pid: 1234,
            started_unix_ms: 7,
        },
    }
}

#[tokio::test]
async fn what_the_client_asks_is_what_the_steward_hears() {
    let (heard, mut commands) = mpsc::unbounded_channel();
    let house = House::with(move |command| {
        let answer = match &command {
            Command::Policies { domain } => Answer::Policies(vec![PolicyInfo {
                domain: domain.clone(),
                policy: policy(),
                usage: fulmar_core::Usage::default(),
            }]),
            Command::Create { .. } => Answer::Created(web()),
            Command::Unikernels { .. } => Answer::Unikernels(vec![web()]),
            Command::Snapshot => Answer::Snapshot(Snapshot::of(&Tree::new())),
            _ => Answer::Done,
        };
        heard.send(format!("{command:?}")).unwrap();
        Ok(answer)
    });
    let (client, bob, name) = (
        house.client(),
        "alice:bob".parse().unwrap(),
        "alice:web".parse().unwrap(),
    );
    let selection = Selection::new("alice:bob:").unwrap();
    // The second separator of a form that was not made by this client would be found in here.
    let image = b"\x7fELF\r\n---\r\n\0".to_vec();

    client.add_policy(&bob, &policy()).await.unwrap();
    client.remove_policy(&fulmar_core::Path::root()).await.unwrap();
    assert_eq!(client.policies(&bob).await.unwrap()[0].policy, policy());
    assert_eq!(client.create(&name, &config(), &image).await.unwrap(), web());
    client.destroy(&name).await.unwrap();
    assert_eq!(client.unikernels(&selection).await.unwrap(), vec![web()]);
    assert_eq!(client.snapshot().await.unwrap(), Snapshot::of(&Tree::new()));

    for expected in [
        Command::AddPolicy {
            domain: bob.clone(),
            policy: policy(),
        },
        Command::RemovePolicy {
            domain: fulmar_core::Path::root(),
        },
        Command::Policies { domain: bob },
        Command::Create {
            name: name.clone(),
            config: config(),
            image,
        },
        Command::Destroy { name },
        Command::Unikernels { selection },
        Command::Snapshot,
    ] {
        assert_eq!(commands.recv().await.unwrap(), format!("{expected:?}"));
    }
}

#[tokio::test]
async fn a_snapshot_is_sent_as_bytes_with_its_version_first() {
    let house = House::with(|_| {
        let mut tree = Tree::new();
        let domain = "alice".parse().unwrap();
        tree.load(Fact::Policy {
            domain,
            policy: policy(),
        })
        .unwrap();
        Ok(Answer::Snapshot(Snapshot::of(&tree)))
    });
    let request = b"GET /v1/snapshot HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut stream = UnixStream::connect(house.socket()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert!(
        head.contains("\r\ncontent-type: application/octet-stream\r\n"),
        "{head}"
    );
    // The version, one fact, a policy of `alice`.
    assert_eq!(answer[end + 4..][..9], *b"\x01\x01\x00\x05alice");
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_with_every_reason() {
    let reasons: Vec<Explanation> = vec![
        Reason::Exceeds {
            domain: "alice".parse().unwrap(),
            overrun: Overrun::Unikernels {
                allowed: Amount::from(2),
                used: Amount::from(2),
                asked: Amount::ONE,
            },
        }
        .into(),
        Reason::UnikernelExists {
            name: "alice:web".parse().unwrap(),
        }
        .into(),
    ];
    let refused = reasons.clone();
    let house = House::with(move |_| Err(Failure::Refused(refused.clone())));

    let error = house
        .client()
        .create(&"alice:web".parse().unwrap(), &config(), b"ELF")
        .await;
    assert_eq!(error.unwrap_err().into_problem().reasons, reasons);

    let (status, _, answer) = house.ask("DELETE", "/v1/policies/:", "", b"").await;
    assert_eq!(status, 409);
    assert_eq!(
        answer,
        json!({"error": {
            "code": "refused",
            "message": "refused: unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1; there is a unikernel `alice:web` already",
            "reasons": [
                {"code": "exceeds-unikernels", "sentence": "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1",
                    "reason": {"exceeds": {"domain": "alice", "overrun": {"unikernels": {"allowed": 2, "used": 2, "asked": 1}}}}},
                {"code": "unikernel-exists", "sentence": "there is a unikernel `alice:web` already",
                    "reason": {"unikernel_exists": {"name": "alice:web"}}},
            ],
        }})
    );
}

#[tokio::test]
async fn bytes_that_are_no_command_never_reach_the_steward() {
    let house = House::asleep();
    let policy = |json: &'static str| house.refuses("PUT", "/v1/policies/alice", json);
    assert_eq!(
        policy("{").await,
        told(
            400,
            "invalid",
            "the body: EOF while parsing an object at line 1 column 1"
        )
    );
    assert_eq!(
        policy(r#"{"unikernels": 1, "memory": 2}"#).await,
        told(
            400,
            "invalid",
            "the body: unknown field `memory`, expected one of `unikernels`, `memory_mib`, `block_mib`, `cpuids`, `bridges` at line 1 column 26"
        )
    );
    assert_eq!(
        policy(r#"{"unikernels": 9007199254740992}"#).await,
        told(
            400,
            "invalid",
            "the body: the amount 9007199254740992 is too large: at most 9007199254740991 at line 1 column 32"
        )
    );
    assert_eq!(
        house.refuses("DELETE", "/v1/unikernels/alice::web", "").await,
        told(
            400,
            "invalid",
            &"alice::web".parse::<fulmar_core::Name>().unwrap_err().to_string()
        )
    );
    assert_eq!(
        house.refuses("GET", "/v1/policies?at=-", "").await,
        told(
            400,
            "invalid",
            &"-".parse::<fulmar_core::Path>().unwrap_err().to_string()
        )
    );
    assert_eq!(
        house.refuses("GET", "/v1/unikernels?of=alice", "").await,
        told(
            400,
            "invalid",
            "Failed to deserialize query string: of: unknown field `of`, expected `at`"
        )
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_as_any_other_problem() {
    let house = House::asleep();
    for path in ["/", "/v1/policy", "/v1/policies/", "/v1/policies/a/b"] {
        let sentence =
            format!("there is no path `{path}`: use those below /v1/policies and /v1/unikernels, or /v1/snapshot");
        assert_eq!(
            house.refuses("GET", path, "").await,
            told(404, "unknown-path", &sentence)
        );
    }
    let (status, head, answer) = house.ask("POST", "/v1/policies/alice", "", b"").await;
    assert_eq!(
        problem(status, &answer),
        told(
            405,
            "unknown-method",
            "`POST` does not go with `/v1/policies/alice`: the `allow` header says what does"
        )
    );
    assert!(head.contains("\r\nallow: PUT,DELETE\r\n"), "{head}");
}

#[tokio::test]
async fn a_form_has_a_configuration_then_an_image() {
    let house = House::asleep();
    for (parts, sentence) in [
        (
            &[("image", "ELF"), ("config", CONFIG)][..],
            "the part `image` comes where `config` is expected: send `config`, then `image`",
        ),
        (
            &[("config", CONFIG), ("kernel", "ELF")],
            "the part `kernel` comes where `image` is expected: send `config`, then `image`",
        ),
        (
            &[("config", CONFIG), ("image", "ELF"), ("image", "ELF")],
            "the part `image` comes where nothing more is expected: send `config`, then `image`",
        ),
        (&[("config", CONFIG)], "the part `image` is missing"),
        (&[], "the part `config` is missing"),
        (
            &[("config", r#"{"unikernel": {"memory_mib": 0, "cpuids": [0]}}"#)],
            "the part `config`: a unikernel needs memory: at least 1 MiB at line 1 column 47",
        ),
        (
            &[("config", r#"{"args": []}"#)],
            "the part `config`: unknown field `args`, expected `unikernel` or `arguments` at line 1 column 7",
        ),
    ] {
        assert_eq!(house.refuses_form(parts).await, told(400, "invalid", sentence));
    }
    assert_eq!(
        house.refuses("PUT", "/v1/unikernels/web", CONFIG).await,
        told(
            400,
            "invalid",
            "this is no multipart/form-data: send the parts `config` and `image`"
        )
    );
    let broken = form(&[("config", CONFIG), ("image", "ELF")]);
    let cut = &broken[..broken.len() - 9];
    let (status, _, answer) = house
        .ask("PUT", "/v1/unikernels/web", "multipart/form-data; boundary=-", cut)
        .await;
    assert_eq!(
        problem(status, &answer),
        told(
            400,
            "invalid",
            r#"the multipart/form-data is broken: field "image" received with incomplete data"#
        )
    );
}

#[tokio::test]
async fn more_than_the_bounds_is_refused_before_it_is_kept() {
    let house = House::asleep();
    let large = told(413, "too-large", "the JSON is too large: at most 262144 bytes");
    let blanks = " ".repeat(262_145);
    assert_eq!(house.refuses("PUT", "/v1/policies/alice", &blanks).await, large);

    let head = "PUT /v1/policies/alice HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let (status, _, answer) = house
        .say(format!("{head}40001\r\n{blanks}\r\n0\r\n\r\n").as_bytes())
        .await;
    assert_eq!(problem(status, &answer), large);

    let parts = [("config", blanks.as_str()), ("image", "ELF")];
    let sentence = "the part `config` is too large: at most 262144 bytes";
    assert_eq!(house.refuses_form(&parts).await, told(413, "too-large", sentence));

    let announced = IMAGE_BYTES_MAX + 1_000_000;
    let head = format!("PUT /v1/unikernels/web HTTP/1.1\r\nhost: x\r\ncontent-length: {announced}\r\n\r\n");
    let (status, _, answer) = house.say(head.as_bytes()).await;
    let sentence = "the image is too large: at most 134217728 bytes";
    assert_eq!(problem(status, &answer), told(413, "too-large", sentence));
}

#[tokio::test]
async fn a_client_in_the_middle_of_its_upload_hears_why_it_is_refused() {
    let house = House::asleep();
    // The steward sleeps: only the door can refuse, and it does so for the image.
    let image = vec![0; IMAGE_BYTES_MAX + 1];
    let error = house.client().create(&"web".parse().unwrap(), &config(), &image).await;
    let problem = error.unwrap_err().into_problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::TooLarge, "the part `image` is too large: at most 134217728 bytes")
    );
}

fn line(number: u64) -> ConsoleLine {
    ConsoleLine {
        at_unix_ms: number,
        line: format!("line {number}"),
    }
}

/// A steward who hands out consoles of three lines, with those to come from here; and the end of them.
fn with_console() -> (House, mpsc::UnboundedReceiver<()>, broadcast::Sender<ConsoleLine>) {
    let (live, _) = broadcast::channel(4);
    let weak = live.downgrade();
    let (subscribed, subscription) = mpsc::unbounded_channel();
    let house = House::with(move |command| {
        assert!(matches!(command, Command::Console { .. }));
        let live = weak.upgrade().unwrap().subscribe();
        subscribed.send(()).unwrap();
        Ok(Answer::Console(ConsoleView {
            history: (1..=3).map(line).collect(),
            live,
        }))
    });
    (house, subscription, live)
}

#[tokio::test]
async fn a_console_ends_with_its_last_line_unless_it_is_followed() {
    let (house, _subscription, _live) = with_console();
    let name = "alice:web".parse().unwrap();
    let mut console = house.client().console(&name, false, Some(2)).await.unwrap();
    for number in 2..=3 {
        assert_eq!(console.next().await.unwrap(), Some(ConsoleRecord::Line(line(number))));
    }
    assert_eq!(console.next().await.unwrap(), None);
    let (status, head, _) = house
        .ask("GET", "/v1/unikernels/alice:web/console?lines=1", "", b"")
        .await;
    assert_eq!(status, 200);
    assert!(head.contains("\r\ncontent-type: application/x-ndjson\r\n"), "{head}");
}

#[tokio::test]
async fn a_console_that_is_followed_ends_with_its_unikernel() {
    let (house, _subscription, live) = with_console();
    let name = "alice:web".parse().unwrap();
    let mut console = house.client().console(&name, true, Some(0)).await.unwrap();
    live.send(line(4)).unwrap();
    assert_eq!(console.next().await.unwrap(), Some(ConsoleRecord::Line(line(4))));
    drop(live);
    assert_eq!(console.next().await.unwrap(), None);
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_how_many_lines_are_missing() {
    let (live, receiver) = broadcast::channel(4);
    for number in 1..=10 {
        live.send(line(number)).unwrap();
    }
    let mut view = Some(ConsoleView {
        history: Vec::new(),
        live: receiver,
    });
    let house = House::with(move |_| Ok(Answer::Console(view.take().unwrap())));
    let name = "alice:web".parse().unwrap();
    let mut console = house.client().console(&name, true, None).await.unwrap();
    let dropped = ConsoleRecord::Dropped { dropped_lines: 6 };
    assert_eq!(console.next().await.unwrap(), Some(dropped));
    assert_eq!(console.next().await.unwrap(), Some(ConsoleRecord::Line(line(7))));
}

#[tokio::test]
async fn who_hangs_up_is_no_longer_waited_for() {
    let (house, mut subscription, live) = with_console();
    let name = "alice:web".parse().unwrap();
    let console = house.client().console(&name, true, None).await.unwrap();
    subscription.recv().await.unwrap();
    assert_eq!(live.receiver_count(), 1);
    drop(console);
    // No line comes any more: the door has to notice by itself.
    while live.receiver_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn consoles_that_are_followed_end_with_the_daemon() {
    let (mut house, _subscription, _live) = with_console();
    let name = "alice:web".parse().unwrap();
    let mut console = house.client().console(&name, true, Some(0)).await.unwrap();
    house.stop.take().unwrap().send(()).unwrap();
    assert_eq!(console.next().await.unwrap(), None);
    house.door.await.unwrap().unwrap();
}
