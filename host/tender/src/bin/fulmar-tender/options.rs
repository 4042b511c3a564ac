//! The tender's command line: words in, one closed [`Invocation`] out.
//!
//! Opens nothing and looks nothing up. Accepts what `solo5-hvt` and `solo5-spt` accept.

pub(crate) mod device;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use device::{DeviceOptionError, DeviceOptions, Taken};
use fulmar_tender::{CommandLine, CommandLineError};

/// As Solo5.
const MEMORY_MIB_DEFAULT: u64 = 512;

/// What the tender is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    Help,
    Version,
    Run(RunOptions),
}

/// How to run which unikernel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RunOptions {
    pub(crate) memory_mib: u64,
    pub(crate) devices: DeviceOptions,
    pub(crate) start: Start,
    pub(crate) unikernel: PathBuf,
    pub(crate) command_line: CommandLine,
}

/// When the unikernel's first instruction runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// As soon as it is loaded.
    AtOnce,
    /// When the parent says so, see [`crate::hold`].
    Held,
}

/// Reads the arguments, without the program's name. Of an option given twice the last one counts.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Invocation, OptionsError> {
    let mut arguments = arguments;
    let (mut memory_mib, mut start) = (MEMORY_MIB_DEFAULT, Start::AtOnce);
    let mut devices = DeviceOptions::default();
    let unikernel = loop {
        let argument = arguments.next().ok_or(OptionsError::NoUnikernel)?;
        if argument == "--" {
            break arguments.next().ok_or(OptionsError::NoUnikernel)?;
        }
        if !argument.as_bytes().starts_with(b"-") {
            break argument;
        }
        if devices.take(&argument)? == Taken::Yes {
            continue;
        }
        match parse_option(&argument)? {
            Choice::Help => return Ok(Invocation::Help),
            Choice::Version => return Ok(Invocation::Version),
            Choice::Hold => start = Start::Held,
            Choice::Memory(mib) => memory_mib = mib,
        }
    };
    let command_line = CommandLine::join(arguments)?;
    Ok(Invocation::Run(RunOptions {
        memory_mib,
        devices,
        start,
        unikernel: PathBuf::from(unikernel),
        command_line,
    }))
}

enum Choice {
    Help,
    Version,
    Hold,
    Memory(u64),
}

fn parse_option(argument: &OsStr) -> Result<Choice, OptionsError> {
    let unknown = || OptionsError::Unknown(argument.display().to_string());
    let text = argument.to_str().ok_or_else(unknown)?;
    match text
        .split_once('=')
        .map_or((text, None), |(option, value)| (option, Some(value)))
    {
        ("--help", None) => Ok(Choice::Help),
        ("--version", None) => Ok(Choice::Version),
        ("--hold", None) => Ok(Choice::Hold),
        ("--mem", value) => parse_memory(value.unwrap_or_default()),
        _ => Err(unknown()),
    }
}

fn parse_memory(value: &str) -> Result<Choice, OptionsError> {
    let malformed = || OptionsError::Memory(value.to_owned());
    // `u64::from_str` would also take a sign.
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    match value.parse() {
        Ok(mib) if mib > 0 => Ok(Choice::Memory(mib)),
        _ => Err(malformed()),
    }
}

/// Why the command line is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OptionsError {
    #[error("no unikernel given; `fulmar-tender --help` shows how")]
    NoUnikernel,
    #[error("unknown option `{0}`; `fulmar-tender --help` lists them, and `--` ends them")]
    Unknown(String),
    #[error("`--mem={0}` is not a number of MiB, such as `--mem=32`")]
    Memory(String),
    #[error(transparent)]
    Device(#[from] DeviceOptionError),
    #[error(transparent)]
    CommandLine(#[from] CommandLineError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Invocation, String> {
        parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn run(memory_mib: u64, start: Start, unikernel: &str, arguments: &[&str]) -> Result<Invocation, String> {
        let command_line = CommandLine::join(arguments).unwrap();
        Ok(Invocation::Run(RunOptions {
            memory_mib,
            devices: DeviceOptions::default(),
            start,
            unikernel: unikernel.into(),
            command_line,
        }))
    }

    #[test]
    fn options_end_where_the_unikernel_begins() {
        assert_eq!(read(&["u"]), run(512, Start::AtOnce, "u", &[]));
        assert_eq!(
            read(&["--mem=32", "u", "--mem=9", "--", "x"]),
            run(32, Start::AtOnce, "u", &["--mem=9", "--", "x"])
        );
        assert_eq!(
            read(&["--hold", "--mem=1", "--mem=2", "--", "--u", "a"]),
            run(2, Start::Held, "--u", &["a"])
        );
    }

    #[test]
    fn options_of_devices_stand_between_the_others() {
        let Ok(Invocation::Run(options)) = read(&["--net:a=tap0", "--mem=9", "--block:b=x", "--", "u", "--net:c=d"])
        else {
            panic!("refused")
        };
        let named: Vec<_> = options.devices.named().map(|(_, name)| name).collect();
        assert_eq!((named, options.memory_mib), (vec!["b", "a"], 9));
        assert_eq!(options.command_line.as_bytes(), b"--net:c=d");
    }

    #[test]
    fn help_and_version_need_no_unikernel() {
        assert_eq!(read(&["--mem=1", "--help"]), Ok(Invocation::Help));
        assert_eq!(read(&["--version", "u"]), Ok(Invocation::Version));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let no_unikernel = "no unikernel given; `fulmar-tender --help` shows how";
        let cases: &[(&[&str], &str)] = &[
            (&[], no_unikernel),
            (&["--mem=1"], no_unikernel),
            (&["--"], no_unikernel),
            (
                &["-x", "u"],
                "unknown option `-x`; `fulmar-tender --help` lists them, and `--` ends them",
            ),
            (
                &["--hold=1"],
                "unknown option `--hold=1`; `fulmar-tender --help` lists them, and `--` ends them",
            ),
            (
                &["--tap:a=b"],
                "unknown option `--tap:a=b`; `fulmar-tender --help` lists them, and `--` ends them",
            ),
            (
                &["--mem", "32", "u"],
                "`--mem=` is not a number of MiB, such as `--mem=32`",
            ),
            (
                &["--mem=0", "u"],
                "`--mem=0` is not a number of MiB, such as `--mem=32`",
            ),
            (&["--mem=", "u"], "`--mem=` is not a number of MiB, such as `--mem=32`"),
            (
                &["--mem=+1", "u"],
                "`--mem=+1` is not a number of MiB, such as `--mem=32`",
            ),
            (
                &["--mem=1G", "u"],
                "`--mem=1G` is not a number of MiB, such as `--mem=32`",
            ),
            (
                &["--mem=18446744073709551616", "u"],
                "`--mem=18446744073709551616` is not a number of MiB, such as `--mem=32`",
            ),
        ];
        for (arguments, message) in cases {
            assert_eq!(read(arguments).unwrap_err(), *message, "for {arguments:?}");
        }
    }
}
