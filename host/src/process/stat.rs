//! What the kernel says of a process: `/proc/PID/stat`.
//!
//! Owns that file's grammar. A process chooses its own name, which stands in the middle of it.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::process::Pid;

/// The fields that tell one process from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Whether it has not ended. One that nobody has waited for is still listed.
    pub(super) is_alive: bool,
    /// When it was started, in clock ticks since the host was (field 22).
    pub(super) start_ticks: u64,
}

/// Reads it; `None` where there is no such process.
pub(super) fn read(pid: Pid) -> io::Result<Option<Stat>> {
    match fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())) {
        Ok(stat) => parse(&stat).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // It ended while the file was open.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(stat: &[u8]) -> io::Result<Stat> {
    let text = String::from_utf8_lossy(stat);
    fields(&text).ok_or_else(|| io::Error::other(format!("the kernel wrote no process: `{}`", text.escape_debug())))
}

/// Fields are counted from 1; the second is the name in parentheses, and may hold blanks and parentheses itself.
fn fields(text: &str) -> Option<Stat> {
    let (_, behind_name) = text.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace();
    let state = fields.next()?;
    let start_ticks = fields.nth(22 - 4)?.parse().ok()?;
    Some(Stat {
        is_alive: !matches!(state, "Z" | "X" | "x"),
        start_ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_found_behind_any_name() {
        let rest = "1 7 7 0 -1 4194304 90 0 0 0 0 0 0 0 20 0 1 0 123456 2363392 200 18446744073709551615";
        for (name, state, is_alive) in [
            ("fulmar-tender", "S", true),
            ("a b", "R", true),
            ("a) S 1 (b", "Z", false),
            (")", "X", false),
            ("(", "D", true),
            ("a\nb", "t", true),
        ] {
            let stat = parse(format!("7 ({name}) {state} {rest}\n").as_bytes()).unwrap();
            let start_ticks = 123_456;
            assert_eq!(stat, Stat { is_alive, start_ticks }, "{name}");
        }
    }

    #[test]
    fn what_is_no_process_is_refused() {
        for text in [
            "",
            "7 (a",
            "7 (a) S 1 2 3",
            "7 (a) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 soon",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn this_process_is_alive() {
        let stat = read(rustix::process::getpid()).unwrap().unwrap();
        assert!(stat.is_alive && stat.start_ticks > 0);
    }
}
