//! Bytes as messages, one after the other, in both encodings: each is answered, by an answer; the tree stays whole; and what is a
//! request in one encoding is answered in the other one as well, and the same. Another reader of JSON understands what is understood
//! here, and the same by it.
#![no_main]

use fulmar_core::Tree;
use fulmar_core::protocol::{Request, Response};
use fulmar_wasm::answer_bytes;
use fulmar_wasm::codec::{Encoding, decode, encode};
use libfuzzer_sys::fuzz_target;

/// The first message: an encoding, a length in two bytes, and so many bytes, or all that are left.
fn next_message(bytes: &[u8]) -> Option<(Encoding, &[u8], &[u8])> {
    let [encoding, high, low, rest @ ..] = bytes else {
        return None;
    };
    let encoding = Encoding::of_number(u32::from(encoding % 2))?;
    let len = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (message, rest) = rest.split_at(len);
    Some((encoding, message, rest))
}

fuzz_target!(|bytes: &[u8]| {
    let mut tree = Tree::new();
    let mut rest = bytes;
    while let Some((encoding, message, following)) = next_message(rest) {
        rest = following;
        let before = tree.clone();
        let answer = ask(&mut tree, message, encoding);
        assert_eq!(tree.validate(), Ok(()));
        let Ok(request) = decode::<Request>(message, encoding) else {
            assert!(matches!(answer, Response::Malformed { .. }));
            assert_eq!(before, tree);
            continue;
        };
        if encoding == Encoding::Json {
            ask_another_reader(message, &request);
        }
        for encoding in Encoding::ALL {
            let asked = encode(&request, encoding);
            assert_eq!(
                decode(&asked, encoding).as_ref(),
                Ok(&request),
                "what was written is not read"
            );
            let mut other = before.clone();
            assert_eq!(ask(&mut other, &asked, encoding), answer);
            assert_eq!(other, tree);
        }
    }
});

/// Halves of surrogate pairs are nothing to it, and `1.0` is no natural number.
fn ask_another_reader(text: &[u8], request: &Request) {
    let is_json = serde_json::from_slice::<serde_json::Value>(text).is_ok();
    assert!(
        is_json || text.windows(2).any(|pair| pair == b"\\u"),
        "what is no JSON was understood"
    );
    if let Ok(read) = serde_json::from_slice::<Request>(text) {
        assert_eq!(read, *request);
    }
}

fn ask(tree: &mut Tree, message: &[u8], encoding: Encoding) -> Response {
    decode(&answer_bytes(tree, message, encoding), encoding).expect("an answer is one")
}
