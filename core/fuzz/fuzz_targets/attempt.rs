//! Bytes as steps and loads. Small alphabets, so that operations meet; besides them what lies at the bounds of each type.
//!
//! Own, and plain, so that one byte more or less moves little: a class byte, then what the class needs, and 0 where the bytes end.

use fulmar_core::{
    Amount, BlockDevice, BlockSize, Bridge, BridgeSet, CpuId, CpuSet, DeviceName, Fact, Label, Name, NetDevice, Path,
    Policy, Step, Unikernel,
};

/// One thing that is tried.
pub(crate) enum Attempt {
    Step(Step),
    Load(Fact),
}

impl Attempt {
    pub(crate) fn is_step(&self) -> bool {
        matches!(self, Self::Step(_))
    }

    pub(crate) fn step(&self) -> Option<Step> {
        match self {
            Self::Step(step) => Some(step.clone()),
            Self::Load(_) => None,
        }
    }
}

/// Labels that are near each other for someone who compares texts: `-` and `.` come before `:`, letters and figures behind.
const LABELS: [&str; 8] = ["a", "b", "a-", "a.b", "a0", "ab", "d1", "d2"];

/// At both ends of a bitmap's words, and at the end of all.
const CPUS: [u64; 8] = [0, 1, 2, 63, 64, 127, 128, 8191];

const BRIDGES: [&str; 4] = ["dmz", "lan", "Lan", "a.b"];

/// As many attempts as the bytes hold.
pub(crate) fn read(bytes: &[u8]) -> impl Iterator<Item = Attempt> {
    let mut bytes = Bytes(bytes.iter());
    core::iter::from_fn(move || (bytes.0.len() > 0).then(|| bytes.attempt()))
}

struct Bytes<'a>(core::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or_default()
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    fn attempt(&mut self) -> Attempt {
        let class = self.byte() % 16;
        match class {
            0..=2 => Attempt::Step(Step::InsertPolicy {
                domain: self.path(),
                policy: self.policy(),
            }),
            3 => Attempt::Step(Step::RemovePolicy { domain: self.path() }),
            4..=7 => Attempt::Step(Step::InsertUnikernel {
                name: self.name(),
                unikernel: self.unikernel(),
            }),
            8 => Attempt::Step(Step::RemoveUnikernel { name: self.name() }),
            9 | 10 => Attempt::Step(Step::InsertBlock {
                name: self.name(),
                size_mib: self.size(),
            }),
            11 => Attempt::Step(Step::RemoveBlock { name: self.name() }),
            12 => Attempt::Load(Fact::Policy {
                domain: self.path(),
                policy: self.policy(),
            }),
            13 => Attempt::Load(Fact::Block {
                name: self.name(),
                size_mib: self.size(),
            }),
            _ => Attempt::Load(Fact::Unikernel {
                name: self.name(),
                unikernel: self.unikernel(),
            }),
        }
    }

    fn label(&mut self) -> Label {
        Label::new(self.of(&LABELS)).unwrap()
    }

    fn name(&mut self) -> Name {
        Name::new(self.path(), self.label())
    }

    /// Mostly at most three labels deep; sometimes as deep or as long as paths can be.
    fn path(&mut self) -> Path {
        let class = self.byte();
        let labels = match class % 16 {
            depth @ 0..=13 => (0..depth % 4).map(|_| self.label()).collect(),
            14 => match self.byte() {
                // Every label costs a copy of all that is counted there, and many attempts tell more than deep ones.
                255 => vec![self.label(); 95],
                depth => vec![self.label(); usize::from(depth % 12)],
            },
            _ => vec![Label::new(&"x".repeat(63)).unwrap(); usize::from(self.byte()) % 4],
        };
        // What would make it too long is left out.
        labels
            .iter()
            .fold(Path::root(), |path, label| path.child(label).unwrap_or(path))
    }

    fn amount(&mut self) -> Amount {
        let (class, low) = (self.byte(), u64::from(self.byte()));
        let amount = match class % 8 {
            0..=3 => low % 8,
            4 => low,
            5 => Amount::MAX.get() - low,
            6 => Amount::MAX.get() / 2 + low % 4,
            _ => low << (class % 46),
        };
        Amount::new(amount).unwrap()
    }

    /// An amount that is not 0.
    fn size(&mut self) -> BlockSize {
        BlockSize::new(self.amount().max(Amount::ONE)).unwrap()
    }

    fn cpus(&mut self) -> CpuSet {
        let (class, byte) = (self.byte(), self.byte());
        let numbers: Vec<u64> = match class % 8 {
            0..=5 => (0..8).filter(|bit| byte >> bit & 1 != 0).map(|bit| CPUS[bit]).collect(),
            6 => vec![u64::from(byte) * 32 + u64::from(class / 8)],
            _ => (0..=u64::from(byte)).collect(),
        };
        numbers.into_iter().map(|number| CpuId::new(number).unwrap()).collect()
    }

    fn bridge_names(&mut self, most: u16) -> Vec<String> {
        let (class, byte) = (self.byte(), self.byte());
        match class % 16 {
            0..=14 => (0..4)
                .filter(|bit| byte >> bit & 1 != 0)
                .map(|bit| BRIDGES[bit].to_owned())
                .collect(),
            // As many as there may be, from several starts: in use they can be more than one policy or refusal lists.
            _ => (0..most)
                .map(|n| format!("br{}", n + u16::from(byte % 8) * 64))
                .collect(),
        }
    }

    fn policy(&mut self) -> Policy {
        let bridges = self
            .bridge_names(256)
            .into_iter()
            .map(|name| Bridge::new(&name).unwrap());
        Policy {
            bridges: BridgeSet::new(bridges).unwrap(),
            cpuids: self.cpus(),
            unikernels: self.amount(),
            memory_mib: self.amount(),
            block_mib: (self.byte() % 4 > 0).then(|| self.amount()),
        }
    }

    fn unikernel(&mut self) -> Unikernel {
        let mut cpus = self.cpus();
        if cpus.is_empty() {
            cpus = [CpuId::MAX].into_iter().collect();
        }
        let blocks = (0..self.byte() % 4).map(|position| BlockDevice {
            device: device(u16::from(position)),
            host: self.label(),
            sector_size: None,
        });
        let blocks = blocks.collect();
        let nets = (0..).zip(self.bridge_names(64)).map(|(position, bridge)| NetDevice {
            device: device(position),
            bridge: Bridge::new(&bridge).unwrap(),
            mac: None,
        });
        Unikernel::new(self.amount().max(Amount::ONE), cpus)
            .and_then(|unikernel| unikernel.with_block_devices(blocks))
            .and_then(|unikernel| unikernel.with_bridges(nets.collect()))
            .unwrap()
    }
}

fn device(position: u16) -> DeviceName {
    DeviceName::new(&format!("dev{position}")).unwrap()
}
