//! What the program prints and returns: the unikernel's word where one runs, its own where none does.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use fulmar_tender::Target;
use rustix::time::{ClockId, clock_gettime};

use crate::elf::Unikernel;
use crate::tender::{Running, check_refused, file, giving, has_kvm, hello, on_each_target, run, tender, text};

#[test]
fn arguments_reach_the_unikernel() {
    on_each_target(|target| {
        let words = ["--one", "two three", "", "--", "--mem=1"];
        let output = run(&[&["--mem=32", "--", &*hello(target)], &words[..], &["info"]].concat());
        let console = text(&output.stdout);
        let arguments = "argument: --one\nargument: two\nargument: three\nargument: --\nargument: --mem=1\n";
        assert!(console.contains(arguments), "{console}");
        assert!(
            console.contains(" 32 bytes of arguments\n"),
            "one blank each: {console}"
        );
        assert_eq!(text(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0));
    });
}

#[test]
fn without_options_there_are_512_mib_and_no_arguments() {
    on_each_target(|target| {
        let greeting = format!("hello from {target} with 512 MiB of memory\n");
        assert_eq!(text(&run(&[&hello(target)]).stdout), greeting);
    });
}

#[test]
fn the_manifest_reaches_the_unikernel() {
    on_each_target(|target| {
        let output = run(&[&hello(target), "info"]);
        let line = text(&output.stdout).lines().last().unwrap();
        assert_eq!(line, "device 0: `` of type 0x40000000, attached false");
    });
}

#[test]
fn the_unikernel_learns_where_it_ends() {
    on_each_target(|target| {
        let file = std::fs::read(hello(target)).unwrap();
        let end = fulmar_tender::Image::parse(&file).unwrap().kernel_end();
        let output = run(&[&hello(target), "info"]);
        let line = format!("\nends at {end:#x}, 4 bytes of arguments\n");
        assert!(text(&output.stdout).contains(&line), "{line}: {}", text(&output.stdout));
    });
}

#[test]
fn memory_is_as_large_as_asked_to_its_last_word() {
    on_each_target(|target| {
        for memory_mib in [2_u64, 32, 4096] {
            let output = run(&[&format!("--mem={memory_mib}"), &hello(target)]);
            let greeting = format!("hello from {target} with {memory_mib} MiB of memory\n");
            assert_eq!((text(&output.stdout), text(&output.stderr)), (&*greeting, ""));

            let last = format!("write={}", (memory_mib << 20) - 1);
            let output = run(&[
                &format!("--mem={memory_mib}"),
                &crate::tender::unikernel("hostile", target),
                &last,
            ]);
            assert_eq!(text(&output.stdout), format!("{last}: 0x0\n"));
        }
    });
}

#[test]
fn the_file_may_be_a_descriptor_that_the_parent_opened() {
    on_each_target(|target| {
        let file = File::open(hello(target)).unwrap();
        let command = tender(&[&format!("/proc/self/fd/{}", file.as_raw_fd()), "exit=6"]);
        let output = giving(command, &file).output().unwrap();
        assert_eq!(output.status.code(), Some(6));
    });
}

#[test]
fn every_exit_status_is_the_unikernels() {
    on_each_target(|target| {
        for status in 0..=255 {
            let output = run(&["--mem=2", &hello(target), &format!("exit={status}")]);
            assert_eq!(output.status.code(), Some(status));
            assert_eq!(text(&output.stderr), "");
        }
    });
}

#[test]
fn a_unikernel_that_aborts_ends_with_255() {
    on_each_target(|target| assert_eq!(run(&[&hello(target), "abort"]).status.code(), Some(255)));
}

