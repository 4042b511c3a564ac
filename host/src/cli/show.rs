//! What a person sees of an answer.
//!
//! Owns the sentences, the tables' columns and the written form of times. What a unikernel wrote is shown without its control
//! characters: it must not write on the terminal of whoever looks.

use std::time::{Duration, SystemTime};

use fulmar::api::{ConsoleLine, PolicyInfo, UnikernelInfo, UnikernelState};
use fulmar::door::ConsoleRecord;
use fulmar_core::{Amount, Name, Path, Policy};

use super::table;

/// How many digits of an image's SHA-256 are shown; git shows about as many.
const SHA256_DIGITS: usize = 12;

/// How many characters of a unikernel's arguments are shown; `--json` shows all.
const ARGUMENTS_CHARACTERS_MAX: usize = 80;

/// The last millisecond of the year 9999: the last time that RFC 3339 can write.
const TIME_MAX_MS: u64 = 253_402_300_799_999;

pub(super) fn policy_added(domain: &Path, policy: &Policy) -> String {
    let block = match policy.block_mib {
        Some(block_mib) => format!("{block_mib} MiB of block devices"),
        None => "no block devices".to_owned(),
    };
    format!(
        "`{domain}` may have {} unikernels, {} MiB of memory, {block}; CPUs: {}; bridges: {}\n",
        policy.unikernels,
        policy.memory_mib,
        or_none(&policy.cpuids.to_string()),
        or_none(&policy.bridges.to_string()),
    )
}

pub(super) fn policy_removed(domain: &Path) -> String {
    format!("`{domain}` has no policy of its own any more; those above hold\n")
}

pub(super) fn policies(domain: &Path, policies: &[PolicyInfo]) -> String {
    if policies.is_empty() {
        return format!("no policy at `{domain}` or below\n");
    }
    let rows: Vec<_> = policies.iter().map(policy_row).collect();
    table::layout(
        ["DOMAIN", "UNIKERNELS", "MEMORY MiB", "BLOCK MiB", "CPUS", "BRIDGES"],
        &rows,
    )
}

fn policy_row(PolicyInfo { domain, policy, usage }: &PolicyInfo) -> [String; 6] {
    let block = match policy.block_mib {
        Some(limit) => share(usage.block_mib, limit),
        None if usage.block_mib == Amount::ZERO => "none".to_owned(),
        None => format!("{} of none", usage.block_mib),
    };
    [
        domain.to_string(),
        share(usage.unikernels, policy.unikernels),
        share(usage.memory_mib, policy.memory_mib),
        block,
        or_none(&policy.cpuids.to_string()),
        or_none(&policy.bridges.to_string()),
    ]
}

fn share(used: Amount, limit: Amount) -> String {
    format!("{used} of {limit}")
}

pub(super) fn or_none(list: &str) -> String {
    if list.is_empty() { "none" } else { list }.to_owned()
}

pub(super) fn created(unikernel: &UnikernelInfo) -> String {
    match unikernel.state {
        UnikernelState::Running { pid, .. } => format!("created {}, process {pid}\n", unikernel.name),
        _ => format!("created {}\n", unikernel.name),
    }
}

pub(super) fn destroyed(name: &Name) -> String {
    format!("destroyed {name}\n")
}

/// The unikernels, as they are `now`; then why some of them do not run.
pub(super) fn unikernels(unikernels: &[UnikernelInfo], now: SystemTime) -> String {
    if unikernels.is_empty() {
        return "no unikernels\n".to_owned();
    }
    let rows: Vec<_> = unikernels
        .iter()
        .map(|unikernel| unikernel_row(unikernel, now))
        .collect();
    let heading = ["NAME", "STATE", "UP", "MEMORY", "CPUS", "IMAGE", "ARGUMENTS"];
    table::layout(heading, &rows) + &unikernels.iter().filter_map(failure).collect::<String>()
}

fn unikernel_row(unikernel: &UnikernelInfo, now: SystemTime) -> [String; 7] {
    let (state, up) = match &unikernel.state {
        UnikernelState::Starting {} => ("starting".to_owned(), String::new()),
        UnikernelState::Running { pid, started_unix_ms } => (format!("running {pid}"), since(*started_unix_ms, now)),
        UnikernelState::Stopping {} => ("stopping".to_owned(), String::new()),
        UnikernelState::Failed { .. } => ("failed".to_owned(), String::new()),
    };
    [
        unikernel.name.to_string(),
        state,
        up,
        format!("{} MiB", unikernel.config.unikernel.memory_mib()),
        unikernel.config.unikernel.cpuids().to_string(),
        unikernel.image_sha256.chars().take(SHA256_DIGITS).collect(),
        arguments(&unikernel.config.arguments),
    ]
}

fn arguments(arguments: &[String]) -> String {
    let line = printable(&arguments.join(" "));
    match line.char_indices().nth(ARGUMENTS_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn failure(unikernel: &UnikernelInfo) -> Option<String> {
    match &unikernel.state {
        UnikernelState::Failed { message } => {
            Some(format!("`{}` does not run: {}\n", unikernel.name, printable(message)))
        }
        _ => None,
    }
}

pub(super) fn console_record(record: &ConsoleRecord) -> String {
    match record {
        ConsoleRecord::Line(ConsoleLine { at_unix_ms, line }) => {
            let at = humantime::format_rfc3339_millis(time(*at_unix_ms));
            format!("{at} {}\n", printable(line))
        }
        ConsoleRecord::Dropped { dropped_lines } => {
            format!("-- {dropped_lines} lines are missing here: they came faster than they were read --\n")
        }
    }
}

fn time(unix_ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(unix_ms.min(TIME_MAX_MS))
}

/// How long ago that was, in its two largest units: `3days 2h`.
fn since(unix_ms: u64, now: SystemTime) -> String {
    let passed = now.duration_since(time(unix_ms)).unwrap_or_default();
    let text = humantime::format_duration(Duration::from_secs(passed.as_secs())).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// The text with control characters, but for tabs, written out.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests;
