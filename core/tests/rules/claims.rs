//! What the rules promise, one claim a test, as their user meets them.

use crate::fixture::{cpus, name, path, policy, refused, size, tree, unikernel, with_blocks, with_bridge};
use fulmar_core::{Amount, BlockSize, Bridge, BridgeSet, Fact, Policy, Tree, Unikernel};

#[test]
fn a_delegation_is_never_spent_twice() {
    let mut tree = tree(&[
        ("alice", policy(2, 512)),
        ("alice:bob", policy(2, 512)),
        ("alice:charlie", policy(2, 512)),
    ]);
    tree.insert_unikernel(&name("alice:bob:one"), unikernel(32)).unwrap();
    tree.insert_unikernel(&name("alice:charlie:one"), unikernel(32))
        .unwrap();
    refused(
        tree.insert_unikernel(&name("alice:charlie:two"), unikernel(32)),
        &["unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1"],
    );
    tree.remove_unikernel(&name("alice:bob:one")).unwrap();
    tree.insert_unikernel(&name("alice:charlie:two"), unikernel(32))
        .unwrap();
}

#[test]
fn a_domain_without_a_policy_is_bounded_by_those_above() {
    let mut tree = tree(&[("alice", policy(1, 512))]);
    tree.insert_unikernel(&name("alice:dave:deep:one"), unikernel(32))
        .unwrap();
    refused(
        tree.insert_unikernel(&name("alice:erin:one"), unikernel(32)),
        &["unikernels: `alice` allows 1, 1 in use, 1 asked: over by 1"],
    );
}

#[test]
fn without_any_policy_everything_is_admitted() {
    let mut tree = Tree::new();
    for number in 0..100 {
        tree.insert_unikernel(&name(&format!("a:u{number}")), with_bridge(unikernel(1 << 20), "lan"))
            .unwrap();
    }
    tree.insert_block(&name("a:data"), size(1 << 30)).unwrap();
}

#[test]
fn a_refusal_names_every_reason_from_the_own_domain_upwards() {
    let mut tree = tree(&[
        (":", policy(3, 200)),
        ("alice", policy(2, 100)),
        ("alice:bob", policy(1, 64)),
    ]);
    tree.insert_unikernel(&name("alice:bob:one"), unikernel(64)).unwrap();
    tree.insert_unikernel(&name("alice:two"), unikernel(32)).unwrap();
    let greedy = with_blocks(
        with_bridge(Unikernel::new(150.into(), cpus(&[0, 2, 3])).unwrap(), "lan"),
        &["d1", "d1"],
    );
    refused(
        tree.check_unikernel(&name("alice:bob:one"), &greedy),
        &[
            "there is a unikernel `alice:bob:one` already",
            "there is no block device `alice:bob:d1`",
            "the block device `alice:bob:d1` is listed twice",
            "unikernels: `alice:bob` allows 1, 1 in use, 1 asked: over by 1",
            "memory: `alice:bob` allows 64 MiB, 64 in use, 150 asked: over by 150 MiB",
            "cpuids: `alice:bob` allows 0, 1; not 2, 3",
            "bridges: `alice:bob` allows dmz; not lan",
            "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1",
            "memory: `alice` allows 100 MiB, 96 in use, 150 asked: over by 146 MiB",
            "cpuids: `alice` allows 0, 1; not 2, 3",
            "bridges: `alice` allows dmz; not lan",
            "memory: `:` allows 200 MiB, 96 in use, 150 asked: over by 46 MiB",
            "cpuids: `:` allows 0, 1; not 2, 3",
            "bridges: `:` allows dmz; not lan",
        ],
    );
}

#[test]
fn an_amount_up_to_the_limit_fits_and_one_more_does_not() {
    let tree = tree(&[("alice", policy(1, 512))]);
    assert_eq!(tree.check_unikernel(&name("alice:web"), &unikernel(512)), Ok(()));
    refused(
        tree.check_unikernel(&name("alice:web"), &unikernel(513)),
        &["memory: `alice` allows 512 MiB, 0 in use, 513 asked: over by 1 MiB"],
    );
}

#[test]
fn a_unikernel_uses_block_devices_of_its_own_domain_one_user_each() {
    let mut tree = tree(&[("a", policy(4, 512))]);
    tree.insert_block(&name("a:d1"), size(10)).unwrap();
    let web = with_blocks(unikernel(32), &["d1"]);
    refused(
        tree.insert_unikernel(&name("a:b:web"), web.clone()),
        &["there is no block device `a:b:d1`"],
    );
    tree.insert_unikernel(&name("a:web"), web.clone()).unwrap();
    refused(
        tree.insert_unikernel(&name("a:www"), web),
        &["the block device `a:d1` is in use by `a:web`"],
    );
    refused(
        tree.remove_block(&name("a:d1")),
        &["the block device `a:d1` is in use by `a:web`"],
    );
    tree.remove_unikernel(&name("a:web")).unwrap();
    assert_eq!(tree.remove_block(&name("a:d1")), Ok(size(10)));
}

