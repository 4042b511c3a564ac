//! The faces of the rules, each holding one tree and answering encoded requests: the native core, and `policy.wasm` in wasmtime.
//!
//! Owns nothing but the way there. The module is called as any embedder would call it, not through the host.

use std::fs;
use std::path::PathBuf;

use fulmar_core::Tree;
use fulmar_core::protocol::{Request, Response};
use fulmar_wasm::answer_bytes;
use fulmar_wasm::codec::{Encoding, decode, encode};
use wasmtime::{Engine, Instance, Module, Store, TypedFunc};

/// Something that holds one tree and answers requests.
pub trait Face {
    /// Answers a request in its own encoding.
    fn answer_bytes(&mut self, request: &[u8], encoding: Encoding) -> Vec<u8>;

    /// Carries a request through an encoding and its answer back.
    fn ask(&mut self, request: &Request, encoding: Encoding) -> Response {
        let answer = self.answer_bytes(&encode(request, encoding), encoding);
        decode(&answer, encoding).expect("an answer")
    }
}

/// The core, compiled natively.
#[derive(Default)]
pub struct Native {
    tree: Tree,
}

impl Face for Native {
    fn answer_bytes(&mut self, request: &[u8], encoding: Encoding) -> Vec<u8> {
        answer_bytes(&mut self.tree, request, encoding)
    }
}

/// `policy.wasm` in wasmtime.
pub struct Wasm {
    store: Store<()>,
    instance: Instance,
}

impl Wasm {
    /// A new instance, with an empty tree.
    ///
    /// # Panics
    /// Where the module is not built, or cannot be instantiated.
    #[must_use]
    pub fn new(engine: &Engine, module: &Module) -> Self {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[]).expect("the module can be instantiated");
        Self { store, instance }
    }

    /// Calls an export by name.
    ///
    /// # Panics
    /// Where there is none of that type, or it traps.
    pub fn call<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(&mut self, name: &str, parameters: P) -> R {
        let function: TypedFunc<P, R> = self.instance.get_typed_func(&mut self.store, name).expect(name);
        function.call(&mut self.store, parameters).expect(name)
    }

    /// How large the module's memory is.
    ///
    /// # Panics
    /// Where it exports none.
    pub fn memory_bytes(&mut self) -> usize {
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("a memory");
        memory.data_size(&self.store)
    }

    /// A buffer that holds these bytes.
    ///
    /// # Panics
    /// Where the module has none so large.
    pub fn buffer(&mut self, bytes: &[u8]) -> u32 {
        let len = u32::try_from(bytes.len()).expect("a short request");
        let address: u32 = self.call("fulmar_alloc", len);
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("a memory");
        memory
            .write(&mut self.store, address as usize, bytes)
            .expect("a buffer in memory");
        address
    }

    /// The bytes of an answer: its address in the upper, its length in the lower half.
    ///
    /// # Panics
    /// Where they are not in the module's memory.
    pub fn read(&mut self, answer: u64) -> Vec<u8> {
        let (address, len) = ((answer >> 32) as usize, (answer & 0xffff_ffff) as usize);
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("a memory");
        memory.data(&self.store)[address..address + len].to_vec()
    }
}

impl Face for Wasm {
    fn answer_bytes(&mut self, request: &[u8], encoding: Encoding) -> Vec<u8> {
        let len = u32::try_from(request.len()).expect("a short request");
        let address = self.buffer(request);
        let answer: u64 = self.call("fulmar_call", (address, len, encoding.number()));
        let bytes = self.read(answer);
        self.call::<u32, ()>("fulmar_free", (answer >> 32).try_into().expect("an address"));
        self.call::<u32, ()>("fulmar_free", address);
        bytes
    }
}

/// The bytes of `policy.wasm`.
///
/// # Panics
/// Where it is not built.
#[must_use]
pub fn policy_wasm() -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wasm/dist/policy.wasm");
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}: `cargo xtask wasm` builds it", file.display()))
}
