//! The rules of Fulmar as WebAssembly. This package decides nothing itself: it carries [`Request`]s to
//! [`fulmar_core`] and [`Response`]s back.
//!
//! Built for `wasm32-unknown-unknown` (`cargo xtask wasm`) it is `policy.wasm`: a module without imports, one instance holding
//! one tree. Built natively it is what an embedder of that module needs: the [`codec`] and the numbers of the [`abi`].
//!
//! ```
//! use fulmar_core::Tree;
//! use fulmar_wasm::{answer_bytes, codec::Encoding};
//!
//! let request = br#"{"usage": {"domain": "alice"}}"#;
//! let response = answer_bytes(&mut Tree::new(), request, Encoding::Json);
//! assert_eq!(
//!     String::from_utf8(response).unwrap(),
//!     r#"{"usage":{"usage":{"unikernels":0,"memory_mib":0,"block_mib":0,"cpuids":{},"bridges":{}}}}"#
//! );
//! ```

pub mod abi;
pub mod codec;

use codec::{Encoding, MESSAGE_BYTES_MAX};
use fulmar_core::Tree;
use fulmar_core::protocol::{Request, Response, answer};

/// Answers an encoded request in the same encoding. What is no request is answered by [`Response::Malformed`], and so is one whose
/// answer would be longer than any message may be.
#[must_use]
pub fn answer_bytes(tree: &mut Tree, request: &[u8], encoding: Encoding) -> Vec<u8> {
    let malformed = |message| codec::encode(&Response::Malformed { message }, encoding);
    let answer = match codec::decode::<Request>(request, encoding) {
        Ok(request) => codec::encode(&answer(tree, request), encoding),
        Err(error) => return malformed(error.to_string()),
    };
    if answer.len() > MESSAGE_BYTES_MAX {
        return malformed(format!(
            "the answer is {} bytes long, at most {MESSAGE_BYTES_MAX}: ask about a smaller domain",
            answer.len()
        ));
    }
    answer
}
