//! The interface of `policy.wasm`: what it exports, and the numbers that both sides must agree on.
//!
//! Owns the buffers that cross it. All six exports take and return plain integers:
//!
//! | export | meaning |
//! |---|---|
//! | `memory` | the linear memory |
//! | `fulmar_abi_version() -> i32` | [`ABI_VERSION`]; refuse to go on with another one |
//! | `fulmar_alloc(len: i32) -> i32` | the address of a new buffer; 0 where `len` is 0 or above [`MESSAGE_BYTES_MAX`](crate::codec::MESSAGE_BYTES_MAX), or memory is short |
//! | `fulmar_free(address: i32)` | gives a buffer back; any other address changes nothing |
//! | `fulmar_call(address: i32, len: i32, encoding: i32) -> i64` | answers the request in the first `len` bytes of that buffer: a new buffer, its address in the upper and its length in the lower 32 bits |
//! | `fulmar_panic() -> i64` | after a trap: what the panic said, as address and length; 0 where the trap was none of a panic |
//!
//! A caller allocates a buffer, writes its request there, calls, reads the answer, and frees both buffers. Addresses and
//! lengths that were never handed out are answered as a malformed request: they touch nothing.

/// The version of this interface and of the messages that cross it.
pub const ABI_VERSION: u32 = fulmar_core::protocol::VERSION;

/// The exports. Natively there are none: 64-bit addresses would not fit.
#[cfg(all(target_arch = "wasm32", feature = "abi"))]
mod exports {
    #![expect(
        unsafe_code,
        reason = "exported names must be unmangled; nothing here touches memory by address"
    )]

    use std::cell::RefCell;
    use std::panic;
    use std::sync::OnceLock;

    use fulmar_core::Tree;
    use fulmar_core::protocol::Response;

    use crate::answer_bytes;
    use crate::codec::{Encoding, MESSAGE_BYTES_MAX, encode};

    thread_local! {
        static INSTANCE: RefCell<Instance> = RefCell::new(Instance::new());
    }

    /// What the panic said that ended this instance.
    static PANIC: OnceLock<String> = OnceLock::new();

    /// What this instance of the module holds.
    #[derive(Default)]
    struct Instance {
        tree: Tree,
        /// Every buffer that the embedder has and has not freed, sorted by address: two, unless it keeps some. A bare pointer
        /// would be faster by some nanoseconds, and would have to trust the embedder.
        buffers: Vec<Vec<u8>>,
    }

    impl Instance {
        fn new() -> Self {
            panic::set_hook(Box::new(|panic| {
                // Only the first one: what panics afterwards does so because of it.
                let _ = PANIC.set(panic.to_string());
            }));
            Self::default()
        }

        fn lend(&mut self, buffer: Vec<u8>) -> usize {
            let address = buffer.as_ptr().addr();
            if let Err(position) = self.position(address) {
                self.buffers.insert(position, buffer);
            }
            address
        }

        fn take_back(&mut self, address: usize) {
            if let Ok(position) = self.position(address) {
                self.buffers.remove(position);
            }
        }

        /// Where the buffer of that address is, or would be.
        fn position(&self, address: usize) -> Result<usize, usize> {
            self.buffers
                .binary_search_by_key(&address, |buffer| buffer.as_ptr().addr())
        }

        fn call(&mut self, address: usize, len: usize, encoding: u32) -> Vec<u8> {
            let Some(encoding) = Encoding::of_number(encoding) else {
                return malformed("unknown encoding: 0 is bincode, 1 is JSON", Encoding::Json);
            };
            let buffer = self
                .position(address)
                .ok()
                .and_then(|position| self.buffers.get(position));
            match buffer.and_then(|buffer| buffer.get(..len)) {
                Some(request) => answer_bytes(&mut self.tree, request, encoding),
                None => malformed("no buffer of that address and length was handed out", encoding),
            }
        }
    }

    fn malformed(message: &str, encoding: Encoding) -> Vec<u8> {
        encode(
            &Response::Malformed {
                message: message.to_owned(),
            },
            encoding,
        )
    }

    fn new_buffer(len: usize) -> Option<Vec<u8>> {
        if len == 0 || len > MESSAGE_BYTES_MAX {
            return None;
        }
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(len).ok()?;
        buffer.resize(len, 0);
        Some(buffer)
    }

    #[unsafe(no_mangle)]
    extern "C" fn fulmar_abi_version() -> u32 {
        super::ABI_VERSION
    }

    #[unsafe(no_mangle)]
    extern "C" fn fulmar_alloc(len: usize) -> usize {
        new_buffer(len).map_or(0, |buffer| INSTANCE.with_borrow_mut(|instance| instance.lend(buffer)))
    }

    #[unsafe(no_mangle)]
    extern "C" fn fulmar_free(address: usize) {
        INSTANCE.with_borrow_mut(|instance| instance.take_back(address));
    }

    #[unsafe(no_mangle)]
    extern "C" fn fulmar_call(address: usize, len: usize, encoding: u32) -> u64 {
        INSTANCE.with_borrow_mut(|instance| {
            let answer = instance.call(address, len, encoding);
            let len = answer.len();
            both(instance.lend(answer), len)
        })
    }

    #[unsafe(no_mangle)]
    extern "C" fn fulmar_panic() -> u64 {
        // The instance itself may be half changed; this touches it no more.
        PANIC
            .get()
            .map_or(0, |message| both(message.as_ptr().addr(), message.len()))
    }

    /// An address in the upper, a length in the lower 32 bits.
    fn both(address: usize, len: usize) -> u64 {
        (address as u64) << 32 | len as u64
    }
}
