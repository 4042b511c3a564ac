//! The worlds that are measured: many unikernels in one domain, or spread over three levels of delegation.

use fulmar_core::{
    Amount, Bridge, BridgeSet, CpuId, CpuSet, DeviceName, Fact, Label, Name, NetDevice, Path, Policy, Step, Tree,
    Unikernel,
};

/// Where the unikernels are. Either way three labels deep, with a policy at each level and at the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// All in `o0:t0:p0`.
    OneDomain,
    /// Ten organisations with ten teams with ten projects each: 1,111 policies.
    Spread,
}

impl Layout {
    /// As it is called in what a person reads.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::OneDomain => "one domain",
            Self::Spread => "spread",
        }
    }
}

/// A tree, and what is asked of it.
pub(crate) struct World {
    pub(crate) tree: Tree,
    pub(crate) layout: Layout,
}

impl World {
    /// A world with `count` unikernels.
    pub(crate) fn new(layout: Layout, count: usize) -> Self {
        let mut tree = Tree::new();
        for domain in domains(layout) {
            tree.insert_policy(&domain, wide()).expect("every policy is as wide");
        }
        for fact in unikernels(layout, count) {
            tree.load(fact).expect("every name is new");
        }
        Self { tree, layout }
    }

    /// A unikernel that is not there yet, in one of the domains.
    pub(crate) fn new_name(&self, number: usize) -> Name {
        let label = Label::new(&format!("new-{number:06}")).expect("a label");
        Name::new(home(self.layout, number.wrapping_mul(7919)), label)
    }

    /// The topmost domain.
    pub(crate) fn top(&self) -> Path {
        "o0".parse().expect("a path")
    }

    /// A delegation, six creations, one of them refused, and three removals.
    pub(crate) fn plan(&self) -> Vec<Step> {
        let domain = home(self.layout, 0);
        let create = |number: usize, unikernel| Step::InsertUnikernel {
            name: Name::new(
                domain.clone(),
                Label::new(&format!("planned-{number}")).expect("a label"),
            ),
            unikernel,
        };
        let policy = Step::InsertPolicy {
            domain: domain.clone(),
            policy: wide(),
        };
        let mut steps = vec![policy];
        steps.extend((0..5).map(|number| create(number, small())));
        steps.push(create(5, large()));
        steps.extend((0..3).map(|number| match create(number, small()) {
            Step::InsertUnikernel { name, .. } => Step::RemoveUnikernel { name },
            other => other,
        }));
        steps
    }
}

/// `count` unikernels, as they are loaded.
pub(crate) fn unikernels(layout: Layout, count: usize) -> impl Iterator<Item = Fact> {
    // Made once: under callgrind a world is built for each figure.
    let (homes, small) = (homes(layout), small());
    (0..count).map(move |number| {
        let label = Label::new(&format!("unikernel-{number:07}")).expect("a label");
        Fact::Unikernel {
            name: Name::new(homes[number % homes.len()].clone(), label),
            unikernel: small.clone(),
        }
    })
}

/// 32 MiB, one CPU, one bridge.
pub(crate) fn small() -> Unikernel {
    let service = NetDevice::same_name(DeviceName::new("service").expect("a name")).expect("a bridge");
    Unikernel::new(32.into(), cpus(1))
        .and_then(|small| small.with_bridges(vec![service]))
        .expect("a unikernel")
}

/// More memory and CPUs than any policy allows.
pub(crate) fn large() -> Unikernel {
    Unikernel::new(Amount::new(1 << 50).expect("an amount"), cpus(8)).expect("a unikernel")
}

/// More than all worlds use; four CPUs, one bridge.
pub(crate) fn wide() -> Policy {
    Policy {
        unikernels: Amount::new(1 << 30).expect("an amount"),
        memory_mib: Amount::new(1 << 40).expect("an amount"),
        block_mib: None,
        cpuids: cpus(4),
        bridges: BridgeSet::new([Bridge::new("service").expect("a bridge")]).expect("a set"),
    }
}

fn cpus(count: u64) -> CpuSet {
    (0..count).map(|id| CpuId::new(id).expect("a CPU")).collect()
}

fn home(layout: Layout, number: usize) -> Path {
    let [organisation, team, project] = match layout {
        Layout::OneDomain => [0; 3],
        Layout::Spread => [number % 10, number / 10 % 10, number / 100 % 10],
    };
    format!("o{organisation}:t{team}:p{project}").parse().expect("a path")
}

/// Every domain that unikernels are in, in the order in which they are dealt out.
fn homes(layout: Layout) -> Vec<Path> {
    let count = match layout {
        Layout::OneDomain => 1,
        Layout::Spread => 1000,
    };
    (0..count).map(|number| home(layout, number)).collect()
}

/// Every domain with a policy, each after those above.
fn domains(layout: Layout) -> Vec<Path> {
    let mut domains: Vec<Path> = vec![Path::root()];
    for home in homes(layout) {
        let mut chain: Vec<Path> = std::iter::successors(Some(home), Path::parent).collect();
        chain.reverse();
        domains.extend(chain);
    }
    domains.sort();
    domains.dedup();
    domains
}
