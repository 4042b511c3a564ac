//! The rules of Fulmar for JavaScript: the same requests and responses as everywhere, as plain values.
//!
//! Owns the class [`PolicyTree`] and its errors. It decides nothing; what the values look like is the protocol's matter
//! ([`fulmar_core::protocol`]): `JSON.stringify` of an answer is the answer's JSON text.
//!
//! A package of its own and not a feature of `fulmar-wasm`: `policy.wasm` must import nothing, and whatever mentions
//! wasm-bindgen imports something.
//!
//! ```js
//! const tree = new PolicyTree();
//! tree.ask({ insert_policy: { domain: "alice", policy: { unikernels: 1, memory_mib: 64, cpuids: [0], bridges: [] } } });
//! const unikernel = { memory_mib: 128, cpuids: [0] };
//! const answer = tree.ask({ check_unikernel: { name: "alice:web", unikernel } });
//! answer.refused.reasons[0].sentence; // "memory: `alice` allows 64 MiB, 0 in use, 128 asked: over by 64 MiB"
//! ```

mod value;

use fulmar_core::protocol::{Request, Response, Snapshot, answer};
use fulmar_core::{Refusal, Tree};
use fulmar_wasm::codec::{Encoding, decode, encode};
use js_sys::{Error, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// The type of every request and response, made from the Rust types (`tests/types.rs` sees to it).
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("../protocol.d.ts");

#[wasm_bindgen]
extern "C" {
    /// What can be asked, in TypeScript.
    #[wasm_bindgen(typescript_type = "Request")]
    pub type RequestValue;

    /// What is answered, in TypeScript.
    #[wasm_bindgen(typescript_type = "Response")]
    pub type ResponseValue;
}

/// Policies, unikernels and block devices, and the rules that hold between them.
#[wasm_bindgen]
#[derive(Default)]
pub struct PolicyTree {
    tree: Tree,
}

#[wasm_bindgen]
impl PolicyTree {
    /// A tree that holds nothing.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers a request. A refusal is an answer, too.
    ///
    /// # Errors
    /// An `Error` with the code "malformed" where it is no request; nothing is changed then.
    #[wasm_bindgen(unchecked_return_type = "Response")]
    pub fn ask(&mut self, request: RequestValue) -> Result<JsValue, Error> {
        let text = value::json_of(&request.into()).map_err(|message| coded("malformed", &message))?;
        // Where in the text an error is says nothing to somebody who has a value.
        let request: Request = decode(&text, Encoding::Json).map_err(|error| coded("malformed", error.message()))?;
        write(&answer(&mut self.tree, request))
    }

    /// Everything that the tree holds, as bytes: to be kept, or restored by the same or any other face.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        encode(&Snapshot::of(&self.tree), Encoding::Bincode)
    }

    /// Replaces everything that the tree holds by what it held when `snapshot` gave these bytes.
    ///
    /// # Errors
    /// An `Error` with the code "malformed" where they are no snapshot, or one that contradicts itself, then with the code of the
    /// first reason; nothing is changed then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let snapshot: Snapshot =
            decode(bytes, Encoding::Bincode).map_err(|error| coded("malformed", error.message()))?;
        self.tree = snapshot.restored().map_err(|refusal| refused(&refusal))?;
        Ok(())
    }
}

fn write(response: &Response) -> Result<JsValue, Error> {
    let written = response.serialize(&Serializer::json_compatible());
    written.map_err(|error| coded("malformed", &error.to_string()))
}

fn refused(refusal: &Refusal) -> Error {
    match refusal.reasons().first() {
        Some(reason) => coded(&reason.code(), &reason.to_string()),
        None => coded("malformed", "the snapshot contradicts itself"),
    }
}

fn coded(code: &str, message: &str) -> Error {
    let error = Error::new(message);
    // Fails for objects that are frozen: a new one is not.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error
}
