//! What a person sees of a failure, letter by letter.

use clap::Parser;
use fulmar_core::protocol::Explanation;
use fulmar_core::{Amount, Overrun, Reason};

use super::*;
use crate::cli::options::{Action, Options};

fn ask(words: &str) -> Ask {
    match Options::parse_from(words.split(' ')).action {
        Action::Ask(ask) => ask,
        Action::Serve(_) => panic!("nobody is asked by {words}"),
    }
}

fn memory(allowed: u32, used: u32, asked: u32) -> Overrun {
    Overrun::Memory {
        allowed_mib: allowed.into(),
        used_mib: used.into(),
        asked_mib: asked.into(),
    }
}

fn refused(reasons: Vec<Reason>) -> Problem {
    Problem {
        code: Code::Refused,
        message: "refused".to_owned(),
        reasons: reasons.into_iter().map(Explanation::from).collect(),
    }
}

fn check(words: &str, problem: &Problem, seen: &str) {
    assert_eq!(text(problem, &ask(words)), seen);
}

#[test]
fn a_refusal_has_a_line_for_every_reason_and_says_where_to_look() {
    let unikernels = Overrun::Unikernels {
        allowed: 2.into(),
        used: 2.into(),
        asked: Amount::ONE,
    };
    let exceeds = |domain: &str, overrun| Reason::Exceeds {
        domain: domain.parse().unwrap(),
        overrun,
    };
    check(
        "fulmar create alice:charlie:two image",
        &refused(vec![
            exceeds("alice:charlie", memory(128, 96, 64)),
            exceeds("alice", unikernels),
            exceeds("alice", memory(512, 480, 64)),
        ]),
        "\
refused: create alice:charlie:two
  memory: `alice:charlie` allows 128 MiB, 96 in use, 64 asked: over by 32 MiB
  unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1
  memory: `alice` allows 512 MiB, 480 in use, 64 asked: over by 32 MiB
see what is used: fulmar policy alice
",
    );
    check(
        "fulmar create web image",
        &refused(vec![exceeds(":", memory(512, 480, 64))]),
        "\
refused: create web
  memory: `:` allows 512 MiB, 480 in use, 64 asked: over by 32 MiB
see what is used: fulmar policy
",
    );
    check(
        "fulmar create alice:web image",
        &refused(vec![Reason::UnikernelExists {
            name: "alice:web".parse().unwrap(),
        }]),
        "\
refused: create alice:web
  there is a unikernel `alice:web` already
see what runs: fulmar info alice:web
",
    );
    check(
        "fulmar add-policy alice --unikernels 1 --memory 64",
        &refused(vec![Reason::Narrower {
            below: "alice:bob".parse().unwrap(),
            overrun: memory(64, 0, 128),
        }]),
        "\
refused: add-policy alice
  memory: the new policy allows 64 MiB, `alice:bob` below 128: over by 64 MiB
see what is used: fulmar policy alice
",
    );
}

#[test]
fn every_other_failure_reads_alike() {
    for (words, code, message, seen) in [
        (
            "fulmar destroy alice:web",
            Code::Unknown,
            "there is no unikernel `alice:web`",
            "unknown: destroy alice:web\n  there is no unikernel `alice:web`\nsee what there is: fulmar info\n",
        ),
        (
            "fulmar remove-policy alice",
            Code::Unknown,
            "`alice` has no policy of its own",
            "unknown: remove-policy alice\n  `alice` has no policy of its own\nsee what there is: fulmar policy\n",
        ),
        (
            "fulmar create alice:web image",
            Code::Busy,
            "`alice:web` is being ended",
            "busy: create alice:web\n  `alice:web` is being ended\ntry again in a moment\n",
        ),
        (
            "fulmar create alice:web image",
            Code::NoVerdict,
            "no verdict: the policy module trapped",
            "no verdict: create alice:web\n  the policy module trapped\nnothing was done; the daemon's log says more\n",
        ),
        (
            "fulmar create alice:web image",
            Code::Failed,
            "the tender ended\u{7} at once",
            "failed: create alice:web\n  the tender ended\\u{7} at once\n",
        ),
        (
            "fulmar info",
            Code::Unreachable,
            "you may not open the socket `/s`: join its group, or ask as its owner",
            "no answer: info\n  you may not open the socket `/s`: join its group, or ask as its owner\n",
        ),
        (
            "fulmar info alice:",
            Code::Unreachable,
            "there is no socket `/s`: start the daemon (fulmar serve), or say where it listens (--socket)",
            "no answer: info alice:\n  there is no socket `/s`: start the daemon (fulmar serve), or say where it listens (--socket)\n",
        ),
    ] {
        check(words, &Problem::new(code, message), seen);
    }
}

#[test]
fn a_machine_reads_the_same_as_json() {
    let problem = refused(vec![Reason::UnikernelExists {
        name: "alice:web".parse().unwrap(),
    }]);
    assert_eq!(
        one_line(&ProblemBody { error: problem }),
        concat!(
            r#"{"error":{"code":"refused","message":"refused","reasons":["#,
            r#"{"code":"unikernel-exists","sentence":"there is a unikernel `alice:web` already","#,
            r#""reason":{"unikernel_exists":{"name":"alice:web"}}}]}}"#,
            "\n"
        )
    );
}
