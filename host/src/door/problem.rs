//! Problems: what a caller is told when nothing was done.
//!
//! Owns the codes, which are kept from release to release, and their HTTP statuses. Which problem it is was decided before: by
//! the steward (a [`Failure`]), or by the door where the bytes made no command.

use std::fmt;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fulmar_core::Reason;
use fulmar_core::protocol::Explanation;
use serde::{Deserialize, Serialize};

use crate::api::Failure;

/// What kind of problem it is, for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The rules refuse it; every reason is given.
    Refused,
    /// There is no such policy or unikernel.
    Unknown,
    /// The request makes no sense.
    Invalid,
    /// The request is larger than it may be.
    TooLarge,
    /// Asking again may help.
    Busy,
    /// The policy module gave no verdict, so nothing was done.
    NoVerdict,
    /// It is allowed, but could not be done.
    Failed,
    /// The request did not arrive in time.
    Timeout,
    /// The interface has no such path.
    UnknownPath,
    /// The path has no such method.
    UnknownMethod,
    /// No daemon answered. Only said by the command line.
    Unreachable,
}

impl Code {
    /// The status of an answer with this code.
    fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Unknown | Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::UnknownMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Refused => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::LOCKED,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoVerdict | Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of problem it is.
    pub code: Code,
    /// One sentence, with the way out where there is one.
    pub message: String,
    /// Every reason of a refusal; empty for any other problem.
    #[serde(default)]
    pub reasons: Vec<Explanation>,
}

impl Problem {
    /// A problem other than a refusal.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            reasons: Vec::new(),
        }
    }

    /// What was asked makes no sense.
    pub fn invalid(error: impl fmt::Display) -> Self {
        Self::new(Code::Invalid, error.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        if let Failure::Refused(reasons) = &failure
            && let [only] = reasons.as_slice()
            && is_unknown(&only.reason)
        {
            return Self::new(Code::Unknown, &only.sentence);
        }
        let message = failure.to_string();
        let (code, reasons) = match failure {
            Failure::Refused(reasons) => (Code::Refused, reasons),
            Failure::Unknown(_) => (Code::Unknown, Vec::new()),
            Failure::Invalid(_) => (Code::Invalid, Vec::new()),
            Failure::Busy(_) => (Code::Busy, Vec::new()),
            Failure::NoVerdict(_) => (Code::NoVerdict, Vec::new()),
            Failure::Failed(_) => (Code::Failed, Vec::new()),
        };
        Self { code, message, reasons }
    }
}

/// Whether the rules refuse only because what is to be taken away is not there: for a caller that is no matter of rules.
fn is_unknown(reason: &Reason) -> bool {
    matches!(reason, Reason::PolicyUnknown { .. } | Reason::UnikernelUnknown { .. })
}

/// A problem as JSON: `{"error": {"code": …, "message": …, "reasons": […]}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemBody {
    /// The problem.
    pub error: Problem,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.code.status(), Json(ProblemBody { error: self })).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_code_and_its_status() {
        for (failure, code, status) in [
            (Failure::Refused(Vec::new()), "refused", 409),
            (Failure::Unknown(String::new()), "unknown", 404),
            (Failure::Invalid(String::new()), "invalid", 400),
            (Failure::Busy(String::new()), "busy", 423),
            (Failure::NoVerdict(String::new()), "no-verdict", 503),
            (Failure::Failed(String::new()), "failed", 500),
        ] {
            let problem = Problem::from(failure);
            assert_eq!(serde_json::to_value(problem.code).unwrap(), code);
            assert_eq!(problem.code.status(), status);
        }
    }

    #[test]
    fn what_the_rules_do_not_know_is_unknown_and_not_refused() {
        let reason = Reason::PolicyUnknown {
            domain: "alice".parse().unwrap(),
        };
        let problem = Problem::from(Failure::Refused(vec![reason.into()]));
        assert_eq!(problem, Problem::new(Code::Unknown, "`alice` has no policy of its own"));
    }
}
