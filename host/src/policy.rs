//! The policy module: `policy.wasm` in wasmtime, asked for every verdict.
//!
//! Owns the instance and its bounds on memory and work, and fails closed: after a trap, an exhausted budget or an answer that
//! is none, the instance is thrown away, and every question is answered by an error until [`PolicyModule::restore`] has built
//! a new one from known facts. Decides nothing; holds no state that the ledger does not.
//!
//! Work is bounded by fuel, not by epochs: it costs a fourth of the time of a check, where epochs cost a tenth (figures in
//! `wasm/BENCHMARKS.md`), and for that a refusal for too much work depends on the request alone, not on how busy the host is,
//! and no thread has to count time.

use fulmar_core::Fact;
use fulmar_core::protocol::{Request, Response};
use fulmar_wasm::abi::ABI_VERSION;
use fulmar_wasm::codec::{self, Encoding, MESSAGE_BYTES_MAX};
use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, Instance, Memory, Module, OptLevel, Store, StoreLimits, StoreLimitsBuilder, TypedFunc};

/// The module that was built with this program.
static EMBEDDED: &[u8] = include_bytes!(env!("FULMAR_POLICY_WASM"));

/// Facts that are loaded by one call: small enough for the budget of one, large enough that the call costs nothing beside.
const FACTS_PER_CALL: usize = 1024;

/// What a module that trapped may still do to say why.
const FUEL_OF_LAST_WORDS: u64 = 10_000;

/// How much of that is read.
const PANIC_BYTES_MAX: usize = 4096;

/// What one instance may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The linear memory, in bytes.
    pub memory_bytes: usize,
    /// The work of one call, in units of wasmtime's fuel: about one for each WebAssembly instruction.
    pub fuel_per_call: u64,
}

impl Default for Limits {
    /// 1 GiB holds well over a million unikernels. 2·10⁹ units are about two seconds, ten thousand times what a creation
    /// far down a tree takes.
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            fuel_per_call: 2_000_000_000,
        }
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The bytes are no WebAssembly module.
    #[error("the policy module cannot be compiled: {0}")]
    Compile(String),
    /// It wants something of the host, and must not.
    #[error("the policy module imports `{0}`: it must not import anything")]
    Imports(String),
    /// It lacks an export, or has it with another type.
    #[error("the policy module is none: {0}")]
    Exports(String),
    /// It speaks another version.
    #[error("the policy module speaks version {found} of the interface, this host version {ABI_VERSION}")]
    Version {
        /// The module's version.
        found: u32,
    },
    /// It trapped, or exceeded its memory or its budget.
    #[error("the policy module failed: {0}")]
    Trap(String),
    /// It answered what is no answer to the request.
    #[error("the policy module gave no answer: {0}")]
    Answer(String),
    /// It failed before and has not been restored.
    #[error("the policy module failed and is not restored yet")]
    Unusable,
    /// The request is longer than any message may be.
    #[error("the request is {0} bytes long: at most {MESSAGE_BYTES_MAX}")]
    TooLong(usize),
}

/// A compiled policy module, and the instance that holds the tree.
pub struct PolicyModule {
    module: Module,
    limits: Limits,
    sha256: String,
    /// `None` after a failure: then there are no verdicts.
    instance: Option<Running>,
}

impl PolicyModule {
    /// The module that was built with this program, with an empty tree.
    ///
    /// # Errors
    /// [`PolicyError`] where it cannot be compiled or instantiated here.
    pub fn embedded(limits: Limits) -> Result<Self, PolicyError> {
        Self::new(EMBEDDED, limits)
    }

