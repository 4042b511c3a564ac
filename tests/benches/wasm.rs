//! How long `policy.wasm` takes in wasmtime, with 100,000 unikernels in its tree: calls as an embedder makes them, with fuel, with epochs
//! and with neither; a snapshot restored; and the start. `cargo xtask bench wasm` runs this.
//!
//! Each figure is the shortest of many rounds: whatever else runs on the machine only makes a round longer. An argument leaves out the
//! rows that do not begin with it.
#![expect(unsafe_code, reason = "wasmtime takes precompiled code on trust")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use fulmar_core::protocol::{Request, Response, Snapshot};
use fulmar_core::{AfterRefusal, BridgeSet, CpuId, CpuSet, Fact, Name, Path, Policy, Step, Tree, Unikernel};
use fulmar_tests::face::policy_wasm;
use fulmar_wasm::codec::{Encoding, decode, encode};
use wasmtime::{Config, Engine, Instance, Memory, Module, OptLevel, Store, TypedFunc};

const UNIKERNELS: usize = 100_000;
const DOMAINS: usize = 1_000;

/// Different names, so that no look-up finds its way warmed by the one before.
const NAMES: usize = 4_096;

const ROUNDS: usize = 200;

fn main() {
    let snapshot = snapshot();
    println!("| {UNIKERNELS} unikernels | no bound on work | fuel | epochs |");
    println!("|---|---:|---:|---:|");
    let mut faces: Vec<_> = Bound::ALL
        .into_iter()
        .map(|bound| Face::new(bound, &snapshot))
        .collect();
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    let mut row = |title: &str, measure: &dyn Fn(&mut Face) -> Duration| {
        if !title.starts_with(&wanted) {
            return;
        }
        let figures: Vec<_> = faces.iter_mut().map(|face| shown(measure(face))).collect();
        println!("| {title} | {} |", figures.join(" | "));
    };
    row("check, bincode", &|face| face.calls(Encoding::Bincode, &check));
    row("check, JSON", &|face| face.calls(Encoding::Json, &check));
    row("check that is refused, bincode", &|face| {
        face.calls(Encoding::Bincode, &refused)
    });
    row("plan of ten steps, bincode", &|face| {
        face.calls(Encoding::Bincode, &plan)
    });
    row("snapshot taken, bincode", &|face| face.snapshot_taken());
    row("snapshot restored, bincode", &|face| face.snapshot_restored(&snapshot));
    row("start: compile, instantiate", &|face| face.started());
    row("start: precompiled, instantiate", &|face| face.started_precompiled());
}

/// What bounds the work of a call.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    None,
    Fuel,
    Epochs,
}

impl Bound {
    const ALL: [Self; 3] = [Self::None, Self::Fuel, Self::Epochs];

    fn engine(self) -> Engine {
        let mut config = Config::new();
        config.consume_fuel(self == Self::Fuel);
        config.epoch_interruption(self == Self::Epochs);
        // As the host does; see there.
        config.cranelift_opt_level(OptLevel::None);
        Engine::new(&config).expect("an engine")
    }

    /// Before every call, as a host would.
    fn renew(self, store: &mut Store<()>) {
        match self {
            Self::None => {}
            Self::Fuel => store.set_fuel(1 << 40).expect("fuel is consumed"),
            Self::Epochs => store.set_epoch_deadline(2),
        }
    }
}

/// An instance that is asked.
struct Face {
    bound: Bound,
    engine: Engine,
    store: Store<()>,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    free: TypedFunc<u32, ()>,
    call: TypedFunc<(u32, u32, u32), u64>,
}

impl Face {
    fn new(bound: Bound, snapshot: &Snapshot) -> Self {
        let engine = bound.engine();
        let module = Module::new(&engine, policy_wasm()).expect("a module");
        let mut face = Self::of(bound, engine, &module);
        let restore = Request::Restore {
            snapshot: snapshot.clone(),
        };
        assert_eq!(face.ask(&restore, Encoding::Bincode), Response::Admitted {});
        face
    }

    fn of(bound: Bound, engine: Engine, module: &Module) -> Self {
        let mut store = Store::new(&engine, ());
        bound.renew(&mut store);
        let instance = Instance::new(&mut store, module, &[]).expect("an instance");
        let memory = instance.get_memory(&mut store, "memory").expect("a memory");
        let alloc = instance
            .get_typed_func(&mut store, "fulmar_alloc")
            .expect("fulmar_alloc");
        let free = instance.get_typed_func(&mut store, "fulmar_free").expect("fulmar_free");
        let call = instance.get_typed_func(&mut store, "fulmar_call").expect("fulmar_call");
        Self {
            bound,
            engine,
            store,
            memory,
            alloc,
            free,
            call,
        }
    }

    fn ask(&mut self, request: &Request, encoding: Encoding) -> Response {
        let request = encode(request, encoding);
        self.answer(&request, encoding, |bytes| decode(bytes, encoding).expect("an answer"))
    }

    fn answer<T>(&mut self, request: &[u8], encoding: Encoding, read: impl FnOnce(&[u8]) -> T) -> T {
        self.bound.renew(&mut self.store);
        let len = u32::try_from(request.len()).expect("a short request");
        let address = self.alloc.call(&mut self.store, len).expect("memory");
        self.memory
            .write(&mut self.store, address as usize, request)
            .expect("memory");
        let arguments = (address, len, encoding.number());
        let both = self.call.call(&mut self.store, arguments).expect("an answer");
        let (start, len) = ((both >> 32) as usize, (both & 0xffff_ffff) as usize);
        let answer = read(&self.memory.data(&self.store)[start..start + len]);
        self.free
            .call(&mut self.store, u32::try_from(start).expect("an address"))
            .expect("freed");
        self.free.call(&mut self.store, address).expect("freed");
        answer
    }

