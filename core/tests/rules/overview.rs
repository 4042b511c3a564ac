//! The tree as a whole: audit, walk, print, difference.

use crate::fixture::{cpus, name, path, policy, size, tree, unikernel, with_blocks, with_bridge};
use fulmar_core::{Difference, Fact, Policy, Tree};

/// Policies of `:`, `alice` and `alice:bob`; a unikernel with devices, one without; one in a domain without a policy.
fn small_world() -> Tree {
    let mut tree = tree(&[(":", policy(16, 4096)), ("alice", policy(2, 512))]);
    let narrow = Policy {
        block_mib: None,
        cpuids: cpus(&[]),
        bridges: fulmar_core::BridgeSet::default(),
        ..policy(0, 0)
    };
    tree.insert_policy(&path("alice:bob"), narrow).unwrap();
    tree.insert_block(&name("alice:d1"), size(10)).unwrap();
    tree.insert_block(&name("alice:d0"), size(5)).unwrap();
    let web = with_bridge(with_blocks(unikernel(64), &["d1"]), "dmz");
    tree.insert_unikernel(&name("alice:web"), web).unwrap();
    tree.insert_unikernel(&name("carol:team:mail"), unikernel(32)).unwrap();
    tree
}

#[test]
fn a_tree_is_printed_a_line_a_thing() {
    assert_eq!(
        small_world().print(&path(":")).to_string(),
        "\
:  2 of 16 unikernels, 96 of 4096 MiB memory, 15 of 100 MiB block, cpuids 0, 1, bridges dmz
  alice  1 of 2 unikernels, 64 of 512 MiB memory, 15 of 100 MiB block, cpuids 0, 1, bridges dmz
    block d0: 5 MiB
    block d1: 10 MiB, used by web
    unikernel web: 64 MiB memory, cpuids 0, block blk0=d1, bridges dmz
    bob  0 of 0 unikernels, 0 of 0 MiB memory, no block, no cpuids, no bridges
  carol  1 unikernels, 32 MiB memory, 0 MiB block, no policy
    team  1 unikernels, 32 MiB memory, 0 MiB block, no policy
      unikernel mail: 32 MiB memory, cpuids 0
"
    );
}

#[test]
fn a_subtree_is_printed_under_its_whole_path() {
    let text = small_world().print(&path("carol:team")).to_string();
    assert_eq!(
        text,
        "carol:team  1 unikernels, 32 MiB memory, 0 MiB block, no policy\n  unikernel mail: 32 MiB memory, cpuids 0\n"
    );
    assert_eq!(small_world().print(&path("nobody")).to_string(), "");
}

#[test]
fn a_walk_meets_each_domain_right_before_those_below() {
    let tree = small_world();
    let paths: Vec<_> = tree
        .domains(&path(":"))
        .map(|domain| domain.path().to_string())
        .collect();
    assert_eq!(paths, [":", "alice", "alice:bob", "carol", "carol:team"]);
    let alice = tree.domains(&path("alice")).next().unwrap();
    assert_eq!(alice.policy(), Some(&policy(2, 512)));
    assert_eq!(alice.usage().memory_mib, 64.into());
    assert_eq!(
        alice
            .unikernels()
            .into_iter()
            .map(|(label, _)| label.as_str())
            .collect::<Vec<_>>(),
        ["web"]
    );
    assert_eq!(
        alice.blocks().map(|(label, _)| label.as_str()).collect::<Vec<_>>(),
        ["d0", "d1"]
    );
    assert_eq!(tree.domains(&path("nobody")).count(), 0);
}

#[test]
fn a_tree_that_was_built_by_operations_passes_the_audit() {
    assert_eq!(small_world().audit(), []);
}

#[test]
fn an_audit_says_where_loaded_facts_break_a_limit_and_by_how_much() {
    let mut tree = Tree::new();
    let lan = with_bridge(fulmar_core::Unikernel::new(96.into(), cpus(&[0, 5])).unwrap(), "lan");
    let facts = [
        (":", policy(9, 1000)),
        ("a", policy(0, 64)),
        (
            "a:x:b",
            Policy {
                block_mib: None,
                cpuids: cpus(&[0, 7]),
                ..policy(3, 64)
            },
        ),
    ];
    for (domain, policy) in facts {
        let domain = path(domain);
        tree.load(Fact::Policy { domain, policy }).unwrap();
    }
    tree.load(Fact::Block {
        name: name("a:x:b:d1"),
        size_mib: size(20),
    })
    .unwrap();
    tree.load(Fact::Unikernel {
        name: name("a:x:b:web"),
        unikernel: lan,
    })
    .unwrap();
    let findings: Vec<_> = tree.audit().iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "cpuids: `:` uses 5, allowed 0, 1",
            "bridges: `:` uses lan, allowed dmz",
            "unikernels: `a` uses 1, 0 allowed: over by 1",
            "memory: `a` uses 96 MiB, 64 allowed: over by 32 MiB",
            "cpuids: `a` uses 5, allowed 0, 1",
            "bridges: `a` uses lan, allowed dmz",
            "memory: `a:x:b` uses 96 MiB, 64 allowed: over by 32 MiB",
            "block: `a:x:b` uses 20 MiB, none allowed",
            "cpuids: `a:x:b` uses 5, allowed 0, 7",
            "bridges: `a:x:b` uses lan, allowed dmz",
            "unikernels: `a:x:b` allows 3, `a` above 0: over by 3",
            "cpuids: `a:x:b` allows 7, `a` above only 0, 1",
        ]
    );
}

#[test]
fn a_difference_says_what_has_to_change() {
    let before = small_world();
    let mut after = before.clone();
    after.remove_unikernel(&name("carol:team:mail")).unwrap();
    after.insert_policy(&path("alice"), policy(3, 512)).unwrap();
    after.insert_unikernel(&name("alice:aaa"), unikernel(32)).unwrap();
    let policy_fact = |unikernels| Fact::Policy {
        domain: path("alice"),
        policy: policy(unikernels, 512),
    };
    let unikernel_fact = |text| Fact::Unikernel {
        name: name(text),
        unikernel: unikernel(32),
    };
    assert_eq!(
        before.difference(&after),
        [
            Difference::Changed {
                before: policy_fact(2),
                after: policy_fact(3)
            },
            Difference::Added(unikernel_fact("alice:aaa")),
            Difference::Removed(unikernel_fact("carol:team:mail")),
        ]
    );
    assert_eq!(before.difference(&before), []);
    assert_eq!(Tree::new().difference(&before).len(), before.facts().len());
}