    /// Any module that speaks the interface of [`fulmar_wasm::abi`], with an empty tree.
    ///
    /// # Errors
    /// [`PolicyError`] where the bytes are no module, import anything, or speak another version.
    pub fn new(wasm: &[u8], limits: Limits) -> Result<Self, PolicyError> {
        let mut config = Config::new();
        config.consume_fuel(true);
        // LLVM has optimised the module. Once more would make a check a tenth faster, and each start of the daemon, and each
        // preview, a third longer or more (figures in `wasm/BENCHMARKS.md`).
        config.cranelift_opt_level(OptLevel::None);
        let compile = |error: wasmtime::Error| PolicyError::Compile(format!("{error:#}"));
        let engine = Engine::new(&config).map_err(compile)?;
        let module = Module::new(&engine, wasm).map_err(compile)?;
        if let Some(import) = module.imports().next() {
            return Err(PolicyError::Imports(format!("{}.{}", import.module(), import.name())));
        }
        let instance = Some(Running::new(&module, limits)?);
        let digest = Sha256::digest(wasm);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            module,
            limits,
            sha256,
            instance,
        })
    }

    /// The SHA-256 of the module, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Asks for an answer. [`Response::Malformed`] is none.
    ///
    /// # Errors
    /// [`PolicyError`] where there is no answer; from then on there is none until [`restore`](Self::restore).
    pub fn ask(&mut self, request: &Request) -> Result<Response, PolicyError> {
        let instance = self.instance.as_mut().ok_or(PolicyError::Unusable)?;
        let request = codec::encode(request, Encoding::Bincode);
        if request.len() > MESSAGE_BYTES_MAX {
            return Err(PolicyError::TooLong(request.len()));
        }
        let answer = instance.call(&request, self.limits.fuel_per_call);
        if answer.is_err() {
            self.instance = None;
        }
        answer
    }

    /// Replaces the instance by a new one that holds these facts, whatever the limits among them (see
    /// [`fulmar_core::Tree::load`]).
    ///
    /// # Errors
    /// [`PolicyError`] where the new instance fails as well, or where the facts contradict each other; there are then no
    /// verdicts.
    pub fn restore(&mut self, facts: &[Fact]) -> Result<(), PolicyError> {
        self.instance = None;
        let mut instance = Running::new(&self.module, self.limits)?;
        for facts in facts.chunks(FACTS_PER_CALL) {
            let request = codec::encode(&Request::Load { facts: facts.to_vec() }, Encoding::Bincode);
            match instance.call(&request, self.limits.fuel_per_call)? {
                Response::Admitted {} => {}
                Response::Refused { reasons } => {
                    let sentences: Vec<_> = reasons.into_iter().map(|reason| reason.sentence).collect();
                    return Err(PolicyError::Answer(format!(
                        "known facts are refused: {}",
                        sentences.join("; ")
                    )));
                }
                other => return Err(PolicyError::Answer(format!("facts were answered by {other:?}"))),
            }
        }
        self.instance = Some(instance);
        Ok(())
    }
}

/// One instance of the module, with its exports.
struct Running {
    store: Store<StoreLimits>,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    free: TypedFunc<u32, ()>,
    call: TypedFunc<(u32, u32, u32), u64>,
    panic: TypedFunc<(), u64>,
}

impl Running {
    fn new(module: &Module, limits: Limits) -> Result<Self, PolicyError> {
        let bounds = StoreLimitsBuilder::new()
            .memory_size(limits.memory_bytes)
            .instances(1)
            .memories(1)
            .build();
        let mut store = Store::new(module.engine(), bounds);
        store.limiter(|limits| limits);
        store.set_fuel(limits.fuel_per_call).map_err(trap)?;
        let instance = Instance::new(&mut store, module, &[]).map_err(trap)?;
        let version: TypedFunc<(), u32> = export(&instance, &mut store, "fulmar_abi_version")?;
        let found = version.call(&mut store, ()).map_err(trap)?;
        if found != ABI_VERSION {
            return Err(PolicyError::Version { found });
        }
        let memory = instance.get_memory(&mut store, "memory");
        let memory = memory.ok_or_else(|| PolicyError::Exports("it exports no memory".to_owned()))?;
        let alloc = export(&instance, &mut store, "fulmar_alloc")?;
        let free = export(&instance, &mut store, "fulmar_free")?;
        let call = export(&instance, &mut store, "fulmar_call")?;
        let panic = export(&instance, &mut store, "fulmar_panic")?;
        Ok(Self {
            store,
            memory,
            alloc,
            free,
            call,
            panic,
        })
    }

    /// Carries one request in and its answer out. After an error it must not be called again.
    fn call(&mut self, request: &[u8], fuel: u64) -> Result<Response, PolicyError> {
        match self.try_call(request, fuel) {
            Err(PolicyError::Trap(trap)) => Err(PolicyError::Trap(match self.panic_message() {
                Some(panic) => format!("{panic} ({trap})"),
                None => trap,
            })),
            outcome => outcome,
        }
    }

