//! Placeholder.
use crate::{
    step::{Failure, Steps},
    workspace::Workspace,
};
pub(crate) fn run(_: &Workspace, _: &mut Steps, _: bool) -> Result<(), Failure> {
    Err(Failure::new("demo", "not yet"))
}
