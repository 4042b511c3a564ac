//! The system calls of an `spt` unikernel, which it makes itself: each that is not on the list kills it.

use rustix::process::Signal;

use fulmar_tender::Target;

use crate::tender::{run, signal, text, unikernel};

/// Beyond the last number that a kernel knows today.
const CALLS_END: u32 = 512;

const CLOCK_GETTIME: u32 = 228;
const EXIT_GROUP: u32 = 231;
/// These two the kernel, from 6.11 and 6.18 on, lets pass every filter: it calls them itself, from pages that it has put
/// into a process that is traced, and from nowhere else may they be called.
const URETPROBE: u32 = 335;
const UPROBE: u32 = 336;

#[track_caller]
fn check_killed(word: &str) {
    let output = run(&["--mem=2", &unikernel("hostile", Target::Spt), word]);
    assert_eq!(signal(output.status), Some(Signal::SYS), "{word}: {output:?}");
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("", ""), "{word}");
}

#[track_caller]
fn check_allowed(word: &str) {
    let output = run(&["--mem=2", &unikernel("hostile", Target::Spt), word]);
    assert_eq!(output.status.code(), Some(0), "{word}: {output:?}");
}

/// The unikernel is killed, or is told that there is no such thing (ENXIO).
#[track_caller]
fn check_does_nothing(call: u32) {
    let output = run(&["--mem=2", &unikernel("hostile", Target::Spt), &format!("call={call}")]);
    let is_killed = matches!(signal(output.status), Some(Signal::SYS | Signal::ILL));
    let is_refused = text(&output.stdout) == format!("call={call}: {:#x}\n", -6_i64);
    assert!(is_killed || is_refused, "{call}: {output:?}");
}

#[test]
fn every_system_call_that_is_not_on_the_list_kills() {
    for call in 0..CALLS_END {
        match call {
            // With nothing but zeros as arguments these two are: the first clock, and the end.
            CLOCK_GETTIME | EXIT_GROUP => check_allowed(&format!("call={call}")),
            URETPROBE | UPROBE => check_does_nothing(call),
            _ => check_killed(&format!("call={call}")),
        }
    }
}

#[test]
fn a_system_call_on_the_list_is_allowed_with_its_arguments_only() {
    for (allowed, killed) in [
        // write
        (
            "call=1,1,buffer,1",
            &["call=1,2,buffer,1", "call=1,0,buffer,1", "call=1,epoll,buffer,8"][..],
        ),
        // epoll_pwait
        (
            "call=281,epoll,buffer,1,0",
            &["call=281,timer,buffer,1,0", "call=281,1,buffer,1,0"],
        ),
        // timerfd_settime
        (
            "call=286,timer,0,buffer,0",
            &["call=286,epoll,0,buffer,0", "call=286,1,0,buffer,0"],
        ),
        // clock_gettime: the other clocks, one of a process
        (
            "call=228,1,buffer",
            &[
                "call=228,2,buffer",
                "call=228,4,buffer",
                "call=228,0xfffffffffffffffe,buffer",
            ],
        ),
        // arch_prctl: ARCH_SET_FS; ARCH_SET_GS, ARCH_GET_FS
        (
            "call=158,0x1002,buffer",
            &["call=158,0x1001,buffer", "call=158,0x1003,buffer"],
        ),
        ("call=231,7", &[]),
    ] {
        let output = run(&["--mem=2", &unikernel("hostile", Target::Spt), allowed]);
        let status = if allowed == "call=231,7" { 7 } else { 0 };
        assert_eq!(output.status.code(), Some(status), "{allowed}: {output:?}");
        for word in killed {
            check_killed(word);
        }
    }
}

#[test]
fn the_upper_half_of_an_argument_counts() {
    check_killed("call=1,0x100000001,buffer,1");
    check_killed("call=158,0x100001002,buffer");
}

#[test]
fn other_doors_into_the_kernel_are_closed() {
    // Of 32-bit programs: exit, write, exit_group.
    for call in [1, 4, 252] {
        check_killed(&format!("call32={call}"));
    }
    // Of the x32 interface: write.
    check_killed("call=0x40000001,1,buffer,1");
}
