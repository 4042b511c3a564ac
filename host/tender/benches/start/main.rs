//! How long a unikernel takes from the start of its tender to its end, what the tender costs beside it, and where the time
//! goes; as tables in Markdown. `cargo xtask bench tender` runs it.
//!
//! Owns what is measured and how often. The measured program is the one that cargo builds with this benchmark's profile, which
//! is the release's. `/bin/true` and an [`empty machine`](machine) stand beside it, since hosts differ.

mod machine;
mod resident;
mod run;
mod table;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use fulmar_tender::Image;
use run::Start;
use table::{milliseconds, print};

/// Rounds of which the median is taken. Every round runs everything once, so that a busy moment meets all alike.
const ROUNDS: usize = 50;
const WARM_UP_ROUNDS: usize = 5;

const TARGETS: [(&str, &str); 2] = [("spt", "≤ 1.2 ms"), ("hvt", "≤ 12.9 ms")];
const MEMORIES_MIB: [usize; 2] = [32, 4096];

const BINARY_KIB_MAX: u64 = 2048;
const RESIDENT_KIB_MAX: u64 = 3072;

fn main() {
    // This program is also the one that makes an empty machine.
    let mut arguments = std::env::args().skip_while(|argument| argument != machine::ARGUMENT);
    if let Some(memory_mib) = arguments.nth(1) {
        machine::steps(memory_mib.parse().expect("we have written it"));
        return;
    }
    let has_kvm = File::options().read(true).write(true).open("/dev/kvm").is_ok();
    let targets: Vec<_> = TARGETS
        .into_iter()
        .filter(|(target, _)| has_kvm || *target == "spt")
        .collect();
    if !has_kvm {
        println!("- /dev/kvm cannot be opened, so nothing is said of hvt");
    }
    starts(&targets, has_kvm);
    phases(&targets);
    if has_kvm {
        machine_steps();
    }
    sizes(&targets);
}

/// From the start of a program to its end.
fn starts(targets: &[(&str, &str)], has_kvm: bool) {
    let mut programs = vec![("`/bin/true`".to_owned(), Start::program("/bin/true"), "")];
    if has_kvm {
        for memory_mib in MEMORIES_MIB {
            let name = format!("an empty KVM machine, {memory_mib} MiB");
            programs.push((name, Start::empty_machine(memory_mib), ""));
        }
    }
    for &(target, wanted) in targets {
        for memory_mib in MEMORIES_MIB {
            let start = Start::hello(target, memory_mib);
            programs.push((format!("hello, {target}, {memory_mib} MiB"), start, wanted));
        }
    }
    let mut times = vec![Vec::new(); programs.len()];
    for round in 0..WARM_UP_ROUNDS + ROUNDS {
        for ((_, program, _), times) in programs.iter().zip(&mut times) {
            let time = program.to_end();
            times.extend((round >= WARM_UP_ROUNDS).then_some(time));
        }
    }
    let rows = programs.iter().zip(&mut times).map(|((name, _, wanted), times)| {
        times.sort_unstable();
        [
            name.clone(),
            milliseconds(median(times)),
            milliseconds(times[0]),
            (*wanted).to_owned(),
        ]
    });
    print(["from start to exit", "median", "fastest", "wanted"], rows);
}

/// The two halves of a run, as `--hold` shows them from outside.
fn phases(targets: &[(&str, &str)]) {
    let rows = targets.iter().map(|(target, _)| {
        let start = Start::hello(target, 32);
        let (mut loading, mut running): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| start.in_two_halves()).unzip();
        loading.sort_unstable();
        running.sort_unstable();
        [
            format!("hello, {target}, 32 MiB"),
            milliseconds(median(&loading)),
            milliseconds(median(&running)),
        ]
    });
    print(
        [
            "where the time goes, medians",
            "start to loaded",
            "filter, first instruction to exit",
        ],
        rows,
    );
}

/// What the tender's library takes for a unikernel's file, and the kernel for each step of an empty machine, small and large.
fn machine_steps() {
    let mut steps: Vec<(&str, [Vec<Duration>; 2])> = Vec::new();
    for _ in 0..ROUNDS {
        for (size, memory_mib) in MEMORIES_MIB.into_iter().enumerate() {
            let read = std::iter::once(("read and check hello's file", read_and_check()));
            for (index, (name, time)) in read.chain(machine::steps(memory_mib)).enumerate() {
                if steps.len() <= index {
                    steps.push((name, Default::default()));
                }
                steps[index].1[size].push(time);
            }
        }
    }
    let rows = steps.into_iter().map(|(name, times)| {
        let [small, large] = times.map(|mut times| {
            times.sort_unstable();
            milliseconds(median(&times))
        });
        [name.to_owned(), small, large]
    });
    print(
        ["an empty KVM machine, medians of its steps", "32 MiB", "4096 MiB"],
        rows,
    );
}

fn read_and_check() -> Duration {
    let path = run::hello("hvt");
    let started = Instant::now();
    let file = std::fs::read(path).expect("it was read before");
    let image = Image::parse(&file);
    let took = started.elapsed();
    assert!(image.is_ok(), "hello is a unikernel");
    took
}

fn sizes(targets: &[(&str, &str)]) {
    let binary_kib = Path::new(run::TENDER)
        .metadata()
        .map_or(0, |file| file.len().div_ceil(1024));
    let mut rows = vec![[
        "the program's file".to_owned(),
        format!("{binary_kib} KiB"),
        format!("≤ {BINARY_KIB_MAX} KiB"),
    ]];
    for (target, _) in targets {
        let resident = resident::beyond_the_guest(target);
        rows.push([
            format!("resident beyond the guest's pages, {target}"),
            format!("{} KiB, {} of them its own", resident.all_kib, resident.private_kib),
            format!("≤ {RESIDENT_KIB_MAX} KiB"),
        ]);
    }
    print(["size", "", "wanted"], rows.into_iter());
}

/// The middle one of sorted times.
fn median(sorted: &[Duration]) -> Duration {
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2
}
