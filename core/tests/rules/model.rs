//! The rules once more, as plainly as possible: flat lists, and everything recomputed for every question.
//!
//! Shares no code with the tree but the value types. Answers with codes and domains; the figures are compared elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use fulmar_core::{Amount, BlockSize, Fact, Finding, Name, Path, Policy, Reason, Refusal, Step, Unikernel};

/// The reasons for a refusal, in order: each as its code and what it is about. None where it is admitted.
pub(crate) type Verdict = Vec<(String, String)>;

/// Everything that is known, without any sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) policies: BTreeMap<Path, Policy>,
    pub(crate) unikernels: BTreeMap<Name, Unikernel>,
    pub(crate) blocks: BTreeMap<Name, BlockSize>,
}

/// What a subtree takes, counted afresh.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) unikernels: u64,
    pub(crate) memory: u64,
    pub(crate) block: u64,
    pub(crate) cpuids: Vec<u16>,
    pub(crate) bridges: Vec<String>,
}

impl Model {
    /// Decides, and applies what is admitted.
    pub(crate) fn take(&mut self, step: &Step) -> Verdict {
        let verdict = self.decide(step);
        if verdict.is_empty() {
            match step.clone() {
                Step::InsertPolicy { domain, policy } => drop(self.policies.insert(domain, policy)),
                Step::RemovePolicy { domain } => drop(self.policies.remove(&domain)),
                Step::InsertUnikernel { name, unikernel } => drop(self.unikernels.insert(name, unikernel)),
                Step::RemoveUnikernel { name } => drop(self.unikernels.remove(&name)),
                Step::InsertBlock { name, size_mib } => drop(self.blocks.insert(name, size_mib)),
                Step::RemoveBlock { name } => drop(self.blocks.remove(&name)),
            }
        }
        verdict
    }

    pub(crate) fn decide(&self, step: &Step) -> Verdict {
        let one = |code: &str, about: &dyn ToString| vec![(code.to_owned(), about.to_string())];
        match step {
            Step::InsertPolicy { domain, policy } => self.against_policy(domain, policy),
            Step::InsertUnikernel { name, unikernel } => self.against_unikernel(name, unikernel),
            Step::InsertBlock { name, size_mib } => self.against_block(name, *size_mib),
            Step::RemovePolicy { domain } if !self.policies.contains_key(domain) => one("policy-unknown", domain),
            Step::RemoveUnikernel { name } if !self.unikernels.contains_key(name) => one("unikernel-unknown", name),
            Step::RemoveBlock { name } if !self.blocks.contains_key(name) => one("block-unknown", name),
            Step::RemoveBlock { name } if self.user_of(name).is_some() => one("block-active", name),
            _ => Vec::new(),
        }
    }

    /// Puts a known fact back, unless its name or its size makes it impossible.
    pub(crate) fn load(&mut self, fact: &Fact) -> Verdict {
        let verdict = match fact {
            Fact::Policy { .. } => Verdict::new(),
            Fact::Block { name, size_mib } => self.against_name_of_block(name, *size_mib),
            Fact::Unikernel { name, unikernel } => self.against_name_of_unikernel(name, unikernel),
        };
        if verdict.is_empty() {
            match fact.clone() {
                Fact::Policy { domain, policy } => drop(self.policies.insert(domain, policy)),
                Fact::Block { name, size_mib } => drop(self.blocks.insert(name, size_mib)),
                Fact::Unikernel { name, unikernel } => drop(self.unikernels.insert(name, unikernel)),
            }
        }
        verdict
    }

    /// Every limit that does not hold: what is used against the own policy, then the own policy against the nearest above.
    pub(crate) fn audit(&self) -> Verdict {
        let mut findings = Verdict::new();
        for (domain, policy) in &self.policies {
            push_broken(&mut findings, "uses", domain, &beyond(&self.sums(domain), policy));
            if let Some((_, above)) = self.chain(domain).get(1) {
                push_broken(&mut findings, "wider", domain, &wider(policy, above));
            }
        }
        findings
    }

