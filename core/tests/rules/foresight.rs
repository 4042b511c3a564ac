//! What the tree tells beforehand: head-room, how many fit, what was handed on, plans.

use crate::fixture::{cpus, name, path, policy, size, tree, unikernel, with_blocks, with_bridge};
use fulmar_core::{AfterRefusal, Amount, Choice, Fact, Overrun, Policy, Reason, Room, Step, Tree, Unikernel, Verdict};

fn room(free: u32, bound_by: &str) -> Room {
    Room {
        free: free.into(),
        bound_by: Some(path(bound_by)),
    }
}

fn sentences(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn headroom_names_the_domain_that_binds_for_each_limit() {
    let bob = Policy {
        cpuids: cpus(&[1]),
        ..policy(2, 512)
    };
    let mut tree = tree(&[(":", policy(9, 600)), ("alice", policy(3, 512)), ("alice:bob", bob)]);
    tree.insert_unikernel(&name("alice:carol:one"), unikernel(200)).unwrap();
    tree.insert_unikernel(&name("alice:carol:two"), unikernel(200)).unwrap();
    tree.insert_unikernel(&name("dave:one"), unikernel(100)).unwrap();
    tree.insert_block(&name("dave:d1"), size(70)).unwrap();
    let headroom = tree.headroom(&path("alice:bob"));
    assert_eq!(headroom.unikernels, room(1, "alice"));
    assert_eq!(headroom.memory_mib, room(100, ":"));
    assert_eq!(headroom.block_mib, room(30, ":"));
    assert_eq!(headroom.cpuids.allowed, Some(cpus(&[1])));
    assert_eq!(headroom.cpuids.bound_by, [path("alice:bob")]);
    assert_eq!(headroom.bridges.bound_by, [path("alice:bob")]);
}

#[test]
fn of_equal_limits_the_nearest_binds() {
    let tree = tree(&[(":", policy(2, 512)), ("alice", policy(2, 512))]);
    assert_eq!(tree.headroom(&path("alice:bob:carol")).unikernels, room(2, "alice"));
}

#[test]
fn without_a_policy_headroom_is_what_can_be_counted() {
    let mut tree = Tree::new();
    tree.insert_unikernel(&name("web"), unikernel(100)).unwrap();
    let headroom = tree.headroom(&path("alice"));
    assert_eq!(headroom.memory_mib.free, Amount::MAX.minus(100.into()).unwrap());
    assert_eq!(headroom.memory_mib.bound_by, None);
    assert_eq!(
        headroom.cpuids,
        Choice {
            allowed: None,
            bound_by: vec![]
        }
    );
}

#[test]
fn where_no_block_device_is_allowed_none_fits() {
    let none = Policy {
        block_mib: None,
        ..policy(2, 512)
    };
    assert_eq!(tree(&[("a", none)]).headroom(&path("a:b")).block_mib, room(0, "a"));
}

#[test]
fn loaded_policies_that_are_wider_bind_at_several_domains() {
    let mut tree = Tree::new();
    for (domain, ids) in [(":", &[1, 2][..]), ("a", &[0, 1, 2]), ("a:b", &[0, 1])] {
        let policy = Policy {
            cpuids: cpus(ids),
            ..policy(1, 1)
        };
        let domain = path(domain);
        tree.load(Fact::Policy { domain, policy }).unwrap();
    }
    let cpuids = tree.headroom(&path("a:b")).cpuids;
    assert_eq!(cpuids.allowed, Some(cpus(&[1])));
    assert_eq!(cpuids.bound_by, [path("a:b"), path(":")]);
}

#[test]
fn how_many_fit_says_what_stands_in_the_way_of_one_more() {
    let mut tree = tree(&[(":", policy(9, 300)), ("a", policy(4, 300))]);
    tree.insert_unikernel(&name("a:one"), unikernel(10)).unwrap();
    let fit = tree.how_many_fit(&path("a:b"), &unikernel(96));
    assert_eq!(fit.count, 3.into());
    assert_eq!(
        sentences(&fit.then),
        [
            "unikernels: `a` allows 4, 4 in use, 1 asked: over by 1",
            "memory: `a` allows 300 MiB, 298 in use, 96 asked: over by 94 MiB",
            "memory: `:` allows 300 MiB, 298 in use, 96 asked: over by 94 MiB",
        ]
    );
}

#[test]
fn where_a_cpu_or_a_bridge_is_not_allowed_none_fits() {
    let tree = tree(&[("a", policy(4, 300))]);
    let fit = tree.how_many_fit(&path("a"), &with_bridge(unikernel(1), "lan"));
    assert_eq!(fit.count, Amount::ZERO);
    assert_eq!(sentences(&fit.then), ["bridges: `a` allows dmz; not lan"]);
}

#[test]
fn without_a_policy_as_many_fit_as_can_be_counted() {
    let fit = Tree::new().how_many_fit(&path("a"), &unikernel(1 << 30));
    assert_eq!(fit.count, Amount::new((1 << 23) - 1).unwrap());
    assert_eq!(fit.then, [Reason::Uncountable]);
}

#[test]
fn what_was_handed_on_is_summed_over_the_policies_right_below() {
    let tree = tree(&[
        ("alice", policy(4, 100)),
        ("alice:bob", policy(3, 60)),
        ("alice:bob:deep", policy(3, 60)),
        ("alice:dept:carol", policy(2, 40)),
        ("alicia", policy(9, 9)),
    ]);
    let handed_on = tree.handed_on(&path("alice"));
    assert_eq!(
        (handed_on.policies, handed_on.unikernels, handed_on.memory_mib),
        (2, 5.into(), 100.into())
    );
    assert_eq!(handed_on.cpuids.values().copied().collect::<Vec<_>>(), [2, 2]);
    assert_eq!(
        handed_on.oversubscribed,
        [
            Overrun::Unikernels {
                allowed: 4.into(),
                used: Amount::ZERO,
                asked: 5.into()
            },
            Overrun::Block {
                allowed_mib: Some(100.into()),
                used_mib: Amount::ZERO,
                asked_mib: 200.into()
            }
        ]
    );
    assert_eq!(tree.handed_on(&path("alice:bob")).policies, 1);
    assert_eq!(tree.handed_on(&path("alice:bob:deep")).policies, 0);
    assert_eq!(tree.handed_on(&path(":")).oversubscribed, []);
}

/// A delegation, a unikernel that fits, one that does not, one that fits again.
fn steps() -> Vec<Step> {
    let create = |label: &str, memory_mib| Step::InsertUnikernel {
        name: name(label),
        unikernel: unikernel(memory_mib),
    };
    vec![
        Step::InsertPolicy {
            domain: path("alice:bob"),
            policy: policy(2, 64),
        },
        create("alice:bob:one", 32),
        create("alice:bob:two", 64),
        create("alice:bob:two", 32),
    ]
}

#[test]
fn a_plan_goes_on_after_a_refusal_or_stops_and_changes_nothing() {
    let mut tree = tree(&[("alice", policy(2, 512))]);
    let before = tree.clone();
    let (verdicts, free) = tree.preview(steps(), AfterRefusal::GoOn, |after| {
        after.headroom(&path("alice")).unikernels
    });
    assert_eq!(verdicts[..2], [Verdict::Admitted, Verdict::Admitted]);
    let Verdict::Refused(refusal) = &verdicts[2] else {
        panic!("it was admitted")
    };
    assert_eq!(
        refusal.to_string(),
        "memory: `alice:bob` allows 64 MiB, 32 in use, 64 asked: over by 32 MiB"
    );
    assert_eq!(verdicts[3], Verdict::Admitted);
    assert_eq!(free, room(0, "alice"));
    assert_eq!(tree, before);

    let (verdicts, free) = tree.preview(steps(), AfterRefusal::Stop, |after| {
        after.headroom(&path("alice")).unikernels
    });
    assert_eq!(verdicts[3], Verdict::NotTried);
    assert_eq!(free, room(1, "alice"));
    assert_eq!(tree, before);
}

#[test]
fn a_plan_takes_back_removals_and_replacements() {
    let mut tree = tree(&[("a", policy(2, 512))]);
    tree.insert_block(&name("a:d1"), size(10)).unwrap();
    tree.insert_unikernel(&name("a:web"), with_blocks(unikernel(32), &["d1"]))
        .unwrap();
    let before = tree.clone();
    let steps = [
        Step::RemoveUnikernel { name: name("a:web") },
        Step::RemoveBlock { name: name("a:d1") },
        Step::InsertPolicy {
            domain: path("a"),
            policy: policy(0, 0),
        },
        Step::RemovePolicy { domain: path("a") },
    ];
    let (verdicts, empty) = tree.preview(steps, AfterRefusal::Stop, |after| *after == Tree::new());
    assert_eq!(verdicts, vec![Verdict::Admitted; 4]);
    assert!(empty, "everything was removed");
    assert_eq!(tree, before);
    assert_eq!(tree.validate(), Ok(()));
}

#[test]
fn a_plan_is_taken_back_even_where_the_look_panics() {
    let mut tree = tree(&[("alice", policy(2, 512))]);
    let before = tree.clone();
    let look = || tree.preview(steps(), AfterRefusal::GoOn, |_| -> () { panic!("on purpose") });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look));
    assert!(panicked.is_err());
    assert_eq!(tree, before);
}

#[test]
fn an_empty_plan_is_a_look_at_the_tree() {
    let mut tree = tree(&[("alice", policy(2, 512))]);
    let (verdicts, usage) = tree.preview([], AfterRefusal::GoOn, |after| after.usage(&path("alice")));
    assert!(verdicts.is_empty() && usage.is_nothing());
}

#[test]
fn steps_are_the_operations() {
    let mut tree = tree(&[("a", policy(1, 64))]);
    let web = Unikernel::new(64.into(), cpus(&[0])).unwrap();
    let step = Step::InsertUnikernel {
        name: name("a:web"),
        unikernel: web,
    };
    tree.take(step.clone()).unwrap();
    assert!(tree.find_unikernel(&name("a:web")).is_some());
    assert_eq!(tree.clone().take(step.clone()), tree.take(step));
}
