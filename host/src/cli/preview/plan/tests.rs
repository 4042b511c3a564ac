//! What is a plan, and where it is said what is none.

use super::*;

fn steps(text: &str) -> Vec<String> {
    let plan = Plan::read(text.as_bytes()).unwrap();
    let json = |step| serde_json::to_string(step).unwrap();
    plan.steps().map(json).collect()
}

#[track_caller]
fn wrong(text: impl AsRef<[u8]>, sentence: &str) {
    let error = Plan::read(text.as_ref()).expect_err("it was read").to_string();
    assert_eq!(error, sentence);
}

#[test]
fn steps_keep_the_order_of_the_file() {
    let text = r#"
        [[step]]
        remove_policy = ":"
        [[step]]
        policy = "alice:"
        unikernels = 2
        memory_mib = 0x100
        block_mib = 1_000
        cpuids = "0-2, 8"
        bridges = ["dmz", "lan"]
        [[step]]
        block = "alice:data"
        size_mib = 1
        [[step]]
        unikernel = "Alice:web"
        memory_mib = 32
        cpuids = "0"
        block_devices = ["disk:data:4096"]
        bridges = ["service:dmz@00:80:41:0a:0b:0c"]
        [[step]]
        remove_unikernel = "alice:web"
        [[step]]
        remove_block = "alice:data"
    "#;
    assert_eq!(
        steps(text),
        [
            r#"{"remove_policy":{"domain":":"}}"#,
            r#"{"insert_policy":{"domain":"alice","policy":{"unikernels":2,"memory_mib":256,"block_mib":1000,"cpuids":[0,1,2,8],"bridges":["dmz","lan"]}}}"#,
            r#"{"insert_block":{"name":"alice:data","size_mib":1}}"#,
            r#"{"insert_unikernel":{"name":"alice:web","unikernel":{"memory_mib":32,"cpuids":[0],"block_devices":[{"device":"disk","host":"data","sector_size":4096}],"bridges":[{"device":"service","bridge":"dmz","mac":"00:80:41:0a:0b:0c"}]}}}"#,
            r#"{"remove_unikernel":{"name":"alice:web"}}"#,
            r#"{"remove_block":{"name":"alice:data"}}"#,
        ]
    );
}

#[test]
fn what_a_policy_does_not_name_it_does_not_allow() {
    assert_eq!(
        steps("[[step]]\npolicy = ':'\nunikernels = 0\nmemory_mib = 0\ncpuids = ''"),
        [
            r#"{"insert_policy":{"domain":":","policy":{"unikernels":0,"memory_mib":0,"block_mib":null,"cpuids":[],"bridges":[]}}}"#
        ]
    );
}

#[test]
fn a_count_numbers_names_from_one_on() {
    let text = "[[step]]\nunikernel = 'alice:web'\ncount = 3\nmemory_mib = 1\ncpuids = '0'";
    let plan = Plan::read(text.as_bytes()).unwrap();
    let names = plan.steps().map(|step| match step {
        Step::InsertUnikernel { name, .. } => name.to_string(),
        other => panic!("{other:?}"),
    });
    assert_eq!(names.collect::<Vec<_>>(), ["alice:web-1", "alice:web-2", "alice:web-3"]);
}

#[test]
fn what_is_no_toml_is_told_by_its_place() {
    wrong(
        "[[step]]\npolicy = \"alice\n",
        "line 2, column 16: invalid basic string, expected `\"`",
    );
    wrong(
        "[[step]]\nunikernels = 1\nunikernels = 2\n",
        "line 3, column 1: duplicate key",
    );
    wrong(b"[[step]]\n# \xc3\xa4 \xff\n", "line 2, column 5: this is no UTF-8");
}

#[test]
fn a_plan_is_steps_and_nothing_else() {
    let empty = "line 1, column 1: the plan has no steps: begin one with `[[step]]`";
    wrong("", empty);
    wrong("step = []", empty);
    wrong("[[steps]]", "line 1, column 3: a plan has no field `steps`: use `step`");
    wrong(
        "step = 1",
        "line 1, column 8: `step`: a whole number stands where tables, each begun by `[[step]]` belongs",
    );
    wrong(
        "[[step]]\n\n[[step]]\n",
        "line 1, column 1: a step says what it is about by one of `policy`, `unikernel`, `block`, `remove_policy`, `remove_unikernel`, `remove_block`",
    );
    wrong(
        "[[step]]\npolicy = 'a'\nblock = 'a:b'",
        "line 3, column 9: `block`: the step has a `policy` already: give `block` a step of its own",
    );
}