    pub(crate) fn sums(&self, domain: &Path) -> Sums {
        let mut sums = Sums::default();
        for (_, unikernel) in self
            .unikernels
            .iter()
            .filter(|(name, _)| is_within(name.domain(), domain))
        {
            sums.unikernels += 1;
            sums.memory += unikernel.memory_mib().get();
            sums.cpuids
                .extend(unikernel.cpuids().iter().map(fulmar_core::CpuId::get));
            sums.bridges
                .extend(unikernel.bridges().iter().map(|net| net.bridge.to_string()));
        }
        let blocks = self.blocks.iter().filter(|(name, _)| is_within(name.domain(), domain));
        sums.block = blocks.map(|(_, size)| size.mib().get()).sum();
        sums.cpuids.sort_unstable();
        sums.bridges.sort_unstable();
        sums
    }

    fn user_of(&self, block: &Name) -> Option<&Name> {
        let uses = |name: &Name, unikernel: &Unikernel| {
            name.domain() == block.domain()
                && unikernel
                    .block_devices()
                    .iter()
                    .any(|device| device.host == *block.label())
        };
        self.unikernels
            .iter()
            .find(|(name, unikernel)| uses(name, unikernel))
            .map(|(name, _)| name)
    }

    fn against_name_of_unikernel(&self, name: &Name, unikernel: &Unikernel) -> Verdict {
        let mut verdict = Verdict::new();
        if self.unikernels.contains_key(name) {
            verdict.push(("unikernel-exists".to_owned(), name.to_string()));
        }
        let mut seen = Vec::new();
        for device in unikernel.block_devices() {
            let block = Name::new(name.domain().clone(), device.host.clone());
            let code = if seen.contains(&block) {
                Some("block-twice")
            } else if !self.blocks.contains_key(&block) {
                Some("block-unknown")
            } else {
                self.user_of(&block).map(|_| "block-active")
            };
            verdict.extend(code.map(|code| (code.to_owned(), block.to_string())));
            seen.push(block);
        }
        let all = self.sums(&Path::root());
        push_uncountable(&mut verdict, all.unikernels + 1);
        push_uncountable(&mut verdict, all.memory + unikernel.memory_mib().get());
        verdict
    }

    fn against_unikernel(&self, name: &Name, unikernel: &Unikernel) -> Verdict {
        let mut verdict = self.against_name_of_unikernel(name, unikernel);
        for (domain, policy) in self.chain(name.domain()) {
            let sums = self.sums(&domain);
            let broken = [
                ("unikernels", sums.unikernels + 1 > policy.unikernels.get()),
                (
                    "memory",
                    sums.memory + unikernel.memory_mib().get() > policy.memory_mib.get(),
                ),
                (
                    "cpuids",
                    unikernel.cpuids().iter().any(|cpu| !policy.cpuids.contains(cpu)),
                ),
                (
                    "bridges",
                    unikernel
                        .bridges()
                        .iter()
                        .any(|net| !policy.bridges.contains(&net.bridge)),
                ),
            ];
            push_broken(&mut verdict, "exceeds", &domain, &broken);
        }
        verdict
    }

    fn against_name_of_block(&self, name: &Name, size: BlockSize) -> Verdict {
        let mut verdict = Verdict::new();
        if self.blocks.contains_key(name) {
            verdict.push(("block-exists".to_owned(), name.to_string()));
        }
        push_uncountable(&mut verdict, self.sums(&Path::root()).block + size.mib().get());
        verdict
    }

    fn against_block(&self, name: &Name, size: BlockSize) -> Verdict {
        let mut verdict = self.against_name_of_block(name, size);
        for (domain, policy) in self.chain(name.domain()) {
            let total = self.sums(&domain).block + size.mib().get();
            let broken = policy.block_mib.is_none_or(|limit| total > limit.get());
            push_broken(&mut verdict, "exceeds", &domain, &[("block", broken)]);
        }
        verdict
    }

    fn against_policy(&self, domain: &Path, policy: &Policy) -> Verdict {
        let mut verdict = Verdict::new();
        let beyond = beyond(&self.sums(domain), policy);
        push_broken(&mut verdict, "in-use", domain, &beyond);
        for (above, allowed) in self.chain(domain).into_iter().filter(|(above, _)| above != domain) {
            push_broken(&mut verdict, "wider", &above, &wider(policy, &allowed));
        }
        for (below, delegated) in self
            .policies
            .iter()
            .filter(|(below, _)| is_within(below, domain) && *below != domain)
        {
            push_broken(&mut verdict, "narrower", below, &wider(delegated, policy));
        }
        verdict
    }