#[test]
fn the_longest_command_line_fits_and_one_byte_more_does_not() {
    on_each_target(|target| {
        let longest = format!("info {}", "x".repeat(8186));
        let output = run(&[&hello(target), &longest]);
        let console = text(&output.stdout);
        // The unikernel cuts long lines, but not that long.
        assert!(console.contains(&"x".repeat(4000)) && console.contains(", 8191 bytes of arguments\n"));
        assert_eq!(output.status.code(), Some(0));
        let sentence = "arguments: 8192 bytes in one line, at most 8191 can be passed to a unikernel";
        check_refused(&[&hello(target), &longest, ""], sentence);
    });
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

/// Both clocks of every `clock` in the unikernel's console.
fn guests_clocks(console: &str) -> Vec<[u64; 2]> {
    let lines = console.lines().filter_map(|line| line.strip_prefix("monotonic "));
    let clocks = lines.map(|line| line.strip_suffix(" ns").unwrap().split_once(" ns, wall ").unwrap());
    clocks
        .map(|(monotonic, wall)| [monotonic, wall].map(|number| number.parse().unwrap()))
        .collect()
}

#[test]
fn the_unikernel_has_the_hosts_clocks() {
    on_each_target(|target| {
        let before = [ClockId::Monotonic, ClockId::Realtime].map(nanoseconds);
        let output = run(&[&hello(target), "clock"]);
        let after = [ClockId::Monotonic, ClockId::Realtime].map(nanoseconds);
        let guest = guests_clocks(text(&output.stdout))[0];
        let within = |clock: usize| (before[clock]..=after[clock]).contains(&guest[clock]);
        assert!(within(1), "wall: {before:?} {guest:?} {after:?}");
        // A virtual machine counts from its own beginning.
        assert!(
            target == Target::Hvt || within(0),
            "monotonic: {before:?} {guest:?} {after:?}"
        );
    });
}

#[test]
fn the_unikernels_clocks_run_at_the_same_pace() {
    on_each_target(|target| {
        let output = run(&[&hello(target), "clock", "sleep=0.5", "clock"]);
        let [first, second] = guests_clocks(text(&output.stdout))[..] else {
            panic!()
        };
        let [monotonic, wall] = [0, 1].map(|clock| second[clock] - first[clock]);
        assert!(monotonic >= 500_000_000, "{monotonic} ns");
        // Other programs may run between a look at the one and a look at the other.
        assert!(monotonic.abs_diff(wall) < wall / 5, "{monotonic} and {wall} ns");
    });
}

#[test]
fn the_unikernel_sleeps_as_long_as_it_asks() {
    on_each_target(|target| {
        let start = Instant::now();
        let output = run(&[&hello(target), "sleep=0.2"]);
        assert!(start.elapsed() >= Duration::from_millis(200));
        let line = text(&output.stdout).lines().last().unwrap();
        let slept = line.strip_prefix("slept ").unwrap().strip_suffix(" ms").unwrap();
        assert!((200..20_000).contains(&slept.parse::<u64>().unwrap()), "{line}");
    });
}

#[test]
fn a_sleeping_unikernel_costs_no_processor_and_a_busy_one_can_be_killed() {
    on_each_target(|target| {
        let mut sleeping = Running::start(&mut tender(&[&hello(target), "sleep=60"]));
        sleeping.line();
        let mut busy = Running::start(&mut tender(&[&hello(target), "spin"]));
        busy.line();
        let before = [&sleeping, &busy].map(Running::processor_ticks);
        let started = Instant::now();
        while busy.processor_ticks() < before[1] + 5 {
            assert!(started.elapsed() < Duration::from_secs(60), "it computes nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(sleeping.processor_ticks() <= before[0] + 1);
        busy.child.kill().unwrap();
        assert_eq!(busy.child.wait().unwrap().code(), None);
    });
}

#[test]
fn a_flood_reaches_a_slow_reader_whole() {
    on_each_target(|target| {
        let output = run(&[&hello(target), "flood=200"]);
        let lines: Vec<_> = text(&output.stdout).lines().skip(2).collect();
        assert_eq!(lines.len(), 200);
        for (index, line) in lines.into_iter().enumerate() {
            let is_whole = line.len() == 4094 && line.starts_with("....");
            assert!(is_whole && line.ends_with(&format!(".{:020}", index + 1)), "{line}");
        }
    });
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
    for target in [Target::Spt, Target::Hvt] {
        for wrong in ["", "0", "lots", "-2", "32M", "18446744073709551616"] {
            let sentence = format!("`--mem={wrong}` is not a number of MiB, such as `--mem=32`");
            check_refused(&[&format!("--mem={wrong}"), &hello(target)], &sentence);
        }
    }
    let too_little = "memory: 1 MiB asked, the unikernel takes 2 MiB only to be loaded";
    check_refused(&["--mem=1", &hello(Target::Spt)], too_little);
    let too_much = "memory: 1048577 MiB asked, `spt` takes at most 1048576 MiB";
    check_refused(&["--mem=1048577", &hello(Target::Spt)], too_much);
    let too_much = "memory: 4098 MiB asked, `hvt` takes at most 4096 MiB";
    check_refused(&["--mem=4098", &hello(Target::Hvt)], too_much);
}

#[test]
fn in_hvt_memory_is_a_multiple_of_2_mib() {
    if !has_kvm() {
        return;
    }
    for (asked, given) in [(1, 2), (3, 2), (33, 32), (4097, 4096)] {
        let output = run(&[&format!("--mem={asked}"), &hello(Target::Hvt)]);
        let greeting = format!("hello from hvt with {given} MiB of memory\n");
        assert_eq!((text(&output.stdout), output.status.code()), (&*greeting, Some(0)));
        let sentence = format!("memory: {asked} MiB asked, `hvt` takes multiples of 2 MiB: {given} MiB given");
        assert_eq!(text(&output.stderr), format!("fulmar-tender: {sentence}\n"));
    }
}

#[test]
fn a_unikernel_for_another_target_is_refused() {
    let file = file(&Unikernel::of(3).file());
    check_refused(
        &[file.to_str().unwrap()],
        "memory: `virtio` unikernels run without a tender",
    );
}
