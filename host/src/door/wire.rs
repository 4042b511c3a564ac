//! The JSON bodies of the HTTP interface that are more than a type of [`api`](crate::api): both ends read and write these.
//!
//! Owns their shape. A list is a field of an object, so that something can be said beside it later.

use serde::{Deserialize, Serialize};

use crate::api::{ConsoleLine, PolicyInfo, UnikernelInfo};

/// Some policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// In order of their domains.
    pub policies: Vec<PolicyInfo>,
}

/// Some unikernels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unikernels {
    /// In order of their names.
    pub unikernels: Vec<UnikernelInfo>,
}

/// One line of a console's answer. That lines are missing is not said as a line of the console: a unikernel could write that
/// itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConsoleRecord {
    /// A line that the unikernel wrote.
    Line(ConsoleLine),
    /// The caller read too slowly.
    Dropped {
        /// How many lines it did not get here.
        dropped_lines: u64,
    },
}

/// What to read of a console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsoleQuery {
    /// Whether to wait for the lines to come.
    #[serde(default)]
    pub(crate) follow: bool,
    /// How many of the last lines to begin with; all that are kept where it is left out.
    #[serde(default)]
    pub(crate) lines: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_a_gap_are_told_apart() {
        let line = ConsoleRecord::Line(ConsoleLine {
            at_unix_ms: 7,
            line: "hello".to_owned(),
        });
        for (record, json) in [
            (line, r#"{"at_unix_ms":7,"line":"hello"}"#),
            (ConsoleRecord::Dropped { dropped_lines: 3 }, r#"{"dropped_lines":3}"#),
        ] {
            assert_eq!(serde_json::to_string(&record).unwrap(), json);
            assert_eq!(serde_json::from_str::<ConsoleRecord>(json).unwrap(), record);
        }
    }
}
