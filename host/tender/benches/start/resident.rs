//! What of a tender is in memory beside the guest's pages, of which there are as many as the guest has touched.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::run::Start;

/// The guest's memory: a size that no other mapping has.
const MEMORY_MIB: usize = 34;
const LINE: &str = "hello from";

/// In KiB.
pub(crate) struct Resident {
    /// As `VmRSS` counts: with the pages of the program and of the C library, which all tenders share.
    pub(crate) all_kib: u64,
    /// Without them.
    pub(crate) private_kib: u64,
}

/// Looks at a unikernel that sleeps.
pub(crate) fn beyond_the_guest(target: &str) -> Resident {
    let mut command = Start::hello(target, MEMORY_MIB).command();
    let mut running = command
        .arg("sleep=60")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut line = String::new();
    let console = running.stdout.take().expect("it is a pipe");
    BufReader::new(console)
        .read_line(&mut line)
        .expect("the unikernel prints");
    assert!(line.starts_with(LINE), "{line}");
    let smaps = std::fs::read_to_string(format!("/proc/{}/smaps", running.id())).expect("it runs");
    running.kill().and_then(|()| running.wait()).expect("it can be killed");

    let mappings = parse(&smaps);
    let guest = guest(&mappings);
    let beyond = mappings.iter().filter(|mapping| !guest.contains(&mapping.start));
    beyond.fold(
        Resident {
            all_kib: 0,
            private_kib: 0,
        },
        |sum, mapping| Resident {
            all_kib: sum.all_kib + mapping.resident_kib,
            private_kib: sum.private_kib + mapping.private_kib,
        },
    )
}

struct Mapping {
    start: u64,
    end: u64,
    resident_kib: u64,
    private_kib: u64,
}

/// The run of adjacent mappings that is as large as the guest's memory, of which the first pages may be missing (`spt`).
fn guest(mappings: &[Mapping]) -> std::ops::Range<u64> {
    let mut run = 0..0;
    for mapping in mappings {
        if mapping.start != run.end {
            run.start = mapping.start;
        }
        run.end = mapping.end;
        if (run.end - run.start).next_multiple_of(1 << 20) == (MEMORY_MIB as u64) << 20 {
            return run;
        }
    }
    panic!("no mapping is as large as the guest");
}

fn parse(smaps: &str) -> Vec<Mapping> {
    let mut mappings = Vec::new();
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let (Some(first), second) = (words.next(), words.next()) else {
            continue;
        };
        if let Some(field) = first.strip_suffix(':') {
            let kib = || second.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default();
            let Some(mapping): Option<&mut Mapping> = mappings.last_mut() else {
                continue;
            };
            match field {
                "Rss" => mapping.resident_kib = kib(),
                "Private_Clean" | "Private_Dirty" => mapping.private_kib += kib(),
                _ => {}
            }
        } else if let Some((start, end)) = first.split_once('-') {
            let number = |digits| u64::from_str_radix(digits, 16).expect("an address");
            mappings.push(Mapping {
                start: number(start),
                end: number(end),
                resident_kib: 0,
                private_kib: 0,
            });
        }
    }
    mappings
}
