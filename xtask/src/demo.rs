//! `cargo xtask demo`: what Fulmar does, on this machine, in a minute.
//!
//! Owns the story and checks every sentence of it: a demo that only prints proves nothing. How the daemon is started,
//! killed and asked is `stage`'s. Needs no root and no network device; leaves nothing behind.

mod stage;

use std::{
    io::{self, IsTerminal},
    sync::mpsc,
    thread,
    time::Duration,
};

use self::stage::{Answer, Stage};
use crate::{
    step::{Failure, Steps},
    unikernels, wasm, web,
    workspace::Workspace,
};

const BOB: &str = "alice:bob:one";
const CHARLIE: &str = "alice:charlie:one";
const TOO_MANY: &str = "alice:charlie:two";

/// How long a unikernel has to boot and to write its first lines, or to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// Builds what it shows, tells the story and cleans up; without `exit` it stays in between.
///
/// # Errors
/// When something cannot be built, or the story does not come true.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, exit: bool) -> Result<(), Failure> {
    wasm::build(workspace, steps)?;
    unikernels::build(workspace, steps)?;
    let programs = workspace.cargo(["build", "--package", "fulmar", "--package", "fulmar-tender", "--bins"]);
    steps.run("fulmar, fulmar-tender", programs, "the compiler's words are above")?;

    let mut stage = Stage::set(workspace)?;
    let told = tell(&mut stage).and_then(|()| if exit { Ok(()) } else { stay(&mut stage) });
    if told.is_err() && !stage.is_interrupted() {
        stage.show_log();
    }
    let cleared = stage.clear();
    told.and(cleared)
}

fn tell(stage: &mut Stage) -> Result<(), Failure> {
    say("The daemon starts with an empty state. It needs no root for any of this.");
    stage.start_daemon()?;
    delegate(stage)?;
    let pids = run_two(stage)?;
    refuse_the_third(stage)?;
    survive(stage, pids)?;
    make_room(stage, pids)?;
    say("That was the story; every step of it was checked.");
    say(&web::how_to_open());
    Ok(())
}

fn delegate(stage: &mut Stage) -> Result<(), Failure> {
    say(
        "Alice may run 2 unikernels. She lets bob run 2, and charlie 2: more than she has, but never at the same time.",
    );
    for (domain, memory) in [("alice", "256"), ("alice:bob", "128"), ("alice:charlie", "128")] {
        let cpu = stage.cpu();
        succeed(
            stage,
            &[
                "add-policy",
                domain,
                "--unikernels",
                "2",
                "--memory",
                memory,
                "--cpuids",
                &cpu,
            ],
        )?;
    }
    succeed(stage, &["policy"]).map(drop)
}

fn run_two(stage: &mut Stage) -> Result<[u32; 2], Failure> {
    say("Bob runs one, charlie runs one: both real, each a process behind seccomp.");
    for name in [BOB, CHARLIE] {
        create(stage, name)?.must_succeed()?;
    }
    let pids = [pid(stage, BOB)?, pid(stage, CHARLIE)?];
    for name in [BOB, CHARLIE] {
        console(stage, name)?;
    }
    succeed(stage, &["info"])?;
    say(&format!(
        "{BOB} is process {}, {CHARLIE} is process {}.",
        pids[0], pids[1]
    ));
    Ok(pids)
}

fn refuse_the_third(stage: &mut Stage) -> Result<(), Failure> {
    say(
        "Charlie has used 1 of his 2. But with bob's, alice's 2 are spent: a third is refused, and the reason is hers.",
    );
    create(stage, TOO_MANY)?.must_be_refused_naming("`alice`")
}