#[test]
fn unknown_and_missing_fields_are_named() {
    wrong(
        "[[step]]\npolicy = 'a'\nunikernels = 1\nmemory_mib = 1\nmemory = 1",
        "line 5, column 1: a policy has no field `memory`: use `policy`, `unikernels`, `memory_mib`, `block_mib`, `cpuids`, `bridges`",
    );
    wrong(
        "[[step]]\nblock = 'a:b'\nsize = 1",
        "line 3, column 1: a block device has no field `size`: use `block`, `size_mib`",
    );
    wrong(
        "[[step]]\nremove_block = 'a:b'\nsize_mib = 1",
        "line 3, column 1: the step `remove_block` has no field `size_mib`: use `remove_block`",
    );
    wrong(
        "\n[[step]]\npolicy = 'a'\nunikernels = 1",
        "line 2, column 1: a policy needs the field `memory_mib`",
    );
    wrong(
        "[[step]]\nunikernel = 'a:b'\nmemory_mib = 1",
        "line 1, column 1: a unikernel needs the field `cpuids`",
    );
    wrong(
        "[[step]]\nblock = 'a:b'",
        "line 1, column 1: a block device needs the field `size_mib`",
    );
}

#[test]
fn values_are_refused_in_the_words_of_the_rules() {
    let unikernel = |fields: &str| format!("[[step]]\nunikernel = 'a:b'\n{fields}");
    wrong(
        "[[step]]\nremove_policy = 'alice::bob'",
        "line 2, column 17: `remove_policy`: a label is empty: write `a:b`, not `a::b`",
    );
    wrong(
        unikernel("memory_mib = 0\ncpuids = '0'"),
        "line 3, column 14: `memory_mib`: a unikernel needs memory: at least 1 MiB",
    );
    wrong(
        unikernel("memory_mib = 1\ncpuids = ''"),
        "line 4, column 10: `cpuids`: a unikernel needs a CPU to run on: give at least one CPU id",
    );
    wrong(
        unikernel("memory_mib = -1"),
        "line 3, column 14: `memory_mib`: `-1` is no whole number from 0 to 2^53 - 1",
    );
    wrong(
        unikernel("memory_mib = 9007199254740992"),
        "line 3, column 14: `memory_mib`: the amount 9007199254740992 is too large: at most 9007199254740991",
    );
    wrong(
        unikernel("memory_mib = '32'"),
        "line 3, column 14: `memory_mib`: a text stands where a whole number, without quotes belongs",
    );
    wrong(
        unikernel("memory_mib = 32\ncpuids = [0]"),
        "line 4, column 10: `cpuids`: a list stands where a text in quotes belongs",
    );
    wrong(
        unikernel("memory_mib = 1\ncpuids = '3-0'"),
        "line 4, column 10: `cpuids`: `3-0` counts down: write `0-3`",
    );
    wrong(
        unikernel("memory_mib = 1\ncpuids = '0'\nblock_devices = [\n  'data',\n  'data:x:1000']"),
        "line 7, column 3: `block_devices`: a sector size of 1000 bytes is not possible: use a power of two from 512 to 32768",
    );
    wrong(
        "[[step]]\nblock = 'a:b'\nsize_mib = 0",
        "line 3, column 12: `size_mib`: a block device needs a size: at least 1 MiB",
    );
}

#[test]
fn counts_and_plans_are_bounded() {
    let many = |count: u64| format!("[[step]]\nunikernel = 'a:b'\nmemory_mib = 1\ncpuids = '0'\ncount = {count}\n");
    wrong(many(0), "line 5, column 9: `count`: a count of unikernels is 1 or more");
    wrong(
        many(10_001),
        "line 5, column 9: `count`: 10001 are too many for one step: at most 10000",
    );
    assert_eq!(
        Plan::read(many(10_000).repeat(10).as_bytes()).unwrap().steps().count(),
        STEPS_MAX
    );
    wrong(
        many(10_000).repeat(10) + "[[step]]\nremove_policy = 'a'",
        "line 51, column 1: the plan has more than 100000 steps, each unikernel of a `count` counted",
    );
    let long = "x".repeat(62);
    wrong(
        format!("[[step]]\nunikernel = '{long}'\nmemory_mib = 1\ncpuids = '0'\ncount = 1"),
        &format!(
            "line 2, column 13: `unikernel`: {}",
            Label::new(&format!("{long}-1")).unwrap_err()
        ),
    );
}
