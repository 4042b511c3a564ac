//! The options about devices: which name gets which tap or file, and with what properties.
//!
//! Knows no manifest, so not which devices a unikernel declares; and opens nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use fulmar_tender::DeviceKind;

/// As in a manifest, where a NUL follows.
const NAME_BYTES_MAX: usize = 67;
/// What is open in every process; standard output and error stay the console.
const STANDARD_DESCRIPTORS: RawFd = 3;
const SECTOR_BYTES_MIN: u16 = 512;

/// What was given for devices, by name. Of an option given twice the last one counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DeviceOptions {
    pub(crate) blocks: BTreeMap<String, BlockOptions>,
    pub(crate) nets: BTreeMap<String, NetOptions>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockOptions {
    pub(crate) source: Option<Source>,
    pub(crate) sector_bytes: Option<u16>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NetOptions {
    pub(crate) source: Option<Source>,
    pub(crate) mac: Option<[u8; 6]>,
}

/// What is to be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The tap of this name, or the file at this path.
    Name(OsString),
    /// What the parent has opened.
    Descriptor(RawFd),
}

impl DeviceOptions {
    /// Takes an option if it is about a device.
    ///
    /// # Errors
    /// It is, and says nothing that can be meant.
    pub(crate) fn take(&mut self, argument: &OsStr) -> Result<Taken, DeviceOptionError> {
        let Some((option, rest)) = split(argument.as_bytes(), b':') else {
            return Ok(Taken::No);
        };
        if !matches!(option, b"--net" | b"--net-mac" | b"--block" | b"--block-sector-size") {
            return Ok(Taken::No);
        }
        let no_value = || DeviceOptionError::NoValue(argument.display().to_string());
        let (name, value) = split(rest, b'=').ok_or_else(no_value)?;
        let name = parse_name(name).ok_or_else(|| DeviceOptionError::Name(argument.display().to_string()))?;
        match option {
            b"--net" => self.net(name).source = Some(parse_source(argument, value)?),
            b"--net-mac" => self.net(name).mac = parse_mac(argument, value)?,
            b"--block" => self.block(name).source = Some(parse_source(argument, value)?),
            _ => self.block(name).sector_bytes = Some(parse_sector(argument, value)?),
        }
        Ok(Taken::Yes)
    }

    fn net(&mut self, name: String) -> &mut NetOptions {
        self.nets.entry(name).or_default()
    }

    fn block(&mut self, name: String) -> &mut BlockOptions {
        self.blocks.entry(name).or_default()
    }

    /// Everything that was said something about.
    pub(crate) fn named(&self) -> impl Iterator<Item = (DeviceKind, &str)> {
        let blocks = self.blocks.keys().map(|name| (DeviceKind::Block, name.as_str()));
        let nets = self.nets.keys().map(|name| (DeviceKind::Net, name.as_str()));
        blocks.chain(nets)
    }

    /// What was given for a device, if anything.
    pub(crate) fn source(&self, kind: DeviceKind, name: &str) -> Option<&Source> {
        match kind {
            DeviceKind::Block => self.blocks.get(name)?.source.as_ref(),
            DeviceKind::Net => self.nets.get(name)?.source.as_ref(),
        }
    }
}

/// Whether an option was about a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    No,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{}`", name.display()),
            Self::Descriptor(number) => write!(f, "descriptor {number}"),
        }
    }
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = bytes.iter().position(|&byte| byte == at)?;
    Some((&bytes[..index], &bytes[index + 1..]))
}

fn parse_name(name: &[u8]) -> Option<String> {
    let is_valid = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.iter().all(u8::is_ascii_alphanumeric);
    is_valid.then(|| String::from_utf8_lossy(name).into_owned())
}

fn parse_source(argument: &OsStr, value: &[u8]) -> Result<Source, DeviceOptionError> {
    match value {
        [] => Err(DeviceOptionError::NoValue(argument.display().to_string())),
        [b'@', number @ ..] => {
            let number: Option<RawFd> = digits(number).and_then(|number| number.parse().ok());
            match number.filter(|number| *number >= STANDARD_DESCRIPTORS) {
                Some(number) => Ok(Source::Descriptor(number)),
                None => Err(DeviceOptionError::Descriptor(argument.display().to_string())),
            }
        }
        name => Ok(Source::Name(OsString::from_vec(name.to_vec()))),
    }
}

/// Six pairs of hexadecimal digits. The address of only zeros stands for none, as under Solo5's tenders.
fn parse_mac(argument: &OsStr, value: &[u8]) -> Result<Option<[u8; 6]>, DeviceOptionError> {
    let wrong = || DeviceOptionError::Mac(argument.display().to_string());
    let mut mac = [0; 6];
    let mut pairs = value.split(|&byte| byte == b':');
    for byte in &mut mac {
        let pair = pairs
            .next()
            .filter(|pair| (1..=2).contains(&pair.len()))
            .ok_or_else(wrong)?;
        let digits = pair.iter().map(|&digit| {
            char::from(digit)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        });
        *byte = digits
            .reduce(|high, low| Some(high? << 4 | low?))
            .flatten()
            .ok_or_else(wrong)?;
    }
    // A frame cannot come from a group of stations.
    if pairs.next().is_some() || mac[0] & 1 == 1 {
        return Err(wrong());
    }
    Ok((mac != [0; 6]).then_some(mac))
}