    /// The policies below `domain` with none in between.
    pub(crate) fn right_below(&self, domain: &Path) -> Vec<&Policy> {
        let is_below = |inner: &Path, outer: &Path| inner != outer && is_within(inner, outer);
        let is_right_below = |below: &Path| {
            let mut between = self.policies.keys();
            is_below(below, domain) && !between.any(|path| is_below(below, path) && is_below(path, domain))
        };
        let policies = self.policies.iter().filter(|(below, _)| is_right_below(below));
        policies.map(|(_, policy)| policy).collect()
    }

    /// The policies from `domain` upwards to the root.
    pub(crate) fn chain(&self, domain: &Path) -> Vec<(Path, Policy)> {
        let mut chain = Vec::new();
        let mut next = Some(domain.clone());
        while let Some(path) = next {
            chain.extend(self.policies.get(&path).map(|policy| (path.clone(), policy.clone())));
            next = path.parent();
        }
        chain
    }
}

/// What the tree answered, in the terms of the model.
pub(crate) fn terms(outcome: &Result<(), Refusal>) -> Verdict {
    let term = |reason: &Reason| (reason.code(), about(reason));
    outcome
        .as_ref()
        .err()
        .map(|refusal| refusal.reasons().iter().map(term).collect())
        .unwrap_or_default()
}

fn about(reason: &Reason) -> String {
    match reason {
        Reason::UnikernelExists { name }
        | Reason::UnikernelUnknown { name }
        | Reason::BlockExists { name }
        | Reason::BlockUnknown { name }
        | Reason::BlockActive { name, .. }
        | Reason::BlockTwice { name } => name.to_string(),
        Reason::PolicyUnknown { domain } | Reason::Exceeds { domain, .. } | Reason::InUse { domain, .. } => {
            domain.to_string()
        }
        Reason::Wider { above, .. } => above.to_string(),
        Reason::Narrower { below, .. } => below.to_string(),
        Reason::Uncountable => String::new(),
    }
}

/// What an audit found, in the terms of the model.
pub(crate) fn finding_terms(findings: &[Finding]) -> Verdict {
    let domain = |finding: &Finding| match finding {
        Finding::Uses { domain, .. } | Finding::Wider { domain, .. } => domain.to_string(),
    };
    let term = |finding: &Finding| (finding.code(), domain(finding));
    findings.iter().map(term).collect()
}

/// By labels, not by the tree's own comparison.
fn is_within(domain: &Path, of: &Path) -> bool {
    let (inner, outer): (Vec<_>, Vec<_>) = (domain.labels().collect(), of.labels().collect());
    inner.starts_with(&outer)
}

fn beyond(sums: &Sums, policy: &Policy) -> [(&'static str, bool); 5] {
    let cpuids: BTreeSet<u16> = policy.cpuids.iter().map(fulmar_core::CpuId::get).collect();
    let bridges: BTreeSet<&str> = policy.bridges.iter().map(fulmar_core::Bridge::as_str).collect();
    [
        ("unikernels", sums.unikernels > policy.unikernels.get()),
        ("memory", sums.memory > policy.memory_mib.get()),
        ("block", sums.block > policy.block_mib.map_or(0, Amount::get)),
        ("cpuids", sums.cpuids.iter().any(|used| !cpuids.contains(used))),
        ("bridges", sums.bridges.iter().any(|used| !bridges.contains(&**used))),
    ]
}

fn wider(inner: &Policy, outer: &Policy) -> [(&'static str, bool); 5] {
    [
        ("unikernels", inner.unikernels.get() > outer.unikernels.get()),
        ("memory", inner.memory_mib.get() > outer.memory_mib.get()),
        (
            "block",
            match (inner.block_mib, outer.block_mib) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(inner), Some(outer)) => inner.get() > outer.get(),
            },
        ),
        ("cpuids", inner.cpuids.iter().any(|cpu| !outer.cpuids.contains(cpu))),
        (
            "bridges",
            inner.bridges.iter().any(|bridge| !outer.bridges.contains(bridge)),
        ),
    ]
}

fn push_broken(verdict: &mut Verdict, relation: &str, domain: &Path, limits: &[(&str, bool)]) {
    for (limit, _) in limits.iter().filter(|(_, broken)| *broken) {
        verdict.push((format!("{relation}-{limit}"), domain.to_string()));
    }
}

/// One such reason, whichever sum it is.
fn push_uncountable(verdict: &mut Verdict, sum: u64) {
    let reason = ("uncountable".to_owned(), String::new());
    if sum > Amount::MAX.get() && !verdict.contains(&reason) {
        verdict.push(reason);
    }
}
