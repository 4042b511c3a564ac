//! What the program prints and returns: the unikernel's word where one runs, its own where none does.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::time::{ClockId, clock_gettime};

use crate::tender::{file, hello, run, text};

/// The tender itself fails: status 1, nothing on the console, one sentence on standard error.
#[track_caller]
fn check_refused(arguments: &[&str], sentence: &str) {
    let output = run(arguments);
    assert_eq!(text(&output.stderr), format!("fulmar-tender: {sentence}\n"));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn arguments_reach_the_unikernel() {
    let output = run(&["--mem=32", "--", &hello(), "--one", "two three", "--", "--mem=1"]);
    let console = "hello from spt with 32 MiB of memory\n\
        argument: --one\nargument: two\nargument: three\nargument: --\nargument: --mem=1\n";
    assert_eq!(text(&output.stdout), console);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn without_options_there_are_512_mib_and_no_arguments() {
    assert_eq!(
        text(&run(&[&hello()]).stdout),
        "hello from spt with 512 MiB of memory\n"
    );
}

#[test]
fn the_file_may_be_a_descriptor_that_the_parent_opened() {
    let file = File::open(hello()).unwrap();
    fcntl_setfd(&file, FdFlags::empty()).unwrap();
    let output = run(&[&format!("/proc/self/fd/{}", file.as_raw_fd()), "exit=6"]);
    assert_eq!(output.status.code(), Some(6));
}

#[test]
fn the_exit_status_is_the_unikernels() {
    for status in [0, 1, 42, 255] {
        assert_eq!(run(&[&hello(), &format!("exit={status}")]).status.code(), Some(status));
    }
}

#[test]
fn a_unikernel_that_aborts_ends_with_255() {
    assert_eq!(run(&[&hello(), "abort"]).status.code(), Some(255));
}

#[test]
fn the_longest_command_line_fits_and_one_byte_more_does_not() {
    let longest = "x".repeat(8191);
    let output = run(&[&hello(), &longest]);
    // The unikernel cuts long lines, but not that long.
    assert!(text(&output.stdout).contains(&longest[..4000]));
    assert_eq!(output.status.code(), Some(0));
    let sentence = "arguments: 8192 bytes in one line, at most 8191 can be passed to a unikernel";
    check_refused(&[&hello(), &longest, ""], sentence);
}

#[test]
fn the_unikernel_has_the_hosts_clocks() {
    let nanoseconds = |clock| {
        let now = clock_gettime(clock);
        u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
    };
    let clocks = || [ClockId::Monotonic, ClockId::Realtime].map(nanoseconds);
    let before = clocks();
    let output = run(&[&hello(), "clock"]);
    let after = clocks();
    let line = text(&output.stdout).lines().last().unwrap();
    let (monotonic, wall) = line
        .strip_prefix("monotonic ")
        .unwrap()
        .split_once(" ns, wall ")
        .unwrap();
    let guest: [u64; 2] = [monotonic, wall.strip_suffix(" ns").unwrap()].map(|number| number.parse().unwrap());
    for clock in 0..2 {
        assert!(
            (before[clock]..=after[clock]).contains(&guest[clock]),
            "{before:?} {guest:?} {after:?}"
        );
    }
}

#[test]
fn the_unikernel_sleeps_as_long_as_it_asks() {
    let start = Instant::now();
    let output = run(&[&hello(), "sleep=0.2"]);
    assert!(start.elapsed() >= Duration::from_millis(200));
    let line = text(&output.stdout).lines().last().unwrap();
    let slept: u64 = line
        .strip_prefix("slept ")
        .unwrap()
        .strip_suffix(" ms")
        .unwrap()
        .parse()
        .unwrap();
    assert!((200..2000).contains(&slept), "{line}");
}

#[test]
fn the_version_names_the_interface_albatross_looks_for() {
    let output = run(&["--version"]);
    assert_eq!(text(&output.stdout).lines().nth(1), Some("ABI version 2"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_fits_a_terminal() {
    let output = run(&["--help"]);
    assert!(text(&output.stdout).lines().all(|line| line.chars().count() <= 100));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_wrong_command_line_is_refused() {
    check_refused(&[], "no unikernel given; `fulmar-tender --help` shows how");
    check_refused(
        &["--mem=lots", &hello()],
        "`--mem=lots` is not a number of MiB, such as `--mem=32`",
    );
}

#[test]
fn a_file_that_is_no_unikernel_is_refused() {
    check_refused(
        &["/nonexistent/hello"],
        "`/nonexistent/hello`: No such file or directory (os error 2)",
    );
    check_refused(&["/dev/zero"], "`/dev/zero`: not a regular file");
    check_refused(&["/proc"], "`/proc`: not a regular file");
    let path = file(b"#!/bin/sh\n");
    let path = path.to_str().unwrap();
    check_refused(&[path], &format!("`{path}`: not an ELF file"));
}

#[test]
fn memory_of_the_wrong_size_is_refused() {
    let too_little = "memory: 1 MiB asked, the unikernel takes 2 MiB only to be loaded";
    check_refused(&["--mem=1", &hello()], too_little);
    let too_much = "memory: 1048577 MiB asked, `spt` takes at most 1048576 MiB";
    check_refused(&["--mem=1048577", &hello()], too_much);
}
