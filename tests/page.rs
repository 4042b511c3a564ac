//! The page in a real Chromium: what a person does on it, and that what it says is what a host does.
//!
//! The scripts in `page/` drive the built page, `web/dist`, one claim a test; here is what needs the other parts. Where something is
//! missing that this takes, it is skipped aloud.

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use fulmar_tests::host::{Host, first_cpu, hello, program};
use fulmar_tests::javascript;
use serde::Deserialize;
use serde_json::json;

/// One browser at a time: two of them at once, and the tests of the daemon beside, are late for everything.
static BROWSER: Mutex<()> = Mutex::new(());

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

/// What is missing for these tests, and how to get it.
fn missing() -> Option<&'static str> {
    let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    if !Path::new(&chromium).is_file() {
        Some("there is no Chromium: `apt-get install chromium`, or say in CHROMIUM where it is")
    } else if !folder().join("node_modules/playwright-core").is_dir() {
        Some("playwright-core is not installed: `npm ci` in tests/page installs it")
    } else if !folder().join("../../web/dist/index.html").is_file() {
        Some("the page is not built: `cargo xtask web` builds it")
    } else {
        None
    }
}

/// Runs Node in the folder of the scripts; nothing where it is skipped.
fn node(arguments: &[&str], input: Option<&str>) -> Option<Output> {
    if let Some(reason) = missing() {
        eprintln!("SKIPPED: the page in Chromium: {reason}");
        return None;
    }
    let _turn = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new("node");
    command.args(arguments).current_dir(folder());
    command.stdin(input.map_or_else(Stdio::null, |text| Stdio::from(file_of(text))));
    Some(command.output().expect("`node` can be run"))
}

fn file_of(text: &str) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it can be written");
    file.rewind().expect("it can be read");
    file
}