    /// One call, encoding and decoding included.
    fn calls(&mut self, encoding: Encoding, request: &dyn Fn(usize) -> Request) -> Duration {
        const CALLS: usize = 500;
        let requests: Vec<_> = (0..NAMES).map(request).collect();
        let mut requests = requests.iter().cycle();
        fastest(ROUNDS, || {
            for request in requests.by_ref().take(CALLS) {
                black_box(self.ask(request, encoding));
            }
        }) / u32::try_from(CALLS).expect("a few")
    }

    fn snapshot_taken(&mut self) -> Duration {
        let request = encode(&Request::Snapshot {}, Encoding::Bincode);
        fastest(ROUNDS / 20, || {
            assert!(self.answer(&request, Encoding::Bincode, <[u8]>::len) > UNIKERNELS);
        })
    }

    /// Bytes in, a tree out.
    fn snapshot_restored(&mut self, snapshot: &Snapshot) -> Duration {
        let snapshot = snapshot.clone();
        let request = encode(&Request::Restore { snapshot }, Encoding::Bincode);
        let admitted = encode(&Response::Admitted {}, Encoding::Bincode);
        fastest(ROUNDS / 20, || {
            self.answer(&request, Encoding::Bincode, |answer| assert_eq!(answer, admitted));
        })
    }

    /// Up to the first answer, of an empty tree.
    fn started(&self) -> Duration {
        let wasm = policy_wasm();
        fastest(ROUNDS / 20, || {
            let engine = self.bound.engine();
            let module = Module::new(&engine, &wasm).expect("a module");
            black_box(Self::of(self.bound, engine, &module).ask(&check(0), Encoding::Bincode));
        })
    }

    fn started_precompiled(&self) -> Duration {
        let code = self.engine.precompile_module(&policy_wasm()).expect("code");
        fastest(ROUNDS, || {
            let engine = self.bound.engine();
            // SAFETY: `deserialize` trusts the code; the line above compiled it, for an engine of the same configuration.
            let module = unsafe { Module::deserialize(&engine, &code) }.expect("a module");
            black_box(Self::of(self.bound, engine, &module).ask(&check(0), Encoding::Bincode));
        })
    }
}

fn fastest(rounds: usize, mut round: impl FnMut()) -> Duration {
    (0..rounds)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .min()
        .expect("at least one round")
}

fn shown(time: Duration) -> String {
    match time.as_nanos() {
        ..100_000 => format!("{:.2} µs", time.as_secs_f64() * 1e6),
        _ => format!("{:.1} ms", time.as_secs_f64() * 1e3),
    }
}

/// A thousand domains, each with a policy that holds its hundred unikernels and more.
fn snapshot() -> Snapshot {
    let policies = std::iter::once(":".to_owned()).chain((0..DOMAINS).map(domain));
    let policies = policies.map(|domain| Fact::Policy {
        domain: domain.parse().expect("a path"),
        policy: wide(),
    });
    let unikernels = (0..UNIKERNELS).map(|number| Fact::Unikernel {
        name: name(number, "u"),
        unikernel: small(),
    });
    let mut tree = Tree::new();
    for fact in policies.chain(unikernels) {
        tree.load(fact).expect("nothing is there twice");
    }
    Snapshot::of(&tree)
}

fn domain(number: usize) -> String {
    format!("o{}:p{}", number % 10, number)
}

fn name(number: usize, kind: &str) -> Name {
    let name = format!("{}:{kind}{number}", domain(number % DOMAINS));
    name.parse().expect("a name")
}

fn cpus(count: u64) -> CpuSet {
    (0..count).map(|id| CpuId::new(id).expect("a CPU")).collect()
}

fn small() -> Unikernel {
    Unikernel::new(32.into(), cpus(1)).expect("a unikernel")
}

fn wide() -> Policy {
    Policy {
        unikernels: 1_000_000.into(),
        memory_mib: 1_000_000_000.into(),
        block_mib: None,
        cpuids: cpus(4),
        bridges: BridgeSet::default(),
    }
}

fn check(number: usize) -> Request {
    Request::CheckUnikernel {
        name: name(number, "new"),
        unikernel: small(),
    }
}

/// For one CPU too many, by its domain and by the root.
fn refused(number: usize) -> Request {
    Request::CheckUnikernel {
        name: name(number, "new"),
        unikernel: Unikernel::new(32.into(), cpus(5)).expect("a unikernel"),
    }
}

/// A delegation, six creations in it, three removals of those.
fn plan(number: usize) -> Request {
    let child: Path = format!("{}:team", domain(number % DOMAINS)).parse().expect("a path");
    let name = |n: usize| format!("{child}:u{n}").parse().expect("a name");
    let policy = Step::InsertPolicy {
        domain: child.clone(),
        policy: wide(),
    };
    let insertions = (0..6).map(|n| Step::InsertUnikernel {
        name: name(n),
        unikernel: small(),
    });
    let removals = (0..3).map(|n| Step::RemoveUnikernel { name: name(n) });
    Request::Plan {
        steps: std::iter::once(policy).chain(insertions).chain(removals).collect(),
        after_refusal: AfterRefusal::Stop,
        look_at: child.clone(),
    }
}