fn survive(stage: &mut Stage, pids: [u32; 2]) -> Result<(), Failure> {
    say("Now the daemon is killed, with SIGKILL: it cannot say goodbye to anybody.");
    stage.kill_daemon()?;
    must(
        pids.into_iter().all(stage::is_running),
        "a unikernel ended with the daemon",
    )?;
    say(&format!(
        "Processes {} and {} run on. The daemon starts again, and finds them.",
        pids[0], pids[1]
    ));
    stage.start_daemon()?;
    succeed(stage, &["info"])?;
    let found = [pid(stage, BOB)?, pid(stage, CHARLIE)?];
    must(found == pids, &format!("the processes were {pids:?} and are {found:?}"))?;
    say("It also remembers what they use: the third is still refused.");
    create(stage, TOO_MANY)?.must_be_refused_naming("`alice`")
}

fn make_room(stage: &mut Stage, pids: [u32; 2]) -> Result<(), Failure> {
    say("Bob's is destroyed. What it used is alice's again, and charlie's second fits.");
    succeed(stage, &["destroy", BOB])?;
    stage.wait_until("bob's process has ended", PATIENCE, |_| Ok(!stage::is_running(pids[0])))?;
    create(stage, TOO_MANY)?.must_succeed()?;
    pid(stage, TOO_MANY)?;
    succeed(stage, &["info"]).map(drop)
}

fn create(stage: &mut Stage, name: &str) -> Result<Answer, Failure> {
    let cpu = stage.cpu();
    stage.fulmar(&[
        "create",
        name,
        stage::IMAGE,
        "--memory",
        "32",
        "--cpuid",
        &cpu,
        "--",
        "tick=1000",
    ])
}

fn succeed(stage: &mut Stage, arguments: &[&str]) -> Result<Answer, Failure> {
    let answer = stage.fulmar(arguments)?;
    answer.must_succeed()?;
    Ok(answer)
}

/// Shows the console once the unikernel has written to it; asks silently until then.
fn console(stage: &mut Stage, name: &str) -> Result<(), Failure> {
    stage.wait_until(&format!("{name} has written to its console"), PATIENCE, |stage| {
        Ok(!stage.ask(&["console", name])?.shown().trim().is_empty())
    })?;
    succeed(stage, &["console", name]).map(drop)
}

/// The process of a unikernel; it must run, and be a tender.
fn pid(stage: &mut Stage, name: &str) -> Result<u32, Failure> {
    let answer = stage.ask(&["info", name, "--json"])?;
    answer.must_succeed()?;
    let pid = answer
        .pid()
        .ok_or_else(|| broken(&format!("`info {name} --json` names no process")))?;
    must(
        stage::is_running(pid),
        &format!("{name} is process {pid}, and that is no running fulmar-tender"),
    )?;
    stage.remember(pid);
    Ok(pid)
}

fn stay(stage: &mut Stage) -> Result<(), Failure> {
    let fulmar = stage.program().display().to_string();
    println!("\nThe daemon is still there. In another terminal:\n");
    println!("  export FULMAR_SOCKET={}", stage.socket().display());
    println!("  {fulmar} info");
    println!("  {fulmar} console {CHARLIE}");
    println!("  {fulmar} policy alice");
    println!("  {fulmar} destroy {CHARLIE}\n");
    println!("Enter or Ctrl-C ends it here and removes everything.");
    wait_for_enter(stage);
    Ok(())
}

/// Reading cannot be interrupted by Ctrl-C, so another thread reads; it ends with the program.
fn wait_for_enter(stage: &Stage) {
    let (pressed, enter) = mpsc::channel();
    thread::spawn(move || {
        let _ = io::stdin().read_line(&mut String::new());
        let _ = pressed.send(());
    });
    while !stage.is_interrupted() && enter.recv_timeout(Duration::from_millis(100)).is_err() {}
}

fn say(sentence: &str) {
    if io::stdout().is_terminal() {
        println!("\n\x1b[1m# {sentence}\x1b[0m");
    } else {
        println!("\n# {sentence}");
    }
}

fn must(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(broken(otherwise)) }
}

fn broken(what: &str) -> Failure {
    Failure::new(
        format!("the demo's story broke: {what}"),
        "this is a bug in Fulmar, please report it with the output above",
    )
}
