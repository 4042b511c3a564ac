//! What a person sees of a preview: first the steps and their verdicts, then the domains as they would be.
//!
//! Owns the first half, and the sum of it all. The reasons are the core's sentences, as they are.

mod domains;

use fulmar_core::Step;
use fulmar_core::protocol::{DomainReport, Explanation, StepVerdict};

use super::super::show::{or_none, printable};
use super::paper::{Paper, Tone};
use super::plan::{Entry, Plan};

/// How wide a line is, where words can be moved to the next one. A name cannot be broken.
const COLUMNS: usize = 80;

/// Names longer than this push aside what stands behind them, and no other line's.
const SUBJECT_CHARACTERS_MAX: usize = 32;

/// The whole of it.
pub(super) fn report(plan: &Plan, verdicts: &[StepVerdict], domains: &[DomainReport], paper: Paper) -> String {
    let subjects: Vec<_> = plan.entries.iter().map(subject).collect();
    let widths = subjects.iter().map(|subject| subject.chars().count());
    let columns = Columns {
        number: plan.entries.len().to_string().len(),
        subject: widths
            .filter(|width| *width <= SUBJECT_CHARACTERS_MAX)
            .max()
            .unwrap_or_default(),
    };
    let mut text = String::new();
    let mut rest = verdicts;
    for (position, (entry, subject)) in plan.entries.iter().zip(&subjects).enumerate() {
        let (own, following) = rest.split_at(entry.steps().len());
        rest = following;
        text += &step(position + 1, subject, entry, own, &columns, paper);
    }
    format!("{text}\n{}\n{}", sum(verdicts, paper), domains::domains(domains, paper))
}

/// How wide the numbers and the names are.
struct Columns {
    number: usize,
    subject: usize,
}

/// One step: what it is, and what became of it.
fn step(number: usize, subject: &str, entry: &Entry, own: &[StepVerdict], columns: &Columns, paper: Paper) -> String {
    let tally = Tally::of(own);
    let is_tried = tally.admitted + tally.refused > 0;
    let mark = match tally.refused {
        0 if is_tried => paper.paint(Tone::Good, paper.glyph("✓", "+")),
        0 => paper.paint(Tone::Faint, paper.glyph("·", "-")),
        _ => paper.paint(Tone::Bad, paper.glyph("✗", "x")),
    };
    let details = if is_tried {
        details(entry)
    } else {
        "not tried".to_owned()
    };
    let indent = columns.number + 3;
    let begin = indent + subject.chars().count().max(columns.subject) + 2;
    let details = fold_between_parts(&details, COLUMNS.saturating_sub(begin));
    let details = details.join(&format!("\n{}", " ".repeat(begin)));
    let line = format!(
        "{number:>number_width$} {mark} {subject:subject_width$}  {details}",
        number_width = columns.number,
        subject_width = columns.subject
    );
    let outcome = match (entry, tally.refused) {
        (_, 0) => String::new(),
        (Entry::One(_), _) => format!("{}refused:\n", " ".repeat(indent)),
        (Entry::Many { .. }, _) => format!("{}{}:\n", " ".repeat(indent), tally.sentence(own)),
    };
    let reasons = reasons(entry, own, &" ".repeat(indent));
    format!("{}\n{outcome}{reasons}", line.trim_end())
}

/// What a step does, and to what.
fn subject(entry: &Entry) -> String {
    match entry {
        // As a shell writes it, and expands it.
        Entry::Many { name, steps } => format!("unikernels {name}-{{1..{}}}", steps.len()),
        Entry::One(step) => match step {
            Step::InsertPolicy { domain, .. } => format!("policy {domain}"),
            Step::InsertUnikernel { name, .. } => format!("unikernel {name}"),
            Step::InsertBlock { name, .. } => format!("block {name}"),
            Step::RemovePolicy { domain } => format!("remove policy {domain}"),
            Step::RemoveUnikernel { name } => format!("remove unikernel {name}"),
            Step::RemoveBlock { name } => format!("remove block {name}"),
        },
    }
}

/// The figures of a step; of many unikernels those of each.
fn details(entry: &Entry) -> String {
    let each = match entry {
        Entry::One(_) => "",
        Entry::Many { .. } => "each ",
    };
    match entry.steps().first() {
        Some(Step::InsertPolicy { policy, .. }) => {
            let block = policy.block_mib.map(|mib| format!(", {mib} MiB block"));
            let bridges = match policy.bridges.is_empty() {
                true => String::new(),
                false => format!("; bridges {}", policy.bridges),
            };
            format!(
                "{}, {} MiB{}; CPUs {}{bridges}",
                unikernels(policy.unikernels.get()),
                policy.memory_mib,
                block.unwrap_or_default(),
                or_none(&policy.cpuids.to_string()),
            )
        }
        Some(Step::InsertUnikernel { unikernel, .. }) => {
            let devices = unikernel
                .block_devices()
                .iter()
                .map(|block| format!("block {}", block.host));
            let nets = unikernel.bridges().iter().map(|net| format!("bridge {}", net.bridge));
            let devices: String = devices.chain(nets).map(|device| format!("; {device}")).collect();
            format!(
                "{each}{} MiB; CPUs {}{devices}",
                unikernel.memory_mib(),
                unikernel.cpuids()
            )
        }
        Some(Step::InsertBlock { size_mib, .. }) => format!("{} MiB", size_mib.mib()),
        Some(Step::RemovePolicy { .. } | Step::RemoveUnikernel { .. } | Step::RemoveBlock { .. }) | None => {
            String::new()
        }
    }
}

