//! Runs the built program, on files that tests make or on the test unikernels.
#![expect(unsafe_code, reason = "sets an alarm in the child, so that no test waits for ever")]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Lines, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread;

use fulmar_tender::Target;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::Signal;

/// No unikernel here runs longer, also on a busy machine: the kernel ends it then.
const SECONDS_MAX: u32 = 300;

/// The program with these words after its name.
pub(crate) fn tender(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fulmar-tender"));
    command.args(arguments).stdin(Stdio::null());
    // SAFETY: alarm(2) may be called between fork and exec, and the alarm outlives both.
    unsafe {
        command.pre_exec(|| {
            libc::alarm(SECONDS_MAX);
            Ok(())
        })
    };
    command
}

/// `command`, whose program gets a descriptor of this process under its number. It is marked so in the child only: in this
/// process it would for a moment be every other test's children's, too.
pub(crate) fn giving(mut command: Command, descriptor: impl AsFd) -> Command {
    let number = descriptor.as_fd().as_raw_fd();
    // SAFETY: fcntl(2) may be called between fork and exec, and in the child the descriptor is open as it is here.
    unsafe { command.pre_exec(move || Ok(fcntl_setfd(BorrowedFd::borrow_raw(number), FdFlags::empty())?)) };
    command
}

/// Sets the signals of a terminal to what they normally do: a shell lets what it starts in the background ignore `SIGINT`, the
/// tests among it, and an `spt` unikernel keeps what it inherits.
pub(crate) fn heed_signals(command: &mut Command) {
    // SAFETY: signal(2) may be called between fork and exec, and no handler is named.
    unsafe {
        command.pre_exec(|| {
            for number in [libc::SIGINT, libc::SIGTERM] {
                libc::signal(number, libc::SIG_DFL);
            }
            Ok(())
        });
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    tender(arguments).output().expect("the tender was built with its tests")
}

/// Tries a claim for every target that this machine can run.
pub(crate) fn on_each_target(claim: impl Fn(Target)) {
    for target in [Target::Spt, Target::Hvt] {
        println!("target {target}"); // shown if the claim does not hold
        if target == Target::Spt || has_kvm() {
            claim(target);
        }
    }
}

/// Whether there are virtual machines; says so if not.
pub(crate) fn has_kvm() -> bool {
    let opened = File::options().read(true).write(true).open("/dev/kvm");
    opened
        .map_err(|error| skip(&format!("/dev/kvm: {error}, so not tried for hvt")))
        .is_ok()
}

/// Says aloud that something is not tested. The harness keeps what `eprintln!` prints to itself.
pub(crate) fn skip(why: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(io::stderr(), "SKIPPED {test}: {why}");
}

/// The path of a test unikernel.
pub(crate) fn unikernel(name: &str, target: Target) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/unikernels/dist");
    let path = PathBuf::from(format!("{folder}/{name}.{target}"));
    assert!(
        path.exists(),
        "run `cargo xtask unikernels`: {} is missing",
        path.display()
    );
    path.into_os_string().into_string().unwrap()
}

/// The path of the test unikernel `hello`.
pub(crate) fn hello(target: Target) -> String {
    unikernel("hello", target)
}

/// A file of these bytes, there as long as the result lives.
pub(crate) fn file(bytes: &[u8]) -> tempfile::TempPath {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, bytes).unwrap();
    file.into_temp_path()
}

/// A file of so many bytes, all zero, there as long as the result lives.
pub(crate) fn disk(bytes: u64) -> tempfile::TempPath {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(bytes).unwrap();
    file.into_temp_path()
}

/// The signal that killed it.
pub(crate) fn signal(status: ExitStatus) -> Option<Signal> {
    status.signal().and_then(Signal::from_named_raw)
}

/// The tender itself fails: status 1, nothing on the console, one sentence on standard error.
#[track_caller]
pub(crate) fn check_refused(arguments: &[&str], sentence: &str) {
    check_command_refused(tender(arguments), sentence);
}

/// As [`check_refused`], of a command that was made ready otherwise.
#[track_caller]
pub(crate) fn check_command_refused(mut command: Command, sentence: &str) {
    let output = command.output().unwrap();
    assert_eq!(text(&output.stderr), format!("fulmar-tender: {sentence}\n"));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(1));
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// A unikernel that runs; killed at the end of the test.
pub(crate) struct Running {
    pub(crate) child: Child,
    console: Option<Lines<BufReader<ChildStdout>>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let console = child.stdout.take().map(|pipe| BufReader::new(pipe).lines());
        Self { child, console }
    }

    /// Waits for the next line on the console.
    pub(crate) fn line(&mut self) -> String {
        let console = self.console.as_mut().expect("the test still reads");
        console.next().expect("the unikernel prints one more line").unwrap()
    }

    /// Closes the console's only reading end.
    pub(crate) fn stop_reading(&mut self) {
        self.console = None;
    }

    /// Waits for its end; says how it ended, and what it said on standard error if that is a pipe.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        self.stop_reading();
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).unwrap();
        }
        (self.child.wait().unwrap(), said)
    }

    /// A value out of `/proc/PID/status`.
    pub(crate) fn status(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.expect("the kernel says it").trim().to_owned()
    }

    /// How long the process has used a processor, in ticks of 10 ms.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = stat[stat.rfind(')').unwrap()..].split(' ').collect();
        // After the name: `utime` and `stime`.
        fields[12..14].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// The open descriptors, as `number → what it is`, without the numbers of inodes.
    pub(crate) fn descriptors(&self) -> Vec<String> {
        let folder = format!("/proc/{}/fd", self.child.id());
        let numbers = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut numbers: Vec<u32> = numbers.map(|number| number.parse().unwrap()).collect();
        numbers.sort_unstable();
        let shown = |number: u32| {
            let target = fs::read_link(format!("{folder}/{number}")).unwrap();
            let target = target.to_str().unwrap();
            format!(
                "{number} {}",
                target.split_once(":[").map_or(target, |(kind, inode)| match kind {
                    "anon_inode" => inode.trim_end_matches(']'),
                    kind => kind,
                })
            )
        };
        numbers.into_iter().map(shown).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
