//! Plans: a file of steps in the order in which they are tried.
//!
//! Owns the form of the file: TOML, one `[[step]]` table for each step, the first field says what it is about. Values are read by
//! the core's types and, where they have a written form of their own, as on the command line, so that both have the same words.
//!
//! | a step | its other fields |
//! |---|---|
//! | `policy = "alice"` | `unikernels`, `memory_mib`; `block_mib`, `cpuids = "0-3"`, `bridges = ["service"]`, without which there are none |
//! | `unikernel = "alice:web"` | `memory_mib`, `cpuids`; `block_devices = ["DEV:HOST:SECTOR"]`, `bridges = ["DEV:BRIDGE@MAC"]`; `count = 3`: that many, named `alice:web-1` to `alice:web-3` |
//! | `block = "alice:data"` | `size_mib` |
//! | `remove_policy`, `remove_unikernel`, `remove_block` | |

use fulmar_core::{
    Amount, BlockSize, Bridge, BridgeSet, CpuSet, Label, Name, NameError, Path, Policy, Step, Unikernel, UnikernelError,
};
use toml::de::DeTable;

use super::super::value;
use super::fields::{Fields, PlanError, Wrong};

/// The largest file, in bytes. A plan is written by a person: this is some 10,000 steps.
pub(super) const PLAN_BYTES_MAX: usize = 1 << 20;

/// The most unikernels that one step creates.
const COUNT_MAX: u64 = 10_000;

/// The most steps in all, each unikernel of a `count` one: what the module tries within seconds, and an answer can hold.
const STEPS_MAX: usize = 100_000;

const KINDS: [&str; 6] = [
    "policy",
    "unikernel",
    "block",
    "remove_policy",
    "remove_unikernel",
    "remove_block",
];

/// A plan, as it is written.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) entries: Vec<Entry>,
}

/// One `[[step]]` of the file.
#[derive(Debug)]
pub(super) enum Entry {
    /// One step.
    One(Step),
    /// As many unikernels as its `count` says.
    Many {
        /// The name without a number.
        name: Name,
        /// At least one.
        steps: Vec<Step>,
    },
}

impl Entry {
    /// Its steps, at least one.
    pub(super) fn steps(&self) -> &[Step] {
        match self {
            Self::One(step) => std::slice::from_ref(step),
            Self::Many { steps, .. } => steps,
        }
    }
}

impl Plan {
    /// Reads a plan.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PlanError> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                return Err(Wrong::at(text.len(), "this is no UTF-8").in_text(text));
            }
        };
        read(text).map_err(|wrong| wrong.in_text(text))
    }

    /// All steps, in order.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.entries.iter().flat_map(Entry::steps)
    }
}

fn read(text: &str) -> Result<Plan, Wrong> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(text.len(), |span| span.start);
        Wrong::at(at, error.message())
    })?;
    let mut fields = Fields::new(&table.span(), table.get_ref());
    fields.only("a plan", &["step"])?;
    let steps = fields.take("step").map(|steps| steps.tables()).transpose()?;
    let mut entries = Vec::new();
    let mut count = 0;
    for step in steps.unwrap_or_default() {
        let at = step.at();
        let entry = entry(step)?;
        count += entry.steps().len();
        if count > STEPS_MAX {
            let sentence = format!("the plan has more than {STEPS_MAX} steps, each unikernel of a `count` counted");
            return Err(Wrong::at(at, sentence));
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(Wrong::at(0, "the plan has no steps: begin one with `[[step]]`"));
    }
    Ok(Plan { entries })
}

fn entry(mut fields: Fields<'_, '_>) -> Result<Entry, Wrong> {
    let mut kinds = KINDS.iter().filter_map(|kind| Some((*kind, fields.take(kind)?)));
    let (first, second) = (kinds.next(), kinds.next());
    drop(kinds);
    let (kind, subject) = first.ok_or_else(|| {
        let kinds: Vec<_> = KINDS.iter().map(|kind| format!("`{kind}`")).collect();
        Wrong::at(
            fields.at(),
            format!("a step says what it is about by one of {}", kinds.join(", ")),
        )
    })?;
    if let Some((other, subject)) = second {
        return Err(subject.wrong(format!(
            "the step has a `{kind}` already: give `{other}` a step of its own"
        )));
    }
    let name = || subject.text(str::parse::<Name>);
    let domain = || subject.text(str::parse::<Path>);
    match kind {
        "policy" => insert_policy(domain()?, fields),
        "unikernel" => insert_unikernel(name()?, fields, |error| subject.wrong(error)),
        "block" => insert_block(name()?, fields),
        removal => {
            let step = match removal {
                "remove_policy" => Step::RemovePolicy { domain: domain()? },
                "remove_unikernel" => Step::RemoveUnikernel { name: name()? },
                _ => Step::RemoveBlock { name: name()? },
            };
            fields.only(&format!("the step `{removal}`"), &[removal])?;
            Ok(Entry::One(step))
        }
    }
}

