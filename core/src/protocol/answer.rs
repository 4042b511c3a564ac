//! Who answers: the tree, request by request.

use alloc::vec::Vec;

use super::{Explanation, Request, Response, Snapshot, StepVerdict, report};
use crate::{AfterRefusal, Path, Reason, Refusal, Step, Tree, Verdict};

/// Answers a request. Only `insert_…`, `remove_…`, `load` and `restore` change the tree.
pub fn answer(tree: &mut Tree, request: Request) -> Response {
    match request {
        Request::CheckUnikernel { name, unikernel } => verdict(tree.check_unikernel(&name, &unikernel)),
        Request::InsertUnikernel { name, unikernel } => verdict(tree.insert_unikernel(&name, unikernel)),
        Request::RemoveUnikernel { name } => verdict(tree.remove_unikernel(&name)),
        Request::CheckBlock { name, size_mib } => verdict(tree.check_block(&name, size_mib)),
        Request::InsertBlock { name, size_mib } => verdict(tree.insert_block(&name, size_mib)),
        Request::RemoveBlock { name } => verdict(tree.remove_block(&name)),
        Request::CheckPolicy { domain, policy } => verdict(tree.check_policy(&domain, &policy)),
        Request::InsertPolicy { domain, policy } => verdict(tree.insert_policy(&domain, policy)),
        Request::RemovePolicy { domain } => verdict(tree.remove_policy(&domain)),
        Request::FindUnikernel { name } => Response::Unikernel {
            unikernel: tree.find_unikernel(&name).cloned(),
        },
        Request::FindBlock { name } => Response::Block {
            block: tree.find_block(&name).cloned(),
        },
        Request::FindPolicy { domain } => Response::Policy {
            policy: tree.find_policy(&domain).cloned(),
        },
        Request::Usage { domain } => Response::Usage {
            usage: tree.usage(&domain),
        },
        Request::Load { facts } => verdict(facts.into_iter().try_for_each(|fact| tree.load(fact))),
        Request::Headroom { domain } => Response::Headroom {
            headroom: tree.headroom(&domain),
        },
        Request::HowManyFit { domain, unikernel } => {
            let fit = tree.how_many_fit(&domain, &unikernel);
            Response::Fit {
                count: fit.count,
                then: explain(&fit.then),
            }
        }
        Request::HandedOn { domain } => Response::HandedOn {
            handed_on: tree.handed_on(&domain),
        },
        Request::Walk { domain } => Response::Domains {
            domains: report::walk(tree, &domain),
        },
        Request::Audit {} => Response::Audit {
            findings: tree.audit().into_iter().map(Explanation::from).collect(),
        },
        Request::Plan {
            steps,
            after_refusal,
            look_at,
        } => plan(tree, steps, after_refusal, &look_at),
        Request::Snapshot {} => Response::Snapshot {
            snapshot: Snapshot::of(tree),
        },
        Request::Restore { snapshot } => verdict(snapshot.restored().map(|restored| *tree = restored)),
    }
}

fn plan(tree: &mut Tree, steps: Vec<Step>, after_refusal: AfterRefusal, look_at: &Path) -> Response {
    let (verdicts, domains) = tree.preview(steps, after_refusal, |after| report::walk(after, look_at));
    let verdicts = verdicts.into_iter().map(|verdict| match verdict {
        Verdict::Admitted => StepVerdict::Admitted {},
        Verdict::Refused(refusal) => StepVerdict::Refused {
            reasons: explain(refusal.reasons()),
        },
        Verdict::NotTried => StepVerdict::NotTried {},
    });
    Response::Plan {
        verdicts: verdicts.collect(),
        domains,
    }
}

fn verdict<T>(outcome: Result<T, Refusal>) -> Response {
    match outcome {
        Ok(_) => Response::Admitted {},
        Err(refusal) => Response::Refused {
            reasons: explain(refusal.reasons()),
        },
    }
}

fn explain(reasons: &[Reason]) -> Vec<Explanation> {
    reasons.iter().cloned().map(Explanation::from).collect()
}
