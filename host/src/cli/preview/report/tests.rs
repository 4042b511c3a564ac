//! What a person sees where it is not plain: many unikernels of which some fit, limits that are exceeded, domains without a policy.

use fulmar_core::protocol::{Request, Response, answer};
use fulmar_core::{AfterRefusal, Fact, Path, Tree};

use super::*;

const PAPER: Paper = Paper {
    is_unicode: true,
    is_coloured: false,
};

fn tried(tree: &mut Tree, plan: &str, after_refusal: AfterRefusal) -> String {
    let plan = Plan::read(plan.as_bytes()).unwrap();
    let request = Request::Plan {
        steps: plan.steps().cloned().collect(),
        after_refusal,
        look_at: Path::root(),
    };
    match answer(tree, request) {
        Response::Plan { verdicts, domains } => report(&plan, &verdicts, &domains, PAPER),
        other => panic!("{other:?}"),
    }
}

fn steps_of(report: &str) -> &str {
    report.split_once("\n\n").unwrap().0
}

fn loaded(json: &str) -> Tree {
    let facts: Vec<Fact> = serde_json::from_str(json).unwrap();
    let mut tree = Tree::new();
    facts.into_iter().for_each(|fact| tree.load(fact).unwrap());
    tree
}

const THREE_IN_ALICE: &str = r#"[
    {"policy": {"domain": "alice", "policy": {"unikernels": 3, "memory_mib": 96, "block_mib": null, "cpuids": [0], "bridges": []}}},
    {"unikernel": {"name": "alice:web-2", "unikernel": {"memory_mib": 32, "cpuids": [0]}}}
]"#;

const FOUR: &str = "[[step]]\nunikernel = 'alice:web'\ncount = 4\nmemory_mib = 32\ncpuids = '0'\n";

#[test]
fn of_many_the_first_refusal_and_those_behind_it_are_counted() {
    let mut tree = loaded(THREE_IN_ALICE);
    assert_eq!(
        steps_of(&tried(&mut tree, FOUR, AfterRefusal::Stop)),
        "\
1 ✗ unikernels alice:web-{1..4}  each 32 MiB; CPUs 0
    1 of 4 admitted, then refused, 2 not tried:
      there is a unikernel `alice:web-2` already"
    );
    assert_eq!(
        steps_of(&tried(&mut tree, FOUR, AfterRefusal::GoOn)),
        "\
1 ✗ unikernels alice:web-{1..4}  each 32 MiB; CPUs 0
    2 of 4 admitted, 2 refused:
    alice:web-2
      there is a unikernel `alice:web-2` already
    alice:web-4
      unikernels: `alice` allows 3, 3 in use, 1 asked: over by 1
      memory: `alice` allows 96 MiB, 96 in use, 32 asked: over by 32 MiB"
    );
}

#[test]
fn a_tree_that_exceeds_its_limits_is_drawn_as_it_is() {
    let mut tree = loaded(
        r#"[
        {"policy": {"domain": ":", "policy": {"unikernels": 1, "memory_mib": 100, "block_mib": null, "cpuids": [0], "bridges": []}}},
        {"policy": {"domain": "alice:bob", "policy": {"unikernels": 4, "memory_mib": 64, "block_mib": 8, "cpuids": [0, 1], "bridges": ["dmz"]}}},
        {"block": {"name": "alice:bob:data", "size_mib": 2}},
        {"unikernel": {"name": "alice:bob:one", "unikernel": {"memory_mib": 32, "cpuids": [1]}}},
        {"unikernel": {"name": "alice:bob:two", "unikernel": {"memory_mib": 32, "cpuids": [0]}}}
    ]"#,
    );
    assert_eq!(
        tried(
            &mut tree,
            "[[step]]\nremove_block = 'alice:bob:none'",
            AfterRefusal::Stop
        ),
        "\
1 ✗ remove block alice:bob:none
    refused:
      there is no block device `alice:bob:none`

1 step: 0 admitted, 1 refused

:
│ unikernels      ███████████████████  2 of 1         over by 1
│ memory          ████████████▏░░░░░░  64 of 100 MiB  36 left
│ block           ███████████████████  2 MiB of none  over by 2
│ CPUs            0; bridges none
│ hands on        4 of 1 unikernels: over-subscribed
│                 8 of no MiB block: over-subscribed
│                 64 of 100 MiB memory
└ alice  no policy of its own
  │ unikernels                         2 used         0 left, bound by the root
  │ memory                             64 MiB used    36 left, bound by the root
  │ block                              2 MiB used     0 left, bound by the root
  │ hands on      4 unikernels, 64 MiB memory, 8 MiB block
  └ bob
      unikernels  █████████▌░░░░░░░░░  2 of 4         0 left, bound by the root
      memory      ███████████████████  64 of 64 MiB   0 left
      block       ████▊░░░░░░░░░░░░░░  2 of 8 MiB     0 left, bound by the root
      CPUs        0 (bound by the root); bridges none (bound by the root)
"
    );
}

#[test]
fn words_go_to_the_next_line_where_one_is_full() {
    assert_eq!(fold("a bb ccc", 4), ["a bb", "ccc"]);
    assert_eq!(fold("abcdef g", 4), ["abcdef", "g"]);
    assert_eq!(fold("", 4), [""]);
    assert_eq!(fold_between_parts("a b; c d; e", 8), ["a b;", "c d; e"]);
    assert_eq!(fold_between_parts("a b c d e; f", 5), ["a b c", "d e;", "f"]);
}