fn insert_policy(domain: Path, mut fields: Fields<'_, '_>) -> Result<Entry, Wrong> {
    let what = "a policy";
    let known = ["policy", "unikernels", "memory_mib", "block_mib", "cpuids", "bridges"];
    fields.only(what, &known)?;
    let unikernels = fields.need("unikernels", what)?.number(Amount::new)?;
    let memory_mib = fields.need("memory_mib", what)?.number(Amount::new)?;
    let block_mib = fields
        .take("block_mib")
        .map(|field| field.number(Amount::new))
        .transpose()?;
    let cpuids = fields.take("cpuids").map(|field| field.text(cpuids)).transpose()?;
    let bridges = fields.take("bridges").map(|field| {
        let bridges = field.texts(Bridge::new)?;
        BridgeSet::new(bridges).map_err(|error| field.wrong(error))
    });
    let policy = Policy {
        unikernels,
        memory_mib,
        block_mib,
        cpuids: cpuids.unwrap_or_default(),
        bridges: bridges.transpose()?.unwrap_or_default(),
    };
    Ok(Entry::One(Step::InsertPolicy { domain, policy }))
}

fn insert_unikernel(
    name: Name,
    mut fields: Fields<'_, '_>,
    wrong_name: impl Fn(NameError) -> Wrong,
) -> Result<Entry, Wrong> {
    let what = "a unikernel";
    let known = ["unikernel", "count", "memory_mib", "cpuids", "block_devices", "bridges"];
    fields.only(what, &known)?;
    let memory = fields.need("memory_mib", what)?;
    let memory_mib = memory.number(Amount::new)?;
    let cpus = fields.need("cpuids", what)?;
    let mut unikernel = Unikernel::new(memory_mib, cpus.text(cpuids)?).map_err(|error| match error {
        UnikernelError::NoCpu => cpus.wrong(error),
        _ => memory.wrong(error),
    })?;
    if let Some(field) = fields.take("block_devices") {
        let devices = field.texts(value::block_device)?;
        unikernel = unikernel
            .with_block_devices(devices)
            .map_err(|error| field.wrong(error))?;
    }
    if let Some(field) = fields.take("bridges") {
        let devices = field.texts(value::net_device)?;
        unikernel = unikernel.with_bridges(devices).map_err(|error| field.wrong(error))?;
    }
    let count = fields.take("count").map(|field| field.number(count)).transpose()?;
    let Some(count) = count else {
        return Ok(Entry::One(Step::InsertUnikernel { name, unikernel }));
    };
    let step = |number| {
        let name = numbered(&name, number).map_err(&wrong_name)?;
        let unikernel = unikernel.clone();
        Ok(Step::InsertUnikernel { name, unikernel })
    };
    let steps = (1..=count).map(step).collect::<Result<_, _>>()?;
    Ok(Entry::Many { name, steps })
}

/// `alice:web` and 3 make `alice:web-3`.
fn numbered(name: &Name, number: u64) -> Result<Name, NameError> {
    let label = Label::new(&format!("{}-{number}", name.label()))?;
    Ok(name.sibling(&label))
}

fn count(count: u64) -> Result<u64, String> {
    match count {
        0 => Err("a count of unikernels is 1 or more".to_owned()),
        1..=COUNT_MAX => Ok(count),
        _ => Err(format!("{count} are too many for one step: at most {COUNT_MAX}")),
    }
}

fn insert_block(name: Name, mut fields: Fields<'_, '_>) -> Result<Entry, Wrong> {
    let what = "a block device";
    fields.only(what, &["block", "size_mib"])?;
    let size = fields.need("size_mib", what)?;
    let size_mib = BlockSize::new(size.number(Amount::new)?).map_err(|error| size.wrong(error))?;
    Ok(Entry::One(Step::InsertBlock { name, size_mib }))
}

/// `0-3,8`, as on the command line; blanks after the commas do no harm, and nothing at all means none.
fn cpuids(text: &str) -> Result<CpuSet, Box<dyn std::error::Error + Send + Sync>> {
    let runs = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
    let sets = runs.map(value::cpus).collect::<Result<Vec<_>, _>>()?;
    Ok(sets.iter().flat_map(CpuSet::iter).collect())
}

#[cfg(test)]
mod tests;
