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

/// One plan that must be refused.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    plan: String,
    at: [usize; 2],
    sentence: String,
    /// It is no TOML: then the page refuses it at the same line, in the words of another parser.
    #[serde(default, rename = "no_toml")]
    _no_toml: bool,
}

/// The page reads the same table: `web/src/formats/refused.test.ts`.
#[test]
fn what_is_no_plan_is_refused_at_its_place_in_the_words_of_the_rules() {
    let table = include_str!("../../../../../tests/plans/refused.json");
    let table: Vec<Refused> = serde_json::from_str(table).unwrap();
    for Refused { plan, at, sentence, .. } in table {
        let error = Plan::read(plan.as_bytes()).expect_err(&plan);
        assert_eq!((error.sentence, [error.line, error.column]), (sentence, at), "{plan}");
    }
}

#[test]
fn a_text_that_is_no_utf_8_is_told_by_its_place() {
    wrong(b"[[step]]\n# \xc3\xa4 \xff\n", "line 2, column 5: this is no UTF-8");
}

#[test]
fn counts_and_plans_are_bounded() {
    let many = |count: u64| format!("[[step]]\nunikernel = 'a:b'\nmemory_mib = 1\ncpuids = '0'\ncount = {count}\n");
    assert_eq!(
        Plan::read(many(10_000).repeat(10).as_bytes()).unwrap().steps().count(),
        STEPS_MAX
    );
    wrong(
        many(10_000).repeat(10) + "[[step]]\nremove_policy = 'a'",
        "line 51, column 1: the plan has more than 100000 steps, each unikernel of a `count` counted",
    );
}