fn words(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn script(name: &str) {
    let Some(output) = node(&["--test", "--test-reporter=spec", name], None) else {
        return;
    };
    let words = words(&output);
    assert!(output.status.success(), "{words}");
    println!("{words}");
}

#[test]
fn the_story_by_mouse_and_by_keyboard() {
    script("story.mjs");
}

#[test]
fn links_and_files_come_and_go_whole_or_not_at_all() {
    script("files.mjs");
}

#[test]
fn large_plans_are_typed_into() {
    script("large.mjs");
}

#[test]
fn it_is_open_to_everybody_and_works_without_a_network() {
    script("looks.mjs");
}

/// Through the worker of the built page, and so through the module that it carries.
#[test]
fn the_recordings_get_the_same_answers_byte_for_byte() {
    let messages = javascript::messages();
    let traces = javascript::traces();
    for recording in [&messages, &traces] {
        let lines: String = recording.iter().map(|(line, _)| format!("{line}\n")).collect();
        let Some(output) = node(&["answers.mjs"], Some(&lines)) else {
            return;
        };
        assert!(output.status.success(), "{}", words(&output));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let answers: Vec<_> = text.lines().map(str::to_owned).collect();
        javascript::assert_answered(recording, &answers);
    }
}

/// What the page says of one plan.
#[derive(Deserialize)]
struct Said {
    verdicts: String,
    count: u64,
    sentences: Vec<String>,
    toml: String,
    commands: String,
}

#[test]
fn what_fits_on_the_page_fits_on_a_host_and_no_more() {
    let plans: Vec<_> = (0..10).map(Wish::random).collect();
    let asked = plans.iter().map(Wish::asked).collect::<Vec<_>>();
    let Some(output) = node(&["fits.mjs"], Some(&json!(asked).to_string())) else {
        return;
    };
    assert!(output.status.success(), "{}", words(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let said: Vec<Said> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an answer"))
        .collect();
    assert_eq!(said.len(), plans.len());
    for (seed, (wish, said)) in plans.iter().zip(&said).enumerate() {
        println!(
            "{seed}: {} more of {} MiB in {}; {}",
            said.count, wish.memory_mib, wish.domain, said.verdicts
        );
        assert_previewed(said);
        assert_fits(wish, said);
    }
    assert!(said.iter().any(|said| said.count > 0));
}

/// The command line says of the exported plan what the page says of the plan.
fn assert_previewed(said: &Said) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = folder.path().join("plan.toml");
    fs::write(&plan, &said.toml).expect("it can be written");
    let output = Command::new(program("fulmar"))
        .args(["preview", "--keep-going", "--json"])
        .arg(&plan)
        .output()
        .expect("`fulmar` can be run");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let verdicts = answer["plan"]["verdicts"].as_array().expect("verdicts");
    let count = |kind: &str| verdicts.iter().filter(|verdict| verdict.get(kind).is_some()).count();
    let admitted = format!("{} admitted", count("admitted"));
    assert!(said.verdicts.contains(&admitted), "{admitted}: {}", said.verdicts);
    let refused = format!("{} refused", count("refused"));
    assert_eq!(
        said.verdicts.contains(&refused),
        count("refused") > 0,
        "{refused}: {}",
        said.verdicts
    );
}

/// A daemon that ran the exported commands takes as many more as the page says, and then says why not in the same words.
fn assert_fits(wish: &Wish, said: &Said) {
    let host = Host::start();
    run(&host, &said.commands);
    for number in 0..=said.count {
        let name = format!("{}:more-{number}", wish.domain);
        let memory = wish.memory_mib.to_string();
        let image = hello();
        let image = image.to_str().expect("a path in UTF-8");
        let reply = host.fulmar([
            "create",
            &name,
            image,
            "--memory",
            &memory,
            "--cpuid",
            &wish.cpu,
            "--json",
            "--",
            "tick=1000",
        ]);
        if number < said.count {
            reply.done();
        } else {
            // The page shows names in back-ticks as links, without the ticks.
            let reasons = reply
                .reasons()
                .into_iter()
                .map(|(_, sentence)| sentence.replace('`', ""));
            assert_eq!(reasons.collect::<Vec<_>>(), said.sentences);
        }
    }
}

/// As somebody would paste them into a shell, with an image; and with an argument by which it stays.
fn run(host: &Host, commands: &str) {
    let stays =
        r#"fulmar() { if [ "$1" = create ]; then command fulmar "$@" -- tick=1000; else command fulmar "$@"; fi; }"#;
    let commands = commands.replace("IMAGE=unikernel.hvt", "true");
    let folder = program("fulmar").parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let status = Command::new("sh")
        .args(["-c", &format!("{stays}\n{commands}")])
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("IMAGE", hello())
        .env("FULMAR_SOCKET", host.socket())
        // What is refused is refused on the page as well.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("a shell");
}

/// A small delegation in which something runs, and what somebody wants more of.
struct Wish {
    plan: String,
    domain: String,
    memory_mib: u64,
    cpu: String,
}

impl Wish {
    fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        let cpu = first_cpu();
        let mut plan = String::new();
        let mut step = |fields: &str| {
            plan += &format!("[[step]]\n{fields}cpuids = \"{cpu}\"\n\n");
        };
        let domains = ["alice", "alice:bob", "alice:charlie"];
        for (depth, domain) in domains.iter().enumerate() {
            let (unikernels, memory) = if depth == 0 { (3, 40) } else { (1, 16) };
            let (unikernels, memory) = (unikernels + random.below(3), memory + 8 * random.below(6));
            step(&format!(
                "policy = \"{domain}\"\nunikernels = {unikernels}\nmemory_mib = {memory}\n"
            ));
        }
        for domain in domains {
            let memory = 8 + 4 * random.below(4);
            match random.below(3) {
                0 => {}
                1 => step(&format!("unikernel = \"{domain}:web\"\nmemory_mib = {memory}\n")),
                _ => step(&format!(
                    "unikernel = \"{domain}:web\"\ncount = 2\nmemory_mib = {memory}\n"
                )),
            }
        }
        let domain = domains[usize::try_from(random.below(3)).expect("small")].to_owned();
        let memory_mib = 8 + 4 * random.below(3);
        Self {
            plan,
            domain,
            memory_mib,
            cpu,
        }
    }

    fn asked(&self) -> serde_json::Value {
        json!({"plan": self.plan, "domain": self.domain, "memory_mib": self.memory_mib})
    }
}

/// The same numbers for the same seed: `splitmix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