#[test]
fn block_devices_count_attached_or_not() {
    let mut tree = tree(&[("a", policy(4, 512)), ("a:b", policy(4, 512))]);
    tree.insert_block(&name("a:b:d1"), size(90)).unwrap();
    refused(
        tree.insert_block(&name("a:d2"), size(11)),
        &["block: `a` allows 100 MiB, 90 in use, 11 asked: over by 1 MiB"],
    );
    tree.insert_block(&name("a:d2"), size(10)).unwrap();
    refused(
        tree.insert_block(&name("a:d2"), size(1)),
        &[
            "there is a block device `a:d2` already",
            "block: `a` allows 100 MiB, 100 in use, 1 asked: over by 1 MiB",
        ],
    );
}

#[test]
fn without_a_block_limit_there_is_no_block_device() {
    let mut tree = tree(&[(
        "a",
        Policy {
            block_mib: None,
            ..policy(4, 512)
        },
    )]);
    refused(
        tree.insert_block(&name("a:d1"), size(1)),
        &["block: `a` allows none, 1 MiB asked"],
    );
}

#[test]
fn a_policy_wider_than_one_above_is_refused() {
    let mut tree = tree(&[(":", policy(4, 512)), ("alice", policy(2, 512))]);
    refused(
        tree.insert_policy(&path("alice:dept:bob"), policy(5, 512)),
        &[
            "unikernels: `alice` above allows 2, the new policy 5: over by 3",
            "unikernels: `:` above allows 4, the new policy 5: over by 1",
        ],
    );
    tree.insert_policy(&path("alice:dept:bob"), policy(2, 512)).unwrap();
}

#[test]
fn a_policy_narrower_than_one_below_is_refused() {
    let mut tree = tree(&[
        ("alice:dept:bob", policy(2, 512)),
        ("alice:carol", policy(1, 600)),
        ("alicia", policy(9, 9)),
    ]);
    refused(
        tree.insert_policy(&path("alice"), policy(1, 512)),
        &[
            "memory: the new policy allows 512 MiB, `alice:carol` below 600: over by 88 MiB",
            "unikernels: the new policy allows 1, `alice:dept:bob` below 2: over by 1",
        ],
    );
}

#[test]
fn a_policy_below_what_is_used_is_refused() {
    let mut tree = tree(&[]);
    tree.insert_block(&name("a:b:d1"), size(200)).unwrap();
    let web = with_bridge(Unikernel::new(64.into(), cpus(&[3])).unwrap(), "lan");
    tree.insert_unikernel(&name("a:b:web"), web).unwrap();
    refused(
        tree.insert_policy(&path("a"), policy(0, 32)),
        &[
            "unikernels: `a` already uses 1, the new policy allows 0: over by 1",
            "memory: `a` already uses 64 MiB, the new policy allows 32: over by 32 MiB",
            "block: `a` already uses 200 MiB, the new policy allows 100: over by 100 MiB",
            "cpuids: `a` already uses 3, the new policy allows 0, 1",
            "bridges: `a` already uses lan, the new policy allows dmz",
        ],
    );
    let none = Policy {
        block_mib: None,
        cpuids: cpus(&[3]),
        ..policy(1, 64)
    };
    refused(
        tree.insert_policy(
            &path("a:b"),
            Policy {
                bridges: BridgeSet::new([Bridge::new("lan").unwrap()]).unwrap(),
                ..none
            },
        ),
        &["block: `a:b` already uses 200 MiB, the new policy allows none"],
    );
}

#[test]
fn a_policy_replaces_the_one_before() {
    let mut tree = tree(&[("a", policy(1, 32))]);
    tree.insert_policy(&path("a"), policy(2, 64)).unwrap();
    assert_eq!(tree.find_policy(&path("a")), Some(&policy(2, 64)));
    tree.insert_policy(&path("a"), policy(1, 32)).unwrap();
    assert_eq!(tree.remove_policy(&path("a")), Ok(policy(1, 32)));
    refused(tree.remove_policy(&path("a")), &["`a` has no policy of its own"]);
    assert_eq!(tree, Tree::new());
}

#[test]
fn what_lies_below_a_removed_policy_stays_bounded_by_those_above() {
    let mut tree = tree(&[(":", policy(1, 512)), ("a", policy(1, 512))]);
    tree.insert_unikernel(&name("a:web"), unikernel(32)).unwrap();
    tree.remove_policy(&path("a")).unwrap();
    assert!(tree.find_unikernel(&name("a:web")).is_some());
    refused(
        tree.insert_unikernel(&name("a:www"), unikernel(32)),
        &["unikernels: `:` allows 1, 1 in use, 1 asked: over by 1"],
    );
}

