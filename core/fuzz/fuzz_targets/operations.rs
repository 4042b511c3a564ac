//! Bytes as attempts: steps and loads on the tree and on the naive model, compared after each.
#![no_main]

use fulmar_core::{Fact, Step};
use libfuzzer_sys::fuzz_target;

mod attempt;
#[path = "../../tests/rules/model.rs"]
mod model;
#[path = "../../tests/rules/pair.rs"]
mod pair;

use attempt::Attempt;
use pair::Pair;

/// Enough for several domains that meet; the model counts everything afresh for every question, and more would only be slow.
const ATTEMPTS_MAX: usize = 32;

fuzz_target!(|bytes: &[u8]| {
    let attempts: Vec<_> = attempt::read(bytes).take(ATTEMPTS_MAX).collect();
    let mut pair = Pair::default();
    let loads_something = attempts.iter().any(|attempt| matches!(attempt, Attempt::Load(_)));
    // Steps between two loads are a plan: previewed as a whole, then taken.
    for part in attempts.chunk_by(|one, next| one.is_step() && next.is_step()) {
        match part {
            [Attempt::Load(fact)] => pair.load(fact),
            steps => pair.take_as_previewed(&steps.iter().filter_map(Attempt::step).collect::<Vec<Step>>()),
        }
    }
    pair.assert_same();
    if !loads_something {
        assert_eq!(pair.tree.audit(), []);
    }
    assert_empties(pair);
});

/// What was put in can be taken out again, whatever the limits, and nothing is left.
fn assert_empties(mut pair: Pair) {
    for fact in pair.tree.facts().into_iter().rev() {
        let step = match fact {
            Fact::Policy { domain, .. } => Step::RemovePolicy { domain },
            Fact::Block { name, .. } => Step::RemoveBlock { name },
            Fact::Unikernel { name, .. } => Step::RemoveUnikernel { name },
        };
        assert_eq!(pair.tree.take(step), Ok(()));
    }
    assert_eq!(pair.tree, fulmar_core::Tree::new());
}