    /// What it said when it ended, for whoever has to find out why.
    fn panic_message(&mut self) -> Option<String> {
        self.store.set_fuel(FUEL_OF_LAST_WORDS).ok()?;
        let [address, len] = halves(self.panic.call(&mut self.store, ()).ok()?);
        let len = (len as usize).min(PANIC_BYTES_MAX);
        let said = self.memory.data(&self.store).get(address as usize..)?.get(..len)?;
        (!said.is_empty()).then(|| String::from_utf8_lossy(said).into_owned())
    }

    fn try_call(&mut self, request: &[u8], fuel: u64) -> Result<Response, PolicyError> {
        self.store.set_fuel(fuel).map_err(trap)?;
        let len = u32::try_from(request.len()).map_err(|_| PolicyError::TooLong(request.len()))?;
        let address = self.alloc.call(&mut self.store, len).map_err(trap)?;
        if address == 0 {
            return Err(PolicyError::Trap(format!(
                "it has no memory for a request of {len} bytes"
            )));
        }
        let outside = |error| PolicyError::Trap(format!("a buffer lies outside its memory: {error}"));
        self.memory
            .write(&mut self.store, address as usize, request)
            .map_err(outside)?;
        let arguments = (address, len, Encoding::Bincode.number());
        let [answer_address, answer_len] = halves(self.call.call(&mut self.store, arguments).map_err(trap)?);
        let response = self.read(answer_address, answer_len)?;
        self.free.call(&mut self.store, answer_address).map_err(trap)?;
        self.free.call(&mut self.store, address).map_err(trap)?;
        Ok(response)
    }

    fn read(&self, address: u32, len: u32) -> Result<Response, PolicyError> {
        let (start, len) = (address as usize, len as usize);
        let bytes = self.memory.data(&self.store).get(start..start.saturating_add(len));
        let bytes = bytes.ok_or_else(|| PolicyError::Answer("it lies outside the memory".to_owned()))?;
        match codec::decode(bytes, Encoding::Bincode) {
            Ok(Response::Malformed { message }) => {
                Err(PolicyError::Answer(format!("it understood no request: {message}")))
            }
            Ok(response) => Ok(response),
            Err(error) => Err(PolicyError::Answer(error.to_string())),
        }
    }
}

/// The upper and the lower 32 bits.
fn halves(both: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = both.to_be_bytes();
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}

