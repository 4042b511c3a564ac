//! The recorded messages in `tests/vectors/messages.jsonl`: requests of every kind, wrong ones too, each with the answer that every face
//! must give, as JSON text.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One line of the recording: a new, empty tree, and what it is about; or something asked, and its answer.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What the requests that follow have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    /// A request, or what differs from one in a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Box<RawValue>>,
    /// A text that is no request, or not even JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Box<RawValue>>,
}

impl Line {
    /// The text that is asked; `None` where a new tree begins.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        self.request.as_deref().map(RawValue::get).or(self.text.as_deref())
    }

    /// The JSON text of the recorded answer.
    #[must_use]
    pub fn response(&self) -> Option<&str> {
        self.response.as_deref().map(RawValue::get)
    }

    /// Records another answer.
    ///
    /// # Panics
    /// Where it is no JSON.
    pub fn record(&mut self, answer: &str) {
        self.response = Some(RawValue::from_string(answer.to_owned()).expect("an answer is JSON"));
    }
}

/// Where the recording is.
#[must_use]
pub fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/messages.jsonl")
}

/// All recorded messages.
///
/// # Panics
/// Where the recording is missing or damaged.
#[must_use]
pub fn recorded() -> Vec<Line> {
    let text = fs::read_to_string(file()).expect("the recording");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a message a line"))
        .collect()
}
