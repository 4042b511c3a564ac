//! A daemon that comes after another one.

use std::fs;
use std::io::Write;
use std::path::{Path as FilePath, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use fulmar::api::UnikernelState;
use rustix::process::{Pid, Signal, kill_process};

use crate::house::{Closed, House, PATIENCE};

/// Kills a unikernel's process behind the back of the daemon; it is gone afterwards.
fn kill(pid: u32) {
    let process = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(process, Signal::KILL).unwrap();
    while is_alive(pid) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether it runs. As this process is its parent, and does not wait for it, it may be dead and still be listed.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn change_record(path: &FilePath, field: &str, value: impl Into<serde_json::Value>) {
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    record[field] = value.into();
    fs::write(path, record.to_string()).unwrap();
}

async fn running(names: &[&str]) -> House {
    let house = Closed::new().open().await;
    for name in names {
        house.create(name, &["tick=20"]).await.unwrap();
    }
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn unikernels_outlive_the_daemon_and_are_found_again() {
    let house = running(&["alice:hello", ".."]).await;
    let before = house.unikernels().await;
    let house = house.close().await.open().await;
    assert_eq!(house.unikernels().await, before);
    // What was printed meanwhile is read, and what is printed now.
    let lines = house.console_with("alice:hello", "tick 50").await;
    let ticks: Vec<_> = lines.iter().filter(|line| line.starts_with("tick ")).collect();
    assert!(ticks.len() > 10, "{lines:?}");
    for name in ["alice:hello", ".."] {
        house.destroy(name).await.unwrap();
    }
    house.closed.assert_empty();
    assert_eq!(house.usage(":").await.unikernels.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unikernel_is_not_held_up_by_a_console_that_nobody_reads() {
    let house = Closed::new().open().await;
    house.create("flood", &["tick=1"]).await.unwrap();
    let closed = house.close().await;
    // It would take a while to fill the pipe itself.
    let mut console = fs::OpenOptions::new()
        .write(true)
        .open(closed.path().join("run/u-flood/console"))
        .unwrap();
    rustix::fs::fcntl_setfl(&console, rustix::fs::OFlags::NONBLOCK).unwrap();
    let filler = "filled by the test\n".repeat(200);
    while console.write(filler.as_bytes()).is_ok() {}
    tokio::time::sleep(Duration::from_millis(300)).await;
    let house = closed.open().await;
    house.console_with("flood", "filled by the test").await;
    let number = |line: &String| line.strip_prefix("tick ")?.parse::<u32>().ok();
    let goes_on = async {
        while house.console("flood").await.iter().filter_map(number).max() < Some(200) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, goes_on)
        .await
        .expect("it did not stand still");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ended_meanwhile_is_forgotten_but_for_its_console() {
    let house = running(&["ended", "runs"]).await;
    let pid = house.pid("ended").await;
    let closed = house.close().await;
    kill(pid);
    let house = closed.open().await;
    assert_eq!(house.states().await.keys().collect::<Vec<_>>(), ["runs"]);
    assert_eq!(
        house.console("ended").await,
        ["unikernel ended while there was no daemon, its status is not known"]
    );
    assert_eq!(house.usage(":").await.unikernels.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_host_was_started_anew_they_are_started_again() {
    let house = running(&["alice:one", "alice:two"]).await;
    let pids = [house.pid("alice:one").await, house.pid("alice:two").await];
    let closed = house.close().await;
    for (name, pid) in ["alice:one", "alice:two"].into_iter().zip(pids) {
        kill(pid);
        change_record(&closed.record(name), "boot_id", "another");
    }
    let house = closed.open().await;
    house
        .until(|states| {
            states
                .values()
                .all(|state| matches!(state, UnikernelState::Running { .. }))
        })
        .await;
    let lines = house.console_with("alice:two", "tick 1").await;
    assert_eq!(lines[0], "hello from spt with 16 MiB of memory");
    assert_ne!(house.pid("alice:one").await, pids[0]);
    // Now they are as any other: their end is an end.
    let pid = house.pid("alice:two").await;
    let closed = house.close().await;
    kill(pid);
    let house = closed.open().await;
    assert_eq!(house.states().await.keys().collect::<Vec<_>>(), ["alice:one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_second_start_was_cut_off_is_started_once_more() {
    for was_let_go in [false, true] {
        let house = running(&["hello"]).await;
        let pid = house.pid("hello").await;
        let closed = house.close().await;
        change_record(&closed.record("hello"), "if_gone", "start_again");
        if !was_let_go {
            kill(pid);
        }
        let house = closed.open().await;
        house
            .until(|states| matches!(states["hello"], UnikernelState::Running { .. }))
            .await;
        assert_ne!(house.pid("hello").await, pid);
        assert!(!is_alive(pid));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_started_again_keeps_its_place_and_says_why() {
    let house = running(&["hello"]).await;
    let pid = house.pid("hello").await;
    let closed = house.close().await;
    kill(pid);
    change_record(&closed.record("hello"), "boot_id", "another");
    let image = closed.path().join("images").join(&closed.images()[0]);
    fs::remove_file(&image).unwrap();
    fs::write(&image, "other bytes").unwrap();
    let house = closed.open().await;
    let message = "could not be started again: the image: its content is not what was written there";
    let failed = UnikernelState::Failed {
        message: message.to_owned(),
    };
    house.until(|states| states["hello"] == failed).await;
    assert_eq!(house.console("hello").await, [format!("unikernel {message}")]);
    assert_eq!(house.usage(":").await.unikernels.get(), 1);
    house.destroy("hello").await.unwrap();
    house.closed.assert_empty();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_never_runs_a_unikernel_twice() {
    let house = running(&["hello"]).await;
    let pid = house.pid("hello").await;
    let closed = house.close().await;
    change_record(&closed.record("hello"), "version", 2);
    let house = closed.open().await;
    assert!(matches!(house.states().await["hello"], UnikernelState::Failed { .. }));
    assert!(is_alive(pid));
    kill(pid);
}

/// A directory as a creation leaves it that was cut off before the ledger knew of it.
fn unfinished(closed: &Closed, name: &str) -> (Child, PathBuf) {
    closed.state();
    let child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let start_ticks: u64 = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(19)
        .unwrap()
        .parse()
        .unwrap();
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let record = serde_json::json!({
        "version": 1, "pid": child.id(), "start_ticks": start_ticks, "boot_id": boot_id.trim_end(),
        "started_unix_ms": 0, "if_gone": "forget",
    });
    let path = closed.record(name);
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, record.to_string()).unwrap();
    (child, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_ledger_knows_of_is_ended_and_removed() {
    let closed = Closed::new();
    let (mut held, _) = unfinished(&closed, "alice:held");
    let (mut other, record) = unfinished(&closed, "alice:other");
    // The number was given to another process since.
    change_record(&record, "start_ticks", 1);
    fs::write(closed.path().join("images/.0123.0"), "half an image").unwrap();
    let house = closed.open().await;
    house.closed.assert_empty();
    assert!(!is_alive(held.id()) && is_alive(other.id()));
    assert_eq!(house.unikernels().await, []);
    let _ = held.wait();
    other.kill().unwrap();
    other.wait().unwrap();
}