fn export<P, R>(instance: &Instance, store: &mut Store<StoreLimits>, name: &str) -> Result<TypedFunc<P, R>, PolicyError>
where
    P: wasmtime::WasmParams,
    R: wasmtime::WasmResults,
{
    let typed = instance.get_typed_func(store, name);
    typed.map_err(|error| PolicyError::Exports(format!("`{name}`: {error:#}")))
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn trap(error: wasmtime::Error) -> PolicyError {
    PolicyError::Trap(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fulmar_core::{CpuId, Policy, Unikernel};

    fn facts() -> Vec<Fact> {
        let cpuids: fulmar_core::CpuSet = [CpuId::new(0).unwrap()].into_iter().collect();
        let policy = Policy {
            unikernels: 1.into(),
            memory_mib: 64.into(),
            block_mib: None,
            cpuids: cpuids.clone(),
            bridges: fulmar_core::BridgeSet::default(),
        };
        let unikernel = Unikernel::new(32.into(), cpuids).unwrap();
        vec![
            Fact::Policy {
                domain: "alice".parse().unwrap(),
                policy,
            },
            Fact::Unikernel {
                name: "alice:bob:one".parse().unwrap(),
                unikernel,
            },
        ]
    }

    fn another() -> Request {
        let Some(Fact::Unikernel { unikernel, .. }) = facts().pop() else {
            unreachable!("the last fact is a unikernel")
        };
        Request::InsertUnikernel {
            name: "alice:charlie:one".parse().unwrap(),
            unikernel,
        }
    }

    fn usage() -> Request {
        Request::Usage {
            domain: "alice".parse().unwrap(),
        }
    }

    #[test]
    fn the_embedded_module_refuses_what_does_not_fit() {
        let mut policy = PolicyModule::embedded(Limits::default()).unwrap();
        assert_eq!(policy.sha256().len(), 64);
        policy.restore(&facts()).unwrap();
        let Response::Refused { reasons } = policy.ask(&another()).unwrap() else {
            panic!("it was admitted")
        };
        let sentences: Vec<_> = reasons.iter().map(|reason| reason.sentence.as_str()).collect();
        assert_eq!(
            sentences,
            ["unikernels: `alice` allows 1, 1 in use, 1 asked: over by 1"]
        );
    }

    #[test]
    fn an_exhausted_budget_refuses_until_the_facts_are_restored() {
        let mut policy = PolicyModule::embedded(Limits::default()).unwrap();
        policy.restore(&facts()).unwrap();
        policy.limits.fuel_per_call = 100;
        assert!(matches!(policy.ask(&usage()), Err(PolicyError::Trap(_))));
        policy.limits = Limits::default();
        assert!(matches!(policy.ask(&usage()), Err(PolicyError::Unusable)));
        policy.restore(&facts()).unwrap();
        let Response::Usage { usage } = policy.ask(&usage()).unwrap() else {
            panic!("no usage")
        };
        assert_eq!(usage.memory_mib, 32.into());
    }

    #[test]
    fn memory_is_bounded() {
        let small = Limits {
            memory_bytes: 2 << 20,
            ..Limits::default()
        };
        let mut policy = PolicyModule::embedded(small).unwrap();
        let Some(Fact::Unikernel { unikernel, .. }) = facts().pop() else {
            unreachable!("the last fact is a unikernel")
        };
        let many = (0..100_000).map(|n| {
            let name = format!("alice:u{n}").parse().unwrap();
            Fact::Unikernel {
                name,
                unikernel: unikernel.clone(),
            }
        });
        assert!(policy.restore(&many.collect::<Vec<_>>()).is_err());
        assert!(matches!(policy.ask(&usage()), Err(PolicyError::Unusable)));
        policy.restore(&facts()).unwrap();
    }

    #[test]
    fn contradicting_facts_leave_no_verdicts() {
        let mut policy = PolicyModule::embedded(Limits::default()).unwrap();
        let twice = [facts(), facts()].concat();
        let error = policy.restore(&twice).unwrap_err().to_string();
        assert_eq!(
            error,
            "the policy module gave no answer: known facts are refused: there is a unikernel `alice:bob:one` already"
        );
        assert!(matches!(policy.ask(&usage()), Err(PolicyError::Unusable)));
    }

    /// A module with all exports that does as `body` says when it is called; its panic message is `it broke`.
    fn module(version: u32, body: &str) -> Vec<u8> {
        let text = format!(
            r#"(module
                (memory (export "memory") 1)
                (data (i32.const 16) "it broke")
                (func (export "fulmar_abi_version") (result i32) i32.const {version})
                (func (export "fulmar_alloc") (param i32) (result i32) i32.const 1024)
                (func (export "fulmar_free") (param i32))
                (func (export "fulmar_call") (param i32 i32 i32) (result i64) {body})
                (func (export "fulmar_panic") (result i64) i64.const 0x10_0000_0008))"#
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn whatever_a_module_does_there_is_an_answer_or_a_refusal() {
        for (body, start) in [
            ("unreachable", "the policy module failed: it broke ("),
            ("(loop (br 0)) unreachable", "the policy module failed: it broke ("),
            (
                "i64.const 0xffff_0000_0002",
                "the policy module gave no answer: it lies outside the memory",
            ),
            (
                "i64.const -1",
                "the policy module gave no answer: it lies outside the memory",
            ),
            ("i64.const 0x10_0000_0008", "the policy module gave no answer: "),
            ("i64.const 0", "the policy module gave no answer: "),
        ] {
            let mut policy = PolicyModule::new(&module(ABI_VERSION, body), Limits::default()).unwrap();
            let error = policy.ask(&usage()).unwrap_err().to_string();
            assert!(error.starts_with(start), "{body}: {error}");
            assert!(matches!(policy.ask(&usage()), Err(PolicyError::Unusable)), "{body}");
        }
    }

    #[test]
    fn other_modules_are_refused_with_the_reason() {
        let check = |wasm: &[u8], start: &str| {
            let error = PolicyModule::new(wasm, Limits::default())
                .err()
                .expect("it is refused")
                .to_string();
            assert!(error.starts_with(start), "{error}");
        };
        check(b"no module", "the policy module cannot be compiled: ");
        let empty = wat::parse_str("(module)").unwrap();
        check(&empty, "the policy module is none: `fulmar_abi_version`: ");
        let importing = wat::parse_str(r#"(module (import "a" "b" (func)))"#).unwrap();
        check(
            &importing,
            "the policy module imports `a.b`: it must not import anything",
        );
        let other = module(7, "unreachable");
        check(
            &other,
            "the policy module speaks version 7 of the interface, this host version 1",
        );
    }
}