#[test]
fn domains_unikernels_and_block_devices_have_name_spaces_of_their_own() {
    let mut tree = tree(&[("a:b", policy(1, 64))]);
    tree.insert_unikernel(&name("a:b"), unikernel(32)).unwrap();
    tree.insert_block(&name("a:b"), size(1)).unwrap();
    assert_eq!(tree.find_policy(&path("a:b")), Some(&policy(1, 64)));
    assert_eq!(tree.find_unikernel(&name("a:b")), Some(&unikernel(32)));
    assert_eq!(tree.find_block(&name("a:b")).map(|block| block.size_mib), Some(size(1)));
    // The unikernel `a:b` is in the domain `a`, not in `a:b`.
    assert!(tree.usage(&path("a:b")).is_nothing());
}

#[test]
fn what_does_not_exist_cannot_be_removed() {
    let mut tree = Tree::new();
    refused(
        tree.remove_unikernel(&name("a:web")),
        &["there is no unikernel `a:web`"],
    );
    refused(tree.remove_block(&name("a:d1")), &["there is no block device `a:d1`"]);
    refused(tree.remove_policy(&path(":")), &["`:` has no policy of its own"]);
}

#[test]
fn loading_refuses_for_no_limit_and_new_admissions_are_refused_until_it_fits() {
    let mut tree = Tree::new();
    for (name_text, memory) in [("a:one", 64), ("a:two", 64)] {
        tree.load(Fact::Unikernel {
            name: name(name_text),
            unikernel: unikernel(memory),
        })
        .unwrap();
    }
    tree.load(Fact::Policy {
        domain: path("a"),
        policy: policy(1, 64),
    })
    .unwrap();
    assert_eq!(tree.validate(), Ok(()));
    refused(
        tree.insert_unikernel(&name("a:three"), unikernel(1)),
        &[
            "unikernels: `a` allows 1, 2 in use, 1 asked: over by 2",
            "memory: `a` allows 64 MiB, 128 in use, 1 asked: over by 65 MiB",
        ],
    );
    tree.remove_unikernel(&name("a:one")).unwrap();
    tree.remove_unikernel(&name("a:two")).unwrap();
    tree.insert_unikernel(&name("a:three"), unikernel(1)).unwrap();
}

#[test]
fn loading_refuses_what_cannot_be_true() {
    let mut tree = Tree::new();
    let web = Fact::Unikernel {
        name: name("a:web"),
        unikernel: with_blocks(unikernel(32), &["d1"]),
    };
    refused(tree.load(web.clone()), &["there is no block device `a:d1`"]);
    tree.load(Fact::Block {
        name: name("a:d1"),
        size_mib: size(1),
    })
    .unwrap();
    tree.load(web.clone()).unwrap();
    let before = tree.clone();
    refused(
        tree.load(web),
        &[
            "there is a unikernel `a:web` already",
            "the block device `a:d1` is in use by `a:web`",
        ],
    );
    refused(
        tree.load(Fact::Block {
            name: name("a:d1"),
            size_mib: size(1),
        }),
        &["there is a block device `a:d1` already"],
    );
    assert_eq!(tree, before);
}

#[test]
fn sums_stay_within_what_can_be_counted() {
    let mut tree = Tree::new();
    let huge = || Unikernel::new(Amount::MAX, cpus(&[0])).unwrap();
    tree.insert_unikernel(&name("a:one"), huge()).unwrap();
    let uncountable = "the sum over all domains would be more than 9007199254740991";
    refused(tree.insert_unikernel(&name("b:two"), huge()), &[uncountable]);
    refused(
        tree.load(Fact::Unikernel {
            name: name("b:two"),
            unikernel: unikernel(1),
        }),
        &[uncountable],
    );
    tree.insert_block(&name("a:d1"), BlockSize::new(Amount::MAX).unwrap())
        .unwrap();
    refused(tree.insert_block(&name("b:d1"), size(1)), &[uncountable]);
    assert_eq!(tree.validate(), Ok(()));
}

#[test]
fn the_deepest_path_is_walked_like_any_other() {
    let deep = vec!["a"; 95].join(":");
    let mut tree = tree(&[(&deep, policy(1, 64))]);
    let bottom = name(&format!("{deep}:web"));
    tree.insert_unikernel(&bottom, unikernel(32)).unwrap();
    assert_eq!(tree.usage(&path("a")).memory_mib, 32.into());
    assert_eq!(tree.validate(), Ok(()));
    tree.remove_unikernel(&bottom).unwrap();
    tree.remove_policy(&path(&deep)).unwrap();
    assert_eq!(tree, Tree::new());
}