fn unikernels(count: u64) -> String {
    match count {
        1 => "1 unikernel".to_owned(),
        count => format!("{count} unikernels"),
    }
}

/// How many of some steps came to what.
struct Tally {
    admitted: usize,
    refused: usize,
    not_tried: usize,
}

impl Tally {
    fn of(verdicts: &[StepVerdict]) -> Self {
        let count = |is: fn(&StepVerdict) -> bool| verdicts.iter().filter(|verdict| is(verdict)).count();
        Self {
            admitted: count(|verdict| matches!(verdict, StepVerdict::Admitted {})),
            refused: count(|verdict| matches!(verdict, StepVerdict::Refused { .. })),
            not_tried: count(|verdict| matches!(verdict, StepVerdict::NotTried {})),
        }
    }

    /// What became of all of them: `3 of 5 admitted, then refused`.
    fn sentence(&self, verdicts: &[StepVerdict]) -> String {
        let Self {
            admitted,
            refused,
            not_tried,
        } = *self;
        // Whether those that fit are the first ones: otherwise it was a matter of single names.
        let in_order = !verdicts[..admitted].iter().any(is_refused);
        let begin = match admitted {
            0 => "refused".to_owned(),
            _ if in_order => format!("{admitted} of {} admitted, then refused", verdicts.len()),
            _ => format!("{admitted} of {} admitted, {refused} refused", verdicts.len()),
        };
        match not_tried {
            0 => begin,
            count => format!("{begin}, {count} not tried"),
        }
    }
}

fn is_refused(verdict: &StepVerdict) -> bool {
    matches!(verdict, StepVerdict::Refused { .. })
}

/// Every reason, once where several unikernels of a step are refused for the same: then the first of them is meant.
fn reasons(entry: &Entry, verdicts: &[StepVerdict], indent: &str) -> String {
    let mut groups: Vec<(usize, &[Explanation])> = Vec::new();
    for (position, verdict) in verdicts.iter().enumerate() {
        if let StepVerdict::Refused { reasons } = verdict
            && groups.last().is_none_or(|(_, last)| !same_sentences(last, reasons))
        {
            groups.push((position, reasons));
        }
    }
    let mut text = String::new();
    for (position, reasons) in &groups {
        // Which of them, where it is not plainly the first that did not fit.
        if groups.len() > 1
            && let Some(Step::InsertUnikernel { name, .. }) = entry.steps().get(*position)
        {
            text += &format!("{indent}{name}\n");
        }
        for reason in *reasons {
            text += &wrap(&printable(&reason.sentence), &format!("{indent}  "));
        }
    }
    text
}

fn same_sentences(some: &[Explanation], others: &[Explanation]) -> bool {
    let sentences = |reasons: &[Explanation]| reasons.iter().map(|reason| reason.sentence.clone()).collect::<Vec<_>>();
    sentences(some) == sentences(others)
}

/// What it comes to in all.
fn sum(verdicts: &[StepVerdict], paper: Paper) -> String {
    let Tally {
        admitted,
        refused,
        not_tried,
    } = Tally::of(verdicts);
    let steps = match verdicts.len() {
        1 => "1 step".to_owned(),
        count => format!("{count} steps"),
    };
    let sum = match (refused, not_tried) {
        (0, 0) => format!("{steps}, all admitted"),
        (_, 0) => format!("{steps}: {admitted} admitted, {refused} refused"),
        _ => {
            format!("{steps}: {admitted} admitted, {refused} refused, {not_tried} not tried (--keep-going tries them)")
        }
    };
    paper.paint(Tone::Strong, &sum) + "\n"
}

/// The text in lines that begin with `indent`.
fn wrap(text: &str, indent: &str) -> String {
    let lines = fold(text, COLUMNS.saturating_sub(indent.chars().count()));
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

/// As [`fold`], but keeps together what stands between semicolons, where a line can hold that.
fn fold_between_parts(text: &str, width: usize) -> Vec<String> {
    const KEPT: &str = "\u{a0}";
    let kept = |part: &str| match part.chars().count() < width {
        true => part.replace(' ', KEPT),
        false => part.to_owned(),
    };
    let parts: Vec<_> = text.split("; ").map(kept).collect();
    let lines = fold(&parts.join("; "), width).into_iter();
    lines.map(|line| line.replace(KEPT, " ")).collect()
}

/// The text in lines of at most `width` characters, where its blanks allow that.
fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
