//! The domains after a plan, drawn as a tree: of each its limits, what is used of them, what is left and whose policy says so, and
//! what it hands on.
//!
//! Owns the drawing. Every figure is the policy module's.

use fulmar_core::protocol::DomainReport;
use fulmar_core::{Amount, Choice, HandedOn, Path, Policy, Room};

use super::super::super::show::or_none;
use super::super::paper::{Paper, Tone};
use super::{COLUMNS, fold, unikernels};

/// How long a bar is: as long as the words leave it, within these.
const BAR_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=20;

/// Beyond this depth what is drawn is moved to the right no more together: the bars of the few that lie deeper stand behind.
const ALIGNED_DEPTH_MAX: usize = 8;

/// The longest word in front of a bar, and two blanks.
const LABEL_CHARACTERS: usize = "unikernels".len() + 2;

/// Draws them; they come each right before those below it.
pub(super) fn domains(domains: &[DomainReport], paper: Paper) -> String {
    let rows: Vec<Vec<Row>> = domains.iter().map(rows).collect();
    let columns = Columns::of(domains, &rows);
    let branches = branches(domains);
    let drawn = domains.iter().zip(&rows).zip(&branches);
    drawn
        .map(|((domain, rows), branch)| draw(domain, rows, branch, &columns, paper))
        .collect()
}

