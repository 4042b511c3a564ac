//! What no unikernel can do, whatever is in it, and what it does not cost; for both targets.

use std::fs::File;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use fulmar_tender::Target;
use rustix::process::{Pid, Signal, kill_process};

use crate::elf::{DATA_ADDRESS, Unikernel, exit_with, number};
use crate::tender::{Running, file, giving, heed_signals, hello, on_each_target, run, signal, tender, text, unikernel};

/// The unikernel `hostile` does what the words before the last say and prints it, but the last ends it: in `spt` by that
/// signal, in `hvt` with a message that begins like this.
#[track_caller]
fn check_ends(target: Target, words: &str, by: Signal, message: &str) {
    let words: Vec<_> = words.split(' ').collect();
    let output = run(&[&["--mem=4", &*unikernel("hostile", target)], &words[..]].concat());
    assert_eq!(text(&output.stdout).lines().count(), words.len() - 1, "{output:?}");
    match target {
        Target::Spt => assert_eq!((signal(output.status), text(&output.stderr)), (Some(by), "")),
        _ => {
            let said = text(&output.stderr);
            assert!(
                said.starts_with(&format!("fulmar-tender: {message}")),
                "{words:?}: {said}"
            );
            assert_eq!(said.lines().count(), 1, "{words:?}: {said}");
            assert_eq!(output.status.code(), Some(1));
        }
    }
}

const TRIPLE_FAULT: &str = "the unikernel faulted and could not handle it (triple fault), at instruction 0x10";
const TRANSLATION_FAULT: &str =
    "host/guest translation fault: the unikernel reached for memory as it may not, at instruction 0x10";

#[test]
fn the_null_page_cannot_be_touched() {
    on_each_target(|target| {
        for word in ["read=0", "write=0", "read=8", "write=4095"] {
            check_ends(target, word, Signal::SEGV, TRIPLE_FAULT);
        }
        let jump = "the unikernel faulted and could not handle it (triple fault), at instruction 0x0";
        check_ends(target, "run=0", Signal::SEGV, jump);
    });
}

#[test]
fn nothing_below_the_boot_info_can_be_touched() {
    on_each_target(|target| {
        for address in [0x1000, 0x2000, 0x8000, 0xffff] {
            check_ends(target, &format!("read={address}"), Signal::SEGV, TRIPLE_FAULT);
            check_ends(target, &format!("write={address}"), Signal::SEGV, TRIPLE_FAULT);
        }
    });
}

#[test]
fn text_and_constants_can_be_read_but_not_written() {
    on_each_target(|target| {
        check_ends(target, "read=text write=text", Signal::SEGV, TRANSLATION_FAULT);
        check_ends(target, "read=rodata write=rodata", Signal::SEGV, TRANSLATION_FAULT);
    });
}

#[test]
fn data_and_the_stack_can_be_written() {
    on_each_target(|target| {
        let output = run(&[&unikernel("hostile", target), "write=data", "write=stack", "read=stack"]);
        assert_eq!(
            text(&output.stdout),
            "write=data: 0x0\nwrite=stack: 0x0\nread=stack: 0xc3\n"
        );
    });
}

#[test]
fn nothing_beyond_the_end_of_memory_can_be_touched() {
    on_each_target(|target| {
        for address in [4_u64 << 20, (4 << 20) + 4096, 1 << 32, 1 << 40] {
            check_ends(target, &format!("read={address}"), Signal::SEGV, TRIPLE_FAULT);
            check_ends(target, &format!("write={address}"), Signal::SEGV, TRIPLE_FAULT);
        }
    });
}

#[test]
fn an_instruction_that_makes_no_sense_ends_the_unikernel() {
    on_each_target(|target| check_ends(target, "instruction=ud2", Signal::ILL, TRIPLE_FAULT));
}

