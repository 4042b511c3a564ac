//! Runs the built program, on files that tests make or on the test unikernels.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use crate::elf::Unikernel;

/// The program with these words after its name.
pub(crate) fn tender(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fulmar-tender"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    tender(arguments).output().expect("the tender was built with its tests")
}

/// The path of the test unikernel `hello`.
pub(crate) fn hello() -> String {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/unikernels/dist/hello.spt"
    ));
    assert!(
        path.exists(),
        "run `cargo xtask unikernels`: {} is missing",
        path.display()
    );
    path.into_os_string().into_string().unwrap()
}

/// A file of these bytes, there as long as the result lives.
pub(crate) fn file(bytes: &[u8]) -> tempfile::TempPath {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, bytes).unwrap();
    file.into_temp_path()
}

/// Runs a unikernel made of machine code.
pub(crate) fn run_code(text: Vec<u8>, data: Vec<u8>) -> Output {
    let path = file(
        &Unikernel {
            text,
            data,
            ..Unikernel::default()
        }
        .file(),
    );
    run(&["--mem=2", path.to_str().unwrap()])
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

    /// A value out of `/proc/PID/status`.
    pub(crate) fn status(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.expect("the kernel says it").trim().to_owned()
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
