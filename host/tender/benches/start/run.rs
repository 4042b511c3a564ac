//! Starts programs, and takes the time until they end.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::machine;

/// The program that is measured.
pub(crate) const TENDER: &str = env!("CARGO_BIN_EXE_fulmar-tender");

/// The file of the unikernel hello.
pub(crate) fn hello(target: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/unikernels/dist");
    let hello = format!("{folder}/hello.{target}");
    let exists = Path::new(&hello).exists();
    assert!(exists, "run `cargo xtask unikernels`: {hello} is missing");
    hello
}

/// A program with its arguments.
pub(crate) struct Start {
    program: String,
    arguments: Vec<String>,
}

impl Start {
    pub(crate) fn program(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            arguments: vec![],
        }
    }

    /// The unikernel hello, which prints a line and ends.
    pub(crate) fn hello(target: &str, memory_mib: usize) -> Self {
        Self {
            program: TENDER.to_owned(),
            arguments: vec![format!("--mem={memory_mib}"), hello(target)],
        }
    }

    /// A machine that only stops.
    pub(crate) fn empty_machine(memory_mib: usize) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        Self {
            program: program.into_os_string().into_string().expect("cargo's paths are text"),
            arguments: vec![machine::ARGUMENT.to_owned(), memory_mib.to_string()],
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Runs it, and says how long that took.
    pub(crate) fn to_end(&self) -> Duration {
        let mut command = self.command();
        let started = Instant::now();
        let status = command.status().expect("it can be started");
        let took = started.elapsed();
        assert!(status.success(), "{}: {status}", self.program);
        took
    }

    /// Runs it held: how long until it is loaded, and from the word to go until its end.
    pub(crate) fn in_two_halves(&self) -> (Duration, Duration) {
        let (mut parent, child) = UnixStream::pair().expect("a pair of sockets");
        let mut command = Command::new(&self.program);
        command.arg("--hold").args(&self.arguments);
        command.stdin(OwnedFd::from(child)).stdout(Stdio::null());
        let started = Instant::now();
        let mut running = command.spawn().expect("it can be started");
        drop(command);
        parent.read_exact(&mut [0]).expect("it says when it is loaded");
        let loaded = started.elapsed();
        parent.write_all(b"x").expect("it waits for a word");
        let status = running.wait().expect("it ends");
        assert!(status.success(), "{}: {status}", self.program);
        (loaded, started.elapsed() - loaded)
    }
}
