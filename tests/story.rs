//! The demo's story, with assertions: real unikernels, a real daemon, the real command line.

use std::fs;

use fulmar_tests::host::{Host, Reply, first_cpu, hello, is_alive};

fn add_policy(host: &Host, domain: &str, unikernels: &str, memory: &str) -> Reply {
    let cpu = first_cpu();
    host.fulmar([
        "add-policy",
        domain,
        "--unikernels",
        unikernels,
        "--memory",
        memory,
        "--cpuids",
        &cpu,
        "--json",
    ])
}

fn create(host: &Host, name: &str, arguments: &[&str]) -> Reply {
    let (cpu, image) = (first_cpu(), hello());
    let image = image.to_str().expect("a path in UTF-8");
    let words = ["create", name, image, "--memory", "32", "--cpuid", &cpu, "--json", "--"];
    host.fulmar(words.into_iter().chain(arguments.iter().copied()))
}

/// `alice` may run 2 unikernels, and lets both `bob` and `charlie` run 2.
fn delegate(host: &Host) {
    for (domain, memory) in [("alice", "256"), ("alice:bob", "128"), ("alice:charlie", "128")] {
        add_policy(host, domain, "2", memory).done();
    }
}

fn console(host: &Host, name: &str) -> String {
    host.fulmar(["console", name]).done().stdout
}

#[test]
fn a_delegation_is_spent_once_and_survives_the_daemon() {
    let mut host = Host::start();
    delegate(&host);

    create(&host, "alice:bob:one", &["this-is-bob", "tick=100"]).done();
    create(&host, "alice:charlie:one", &["tick=100"]).done();
    host.wait_until("bob's has spoken", |host| {
        console(host, "alice:bob:one").contains("argument: this-is-bob")
    });
    let before = host.processes();
    let names: Vec<_> = before.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["alice:bob:one", "alice:charlie:one"]);
    assert!(before.iter().all(|(_, pid)| is_alive(*pid)));

    let alices_limit = [(
        "exceeds-unikernels".to_owned(),
        "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1".to_owned(),
    )];
    assert_eq!(create(&host, "alice:charlie:two", &[]).reasons(), alices_limit);

    host.kill_daemon();
    assert!(
        before.iter().all(|(_, pid)| is_alive(*pid)),
        "a unikernel ended with the daemon"
    );
    host.restart_daemon();
    assert_eq!(host.processes(), before);
    assert_eq!(create(&host, "alice:charlie:two", &[]).reasons(), alices_limit);

    host.fulmar(["destroy", "alice:bob:one"]).done();
    assert!(!is_alive(before[0].1), "it was answered before the process was gone");
    create(&host, "alice:charlie:two", &["tick=100"]).done();
    let names: Vec<_> = host.processes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["alice:charlie:one", "alice:charlie:two"]);
}

#[test]
fn a_console_goes_on_where_it_was_when_the_daemon_comes_back() {
    let mut host = Host::start();
    create(&host, "web", &["tick=50"]).done();
    host.wait_until("it has spoken", |host| console(host, "web").contains("tick 3"));
    host.kill_daemon();
    host.restart_daemon();
    host.wait_until("it speaks again", |host| !console(host, "web").is_empty());
}

#[test]
fn one_that_ended_while_the_daemon_was_away_is_forgotten() {
    let mut host = Host::start();
    delegate(&host);
    create(&host, "alice:bob:short", &["sleep=0.5"]).done();
    create(&host, "alice:bob:long", &["tick=100"]).done();
    let short = host
        .processes()
        .into_iter()
        .find(|(name, _)| name.ends_with("short"))
        .expect("it runs")
        .1;
    host.kill_daemon();
    host.wait_until("it has ended", |_| !is_alive(short));
    host.restart_daemon();
    let names: Vec<_> = host.processes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["alice:bob:long"]);
    create(&host, "alice:bob:short", &["tick=100"]).done();
}

#[test]
fn one_that_ends_by_itself_frees_what_it_used() {
    let host = Host::start();
    add_policy(&host, "alice", "1", "64").done();
    create(&host, "alice:web", &["exit=7"]).done();
    host.wait_until("it has ended", |host| host.processes().is_empty());
    assert!(console(&host, "alice:web").contains("status 7"));
    create(&host, "alice:web", &["tick=100"]).done();
}

#[test]
fn wrong_input_is_told_and_leaves_nothing_behind() {
    let host = Host::start();
    delegate(&host);
    let (cpu, image) = (first_cpu(), hello());
    let image = image.to_str().expect("a path in UTF-8");
    let not_elf = host.state().join("not-elf");
    fs::write(&not_elf, "#!/bin/sh\n").expect("a file");
    let not_elf = not_elf.to_str().expect("a path in UTF-8");

    let check = |code: i32, said: &str, words: &[&str]| {
        let reply = host.fulmar(words);
        assert_eq!(reply.code, Some(code), "{words:?}: {reply:?}");
        assert!(reply.stderr.contains(said), "{words:?}: {reply:?}");
        assert_eq!(reply.stdout, "", "{words:?}");
    };
    check(2, "a label is empty", &["create", "alice::web", image]);
    check(2, "names a domain", &["create", "alice:", image]);
    check(2, "begins with `-`", &["destroy", "alice:-x"]);
    check(
        2,
        "a unikernel needs memory: at least 1 MiB",
        &["create", "alice:web", image, "--memory", "0"],
    );
    check(
        2,
        "at most 9007199254740991",
        &["create", "alice:web", image, "--memory", "9007199254740992"],
    );
    check(
        2,
        "no-such-file",
        &["create", "alice:web", "no-such-file", "--cpuid", &cpu],
    );
    check(
        3,
        "cpuids: `alice` allows",
        &["create", "alice:web", image, "--cpuid", "8191"],
    );
    check(
        3,
        "memory: `alice:bob` allows 128 MiB",
        &["create", "alice:bob:web", image, "--memory", "129"],
    );
    check(
        3,
        "above allows 256 MiB",
        &["add-policy", "alice:bob", "--unikernels", "2", "--memory", "257"],
    );
    check(4, "there is no unikernel `alice:web`", &["destroy", "alice:web"]);
    check(4, "alice:web", &["console", "alice:web"]);

    let reply = host.fulmar(["create", "alice:web", not_elf, "--cpuid", &cpu]);
    assert!(
        matches!(reply.code, Some(1 | 2)) && reply.stderr.contains("ELF"),
        "{reply:?}"
    );

    assert_eq!(host.processes(), []);
    for folder in ["images", "run"] {
        let left = fs::read_dir(host.state().join(folder)).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{folder}");
    }
    // Nothing was reserved either: both of alice's still fit.
    create(&host, "alice:one", &["tick=100"]).done();
    create(&host, "alice:two", &["tick=100"]).done();
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let host = Host::start();
    let state = host.state().to_str().expect("a path in UTF-8");
    let second = host.fulmar(["serve", "--state", state, "--socket", &format!("{state}/other.sock")]);
    assert_eq!(second.code, Some(1), "{second:?}");
    host.fulmar(["info"]).done();
}

#[test]
fn without_a_daemon_the_way_out_is_told() {
    let mut host = Host::start();
    host.kill_daemon();
    let reply = host.fulmar(["info"]);
    assert_eq!(reply.code, Some(5), "{reply:?}");
    assert!(reply.stderr.contains("fulmar serve"), "{reply:?}");
}