#[test]
fn the_stack_begins_at_the_end_of_memory() {
    on_each_target(|target| {
        // pop rax (the last 8 bytes, zero); pop rax (beyond the end)
        for (pops, is_in_memory) in [(&[0x58][..], true), (&[0x58, 0x58], false)] {
            let number = number(target);
            // For `hvt`, whose end needs a stack, move back to the first place: mov esp, 0x1ffff8
            let back: &[u8] = &[0xbc, 0xf8, 0xff, 0x1f, 0x00];
            let text = [pops, back, &exit_with(number, 3)].concat();
            let path = file(
                &Unikernel {
                    text,
                    ..Unikernel::of(number)
                }
                .file(),
            );
            let status = run(&["--mem=2", path.to_str().unwrap()]).status;
            assert_eq!(status.code() == Some(3), is_in_memory, "{status}");
        }
    });
}

#[test]
fn in_spt_neither_data_nor_the_stack_nor_constants_can_be_executed() {
    for word in ["run=data", "run=stack", "run=rodata", &format!("run={DATA_ADDRESS}")] {
        check_ends(Target::Spt, word, Signal::SEGV, "");
    }
}

#[test]
fn a_unikernel_holds_its_console_its_timer_and_nothing_it_was_not_given() {
    on_each_target(|target| {
        let leaked = File::open("/dev/null").unwrap();
        let mut command = giving(tender(&[&hello(target), "sleep=60"]), &leaked);
        let mut running = Running::start(command.stderr(Stdio::null()));
        running.line();
        let mut expected = vec!["1 pipe", "2 /dev/null", "eventpoll", "timerfd"];
        expected.extend((target == Target::Hvt).then_some("kvm-vcpu:0"));
        let descriptors = running.descriptors();
        assert_eq!(descriptors.len(), expected.len(), "{descriptors:?}");
        for expected in expected {
            let is_there = descriptors.iter().any(|descriptor| descriptor.ends_with(expected));
            assert!(is_there, "{expected}: {descriptors:?}");
        }
    });
}

#[test]
fn a_unikernel_runs_behind_the_filter_without_new_privileges() {
    on_each_target(|target| {
        let mut running = Running::start(&mut tender(&[&hello(target), "sleep=60"]));
        running.line();
        assert_eq!(
            (&*running.status("Seccomp"), &*running.status("NoNewPrivs")),
            ("2", "1")
        );
        // In `hvt` the kernel may keep a thread in the process, for KVM's huge pages.
        let threads: u32 = running.status("Threads").parse().unwrap();
        assert!(threads == 1 || target == Target::Hvt && threads == 2, "{threads}");
    });
}

#[test]
fn memory_costs_the_host_only_what_the_unikernel_uses() {
    on_each_target(|target| {
        let mut running = Running::start(&mut tender(&["--mem=4096", &hello(target), "sleep=60"]));
        assert_eq!(running.line(), format!("hello from {target} with 4096 MiB of memory"));
        let resident_kib: u64 = running.status("VmRSS").strip_suffix(" kB").unwrap().parse().unwrap();
        // The program, a few pages of the guest; and 2 MiB instead of 4 KiB each where the host has huge pages.
        assert!(resident_kib < 16 * 1024, "{resident_kib} KiB");
    });
}

#[test]
fn a_unikernel_outlives_the_reader_of_its_console() {
    on_each_target(|target| {
        let mut running = Running::start(&mut tender(&[&hello(target), "tick=5"]));
        running.line();
        running.stop_reading();
        sleep(Duration::from_millis(100));
        assert_eq!(running.child.try_wait().unwrap(), None);
    });
}

#[test]
fn a_console_that_is_closed_or_full_does_not_stop_a_unikernel() {
    on_each_target(|target| {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let status = tender(&[&hello(target), "flood=100", "exit=3"])
            .stdout(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(3));
    });
}

#[test]
fn sigterm_and_sigint_end_a_unikernel_wherever_it_is() {
    on_each_target(|target| {
        for (by, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
            for word in ["sleep=60", "spin", "tick=0"] {
                let mut command = tender(&[&hello(target), word]);
                heed_signals(&mut command);
                let mut running = Running::start(command.stderr(Stdio::piped()));
                running.line();
                kill_process(Pid::from_child(&running.child), by).unwrap();
                let (status, said) = running.end();
                match target {
                    Target::Spt => assert_eq!((signal(status), &*said), (Some(by), "")),
                    _ => {
                        let sentence = format!("fulmar-tender: ended by {name}\n");
                        assert_eq!((status.code(), said), (Some(1), sentence), "{word}");
                    }
                }
            }
        }
    });
}
