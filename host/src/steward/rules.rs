//! The policy module, asked by the steward.
//!
//! Owns that there is a verdict or nothing is done: where the module fails, it is restored from what the steward knows, and the
//! command that met the failure is refused. Keeps no state of the tree itself.

use fulmar_core::Fact;
use fulmar_core::protocol::{Request, Response};

use crate::api::Failure;
use crate::policy::PolicyModule;

/// The rules.
pub(super) struct Rules(PolicyModule);

impl Rules {
    pub(super) fn new(module: PolicyModule) -> Self {
        Self(module)
    }

    /// Asks for a verdict on a change; where it is admitted it is done, in the tree.
    pub(super) fn change(&mut self, request: &Request, known: impl FnOnce() -> Vec<Fact>) -> Result<(), Failure> {
        match self.ask(request, known)? {
            Response::Admitted {} => Ok(()),
            Response::Refused { reasons } => Err(Failure::Refused(reasons)),
            other => Err(no_verdict(&format!("a change was answered by {other:?}"))),
        }
    }

    /// Asks for an answer. Where there is none the module is restored from the known facts, for the next one who asks.
    pub(super) fn ask(&mut self, request: &Request, known: impl FnOnce() -> Vec<Fact>) -> Result<Response, Failure> {
        self.0.ask(request).map_err(|error| {
            tracing::error!(%error, "no verdict");
            self.restore(&known());
            no_verdict(&error)
        })
    }

    /// Puts known facts in place of whatever the module holds. Where that fails there are no verdicts until it succeeds.
    pub(super) fn restore(&mut self, known: &[Fact]) {
        match self.0.restore(known) {
            Ok(()) => tracing::info!(facts = known.len(), "the policy module holds what is known"),
            Err(error) => tracing::error!(%error, "the policy module cannot hold what is known: nothing is admitted"),
        }
    }
}

fn no_verdict(error: &impl ToString) -> Failure {
    Failure::NoVerdict(error.to_string())
}