/// One line about a domain.
enum Row {
    /// An amount, with a bar where it has a limit.
    Amount {
        label: &'static str,
        used: Amount,
        /// The limit; none draws no bar.
        limit: Option<Amount>,
        amount: String,
        left: String,
    },
    /// Anything else.
    Words { label: &'static str, text: String },
}

fn rows(report: &DomainReport) -> Vec<Row> {
    let room = &report.headroom;
    let Some(policy) = &report.policy else {
        return match room.unikernels.bound_by {
            None => vec![unlimited(report)]
                .into_iter()
                .chain(hands_on(&report.handed_on, None))
                .collect(),
            Some(_) => inherited(report),
        };
    };
    let mut rows = vec![
        amount(
            report,
            "unikernels",
            "",
            report.usage.unikernels,
            policy.unikernels,
            &room.unikernels,
        ),
        amount(
            report,
            "memory",
            " MiB",
            report.usage.memory_mib,
            policy.memory_mib,
            &room.memory_mib,
        ),
    ];
    match policy.block_mib {
        Some(limit) => rows.push(amount(
            report,
            "block",
            " MiB",
            report.usage.block_mib,
            limit,
            &room.block_mib,
        )),
        None if report.usage.block_mib == Amount::ZERO => {}
        None => rows.push(Row::Amount {
            label: "block",
            used: report.usage.block_mib,
            limit: Some(Amount::ZERO),
            amount: format!("{} MiB of none", report.usage.block_mib),
            left: format!("over by {}", report.usage.block_mib),
        }),
    }
    rows.push(Row::Words {
        label: "CPUs",
        text: format!(
            "{}; bridges {}",
            chosen(&room.cpuids, ToString::to_string),
            chosen(&room.bridges, ToString::to_string)
        ),
    });
    rows.extend(hands_on(&report.handed_on, Some(policy)));
    rows
}

/// A limit of the domain's own policy.
fn amount(report: &DomainReport, label: &'static str, unit: &str, used: Amount, limit: Amount, room: &Room) -> Row {
    let left = match used.get().checked_sub(limit.get()) {
        Some(over) if over > 0 => format!("over by {over}"),
        _ => left(room, &report.domain),
    };
    Row::Amount {
        label,
        used,
        limit: Some(limit),
        amount: format!("{used} of {limit}{unit}"),
        left,
    }
}

/// A domain without a policy, with one above.
fn inherited(report: &DomainReport) -> Vec<Row> {
    let row = |label, unit, used, room| Row::Amount {
        label,
        used,
        limit: None,
        amount: format!("{used}{unit} used"),
        left: left(room, &report.domain),
    };
    let (usage, room) = (&report.usage, &report.headroom);
    let mut rows = vec![
        row("unikernels", "", usage.unikernels, &room.unikernels),
        row("memory", " MiB", usage.memory_mib, &room.memory_mib),
    ];
    if usage.block_mib > Amount::ZERO {
        rows.push(row("block", " MiB", usage.block_mib, &room.block_mib));
    }
    rows.extend(hands_on(&report.handed_on, None));
    rows
}

/// A domain without a policy, and with none above.
fn unlimited(report: &DomainReport) -> Row {
    let usage = &report.usage;
    let block = match usage.block_mib {
        Amount::ZERO => String::new(),
        mib => format!(", {mib} MiB block"),
    };
    let used = format!(
        "{}, {} MiB memory{block}",
        unikernels(usage.unikernels.get()),
        usage.memory_mib
    );
    Row::Words {
        label: "no limit",
        text: format!("{used} used"),
    }
}

/// What is left, and whose policy leaves no more where that is another's.
fn left(room: &Room, domain: &Path) -> String {
    match &room.bound_by {
        Some(binding) if binding == domain => format!("{} left", room.free),
        Some(binding) => format!("{} left, bound by {}", room.free, called(binding)),
        None => "no limit".to_owned(),
    }
}

/// What may be chosen, and who leaves something out beside the nearest.
fn chosen<S>(choice: &Choice<S>, write: impl Fn(&S) -> String) -> String {
    let allowed = choice
        .allowed
        .as_ref()
        .map_or_else(|| "any".to_owned(), |set| or_none(&write(set)));
    let others: Vec<_> = choice.bound_by.iter().skip(1).map(called).collect();
    match others.as_slice() {
        [] => allowed,
        others => format!("{allowed} (bound by {})", others.join(", ")),
    }
}

/// `:` alone is hard to see in a sentence.
fn called(domain: &Path) -> String {
    match domain.is_root() {
        true => "the root".to_owned(),
        false => domain.to_string(),
    }
}

/// What was handed on: each limit of which more was than there is, in a line of its own; then the others.
fn hands_on(handed_on: &HandedOn, policy: Option<&Policy>) -> Vec<Row> {
    if handed_on.policies == 0 {
        return Vec::new();
    }
    let of = |sum: Amount, limit: Option<Amount>| match (policy, limit) {
        (None, _) => sum.to_string(),
        (Some(_), Some(limit)) => format!("{sum} of {limit}"),
        (Some(_), None) => format!("{sum} of no"),
    };
    let mut parts = vec![
        (
            "unikernels",
            format!(
                "{} unikernels",
                of(handed_on.unikernels, policy.map(|policy| policy.unikernels))
            ),
        ),
        (
            "memory",
            format!(
                "{} MiB memory",
                of(handed_on.memory_mib, policy.map(|policy| policy.memory_mib))
            ),
        ),
    ];
    if handed_on.block_mib > Amount::ZERO {
        let limit = policy.and_then(|policy| policy.block_mib);
        parts.push(("block", format!("{} MiB block", of(handed_on.block_mib, limit))));
    }
    let is_over = |limit: &str| handed_on.oversubscribed.iter().any(|overrun| overrun.limit() == limit);
    let (over, within): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(limit, _)| is_over(limit));
    let within: Vec<_> = within.into_iter().map(|(_, text)| text).collect();
    let over = over.into_iter().map(|(_, text)| format!("{text}: over-subscribed"));
    let within = (!within.is_empty()).then(|| within.join(", "));
    let texts = over.chain(within).enumerate();
    let label = |position| if position == 0 { "hands on" } else { "" };
    texts
        .map(|(position, text)| Row::Words {
            label: label(position),
            text,
        })
        .collect()
}

/// Where everything stands, so that all domains' bars are below each other.
struct Columns {
    label: usize,
    bar: usize,
    amount: usize,
}

