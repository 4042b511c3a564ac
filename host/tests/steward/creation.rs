//! Unikernels that come into being, and those that do not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use fulmar::api::{Answer, Command, Failure, IMAGE_BYTES_MAX, UnikernelConfig, UnikernelState};
use fulmar::ledger::{Change, Contents, Ledger, LedgerError};
use fulmar::policy::Limits;
use fulmar_core::{Amount, BlockDevice, DeviceName, NetDevice, Policy, Unikernel};

use crate::house::{Closed, House, PATIENCE, config, cpus, hello, hello_for_hvt, policy};

#[tokio::test(flavor = "multi_thread")]
async fn a_unikernel_is_created_read_and_destroyed() {
    let house = Closed::new().open().await;
    let info = house.create("alice:hello", &["one", "tick=1000"]).await.unwrap();
    assert_eq!(house.unikernels().await, std::slice::from_ref(&info));
    assert_eq!(house.closed.images(), std::slice::from_ref(&info.image_sha256));
    let lines = house.console_with("alice:hello", "tick 1").await;
    assert_eq!(
        lines[..3],
        [
            "hello from spt with 16 MiB of memory",
            "argument: one",
            "argument: tick=1000"
        ]
    );
    let pid = house.pid("alice:hello").await;
    assert_eq!(fs::read(format!("/proc/{pid}/environ")).unwrap(), b"");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("Cpus_allowed_list:\t0\n"), "{status}");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core_dumps = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core_dumps.split_whitespace().skip(4).collect::<Vec<_>>(),
        ["0", "0", "bytes"]
    );

    house.destroy("alice:hello").await.unwrap();
    assert!(!FilePath::new(&format!("/proc/{pid}")).exists());
    assert_eq!(house.unikernels().await, []);
    house.closed.assert_empty();
    let gone = Failure::Unknown("there is no unikernel `alice:hello`".to_owned());
    assert_eq!(house.destroy("alice:hello").await, Err(gone.clone()));
    let name = "alice:hello".parse().unwrap();
    assert_eq!(house.ask(Command::Console { name }).await.unwrap_err(), gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_is_followed_until_the_unikernel_is_gone() {
    let house = Closed::new().open().await;
    house.create("hello", &["tick=5"]).await.unwrap();
    let name = "hello".parse().unwrap();
    let Answer::Console(mut view) = house.ask(Command::Console { name }).await.unwrap() else {
        panic!("no console")
    };
    let mut lines: Vec<_> = view.history.into_iter().map(|line| line.line).collect();
    while !lines.iter().any(|line| line == "tick 20") {
        lines.push(view.live.recv().await.unwrap().line);
    }
    let ticks: Vec<_> = lines.iter().filter(|line| line.starts_with("tick ")).collect();
    let expected: Vec<_> = (1..=20).map(|number| format!("tick {number}")).collect();
    assert_eq!(ticks, expected.iter().collect::<Vec<_>>());
    house.destroy("hello").await.unwrap();
    while view.live.recv().await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn two_unikernels_share_an_image_as_long_as_one_needs_it() {
    let house = Closed::new().open().await;
    house.create("one", &["tick=1000"]).await.unwrap();
    house.create("two", &["tick=1000"]).await.unwrap();
    assert_eq!(house.closed.images().len(), 1);
    house.destroy("one").await.unwrap();
    assert_eq!(house.closed.images().len(), 1);
    house.destroy("two").await.unwrap();
    house.closed.assert_empty();
}

/// What is said of a creation that is refused or fails; nothing is left of it.
async fn refusal(house: &House, config: UnikernelConfig, image: Vec<u8>) -> Failure {
    let failure = house.create_from("hello", config, image).await.expect_err("it fails");
    assert_eq!(house.unikernels().await, []);
    house.closed.assert_empty();
    assert_eq!(house.usage(":").await.unikernels, Amount::ZERO);
    failure
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_leaves_nothing_behind() {
    let house = Closed::new().open().await;
    let Failure::Invalid(message) = refusal(&house, config(&[]), b"#!/bin/sh".to_vec()).await else {
        panic!("a script was taken")
    };
    assert!(message.starts_with("the image is no unikernel: "), "{message}");

    let small = UnikernelConfig {
        unikernel: Unikernel::new(1.into(), cpus(&[0])).unwrap(),
        arguments: Vec::new(),
    };
    let Failure::Invalid(message) = refusal(&house, small, hello()).await else {
        panic!("1 MiB was enough")
    };
    assert!(message.starts_with("memory: 1 MiB asked, "), "{message}");

    let long = config(&[&"x".repeat(8192)]);
    assert_eq!(
        refusal(&house, long, hello()).await,
        Failure::Invalid("arguments: 8192 bytes in one line, at most 8191 can be passed to a unikernel".to_owned())
    );
    assert_eq!(
        refusal(&house, config(&[]), vec![0; IMAGE_BYTES_MAX + 1]).await,
        Failure::Invalid("the image is 134217729 bytes long: at most 134217728".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unikernel_for_hvt_runs_in_a_virtual_machine() {
    if !FilePath::new("/dev/kvm").exists() {
        eprintln!("skipped: a unikernel for hvt, because there is no /dev/kvm");
        return;
    }
    let house = Closed::new().open().await;
    house
        .create_from("hello", config(&["tick=1000"]), hello_for_hvt())
        .await
        .unwrap();
    let lines = house.console_with("hello", "tick 1").await;
    assert_eq!(lines[0], "hello from hvt with 16 MiB of memory");
    house.destroy("hello").await.unwrap();
    house.closed.assert_empty();
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_a_virtual_machine_cannot_have_is_refused() {
    let house = Closed::new().open().await;
    let odd = UnikernelConfig {
        unikernel: Unikernel::new(33.into(), cpus(&[0])).unwrap(),
        arguments: Vec::new(),
    };
    assert_eq!(
        refusal(&house, odd, hello_for_hvt()).await,
        Failure::Invalid("memory: 33 MiB asked, `hvt` takes multiples of 2 MiB".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_the_image_does_not_declare_are_refused_by_name() {
    let house = Closed::new().open().await;
    let bridges: fulmar_core::BridgeSet = fulmar_core::BridgeSet::new(fulmar_core::Bridge::new("dmz")).unwrap();
    house.add_policy(":", Policy { bridges, ..policy(2) }).await.unwrap();
    let net = |device: &str| NetDevice {
        device: DeviceName::new(device).unwrap(),
        bridge: fulmar_core::Bridge::new("dmz").unwrap(),
        mac: None,
    };
    let with_net = UnikernelConfig {
        unikernel: config(&[])
            .unikernel
            .with_bridges(vec![net("service"), net("lan")])
            .unwrap(),
        arguments: Vec::new(),
    };
    assert_eq!(
        refusal(&house, with_net, hello()).await,
        Failure::Invalid(
            "the image declares no network device `lan`: leave it out; \
             the image declares no network device `service`: leave it out"
                .to_owned()
        )
    );
    // The rules know that there is no such block device.
    let block = BlockDevice::same_name(DeviceName::new("data").unwrap()).unwrap();
    let with_block = UnikernelConfig {
        unikernel: config(&[]).unikernel.with_block_devices(vec![block]).unwrap(),
        arguments: Vec::new(),
    };
    assert!(matches!(
        refusal(&house, with_block, hello()).await,
        Failure::Refused(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cpu_that_the_host_does_not_have_is_named() {
    let house = Closed::new().open().await;
    let wide = Policy {
        cpuids: cpus(&[0, 1000, 8191]),
        ..policy(2)
    };
    house.add_policy(":", wide).await.unwrap();
    for (cpuids, missing) in [
        (&[0, 1000][..], "1000"),
        (&[1000, 8191], "1000, 8191"),
        (&[8191], "8191"),
    ] {
        let config = UnikernelConfig {
            unikernel: Unikernel::new(16.into(), cpus(cpuids)).unwrap(),
            arguments: Vec::new(),
        };
        let message = format!("cpuids: this host has no CPU {missing}");
        assert_eq!(refusal(&house, config, hello()).await, Failure::Failed(message));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_place_is_taken_once() {
    let house = Closed::new().open().await;
    house.add_policy("alice", policy(2)).await.unwrap();
    house.create("alice:first", &["tick=1000"]).await.unwrap();
    let racing = (0..16).map(|number| {
        let steward = house.steward.clone();
        tokio::spawn(async move {
            let name = format!("alice:bob{number}:hello").parse().unwrap();
            let (config, image) = (config(&["tick=1000"]), hello());
            steward.ask(Command::Create { name, config, image }).await
        })
    });
    let racing: Vec<_> = racing.collect();
    let mut created = 0;
    for outcome in racing {
        match tokio::time::timeout(PATIENCE, outcome).await.unwrap().unwrap() {
            Ok(Answer::Created(_)) => created += 1,
            Err(Failure::Refused(reasons)) => assert_eq!(
                reasons[0].sentence,
                "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1"
            ),
            other => panic!("answered by {other:?}"),
        }
    }
    assert_eq!((created, house.unikernels().await.len()), (1, 2));
    assert_eq!(house.usage("alice").await.unikernels, 2.into());
}

/// A program in a directory of its own.
fn script(directory: &FilePath, text: &str) -> PathBuf {
    let path = directory.join("tender");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_words_of_a_tender_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let text = "#!/bin/sh\necho first >&2\necho 'fulmar-tender: no memory' >&2\nexit 1\n";
    let house = Closed::with_tender(script(directory.path(), text)).open().await;
    assert_eq!(
        refusal(&house, config(&[]), hello()).await,
        Failure::Failed(
            "the tender ended before the unikernel ran: fulmar-tender: no memory (the tender ended with status 1)"
                .to_owned()
        )
    );
    script(directory.path(), "#!/bin/sh\nexec 0<&-\nexec /bin/sleep 60\n");
    let message = "the tender ended before the unikernel ran (the tender hung up and went on)";
    assert_eq!(
        refusal(&house, config(&[]), hello()).await,
        Failure::Failed(message.to_owned())
    );
    script(directory.path(), "#!/bin/sh\necho Q >&0\nexec /bin/sleep 60\n");
    let message = "the program that should be the tender answers as another: give the right one with `--tender`";
    assert_eq!(
        refusal(&house, config(&[]), hello()).await,
        Failure::Failed(message.to_owned())
    );
    fs::remove_file(directory.path().join("tender")).unwrap();
    let Failure::Failed(message) = refusal(&house, config(&[]), hello()).await else {
        panic!("without a tender")
    };
    assert!(message.starts_with("the tender cannot be started: "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_creation_holds_up_nobody_but_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let slow = script(directory.path(), "#!/bin/sh\nexec /bin/sleep 1\n");
    let house = Closed::with_tender(slow).open().await;
    let steward = house.steward.clone();
    let name = "alice:slow".parse().unwrap();
    let (config, image) = (config(&[]), hello());
    let creation = tokio::spawn(async move { steward.ask(Command::Create { name, config, image }).await });
    house
        .until(|states| states.get("alice:slow") == Some(&UnikernelState::Starting {}))
        .await;
    let busy = Failure::Busy("`alice:slow` is just being started".to_owned());
    assert_eq!(house.destroy("alice:slow").await, Err(busy.clone()));
    assert_eq!(house.create("alice:slow", &[]).await, Err(busy));
    assert!(!creation.is_finished());
    // A steward that is no longer asked finishes what it has begun.
    let closed = house.close().await;
    assert!(creation.is_finished());
    assert!(matches!(creation.await.unwrap(), Err(Failure::Failed(_))));
    closed.assert_empty();
}

/// A ledger that can be made to refuse.
struct Fragile {
    ledger: fulmar::ledger::redb::RedbLedger,
    is_broken: std::sync::atomic::AtomicBool,
}

impl Fragile {
    fn breaks(&self, is_broken: bool) {
        self.is_broken.store(is_broken, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Ledger for Fragile {
    fn load(&self) -> Result<Contents, LedgerError> {
        self.ledger.load()
    }

    fn record(&self, changes: &[Change]) -> Result<(), LedgerError> {
        if self.is_broken.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(LedgerError::Disk {
                path: "LEDGER".into(),
                error: "no space".to_owned(),
            });
        }
        self.ledger.record(changes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_not_done() {
    let closed = Closed::new();
    let ledger = Arc::new(Fragile {
        ledger: closed.ledger(),
        is_broken: false.into(),
    });
    let house = closed
        .open_with(Arc::clone(&ledger) as Arc<dyn Ledger>, Limits::default())
        .await;
    house.add_policy("alice", policy(1)).await.unwrap();

    ledger.breaks(true);
    let broken = Failure::Failed("the ledger `LEDGER` cannot be read or written: no space".to_owned());
    assert_eq!(house.add_policy("alice", policy(3)).await, Err(broken.clone()));
    assert_eq!(house.add_policy("bob", policy(3)).await, Err(broken.clone()));
    assert_eq!(refusal(&house, config(&[]), hello()).await, broken);

    // The tree is as the ledger: one fits, not three.
    ledger.breaks(false);
    house.create("alice:one", &["tick=1000"]).await.unwrap();
    assert!(matches!(house.create("alice:two", &[]).await, Err(Failure::Refused(_))));

    // Its process ends, but it keeps its place until that is recorded.
    ledger.breaks(true);
    assert_eq!(house.destroy("alice:one").await, Err(broken.clone()));
    assert_eq!(
        house.states().await["alice:one"],
        UnikernelState::Failed {
            message: format!("it has ended, and that could not be recorded: {broken}")
        }
    );
    assert!(matches!(house.create("alice:two", &[]).await, Err(Failure::Refused(_))));
    ledger.breaks(false);
    house.destroy("alice:one").await.unwrap();
    house.closed.assert_empty();
    house.create("alice:two", &["sleep=0.1"]).await.unwrap();
    house.none_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_verdict_nothing_runs() {
    let closed = Closed::new();
    let ledger = Arc::new(closed.ledger());
    let limits = Limits {
        fuel_per_call: 1000,
        ..Limits::default()
    };
    let house = closed.open_with(ledger, limits).await;
    let outcome = house.create("hello", &[]).await;
    assert!(matches!(outcome, Err(Failure::NoVerdict(_))), "{outcome:?}");
    let outcome = house.add_policy("alice", policy(1)).await;
    assert!(matches!(outcome, Err(Failure::NoVerdict(_))), "{outcome:?}");
    assert_eq!(house.unikernels().await, []);
    house.closed.assert_empty();
}
