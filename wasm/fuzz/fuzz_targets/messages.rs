//! Bytes as messages, one after the other, in both encodings: each is answered, by an answer; the tree stays whole; and what is a
//! request in one encoding is answered in the other one as well, and the same.
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

fn ask(tree: &mut Tree, message: &[u8], encoding: Encoding) -> Response {
    decode(&answer_bytes(tree, message, encoding), encoding).expect("an answer is one")
}
