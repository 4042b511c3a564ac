//! The conversation with a parent that decides when the unikernel starts.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use fulmar_tender::Target;

use crate::tender::{Running, hello, on_each_target, run, tender, text};

/// A held tender and the parent's end of its socket, after the tender has said that everything is loaded.
fn held(target: Target, arguments: &[&str]) -> (Command, UnixStream, UnixStream) {
    let (parent, child) = UnixStream::pair().unwrap();
    let command = tender(&[&["--hold", &*hello(target)], arguments].concat());
    (command, parent, child)
}

fn give(command: &mut Command, child: UnixStream) {
    command.stdin(Stdio::from(OwnedFd::from(child)));
}

fn loaded(parent: &mut UnixStream) {
    let mut byte = [0];
    parent.read_exact(&mut byte).unwrap();
    assert_eq!(byte, [fulmar_tender::HELD]);
}

#[test]
fn a_byte_starts_a_held_unikernel() {
    on_each_target(|target| {
        let (mut command, mut parent, child) = held(target, &["sleep=60"]);
        give(&mut command, child);
        let mut running = Running::start(&mut command);
        drop(command); // and with it our copy of the child's end
        loaded(&mut parent);
        // Not yet behind the filter: it still has to read the answer.
        assert_eq!(running.status("Seccomp"), "0");

        parent.write_all(b"x").unwrap();
        assert_eq!(running.line(), format!("hello from {target} with 512 MiB of memory"));
        assert_eq!(running.status("Seccomp"), "2");
        assert!(running.descriptors()[0].starts_with("1 "), "the socket is closed");
        assert_eq!(parent.read(&mut [0]).unwrap(), 0, "the parent sees it closed");
    });
}

#[test]
fn the_socket_may_be_non_blocking() {
    on_each_target(|target| {
        let (mut command, mut parent, child) = held(target, &["exit=5"]);
        child.set_nonblocking(true).unwrap();
        give(&mut command, child);
        let mut running = Running::start(&mut command);
        loaded(&mut parent);
        std::thread::sleep(std::time::Duration::from_millis(50));
        parent.write_all(b"x").unwrap();
        assert_eq!(running.child.wait().unwrap().code(), Some(5));
    });
}

#[test]
fn a_parent_that_goes_away_ends_a_held_tender_with_nothing_run() {
    on_each_target(|target| {
        let (mut command, mut parent, child) = held(target, &[]);
        give(&mut command, child);
        let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        loaded(&mut parent);
        parent.shutdown(Shutdown::Both).unwrap();
        let output = running.wait_with_output().unwrap();
        assert_eq!(text(&output.stdout), "");
        let sentence = "fulmar-tender: held: the parent closed the socket, so the unikernel was not started\n";
        assert_eq!(text(&output.stderr), sentence);
        assert_eq!(output.status.code(), Some(1));
    });
}

#[test]
fn a_parent_that_is_gone_already_ends_it_too() {
    on_each_target(|target| {
        let (mut command, parent, child) = held(target, &[]);
        give(&mut command, child);
        drop(parent);
        let output = command.output().unwrap();
        let sentence = "fulmar-tender: held: the parent closed the socket, so the unikernel was not started\n";
        assert_eq!((text(&output.stdout), text(&output.stderr)), ("", sentence));
        assert_eq!(output.status.code(), Some(1));
    });
}

#[test]
fn a_unikernel_that_cannot_be_loaded_says_so_instead_of_holding() {
    on_each_target(|target| {
        let (parent, child) = UnixStream::pair().unwrap();
        let mut command = tender(&["--hold", "--mem=1048578", &hello(target)]);
        give(&mut command, child);
        let output = command.output().unwrap();
        drop(command);
        assert_eq!(output.status.code(), Some(1));
        let mut said = Vec::new();
        (&parent).read_to_end(&mut said).unwrap();
        assert_eq!(said, b"");
    });
}

#[test]
fn standard_input_must_be_a_socket() {
    on_each_target(|target| {
        let output = run(&["--hold", &hello(target)]);
        let sentence = "fulmar-tender: held: standard input must be a socket to the parent:";
        assert!(text(&output.stderr).starts_with(sentence), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(1));
    });
}
