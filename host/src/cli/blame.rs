//! What a person sees of a failure: what was not done, every reason, and what may help.
//!
//! Owns the first line and the hint. The reasons are the core's and the daemon's sentences, as they are.

use std::fmt;
use std::io::{self, Write};

use fulmar::api::Selection;
use fulmar::door::{Code, Problem, ProblemBody};
use fulmar_core::{Path, Reason};

use super::options::Ask;
use super::{one_line, show};

/// Tells why a command was not done: a person on standard error, a machine on standard output.
pub(super) fn tell(problem: &Problem, ask: &Ask, json: bool) {
    // Where the stream is closed, there is nobody to tell: the exit code remains.
    let _ = if json {
        let body = ProblemBody { error: problem.clone() };
        io::stdout().write_all(one_line(&body).as_bytes())
    } else {
        io::stderr().write_all(text(problem, ask).as_bytes())
    };
}

fn text(problem: &Problem, ask: &Ask) -> String {
    let mut text = format!("{}: {}\n", kind(problem.code), ask);
    for sentence in sentences(problem) {
        text += &format!("  {}\n", show::printable(sentence));
    }
    text + &hint(problem, ask).map_or_else(String::new, |hint| hint + "\n")
}

fn kind(code: Code) -> &'static str {
    match code {
        Code::Refused => "refused",
        Code::Unknown => "unknown",
        Code::Invalid => "invalid",
        Code::TooLarge => "too large",
        Code::Busy => "busy",
        Code::NoVerdict => "no verdict",
        Code::Unreachable => "no answer",
        Code::Failed | Code::Timeout | Code::UnknownPath | Code::UnknownMethod => "failed",
    }
}

/// The reasons; of a problem other than a refusal its message, without what the first line says.
fn sentences(problem: &Problem) -> Vec<&str> {
    if problem.reasons.is_empty() {
        let message = problem.message.as_str();
        return vec![message.strip_prefix("no verdict: ").unwrap_or(message)];
    }
    problem.reasons.iter().map(|reason| reason.sentence.as_str()).collect()
}

fn hint(problem: &Problem, ask: &Ask) -> Option<String> {
    match problem.code {
        Code::Refused => refusal_hint(problem, ask),
        Code::Unknown => Some(format!("see what there is: fulmar {}", ask.overview())),
        Code::Busy => Some("try again in a moment".to_owned()),
        // A preview asks the rules without a daemon.
        Code::NoVerdict if matches!(ask, Ask::Preview(_)) => None,
        Code::NoVerdict => Some("nothing was done; the daemon's log says more".to_owned()),
        Code::UnknownPath | Code::UnknownMethod => {
            Some("the daemon is of another version: fulmar --version".to_owned())
        }
        Code::Invalid | Code::TooLarge | Code::Failed | Code::Timeout | Code::Unreachable => None,
    }
}

/// Where to look: at the outermost domain that refuses, because its policies are shown with all those below.
fn refusal_hint(problem: &Problem, ask: &Ask) -> Option<String> {
    let reasons = || problem.reasons.iter().map(|explanation| &explanation.reason);
    if let Some(Reason::UnikernelExists { name }) = reasons().find(|r| matches!(r, Reason::UnikernelExists { .. })) {
        return Some(format!("see what runs: fulmar info {name}"));
    }
    let domains = reasons().filter_map(|reason| refusing_domain(reason, ask));
    let outermost = domains.min_by_key(|domain| domain.labels().count())?;
    Some(match outermost.is_root() {
        true => "see what is used: fulmar policy".to_owned(),
        false => format!("see what is used: fulmar policy {outermost}"),
    })
}

fn refusing_domain<'a>(reason: &'a Reason, ask: &'a Ask) -> Option<&'a Path> {
    match (reason, ask) {
        (Reason::Exceeds { domain, .. } | Reason::InUse { domain, .. }, _) => Some(domain),
        (Reason::Wider { above, .. }, _) => Some(above),
        (Reason::Narrower { .. }, Ask::AddPolicy(options)) => Some(&options.domain),
        _ => None,
    }
}

/// What was asked, in the words of the command line.
impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy { domain } if domain.is_root() => write!(f, "policy"),
            Self::Info { selection } if *selection == Selection::default() => write!(f, "info"),
            Self::AddPolicy(options) => write!(f, "add-policy {}", options.domain),
            Self::RemovePolicy { domain } => write!(f, "remove-policy {domain}"),
            Self::Policy { domain } => write!(f, "policy {domain}"),
            Self::Create(options) => write!(f, "create {}", options.name),
            Self::Destroy { name } => write!(f, "destroy {name}"),
            Self::Info { selection } => write!(f, "info {selection}"),
            Self::Console(options) => write!(f, "console {}", options.name),
            Self::Preview(options) => write!(f, "preview {}", options.plan.display()),
            Self::Snapshot { .. } => write!(f, "snapshot"),
        }
    }
}

impl Ask {
    /// The command that shows what this one could have been about.
    fn overview(&self) -> &'static str {
        match self {
            Self::AddPolicy(_)
            | Self::RemovePolicy { .. }
            | Self::Policy { .. }
            | Self::Preview(_)
            | Self::Snapshot { .. } => "policy",
            Self::Create(_) | Self::Destroy { .. } | Self::Info { .. } | Self::Console(_) => "info",
        }
    }
}

#[cfg(test)]
mod tests;
