//! Bytes as a snapshot: refused, or restored to a tree that is whole and of which the same snapshot is taken.
#![no_main]

use fulmar_core::protocol::Snapshot;
use fulmar_wasm::codec::{Encoding, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(snapshot) = decode::<Snapshot>(bytes, Encoding::Bincode) else {
        return;
    };
    let Ok(tree) = snapshot.restored() else { return };
    assert_eq!(tree.validate(), Ok(()));
    // Facts may have come in another order, or a policy twice: the second snapshot is the first one's settled form.
    let settled = Snapshot::of(&tree);
    for encoding in Encoding::ALL {
        let read: Snapshot = decode(&encode(&settled, encoding), encoding).expect("what was written is read");
        assert_eq!(read, settled);
    }
    assert_eq!(settled.restored().as_ref(), Ok(&tree));
});