impl Columns {
    fn of(domains: &[DomainReport], rows: &[Vec<Row>]) -> Self {
        let widest = |width: fn(&Row) -> usize| rows.iter().flatten().map(width).max().unwrap_or_default();
        let depth = domains.iter().map(|report| report.domain.labels().count()).max();
        let label = 2 * (depth.unwrap_or_default().min(ALIGNED_DEPTH_MAX) + 1) + LABEL_CHARACTERS;
        let amount = widest(|row| match row {
            Row::Amount { amount, .. } => amount.chars().count(),
            Row::Words { .. } => 0,
        });
        let left = widest(|row| match row {
            Row::Amount { left, .. } => left.chars().count(),
            Row::Words { .. } => 0,
        });
        let rest = COLUMNS.saturating_sub(label + 2 + amount + 2 + left);
        Self {
            label,
            bar: rest.clamp(*BAR_CHARACTERS.start(), *BAR_CHARACTERS.end()),
            amount,
        }
    }
}

/// Where a domain hangs in the tree.
struct Branch {
    /// Of each level from the first down to its own, whether another one follows there.
    follows: Vec<bool>,
    has_children: bool,
}

fn branches(domains: &[DomainReport]) -> Vec<Branch> {
    let mut branches = Vec::with_capacity(domains.len());
    // From the last one upwards: at which levels something follows.
    let mut follows: Vec<bool> = Vec::new();
    for report in domains.iter().rev() {
        let depth = report.domain.labels().count();
        let has_children = follows.len() > depth;
        follows.resize(depth, false);
        branches.push(Branch {
            follows: follows.clone(),
            has_children,
        });
        if let Some(own) = follows.last_mut() {
            *own = true;
        }
    }
    branches.reverse();
    branches
}

impl Branch {
    /// What stands before the domain's label.
    fn before_label(&self, paper: Paper) -> String {
        let Some((own, above)) = self.follows.split_last() else {
            return String::new();
        };
        let own = if *own {
            paper.glyph("├ ", "|-")
        } else {
            paper.glyph("└ ", "`-")
        };
        lines(above, paper) + own
    }

    /// What stands before everything else about it.
    fn before_rows(&self, paper: Paper) -> String {
        lines(&self.follows, paper) + &lines(&[self.has_children], paper)
    }
}

fn lines(follows: &[bool], paper: Paper) -> String {
    let line = |follows: &bool| if *follows { paper.glyph("│ ", "| ") } else { "  " };
    follows.iter().map(line).collect()
}

fn draw(report: &DomainReport, rows: &[Row], branch: &Branch, columns: &Columns, paper: Paper) -> String {
    let label = report.domain.labels().last().unwrap_or(":");
    let policy = if report.policy.is_some() {
        ""
    } else {
        "  no policy of its own"
    };
    let mut text = format!(
        "{}{}{}\n",
        paper.paint(Tone::Faint, &branch.before_label(paper)),
        paper.paint(Tone::Strong, label),
        paper.paint(Tone::Faint, policy)
    );
    let before = branch.before_rows(paper);
    let label_width = columns
        .label
        .saturating_sub(before.chars().count())
        .max(LABEL_CHARACTERS);
    let before = paper.paint(Tone::Faint, &before);
    for row in rows {
        let lines = match row {
            Row::Amount {
                label,
                used,
                limit,
                amount,
                left,
            } => {
                let bar = match limit {
                    Some(limit) => paper.bar(used.get(), limit.get(), columns.bar),
                    None => " ".repeat(columns.bar),
                };
                let left = paper.paint(tone(left), left);
                vec![format!(
                    "{label:label_width$}{bar}  {amount:width$}  {left}",
                    width = columns.amount
                )]
            }
            Row::Words { label, text } => {
                let label = std::iter::once(*label).chain(std::iter::repeat(""));
                let text = fold(text, COLUMNS.saturating_sub(columns.label));
                label
                    .zip(text)
                    .map(|(label, text)| format!("{label:label_width$}{text}"))
                    .collect()
            }
        };
        for line in lines {
            text += &format!("{before}{line}\n");
        }
    }
    text
}

fn tone(left: &str) -> Tone {
    if left.starts_with("over ") {
        Tone::Bad
    } else if left.starts_with("0 ") {
        Tone::Full
    } else {
        Tone::Faint
    }
}
