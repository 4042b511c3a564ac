//! `fulmar preview`: what a plan would come to.
//!
//! Owns the order of things: read the plan, read the tree that it is tried on, ask, show. Every verdict is the policy module's, the
//! very one that the daemon asks; no daemon is needed, and nothing is changed. [`plan`] owns the file's form, [`report`] what a
//! person sees.

mod fields;
mod paper;
mod plan;
mod report;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path as FilePath;

use fulmar::door::{Code, Problem};
use fulmar::policy::{Limits, PolicyError, PolicyModule};
use fulmar_core::protocol::{DomainReport, Request, Response, Snapshot, StepVerdict};
use fulmar_core::{AfterRefusal, Path, Step};
use fulmar_wasm::codec::{self, Encoding, MESSAGE_BYTES_MAX};
use serde::Serialize;

use super::exit::Exit;
use super::options::PreviewOptions;
use super::{Stop, print};
use paper::Paper;
use plan::{PLAN_BYTES_MAX, Plan};

/// What the module may take here. One call restores a whole tree or tries a whole plan, so a call has a hundred times the work of
/// the daemon's, and all the memory that WebAssembly can have: nobody waits but who asked.
const LIMITS: Limits = Limits {
    memory_bytes: u32::MAX as usize,
    fuel_per_call: 200_000_000_000,
};

/// Previews; tells whether everything was admitted.
pub(super) fn run(json: bool, options: &PreviewOptions) -> Result<Exit, Stop> {
    let plan = read_plan(&options.plan)?;
    let snapshot = options.on.as_deref().map(read_snapshot).transpose()?;
    let answer = decide(&plan, snapshot, options.after_refusal())?;
    print(json, &answer, || {
        report::report(&plan, &answer.plan.verdicts, &answer.plan.domains, Paper::of_stdout())
    })?;
    let is_admitted = |verdict: &StepVerdict| matches!(verdict, StepVerdict::Admitted {});
    Ok(match answer.plan.verdicts.iter().all(is_admitted) {
        true => Exit::Done,
        false => Exit::Refused,
    })
}

/// What `--json` prints: the steps as they were asked, a unikernel for each of a `count`; and the module's answer to them.
#[derive(Serialize)]
struct Answer<'p> {
    steps: Vec<&'p Step>,
    plan: Outcome,
}

#[derive(Serialize)]
struct Outcome {
    verdicts: Vec<StepVerdict>,
    domains: Vec<DomainReport>,
}

fn decide(plan: &Plan, snapshot: Option<Snapshot>, after_refusal: AfterRefusal) -> Result<Answer<'_>, Problem> {
    let mut module = PolicyModule::embedded(LIMITS).map_err(no_verdict)?;
    if let Some(snapshot) = snapshot {
        restore(&mut module, snapshot)?;
    }
    let steps: Vec<_> = plan.steps().collect();
    let request = Request::Plan {
        steps: steps.iter().copied().cloned().collect(),
        after_refusal,
        look_at: Path::root(),
    };
    match module.ask(&request).map_err(no_verdict)? {
        Response::Plan { verdicts, domains } if verdicts.len() == steps.len() => Ok(Answer {
            steps,
            plan: Outcome { verdicts, domains },
        }),
        other => Err(unexpected(&other)),
    }
}

fn restore(module: &mut PolicyModule, snapshot: Snapshot) -> Result<(), Problem> {
    match module.ask(&Request::Restore { snapshot }).map_err(no_verdict)? {
        Response::Admitted {} => Ok(()),
        Response::Refused { reasons } => {
            let sentences: Vec<_> = reasons.into_iter().map(|reason| reason.sentence).collect();
            let sentence = format!("the snapshot contradicts itself: {}", sentences.join("; "));
            Err(Problem::invalid(sentence))
        }
        other => Err(unexpected(&other)),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn no_verdict(error: PolicyError) -> Problem {
    Problem::new(Code::NoVerdict, error.to_string())
}

fn unexpected(response: &Response) -> Problem {
    let mut answer = format!("{response:?}");
    answer.truncate(answer.char_indices().nth(80).map_or(answer.len(), |(end, _)| end));
    Problem::new(Code::NoVerdict, format!("the policy module answered {answer}"))
}

fn read_plan(path: &FilePath) -> Result<Plan, Problem> {
    let name = path.display();
    let bytes = read(path, "the plan", PLAN_BYTES_MAX)?;
    Plan::read(&bytes).map_err(|error| Problem::invalid(format!("`{name}`, {error}")))
}

fn read_snapshot(path: &FilePath) -> Result<Snapshot, Problem> {
    let name = path.display();
    let bytes = read(path, "the snapshot", MESSAGE_BYTES_MAX)?;
    codec::decode(&bytes, Encoding::Bincode)
        .map_err(|error| Problem::invalid(format!("`{name}` is no snapshot that can be read: {error}")))
}

/// Reads no more than the bound, of a pipe, too: `fulmar snapshot | fulmar preview PLAN --on /dev/stdin`.
fn read(path: &FilePath, what: &str, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let name = path.display();
    let unreadable = |error: io::Error| Problem::invalid(format!("cannot read {what} `{name}`: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > bytes_max {
        let sentence = format!("{what} `{name}` is too large: at most {bytes_max} bytes");
        return Err(Problem::new(Code::TooLarge, sentence));
    }
    Ok(bytes)
}
