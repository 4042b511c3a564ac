//! How many instructions each operation takes: the same on every run, so a change that costs is seen before it is taken.
//!
//! Owns callgrind, and what is compared with `core/benches/instructions.txt`. What is counted is `core/benches/counts.rs`'s.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

use serde_json::Value;

use super::cargo_bench;
use crate::{
    step::{Failure, Steps, said_by},
    workspace::Workspace,
};

const OPERATIONS: [&str; 6] = [
    "check",
    "refuse",
    "insert-and-remove",
    "insert-policy",
    "headroom",
    "plan",
];

/// A small world and a large one: what begins to depend on the number of unikernels is seen in the difference.
const SIZES: [u64; 2] = [10, 100_000];

/// Compilers and C libraries differ a little; what somebody changed by mistake costs more.
const TOLERANCE_PERCENT: u64 = 15;

const ACCEPT: &str = "cargo xtask bench core --instructions --accept";

const HEADER: &str = "\
# Instructions of one operation among so many unikernels, spread over 1,000 domains, as callgrind counts them.
# `cargo xtask test` fails where it takes 15 % more than this; `cargo xtask bench core --instructions --accept` writes it anew.
# operation, unikernels, instructions
";

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    operation: String,
    size: u64,
    instructions: u64,
}

/// Counts, and compares with what was accepted; with `accept`, accepts.
///
/// # Errors
/// When an operation takes notably more than was accepted, or nothing was accepted for it; when callgrind fails.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, accept: bool) -> Result<(), Failure> {
    if said_by(valgrind(["--version"])).is_err() {
        steps.skip(
            "instructions",
            "valgrind is not installed, `apt-get install valgrind` gets it",
        );
        return Ok(());
    }
    let program = steps.perform("what is counted", || build(workspace))?;
    let folder = workspace.target.join("instructions");
    let counted = steps.perform("instructions", || count_all(&program, &folder))?;
    counted.iter().for_each(|count| steps.note(&line(count)));

    let file = workspace.root.join("core/benches/instructions.txt");
    if accept {
        return fs::write(&file, print(&counted)).map_err(|error| unusable(&file, &error.to_string()));
    }
    let accepted = fs::read_to_string(&file).map_err(|error| unusable(&file, &error.to_string()))?;
    let accepted = parse(&accepted).map_err(|why| unusable(&file, &why))?;
    let comparison = compare(&accepted, &counted);
    comparison.better.iter().for_each(|line| steps.note(line));
    if comparison.worse.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        comparison.worse.join("\n"),
        format!("if it is worth that, `{ACCEPT}` takes the new figures into core/benches/instructions.txt"),
    ))
}

fn unusable(file: &Path, why: &str) -> Failure {
    Failure::new(
        format!("{}: {why}", file.display()),
        format!("`{ACCEPT}` writes it anew"),
    )
}

fn valgrind<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("valgrind");
    command.args(arguments);
    command
}

/// Builds the benchmark `counts`; hands back the program.
fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let mut command = cargo_bench(workspace, "counts");
    command.args(["--no-run", "--message-format", "json"]);
    let messages = said_by(command)?;
    executable(&messages)
        .ok_or_else(|| Failure::new("cargo names no program `counts`", "is core/benches/counts.rs there?"))
}

fn executable(messages: &str) -> Option<PathBuf> {
    let mut artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    artifacts.find_map(|artifact| {
        let path = artifact["executable"].as_str()?;
        (artifact["target"]["name"] == "counts").then(|| path.into())
    })
}

/// Every operation at every size, a process each, because a world is changed by what is done in it. As many at the same
/// time as there are cores: counting is not measuring time.
fn count_all(program: &Path, folder: &Path) -> Result<Vec<Count>, Failure> {
    fs::create_dir_all(folder).map_err(|error| unusable(folder, &error.to_string()))?;
    let asked: Vec<_> = OPERATIONS
        .into_iter()
        .flat_map(|operation| SIZES.map(|size| (operation, size)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(&(operation, size)) = asked.get(next.fetch_add(1, Relaxed)) {
            done.push(count(program, folder, operation, size)?);
        }
        Ok(done)
    };
    let done: Result<Vec<Vec<Count>>, Failure> = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let ended = workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker does not panic"));
        ended.collect()
    });
    let mut counted = done?.concat();
    counted.sort_by_key(|count| asked.iter().position(|&asked| asked == (&*count.operation, count.size)));
    Ok(counted)
}

fn count(program: &Path, folder: &Path, operation: &str, size: u64) -> Result<Count, Failure> {
    let output = folder.join(format!("{operation}-{size}.callgrind"));
    // Counted only within the functions that are called so, and in what they call.
    let mut command = valgrind(["--tool=callgrind", "--toggle-collect=*measured*"]);
    command
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(program)
        .args([operation, &size.to_string()]);
    said_by(command)?;
    let text = fs::read_to_string(&output).map_err(|error| unusable(&output, &error.to_string()))?;
    let instructions = collected(&text)
        .filter(|&instructions| instructions > 0)
        .ok_or_else(|| {
            Failure::new(
                format!("callgrind has counted nothing in `{operation}`"),
                "is `measured` in core/benches/counts.rs still a function of its own?",
            )
        })?;
    Ok(Count {
        operation: operation.to_owned(),
        size,
        instructions,
    })
}

