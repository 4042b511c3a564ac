//! What a unikernel cannot do, whatever is in it, and what it does not cost.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};

use crate::elf::{DATA_ADDRESS, exit_with};
use crate::tender::{Running, hello, run, run_code, tender, text};

fn signal(status: ExitStatus) -> Option<Signal> {
    status.signal().and_then(Signal::from_named_raw)
}

#[test]
fn a_null_pointer_faults() {
    assert_eq!(signal(run(&[&hello(), "fault"]).status), Some(Signal::SEGV));
}

#[test]
fn a_forbidden_system_call_kills() {
    let output = run(&[&hello(), "syscall", "exit=3"]);
    assert_eq!(signal(output.status), Some(Signal::SYS));
    assert_eq!(
        text(&output.stdout),
        "hello from spt with 512 MiB of memory\nargument: syscall\nargument: exit=3\n"
    );
}

#[test]
fn a_system_call_with_another_argument_kills() {
    // mov edi, 2; mov eax, 1; syscall: an empty write to standard error.
    let write_error = [0xbf, 2, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x0f, 0x05];
    let output = run_code([&write_error, &*exit_with(3)].concat(), b"data".to_vec());
    assert_eq!(signal(output.status), Some(Signal::SYS));
}

#[test]
fn machine_code_runs() {
    assert_eq!(run_code(exit_with(3), b"data".to_vec()).status.code(), Some(3));
}

#[test]
fn text_cannot_be_written() {
    // mov byte ptr [rip], 0: writes to the instruction after it.
    let write_text = [0xc6, 0x05, 0, 0, 0, 0, 0];
    let output = run_code([&write_text, &*exit_with(3)].concat(), b"data".to_vec());
    assert_eq!(signal(output.status), Some(Signal::SEGV));
}

#[test]
fn data_cannot_be_executed() {
    // mov eax, DATA_ADDRESS; jmp rax
    let address = u32::try_from(DATA_ADDRESS).unwrap().to_le_bytes();
    let jump = [&[0xb8], &address[..], &[0xff, 0xe0]].concat();
    assert_eq!(signal(run_code(jump, exit_with(3)).status), Some(Signal::SEGV));
}

#[test]
fn the_stack_lies_at_the_end_of_memory_and_cannot_be_executed() {
    // push 0x90 (nop); jmp rsp
    let jump = [0x68, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe4];
    assert_eq!(
        signal(run_code(jump.to_vec(), b"data".to_vec()).status),
        Some(Signal::SEGV)
    );
    // pop rax (the last 8 bytes, zero); pop rax (beyond the end)
    let pop_once = [&[0x58][..], &exit_with(3)].concat();
    assert_eq!(run_code(pop_once, b"data".to_vec()).status.code(), Some(3));
    let pop_twice = [&[0x58, 0x58][..], &exit_with(3)].concat();
    assert_eq!(signal(run_code(pop_twice, b"data".to_vec()).status), Some(Signal::SEGV));
}

#[test]
fn a_unikernel_holds_its_console_its_timer_and_nothing_it_was_not_given() {
    let leaked = File::open("/dev/null").unwrap();
    fcntl_setfd(leaked.as_fd(), FdFlags::empty()).unwrap();
    let mut running = Running::start(tender(&[&hello(), "sleep=60"]).stderr(Stdio::null()));
    running.line();
    let descriptors = running.descriptors();
    let [output, error, epoll, timer] = &descriptors[..] else {
        panic!("{descriptors:?}")
    };
    assert_eq!((&**output, &**error), ("1 pipe", "2 /dev/null"));
    assert!(
        epoll.ends_with(" eventpoll") && timer.ends_with(" timerfd"),
        "{descriptors:?}"
    );
}

#[test]
fn a_unikernel_runs_behind_the_filter_without_new_privileges() {
    let mut running = Running::start(&mut tender(&[&hello(), "sleep=60"]));
    running.line();
    assert_eq!(
        (&*running.status("Seccomp"), &*running.status("NoNewPrivs")),
        ("2", "1")
    );
    assert_eq!(running.status("Threads"), "1");
}

#[test]
fn memory_costs_the_host_only_what_the_unikernel_uses() {
    let mut running = Running::start(&mut tender(&["--mem=4096", &hello(), "sleep=60"]));
    assert_eq!(running.line(), "hello from spt with 4096 MiB of memory");
    let resident_kib: u64 = running.status("VmRSS").strip_suffix(" kB").unwrap().parse().unwrap();
    // The program, a few pages of the guest; and 2 MiB instead of 4 KiB each where the host has huge pages.
    assert!(resident_kib < 16 * 1024, "{resident_kib} KiB");
}

#[test]
fn a_unikernel_outlives_the_reader_of_its_console() {
    let mut running = Running::start(&mut tender(&[&hello(), "tick=5"]));
    running.line();
    running.stop_reading();
    sleep(Duration::from_millis(100));
    assert_eq!(running.child.try_wait().unwrap(), None);
}

#[test]
fn sigterm_ends_a_unikernel() {
    let mut running = Running::start(&mut tender(&[&hello(), "sleep=60"]));
    running.line();
    kill_process(Pid::from_child(&running.child), Signal::TERM).unwrap();
    assert_eq!(signal(running.child.wait().unwrap()), Some(Signal::TERM));
}
