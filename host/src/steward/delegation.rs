//! Policies: given, taken away, listed.
//!
//! Owns that a policy is in the tree and in the ledger, or in neither; and what removing the root's means. What may be given is
//! the rules' decision.

use fulmar_core::protocol::{Request, Response};
use fulmar_core::{Path, Policy, Usage};

use super::task::Task;
use crate::api::{Answer, Failure, Outcome, PolicyInfo};
use crate::ledger::Change;

impl Task {
    pub(super) async fn add_policy(&mut self, domain: Path, policy: Policy) -> Outcome {
        self.change(&Request::InsertPolicy {
            domain: domain.clone(),
            policy: policy.clone(),
        })?;
        self.record_or_restore(Change::PutPolicy {
            domain: domain.clone(),
            policy: policy.clone(),
        })
        .await?;
        tracing::info!(%domain, "policy added");
        self.policies.insert(domain, policy);
        Ok(Answer::Done)
    }

    pub(super) async fn remove_policy(&mut self, domain: Path) -> Outcome {
        self.change(&self.removal(&domain)?)?;
        self.record_or_restore(Change::RemovePolicy { domain: domain.clone() })
            .await?;
        tracing::info!(%domain, "policy removed");
        self.policies.remove(&domain);
        Ok(Answer::Done)
    }

    /// The root always has a policy: without an operator's it is what the host has.
    fn removal(&self, domain: &Path) -> Result<Request, Failure> {
        let domain = domain.clone();
        if !domain.is_root() {
            return Ok(Request::RemovePolicy { domain });
        }
        if !self.policies.contains_key(&domain) {
            return Err(Failure::Invalid(
                "the root's policy is what the host has, and stays: give the root another one to narrow it".to_owned(),
            ));
        }
        let policy = self.host_policy.clone();
        Ok(Request::InsertPolicy { domain, policy })
    }

    /// Records what the tree has taken in. Where that fails the tree is made as it was.
    async fn record_or_restore(&mut self, change: Change) -> Result<(), Failure> {
        let recorded = self.record(change).await;
        if recorded.is_err() {
            self.restore();
        }
        recorded
    }

    pub(super) fn policies(&mut self, below: &Path) -> Outcome {
        let mut policies = Vec::new();
        for (domain, policy) in self.policies_below(below) {
            let usage = self.usage(&domain)?;
            policies.push(PolicyInfo { domain, policy, usage });
        }
        Ok(Answer::Policies(policies))
    }

    /// In order; the root's is the host's where it has no other.
    fn policies_below(&self, below: &Path) -> Vec<(Path, Policy)> {
        let root = Path::root();
        let host = below.is_root() && !self.policies.contains_key(&root);
        let host = host.then(|| (root, self.host_policy.clone()));
        let given = self.policies.iter().filter(|(domain, _)| below.contains(domain));
        host.into_iter()
            .chain(given.map(|(domain, policy)| (domain.clone(), policy.clone())))
            .collect()
    }

    fn usage(&mut self, domain: &Path) -> Result<Usage, Failure> {
        let request = Request::Usage { domain: domain.clone() };
        match self.ask(&request)? {
            Response::Usage { usage } => Ok(usage),
            other => Err(Failure::NoVerdict(format!("usage was answered by {other:?}"))),
        }
    }
}