/// The sum in callgrind's output. Its first event is `Ir`, instructions read.
fn collected(output: &str) -> Option<u64> {
    let summary = output.lines().find_map(|line| line.strip_prefix("summary:"))?;
    summary.split_whitespace().next()?.parse().ok()
}

/// What has changed since the figures were accepted, in sentences.
#[derive(Debug, Default, PartialEq, Eq)]
struct Comparison {
    worse: Vec<String>,
    better: Vec<String>,
}

fn compare(accepted: &[Count], counted: &[Count]) -> Comparison {
    let mut comparison = Comparison::default();
    for now in counted {
        let Count {
            operation,
            size,
            instructions,
        } = now;
        let Some(before) = find(accepted, now) else {
            let line = format!("`{operation}` among {size}: {instructions} instructions, and none were accepted");
            comparison.worse.push(line);
            continue;
        };
        let before = before.instructions;
        let change = format!("`{operation}` among {size}: {instructions} instructions, {before} were accepted");
        if instructions * 100 > before * (100 + TOLERANCE_PERCENT) {
            let percent = (instructions - before) * 100 / before.max(1);
            comparison.worse.push(format!("{change}: {percent} % more"));
        } else if instructions * 100 < before * (100 - TOLERANCE_PERCENT) {
            let percent = (before - instructions) * 100 / before;
            comparison
                .better
                .push(format!("{change}: {percent} % less, `{ACCEPT}` keeps it so"));
        }
    }
    for before in accepted.iter().filter(|before| find(counted, before).is_none()) {
        let Count { operation, size, .. } = before;
        comparison.worse.push(format!(
            "`{operation}` among {size} was accepted, and is not counted any more"
        ));
    }
    comparison
}

fn find<'a>(counts: &'a [Count], like: &Count) -> Option<&'a Count> {
    counts
        .iter()
        .find(|count| (&count.operation, count.size) == (&like.operation, like.size))
}

fn parse(text: &str) -> Result<Vec<Count>, String> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let count = |line: &str| {
        let mut words = line.split_whitespace();
        let count = Count {
            operation: words.next()?.to_owned(),
            size: words.next()?.parse().ok()?,
            instructions: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(count)
    };
    lines
        .map(|line| count(line).ok_or_else(|| format!("`{line}` is not an operation and two numbers")))
        .collect()
}

fn print(counts: &[Count]) -> String {
    let lines: Vec<_> = counts.iter().map(|count| format!("{}\n", line(count))).collect();
    format!("{HEADER}{}", lines.concat())
}

fn line(count: &Count) -> String {
    let Count {
        operation,
        size,
        instructions,
    } = count;
    format!("{operation:<17} {size:>6} {instructions:>7}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(operation: &str, size: u64, instructions: u64) -> Count {
        Count {
            operation: operation.to_owned(),
            size,
            instructions,
        }
    }

    #[test]
    fn callgrinds_sum_is_found() {
        let output = "# callgrind format\nversion: 1\ncmd:  counts check\n\npositions: line\nevents: Ir\nsummary: 2745\n\n\
                      fn=(1158) memcmp\n80 26\n\ntotals: 2745\n";
        assert_eq!(collected(output), Some(2745));
        assert_eq!(collected("summary: 12 3 4\n"), Some(12));
        assert_eq!(collected("events: Ir\n"), None);
    }

    #[test]
    fn cargo_names_the_program() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"criterion"},"executable":null}
not a message
{"reason":"compiler-artifact","target":{"name":"counts"},"executable":"/target/counts-7d25"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some("/target/counts-7d25".into()));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let counts = [count("check", 10, 2745), count("plan", 100_000, 115_668)];
        let text = print(&counts);
        assert_eq!(parse(&text).unwrap(), counts);
        assert!(
            text.ends_with("\ncheck                 10    2745\nplan              100000  115668\n"),
            "{text}"
        );
    }

    #[test]
    fn a_line_of_another_form_is_quoted() {
        for line in ["check 10", "check ten 3", "check 10 3 4"] {
            assert_eq!(
                parse(&format!("# a comment\n\n{line}\n")),
                Err(format!("`{line}` is not an operation and two numbers"))
            );
        }
    }

    #[test]
    fn a_little_more_is_no_matter_and_notably_more_is_said_with_both_figures() {
        let accepted = [count("check", 10, 1000)];
        assert_eq!(compare(&accepted, &[count("check", 10, 1150)]), Comparison::default());
        assert_eq!(compare(&accepted, &[count("check", 10, 850)]), Comparison::default());
        assert_eq!(
            compare(&accepted, &[count("check", 10, 1151)]).worse,
            ["`check` among 10: 1151 instructions, 1000 were accepted: 15 % more"]
        );
        let better = compare(&accepted, &[count("check", 10, 400)]);
        assert!(better.worse.is_empty());
        assert_eq!(
            better.better,
            ["`check` among 10: 400 instructions, 1000 were accepted: 60 % less, \
              `cargo xtask bench core --instructions --accept` keeps it so"]
        );
    }

    #[test]
    fn what_only_one_side_has_is_said() {
        let comparison = compare(&[count("check", 10, 1)], &[count("check", 100_000, 2)]);
        assert_eq!(
            comparison.worse,
            [
                "`check` among 100000: 2 instructions, and none were accepted",
                "`check` among 10 was accepted, and is not counted any more"
            ]
        );
    }
}
