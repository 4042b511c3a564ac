//! The words, and what they mean.

use clap::{CommandFactory, Parser};
use fulmar_core::{Path, SectorSize};

use super::{Action, Ask, Options};
use crate::cli::exit;

fn ask(words: &[&str]) -> Ask {
    match parse(words) {
        Ok(Options {
            action: Action::Ask(ask),
            ..
        }) => ask,
        other => panic!("{words:?}: {other:?}"),
    }
}

fn parse(words: &[&str]) -> Result<Options, clap::Error> {
    Options::try_parse_from(["fulmar"].iter().chain(words))
}

/// The first line of a usage error.
fn usage(words: &[&str]) -> String {
    let error = parse(words).unwrap_err();
    assert_eq!(error.exit_code(), exit::Exit::Usage as i32);
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_definition_holds_together() {
    Options::command().debug_assert();
}

#[test]
fn albatross_words_are_understood() {
    let new = "add-policy alice --unikernels 2 --memory 512 --cpuids 0-1,8 --bridges service,dmz";
    let old = "add-policy alice --unikernels 2 --mem 512 --cpu 0 --cpu 1 --cpu 8 --bridge service --bridge dmz";
    for words in [new, old] {
        let Ask::AddPolicy(options) = ask(&words.split(' ').collect::<Vec<_>>()) else {
            panic!("{words}");
        };
        let policy = options.policy().unwrap();
        assert_eq!(options.domain, "alice".parse::<Path>().unwrap());
        assert_eq!((policy.unikernels.get(), policy.memory_mib.get()), (2, 512));
        assert_eq!(policy.block_mib, None);
        assert_eq!(policy.cpuids.to_string(), "0, 1, 8");
        assert_eq!(policy.bridges.to_string(), "dmz, service");
    }
}

#[test]
fn a_unikernel_has_32_mib_and_cpu_0_unless_said_otherwise() {
    let Ask::Create(options) = ask(&["create", "alice:web", "web.spt"]) else {
        panic!("no creation");
    };
    let config = options.config().unwrap();
    assert_eq!(config.unikernel.memory_mib().get(), 32);
    assert_eq!(config.unikernel.cpuids().to_string(), "0");
    assert!(config.unikernel.block_devices().is_empty() && config.unikernel.bridges().is_empty());
    assert!(config.arguments.is_empty());
}

#[test]
fn what_follows_two_hyphens_is_the_unikernels_own() {
    let words =
        "create alice:web web.spt --mem 64 --cpu 1-2 --net service:br0 --block data:d1:4096 --json -- --json -v 1";
    let Ask::Create(options) = ask(&words.split(' ').collect::<Vec<_>>()) else {
        panic!("no creation");
    };
    let config = options.config().unwrap();
    assert_eq!(config.arguments, ["--json", "-v", "1"]);
    assert_eq!(config.unikernel.memory_mib().get(), 64);
    assert_eq!(config.unikernel.cpuids().to_string(), "1, 2");
    assert_eq!(config.unikernel.bridges()[0].bridge.as_str(), "br0");
    let block = &config.unikernel.block_devices()[0];
    assert_eq!(
        (block.host.as_str(), block.sector_size.map(SectorSize::bytes)),
        ("d1", Some(4096))
    );
}

#[test]
fn what_cannot_be_asked_is_a_usage_error_in_the_rules_own_words() {
    for (words, line) in [
        (
            &["create", "alice:-web", "x"][..],
            "error: invalid value 'alice:-web' for '<NAME>': the label `-web` begins with `-`: begin with a letter, a digit or `.`",
        ),
        (
            &["info", "a::b"],
            "error: invalid value 'a::b' for '[SELECTION]': a label is empty: write `a:b`, not `a::b`",
        ),
        (
            &["create", "web", "x", "--memory", "-1000"],
            "error: invalid value '-1000' for '--memory <MIB>': `-1000` is no whole number, 0 or more",
        ),
        (
            &[
                "add-policy",
                "a",
                "--unikernels",
                "1",
                "--memory",
                "1",
                "--cpuids",
                "0-9999",
            ],
            "error: invalid value '0-9999' for '--cpuids <IDS>': the CPU id 9999 is too large: at most 8191",
        ),
        (
            &["create", "web", "x", "--net", "net-0"],
            "error: invalid value 'net-0' for '--net <DEV[:BRIDGE][@MAC]>': `net-0` is no name of a device: use 1 to 67 of a-z, A-Z and 0-9, as in the unikernel's manifest",
        ),
    ] {
        assert_eq!(usage(words), line);
    }
}

#[test]
fn a_unikernel_without_memory_cannot_be_asked_for() {
    let Ask::Create(options) = ask(&["create", "web", "x", "--memory", "0"]) else {
        panic!("no creation");
    };
    assert_eq!(
        options.config().unwrap_err().to_string(),
        "a unikernel needs memory: at least 1 MiB"
    );
}

#[test]
fn the_help_says_how_a_command_ends() {
    let help = Options::command().render_help().to_string();
    assert!(help.ends_with(&format!("{}\n", exit::TABLE)), "{help}");
}