fn parse_sector(argument: &OsStr, value: &[u8]) -> Result<u16, DeviceOptionError> {
    let number: Option<u16> = digits(value).and_then(|number| number.parse().ok());
    number
        .filter(|bytes| bytes.is_power_of_two() && *bytes >= SECTOR_BYTES_MIN)
        .ok_or_else(|| DeviceOptionError::Sector(argument.display().to_string()))
}

/// Only digits: the library's numbers may also have a sign.
fn digits(value: &[u8]) -> Option<&str> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| str::from_utf8(value).ok()).flatten()
}

/// Why an option about a device is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeviceOptionError {
    #[error("`{0}` has no value; the form is `--net:NAME=TAP` or `--block:NAME=FILE`")]
    NoValue(String),
    #[error("`{0}`: the name of a device is 1 to {NAME_BYTES_MAX} ASCII letters and digits")]
    Name(String),
    #[error("`{0}`: `@` is followed by the number of an open descriptor, {STANDARD_DESCRIPTORS} or higher")]
    Descriptor(String),
    #[error("`{0}` is not a MAC address of one station, such as `02:00:00:00:00:01`")]
    Mac(String),
    // As Solo5's tenders say it.
    #[error("`{0}`: Block size must be a multiple of 2 greater than or equal 512, and at most 32768")]
    Sector(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(arguments: &[&str]) -> Result<DeviceOptions, String> {
        let mut options = DeviceOptions::default();
        for argument in arguments {
            match options.take(OsStr::new(argument)) {
                Ok(taken) => assert_eq!(taken, Taken::Yes, "{argument}"),
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(options)
    }

    fn named(name: &str) -> Option<Source> {
        Some(Source::Name(name.into()))
    }

    #[test]
    fn options_of_one_device_come_in_any_order_and_the_last_counts() {
        let options = take(&[
            "--net-mac:a=2:0:0:0:0:1f",
            "--block-sector-size:a=4096",
            "--net:a=tap9",
            "--net:a=tap0",
            "--block:a=a disk=1.img",
            "--block:b=@17",
            "--net-mac:b=00:00:00:00:00:00",
        ])
        .unwrap();
        assert_eq!(options.nets["a"].source, named("tap0"));
        assert_eq!(options.nets["a"].mac, Some([2, 0, 0, 0, 0, 0x1f]));
        assert_eq!(options.nets["b"], NetOptions::default(), "only zeros are no address");
        assert_eq!(options.blocks["a"].source, named("a disk=1.img"));
        assert_eq!(options.blocks["a"].sector_bytes, Some(4096));
        assert_eq!(options.source(DeviceKind::Block, "b"), Some(&Source::Descriptor(17)));
        let all: Vec<_> = options.named().map(|(kind, name)| format!("{kind} {name}")).collect();
        assert_eq!(all, ["block a", "block b", "network a", "network b"]);
    }

    #[test]
    fn a_path_need_not_be_text() {
        let mut options = DeviceOptions::default();
        options.take(OsStr::from_bytes(b"--block:a=\xff")).unwrap();
        assert_eq!(
            options.blocks["a"].source,
            Some(Source::Name(OsStr::from_bytes(b"\xff").into()))
        );
    }

    #[test]
    fn other_options_are_not_taken() {
        for argument in ["--mem=1", "--nets:a=b", "--hold", "net:a=b", "--net", "--net=a", ""] {
            let taken = DeviceOptions::default().take(OsStr::new(argument));
            assert_eq!(taken, Ok(Taken::No), "{argument}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let no_value = "has no value; the form is `--net:NAME=TAP` or `--block:NAME=FILE`";
        for argument in ["--net:a", "--net:a=", "--block:a", "--block:a="] {
            assert_eq!(take(&[argument]), Err(format!("`{argument}` {no_value}")));
        }
        let name = "the name of a device is 1 to 67 ASCII letters and digits";
        for argument in [
            "--net:=tap0",
            "--net:a-b=tap0",
            "--block:a b=x",
            &format!("--net:{}=t", "a".repeat(68)),
        ] {
            assert_eq!(take(&[argument]), Err(format!("`{argument}`: {name}")));
        }
        let descriptor = "`@` is followed by the number of an open descriptor, 3 or higher";
        for argument in [
            "--net:a=@",
            "--net:a=@2",
            "--block:a=@-1",
            "--block:a=@3x",
            "--net:a=@2147483648",
        ] {
            assert_eq!(take(&[argument]), Err(format!("`{argument}`: {descriptor}")));
        }
        let mac = "is not a MAC address of one station, such as `02:00:00:00:00:01`";
        for value in [
            "",
            "2:0:0:0:0",
            "2:0:0:0:0:0:0",
            "2:0:0:0:0:g",
            "2:0:0:0:0:",
            "200:0:0:0:0:1",
            "01:0:0:0:0:1",
        ] {
            let argument = format!("--net-mac:a={value}");
            assert_eq!(take(&[&argument]), Err(format!("`{argument}` {mac}")));
        }
        let sector = "Block size must be a multiple of 2 greater than or equal 512, and at most 32768";
        for value in ["", "0", "256", "511", "1000", "65536", "+512", "4k"] {
            let argument = format!("--block-sector-size:a={value}");
            assert_eq!(take(&[&argument]), Err(format!("`{argument}`: {sector}")));
        }
    }
}
