//! Exit codes: how a command ended, for scripts. All of them are here.
//!
//! Owns the numbers, which are kept from release to release, and their table in the help.

use std::process::ExitCode;

use fulmar::door::Code;

/// The table, as `--help` shows it.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  done
  1  allowed, but failed
  2  wrong words or values, or a file that cannot be read
  3  refused by the rules; of a preview: at least one step is
  4  no such policy or unikernel
  5  no daemon answered, or it had no verdict
  6  busy: asking again may help

With --json the answer, or what went wrong, is one line of JSON on standard output:
  {\"error\": {\"code\": \"refused\", \"message\": \"…\", \"reasons\": […]}}
Wrong words are always told on standard error.";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done.
    Done = 0,
    /// It is allowed, but failed.
    Failed = 1,
    /// The words or the values were wrong, or a file could not be read or understood. clap's own code, too.
    Usage = 2,
    /// The rules refuse it, or a step of what is previewed.
    Refused = 3,
    /// There is no such thing.
    Unknown = 4,
    /// Nobody could be asked, or there was no verdict: nothing is known.
    Unanswered = 5,
    /// Asking again may help.
    Busy = 6,
}

impl From<Code> for Exit {
    fn from(code: Code) -> Self {
        match code {
            Code::Refused => Self::Refused,
            Code::Unknown => Self::Unknown,
            Code::Invalid | Code::TooLarge => Self::Usage,
            Code::Busy => Self::Busy,
            Code::NoVerdict | Code::Unreachable => Self::Unanswered,
            // A path or a method that the daemon does not know: it is of another version.
            Code::Failed | Code::Timeout | Code::UnknownPath | Code::UnknownMethod => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_line_in_the_help() {
        for (exit, line) in [
            (Exit::Done, "0  done"),
            (Exit::Failed, "1  allowed"),
            (Exit::Usage, "2  wrong"),
            (Exit::Refused, "3  refused"),
            (Exit::Unknown, "4  no such"),
            (Exit::Unanswered, "5  no daemon"),
            (Exit::Busy, "6  busy"),
        ] {
            assert!(line.starts_with(&format!("{} ", exit as u8)));
            assert!(TABLE.contains(&format!("\n  {line}")), "{line}");
        }
    }

    #[test]
    fn refused_unknown_and_unanswered_are_told_apart() {
        for (code, exit) in [
            (Code::Refused, Exit::Refused),
            (Code::Unknown, Exit::Unknown),
            (Code::Invalid, Exit::Usage),
            (Code::Busy, Exit::Busy),
            (Code::NoVerdict, Exit::Unanswered),
            (Code::Unreachable, Exit::Unanswered),
            (Code::Failed, Exit::Failed),
        ] {
            assert_eq!(Exit::from(code), exit);
        }
    }
}
