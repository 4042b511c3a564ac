//! What a person sees, letter by letter.

use fulmar::api::UnikernelConfig;
use fulmar_core::{BridgeSet, CpuId, CpuSet, Unikernel, Usage};

use super::*;

fn cpus(ids: &[u64]) -> CpuSet {
    ids.iter().map(|id| CpuId::new(*id).unwrap()).collect()
}

fn policy(block_mib: Option<u32>, ids: &[u64], names: &[&str]) -> Policy {
    let bridges = names.iter().map(|name| fulmar_core::Bridge::new(name).unwrap());
    Policy {
        unikernels: Amount::from(16),
        memory_mib: Amount::from(4096),
        block_mib: block_mib.map(Amount::from),
        cpuids: cpus(ids),
        bridges: BridgeSet::new(bridges).unwrap(),
    }
}

fn policy_info(domain: &str, policy: Policy, used_block_mib: u32) -> PolicyInfo {
    PolicyInfo {
        domain: domain.parse().unwrap(),
        policy,
        usage: Usage {
            unikernels: Amount::from(2),
            memory_mib: Amount::from(96),
            block_mib: Amount::from(used_block_mib),
            ..Usage::default()
        },
    }
}

fn unikernel(name: &str, state: UnikernelState, arguments: &[&str]) -> UnikernelInfo {
    UnikernelInfo {
        name: name.parse().unwrap(),
        config: UnikernelConfig {
            unikernel: Unikernel::new(Amount::from(32), cpus(&[0, 1])).unwrap(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        },
        image_sha256: "0123456789abcdef".repeat(4),
        state,
    }
}

fn running(pid: u32) -> UnikernelState {
    UnikernelState::Running {
        pid,
        started_unix_ms: 1_000_000_000,
    }
}

fn later(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

#[test]
fn policies_are_a_table_of_shares() {
    let infos = [
        policy_info(":", policy(Some(1000), &[0, 1, 2, 3, 8], &["service", "dmz"]), 10),
        policy_info("alice", policy(None, &[0], &["dmz"]), 0),
        policy_info("alice:bob", policy(None, &[], &[]), 10),
    ];
    assert_eq!(
        policies(&Path::root(), &infos),
        "\
DOMAIN     UNIKERNELS  MEMORY MiB  BLOCK MiB   CPUS    BRIDGES
:          2 of 16     96 of 4096  10 of 1000  0-3, 8  dmz, service
alice      2 of 16     96 of 4096  none        0       dmz
alice:bob  2 of 16     96 of 4096  10 of none  none    none
"
    );
    let bob = "alice:bob".parse().unwrap();
    assert_eq!(policies(&bob, &[]), "no policy at `alice:bob` or below\n");
}

#[test]
fn unikernels_are_a_table_and_the_reasons_of_those_that_failed() {
    let message = "the image is gone".to_owned();
    let infos = [
        unikernel("alice:bob:one", running(1234), &["--hello=you", "\u{1b}[2J"]),
        unikernel("alice:web", UnikernelState::Starting {}, &[]),
        unikernel("alice:db", UnikernelState::Failed { message }, &[]),
    ];
    assert_eq!(
        unikernels(&infos, later(2 * 86400 + 3 * 3600 + 5)),
        "\
NAME           STATE         UP        MEMORY  CPUS  IMAGE         ARGUMENTS
alice:bob:one  running 1234  2days 3h  32 MiB  0, 1  0123456789ab  --hello=you \\u{1b}[2J
alice:web      starting                32 MiB  0, 1  0123456789ab
alice:db       failed                  32 MiB  0, 1  0123456789ab
`alice:db` does not run: the image is gone
"
    );
    assert_eq!(unikernels(&[], later(0)), "no unikernels\n");
}

#[test]
fn the_time_since_a_start_has_two_units() {
    for (seconds, text) in [
        (0, "0s"),
        (61, "1m 1s"),
        (3600, "1h"),
        (86399, "23h 59m"),
        (86400 * 31, "1month 13h"),
    ] {
        assert_eq!(since(1_000_000_000, later(seconds)), text);
    }
    // A clock that was set back.
    assert_eq!(since(1_000_000_001_000, later(0)), "0s");
}

#[test]
fn long_arguments_are_cut() {
    let shown = arguments(&["x".repeat(79), "äöü".to_owned()]);
    assert_eq!(shown, format!("{} …", "x".repeat(79)));
}

#[test]
fn what_was_done_is_one_line() {
    let alice = "alice".parse().unwrap();
    let one = "alice:bob:one".parse().unwrap();
    for (shown, line) in [
        (
            created(&unikernel("alice:bob:one", running(1234), &[])),
            "created alice:bob:one, process 1234\n",
        ),
        (destroyed(&one), "destroyed alice:bob:one\n"),
        (
            policy_added(&alice, &policy(Some(100), &[0, 1, 2], &["dmz"])),
            "`alice` may have 16 unikernels, 4096 MiB of memory, 100 MiB of block devices; CPUs: 0-2; bridges: dmz\n",
        ),
        (
            policy_added(&alice, &policy(None, &[], &[])),
            "`alice` may have 16 unikernels, 4096 MiB of memory, no block devices; CPUs: none; bridges: none\n",
        ),
        (
            policy_removed(&alice),
            "`alice` has no policy of its own any more; those above hold\n",
        ),
    ] {
        assert_eq!(shown, line);
    }
}

#[test]
fn a_unikernel_cannot_write_on_the_terminal() {
    let line = |at_unix_ms, line: &str| {
        console_record(&ConsoleRecord::Line(ConsoleLine {
            at_unix_ms,
            line: line.to_owned(),
        }))
    };
    assert_eq!(
        line(1_795_410_000_123, "\thello\u{1b}]0;root\u{7}\u{9b}2J\r"),
        "2026-11-23T05:00:00.123Z \thello\\u{1b}]0;root\\u{7}\\u{9b}2J\\r\n"
    );
    assert_eq!(line(u64::MAX, ""), "9999-12-31T23:59:59.999Z \n");
    assert_eq!(
        console_record(&ConsoleRecord::Dropped { dropped_lines: 17 }),
        "-- 17 lines are missing here: they came faster than they were read --\n"
    );
}
